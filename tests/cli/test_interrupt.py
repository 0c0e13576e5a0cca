"""A Ctrl-C as early as a person can press it, and what the command line imports by then."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from tests.stack.conftest import closing_terminals_tell

from trailhook_local.cli import __main__ as entry

ROOT = Path(__file__).parents[2]
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has none
from trailhook_local.cli.__main__ import main
main()
"""
INTERRUPTED = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(1)\n"


@pytest.mark.parametrize(
    ("module", "command"),
    [("click", "--version"), ("botocore", "--version"), ("rich", "--version"), ("duckdb", "chaos")],
)
def test_a_ctrl_c_while_the_commands_are_imported_ends_without_a_word(
    tmp_path: Path, module: str, command: str
) -> None:
    """As one that comes while `module` is imported. A shell calls this status 130."""
    (tmp_path / f"{module}.py").write_text(INTERRUPTED)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ended = subprocess.run(
        [sys.executable, "-c", START, command],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


TOLD_TWICE = """
import os, signal
from trailhook_local.stack.signals import interrupted_by_signals
try:
    with interrupted_by_signals():
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        finally:
            os.kill(os.getpid(), signal.SIGHUP)
            print("tidied up")
except KeyboardInterrupt:
    os.kill(os.getpid(), signal.SIGHUP)
    print("and ended")
"""


def test_a_terminal_that_is_closed_tells_a_start_twice_and_is_heard_once() -> None:
    with closing_terminals_tell():
        ended = subprocess.run(
            [sys.executable, "-c", TOLD_TWICE], capture_output=True, text=True, check=False, timeout=60
        )
    assert (ended.stdout, ended.stderr) == ("tidied up\nand ended\n", "")


def test_the_lakes_own_libraries_are_imported_for_chaos_alone() -> None:
    """They take as long as all the rest, and every `trailhook send` would wait for them."""
    told = "import sys, trailhook_local.cli.main; print(sorted({'duckdb', 'sqlglot', 'flask'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_run_of_chaos_that_is_interrupted_has_not_succeeded() -> None:
    """Whatever ledger it has by then: the law of a few rounds is not the law of the run."""
    command = [sys.executable, "-c", START, "chaos", "--events", "1000000", "--seed", "1", "--processes", "1"]
    for seconds in (3, 12, 48):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as run:
            time.sleep(seconds)
            os.killpg(run.pid, signal.SIGINT)
            shown, _ = run.communicate(timeout=60)
        if run.returncode != -signal.SIGINT:
            break  # Else it came as early as above: on a busy machine the imports take longer.
    assert run.returncode == 1
    assert json.loads(shown.splitlines()[-1])["posted"] < 1_000_000


IN_A_FINALIZER = """
import gc, os, signal, threading
from trailhook_local.cli.__main__ import main

def interrupt(phase, info):
    # No exception gets out of here. Not before the run has begun: until then nobody has a handler of their own.
    begun = signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, signal.SIG_DFL)
    # Other threads collect as well, and a signal is heard in the main one.
    if begun and threading.current_thread() is threading.main_thread():
        gc.callbacks.remove(interrupt)
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
gc.callbacks.append(interrupt)
main()
"""


def test_a_ctrl_c_that_comes_while_chaos_collects_garbage_is_not_lost() -> None:
    run = subprocess.run(
        [sys.executable, "-c", IN_A_FINALIZER, "chaos", "--events", "20000", "--seed", "1", "--processes", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert run.returncode == 1
    assert json.loads(run.stdout.splitlines()[-1])["posted"] == 5_000


IN_A_FINALIZER_OF_A_START = """
import gc, os, signal, sys, threading
from pathlib import Path
from trailhook_local.cli.__main__ import main

log = Path(sys.argv[-1], "logs", "lake.log")

def interrupt(phase, info):
    if threading.current_thread() is threading.main_thread() and log.exists():
        gc.callbacks.remove(interrupt)
        os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
gc.callbacks.append(interrupt)
main()
"""


def test_a_ctrl_c_that_comes_while_a_start_collects_garbage_ends_it_before_the_next_step(tmp_path: Path) -> None:
    """All of a start takes a minute on a busy machine, and whoever pressed Ctrl-C waited for it."""
    command = [sys.executable, "-c", IN_A_FINALIZER_OF_A_START, "serve", "github", "okta", "--state", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.splitlines()[-1] == "Aborted!"
    assert not (tmp_path / "logs" / "trailhook-okta-integration.log").exists()


def test_the_command_that_is_installed_begins_there() -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["trailhook"]
    module, _, name = script.partition(":")
    assert getattr(import_module(module), name) is entry.main
