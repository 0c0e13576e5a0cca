"""Runs a stack until it is told to stop: what tests that kill, interrupt or look on from outside start."""

import sys
from pathlib import Path

from trailhook_local.stack.signals import ended_by_signals
from trailhook_local.stack.stack import Stack


def main() -> None:
    state, root, *partners = sys.argv[1:]
    with (
        ended_by_signals() as asked,
        Stack(partners, state=Path(state), template=Path(root) / "template.yaml") as stack,
    ):
        sys.stdout.write(" ".join(map(str, stack.pids())) + "\n")
        sys.stdout.flush()
        asked.wait()


if __name__ == "__main__":
    main()
