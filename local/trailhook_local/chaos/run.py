"""Many rounds, one after the other or on all cores, added up; and the ledger of them all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from trailhook_local.chaos.account import Tally
from trailhook_local.chaos.round import Round
from trailhook_local.chaos.settings import Settings, read_settings
from trailhook_local.stack.signals import interrupted_by_signals
from trailhook_local.stack.stack import DEFAULT_TEMPLATE

ROUND_EVENTS = 5_000
_MOST_BROKEN = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: `faults` None lets them take turns, `only` names the one round to repeat."""

    events: int
    seed: int
    faults: frozenset[str] | None = None
    only: int | None = None
    processes: int = 1

    def rounds(self) -> Sequence[tuple[int, int]]:
        """Index and events of each round."""
        sizes = [ROUND_EVENTS] * (self.events // ROUND_EVENTS)
        if rest := self.events % ROUND_EVENTS:
            sizes.append(rest)
        return [(index, size) for index, size in enumerate(sizes) if self.only in {None, index}]


def run_rounds(plan: Plan, settings: Settings) -> Iterator[tuple[int, Tally]]:
    """Each round's index and tally, as they end."""
    tasks = [(plan.seed, index, events, plan.faults, settings) for index, events in plan.rounds()]
    if plan.processes == 1 or len(tasks) == 1:
        yield from (_run_round(*task) for task in tasks)
        return
    pool = ProcessPoolExecutor(plan.processes, mp_context=get_context("spawn"))
    try:
        for future in as_completed([pool.submit(_run_round, *task) for task in tasks]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _run_round(
    seed: int, index: int, events: int, faults: frozenset[str] | None, settings: Settings
) -> tuple[int, Tally]:
    return index, Round(seed, index, events, faults, settings).run()


def run_chaos(plan: Plan, console: Console) -> bool:
    """Run it, show the ledger, and write it as the last line; True if the law holds. Raises TemplateError.

    An interruption is raised again once the ledger of what had ended by then is written.
    """
    total = Tally()
    interruption: KeyboardInterrupt | None = None
    broken: dict[int, Sequence[str]] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Events through the worst", total=sum(events for _, events in plan.rounds()))
        try:
            with interrupted_by_signals() as interrupted:
                for index, tally in run_rounds(plan, read_settings(DEFAULT_TEMPLATE)):
                    total.add(tally)
                    progress.advance(bar, tally.posted)
                    if not tally.holds:
                        broken[index] = tally.broken
                        progress.console.print(f"[red]Round {index}: {'; '.join(tally.broken[:3])}")
                    if interrupted.is_set():
                        break
        except KeyboardInterrupt as error:
            interruption = error
            progress.console.print("Interrupted: this is the ledger of the rounds that had ended")
    show(total, console)
    # One line whatever the terminal's width: it is for programs.
    console.file.write(json.dumps(_document(plan, total, broken)) + "\n")
    if interruption:
        raise interruption
    return total.holds


def _document(plan: Plan, total: Tally, broken: Mapping[int, Sequence[str]]) -> dict[str, Any]:
    """The ledger for a program, with the commands that repeat the run and each round that broke the law."""
    command = f"trailhook chaos --events {plan.events} --seed {plan.seed}"
    if plan.faults is not None:
        command += f" --faults {','.join(sorted(plan.faults)) or 'none'}"
    rounds = [
        {"round": index, "command": f"{command} --round {index}", "what": list(what[:_MOST_BROKEN])}
        for index, what in sorted(broken.items())
    ]
    return {"law": total.holds, "seed": plan.seed, "command": command, **total.to_json(), "broken": rounds}


def show(total: Tally, console: Console) -> None:
    """The ledger for a person."""
    ledger: dict[str, Any] = total.to_json()
    table = Table(title="Every event accounted for", title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("events", justify="right", no_wrap=True)
    for title, number in (
        ("posted by the partner", ledger["posted"]),
        ("received: 2xx, or SQS has it", ledger["received"]),
        ("= delivered", ledger["delivered"]),
        ("+ quarantined", ledger["quarantined"]),
        *((f"    {code}", number) for code, number in ledger["quarantined_by_code"].items()),
        ("+ filtered", ledger["filtered"]),
        ("+ waiting: what kills every process", ledger["waiting"]),
        ("lost", ledger["lost"]),
        ("duplicates", ledger["duplicates"]),
        *((f"    {cause}", number) for cause, number in ledger["duplicates_by_cause"].items()),
        ("    unexplained", ledger["unexplained_duplicates"]),
        ("the law", "[green]holds" if total.holds else "[red]broken"),
    ):
        table.add_row(title, f"{number:,}" if isinstance(number, int) else str(number))
    console.print(table)
