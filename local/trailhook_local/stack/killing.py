"""Kills processes of a running stack with SIGKILL, as memory that runs out or a host that fails would."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress


@contextmanager
def killing(
    wait: Callable[[threading.Event], bool], choose: Callable[[], Sequence[int]], rng: random.Random
) -> Iterator[list[int]]:
    """Kill one of the processes that `choose` names, again and again while the block runs; yields those killed.

    `wait` returns True when it is time for the next, and False once the event says that the block is over.
    """
    killed: list[int] = []
    over = threading.Event()

    def kill_on() -> None:
        while wait(over):
            if pids := choose():
                killed.append(rng.choice(pids))
                with suppress(ProcessLookupError):
                    os.kill(killed[-1], signal.SIGKILL)

    thread = threading.Thread(target=kill_on, name="killer", daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()
