"""The delivery queue and its dead-letter queue, as receive and forward use them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from trailhook.errors import TrailhookError

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_sqs.client import SQSClient


class QueueError(TrailhookError):
    """SQS did not confirm. What was to be sent may or may not be there."""


class Sender(Protocol):
    """Where receive puts deliveries."""

    def send(self, message: str, delay_seconds: int = 0) -> None:
        """Return once SQS has the message. Raises QueueError."""


class DeliveryQueue(Sender, Protocol):
    """What forward does with messages beyond acknowledging them."""

    def park(self, message: str) -> None:
        """Send to the dead-letter queue. Raises QueueError, also where there is none."""

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        """Show a received message again after so many seconds. A failure changes only when it is seen again."""

    def delete(self, receipt_handles: Sequence[str]) -> None:
        """Take processed messages off the queue. A failure leaves them to the end of the invocation."""


class SqsDeliveryQueue:
    """The delivery queue in SQS, and the dead-letter queue that belongs to it."""

    def __init__(self, client: "SQSClient", queue_url: str, dead_letter_queue_url: str | None = None) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def send(self, message: str, delay_seconds: int = 0) -> None:
        self._send(self._queue_url, message, delay_seconds)

    def park(self, message: str) -> None:
        if self._dead_letter_queue_url is None:
            raise QueueError("DEAD_LETTER_QUEUE_URL is not set")
        self._send(self._dead_letter_queue_url, message, 0)

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        try:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError):
            return

    def delete(self, receipt_handles: Sequence[str]) -> None:
        for start in range(0, len(receipt_handles), 10):
            batch = receipt_handles[start : start + 10]
            entries = [{"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(batch)]
            try:
                self._client.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
            except (BotoCoreError, ClientError):
                return

    def _send(self, queue_url: str, message: str, delay_seconds: int) -> None:
        try:
            answer = self._client.send_message(QueueUrl=queue_url, MessageBody=message, DelaySeconds=delay_seconds)
        except (BotoCoreError, ClientError) as error:
            raise QueueError(f"SQS did not take the message: {error}") from error
        if not answer.get("MessageId"):
            raise QueueError("SQS answered without a message id, which is no confirmation")
