"""The forward function's work: queued deliveries become events, full batches, and an account of each of them.

The law: received = delivered + quarantined + filtered + waiting. A message is acknowledged only when every event of it
is delivered, quarantined, filtered, or handed back to the queue in an envelope of its own.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from msgspec import Struct, field

from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer, Halt
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.errors import QuarantineError, QueueError
from trailhook.hand_back import hand_back, wait_seconds
from trailhook.ledger import Ledger
from trailhook.mapping import Mapper
from trailhook.portions import Item, Message, Portion, Reader
from trailhook.quarantine import Quarantine, QuarantinedEvent, quarantine_objects
from trailhook.queue import DeliveryQueue

SUSPECT_FROM_RECEIVE_COUNT = 3
"""A message received this often may be one that kills the process, so it is processed after, and apart from, others."""

CAUTIOUS_FROM_RECEIVE_COUNT = 45
"""Suspects received this often, half of what the queue allows, are processed one by one again."""

MOST_SUSPECTS = 64
"""The largest group that suspects are processed in."""

PORTIONS_UNDER_WAY = 3
"""How many portions are delivered while the next is mapped: waiting for answers costs no CPU."""

Report = Callable[[Ledger], None]
"""Logs an account, and counts it for the alarms."""


class Invocation(Struct):
    """What the steps of an invocation share: until when they may begin, what stops them, and the account of it all."""

    deadline: Deadline
    report: Report | None
    halt: Halt = field(default_factory=Halt)
    ledger: Ledger = field(default_factory=Ledger)


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
        self._reader = Reader(mapper, account_id)
        self._deliverer = deliverer
        self._queue = queue
        self._quarantine = quarantine
        self._portions_under_way = portions_under_way
        self._delivering = ThreadPoolExecutor(portions_under_way, thread_name_prefix="deliver-portion")

    def forward(
        self, records: Sequence[Mapping[str, Any]], deadline: Deadline, report: Report | None = None
    ) -> tuple[list[str], Ledger]:
        """Process an SQS event's records: the ids of those that go back to the queue, and the account of all events.

        Before messages are taken off the queue, `report` is given an account of them; the one returned holds the rest.
        """
        invocation = Invocation(deadline, report)
        messages = [Message.of(record) for record in records]
        together = [message for message in messages if message.receive_count < SUSPECT_FROM_RECEIVE_COUNT]
        suspects = [message for message in messages if message.receive_count >= SUSPECT_FROM_RECEIVE_COUNT]
        unfinished = self._process(together, invocation)
        if suspects:
            self._delete([message for message in together if message not in unfinished], invocation)
            unfinished += self._process_suspects(suspects, invocation)
        self._postpone(unfinished, invocation)
        # SQS may hand over a message twice in a batch, and nobody knows what Lambda makes of an id that is named twice.
        return list(dict.fromkeys(message.id for message in unfinished)), invocation.ledger

    def _process_suspects(self, suspects: Sequence[Message], invocation: Invocation) -> list[Message]:
        """One message first, then groups that double, each taken off the queue before the next begins.

        A message that kills the process takes its group along. But each receive draws another order, and at least one
        time in three an innocent message is in a group before the killer's: it is done long before its receives run
        out. Groups grow, so that a backlog without a killer is not processed one by one.
        """
        cautious = any(message.receive_count >= CAUTIOUS_FROM_RECEIVE_COUNT for message in suspects)
        left = sorted(suspects, key=_reshuffled)
        returned: list[Message] = []
        size = 1
        # If the caller is refused, the next group would be as well. Any other reason may be an event's own: if it ended
        # the loop, messages behind many such events would use up their receives without ever being begun.
        while left and not invocation.halt.outcome and not invocation.deadline.passed:
            group, left = left[:size], left[size:]
            returned += self._process(group, invocation)
            self._delete([message for message in group if message not in returned], invocation)
            size = 1 if cautious else min(size * 2, MOST_SUSPECTS)
        _note_not_begun(left, invocation)
        return returned + left

    def _process(self, messages: Sequence[Message], invocation: Invocation) -> list[Message]:
        """Settle what can be settled of these messages; returns those that must come back as they are."""
        under_way: deque[tuple[Portion, Future[None]]] = deque()
        begun: list[Message] = []
        try:
            in_time = _while_time_lasts(messages, invocation.deadline, begun)
            for portion in self._reader.portions(in_time, invocation.ledger):
                if len(under_way) == self._portions_under_way:
                    self._settle(*under_way.popleft(), invocation)
                under_way.append((portion, self._delivering.submit(self._deliver, portion, invocation)))
            while under_way:
                self._settle(*under_way.popleft(), invocation)
        except BaseException:
            # Nothing of this invocation may go on in the next one: no portion that is under way, and none that begins
            # only then because no thread could be started for it now.
            invocation.halt.stop()
            wait(delivery for _, delivery in under_way)
            raise
        left = messages[len(begun) :]
        _note_not_begun(left, invocation)
        return [*self._finish(begun, invocation), *left]

    def _settle(self, portion: Portion, delivery: Future[None], invocation: Invocation) -> None:
        """Wait until a portion is delivered, and note what became of it."""
        delivery.result()
        others: Portion = []
        for item in portion:
            if item.outcome is DELIVERED:
                item.message.progress = True
            else:
                others.append(item)
        invocation.ledger.enter(DELIVERED, len(portion) - len(others))
        self._keep_quarantined(others, invocation)
        for item in others:
            _note(item, invocation.ledger)

    def _deliver(self, portion: Portion, invocation: Invocation) -> None:
        entries = [item.entry for item in portion if item.entry is not None]
        outcomes = self._deliverer.deliver(entries, invocation.deadline, invocation.halt)
        for item in portion:
            if item.entry is not None:
                item.outcome = outcomes[item.entry]

    def _keep_quarantined(self, portion: Portion, invocation: Invocation) -> None:
        """Write to the bucket what CloudTrail will never take; what cannot be written waits."""
        items = [item for item in portion if item.outcome.disposition is Disposition.QUARANTINE]
        events = [_quarantined(item) for item in items]
        for key, content, positions in quarantine_objects(events, self._quarantine.way_back):
            try:
                if invocation.deadline.closed:
                    raise QuarantineError("There was no time left to write to the bucket")
                self._quarantine.keep(key, content)
            except QuarantineError as error:
                invocation.ledger.faults.append(str(error))
                for position in positions:
                    items[position].outcome = Outcome(Disposition.RETRY, "QuarantineFailed")

    def _finish(self, messages: Sequence[Message], invocation: Invocation) -> list[Message]:
        """Hand back what is left of messages that are partly done. Returns those that come back as they are."""
        ledger = invocation.ledger
        left = [message for message in messages if message.waiting or message.unreadable]
        returned = [message for message in left if not hand_back(message, self._queue, invocation.deadline, ledger)]
        if finished := len(messages) - len(left):
            ledger.messages["finished"] += finished
        for message in returned:
            ledger.messages["unreadable" if message.unreadable else "returned"] += 1
        return returned

    def _postpone(self, messages: Sequence[Message], invocation: Invocation) -> None:
        waits = {message.receipt_handle: wait_seconds(message) for message in messages}
        try:
            self._queue.postpone(waits, invocation.deadline)
        except QueueError as error:
            invocation.ledger.faults.append(f"not postponed: {error}")

    def _delete(self, messages: Sequence[Message], invocation: Invocation) -> None:
        """Take off the queue what is done, so that no suspect brings it back.

        It is reported first: if a suspect then kills the process, nobody would hear of what went to quarantine.
        """
        if messages and invocation.report:
            invocation.report(invocation.ledger)
            invocation.ledger = Ledger()
        try:
            self._queue.delete([message.receipt_handle for message in messages], invocation.deadline)
        except QueueError as error:
            invocation.ledger.faults.append(f"not deleted yet: {error}")


def _while_time_lasts(messages: Sequence[Message], deadline: Deadline, begun: list[Message]) -> Iterator[Message]:
    """The messages up to the deadline, but at least one; each is added to `begun` as it is handed out.

    Opening and mapping what can no longer be sent would take the time that is left to acknowledge what was sent.
    """
    at, now = deadline.at, deadline.now
    for message in messages:
        if begun and now() >= at:
            return
        begun.append(message)
        yield message


def _note_not_begun(messages: Sequence[Message], invocation: Invocation) -> None:
    """Note messages that are not begun.

    If the caller is refused they wait for the operator, as long as what was refused. With the shorter waits of other
    messages they would use up their receives, and be among the dead letters, in a day instead of four.
    """
    if messages:
        invocation.ledger.messages["not begun"] += len(messages)
    outcome = invocation.halt.outcome
    if outcome and outcome.disposition.for_operator:
        for message in messages:
            message.configuration = True


def _quarantined(item: Item) -> QuarantinedEvent:
    return QuarantinedEvent(
        delivery=item.delivery,
        code=item.outcome.code,
        reason=item.outcome.reason,
        original=item.original,
        id=item.entry.id if item.entry else None,
        uid=item.uid,
    )


def _note(item: Item, ledger: Ledger) -> None:
    """Note on the message and in the ledger what became of one event. Of the event itself nothing is kept."""
    ledger.enter(item.outcome)
    message, disposition = item.message, item.outcome.disposition
    if not disposition.settled:
        message.waiting = message.waiting or set()
        message.waiting.add(item.position)
        message.configuration |= disposition.for_operator
    elif disposition is not Disposition.FILTERED:
        # To filter one again costs nothing, so it is no reason to hand the others back by themselves.
        message.progress = True


def _reshuffled(message: Message) -> str:
    """A key to sort by: another order at each receive, so that no message is always behind the same killer."""
    return hashlib.sha256(f"{message.id}:{message.receive_count}".encode()).hexdigest()
