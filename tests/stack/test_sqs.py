"""SQS as the stack serves it: moto's own behaviour, with nothing lost between threads and no slower for a backlog."""

import json
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.status.metrics import oldest_messages

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

pytestmark = pytest.mark.stack
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sqs(endpoints: Endpoints) -> "SQSClient":
    client: SQSClient = endpoints.client("sqs")
    return client


@pytest.fixture
def queue(sqs: "SQSClient") -> str:
    return sqs.create_queue(QueueName=str(uuid.uuid4()))["QueueUrl"]


def count(sqs: "SQSClient", queue: str, name: str = "ApproximateNumberOfMessages") -> int:
    return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"][name])  # type: ignore[index]


def send(sqs: "SQSClient", queue: str, bodies: list[str]) -> None:
    for start in range(0, len(bodies), 10):
        entries: Any = [
            {"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies[start : start + 10])
        ]
        assert not sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")


def test_a_message_goes_round(sqs: "SQSClient", queue: str) -> None:
    sqs.send_message(
        QueueUrl=queue, MessageBody="hello", MessageAttributes={"a": {"DataType": "String", "StringValue": "1"}}
    )
    (message,) = sqs.receive_message(
        QueueUrl=queue, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], VisibilityTimeout=0
    )["Messages"]
    assert message["Body"] == "hello"
    assert message["MessageAttributes"]["a"].get("StringValue") == "1"
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    (again,) = sqs.receive_message(QueueUrl=queue, MessageSystemAttributeNames=["All"], WaitTimeSeconds=1)["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    assert count(sqs, queue, "ApproximateNumberOfMessagesNotVisible") == 1
    # A handle of an earlier receive is no error, and deletes nothing; deleting twice is none, an unknown handle is one.
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert count(sqs, queue, "ApproximateNumberOfMessagesNotVisible") == 1
    for _ in range(2):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    assert count(sqs, queue, "ApproximateNumberOfMessagesNotVisible") == 0
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="unknown")


def test_a_changed_visibility_counts(sqs: "SQSClient", queue: str) -> None:
    send(sqs, queue, ["one"])
    (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=300)["Messages"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]) == 1


def test_a_message_received_too_often_goes_to_the_dead_letters(sqs: "SQSClient", queue: str) -> None:
    dead = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 2}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    send(sqs, queue, ["poison"])
    for _ in range(2):
        assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert (count(sqs, queue), count(sqs, dead)) == (0, 1)
    assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"


def test_dead_letters_are_moved_back_as_new_messages(sqs: "SQSClient", queue: str) -> None:
    dead = sqs.create_queue(QueueName=str(uuid.uuid4()))["QueueUrl"]
    source, dead_arn = (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for url in (queue, dead)
    )
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=dead_arn)
    policy = f'{{"deadLetterTargetArn": "{dead_arn}", "maxReceiveCount": 1}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    send(sqs, queue, ["received too often"])
    assert sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    send(sqs, dead, ["parked"])
    sqs.start_message_move_task(SourceArn=dead_arn)
    assert (count(sqs, queue), count(sqs, dead)) == (1, 1)
    sqs.start_message_move_task(SourceArn=dead_arn, DestinationArn=source)
    assert (count(sqs, queue), count(sqs, dead)) == (2, 0)
    moved = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])["Messages"]
    assert {message["Body"] for message in moved} == {"received too often", "parked"}
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in moved} == {"1"}
    (task,) = sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\ufffe", "\uffff"])
def test_characters_outside_xml_are_refused(sqs: "SQSClient", queue: str, character: str) -> None:
    with pytest.raises(ClientError, match="InvalidMessageContents"):
        sqs.send_message(QueueUrl=queue, MessageBody=f"a{character}b")


def test_a_message_is_measured_in_bytes(sqs: "SQSClient", queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1_048_576)
    with pytest.raises(ClientError, match="1048576 bytes"):
        sqs.send_message(QueueUrl=queue, MessageBody="é" * 600_000)


def test_a_backlog_of_a_thousand_does_not_slow_the_next_ten() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.stack.backlog"], cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=240
    )
    # With moto's own it is fifty.
    assert float(told.stdout) < 10


def test_no_message_is_lost_between_senders_and_deleters(sqs: "SQSClient", queue: str) -> None:
    bodies = [str(number) for number in range(300)]
    seen: list[str] = []
    all_sent = threading.Event()

    def consume() -> None:
        ended = False
        while not ended:
            all_were_sent = all_sent.is_set()
            received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in received.get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                seen.append(message["Body"])
            ended = all_were_sent and "Messages" not in received

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    for consumer in consumers:
        consumer.start()
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    all_sent.set()
    for consumer in consumers:
        consumer.join()
    assert sorted(seen) == sorted(bodies)


def test_the_age_of_the_oldest_message_is_told_as_sqs_tells_it(sqs: "SQSClient", endpoints: Endpoints) -> None:
    dead = sqs.create_queue(QueueName=str(uuid.uuid4()))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 4})
    queue = sqs.create_queue(QueueName=str(uuid.uuid4()), Attributes={"RedrivePolicy": policy})["QueueUrl"]
    assert ages(endpoints, queue, dead) == (None, None)
    send(sqs, queue, ["a"])
    time.sleep(1.1)
    [age, _] = ages(endpoints, queue, dead)
    assert age is not None
    assert age >= 1
    for _ in range(3):
        sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
    assert ages(endpoints, queue, dead) == (None, None)
    before = time.monotonic()
    for _ in range(2):
        sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
    # Among the dead letters it is since then, and its receives count anew. Since it was sent it would be a second more.
    [age, dead_age] = ages(endpoints, queue, dead)
    assert age is None
    assert dead_age is not None
    assert dead_age <= time.monotonic() - before


def ages(endpoints: Endpoints, *queues: str) -> tuple[int | None, int | None]:
    told = oldest_messages(endpoints.client("cloudwatch"), *queues)
    return told.deliveries, told.dead_letters
