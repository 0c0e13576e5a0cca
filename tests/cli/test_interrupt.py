"""A Ctrl-C as early as a person can press it."""

import os
import signal
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from trailhook_local.cli import __main__ as entry

ROOT = Path(__file__).parents[2]
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has none
from trailhook_local.cli.__main__ import main
main()
"""
INTERRUPTED = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(1)\n"


@pytest.mark.parametrize("module", ["click", "botocore", "duckdb", "rich"])
def test_a_ctrl_c_while_the_commands_are_imported_ends_without_a_word(tmp_path: Path, module: str) -> None:
    """As one that comes while `module` is imported. A shell calls this status 130."""
    (tmp_path / f"{module}.py").write_text(INTERRUPTED)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    ended = subprocess.run(
        [sys.executable, "-c", START, "--version"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_the_command_that_is_installed_begins_there() -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]["trailhook"]
    module, _, name = script.partition(":")
    assert getattr(import_module(module), name) is entry.main
