"""What `--help` shows on a terminal of 80 columns."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from trailhook_local.cli.main import main


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """The command and all below it, each as its words."""
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, *path, name)


@pytest.mark.parametrize("path", list(commands(main)), ids=" ".join)
def test_the_help_of_every_command_fits_and_is_not_cut_off(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(main, [*path, "--help"], env={"COLUMNS": "80"}).output
    usage, *lines = shown.splitlines()
    assert usage.startswith("Usage: ")
    assert [line for line in lines if len(line) > 80 or line.endswith("...")] == []
