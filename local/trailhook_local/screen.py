"""What a command shows a person: tables, and text of events that must not steer the terminal."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trailhook_local.lake_query import Row

NARROWEST = 12
"""A column with fewer characters than this cannot be read."""


def table_console() -> Console:
    """The terminal; for a file or a pipe a wide page, in which nothing is cut, so that it can be searched."""
    return Console() if sys.stdout.isatty() else Console(width=200)


def show_table(console: Console, rows: Sequence[Row], *, title: str | None = None) -> None:
    """A query's rows, whole. Text from events is printed as it is, never as markup, and cannot steer the terminal.

    Where there are too many columns for the screen, each row is a list of them, one below another.
    """
    columns = list(rows[0]) if rows else []
    table = Table(title=title, title_justify="left")
    if len(columns) * NARROWEST > console.width:
        table.add_column("column", no_wrap=True)
        table.add_column("value", overflow="fold")
        for row in rows:
            table.add_section()
            for column in columns:
                table.add_row(Text(column), Text(printable(row.get(column) or "")))
    else:
        for column in columns:
            table.add_column(Text(column), overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(row.get(column) or "")) for column in columns))
    console.print(table)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """The value as JSON: letters as they are, and whatever a terminal would obey escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def printable(text: str) -> str:
    """The text, and a mark in place of whatever a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
