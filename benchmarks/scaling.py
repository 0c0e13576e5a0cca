"""forward over ever more distinct events, handed over as Lambda does it: cost and memory must not grow with them.

python -m benchmarks.scaling [--events 1000000]
"""

import argparse
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from itertools import count, islice
from typing import Any

from benchmarks.corpus import body, forwarder, record
from benchmarks.endpoint import endpoint
from benchmarks.forward import CEILING, ceiling, lake
from benchmarks.measuring import Measurement, measure, show

from trailhook.deadline import Deadline
from trailhook.forward import Forwarder

HANDED_OVER_BYTES = 6_000_000
"""What Lambda collects of the queue for one invocation at most."""


def invocations(numbers: Iterator[int]) -> Iterator[list[Mapping[str, Any]]]:
    """The records of one invocation after the other, each as large as Lambda makes it."""
    records: list[Mapping[str, Any]] = []
    size = 0
    for number in numbers:
        records.append(record(number, body(number)))
        size += len(records[-1]["body"])
        if size > HANDED_OVER_BYTES:
            yield records
            records, size = [], 0
    yield records


def forwarded(ours: Forwarder, numbers: Iterator[int]) -> Measurement:
    """What forwarding them takes; making the records is not counted."""
    events, wall, cpu = 0, 0.0, 0.0
    for records in invocations(numbers):
        began, used = time.perf_counter(), time.process_time()
        unfinished, ledger = ours.forward(records, Deadline.of(None))
        wall, cpu = wall + time.perf_counter() - began, cpu + time.process_time() - used
        assert not unfinished
        events += ledger.events["delivered"]
    return Measurement(events, wall, cpu)


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if sys.platform == "darwin" else 1_000)


def row(name: str, found: Measurement, anchor: Measurement) -> tuple[str, ...]:
    costs = f"{found.count / found.wall:,.0f}", f"{found.cost:,.1f}", f"{found.cost / anchor.cost:.2f}"
    return (name, *costs, f"{peak_megabytes():,.0f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=30_000)
    most = arguments.parse_args().events
    with endpoint() as url:
        ours, numbers, rows = forwarder(lake(url)), count(), []
        anchor: Measurement | None = None
        forwarded(ours, islice(numbers, 1_000))  # Connections and caches; else the anchor would pay for them.
        for events in [size for size in (1_000, 10_000, 100_000, 1_000_000) if size < most] + [most]:
            found = forwarded(ours, islice(numbers, events))
            assert found.count == events
            anchor = anchor or found
            rows.append(row(f"{events:,}", found, anchor))
        assert anchor
        rows.append(row(CEILING, measure(ceiling(url, 10_000)), anchor))
    show(
        "forward over distinct events of 1.6 kB, 6 MB of messages an invocation",
        ("events", "events/s", "µs of CPU an event", "to the first", "peak memory, MB"),
        rows,
    )


if __name__ == "__main__":
    main()
