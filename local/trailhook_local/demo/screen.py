"""What the demonstration shows a person."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from trailhook_local.lake_query import Answer


def show_ledger(console: Console, ledgers: Mapping[str, Mapping[str, Any]]) -> None:
    """One column a partner: its deliveries as they were answered, its events as they ended, and why."""
    table = Table(title="Every event accounted for", title_justify="left")
    table.add_column("")
    for name in ledgers:
        table.add_column(name, justify="right")
    rows: list[tuple[str, Any]] = [
        ("deliveries sent", lambda one: one["deliveries"]["sent"]),
        ("  accepted", lambda one: one["deliveries"]["accepted"]),
        ("  refused (status × times)", lambda one: _times(one["deliveries"]["refused"])),
        ("events received", lambda one: one["received"]),
        ("= delivered (counted in the Lake)", lambda one: one["delivered"]),
        ("+ quarantined (counted in the bucket)", lambda one: one["quarantined"]),
        ("+ filtered", lambda one: one["filtered"]),
        ("+ waiting (counted in the queues)", lambda one: one["waiting"]),
        ("why quarantined", lambda one: _times(one["quarantined_by_code"])),
        ("duplicates in the Lake", lambda one: one["duplicates"]),
        ("the law", lambda one: "[green]holds" if one["holds"] else "[red]broken"),
    ]
    for title, value in rows:
        table.add_row(title, *(str(value(ledger)) for ledger in ledgers.values()))
    console.print(table)


def show_answers(console: Console, answers: Sequence[tuple[str, Answer]]) -> None:
    for question, answer in answers:
        show_table(console, answer, title=question)


def show_table(console: Console, answer: Answer, *, title: str | None = None) -> None:
    """A query's rows. Text from events is printed as it is, never as markup."""
    table = Table(title=title, title_justify="left")
    for column in answer.columns:
        table.add_column(column)
    for row in answer.rows:
        table.add_row(*(_plain(row.get(column)) for column in answer.columns))
    console.print(table, markup=False)


def _plain(text: str | None) -> str:
    shown = "" if text is None else "".join(c if c.isprintable() else "�" for c in text)
    return shown.replace("[", "\\[")


def _times(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} × {count}" for name, count in counts.items()) or "-"
