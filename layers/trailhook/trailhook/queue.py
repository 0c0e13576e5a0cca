"""The delivery queue and its dead-letter queue, as receive and forward use them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from trailhook.aws_call import failing_as, once_more_if_closed
from trailhook.deadline import Deadline
from trailhook.errors import QueueError

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_sqs.client import SQSClient


class Sender(Protocol):
    """Where receive puts deliveries."""

    def send(self, message: str, delay_seconds: int = 0) -> None:
        """Return once SQS has the message. Raises QueueError."""


class DeliveryQueue(Sender, Protocol):
    """What forward does with messages beyond acknowledging them."""

    def park(self, message: str) -> None:
        """Send to the dead-letter queue. Raises QueueError, also where there is none."""

    def postpone(self, waits: Mapping[str, int], deadline: Deadline) -> None:
        """Make received messages, by receipt handle, visible again after so many seconds. Raises QueueError, also for
        what is left when the deadline is closed.

        What was not postponed comes back after the queue's own visibility timeout.
        """

    def delete(self, receipt_handles: Sequence[str], deadline: Deadline) -> None:
        """Take processed messages off the queue. Raises QueueError, also for what is left when the deadline is closed;
        the end of the invocation deletes them as well.
        """


class SqsDeliveryQueue:
    """The delivery queue in SQS, and the dead-letter queue that belongs to it.

    What is sent is sent once more if its connection turns out to be closed within `closed_seconds`.
    """

    def __init__(
        self,
        client: "SQSClient",
        queue_url: str,
        dead_letter_queue_url: str | None = None,
        *,
        closed_seconds: float = 0,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url
        self._closed_seconds = closed_seconds

    def send(self, message: str, delay_seconds: int = 0) -> None:
        self._send(self._queue_url, message, delay_seconds)

    def park(self, message: str) -> None:
        if self._dead_letter_queue_url is None:
            raise QueueError("DEAD_LETTER_QUEUE_URL is not set")
        self._send(self._dead_letter_queue_url, message, 0)

    def postpone(self, waits: Mapping[str, int], deadline: Deadline) -> None:
        entries = [{"ReceiptHandle": handle, "VisibilityTimeout": seconds} for handle, seconds in waits.items()]
        self._in_tens(self._client.change_message_visibility_batch, entries, deadline)

    def delete(self, receipt_handles: Sequence[str], deadline: Deadline) -> None:
        entries = [{"ReceiptHandle": handle} for handle in receipt_handles]
        self._in_tens(self._client.delete_message_batch, entries, deadline)

    def _in_tens(
        self, call: Callable[..., Mapping[str, Any]], entries: Sequence[Mapping[str, Any]], deadline: Deadline
    ) -> None:
        """Ten a call. A refusal does not keep the rest from being sent; a lost answer, or the end of the time, does."""
        refused: list[Any] = []
        faults: list[str] = []
        for start in range(0, len(entries), 10):
            if deadline.closed:
                faults.append(f"There was no time left for {len(entries) - start} of {len(entries)} entries")
                break
            batch = [{"Id": str(index), **entry} for index, entry in enumerate(entries[start : start + 10])]
            with failing_as(QueueError, "SQS did not answer"):
                answer = call(QueueUrl=self._queue_url, Entries=batch)
                refused += [failed.get("Code") for failed in answer.get("Failed") or ()]
        if refused:
            faults.append(f"SQS refused {len(refused)} of {len(entries)} entries: {refused[0]}")
        if faults:
            raise QueueError("; ".join(faults))

    def _send(self, queue_url: str, message: str, delay_seconds: int) -> None:
        with failing_as(QueueError, "SQS did not confirm the message"):
            answer = once_more_if_closed(
                lambda: self._client.send_message(QueueUrl=queue_url, MessageBody=message, DelaySeconds=delay_seconds),
                self._closed_seconds,
            )
            message_id = answer.get("MessageId")
        if not isinstance(message_id, str) or not message_id:
            raise QueueError("SQS answered without a message id, which is no confirmation")
