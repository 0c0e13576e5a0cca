"""Requests as they arrive: where botocore would have sent them, signed, and only to whom the certificate names."""

import base64
import contextlib
import hashlib
import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from tests.forward.ports import event_data
from tests.loopback import Exchange, listening, own_authority, tunnel

from trailhook.assembly.forward import ca_bundle, forwarder
from trailhook.batch import Entry
from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.delivery import Delivery
from trailhook.envelope import Envelope, encode_envelope
from trailhook.errors import NoAnswer
from trailhook.put_audit_events import SignedPutAuditEvents
from trailhook.settings import ForwardSettings

SESSION = boto3.Session(aws_access_key_id="AKIAFAKE", aws_secret_access_key="fake", region_name="us-east-1")
ARN = "arn:aws:cloudtrail:us-east-1:111122223333:channel/00000000-0000-4000-8000-000000000000"


@dataclass
class Sent:
    """A request as it arrives."""

    target: str
    headers: dict[str, str]
    body: bytes


@contextlib.contextmanager
def taking_everything(tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Sent]]]:
    """A server that takes everything, and the requests that it has got."""
    requests: list[Sent] = []

    def respond(exchange: Exchange) -> None:
        requests.append(Sent(exchange.path, dict(exchange.headers.items()), exchange.body()))
        exchange.answer(200, b'{"successful": [], "failed": []}')

    with listening(respond, tls) as url:
        yield url, requests


def test_the_request_is_the_one_that_botocore_would_have_made_and_its_signature_covers_the_body() -> None:
    batch = [
        Entry.of("plain", b'{"a": 1}'),
        Entry.of("awkward", json.dumps({"line": '\u2028"\\\x7f😀'}, ensure_ascii=False).encode()),
        Entry.of("id", b"not JSON"),
    ]
    events: Any = [
        {
            "id": one.id,
            "eventData": event_data(one),
            "eventDataChecksum": base64.b64encode(hashlib.sha256(event_data(one).encode()).digest()).decode(),
        }
        for one in batch
    ]
    with taking_everything() as (url, requests):
        client = SESSION.client("cloudtrail-data", endpoint_url=url)
        CloudTrailLake(SignedPutAuditEvents(client, ARN, "external/id=1")).put(batch)
        client.put_audit_events(channelArn=ARN, externalId="external/id=1", auditEvents=events)
    request, expected = requests
    assert request.target == expected.target
    for_retries = {"amz-sdk-invocation-id", "amz-sdk-request"}
    assert request.headers.keys() == expected.headers.keys() - for_retries
    assert request.headers["Content-Type"] == expected.headers["Content-Type"]
    assert request.headers["Content-Length"] == str(len(request.body))
    assert request.body.isascii()
    assert json.loads(request.body) == json.loads(expected.body)

    authorization = request.headers["Authorization"]
    signed = re.search("SignedHeaders=([^,]*)", authorization)
    credentials = SESSION.get_credentials()
    assert signed
    assert credentials
    named = {name.lower(): value for name, value in request.headers.items()}
    again = AWSRequest(
        "POST", f"{url}{request.target}", {name: named[name] for name in signed[1].split(";")}, request.body
    )
    again.context["timestamp"] = named["x-amz-date"]
    signer = SigV4Auth(credentials.get_frozen_credentials(), "cloudtrail-data", "us-east-1")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert authorization.endswith(f"Signature={signature}")


@pytest.mark.timeout(60)
def test_a_connection_that_nobody_takes_is_waited_for_no_longer_than_the_client_says() -> None:
    """By itself the system would try for two minutes, and Lambda end forward before that."""
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            # More than wait to be accepted: whoever comes then gets no answer at all.
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        config = Config(connect_timeout=0.3, read_timeout=120, retries={"total_max_attempts": 1})
        client = SESSION.client("cloudtrail-data", endpoint_url=url, config=config)
        with pytest.raises(NoAnswer, match="ConnectTimeoutError"):
            SignedPutAuditEvents(client, ARN).post(b"{}")


@pytest.mark.parametrize("form", ["http://{}", "{}", "http://user:p%40ss@{}"], ids=["URL", "bare", "with a password"])
def test_a_proxy_of_the_environment_is_asked_for_the_service(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with taking_everything() as (url, requests):
        monkeypatch.setenv("http_proxy", form.format(url.removeprefix("http://")))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        client = SESSION.client("cloudtrail-data", endpoint_url="http://lake.example")
        assert SignedPutAuditEvents(client, ARN).post(b"{}").status == 200
        client.put_audit_events(channelArn=ARN, auditEvents=[{"id": "x", "eventData": "{}"}])
    ours, botocores = requests
    assert ours.target == botocores.target
    assert ours.target.startswith("http://lake.example/PutAuditEvents?")
    assert ours.headers["Host"] == "lake.example"
    assert ours.headers.get("Proxy-Authorization") == botocores.headers.get("Proxy-Authorization")
    assert ("Proxy-Authorization" in ours.headers) == ("@" in form)


def test_through_a_proxy_tls_is_spoken_with_the_service_and_the_proxy_sees_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, context = own_authority(tmp_path, "lake.example")
    asked: list[Sent] = []
    with taking_everything(context) as (url, requests):

        def respond(exchange: Exchange) -> None:
            asked.append(Sent(f"{exchange.command} {exchange.path}", dict(exchange.headers.items()), b""))
            tunnel(exchange, url)

        with listening(respond) as proxy:
            monkeypatch.setenv("https_proxy", proxy.replace("http://", "http://user:p%40ss@"))
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            client = SESSION.client("cloudtrail-data", endpoint_url="https://lake.example", verify=str(bundle))
            assert SignedPutAuditEvents(client, ARN, ca_bundle=str(bundle)).post(b"{}").status == 200
            client.put_audit_events(channelArn=ARN, auditEvents=[{"id": "x", "eventData": "{}"}])
    assert [one.target for one in asked] == ["CONNECT lake.example:443"] * 2
    assert len({one.headers["Proxy-Authorization"] for one in asked}) == 1
    ours, botocores = requests
    assert ours.target == botocores.target
    assert ours.target.startswith("/PutAuditEvents?")
    assert ours.headers["Host"] == "lake.example"
    assert "Proxy-Authorization" not in ours.headers


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({}, None),
        ({"AWS_CA_BUNDLE": "/ours.pem"}, "/ours.pem"),
        ({"REQUESTS_CA_BUNDLE": "/theirs.pem"}, "/theirs.pem"),
        ({"AWS_CA_BUNDLE": "/ours.pem", "REQUESTS_CA_BUNDLE": "/theirs.pem"}, "/ours.pem"),
    ],
)
def test_the_authorities_are_those_that_botocore_trusts(
    named: Mapping[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert ca_bundle() == expected


def test_only_a_server_whose_certificate_is_trusted_gets_a_request(tmp_path: Path) -> None:
    bundle, context = own_authority(tmp_path)
    with taking_everything(context) as (url, requests):
        client = SESSION.client("cloudtrail-data", endpoint_url=url)
        with pytest.raises(NoAnswer, match="SSLError"):
            SignedPutAuditEvents(client, ARN).post(b"{}")
        other_name = SESSION.client("cloudtrail-data", endpoint_url=url.replace("localhost", "127.0.0.1"))
        with pytest.raises(NoAnswer, match="SSLError"):
            SignedPutAuditEvents(other_name, ARN, ca_bundle=str(bundle)).post(b"{}")
        assert not requests
        assert SignedPutAuditEvents(client, ARN, ca_bundle=str(bundle)).post(b"{}").status == 200
    assert len(requests) == 1


def test_forward_trusts_the_authorities_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, context = own_authority(tmp_path)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with taking_everything(context) as (url, requests):
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL_DATA", url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
        settings = ForwardSettings.from_environ(
            {
                "PARTNER": "github",
                "CHANNEL_ARN": ARN,
                "DELIVERY_QUEUE_URL": "http://127.0.0.1:9/queue",
                "QUARANTINE_BUCKET": "bucket",
            }
        )
        event = {"_document_id": "1", "action": "repo.create", "@timestamp": 1_700_000_000_000}
        sent = Delivery(
            "github", "d", "r", 1_700_000_000_000, "192.0.2.1", "", {}, frozenset(), json.dumps(event).encode()
        )
        message = {"messageId": "m", "receiptHandle": "h", "body": encode_envelope(Envelope(sent))}
        forwarder.__wrapped__(settings).forward([message], Deadline(0.05, lambda: 0.0))
    assert len(requests) == 1
