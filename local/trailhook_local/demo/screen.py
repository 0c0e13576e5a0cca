"""What the demonstration shows a person."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trailhook_local.lake_query import Row

NARROWEST = 12
"""Characters of a column below which nobody can read it."""


def show_ledger(console: Console, ledgers: Mapping[str, Mapping[str, Any]]) -> None:
    """One column a partner: its deliveries as they were answered, its events as they ended, and why."""
    table = Table(title="Every event accounted for", title_justify="left")
    table.add_column("", no_wrap=True)
    for name in ledgers:
        table.add_column(name, justify="right", no_wrap=True)
    rows: list[tuple[str, Callable[[Mapping[str, Any]], object]]] = [
        ("deliveries sent", lambda one: one["deliveries"]["sent"]),
        ("  accepted", lambda one: one["deliveries"]["accepted"]),
        *(
            (f"  refused with {status}", lambda one, status=status: one["deliveries"]["refused"].get(status, 0))
            for status in _keys(ledger["deliveries"]["refused"] for ledger in ledgers.values())
        ),
        ("events received", lambda one: one["received"]),
        ("= delivered (found by SQL)", lambda one: one["delivered"]),
        ("+ quarantined (found in S3)", lambda one: one["quarantined"]),
        *(
            (f"    {code}", lambda one, code=code: one["quarantined_by_code"].get(code, 0))
            for code in _keys(ledger["quarantined_by_code"] for ledger in ledgers.values())
        ),
        ("+ filtered (by their names)", lambda one: one["filtered"]),
        ("+ waiting (found in SQS)", lambda one: one["waiting"]),
        ("events that are nowhere", lambda one: one["missing"]),
        ("events in two places", lambda one: one["twice"]),
        ("what nobody sent", lambda one: one["foreign"]),
        ("duplicates in the Lake", lambda one: one["duplicates"]),
        ("the law", lambda one: "[green]holds" if one["holds"] else "[red]broken"),
    ]
    for title, value in rows:
        table.add_row(title, *(str(value(ledger)) for ledger in ledgers.values()))
    console.print(table)


def show_answers(console: Console, answers: Sequence[tuple[str, Sequence[Row]]]) -> None:
    for question, rows in answers:
        show_table(console, rows, title=question)


def table_console() -> Console:
    """The terminal; or a wide page, for a table in a file or a pipe is for searching, and nothing in it may be cut."""
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
    """The value as JSON: letters as they are, and escaped whatever else a terminal would obey."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def printable(text: str) -> str:
    """The text, and a mark in place of whatever a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _keys(counts: Iterable[Mapping[str, int]]) -> list[str]:
    return sorted({key for one in counts for key in one})
