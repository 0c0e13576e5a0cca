"""The receive function as Lambda runs it, against SQS and Secrets Manager in this process."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from trailhook.assembly.receive import receiver
from trailhook.envelope import Envelope, decode_envelope
from trailhook.telemetry import logger
from trailhook_local.stack.worker import load_handler

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
SECRET = "TrailhookFakeSecretForLocalUseOnly0000000000"
Handler = Callable[[Any, object], dict[str, Any]]


@pytest.fixture(scope="session")
def handler() -> Handler:
    """`functions/receive/app.py: handler`, loaded from its file as Lambda does."""
    return cast("Handler", load_handler(ROOT / "functions/receive/app.py", "handler"))


@dataclass
class ReceiveFunction:
    """The function with its environment, and what it left in AWS, in its log and among its metrics."""

    handler: Handler
    environ: pytest.MonkeyPatch
    log: io.StringIO
    secrets_manager: Any
    sqs: Any
    secret_arn: str
    queue_url: str

    def configure(self, **environ: str) -> None:
        for name, value in environ.items():
            self.environ.setenv(name, value)

    def __call__(self, event: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Status, body (an empty one is {}) and headers of the answer."""
        answer = self.handler(event, None)
        assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert answer["isBase64Encoded"] is False
        return answer["statusCode"], json.loads(answer["body"] or "{}"), answer["headers"]

    def queued(self) -> list[Envelope]:
        """Take what is on the queue."""
        messages = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        return [decode_envelope(message["Body"]) for message in messages]

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def put_secret(self, value: str) -> None:
        self.secrets_manager.put_secret_value(SecretId=self.secret_arn, SecretString=value)


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[Any, Any]]:
    """Clients of Secrets Manager and SQS in this process."""
    with mock_aws():
        yield boto3.client("secretsmanager", region_name=REGION), boto3.client("sqs", region_name=REGION)


@pytest.fixture
def function(handler: Handler, aws: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[ReceiveFunction]:
    """The receive function of a stack of its own, whose partner is `custom`."""
    secrets_manager, sqs = aws
    name = uuid4().hex
    function = ReceiveFunction(
        handler,
        monkeypatch,
        io.StringIO(),
        secrets_manager,
        sqs,
        secrets_manager.create_secret(Name=name, SecretString=SECRET)["ARN"],
        sqs.create_queue(QueueName=name)["QueueUrl"],
    )
    function.configure(
        AWS_DEFAULT_REGION=REGION,
        PARTNER="custom",
        DELIVERY_QUEUE_URL=function.queue_url,
        WEBHOOK_SECRET_ARN=function.secret_arn,
        PATIENCE_SECONDS="30",
    )
    to_stdout = logger("receive").registered_handler
    assert isinstance(to_stdout, logging.StreamHandler)
    # Not by setStream, which flushes the former one: whichever test came first may have closed it.
    former, to_stdout.stream = to_stdout.stream, function.log
    yield function
    to_stdout.stream = former
    receiver.cache_clear()
