"""Sends dead letters to the delivery queue again: all of them by SQS itself, or one by one those that are asked for.

SQS' own move task cannot choose. One by one means receive, send, delete: a message is deleted only once SQS has
confirmed its copy, so that a crash in between leaves two, with equal ids and content, and never none.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from trailhook.deadline import NO_DEADLINE
from trailhook.delivery import Delivery
from trailhook.envelope import decode_envelope
from trailhook.errors import EnvelopeError, QueueError
from trailhook.partner import Options
from trailhook.partners import Partners
from trailhook.queue import SqsDeliveryQueue
from trailhook_local.queue_counts import count_messages

HIDDEN_SECONDS = 900
"""How long a message that was looked at stays hidden, unless it is shown again before."""

WAIT_SECONDS = 1
"""A long poll asks all of SQS' servers, so one that finds nothing means that nothing visible is left."""

PARKED, EXHAUSTED, UNREADABLE = "parked", "exhausted", "unreadable"
REASONS = (PARKED, EXHAUSTED, UNREADABLE)
"""Handed back twelve times; received too often; of another version, damaged, or of a partner not known here."""

_MOVING = frozenset({"RUNNING", "CANCELLING"})
_LOOKS_FOR_A_NEW_TASK = 30


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message among the dead letters, and why it is there; `delivery` is None where it cannot be read."""

    id: str
    receipt_handle: str
    body: str
    reason: str
    delivery: Delivery | None

    @property
    def partner(self) -> str:
        return self.delivery.partner if self.delivery else "?"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are asked for; what is empty does not choose."""

    partners: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    contains: str = ""

    def takes(self, letter: DeadLetter) -> bool:
        return (
            (not self.partners or letter.partner in self.partners)
            and (not self.reasons or letter.reason in self.reasons)
            and (not self.contains or self.contains.encode() in _searched(letter))
        )


@dataclass(frozen=True, slots=True)
class MoveTask:
    """A move task of SQS, as ListMessageMoveTasks tells of it."""

    status: str
    moved: int
    to_move: int | None
    failure: str

    @property
    def goes_on(self) -> bool:
        """SQS does not stop because whoever follows the task does."""
        return self.status in _MOVING


class DeadLetterRedrive:
    """One dead-letter queue, and the delivery queue that its messages go back to."""

    def __init__(self, client: Any, dead_letter_queue_url: str, queue_url: str) -> None:
        self._client = client
        self._url = dead_letter_queue_url
        self._queue_url = queue_url
        self._source = SqsDeliveryQueue(client, dead_letter_queue_url)
        self._destination = SqsDeliveryQueue(client, queue_url)

    def count(self) -> int:
        """How many messages there are, hidden and delayed ones too, as far as SQS knows."""
        return count_messages(self._client, self._url).total

    def move_all(self, tell: Callable[[MoveTask], None], pause: Callable[[float], None] = time.sleep) -> MoveTask:
        """Let SQS move everything, or follow the task that does so already; `tell` is called as it proceeds.

        The destination is named, so that messages that forward itself has sent to the dead letters come along. Raises
        QueueError where a task runs that moves them to another queue, and where the one that was begun is never listed.
        """
        source, destination = self._arn(self._url), self._arn(self._queue_url)
        before = self._latest(source)
        if before is not None and before["Status"] in _MOVING:
            if (elsewhere := before.get("DestinationArn", destination)) != destination:
                raise QueueError(
                    f"SQS is moving them to another queue, {elsewhere}: wait for that, or cancel it, and look there"
                )
        else:
            handle = self._client.start_message_move_task(SourceArn=source, DestinationArn=destination)["TaskHandle"]
            # From now on SQS moves them, also while it does not list that yet.
            tell(MoveTask("RUNNING", moved=0, to_move=None, failure=""))
            self._wait_until_listed(source, before, handle, pause)
        while True:
            latest = self._latest(source) or {}
            task = MoveTask(
                latest.get("Status", "unknown"),
                latest.get("ApproximateNumberOfMessagesMoved", 0),
                latest.get("ApproximateNumberOfMessagesToMove"),
                latest.get("FailureReason", ""),
            )
            tell(task)
            if not task.goes_on:
                return task
            pause(1)

    def one_by_one(self, choice: Choice, *, dry_run: bool, tell: Callable[[DeadLetter, bool], None]) -> None:
        """Send and delete each dead letter that is asked for; `tell` hears of every one, and whether it was.

        What stays is shown again at the end. Raises QueueError at the first message that SQS does not confirm.
        """
        hidden: dict[str, str] = {}
        try:
            for letters in self._batches(hidden):
                for letter in letters:
                    asked_for = choice.takes(letter)
                    if asked_for and not dry_run:
                        self._destination.send(letter.body)
                    # Told before it is deleted, which may fail: it was sent.
                    tell(letter, asked_for)
                    if asked_for and not dry_run:
                        self._source.delete([letter.receipt_handle], NO_DEADLINE)
                        del hidden[letter.id]
        finally:
            self._source.postpone(dict.fromkeys(hidden.values(), 0), NO_DEADLINE)

    def _batches(self, hidden: dict[str, str]) -> Iterator[list[DeadLetter]]:
        """Receive until every message was seen; `hidden` maps the ids of those seen to their receipt handles.

        Where that takes longer than they stay hidden, messages that were seen come again, in any order, and are hidden
        anew. They may fill a whole receive while others are still to come, so the search is over only when as many of
        them in a row came again as there are.
        """
        again = 0
        while again <= len(hidden):
            received = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN_SECONDS,
                WaitTimeSeconds=WAIT_SECONDS,
            ).get("Messages", [])
            if not received:
                return
            fresh = [message for message in received if message["MessageId"] not in hidden]
            hidden |= {message["MessageId"]: message["ReceiptHandle"] for message in received}
            again = 0 if fresh else again + len(received)
            yield [_letter(message) for message in fresh]

    def _arn(self, url: str) -> str:
        attributes = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])

    def _latest(self, source_arn: str) -> dict[str, Any] | None:
        results = self._client.list_message_move_tasks(SourceArn=source_arn, MaxResults=1).get("Results", [])
        return results[0] if results else None

    def _wait_until_listed(
        self, source_arn: str, before: dict[str, Any] | None, handle: str, pause: Callable[[float], None]
    ) -> None:
        """Wait until SQS lists the task that was just started, instead of the latest one `before` it.

        Only a running task is listed with its handle, so one that is over already is known by its later start. Raises
        QueueError where it is never listed.
        """
        for _ in range(_LOOKS_FOR_A_NEW_TASK):
            latest = self._latest(source_arn)
            if latest and (
                before is None
                or latest.get("TaskHandle") == handle
                or latest["StartedTimestamp"] > before["StartedTimestamp"]
            ):
                return
            pause(1)
        raise QueueError("SQS has not listed the move that it was told to begin")


def _letter(message: dict[str, Any]) -> DeadLetter:
    reason, delivery = UNREADABLE, None
    try:
        envelope = decode_envelope(message["Body"])
    except EnvelopeError:
        pass
    else:
        delivery = envelope.delivery
        if delivery.partner in Partners(Options()):
            # An envelope that is handed back counts its attempts, and one that is parked begins anew.
            reason = PARKED if envelope.pending and envelope.attempt == 0 else EXHAUSTED
    return DeadLetter(message["MessageId"], message["ReceiptHandle"], message["Body"], reason, delivery)


def _searched(letter: DeadLetter) -> bytes:
    """The message as it stands, and the body that may be compressed in it."""
    return letter.body.encode() + (letter.delivery.body if letter.delivery else b"")
