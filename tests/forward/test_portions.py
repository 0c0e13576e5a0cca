"""Portions that are under way side by side, against a destination that takes its time."""

import gc
import gzip
import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.forward.bench import ACCOUNT, delivery, entry, record
from tests.forward.ports import MemoryDestination, MemoryQuarantine, MemoryQueue, event_data

from trailhook.audit_event import AuditEvent
from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.deliver import PARALLEL_REQUESTS, Deliverer
from trailhook.delivery import PartnerEvent
from trailhook.destination import DELIVERED, Destination, Disposition, Outcome
from trailhook.envelope import Envelope
from trailhook.errors import Undeliverable
from trailhook.forward import PORTIONS_UNDER_WAY, Forwarder
from trailhook.json_scanner import MAX_EVENTS
from trailhook.ledger import Ledger
from trailhook.mapping import Mapper, Withheld
from trailhook.partner import Options
from trailhook.partners import Partners
from trailhook.portions import _GROUP_EVENTS, PORTION_EVENTS, Message, Reader

EVENTS = PORTION_EVENTS * (PORTIONS_UNDER_WAY + 1)


def portion_of(batch: Sequence[Entry]) -> int:
    return int(json.loads(event_data(batch[0]))["UID"].removeprefix("doc-")) // PORTION_EVENTS


@dataclass
class Meeting:
    """A destination whose requests wait until so many portions have some under way, which `fails` for one portion."""

    portions: int
    fails: int | None = None
    running: list[int] = field(default_factory=list)
    met: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        portion = portion_of(batch)
        with self.changed:
            self.running.append(portion)
            self.met |= len(set(self.running)) >= self.portions
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.met, timeout=60)
        try:
            if portion == self.fails:
                raise MemoryError
            if self.fails is not None:
                time.sleep(0.2)
            return [DELIVERED] * len(batch)
        finally:
            with self.changed:
                self.running.remove(portion)


def forward(destination: Destination, parallel: int = EVENTS // 100) -> tuple[list[str], Ledger]:
    messages = [entry(number) for number in range(EVENTS)]
    records = [
        record(Envelope(delivery(*messages[start : start + 500])), f"m{start}") for start in range(0, EVENTS, 500)
    ]
    forwarder = Forwarder(
        mapper=Mapper(Partners(Options())),
        account_id=ACCOUNT,
        deliverer=Deliverer(destination, parallel=parallel),
        queue=MemoryQueue(),
        quarantine=MemoryQuarantine(),
    )
    return forwarder.forward(records, Deadline.of(None))


def test_portions_are_delivered_side_by_side() -> None:
    destination = Meeting(PORTIONS_UNDER_WAY)
    unfinished, ledger = forward(destination)
    assert destination.met
    assert (unfinished, ledger.events) == ([], {"delivered": EVENTS})


@dataclass
class Refusing:
    """A destination that refuses the caller: after so many requests no other may have begun."""

    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        with self.lock:
            self.requests += 1
        return [Outcome(Disposition.CONFIGURATION, "ChannelNotFound", "gone")] * len(batch)


def test_what_refuses_the_caller_halts_every_portion() -> None:
    destination = Refusing()
    unfinished, ledger = forward(destination, PARALLEL_REQUESTS)
    assert destination.requests <= PARALLEL_REQUESTS
    assert len(unfinished) == EVENTS / 500
    assert ledger.events == {"waiting": EVENTS}
    # What was not sent waits for the operator as well, and not so often that the queue gives it up before.
    assert ledger.configuration_faults == EVENTS


class FirstIsOdd:
    """A destination that refuses each event of the first portion for a reason that nobody documented."""

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        if portion_of(batch) > 0:
            return [DELIVERED] * len(batch)
        return [Outcome(Disposition.SPLIT if len(batch) > 1 else Disposition.UNDOCUMENTED, "Unheard")] * len(batch)


def test_what_nobody_documented_halts_its_portion_alone() -> None:
    unfinished, ledger = forward(FirstIsOdd(), PARALLEL_REQUESTS)
    assert ledger.events == {"delivered": EVENTS - PORTION_EVENTS, "waiting": PORTION_EVENTS}
    assert len(unfinished) == PORTION_EVENTS / 500
    # What was not sent waits for the operator as well.
    assert ledger.configuration_faults == PORTION_EVENTS
    assert ledger.reasons.keys() == {"undocumented:Unheard", "undocumented:Halted"}


@pytest.mark.parametrize("fails", range(PORTIONS_UNDER_WAY))
def test_when_one_portion_takes_the_function_down_nothing_goes_on_in_the_next_invocation(fails: int) -> None:
    destination = Meeting(PORTIONS_UNDER_WAY, fails)
    with pytest.raises(MemoryError):
        forward(destination)
    assert destination.met
    assert destination.running == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"action":"a","action":"b"}',
        b'[{"action":"a"},{"action":"a","action":"b"},{"action":1e999}]',
        b'{"action":"a"}\n{"action":\n',
        b"broken\nlines\n",
        b"[1,",
        b'{"action":"\xff"}',
        b"[" + b"1," * MAX_EVENTS + b"1]",
    ],
    ids=["alone", "in an array", "a broken line", "nothing but broken lines", "a broken array", "no UTF-8", "too many"],
)
def test_an_event_at_fault_is_let_go_when_it_is_done(body: bytes) -> None:
    def faults() -> int:
        return sum(isinstance(one, Undeliverable) for one in gc.get_objects())

    forwarder = Forwarder(
        mapper=Mapper(Partners(Options())),
        account_id=ACCOUNT,
        deliverer=Deliverer(MemoryDestination()),
        queue=MemoryQueue(),
        quarantine=MemoryQuarantine(),
    )
    gc.collect()
    gc.disable()
    try:
        before = faults()
        for number in range(3):
            _, ledger = forwarder.forward([record(Envelope(delivery(body=body)))], Deadline.of(None))
            assert ledger.events["quarantined"], number
        assert faults() == before
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("events", "size", "most"),
    [(3_500, 1, 1_000), (2_500, 700, 1_000), (2_500, 2_000, 1_000), (200, 90_000, 67)],
    ids=["tiny", "in groups that no thousand is a multiple of", "usual", "large"],
)
def test_a_portion_holds_a_thousand_events_or_six_megabytes(events: int, size: int, most: int) -> None:
    text = b'"' + b"x" * size + b'"'
    body = b"[" + b",".join([text] * 50) + b"]"
    messages = [Message.of(record(Envelope(delivery(body=body)), f"m{number}")) for number in range(events // 50)]
    portions = list(Reader(Mapper(Partners(Options())), ACCOUNT).portions(messages, Ledger()))
    assert [len(portion) for portion in portions[:-1]] == [most] * (events // most)
    assert [(item.message.id, item.position) for portion in portions for item in portion] == [
        (f"m{number}", position) for number in range(events // 50) for position in range(50)
    ]


class Noting(Mapper):
    """A mapper that notes how many messages somebody has taken as it maps an event."""

    def __init__(self, drawn: Sequence[Message]) -> None:
        super().__init__(Partners(Options()))
        self._drawn = drawn
        self.noted: list[int] = []

    def map(self, event: PartnerEvent) -> AuditEvent | Withheld:
        self.noted.append(len(self._drawn))
        return super().map(event)


def drawn_as_events_are_mapped(records: Iterable[dict[str, Any]], ledger: Ledger) -> list[int]:
    """For each event, how many of the messages were taken before it was mapped."""
    drawn: list[Message] = []

    def drawing() -> Iterator[Message]:
        for message in map(Message.of, records):
            drawn.append(message)
            yield message

    mapper = Noting(drawn)
    assert list(Reader(mapper, ACCOUNT).portions(drawing(), ledger))
    return mapper.noted


def test_messages_are_opened_no_further_ahead_than_a_group() -> None:
    # So many bytes that two of them are a group, and some that nobody can read between them.
    large = [record(Envelope(delivery(entry(number, text="x" * 50_000))), f"m{number}") for number in range(8)]
    broken = [{**one, "messageId": f"broken-{one['messageId']}", "body": "{"} for one in large]
    ledger = Ledger()
    records = [message for pair in zip(large, broken, strict=True) for message in pair]
    assert drawn_as_events_are_mapped(records, ledger) == [3, 3, 7, 7, 11, 11, 15, 15]
    assert [fault.partition(":")[0] for fault in ledger.faults] == [one["messageId"] for one in broken]


def test_no_message_is_opened_ahead_of_a_compressed_one() -> None:
    """It may hold so much that the time is up when it is done."""
    body = gzip.compress(json.dumps([1] * _GROUP_EVENTS).encode())
    records = [record(Envelope(delivery(body=body)), f"m{number}") for number in range(8)]
    in_turn = [number for number in range(1, 9) for _ in range(_GROUP_EVENTS)]
    assert drawn_as_events_are_mapped(records, Ledger()) == in_turn
