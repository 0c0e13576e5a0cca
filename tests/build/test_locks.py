"""The build, and what runs with an operator's credentials, install nothing without the hash that a lock has of it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = [Path("Makefile"), Path("layers/trailhook/Makefile"), Path("docs/operations.md")]


def installations(text: str) -> list[str]:
    """The commands that install with pip, each on one line."""
    return re.findall(r"pip install[^\n;&]*", text.replace("\\\n", " "))


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_pip_installs_by_hash_or_this_project_alone(place: Path) -> None:
    for command in installations((ROOT / place).read_text(encoding="utf-8")):
        of_this = command.endswith(" -e .") and {"--no-deps", "--no-build-isolation"} <= set(command.split())
        assert "--require-hashes" in command or of_this, command


def test_what_writes_the_locks_is_installed_by_one() -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8")
    locks = set(re.findall(r"-o (\S+)", rules))
    assert locks == {f"requirements/{name}.txt" for name in ("dev", "sam", "scan", "fuzz", "uv")} | {
        "layers/trailhook/requirements.txt"
    }
    for lock in locks:
        assert "--hash=sha256:" in (ROOT / lock).read_text(encoding="utf-8")
