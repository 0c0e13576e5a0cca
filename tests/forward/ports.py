"""Real implementations of forward's ports, in memory: what SQS, S3 and CloudTrail Lake would have, a test can read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.destination import DELIVERED, Outcome
from trailhook.errors import QuarantineError, QueueError


def entries(count: int) -> list[Entry]:
    """Events that differ in their ids alone."""
    return [Entry.of(str(number), b"{}") for number in range(count)]


def event_data(entry: Entry) -> str:
    """The event's text, as it stands in a request's body."""
    return str(json.loads(entry.encoded)["eventData"])


def take_everything(_entry: Entry) -> Outcome:
    return DELIVERED


@dataclass
class MemoryDestination:
    """Takes each entry as `judge` says; keeps every batch it was sent and every entry it took."""

    judge: Callable[[Entry], Outcome] = take_everything
    batches: list[Sequence[Entry]] = field(default_factory=list)
    taken: list[Entry] = field(default_factory=list)

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        self.batches.append(batch)
        outcomes = [self.judge(entry) for entry in batch]
        self.taken += [entry for entry, outcome in zip(batch, outcomes, strict=True) if outcome is DELIVERED]
        return outcomes


@dataclass
class MemoryQueue:
    """The delivery queue and its dead letters as lists. `broken` makes every send fail."""

    broken: bool = False
    sent: list[tuple[str, int]] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    postponed: dict[str, int] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    def send(self, message: str, delay_seconds: int = 0) -> None:
        self._check()
        self.sent.append((message, delay_seconds))

    def park(self, message: str) -> None:
        self._check()
        self.parked.append(message)

    def postpone(self, waits: Mapping[str, int], deadline: Deadline) -> None:
        self._check()
        if waits and deadline.closed:
            raise QueueError("no time left")
        self.postponed |= waits

    def delete(self, receipt_handles: Sequence[str], deadline: Deadline) -> None:
        self._check()
        if receipt_handles and deadline.closed:
            raise QueueError("no time left")
        self.deleted += receipt_handles

    def _check(self) -> None:
        if self.broken:
            raise QueueError("SQS is down")


@dataclass
class MemoryQuarantine:
    """The quarantine as a dictionary. `broken` makes every write fail."""

    broken: bool = False
    objects: dict[str, bytes] = field(default_factory=dict)

    def keep(self, key: str, body: bytes) -> None:
        if self.broken:
            raise QuarantineError("S3 is down")
        self.objects[key] = body

    def way_back(self, key: str, line: int) -> str:
        return f"redrive {key} {line}"

    @property
    def lines(self) -> list[bytes]:
        return [line for body in self.objects.values() for line in body.splitlines()]
