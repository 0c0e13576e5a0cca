"""The event source mapping against a real SQS: what is batched, what is deleted, and what comes back."""

import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.stack.conftest import eventually

from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.errors import InvocationError
from trailhook_local.stack.event_source_mapping import (
    MAX_BACKOFF_SECONDS,
    EventSourceMapping,
    MappingSettings,
    Source,
    backoff_seconds,
    event_record,
    failed_message_ids,
)

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

pytestmark = pytest.mark.stack

IDS = {"a", "b", "c"}
ONE_FAILED = {"batchItemFailures": [{"itemIdentifier": "b"}]}


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}])
def test_answers_of_complete_success(answer: Any) -> None:
    assert failed_message_ids(answer, IDS, report_batch_item_failures=True) == set()


def test_an_answer_of_partial_success() -> None:
    assert failed_message_ids(ONE_FAILED, IDS, report_batch_item_failures=True) == {"b"}


@pytest.mark.parametrize(
    "answer",
    [
        {"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": ["b"]}]},
        {"batchItemFailures": [{"messageId": "b"}]},
        {"batchItemFailures": ["b"]},
        {"batchItemFailures": {"itemIdentifier": "b"}},
        {"batchItemFailures": "b"},
        {"batchItemFailures": 1},
        "done",
    ],
)
def test_answers_that_cannot_be_trusted_bring_everything_back(answer: Any) -> None:
    assert failed_message_ids(answer, IDS, report_batch_item_failures=True) == IDS


def test_without_the_setting_failures_are_ignored_and_everything_is_deleted() -> None:
    assert failed_message_ids(ONE_FAILED, IDS, report_batch_item_failures=False) == set()


class Forward:
    """A function that keeps its events and answers as `answer` says, which may raise `InvocationError`."""

    def __init__(self, answer: Callable[[list[str]], Any] = lambda _ids: None) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._running = 0
        self.most_at_once = 0
        self.batches: list[list[dict[str, Any]]] = []

    def __call__(self, event: dict[str, Any]) -> Any:
        records = event["Records"]
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            self.batches.append(records)
        try:
            return self._answer([record["messageId"] for record in records])
        finally:
            with self._lock:
                self._running -= 1

    def received(self) -> Counter[str]:
        with self._lock:
            return Counter(record["body"] for batch in self.batches for record in batch)


class Queue:
    """A queue of its own for each test, with dead letters after two receives."""

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        self.sqs = sqs
        self.dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = json.dumps({"deadLetterTargetArn": self._arn(self.dead), "maxReceiveCount": 2})
        self.url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "60"})[
            "QueueUrl"
        ]
        self.source = Source(self.url, self._arn(self.url))

    def _arn(self, url: str) -> str:
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def send(self, *bodies: str) -> None:
        for start in range(0, len(bodies), 10):
            some = bodies[start : start + 10]
            self.sqs.send_message_batch(
                QueueUrl=self.url, Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(some)]
            )

    def counts(self, url: str = "") -> tuple[int, int]:
        told = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"]), int(told["ApproximateNumberOfMessagesNotVisible"])

    def is_empty(self) -> bool:
        return self.counts() == (0, 0)


@pytest.fixture(scope="module")
def sqs(endpoints: Endpoints) -> "SQSClient":
    client: SQSClient = endpoints.client("sqs")
    return client


@pytest.fixture
def queue(sqs: "SQSClient") -> Queue:
    return Queue(sqs, str(uuid.uuid4()))


@contextmanager
def polling(queue: Queue, forward: Forward, retry_seconds: int | None = None, **settings: Any) -> Iterator[None]:
    mapping = EventSourceMapping(
        MappingSettings(**{"report_batch_item_failures": True, **settings}),
        queue.source,
        queue.sqs,
        forward,
        retry_seconds,
    )
    mapping.start()
    try:
        yield
    finally:
        mapping.request_stop()
        # Ends the long poll that is under way.
        queue.send("wake up")
        mapping.join()


def test_a_record_is_what_lambda_hands_over(queue: Queue) -> None:
    queue.sqs.send_message(
        QueueUrl=queue.url, MessageBody="héllo", MessageAttributes={"kind": {"DataType": "String", "StringValue": "x"}}
    )
    (message,) = queue.sqs.receive_message(
        QueueUrl=queue.url, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
    )["Messages"]
    record = event_record(message, queue.source)
    attributes = record.pop("attributes")
    assert record.pop("messageId") == message["MessageId"]
    assert record.pop("receiptHandle") == message["ReceiptHandle"]
    assert record == {
        "body": "héllo",
        "messageAttributes": {
            "kind": {
                "stringValue": "x",
                "binaryValue": None,
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
        },
        "md5OfBody": "be50e8478cf24ff3595bc7307fb91b50",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue.url.rpartition('/')[2]}",
        "awsRegion": "us-east-1",
    }
    assert attributes["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} <= set(attributes)
    assert all(isinstance(value, str) for value in attributes.values())


class Unreachable:
    """An SQS that fails each receive with the next of these reasons, and then has nothing."""

    def __init__(self, *reasons: str) -> None:
        self._reasons = list(reasons)
        self.over = threading.Event()

    def receive_message(self, **_: Any) -> dict[str, Any]:
        if self._reasons and (reason := self._reasons.pop(0)):
            raise EndpointConnectionError(endpoint_url=reason)
        if not self._reasons:
            self.over.set()
        return {}


def test_a_queue_that_stays_out_of_reach_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A line at each try hid what else the screen of `trailhook serve` says. An empty reason: there SQS answers."""
    sqs = Unreachable("gone", "gone", "", "gone")
    source = Source("queue", "arn:aws:sqs:us-east-1:123456789012:queue")
    mapping = EventSourceMapping(MappingSettings(), source, cast("SQSClient", sqs), Forward())
    mapping.start()
    assert sqs.over.wait(20)
    mapping.request_stop()
    mapping.join()
    told = [record.getMessage() for record in caplog.records]
    assert [line.split('"')[1] for line in told] == ["gone", "gone"]
    assert all(line.endswith("If that goes on, start the stack again") for line in told)


def test_what_succeeds_is_deleted(queue: Queue) -> None:
    forward = Forward()
    queue.send("one", "two", "three")
    with polling(queue, forward):
        assert eventually(queue.is_empty)
    assert forward.received() == Counter(["one", "two", "three"])


def test_what_fails_comes_back_alone_and_ends_in_the_dead_letters(queue: Queue) -> None:
    poison: list[str] = []

    def fail_the_poison(ids: list[str]) -> Any:
        return {"batchItemFailures": [{"itemIdentifier": one} for one in ids if one in poison]}

    forward = Forward(fail_the_poison)
    queue.send("good", "better")
    poison.append(queue.sqs.send_message(QueueUrl=queue.url, MessageBody="poison")["MessageId"])
    with polling(queue, forward, retry_seconds=0):
        assert eventually(lambda: queue.counts(queue.dead) == (1, 0))
        assert queue.is_empty()
    assert forward.received() == Counter({"good": 1, "better": 1, "poison": 2})
    assert [record["attributes"]["ApproximateReceiveCount"] for record in forward.batches[-1]] == ["2"]


def test_a_failed_invocation_brings_the_whole_batch_back(queue: Queue) -> None:
    failures = iter([InvocationError("Runtime.ExitError", "killed")])

    def fail_once(_ids: list[str]) -> None:
        for failure in failures:
            raise failure

    forward = Forward(fail_once)
    queue.send("one", "two")
    with polling(queue, forward, retry_seconds=1):
        assert eventually(queue.is_empty)
    assert forward.received() == Counter({"one": 2, "two": 2})


def test_without_retry_seconds_what_failed_stays_hidden_for_the_queues_own_timeout(queue: Queue) -> None:
    forward = Forward(lambda ids: {"batchItemFailures": [{"itemIdentifier": ids[0]}]})
    queue.send("one")
    with polling(queue, forward):
        assert eventually(lambda: len(forward.batches) == 1)
        time.sleep(0.3)
        assert queue.counts() == (0, 1)


def test_a_window_collects_beyond_ten(queue: Queue) -> None:
    forward = Forward()
    queue.send(*map(str, range(25)))
    with polling(queue, forward, batch_size=26, window_seconds=60):
        assert eventually(lambda: queue.counts() == (0, 25))
        assert not forward.batches
        queue.send("late")
        assert eventually(queue.is_empty)
    assert [len(batch) for batch in forward.batches] == [26]


def test_a_batch_that_does_not_fill_goes_when_its_window_ends(queue: Queue) -> None:
    forward = Forward()
    queue.send("one", "two")
    began = time.monotonic()
    with polling(queue, forward, batch_size=100, window_seconds=0.5):
        assert eventually(queue.is_empty)
    assert time.monotonic() - began >= 0.5
    assert forward.received() == Counter({"one": 1, "two": 1})


def test_a_full_batch_does_not_wait_for_its_window(queue: Queue) -> None:
    forward = Forward()
    queue.send(*map(str, range(30)))
    with polling(queue, forward, batch_size=15, window_seconds=30):
        assert eventually(lambda: len(forward.batches) == 2)
        assert [len(batch) for batch in forward.batches] == [15, 15]


def test_six_megabytes_are_a_full_batch(queue: Queue) -> None:
    forward = Forward()
    for number in range(8):
        queue.send(str(number) * 1_000_000)
    with polling(queue, forward, batch_size=100, window_seconds=60):
        assert eventually(lambda: len(forward.batches) == 1)
    assert len(forward.batches[0]) == 6


def test_concurrency_has_a_maximum_and_nothing_is_received_beyond_it(queue: Queue) -> None:
    gate = threading.Event()
    forward = Forward(lambda _ids: gate.wait(60) and None)
    with polling(queue, forward, batch_size=1, maximum_concurrency=2):
        for batches in (2, 10):  # Then also after eight that succeeded.
            gate.clear()
            queue.send(*map(str, range(8)))
            assert eventually(lambda: queue.counts() == (6, 2))
            assert not eventually(lambda: queue.counts() != (6, 2), 0.5)
            assert len(forward.batches) == batches
            gate.set()
            assert eventually(queue.is_empty)
    assert forward.most_at_once == 2
    assert sum(forward.received().values()) == 16


def test_polling_backs_off_while_invocations_fail(queue: Queue) -> None:
    def fail(_ids: list[str]) -> None:
        raise InvocationError("ValueError", "always")

    forward = Forward(fail)
    queue.send(*map(str, range(30)))
    with polling(queue, forward, batch_size=1, maximum_concurrency=2):
        assert eventually(lambda: len(forward.batches) >= 2)
        time.sleep(1)
        assert len(forward.batches) <= 6


def test_however_many_failures_there_were_polling_goes_on() -> None:
    assert [backoff_seconds(failures) for failures in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert {backoff_seconds(failures) for failures in (10, 1_023, 1_024, 100_000)} == {MAX_BACKOFF_SECONDS}
