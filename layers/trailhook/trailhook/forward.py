"""The forward function's work: queued deliveries become events, full batches, and an account of each of them.

The law: received = delivered + quarantined + filtered + waiting. A message is acknowledged only when every event of it
is delivered, quarantined, filtered, or handed back to the queue in an envelope of its own.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from trailhook.audit_event import AuditEvent
from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import PartnerEvent
from trailhook.destination import Disposition, Outcome
from trailhook.envelope import Envelope, decode_envelope, encode_envelope
from trailhook.errors import EnvelopeError, QuarantineError, TooLarge, Undeliverable
from trailhook.event_id import event_id
from trailhook.ledger import Ledger
from trailhook.partner import Partner
from trailhook.quarantine import Quarantine, QuarantinedEvent, quarantine_object
from trailhook.queue import DeliveryQueue, QueueError

ALONE_FROM_RECEIVE_COUNT = 3
"""A message received this often may be one that kills the process, so it is processed after, and apart from, others."""

MAX_HANDBACKS = 12
"""Lambda stops a loop of a function and its own queue after about 16 hops."""

_LONGEST_DELAY_SECONDS = 900
_LONGEST_CONFIGURATION_WAIT_SECONDS = 3600
_FIRST_WAIT_SECONDS = 30


@dataclass(slots=True)
class Item:
    """One event on its way. `key` names it among the pending ones; `outcome` is None until something became of it."""

    key: str
    event: PartnerEvent
    audit_event: AuditEvent | None
    outcome: Outcome | None = None

    @property
    def settled(self) -> bool:
        return self.outcome is not None and self.outcome.disposition in {
            Disposition.DELIVERED,
            Disposition.QUARANTINE,
            Disposition.FILTERED,
        }


@dataclass(slots=True)
class Message:
    """One queue message, and those of its events that were still to be settled when it came."""

    id: str
    receipt_handle: str
    receive_count: int
    envelope: Envelope
    items: list[Item] = field(default_factory=list)


class Forwarder:
    """Forwards queued deliveries to a destination on behalf of the account that owns the channel."""

    def __init__(
        self,
        *,
        partners: Mapping[str, Partner],
        account_id: str,
        deliverer: Deliverer,
        queue: DeliveryQueue,
        quarantine: Quarantine,
        exclude_events: Sequence[str] = (),
    ) -> None:
        self._partners = partners
        self._account_id = account_id
        self._deliverer = deliverer
        self._queue = queue
        self._quarantine = quarantine
        self._exclude_events = exclude_events

    def forward(self, records: Sequence[Mapping[str, Any]], deadline: Deadline) -> tuple[list[str], Ledger]:
        """Process an SQS event's records: the ids of those that go back to the queue, and the account of all events."""
        ledger = Ledger()
        messages, failed = self._open(records, ledger)
        together = [message for message in messages if message.receive_count < ALONE_FROM_RECEIVE_COUNT]
        alone = [message for message in messages if message.receive_count >= ALONE_FROM_RECEIVE_COUNT]
        unfinished = self._process(together, deadline, ledger)
        if alone:
            # Were one of these to kill the process, the others' work would come back with it: take it off the queue.
            self._queue.delete([message.receipt_handle for message in together if message not in unfinished])
        for message in sorted(alone, key=_reshuffled):
            if deadline.passed or self._process([message], deadline, ledger):
                unfinished.append(message)
            else:
                self._queue.delete([message.receipt_handle])
        return failed + [message.id for message in unfinished], ledger

    def _open(self, records: Sequence[Mapping[str, Any]], ledger: Ledger) -> tuple[list[Message], list[str]]:
        messages: list[Message] = []
        failed: list[str] = []
        for record in records:
            try:
                envelope = decode_envelope(record["body"])
                if envelope.delivery.partner not in self._partners:
                    raise EnvelopeError(f"Partner {envelope.delivery.partner!r} is not known to this version")
            except EnvelopeError as error:
                # Not ours to judge: a newer version may read it, and the dead-letter queue keeps it whole.
                failed.append(str(record["messageId"]))
                ledger.messages["unreadable"] += 1
                ledger.faults.append(f"{record['messageId']}: {error}")
                continue
            received = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
            messages.append(Message(str(record["messageId"]), str(record["receiptHandle"]), received, envelope))
        return messages, failed

    def _process(self, messages: Sequence[Message], deadline: Deadline, ledger: Ledger) -> list[Message]:
        """Settle what can be settled of these messages; returns those that must come back as they are."""
        for message in messages:
            message.items = self._take_apart(message.envelope, ledger)
        self._deliver([item for message in messages for item in message.items], deadline)
        unfinished = []
        for message in messages:
            self._keep_quarantined(message, ledger)
            if not self._finish(message, ledger):
                unfinished.append(message)
            for item in message.items:
                ledger.enter(item.outcome or Outcome(Disposition.RETRY, "NotSent"))
        return unfinished

    def _take_apart(self, envelope: Envelope, ledger: Ledger) -> list[Item]:
        delivery = envelope.delivery
        partner = self._partners[delivery.partner]
        try:
            items = [self._map(partner, event, ledger) for event in partner.events(delivery)]
        except Undeliverable as error:
            whole = PartnerEvent(delivery, None, delivery.body)
            items = [_refused(whole, error.code, error.reason)]
        if envelope.pending is not None:
            items = [item for item in items if item.key in envelope.pending]
        return items

    def _map(self, partner: Partner, event: PartnerEvent, ledger: Ledger) -> Item:
        try:
            if event.fault:
                raise event.fault
            audit_event = partner.to_audit_event(event)
        except Undeliverable as error:
            return _refused(event, error.code, error.reason)
        except Exception as error:  # noqa: BLE001 - mappings are pure: what failed once fails always, and only this event
            ledger.faults.append(f"{event.delivery.id}: {partner.name} mapping failed: {error!r}")
            return _refused(event, "MappingFailed", f"The mapping does not know this form: {type(error).__name__}")
        item = Item(audit_event.id, event, audit_event)
        if any(fnmatchcase(audit_event.name, pattern) for pattern in self._exclude_events):
            item.outcome = Outcome(Disposition.FILTERED, "ExcludeEvents", audit_event.name)
        return item

    def _deliver(self, items: Sequence[Item], deadline: Deadline) -> None:
        entries = {
            id(item): Entry(item.audit_event.id, item.audit_event.event_data(self._account_id))
            for item in items
            if item.outcome is None and item.audit_event is not None
        }
        # Equal ids with equal content are one entry here, sent once; the outcome counts for each of them.
        outcomes = self._deliverer.deliver(entries.values(), deadline)
        for item in items:
            if id(item) in entries:
                item.outcome = outcomes[entries[id(item)]]

    def _keep_quarantined(self, message: Message, ledger: Ledger) -> None:
        items = [i for i in message.items if i.outcome and i.outcome.disposition is Disposition.QUARANTINE]
        if not items:
            return
        try:
            self._quarantine.keep(*quarantine_object([self._quarantined(item) for item in items]))
        except QuarantineError as error:
            ledger.faults.append(f"{message.id}: {error}")
            for item in items:
                item.outcome = Outcome(Disposition.RETRY, "QuarantineFailed", str(error))

    def _quarantined(self, item: Item) -> QuarantinedEvent:
        outcome = item.outcome or Outcome(Disposition.QUARANTINE)
        delivery = item.event.delivery
        known = item.audit_event
        return QuarantinedEvent(
            delivery=delivery,
            code=outcome.code,
            reason=outcome.reason,
            original=item.event.original,
            id=known.id if known else None,
            uid=known.uid if known else self._partners[delivery.partner].uid(item.event),
        )

    def _finish(self, message: Message, ledger: Ledger) -> bool:
        """Whether the message may be acknowledged: all is settled, or what is left waits in a message of its own."""
        waiting = [item for item in message.items if not item.settled]
        if not waiting:
            ledger.messages["finished"] += 1
            return True
        configuration = any(i.outcome and i.outcome.disposition is Disposition.CONFIGURATION for i in waiting)
        effects = {Disposition.DELIVERED, Disposition.QUARANTINE}
        if any(item.outcome and item.outcome.disposition in effects for item in message.items) and self._hand_back(
            message, frozenset(item.key for item in waiting), ledger
        ):
            return True
        ledger.messages["returned"] += 1
        self._queue.postpone(message.receipt_handle, _wait_seconds(message, configuration=configuration))
        return False

    def _hand_back(self, message: Message, pending: frozenset[str], ledger: Ledger) -> bool:
        """Send what is left as a message of its own, so that what is done is not done again; False if that failed.

        Where it fails the whole message comes back: an event twice, with equal id, is better than an event lost.
        """
        envelope = message.envelope.handed_back(pending)
        try:
            text = encode_envelope(envelope)
            if envelope.attempt > MAX_HANDBACKS:
                self._queue.park(text)
                ledger.messages["parked"] += 1
            else:
                self._queue.send(text, min(_LONGEST_DELAY_SECONDS, 2**envelope.attempt))
                ledger.messages["handed back"] += 1
        except (TooLarge, QueueError) as error:
            ledger.faults.append(f"{message.id}: not handed back: {error}")
            return False
        return True


def _refused(event: PartnerEvent, code: str, reason: str) -> Item:
    key = event_id(event.delivery.partner, "unmapped", hashlib.sha256(event.original).hexdigest())
    return Item(key, event, None, Outcome(Disposition.QUARANTINE, code, reason))


def _wait_seconds(message: Message, *, configuration: bool) -> int:
    longest = _LONGEST_CONFIGURATION_WAIT_SECONDS if configuration else _LONGEST_DELAY_SECONDS
    return min(longest, _FIRST_WAIT_SECONDS << min(message.receive_count - 1, 10))


def _reshuffled(message: Message) -> str:
    """Another order at each receive, so that the same innocent is not always behind the same killer."""
    return hashlib.sha256(f"{message.id}:{message.receive_count}".encode()).hexdigest()
