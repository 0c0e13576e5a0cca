"""What the demonstration shows a person."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from trailhook_local.lake_query import Row
from trailhook_local.screen import show_table


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


def _keys(counts: Iterable[Mapping[str, int]]) -> list[str]:
    return sorted({key for one in counts for key in one})
