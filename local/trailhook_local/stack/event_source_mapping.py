"""Lambda's event source mapping for SQS: polls the delivery queue, batches, invokes forward, deletes what is done.

Follows "Using Lambda with Amazon SQS", "Handling errors for an SQS event source in Lambda" and "Implementing partial
batch responses". Redrive to the dead-letter queue is the queue's own business.
"""

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from trailhook_local.stack.errors import InvocationError
from trailhook_local.stack.functions import MAX_REQUEST_BYTES

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)

# Long polling, in whole seconds; SQS allows 20.
POLL_SECONDS = 5
# What SQS hands over, deletes or changes in one request.
SQS_BATCH = 10
# Room for what stands around the records of an event.
EVENT_OVERHEAD_BYTES = 1024
MAX_BACKOFF_SECONDS = 5.0


@dataclass(frozen=True)
class MappingSettings:
    """As in template.yaml; `window_seconds` 0 means: invoke with what one receive brought."""

    batch_size: int = 10
    window_seconds: float = 0.0
    maximum_concurrency: int = 2
    report_batch_item_failures: bool = False


@dataclass(frozen=True)
class Source:
    """The queue behind a mapping."""

    url: str
    arn: str

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]


def event_record(message: "MessageTypeDef", source: Source) -> dict[str, Any]:
    """One record of the event that Lambda hands to the function."""
    attributes: dict[str, dict[str, Any]] = {
        name: {
            "stringValue": attribute.get("StringValue"),
            "binaryValue": attribute.get("BinaryValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute["DataType"],
        }
        for name, attribute in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: str(value) for name, value in message["Attributes"].items()},
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": source.arn,
        "awsRegion": source.region,
    }


def failed_message_ids(answer: Any, message_ids: set[str], *, report_batch_item_failures: bool) -> set[str]:
    """Those of the `message_ids` that come back, by what the function returned.

    An absent, null or empty list is complete success. A list that cannot be trusted is complete failure: rather twice
    than never.
    """
    if not report_batch_item_failures or answer is None:
        return set()
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else answer
    if failures is None:
        return set()
    try:
        failed = {failure["itemIdentifier"] for failure in failures}
    except (TypeError, KeyError):
        return message_ids
    return message_ids & failed if failed.issubset(message_ids) else message_ids


def backoff_seconds(failures: int) -> float:
    """How long polling pauses after so many failures in a row."""
    # Ten doublings are more than it takes, and a thousand more than a float holds: the poller would end with that.
    return min(MAX_BACKOFF_SECONDS, 0.1 * 2.0 ** min(failures, 10))


def _tens(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + SQS_BATCH] for start in range(0, len(items), SQS_BATCH))


class EventSourceMapping:
    """Polls in a thread of its own and runs up to `maximum_concurrency` invocations at a time; `invoke` is one of them.

    Nothing is received before an invocation is free to take it. When invocations fail, concurrency falls to half and
    polling pauses for up to `MAX_BACKOFF_SECONDS`; each success brings one back. `retry_seconds` replaces the time that
    failed messages stay hidden, which on AWS is the rest of the queue's visibility timeout or what the function asked
    for; a function still at work keeps its messages hidden for the queue's full timeout.
    """

    def __init__(
        self,
        settings: MappingSettings,
        source: Source,
        sqs: "SQSClient",
        invoke: Callable[[dict[str, Any]], Any],
        retry_seconds: int | None = None,
    ) -> None:
        self._settings = settings
        self._source = source
        self._sqs = sqs
        self._invoke = invoke
        self._retry_seconds = retry_seconds
        self._stopping = threading.Event()
        self._free = threading.Condition()
        self._running = 0
        self._limit = settings.maximum_concurrency
        self._consecutive_failures = 0
        self._unreachable = ""
        self._received: deque[dict[str, Any]] = deque()
        self._executor = ThreadPoolExecutor(settings.maximum_concurrency, thread_name_prefix="event-source-mapping")
        self._thread = threading.Thread(target=self._run, name="event-source-mapping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Receive no more. What is under way goes on; `join` waits for it."""
        self._stopping.set()
        with self._free:
            self._free.notify_all()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join()
        self._executor.shutdown(wait=True)

    def _run(self) -> None:
        while self._wait_for_free_invocation():
            records = self._collect()
            # What the last long poll of a stopping mapping brought stays hidden and comes back.
            if records and not self._stopping.is_set():
                with self._free:
                    self._running += 1
                self._executor.submit(self._process, records)

    def _wait_for_free_invocation(self) -> bool:
        with self._free:
            self._free.wait_for(lambda: self._running < self._limit or self._stopping.is_set())
            failures = self._consecutive_failures
        if failures:
            self._stopping.wait(backoff_seconds(failures))
        return not self._stopping.is_set()

    def _collect(self) -> list[dict[str, Any]]:
        """The records of the next batch: complete when the window ends, or `batch_size` or 6 MB are reached."""
        settings = self._settings
        batch: list[dict[str, Any]] = []
        size = EVENT_OVERHEAD_BYTES
        window_ends: float | None = None
        while True:
            size = self._fill(batch, size)
            if self._received or len(batch) >= settings.batch_size or self._stopping.is_set():
                return batch
            if batch and window_ends is None:
                window_ends = time.monotonic() + settings.window_seconds
            remaining = float(POLL_SECONDS) if window_ends is None else window_ends - time.monotonic()
            if remaining <= 0:
                return batch
            try:
                self._received += self._receive(
                    min(SQS_BATCH, settings.batch_size - len(batch)), min(POLL_SECONDS, int(remaining))
                )
            except (BotoCoreError, ClientError) as error:
                self._tell_once(str(error))
                self._stopping.wait(1)
                return batch
            self._unreachable = ""
            if not self._received and window_ends is None:
                return []
            if not self._received and remaining < 1:
                # Too short for a long poll.
                self._stopping.wait(min(remaining, 0.1))

    def _fill(self, batch: list[dict[str, Any]], size: int) -> int:
        """Move what fits of the messages received into `batch`, of `size` bytes so far. Returns its new size."""
        while self._received:
            more = len(json.dumps(self._received[0])) + 2
            if batch and size + more > MAX_REQUEST_BYTES:
                break
            batch.append(self._received.popleft())
            size += more
        return size

    def _receive(self, count: int, wait_seconds: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._source.url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [event_record(message, self._source) for message in answer.get("Messages", [])]

    def _process(self, records: list[dict[str, Any]]) -> None:
        handles = {record["messageId"]: record["receiptHandle"] for record in records}
        failed = set(handles)
        succeeded = False
        try:
            answer = self._invoke({"Records": records})
            failed = failed_message_ids(
                answer, set(handles), report_batch_item_failures=self._settings.report_batch_item_failures
            )
            succeeded = True
        except InvocationError as error:
            self._report("forward failed, %d messages come back: %s", len(records), error)
        try:
            self._acknowledge([handle for message_id, handle in handles.items() if message_id not in failed])
            self._bring_back([handles[message_id] for message_id in failed])
        except (BotoCoreError, ClientError) as error:
            # Not acknowledged means delivered again after the visibility timeout: doubled, never lost.
            self._report("cannot acknowledge at %s: %s", self._source.url, error)
        finally:
            self._account(succeeded=succeeded)

    def _acknowledge(self, handles: list[str]) -> None:
        for some in _tens(handles):
            self._sqs.delete_message_batch(
                QueueUrl=self._source.url,
                Entries=[{"Id": str(index), "ReceiptHandle": handle} for index, handle in enumerate(some)],
            )

    def _bring_back(self, handles: list[str]) -> None:
        if self._retry_seconds is None:
            return
        for some in _tens(handles):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._source.url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": handle, "VisibilityTimeout": self._retry_seconds}
                    for index, handle in enumerate(some)
                ],
            )

    def _tell_once(self, reason: str) -> None:
        """Not at every try: a queue that is gone stays gone, and a line a second would hide all others."""
        if reason != self._unreachable:
            told = reason.rstrip(".")
            self._report("cannot receive from %s: %s. If that goes on, start the stack again", self._source.url, told)
        self._unreachable = reason

    def _report(self, message: str, *arguments: object) -> None:
        # Servers and functions go away when the stack stops; that is no failure.
        if not self._stopping.is_set():
            log.warning(message, *arguments)

    def _account(self, *, succeeded: bool) -> None:
        with self._free:
            self._running -= 1
            if succeeded:
                self._consecutive_failures = 0
                self._limit = min(self._settings.maximum_concurrency, self._limit + 1)
            else:
                self._consecutive_failures += 1
                self._limit = max(1, self._limit // 2)
            self._free.notify_all()
