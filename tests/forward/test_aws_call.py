"""What ends a call to AWS is the caller's own error, without a word of the answer; memory that ends is none of it."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from trailhook.aws_call import failing_as
from trailhook.errors import QueueError
from trailhook.queue import SqsDeliveryQueue


def test_what_an_answer_says_is_in_no_message() -> None:
    """It may be the webhook secret, and messages are logged."""
    with pytest.raises(QueueError) as told, failing_as(QueueError, "SQS did not answer"):
        int("what-an-answer-says")
    where = r"\(ValueError at test_aws_call\.py:[0-9]+, called from aws_call\.py:[0-9]+\)"
    assert re.fullmatch(rf"SQS did not answer: its answer makes no sense {where}", str(told.value))


def test_a_refusal_is_told_by_its_code() -> None:
    """It tells what the operator has to allow, or to put back."""
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "Not allowed."}}, "SendMessage")
    with pytest.raises(QueueError) as told, failing_as(QueueError, "SQS did not confirm the message"):
        raise refusal
    assert str(told.value) == f"SQS did not confirm the message: {refusal}"
    assert "(AccessDenied)" in str(told.value)


def test_of_what_fails_in_a_library_our_own_line_is_told_too() -> None:
    class Client:
        def send_message(self, **_: Any) -> Any:
            return json.loads("what-an-answer-says")

    client: Any = Client()
    with pytest.raises(QueueError) as told:
        SqsDeliveryQueue(client, "https://sqs.example/queue").send("a message")
    where = r"\(JSONDecodeError at decoder\.py:[0-9]+, called from queue\.py:[0-9]+\)"
    assert re.fullmatch(rf"SQS did not confirm the message: its answer makes no sense {where}", str(told.value))


def test_what_fails_in_our_own_line_is_told_once() -> None:
    class Client:
        def send_message(self, **_: Any) -> None:
            return None

    client: Any = Client()
    with pytest.raises(QueueError) as told:
        SqsDeliveryQueue(client, "https://sqs.example/queue").send("a message")
    assert re.fullmatch(r"SQS did not confirm the message: .* \(AttributeError at queue\.py:[0-9]+\)", str(told.value))


def test_where_memory_ends_no_service_is_said_to_have_failed() -> None:
    with pytest.raises(MemoryError), failing_as(QueueError, "SQS did not answer"):
        raise MemoryError
