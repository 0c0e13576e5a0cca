"""The main job as its user runs it: one command, every event accounted for, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.stack.conftest import closing_terminals_tell, eventually

ROOT = Path(__file__).parents[2]
TRAILHOOK = Path(sys.executable).with_name("trailhook")
pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [TRAILHOOK, "demo", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=270
    )
    assert done.stdout, done.stderr
    ledger: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    # Where the law is broken, the screen says why: pytest shows it with the failure.
    print(done.stdout)  # noqa: T201
    return done.returncode, ledger


def processes_of_the_stack() -> set[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return {line for line in listed.splitlines() if "trailhook-demo-" in line}


def test_every_event_of_the_demo_is_accounted_for() -> None:
    before = processes_of_the_stack()
    status, ledger = run("--deliveries", "90", "--seed", "7")
    assert status == 0, ledger
    assert ledger["law"] is True
    for partner in ("github", "okta", "custom"):
        account = ledger[partner]
        assert account["received"] == account["delivered"] + account["quarantined"] + account["filtered"]
        assert account["delivered"] > 0
        assert account["quarantined_by_code"]["NotJson"] == account["quarantined_by_code"]["AmbiguousJson"] == 1
        assert account["deliveries"]["refused"]["413"] == 1
        assert account["deliveries"]["refused"]["401"] >= 3
        assert account["waiting"] == account["duplicates"] == 0
        assert account["missing"] == account["foreign"] == account["twice"] == 0
    assert ledger["github"]["filtered"] > 0
    assert processes_of_the_stack() <= before


def test_nothing_is_lost_while_forward_is_killed_again_and_again() -> None:
    status, ledger = run("--deliveries", "90", "--seed", "8", "--kill-every", "1.5")
    assert status == 0, ledger
    assert ledger["kills"] > 0
    assert ledger["law"] is True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_ended_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    """As by a terminal that is closed, which may tell it twice."""
    with closing_terminals_tell():
        demo = subprocess.Popen(
            [TRAILHOOK, "demo"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with demo:
        assert eventually(lambda: any(tmp_path.glob("trailhook-demo-*/logs/aws.log")))
        for _ in range(2):
            demo.send_signal(number)
        _, errors = demo.communicate(timeout=60)
    assert (demo.returncode, errors.splitlines()[-1]) == (1, "Aborted!")
    assert [*tmp_path.iterdir()] == []


def test_what_nohup_starts_outlives_its_terminal() -> None:
    start = "from trailhook_local.stack.signals import end_as_by_ctrl_c; end_as_by_ctrl_c()"
    hang_up = "import os, signal; os.kill(os.getpid(), signal.SIGHUP); print('goes on')"
    ended = subprocess.run(
        ["nohup", sys.executable, "-c", f"{start}; {hang_up}"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (0, "goes on\n"), ended.stderr


def test_outside_of_the_project_the_demo_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run([TRAILHOOK, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "run this from the project's own folder" in done.stderr
    assert "Traceback" not in done.stderr
