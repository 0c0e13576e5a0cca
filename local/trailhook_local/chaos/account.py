"""The account of one round: where every event is, by its serial number, and why some are there twice."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SerialsIn = Callable[[bytes], Sequence[int]]
"""Finds the serial numbers in a body, in its order."""

CAUSES = (
    "answer lost",
    "process lost",
    "answer or process lost",
    "hand-back lost",
    "acknowledgement lost",
    "sent again by SQS",
    "sent again",
)
"""What explains that an event is in the Lake once more, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What is to become of an event: delivered unless it says otherwise."""

    filtered: bool = False
    kills: bool = False
    code: str | None = None
    original: bytes = b""


DELIVERED = Fate()


@dataclass(slots=True)
class Tally:
    """Numbers of one round, or of many added up. `broken` says what the law was broken by."""

    posted: int = 0
    received: int = 0
    delivered: int = 0
    filtered: int = 0
    waiting: int = 0
    lost: int = 0
    unaccounted: int = 0
    innocent_in_quarantine: int = 0
    unexplained_duplicates: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.broken and self.received == self.accounted

    @property
    def accounted(self) -> int:
        return self.delivered + sum(self.quarantined.values()) + self.filtered + self.waiting

    def add(self, other: "Tally") -> None:
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif isinstance(mine, list):
                mine.extend(theirs)
            else:
                setattr(self, name, mine + theirs)

    def to_json(self) -> dict[str, Any]:
        return {
            "posted": self.posted,
            "received": self.received,
            "delivered": self.delivered,
            "quarantined": sum(self.quarantined.values()),
            "quarantined_by_code": dict(sorted(self.quarantined.items())),
            "filtered": self.filtered,
            "waiting": self.waiting,
            "lost": self.lost,
            "unaccounted": self.unaccounted,
            "innocent_in_quarantine": self.innocent_in_quarantine,
            "duplicates": sum(self.duplicates.values()),
            "duplicates_by_cause": dict(sorted(self.duplicates.items())),
            "unexplained_duplicates": self.unexplained_duplicates,
            "counts": dict(sorted(self.counts.items())),
            "faults": dict(sorted(self.faults.items())),
        }


class Account:
    """Hears what happens while it happens, and settles the account at the end."""

    def __init__(self) -> None:
        self.fates: dict[int, Fate] = {}
        self.received: set[int] = set()
        """Events of deliveries that the partner was told 2xx for, or that SQS has all the same."""
        self.in_receive = False
        self.counts: Counter[str] = Counter()
        self._contents: dict[int, int] = {}
        """A digest of the id and the text with which each event was accepted first."""
        self._accepted: Counter[int] = Counter()
        """How often PutAuditEvents has accepted each event."""
        self._unknown = 0
        """How often it has accepted an event that nobody sent."""
        self._altered = 0
        """How often it has accepted an event with another id or text than before."""
        self._explained: dict[int, Counter[str]] = {}
        """How often each event may have come again, by cause."""
        self._accepted_in_call: list[int] = []
        self._done_in_invocation: Counter[int] = Counter()
        """How often each event was delivered, or waits in a message of its own, as far as this invocation knows."""

    def queue(self, delivery: Iterable[int]) -> None:
        """SQS has a delivery of the partner's; whatever the partner heard, it is received."""
        again = [serial for serial in delivery if serial in self.received]
        self.explain("sent again", again)
        self.received.update(delivery)

    def begin_call(self, entries: int) -> None:
        self._accepted_in_call = []
        self.counts.update(requests=1, entries=entries)

    def take(self, serial: int, content: int) -> None:
        """PutAuditEvents has accepted an event; `content` is a digest of its id and its text."""
        self._unknown += serial not in self.fates
        self._altered += self._contents.setdefault(serial, content) != content
        self._accepted[serial] += 1
        self._accepted_in_call.append(serial)
        self._done_in_invocation[serial] += 1

    def lose_answer(self) -> None:
        """Nobody will hear of what this call has done."""
        self.explain("answer lost", self._accepted_in_call)
        self._done_in_invocation.subtract(self._accepted_in_call)

    def lose_process(self) -> None:
        """What this invocation delivered or handed back, it cannot acknowledge any more."""
        self.explain("process lost", self._done_in_invocation.elements())

    def run_out_of_time(self, delivery: Iterable[int]) -> None:
        """The message comes back whole: no time was left to hand back what is not done of it."""
        self.explain("process lost", [serial for serial in delivery if self._done_in_invocation[serial] > 0])

    def hand_back(self, rest: Iterable[int]) -> None:
        """The rest of a delivery is on the queue once more, while its message is not acknowledged yet."""
        self._done_in_invocation.update(rest)

    def lose_hand_back(self, delivery: Iterable[int], rest: Iterable[int], *, arrived: bool) -> None:
        """SQS did not confirm a hand-back, so the message comes back whole.

        What of it was delivered in this invocation is delivered once more, and so is the rest if the hand-back arrived.
        """
        known = [serial for serial in delivery if self._done_in_invocation[serial] > 0]
        self.explain("hand-back lost", known)
        self._done_in_invocation.subtract(known)
        if arrived:
            self.explain("hand-back lost", rest)

    def end_invocation(self) -> None:
        self._done_in_invocation.clear()

    def explain(self, cause: str, serials: Iterable[int]) -> None:
        """Each of these events may be delivered once more, for this cause."""
        for serial in serials:
            self._explained.setdefault(serial, Counter())[cause] += 1

    def settle(self, quarantine: Iterable[bytes], waiting: set[int], serials_in: SerialsIn) -> Tally:
        """The tally: what lies in quarantine and what still waits, held against what was received."""
        tally = Tally(posted=len(self.fates), received=len(self.received), counts=self.counts)
        kept = _lines_by_serial(quarantine, serials_in)
        for serial in sorted(self.fates.keys() - self.received):
            if self._accepted[serial] or serial in kept:
                tally.broken.append(f"event {serial} arrived and was never received")
        for serial in sorted(self.received):
            self._settle_one(serial, self.fates[serial], kept.get(serial, []), waiting, tally)
        for serial, times in self._accepted.items():
            self._settle_duplicates(serial, times - 1, tally)
        tally.unaccounted = self._unknown + sum(serial not in self.fates for serial in kept)
        if tally.unaccounted:
            tally.broken.append(f"{tally.unaccounted} events that nobody sent")
        if self._altered:
            tally.broken.append(f"{self._altered} events came again with another id or content")
        return tally

    def _settle_one(
        self, serial: int, fate: Fate, kept: Sequence[Mapping[str, Any]], waiting: set[int], tally: Tally
    ) -> None:
        taken = self._accepted[serial]
        if kept and not fate.code:
            tally.innocent_in_quarantine += 1
            tally.broken.append(f"event {serial} is no poison and in quarantine as {kept[0]['code']}")
        elif taken and (fate.code or fate.filtered):
            tally.broken.append(f"event {serial} was delivered and should not have been")
        elif kept:
            tally.quarantined[kept[0]["code"]] += 1
            if any(line["code"] != fate.code or line["body"].encode() != fate.original for line in kept):
                tally.broken.append(f"event {serial} is in quarantine otherwise than it came: {kept[0]['code']}")
        elif taken:
            tally.delivered += 1
        elif serial in waiting:
            tally.waiting += 1
            if not fate.kills:
                tally.broken.append(f"event {serial} is not done, though nothing is wrong any more")
        elif fate.filtered:
            tally.filtered += 1
        else:
            tally.lost += 1
            tally.broken.append(f"event {serial} is lost")

    def _settle_duplicates(self, serial: int, times: int, tally: Tally) -> None:
        causes = self._explained.get(serial, Counter[str]())
        for cause in CAUSES:
            explained = min(times, causes[cause])
            if explained:
                tally.duplicates[cause] += explained
                times -= explained
        if times > 0:
            tally.unexplained_duplicates += times
            tally.broken.append(f"event {serial} was delivered {times} times more than anything explains")


def _lines_by_serial(objects: Iterable[bytes], serials_in: SerialsIn) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for content in objects:
        for line in map(json.loads, content.splitlines()):
            for serial in serials_in(line["body"].encode()):
                found.setdefault(serial, []).append(line)
    return found
