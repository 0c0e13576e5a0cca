"""Whichever of receive's calls fails, in whatever way, and while the secret is rotated: no 2xx without the delivery, no
genuine sender called a forger, nothing unproven on the queue, and all works again with the next try.

test_outages.py takes whole services away. Here each call is interrupted in turn, in each way that a call can be.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import MemoryClock
from tests.receive.senders import NOW, api_gateway_event, github_headers, standard_webhooks_headers
from tests.receive.sns_sender import (
    CONFIRMED,
    HEADERS,
    HOST,
    TOKEN,
    TOPIC,
    about_subscription,
    certificate,
    key,
    notification,
    signed,
    time_text,
)

from trailhook.assembly.receive import receive_limits
from trailhook.envelope import decode_envelope
from trailhook.errors import FetchError
from trailhook.https import CONNECT_SECONDS, READ_SECONDS, Fetched
from trailhook.partner import Options, Partner
from trailhook.partners import cloudstoragesecurity, load_partner
from trailhook.queue import SqsDeliveryQueue
from trailhook.receive import Receiver
from trailhook.secrets_manager import SecretsManagerStore
from trailhook.webhook_secret import CACHE_SECONDS, WebhookSecret
from trailhook_local.chaos.process import ProcessDied

PATIENCE_SECONDS = 2.0
CLOSED = "its connection is closed"
ROTATED = "the secret is rotated before"
WAYS = (
    *("fails", "hangs", "nonsense", "its answer is lost", "its answer is late"),
    *("killed before", "killed after", CLOSED, ROTATED),
)
TRIES = 4
PAUSE_SECONDS = 60.0
"""How often, and after how long, a partner sends again what got no 2xx."""


class ResourceNotFoundException(Exception):
    """Secrets Manager has no version with that stage."""


class Aws:
    """Secrets Manager, SQS and SNS around receive, as clients and as fetcher. `plan` says which of its calls, from 1
    on, go wrong in which way.
    """

    exceptions: Any = type("exceptions", (), {"ResourceNotFoundException": ResourceNotFoundException})

    def __init__(self, plan: Mapping[int, str], secrets: tuple[str, str]) -> None:
        self.plan = plan
        self.clock = MemoryClock(NOW)
        self.calls = 0
        self.bodies: list[bytes] = []
        self.confirmed = 0
        self.secrets = secrets
        self.versions = {"AWSCURRENT": (secrets[0], self.clock.time - 1_000_000)}

    def rotate(self) -> None:
        if self.secret == self.secrets[0]:
            self.versions["AWSPREVIOUS"] = self.versions["AWSCURRENT"]
            self.versions["AWSCURRENT"] = (self.secrets[1], self.clock.time)

    @property
    def secret(self) -> str:
        return self.versions["AWSCURRENT"][0]

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> Any:  # noqa: ARG002, N803 - the SDK's names
        def get() -> Any:
            if VersionStage not in self.versions:
                raise ResourceNotFoundException
            value, created = self.versions[VersionStage]
            return {"SecretString": value, "CreatedDate": datetime.fromtimestamp(created, UTC)}

        return self._call(get, ReadTimeoutError(endpoint_url=""), "<html>", self.limits[0])

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> Any:  # noqa: ARG002, N803
        def send() -> Any:
            self.bodies.append(decode_envelope(MessageBody).delivery.body)
            return {"MessageId": "m"}

        return self._call(send, ReadTimeoutError(endpoint_url=""), {"MessageId": ""}, self.limits[1])

    def get(self, host: str, target: str) -> Fetched:
        assert host == HOST

        def fetch() -> Fetched:
            if target.startswith("/?"):
                assert f"Token={TOKEN}" in target
                self.confirmed += 1
                return Fetched(200, CONFIRMED)
            return Fetched(200, certificate())

        seconds = CONNECT_SECONDS + READ_SECONDS
        answer: Fetched = self._call(fetch, FetchError(f"{host} did not answer"), Fetched(200, b"<html>"), seconds)
        return answer

    def _call(self, effect: Any, lost: Exception, nonsense: Any, limit: float) -> Any:
        self.calls += 1
        way = self.plan.get(self.calls, "")
        self.clock.time += limit if way in {"hangs", "its answer is late"} else 0.02
        if way == ROTATED:
            self.rotate()
        if way == "killed before":
            raise ProcessDied
        if way == CLOSED and not isinstance(lost, FetchError):
            raise ConnectionClosedError(endpoint_url="")
        if way in {"fails", "hangs", CLOSED}:
            raise lost
        if way == "nonsense":
            return nonsense
        answer = effect()
        if way == "killed after":
            raise ProcessDied
        if way in {"its answer is lost", "its answer is late"}:
            raise lost
        return answer

    def process(self, name: str) -> Receiver:
        """A cold function."""
        partner: Partner = cloudstoragesecurity.partner(Options(), self)
        if name != partner.name:
            partner = load_partner(name, Options())
        self.limits = [
            limits.connect_timeout + limits.read_timeout  # type: ignore[attr-defined] # botocore sets its options late
            for limits in receive_limits(PATIENCE_SECONDS, partner.fetch_seconds)
        ]
        client: Any = self
        secret = WebhookSecret(
            SecretsManagerStore(client, "arn", closed_seconds=60), grace_hours=24, now=self.clock.now
        )
        return Receiver(partner, secret, SqsDeliveryQueue(client, "queue", closed_seconds=60))


class Traffic:
    """What the partner `name` and a forger send, one after the other, and what must be true of each answer."""

    def __init__(self, name: str, plan: Mapping[int, str]) -> None:
        self.name = name
        first, second = (
            f"{TOPIC}#{word}" if name == cloudstoragesecurity.NAME else word for word in ("K3y-1", "K3y-2")
        )
        self.aws = Aws(plan, (first, second))
        self.receiver = self.aws.process(name)
        self.genuine: list[bytes] = []

    def run(self) -> "Traffic":
        sends = self._sns if self.name == cloudstoragesecurity.NAME else self._github
        former = self.aws.secret
        sends(former, "a")
        self.aws.rotate()
        sends(self.aws.secret, "b")
        self._github(former, "c") if self.name == "github" else self._standard_webhooks(former, "c")
        self.aws.clock.time += CACHE_SECONDS + 1
        sends(self.aws.secret, "d")
        assert set(self.aws.bodies) == set(self.genuine), "nothing is lost, and nothing unproven is queued"
        assert len(self.aws.bodies) <= len(self.genuine) + len(self.aws.plan)
        return self

    def _github(self, secret: str, word: str) -> None:
        body = json.dumps({"is": word}).encode()
        self._deliver(body, lambda: github_headers(secret, body))
        forged = json.dumps({"forged": word}).encode()
        self._forge(forged, github_headers("guessed", forged))

    def _standard_webhooks(self, secret: str, word: str) -> None:
        body = json.dumps({"is": word}).encode()
        moment = str(int(self.aws.clock.time))
        self._deliver(body, lambda: standard_webhooks_headers(secret.encode(), body, timestamp=moment))

    def _sns(self, secret: str, word: str) -> None:
        when = time_text(self.aws.clock.time - NOW)
        before = self.aws.confirmed
        confirmation = signed(about_subscription(Timestamp=when))
        self._deliver(confirmation, lambda: HEADERS, status=200)
        assert self.aws.confirmed > before
        body = signed(notification(Timestamp=when, MessageId=word))
        self._deliver(body, lambda: HEADERS)
        self._standard_webhooks(secret, word)
        for message in (notification(Timestamp=when), about_subscription(Timestamp=when)):
            confirmed = self.aws.confirmed
            self._forge(signed(message, private_key=key(1)), HEADERS)
            assert self.aws.confirmed == confirmed

    def _deliver(self, body: bytes, headers: Any, status: int = 202) -> None:
        """Send it as often as a partner does."""
        if status == 202:
            self.genuine.append(body)
        for _ in range(TRIES):
            answer = self._post(body, headers())
            if answer == status:
                assert status != 202 or body in self.aws.bodies
                return
            assert answer == 503, (answer, self.aws.plan)
            self.aws.clock.time += PAUSE_SECONDS
        raise AssertionError(f"never taken: {self.aws.plan}")

    def _forge(self, body: bytes, headers: Mapping[str, str]) -> None:
        assert self._post(body, headers) in {401, 503}

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        began, queued = self.aws.clock.time, len(self.aws.bodies)
        event = api_gateway_event(body, headers, received_at=int(began * 1000))
        try:
            answer = self.receiver.answer(event)
        except ProcessDied:
            self.receiver = self.aws.process(self.name)
            return 503  # API Gateway's own answer is a 5xx
        assert self.aws.clock.time - began < PATIENCE_SECONDS + 0.1, (self.aws.plan, self.aws.clock.time - began)
        status = int(answer.response.status)
        assert answer.log["status"] == status
        if answer.log.get("queued"):
            assert (status, len(self.aws.bodies)) == (202, queued + 1)
        assert ("refused" in answer.log) == (status >= 400)
        said = json.dumps(answer.log) + answer.response.body
        assert not any(secret in said for secret in ("K3y-1", "K3y-2", TOKEN, base64.b64encode(b"K3y-1").decode()))
        return status


PARTNERS = pytest.mark.parametrize("name", ["github", cloudstoragesecurity.NAME])


@PARTNERS
@pytest.mark.parametrize("way", WAYS)
def test_no_delivery_is_lost_or_called_forged_whichever_call_is_interrupted(name: str, way: str) -> None:
    calls = Traffic(name, {}).run().aws.calls
    assert calls > 8
    for number in range(1, calls + 1):
        Traffic(name, {number: way}).run()


@PARTNERS
@given(st.dictionaries(st.integers(1, 30), st.sampled_from(WAYS), max_size=3))
def test_no_delivery_is_lost_or_called_forged_whichever_few_calls_are_interrupted(
    name: str, plan: dict[int, str]
) -> None:
    Traffic(name, plan).run()
