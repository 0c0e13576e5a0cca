"""What a command did is told to the end, wherever its output goes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRAILHOOK = Path(sys.executable).with_name("trailhook")
SAMPLE = {"eventType": "user.session.start", "uuid": "1", "published": "2026-11-25T08:00:00Z"}
ACTOR = "Zoë \N{EURO SIGN} 日本\N{ELECTRIC LIGHT BULB}"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    file = tmp_path / "sample.json"
    file.write_text(json.dumps(SAMPLE | {"actor": {"id": ACTOR}}), encoding="utf-8")
    return file


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_letters_that_an_encoding_does_not_have_are_escaped_as_json_does(sample: Path, encoding: str) -> None:
    mapped = subprocess.run(
        [TRAILHOOK, "map", "okta", sample],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (mapped.returncode, mapped.stderr) == (0, b"")
    # click writes UTF-8 where it is told ASCII.
    shown = mapped.stdout.decode(encoding if encoding != "ascii" else "utf-8")
    assert json.loads(shown)["eventData"]["userIdentity"]["principalId"] == ACTOR


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["map", "okta", "SAMPLE"]], ids=" ".join)
def test_output_to_a_full_disk_is_said_without_a_traceback(sample: Path, arguments: list[str]) -> None:
    command = [str(sample) if word == "SAMPLE" else word for word in arguments]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [TRAILHOOK, *command], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
        assert (ended.returncode, ended.stderr) == (1, "Error: cannot write the output (No space left on device)\n")
        assert subprocess.run([TRAILHOOK, *command], stdout=full, stderr=full, check=False, timeout=60).returncode == 1


TABLE = """
from trailhook_local.cli.streams import prepare_streams
prepare_streams()
from rich.console import Console
from trailhook_local.screen import show_table
show_table(Console(width=80), [{"price": chr(0x20AC)}])
"""


def test_a_table_is_shown_in_any_encoding() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", TABLE],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert r"\u20ac" in shown.stdout.decode("latin-1")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_a_command_with_a_closed_stream_ends_as_it_would_with_nothing(closed: str) -> None:
    """As a supervisor may start it."""
    ended = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {closed}', "sh", TRAILHOOK, "map", "okta", "-"],
        input=b"",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert b"EmptyBody" in ended.stdout or ">&-" in closed


def test_a_failure_is_no_answer_where_standard_error_is_closed(tmp_path: Path) -> None:
    """`eval "$(trailhook env)"` would run it."""
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$@" 2>&-', "sh", TRAILHOOK, "env", "--state", tmp_path],
        stdout=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, b"")
