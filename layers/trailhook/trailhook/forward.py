"""The forward function's work: queued deliveries become events, full batches, and an account of each of them.

The law: received = delivered + quarantined + filtered + waiting. A message is acknowledged only when every event of it
is delivered, quarantined, filtered, or handed back to the queue in an envelope of its own.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from msgspec import Struct, field

from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import PartnerEvent
from trailhook.destination import Disposition, Outcome
from trailhook.envelope import Envelope, Pending, decode_envelope, encode_envelope
from trailhook.errors import EnvelopeError, QuarantineError, QueueError
from trailhook.ledger import Ledger
from trailhook.mapping import Item, Mapper
from trailhook.quarantine import Quarantine, QuarantinedEvent, quarantine_objects
from trailhook.queue import DeliveryQueue

SUSPECT_FROM_RECEIVE_COUNT = 3
"""A message received this often may be one that kills the process, so it is processed after, and apart from, others."""

CAUTIOUS_FROM_RECEIVE_COUNT = 45
"""Suspects received this often, half of what the queue allows, are processed one by one again."""

MOST_SUSPECTS = 64
"""The largest group that suspects are processed in."""

MAX_HANDBACKS = 12
"""Lambda stops a loop of a function and its own queue after about 16 hops."""

HANDBACK_TRIES = 3
"""Where none of them succeeds, all events of a delivery are delivered again, those that are done as well."""

PORTION_EVENTS = 1_000
PORTION_BYTES = 6_000_000
"""Events are mapped and delivered in portions of so many, so that memory does not grow with what the queue hands over:
a compressed message can hold many times its own size."""

PORTIONS_UNDER_WAY = 3
"""So many portions are delivered while the next is mapped: waiting for answers costs no CPU."""

READ_AHEAD_BYTES = 64_000
"""So many bytes of events are parsed before the first is mapped."""

_LONGEST_DELAY_SECONDS = 900
_LONGEST_CONFIGURATION_WAIT_SECONDS = 3600
_FIRST_WAIT_SECONDS = 30


class Message(Struct, eq=False):
    """One queue message, and what became of its events so far. Its body is opened only while it is worked on."""

    id: str
    receipt_handle: str
    receive_count: int
    body: str
    unreadable: bool = False
    total: int = 0
    waiting: set[int] = field(default_factory=set)
    progress: bool = False
    configuration: bool = False


Portion = list[tuple[Message, Item]]


class Forwarder:
    """Forwards queued deliveries to a destination on behalf of the account that owns the channel."""

    def __init__(
        self,
        *,
        mapper: Mapper,
        account_id: str,
        deliverer: Deliverer,
        queue: DeliveryQueue,
        quarantine: Quarantine,
        portions_under_way: int = PORTIONS_UNDER_WAY,
    ) -> None:
        self._mapper = mapper
        self._account_id = account_id
        self._deliverer = deliverer
        self._queue = queue
        self._quarantine = quarantine
        self._portions_under_way = portions_under_way
        self._delivering = ThreadPoolExecutor(portions_under_way, thread_name_prefix="deliver-portion")

    def forward(self, records: Sequence[Mapping[str, Any]], deadline: Deadline) -> tuple[list[str], Ledger]:
        """Process an SQS event's records: the ids of those that go back to the queue, and the account of all events."""
        ledger = Ledger()
        messages = [_message(record) for record in records]
        together = [message for message in messages if message.receive_count < SUSPECT_FROM_RECEIVE_COUNT]
        suspects = [message for message in messages if message.receive_count >= SUSPECT_FROM_RECEIVE_COUNT]
        unfinished = self._process(together, deadline, ledger)
        if suspects:
            self._delete([message for message in together if message not in unfinished], ledger)
            unfinished += self._process_suspects(suspects, deadline, ledger)
        self._postpone(unfinished, deadline, ledger)
        return [message.id for message in unfinished], ledger

    def _process_suspects(self, suspects: Sequence[Message], deadline: Deadline, ledger: Ledger) -> list[Message]:
        """One first, then groups that double, each off the queue before the next.

        In a group a killer takes others along, but seldom the same ones: half the time an innocent is in a group before
        it, and done, long before its receives run out. And without a killer a backlog is not done one by one.
        """
        cautious = any(message.receive_count >= CAUTIOUS_FROM_RECEIVE_COUNT for message in suspects)
        left = sorted(suspects, key=_reshuffled)
        returned: list[Message] = []
        size, stuck = 1, False
        while left and not stuck and not deadline.passed:
            group, left = left[:size], left[size:]
            returned += self._process(group, deadline, ledger)
            self._delete([message for message in group if message not in returned], ledger)
            # What all of them had to wait for, the next would wait for too: the queue is the better place for that.
            stuck = all(message.waiting and not message.progress for message in group)
            size = 1 if cautious else min(size * 2, MOST_SUSPECTS)
        if left:
            ledger.messages["not begun"] += len(left)
        return returned + left

    def _process(self, messages: Sequence[Message], deadline: Deadline, ledger: Ledger) -> list[Message]:
        """Settle what can be settled of these messages; returns those that must come back as they are."""
        under_way: deque[tuple[Portion, Future[None]]] = deque()
        try:
            for portion in self._portions(messages, ledger):
                if len(under_way) == self._portions_under_way:
                    self._settle(*under_way.popleft(), deadline, ledger)
                under_way.append((portion, self._delivering.submit(self._deliver, portion, deadline)))
            while under_way:
                self._settle(*under_way.popleft(), deadline, ledger)
        finally:
            # Where one failed, the others must not go on in the next invocation.
            wait(delivery for _, delivery in under_way)
        return [message for message in messages if not self._finish(message, deadline, ledger)]

    def _settle(self, portion: Portion, delivery: Future[None], deadline: Deadline, ledger: Ledger) -> None:
        """Note what became of a portion, once it is delivered."""
        delivery.result()
        self._keep_quarantined(portion, deadline, ledger)
        for message, item in portion:
            _note(message, item, ledger)

    def _portions(self, messages: Iterable[Message], ledger: Ledger) -> Iterator[Portion]:
        """The events of all messages, encoded, in portions."""
        portion: Portion = []
        size = 0
        for message, items in self._read(messages, ledger):
            for item in items:
                portion.append((message, self._encoded(item)))
                size += len(item.event.original)
                if len(portion) == PORTION_EVENTS or size >= PORTION_BYTES:
                    yield portion
                    portion, size = [], 0
        if portion:
            yield portion

    def _read(self, messages: Iterable[Message], ledger: Ledger) -> Iterator[tuple[Message, Iterable[Item]]]:
        """The messages, taken apart. A few are read before the first of them is mapped: a processor does the same thing
        again faster than one after another."""
        read: list[tuple[Message, Iterable[Item]]] = []
        size = 0
        for message in messages:
            try:
                envelope = self._open(message)
            except EnvelopeError as error:
                # Not ours to judge: a newer version may read it, and the dead-letter queue keeps it whole.
                message.unreadable = True
                ledger.faults.append(f"{message.id}: {error}")
                continue
            message.total, items, added = self._mapper.take_apart(envelope.delivery)
            if envelope.pending:
                items = _pending_items(items, envelope.pending, message, ledger)
            read.append((message, items))
            size += added
            if size >= READ_AHEAD_BYTES:
                yield from read
                read, size = [], 0
        yield from read

    def _open(self, message: Message) -> Envelope:
        envelope = decode_envelope(message.body)
        if not self._mapper.knows(envelope.delivery.partner):
            raise EnvelopeError(f"Partner {envelope.delivery.partner!r:.40} is not known to this version")
        return envelope

    def _encoded(self, item: Item) -> Item:
        """Make the entry while the event is at hand, and let go of what it was made of, which takes far more room."""
        if item.audit_event is not None and item.outcome is None:
            item.entry = Entry.of(item.audit_event.id, item.audit_event.event_data(self._account_id))
            item.audit_event = None
            item.event = PartnerEvent(item.event.delivery, None, item.event.original)
        return item

    def _deliver(self, portion: Portion, deadline: Deadline) -> None:
        sent = [(item, item.entry) for _, item in portion if item.entry is not None]
        outcomes = self._deliverer.deliver((entry for _, entry in sent), deadline)
        for item, entry in sent:
            item.outcome = outcomes[entry]

    def _keep_quarantined(self, portion: Portion, deadline: Deadline, ledger: Ledger) -> None:
        """Write what will never be taken to the bucket; what that fails for waits."""
        items = [item for _, item in portion if item.outcome and item.outcome.disposition is Disposition.QUARANTINE]
        events = [self._quarantined(item) for item in items]
        for key, content, positions in quarantine_objects(events, self._quarantine.way_back):
            try:
                if deadline.closed:
                    raise QuarantineError("There was no time left to write to the bucket")
                self._quarantine.keep(key, content)
            except QuarantineError as error:
                ledger.faults.append(str(error))
                for position in positions:
                    items[position].outcome = Outcome(Disposition.RETRY, "QuarantineFailed")

    def _quarantined(self, item: Item) -> QuarantinedEvent:
        outcome = item.outcome or Outcome(Disposition.QUARANTINE)
        return QuarantinedEvent(
            delivery=item.event.delivery,
            code=outcome.code,
            reason=outcome.reason,
            original=item.event.original,
            id=item.id,
            uid=item.uid if item.id else self._mapper.uid(item.event),
        )

    def _finish(self, message: Message, deadline: Deadline, ledger: Ledger) -> bool:
        """Whether the message may be acknowledged: all is settled, or what is left waits in a message of its own."""
        if message.unreadable:
            ledger.messages["unreadable"] += 1
            return False
        if not message.waiting:
            ledger.messages["finished"] += 1
            return True
        if message.progress and self._hand_back(message, deadline, ledger):
            return True
        ledger.messages["returned"] += 1
        return False

    def _hand_back(self, message: Message, deadline: Deadline, ledger: Ledger) -> bool:
        """Send what is left as a message of its own, so that what is done is not done again; False if that failed.

        Where it fails the whole message comes back: an event twice, with equal id, is better than an event lost.
        """
        envelope = self._open(message).handed_back(Pending(message.total, frozenset(message.waiting)))
        tries = 0
        while tries < HANDBACK_TRIES and not deadline.closed:
            tries += 1
            try:
                if envelope.attempt > MAX_HANDBACKS:
                    self._queue.park(encode_envelope(envelope.parked()))
                    ledger.messages["parked"] += 1
                else:
                    self._queue.send(encode_envelope(envelope), min(_LONGEST_DELAY_SECONDS, 2**envelope.attempt))
                    ledger.messages["handed back"] += 1
            except EnvelopeError as error:
                ledger.faults.append(f"{message.id}: not handed back: {error}")
                return False
            except QueueError as error:
                ledger.faults.append(f"{message.id}: not handed back: {error}")
            else:
                return True
        return False

    def _postpone(self, messages: Sequence[Message], deadline: Deadline, ledger: Ledger) -> None:
        if not messages or deadline.closed:
            return
        try:
            self._queue.postpone({message.receipt_handle: _wait_seconds(message) for message in messages})
        except QueueError as error:
            ledger.faults.append(f"not postponed: {error}")

    def _delete(self, messages: Sequence[Message], ledger: Ledger) -> None:
        try:
            self._queue.delete([message.receipt_handle for message in messages])
        except QueueError as error:
            ledger.faults.append(f"not deleted yet: {error}")


def _message(record: Mapping[str, Any]) -> Message:
    receive_count = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
    return Message(record["messageId"], record.get("receiptHandle", ""), receive_count, record["body"])


def _note(message: Message, item: Item, ledger: Ledger) -> None:
    """Note on the message and in the ledger what became of one event. Of the event itself nothing is kept."""
    outcome = item.outcome or Outcome(Disposition.RETRY, "NotSent")
    disposition = outcome.disposition
    ledger.enter(outcome)
    if item.fault:
        ledger.faults.append(item.fault)
    if not disposition.settled:
        message.waiting.add(item.position)
        message.configuration |= disposition.for_operator
    elif disposition is not Disposition.FILTERED:
        message.progress = True


def _pending_items(items: Iterable[Item], pending: Pending, message: Message, ledger: Ledger) -> Iterable[Item]:
    if pending.total == message.total:
        return (item for item in items if item.position in pending.positions)
    # Read otherwise than before: an event twice is better than an event lost.
    ledger.faults.append(f"{message.id}: {message.total} events, but {pending.total} when it was handed back")
    return items


def _wait_seconds(message: Message) -> int:
    longest = _LONGEST_CONFIGURATION_WAIT_SECONDS if message.configuration else _LONGEST_DELAY_SECONDS
    return min(longest, _FIRST_WAIT_SECONDS << min(message.receive_count - 1, 10))


def _reshuffled(message: Message) -> str:
    """Another order at each receive, so that the same innocent is not always behind the same killer."""
    return hashlib.sha256(f"{message.id}:{message.receive_count}".encode()).hexdigest()
