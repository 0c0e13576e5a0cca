"""What is measured and how it is shown: CPU of this process alone, the best of a few runs, and ratios to an anchor.

Absolute times on a shared machine mean little; the ratio of two measurements of one run does.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.table import Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measurement:
    """`count` things done, in seconds of the clock and of CPU."""

    count: int
    wall: float
    cpu: float

    @property
    def cost(self) -> float:
        """µs of CPU for each."""
        return self.cpu / self.count * 1e6


def measure(run: Callable[[], int], times: int = 3) -> Measurement:
    """The cheapest of several runs: what others do on the machine only ever adds to one."""
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        count = run()
        found.append(Measurement(count, time.perf_counter() - wall, time.process_time() - cpu))
    return min(found, key=lambda one: one.cost)


def together(runs: Mapping[str, Callable[[], int]], rounds: int = 15) -> dict[str, Measurement]:
    """The cheapest of several rounds for each of these runs. They take turns, so that all see the same machine."""
    found = {name: measure(run, 1) for name, run in runs.items()}
    for _ in range(rounds - 1):
        found = {name: min(found[name], measure(run, 1), key=lambda one: one.cost) for name, run in runs.items()}
    return found


def each(do: Callable[[T], object], things: Sequence[T]) -> Callable[[], int]:
    """A run that does the same with each of these things."""

    def run() -> int:
        for thing in things:
            do(thing)
        return len(things)

    return run


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)


def ratio(anchor: Measurement, other: Measurement) -> str:
    """How many times cheaper `other` is than the anchor."""
    return f"{anchor.cost / other.cost:.1f}"
