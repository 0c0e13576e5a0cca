"""From the queue's messages to portions of events: read, mapped and encoded a few at a time, in an order that is always
the same.

A few at a time, for the processor's sake. If each event went through all stages before the next, it would forget what
it has learned of a stage's branches; and a thousand events at once are more data than its caches hold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from trailhook.audit_event import AuditEvent
from trailhook.batch import Entry
from trailhook.body import is_compressed
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.destination import Disposition, Outcome
from trailhook.envelope import Envelope, Pending, decode_envelope
from trailhook.errors import EnvelopeError
from trailhook.ledger import Ledger
from trailhook.mapping import Mapper

PORTION_EVENTS = 1_000
PORTION_BYTES = 6_000_000
"""The most events and bytes of a portion. Events are mapped and delivered in portions so that memory does not grow with
what the queue hands over: a compressed message can hold many times its own size."""

_GROUP_BYTES = 80_000
_GROUP_EVENTS = 100
"""How much makes a group. Messages of so many bytes are opened before the first of them is taken apart. Then so many
events, or events of so many bytes, are taken out before the first is mapped, and all of them are mapped before the
first is encoded."""


class Message(Struct, eq=False, gc=False):
    """One queue message, and what became of its events so far: how many there are, and which have to wait.

    Its body is opened only while it is worked on.
    """

    id: str
    receipt_handle: str
    receive_count: int
    body: str
    unreadable: bool = False
    total: int = 0
    waiting: set[int] | None = None
    progress: bool = False
    configuration: bool = False

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Message":
        """The message of an SQS event's record."""
        receive_count = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
        return cls(record["messageId"], record.get("receiptHandle", ""), receive_count, record["body"])


_NOT_SENT = Outcome(Disposition.RETRY, "NotSent")


class Item(Struct, eq=False, gc=False):
    """What is kept of an event until it is settled: its message and its position there, and the text that its partner
    wrote. Once its group is mapped, it has an entry to send, or an outcome without being sent. Until it is sent, its
    outcome is that it waits."""

    message: Message
    position: int
    delivery: Delivery
    original: bytes
    uid: str | None = None
    entry: Entry | None = None
    outcome: Outcome = _NOT_SENT


Portion = list[Item]


class Reader:
    """Makes portions of messages, for the account that owns the channel."""

    def __init__(self, mapper: Mapper, account_id: str) -> None:
        self._mapper = mapper
        self._account_id = account_id

    def portions(self, messages: Iterable[Message], ledger: Ledger) -> Iterator[Portion]:
        """All events that are to be settled. A message that cannot be read is noted as such, and left alone."""
        portion: Portion = []
        size = 0
        for items, events, added in self._groups(messages, ledger):
            self._fill(items, events, ledger)
            portion += items
            size += added
            if len(portion) >= PORTION_EVENTS or size >= PORTION_BYTES:
                yield portion[:PORTION_EVENTS]
                portion = portion[PORTION_EVENTS:]
                size = sum(len(item.original) for item in portion)
        if portion:
            yield portion

    def _groups(
        self, messages: Iterable[Message], ledger: Ledger
    ) -> Iterator[tuple[list[Item], Sequence[PartnerEvent], int]]:
        """A group at a time: its items, which are still to be filled, their events, and the bytes of these."""
        items: list[Item] = []
        events: list[PartnerEvent] = []
        size = 0
        for message, envelope in _opened(messages, ledger):
            for position, event in self._events(message, envelope, ledger):
                items.append(Item(message, position, event.delivery, event.original))
                events.append(event)
                size += len(event.original)
                if size >= _GROUP_BYTES or len(items) == _GROUP_EVENTS:
                    yield items, events, size
                    items, events, size = [], [], 0
        yield items, events, size

    def _events(self, message: Message, envelope: Envelope, ledger: Ledger) -> Iterable[tuple[int, PartnerEvent]]:
        try:
            message.total, events = self._mapper.take_apart(envelope.delivery)
        except EnvelopeError as error:
            _leave_unread(message, error, ledger)
            return ()
        if not message.total:
            # A poller's empty pages; what else it might be shows by how many there are.
            ledger.messages["without events"] += 1
        numbered = enumerate(events)
        return _pending(numbered, envelope.pending, message, ledger) if envelope.pending else numbered

    def _fill(self, items: Sequence[Item], events: Sequence[PartnerEvent], ledger: Ledger) -> None:
        """Map the events, and give each item its entry or outcome. The mapped events, far larger, are let go."""
        results = [self._mapper.map(event) for event in events]
        for item, result in zip(items, results, strict=True):
            item.uid = result.uid
            if isinstance(result, AuditEvent):
                item.entry = Entry.of(result.id, result.event_data(self._account_id))
            else:
                item.outcome = result.outcome
                ledger.faults += result.faults


def _opened(messages: Iterable[Message], ledger: Ledger) -> Iterator[tuple[Message, Envelope]]:
    opened: list[tuple[Message, Envelope]] = []
    size = 0
    for message in messages:
        try:
            envelope = decode_envelope(message.body)
        except EnvelopeError as error:
            _leave_unread(message, error, ledger)
            continue
        opened.append((message, envelope))
        size += len(envelope.delivery.body)
        # A kilobyte of gzip may take seconds, and the deadline is looked at before each message is handed out.
        if size >= _GROUP_BYTES or is_compressed(envelope.delivery.body):
            yield from opened
            opened, size = [], 0
    yield from opened


def _leave_unread(message: Message, error: EnvelopeError, ledger: Ledger) -> None:
    """Not ours to judge: a newer version may read it, and the dead-letter queue keeps it whole."""
    message.unreadable = True
    ledger.faults.append(f"{message.id}: {error}")


def _pending(
    events: Iterable[tuple[int, PartnerEvent]], pending: Pending, message: Message, ledger: Ledger
) -> Iterable[tuple[int, PartnerEvent]]:
    if pending.total == message.total:
        return ((position, event) for position, event in events if position in pending.positions)
    # Read otherwise than before: an event twice is better than an event lost.
    ledger.faults.append(f"{message.id}: {message.total} events, but {pending.total} when it was handed back")
    return events
