"""CloudFormation's side of a custom resource, by its documented rules: requests, the bucket for answers, rollbacks.

A failed Create is followed by a Delete of the id it failed with. A failed Update is followed by an Update back. A new
physical id in an Update is followed by a Delete of the old one, once the stack's update is over.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import Exchange, listening

Properties = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], None]


@dataclass
class Context:
    """Lambda's context object, with `seconds` to go from the moment it is made."""

    seconds: float = 60.0
    log_group_name: str = "/aws/lambda/trailhook-integration"
    log_stream_name: str = "2026/11/22/[$LATEST]0123456789abcdef"
    began: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.began + self.seconds - time.monotonic()) * 1000)


@dataclass
class Answer:
    """What the bucket was given, and how long after the request."""

    body: dict[str, Any]
    size: int
    headers: dict[str, str]
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return bool(self.body["Status"] == "SUCCESS")

    @property
    def reason(self) -> str:
        return str(self.body.get("Reason", ""))

    @property
    def physical_id(self) -> str:
        return str(self.body["PhysicalResourceId"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(self.body.get("Data", {}))


@dataclass
class Bucket:
    """The pre-signed URL. `statuses` are given out first, one a PUT; `delay` is waited before each answer.

    The first `drips` PUTs are taken and answered so slowly, byte by byte, that the answer never ends.
    """

    answers: list[Answer] = field(default_factory=list)
    attempts: int = 0
    statuses: list[int] = field(default_factory=list)
    delay: float = 0.0
    drips: int = 0
    server: str = ""
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        path = f"/arn%3Aaws%3Acloudformation%3Aus-east-1%3A111122223333%3Astack/{uuid.uuid4()}"
        query = "AWSAccessKeyId=AKIAEXAMPLEFAKE&Expires=1795000000&Signature=FakeSignatureOfTheUrl%3D"
        return f"{self.server}{path}?{query}"

    def take(self, exchange: Exchange) -> None:
        body = exchange.body()
        self.attempts += 1
        time.sleep(self.delay)
        self.drips -= 1
        if self.drips >= 0:
            with suppress(OSError):  # until the other side has had enough
                while not self.closed.wait(0.05):
                    exchange.wfile.write(b"H")
            return
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.answers.append(Answer(json.loads(body), len(body), dict(exchange.headers)))
        exchange.answer(status)


@contextmanager
def serving_bucket() -> Iterator[Bucket]:
    """A bucket that takes answers meanwhile; what still drips at the end is over then."""
    bucket = Bucket()
    with listening(bucket.take) as bucket.server:
        try:
            yield bucket
        finally:
            bucket.closed.set()


class CloudFormation:
    """One stack with one integration in it."""

    def __init__(
        self, handler: Handler, bucket: Bucket, *, name: str = "audit", logical_id: str = "Integration"
    ) -> None:
        self._handler = handler
        self.bucket = bucket
        self.logical_id = logical_id
        self.stack_id = f"arn:aws:cloudformation:us-east-1:111122223333:stack/{name}/{uuid.uuid4()}"
        self.physical_id: str | None = None
        self.properties: Properties = {}
        self.seconds = 60.0
        self.log: list[tuple[str, str]] = []
        self.last_event: dict[str, Any] = {}

    def create(self, properties: Properties) -> Answer:
        """Create; after a failure the rollback's Delete, which must succeed."""
        answer = self.send("Create", properties)
        if answer.succeeded:
            self.physical_id, self.properties = answer.physical_id, properties
        else:
            self._must("Delete", properties, physical_id=answer.physical_id)
        return answer

    def create_that_times_out(self, properties: Properties, *, seconds: float) -> None:
        """The function is gone before it answers: CloudFormation deletes an id that it makes up itself."""
        with self._unheard():
            self.send_unanswered("Create", properties, seconds=seconds)
        self._must("Delete", properties, physical_id=f"audit-{self.logical_id}-1A2B3C4D5E6F")

    def update(self, properties: Properties, *, another_resource_fails: bool = False) -> Answer:
        """Update; roll back where it fails or `another_resource_fails`; at the end delete what was replaced."""
        before, old = self.physical_id, self.properties
        assert before
        answer = self.send("Update", properties, physical_id=before, old_properties=old)
        now = answer.physical_id
        if not answer.succeeded:
            assert now == before, "a failed Update must keep its physical id"
        if answer.succeeded and not another_resource_fails:
            self.physical_id, self.properties = now, properties
            obsolete = {before} - {now}
            replaced = old
        else:
            rolled_back = self._must("Update", old, physical_id=now, old_properties=properties)
            self.physical_id = rolled_back.physical_id
            obsolete = {before, now} - {self.physical_id}
            replaced = properties
        for physical_id in obsolete:
            self.send("Delete", replaced, physical_id=physical_id)
        return answer

    def delete(self, **changes: str) -> Answer:
        answer = self.send("Delete", {**self.properties, **changes}, physical_id=self.physical_id)
        if answer.succeeded:
            self.physical_id = None
        return answer

    def send(self, kind: str, properties: Properties, **fields: Any) -> Answer:
        """One request, as it is, and its answer; `fields`: physical_id, old_properties, seconds."""
        heard = len(self.bucket.answers)
        seconds = self.send_unanswered(kind, properties, **fields)
        new = self.bucket.answers[heard:]
        assert len(new) == 1, f"CloudFormation was answered {len(new)} times"
        answer = new[0]
        answer.seconds = seconds
        assert answer.body.keys() >= {"Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId"}
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            assert answer.body[name] == self.last_event[name]
        assert answer.succeeded or answer.reason
        assert answer.size <= 4096
        if kind != "Create":
            assert kind == "Update" or answer.physical_id == fields["physical_id"]
        self.log.append((kind, answer.body["Status"]))
        return answer

    def send_unanswered(
        self,
        kind: str,
        properties: Properties,
        *,
        physical_id: str | None = None,
        old_properties: Properties | None = None,
        seconds: float | None = None,
    ) -> float:
        """One request, whether it is answered or not. Returns how long the function took."""
        self.last_event = {
            "RequestType": kind,
            "RequestId": str(uuid.uuid4()),
            "ResponseURL": self.bucket.url,
            "StackId": self.stack_id,
            "LogicalResourceId": self.logical_id,
            "ResourceType": "Custom::CloudTrailIntegration",
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:trailhook-integration",
            "ResourceProperties": {"ServiceToken": "arn:…", "ServiceTimeout": "300", **properties},
            **({"PhysicalResourceId": physical_id} if physical_id else {}),
            **({"OldResourceProperties": {"ServiceToken": "arn:…", **old_properties}} if old_properties else {}),
        }
        return self.replay(seconds)

    def replay(self, seconds: float | None = None) -> float:
        """The last request once more, as it can come."""
        context = Context(seconds or self.seconds)
        self._handler(self.last_event, context)
        left = context.get_remaining_time_in_millis() / 1000
        assert left > 0, f"the function's deadline was over {-left:.1f} s ago"
        return context.seconds - left

    def _must(self, kind: str, properties: Properties, **fields: Any) -> Answer:
        answer = self.send(kind, properties, **fields)
        assert answer.succeeded, f"{kind} failed in a rollback, which leaves the stack stuck: {answer.reason}"
        return answer

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        heard = len(self.bucket.answers)
        yield
        del self.bucket.answers[heard:]
