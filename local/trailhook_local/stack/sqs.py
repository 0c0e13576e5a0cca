"""moto's SQS, made fit for a backlog and for concurrent callers.

moto computes every attribute of a queue, some of them a walk over all messages, for each message that it receives or
sends: with 1,000 messages waiting, sending ten takes a quarter of a second. And its DeleteMessage rebuilds the list of
messages without a lock, which can lose a message sent at that moment. `install` puts the classes below in the place of
moto's own, for this process: the same queues with an index by receipt handle, one lock per queue, and counts made only
when asked for. What SQS itself refuses and moto takes (characters outside XML's, lengths in bytes) is refused too.
"""

import re
from copy import copy
from typing import Any

from moto.core.utils import camelcase_to_underscores, unix_time, unix_time_millis
from moto.sqs import models
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid, SQSException

# "Amazon SQS message quotas": what a message may contain.
FORBIDDEN_CHARACTERS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
COUNTED = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


class IndexedQueue(models.Queue):  # type: ignore[misc] # moto has no annotations here
    """A queue whose messages are found by receipt handle, and changed only under `_messages_lock`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._messages: dict[models.Message, None] = {}
        self._by_handle: dict[str, models.Message] = {}
        self.move_tasks: list[dict[str, Any]] = []

    @property
    def attributes(self) -> dict[str, Any]:
        """The queue's settings, without the counts: those cost a walk over all messages (see `counts`)."""
        names = [name for name in self.BASE_ATTRIBUTES if name not in COUNTED]
        names += self.FIFO_ATTRIBUTES if self.fifo_queue else []
        names += self.KMS_ATTRIBUTES if self.kms_master_key_id else []
        result = {name: getattr(self, camelcase_to_underscores(name)) for name in names}
        if self.redrive_policy:
            result["RedrivePolicy"] = models.json.dumps(self.redrive_policy)
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in result.items()}

    def counts(self) -> dict[str, int]:
        with self._messages_lock:
            delayed = sum(message.delayed for message in self._messages)
            hidden = sum(not message.visible for message in self._messages)
            return dict(zip(COUNTED, (len(self._messages) - delayed - hidden, delayed, hidden), strict=True))

    def add_message(self, message: models.Message) -> None:
        with self._messages_lock:
            self._messages[message] = None
            self._messages_lock.notify_all()

    def remove(self, message: models.Message) -> None:
        self._messages.pop(message, None)
        self._pending_messages.discard(message)

    def find(self, receipt_handle: str) -> models.Message | None:
        return self._by_handle.get(receipt_handle)

    def take(self, count: int, visibility_timeout: int) -> list[models.Message]:
        """Up to `count` visible messages, hidden from now on for `visibility_timeout` seconds; call under the lock.

        Moves what was received too often to the dead-letter queue, and drops what is older than the retention.
        """
        taken: list[models.Message] = []
        oldest_ms = unix_time_millis() - self.message_retention_period * 1000
        for message in list(self._messages):
            if len(taken) == count:
                break
            if message.sent_timestamp <= oldest_ms:
                self.remove(message)
            elif not message.visible or message.delayed:
                continue
            elif self._is_exhausted(message):
                self.remove(message)
                message.dead_letter_source = self
                message.moved = unix_time_millis(), message.approximate_receive_count
                self.dead_letter_queue.add_message(message)
            else:
                message.mark_received(visibility_timeout=visibility_timeout)
                self._pending_messages.add(message)
                self._by_handle[message.receipt_handle] = message
                taken.append(copy(message))
        return taken

    def _is_exhausted(self, message: models.Message) -> bool:
        return bool(
            self.dead_letter_queue is not None
            and self.redrive_policy
            and message.approximate_receive_count >= self.redrive_policy["maxReceiveCount"]
        )

    def delete_message(self, receipt_handle: str) -> None:
        """With the handle of its latest receive; SQS promises of an earlier one no more than that it is no error."""
        with self._messages_lock:
            message = self.find(receipt_handle)
            if message is None and receipt_handle not in self.deleted_messages:
                raise ReceiptHandleIsInvalid
            if message is not None and message.receipt_handle == receipt_handle:
                self.remove(message)
                for handle in filter(None, message.all_receipt_handles):
                    self._by_handle.pop(handle, None)
                    self.deleted_messages.add(handle)


class IndexedBackend(models.SQSBackend):  # type: ignore[misc] # moto has no annotations here
    """moto's SQS on `IndexedQueue`s."""

    # moto derives the name of the module with the service's URLs from that of the backend's module.
    __module__ = models.__name__

    def get_queue_attributes(self, queue_name: str, attribute_names: list[str]) -> dict[str, Any]:
        wanted = set(attribute_names)
        counted = wanted & {"All", *COUNTED}
        attributes: dict[str, Any] = super().get_queue_attributes(
            queue_name, [name for name in wanted if name not in COUNTED]
        )
        if counted:
            counts = self.get_queue(queue_name).counts()
            attributes |= {name: number for name, number in counts.items() if wanted & {"All", name}}
        return attributes

    def _validate_message(self, queue: Any, message_body: str, *args: Any, **kwargs: Any) -> None:
        if forbidden := FORBIDDEN_CHARACTERS.search(message_body):
            raise SQSException(
                "InvalidMessageContents",
                f"Invalid binary character '#x{ord(forbidden[0]):X}' was found in the message body, the set of allowed "
                "characters is #x9 | #xA | #xD | [#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]",
            )
        if len(message_body.encode()) > queue.maximum_message_size:
            raise InvalidParameterValue(
                "One or more parameters are invalid. Reason: "
                f"Message must be shorter than {queue.maximum_message_size} bytes."
            )
        super()._validate_message(queue, message_body, *args, **kwargs)

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Any]:
        queue = self.get_queue(queue_name)
        polling_end = unix_time() + wait_seconds_timeout
        with queue._messages_lock:
            while not (taken := queue.take(count, visibility_timeout)):
                remaining = polling_end - unix_time()
                if remaining <= 0:
                    break
                # Sends wake this up at once; a message whose visibility timeout ends is seen at the next look.
                queue._messages_lock.wait(min(remaining, 0.5))
        for message in taken:
            models._filter_message_attributes(message, message_attribute_names or [])
        return list(taken)

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        queue = self.get_queue(queue_name)
        with queue._messages_lock:
            message = queue.find(receipt_handle)
            if message is None:
                raise ReceiptHandleIsInvalid
            message.change_visibility(visibility_timeout)
            if message.visible:
                queue._messages_lock.notify_all()

    def purge_queue(self, queue_name: str) -> None:
        super().purge_queue(queue_name)
        queue = self.get_queue(queue_name)
        with queue._messages_lock:
            queue._messages = {}
            queue._by_handle.clear()


def install() -> None:
    """Let this process's moto serve SQS with the classes above. Call before the first request."""
    models.Queue = IndexedQueue
    models.sqs_backends.backend = IndexedBackend
