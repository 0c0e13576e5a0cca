"""Senders outside of the catalogue, as their own pages describe them: from their request to their event."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import RECEIVED_AT, api_gateway_event, hex_hmac

from trailhook.audit_event import AuditEvent
from trailhook.descriptor import Descriptor
from trailhook.envelope import decode_envelope
from trailhook.gateway import Response
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.receive import Receiver
from trailhook.source_ranges import EVERYWHERE, SourceRanges
from trailhook.webhook_secret import WebhookSecret
from trailhook_local.descriptors.compiler import compile_descriptor

SECRET = "fake secret of an application"
URL = "https://abcde12345.execute-api.eu-central-1.amazonaws.com/webhook"

TRELLO = f"""\
name: trello
title: Trello
source: Custom
event_source: trello.com
proofs:
  - hmac: {{header: x-trello-webhook, algorithm: sha1, encoding: base64, message: "{{body}}{URL}"}}
acknowledge: 200
inside: action
kinds:
  - name: action
    uid: id
    event_name: type
    time: date
    actors: {{id: idMemberCreator, details: memberCreator}}
handshake: head
"""
TRELLO_ACTION = {
    "model": {"id": "5f0000000000000000000001", "name": "Harbour"},
    "action": {
        "id": "5f0000000000000000000002",
        "idMemberCreator": "5f0000000000000000000003",
        "type": "addMemberToBoard",
        "date": "2023-11-14T22:13:19.949Z",
        "data": {"board": {"id": "5f0000000000000000000001"}, "idMemberAdded": "5f0000000000000000000004"},
        "memberCreator": {"id": "5f0000000000000000000003", "username": "mira"},
    },
}
DEEL = """\
name: deel
title: Deel
source: Custom
event_source: deel.com
proofs:
  - hmac: {header: x-deel-signature, message: "POST{body}"}
kinds:
  - name: event
    uid: data.meta.tracking_id
    event_name: data.meta.event_type
    time: timestamp
"""
DEEL_EVENT = {
    "data": {
        "meta": {"event_type": "contract.created", "tracking_id": "0b4c0e2e-fake"},
        "resource": {"id": "3q9x2yz"},
    },
    "timestamp": "2023-11-14T22:13:19.000Z",
}
INTERCOM = """\
name: intercom
title: Intercom
source: Custom
event_source: intercom.com
proofs:
  - hmac: {header: x-hub-signature, prefix: "sha1=", algorithm: sha1}
handshake: head
acknowledge: 200
kinds:
  - name: activity
    when: {at: topic, in: [admin.activity_log_event.created]}
    uid: data.item.id
    event_name: data.item.activity_type
    time: data.item.created_at
    actors: {id: [data.item.performed_by.id, data.item.performed_by.email], details: data.item.performed_by}
    source_ip: data.item.performed_by.ip
"""
INTERCOM_ACTIVITY = {
    "type": "notification_event",
    "topic": "admin.activity_log_event.created",
    "id": "notif_00000000-0000-4000-8000-000000000001",
    "delivery_attempts": 1,
    "created_at": 1_699_999_999,
    "data": {
        "type": "notification_event_data",
        "item": {
            "type": "admin_activity_log_event",
            "id": "00000000-0000-4000-8000-000000000002",
            "performed_by": {"type": "admin", "id": "1234567", "email": "mira@example.com", "ip": "192.0.2.1"},
            "metadata": {"enabled": False},
            "created_at": 1_699_999_999,
            "activity_type": "ai_inbox_translation_setting_change",
        },
    },
}
NYLAS = """\
name: nylas
title: Nylas
source: Custom
event_source: nylas.com
proofs:
  - hmac: {header: x-nylas-signature}
handshake: {challenge: challenge}
kinds:
  - name: notification
    uid: id
    event_name: type
    time: time
"""
META = NYLAS.replace("{challenge: challenge}", "{challenge: hub.challenge}")


def trello_headers(body: bytes, secret: str = SECRET, url: str = URL) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body + url.encode(), "sha1")
    return {"x-trello-webhook": base64.b64encode(digest).decode(), "content-type": "application/json"}


def deel_headers(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-deel-signature": hex_hmac(secret, b"POST" + body), "content-type": "application/json"}


@dataclass(frozen=True)
class Answered:
    """receive's answer, its log line, and the fields of the events that forward would make of what was queued."""

    response: Response
    log: Mapping[str, Any]
    events: list[Mapping[str, Any]]
    queued: int


def answered(
    descriptor: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    query: str = "",
    path: str = "/webhook",
    allowed: SourceRanges = EVERYWHERE,
) -> Answered:
    spec = compile_descriptor(descriptor, "own.yaml")
    partner = Descriptor.of(json.loads(json.dumps(spec))).partner(Options())
    store, sender = MemorySecretStore(), MemorySender()
    store.put(SECRET, at=0)
    secret = WebhookSecret(store, grace_hours=24, now=MemoryClock(RECEIVED_AT / 1000).now)
    request = api_gateway_event(body, headers, method=method, path=path) | {"rawQueryString": query}
    answer = Receiver(partner, secret, sender, allowed).answer(request)
    mapper, events = Mapper({partner.name: partner}), []
    for message in sender.messages:
        for event in mapper.take_apart(decode_envelope(message).delivery)[1]:
            mapped = mapper.map(event)
            assert isinstance(mapped, AuditEvent)
            events.append(mapped.fields)
    return Answered(answer.response, answer.log, events, len(sender.messages))


def test_trellos_action_is_proven_by_body_and_url_and_becomes_an_event() -> None:
    body = json.dumps(TRELLO_ACTION).encode()
    got = answered(TRELLO, body, trello_headers(body))
    assert (got.response.status, got.log["proof"]) == (200, "x-trello-webhook")
    [event] = got.events
    assert (event["UID"], event["eventName"]) == ("5f0000000000000000000002", "addMemberToBoard")
    assert event["eventTime"] == "2023-11-14T22:13:19Z"
    assert event["userIdentity"]["principalId"] == "5f0000000000000000000003"
    assert event["additionalEventData"]["envelope"] == {"model": TRELLO_ACTION["model"]}


def test_deels_event_is_proven_by_body_and_method_and_becomes_an_event() -> None:
    body = json.dumps(DEEL_EVENT).encode()
    got = answered(DEEL, body, deel_headers(body))
    assert (got.response.status, got.log["proof"]) == (202, "x-deel-signature")
    [event] = got.events
    assert (event["UID"], event["eventName"]) == ("0b4c0e2e-fake", "contract.created")


def test_intercoms_activity_is_an_event_once_its_url_was_asked_for() -> None:
    asked = answered(INTERCOM, None, {}, method="HEAD")
    assert (asked.response.status, asked.response.body, asked.log["handshake"], asked.queued) == (200, "", True, 0)
    body = json.dumps(INTERCOM_ACTIVITY).encode()
    got = answered(INTERCOM, body, {"x-hub-signature": "sha1=" + hex_hmac(SECRET, body, "sha1")})
    assert got.response.status == 200
    [event] = got.events
    assert (event["UID"], event["sourceIPAddress"]) == ("00000000-0000-4000-8000-000000000002", "192.0.2.1")
    assert event["eventName"] == "ai_inbox_translation_setting_change"
    assert event["userIdentity"]["principalId"] == "1234567"
    unsigned = answered(INTERCOM, body, {"x-hub-signature": "sha1=" + hex_hmac("another", body, "sha1")})
    assert (unsigned.response.status, unsigned.queued) == (401, 0)


BODY = json.dumps(TRELLO_ACTION).encode()
GENUINE = trello_headers(BODY)
SIGNATURE = GENUINE["x-trello-webhook"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(BODY, {}, id="no signature"),
        pytest.param(BODY, {"x-hub-signature": SIGNATURE}, id="in another header"),
        pytest.param(BODY + b" ", GENUINE, id="another body"),
        pytest.param(BODY[:-1], GENUINE, id="a body that is cut"),
        pytest.param(BODY + URL.encode(), GENUINE, id="the URL as part of the body"),
        pytest.param(BODY, {"x-trello-webhook": SIGNATURE[:-1]}, id="cut"),
        pytest.param(BODY, {"x-trello-webhook": f"{SIGNATURE},{SIGNATURE}"}, id="twice"),
        pytest.param(BODY, trello_headers(BODY, secret="another"), id="under another secret"),
        pytest.param(BODY, trello_headers(BODY, url=""), id="without the URL"),
        pytest.param(BODY, trello_headers(BODY, url=URL + "/"), id="for another URL"),
        pytest.param(BODY, deel_headers(BODY), id="as another sender signs"),
    ],
)
def test_what_trello_did_not_sign_for_this_url_is_refused(body: bytes, headers: dict[str, str]) -> None:
    got = answered(TRELLO, body, headers)
    assert (got.response.status, got.queued) == (401, 0)


@pytest.mark.parametrize(
    ("descriptor", "query", "token"),
    [
        (NYLAS, "challenge=bc609b38-c81f-47fb-a275-1d9bd61a968b", "bc609b38-c81f-47fb-a275-1d9bd61a968b"),
        (META, "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=fake", "1158201444"),
        (META, "hub%2Echallenge=1158201444", "1158201444"),
        (NYLAS, "a=b&challenge=" + "x" * 256, "x" * 256),
        (NYLAS, "challenge=a_b~c.d%2Fe%2b%3D%3D", "a_b~c.d/e+=="),
    ],
)
def test_a_get_gets_its_challenge_back_as_text_that_no_browser_runs(descriptor: str, query: str, token: str) -> None:
    got = answered(descriptor, None, {"x-nylas-signature": "not asked for"}, method="GET", query=query)
    assert (got.response.status, got.response.body, got.queued) == (200, token, 0)
    assert got.response.headers == {"content-type": "text/plain", "x-content-type-options": "nosniff"}
    assert got.log["handshake"] is True
    assert token not in str(got.log)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "challenge",
        "challenge=",
        "Challenge=a",
        "hub.challenge=a",
        "challenge[]=a",
        "x=challenge=a",
        "challenge=a&challenge=a",
        "challenge=a&challenge=",
        "challenge=a&%63hallenge=b",
        "challenge=" + "x" * 257,
        "challenge=<script>alert(1)</script>",
        "challenge=%3Cscript%3E",
        "challenge=a%0d%0aset-cookie:%20x",
        "challenge=a%00",
        "challenge=a%20b",
        "challenge=%22a%22",
        "challenge=caf%C3%A9",
        "challenge=%ff",
        "challenge=%253C",
        "challenge=" + "a&challenge=" * 700,
        *(f"challenge=a%{ord(sign):02x}b" for sign in "!#$%&'()*,:;?@[\\]^`{|}\t\n\x7f"),
    ],
)
def test_a_get_without_one_plain_challenge_gets_nothing_back(query: str) -> None:
    got = answered(NYLAS, b"challenge=a", {"challenge": "a"}, method="GET", query=query)
    assert (got.response.status, got.queued) == (400, 0)
    assert json.loads(got.response.body)["message"].startswith("A GET carries one challenge in its query")
    assert "alert" not in got.response.body


def test_what_is_asked_for_is_answered_by_the_method_that_asks_it_alone() -> None:
    """However well it is signed, nothing but a POST is a delivery; and a POST with a challenge is one."""
    body = b'{"id":"n-1","type":"grant.created","time":1699999999}'
    signed = {"x-nylas-signature": hex_hmac(SECRET, body), "content-type": "application/json"}
    query = "challenge=a"
    for descriptor, others in (
        (NYLAS, ("HEAD", "PUT", "OPTIONS", "DELETE")),
        (INTERCOM, ("GET", "PUT", "OPTIONS", "DELETE")),
        (DEEL, ("GET", "HEAD", "PUT", "OPTIONS", "DELETE")),
    ):
        for method in others:
            got = answered(descriptor, body, signed, method=method, query=query)
            assert (got.response.status, got.queued) == (405, 0), method
    for descriptor, method in ((NYLAS, "GET"), (INTERCOM, "HEAD")):
        assert answered(descriptor, body, signed, method=method, query=query).queued == 0
    delivered = answered(NYLAS, body, signed, query=query)
    assert (delivered.response.status, delivered.queued) == (202, 1)
    assert answered(NYLAS, body, {}, query=query).response.status == 401


def test_who_may_not_send_may_not_ask_either() -> None:
    elsewhere = SourceRanges.parse(("198.51.100.0/24",))
    for descriptor, method in ((NYLAS, "GET"), (INTERCOM, "HEAD")):
        got = answered(descriptor, None, {}, method=method, query="challenge=a", allowed=elsewhere)
        assert (got.response.status, got.queued) == (401, 0)
        assert answered(descriptor, None, {}, method=method, query="challenge=a", path="/").response.status == 404
