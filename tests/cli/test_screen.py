"""What a person sees of a query's rows."""

import json
from io import StringIO

import pytest
from click.testing import CliRunner
from rich.console import Console

from trailhook_local.cli.main import main
from trailhook_local.screen import json_text, show_table


def shown(width: int, *columns: str, value: str = "2026-11-25 08:00:00.000") -> list[str]:
    """The lines of a table of one row, every cell of which holds the value."""
    console = Console(width=width, file=StringIO())
    show_table(console, [dict.fromkeys(columns, value)])
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_a_few_columns_stand_side_by_side() -> None:
    lines = shown(80, "eventname", "eventtime")
    assert [line for line in lines if "eventname" in line] == [line for line in lines if "eventtime" in line] != []


def test_more_columns_than_a_screen_holds_stand_one_below_another() -> None:
    columns = [f"column{number}" for number in range(10)]
    lines = shown(80, *columns)
    for column in columns:
        (line,) = (line for line in lines if column in line)
        assert "2026-11-25 08:00:00.000" in line
        assert len(line) <= 80
    assert sum(all(column in line for column in columns) for line in shown(200, *columns)) == 1


def test_an_event_cannot_steer_the_terminal() -> None:
    for columns in (["name"], [f"column{number}" for number in range(10)]):
        text = "\n".join(shown(80, *columns, value="\x1b[2J[red]x"))
        assert "\x1b" not in text
        assert "\N{REPLACEMENT CHARACTER}[2J[red]x" in text


@pytest.mark.parametrize("indent", [None, 2])
def test_nor_can_it_as_json_which_says_the_same(indent: int | None) -> None:
    value = {"na\x9bme": ["\x1b[2J \x9b2J \u202e \x7f \U000e0041", "caf\u00e9 \u65e5\u672c \U0001f600"]}
    text = json_text(value, indent=indent)
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == value
    assert "caf\u00e9 \u65e5\u672c \U0001f600" in text


def test_nor_can_a_sample() -> None:
    sample = '{"type": "a\x9b2J", "x": "\u202e"}\n"\x9b\x1b"\n'
    result = CliRunner().invoke(main, ["map", "custom", "-"], input=sample)
    assert result.exit_code == 1
    assert result.output.replace("\n", "").isprintable()
