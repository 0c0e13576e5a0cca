"""A 200 of SQS that makes no sense is no confirmation, and no reason to bring a whole batch back."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import boto3
import pytest
from botocore.config import Config
from tests.loopback import Service, serving

from trailhook.deadline import NO_DEADLINE, Deadline
from trailhook.errors import QueueError
from trailhook.queue import SqsDeliveryQueue

NONSENSE = [
    b"<html>",
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"7",
    b'{"MessageId": ["m"], "Failed": 7}',
    b'{"MessageId": 7, "Failed": "all"}',
    b'{"MessageId": "", "Failed": ["m"]}',
]
CALLS: dict[str, Callable[[SqsDeliveryQueue], None]] = {
    "send": lambda queue: queue.send("message"),
    "park": lambda queue: queue.park("message"),
    "postpone": lambda queue: queue.postpone({"handle": 30}, NO_DEADLINE),
    "delete": lambda queue: queue.delete(["handle"], NO_DEADLINE),
}


@pytest.fixture(scope="module")
def sqs() -> Iterator[Service]:
    with serving(None) as service:
        yield service


def _queue(sqs: Service, *urls: str) -> SqsDeliveryQueue:
    session = boto3.Session(aws_access_key_id="fake", aws_secret_access_key="fake", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1})
    return SqsDeliveryQueue(session.client("sqs", endpoint_url=sqs.url, config=once), *urls)


@pytest.fixture(scope="module")
def queue(sqs: Service) -> SqsDeliveryQueue:
    return _queue(sqs, sqs.url, sqs.url)


@pytest.mark.parametrize("answer", NONSENSE)
@pytest.mark.parametrize("call", CALLS)
def test_nonsense_is_a_fault_of_the_queue_and_never_a_confirmation(
    sqs: Service, queue: SqsDeliveryQueue, call: str, answer: bytes
) -> None:
    sqs.answer = lambda _: (200, answer)
    if call in {"send", "park"}:
        # Not that SQS has not taken it: nobody knows.
        with pytest.raises(QueueError, match=r"did not confirm|is no confirmation"):
            CALLS[call](queue)
    else:
        # An answer that names no failure is taken for one of success: what SQS forgot comes back by itself.
        with suppress(QueueError):
            CALLS[call](queue)


def _ask_for(queue: SqsDeliveryQueue, call: str, handles: list[str], deadline: Deadline) -> None:
    queue.delete(handles, deadline) if call == "delete" else queue.postpone(dict.fromkeys(handles, 30), deadline)


@pytest.mark.parametrize("call", ["delete", "postpone"])
def test_an_entry_that_is_refused_keeps_no_other_from_being_asked_for(
    sqs: Service, queue: SqsDeliveryQueue, call: str
) -> None:
    refusal = b'{"Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": true}]}'
    sqs.requests.clear()
    sqs.answer = lambda _: (200, refusal if len(sqs.requests) == 1 else b"{}")
    handles = [f"handle {number}" for number in range(25)]
    with pytest.raises(QueueError, match="1 of 25 entries: ReceiptHandleIsInvalid"):
        _ask_for(queue, call, handles, NO_DEADLINE)
    assert [entry["ReceiptHandle"] for request in sqs.requests for entry in request["Entries"]] == handles


@pytest.mark.parametrize("call", ["delete", "postpone"])
def test_no_ten_is_asked_for_once_the_time_is_over(sqs: Service, queue: SqsDeliveryQueue, call: str) -> None:
    sqs.requests.clear()
    sqs.answer = lambda _: (200, b"{}")
    handles = [f"handle {number}" for number in range(35)]
    # Each request takes a second of the two that there are.
    deadline = Deadline(0, now=lambda: float(len(sqs.requests)), closed_at=1)
    with pytest.raises(QueueError, match="no time left for 15 of 35 entries"):
        _ask_for(queue, call, handles, deadline)
    assert len(sqs.requests) == 2


def test_what_is_sent_waits_in_the_delivery_queue_and_what_is_parked_is_a_dead_letter_at_once(sqs: Service) -> None:
    queue = _queue(sqs, "http://sqs.example/queue", "http://sqs.example/dead-letters")
    sqs.requests.clear()
    sqs.answer = lambda _: (200, b'{"MessageId": "m"}')
    queue.send("first", 8)
    queue.park("second")
    assert [(request["QueueUrl"], request["MessageBody"], request["DelaySeconds"]) for request in sqs.requests] == [
        ("http://sqs.example/queue", "first", 8),
        ("http://sqs.example/dead-letters", "second", 0),
    ]


def test_without_a_dead_letter_queue_nothing_is_parked_and_the_error_names_the_setting(sqs: Service) -> None:
    with pytest.raises(QueueError, match="DEAD_LETTER_QUEUE_URL is not set"):
        _queue(sqs, sqs.url).park("message")


@pytest.mark.parametrize("call", ["delete", "postpone"])
def test_where_sqs_refuses_nothing_there_is_no_fault(sqs: Service, queue: SqsDeliveryQueue, call: str) -> None:
    sqs.requests.clear()
    sqs.answer = lambda _: (200, b'{"Failed": []}')
    _ask_for(queue, call, ["handle"], NO_DEADLINE)
    [request] = sqs.requests
    assert request["Entries"] == [
        {"Id": "0", "ReceiptHandle": "handle"} | ({"VisibilityTimeout": 30} if call == "postpone" else {})
    ]
