"""A stack's queues and bucket on moto's server, forward at work on them, and `trailhook redrive` as one runs it."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from tests.forward.ports import MemoryDestination

from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import Delivery
from trailhook.envelope import Envelope, encode_envelope
from trailhook.forward import Forwarder
from trailhook.mapping import Mapper
from trailhook.partner import Options, Partner
from trailhook.partners import Partners
from trailhook.quarantine_bucket import QuarantineBucket
from trailhook.queue import SqsDeliveryQueue
from trailhook_local.cli.main import main
from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.servers import Server

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

ACCOUNT = "111122223333"


@dataclass(frozen=True)
class Kept:
    """What a stack keeps for an operator."""

    queue_url: str
    dead_letter_queue_url: str
    bucket: str


@dataclass
class Place:
    """One integration's own resources; `destination` is the Lake that its forward delivers to."""

    endpoints: Endpoints
    resources: Kept
    sqs: "SQSClient"
    s3: "S3Client"
    destination: MemoryDestination = field(default_factory=MemoryDestination)

    def send(self, *messages: str, dead: bool = False) -> None:
        url = self.resources.dead_letter_queue_url if dead else self.resources.queue_url
        for message in messages:
            self.sqs.send_message(QueueUrl=url, MessageBody=message)

    def queue(self, *deliveries: Delivery, dead: bool = False) -> None:
        self.send(*(encode_envelope(Envelope(delivery)) for delivery in deliveries), dead=dead)

    def forward(self, partners: Mapping[str, Partner] | None = None) -> Mapping[str, int]:
        """Let forward empty the delivery queue; its account of the events."""
        forwarder = Forwarder(
            mapper=Mapper(partners or Partners(Options(accept_hec=True))),
            account_id=ACCOUNT,
            deliverer=Deliverer(self.destination, parallel=1, sleep=lambda _seconds: None),
            queue=SqsDeliveryQueue(self.sqs, self.resources.queue_url, self.resources.dead_letter_queue_url),
            quarantine=QuarantineBucket(lambda: self.s3, self.resources.bucket, self.resources.queue_url),
        )
        unfinished, ledger = forwarder.forward(self.take(self.resources.queue_url), Deadline.of(None))
        assert unfinished == []
        return ledger.events

    def take(self, url: str) -> list[dict[str, Any]]:
        """Everything on a queue, off it, as the event source mapping hands it over."""
        taken = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append({"messageId": message["MessageId"], "receiptHandle": "", "body": message["Body"]})
        return taken

    def waiting(self, *, dead: bool = False) -> int:
        """How many messages are visible."""
        url = self.resources.dead_letter_queue_url if dead else self.resources.queue_url
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    def keys(self, folder: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.resources.bucket, Prefix=f"{folder}/")
        return [found["Key"] for found in listed.get("Contents", [])]

    def lines(self) -> list[dict[str, Any]]:
        """Every line in quarantine, in the order of the keys."""
        return [
            json.loads(line)
            for key in self.keys("quarantine")
            for line in self.s3.get_object(Bucket=self.resources.bucket, Key=key)["Body"].read().splitlines()
        ]

    def redrive(self, what: str, *options: str, named: Sequence[str] | None = None) -> Result:
        """`trailhook redrive`, told queues and bucket by name unless `named` says otherwise."""
        if named is None:
            other = ("--bucket", self.resources.bucket)
            if what == "dead-letters":
                other = ("--dead-letter-queue-url", self.resources.dead_letter_queue_url)
            named = ["--queue-url", self.resources.queue_url, *other]
        return self.run("redrive", what, *named, *options)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env=dict(self.endpoints.environment()))


@pytest.fixture(scope="session")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """moto's server; there is no Lake."""
    server = Server("trailhook_local.stack.aws", [], tmp_path_factory.mktemp("aws") / "aws.log")
    try:
        yield Endpoints(aws=server.wait_ready(), cloudtrail="http://127.0.0.1:9", region="us-east-1")
    finally:
        server.stop()


@pytest.fixture(scope="session")
def make_place(endpoints: Endpoints) -> Callable[[], Place]:
    sqs, s3 = endpoints.client("sqs"), endpoints.client("s3")

    def make() -> Place:
        name = uuid.uuid4().hex
        dead_letters = sqs.create_queue(QueueName=f"dead-{name}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 90})
        queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return Place(endpoints, Kept(queue, dead_letters, name), sqs, s3)

    return make


@pytest.fixture
def place(make_place: Callable[[], Place]) -> Place:
    return make_place()


@pytest.fixture
def nine_hours_ahead() -> Iterator[None]:
    """The operator's clock, where it is not UTC's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bucket is another account's now and lets everybody in, unless the call says whose it has to be.

    S3 refuses that one; moto does not look.
    """
    call: Callable[..., Any] = vars(BaseClient)["_make_api_call"]

    def answer(client: Any, operation: str, parameters: Any) -> Any:
        if parameters.get("ExpectedBucketOwner", "999999999999") != "999999999999":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, operation)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", answer)
