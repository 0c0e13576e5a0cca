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
    body: bytes,
    headers: Mapping[str, str],
) -> Answered:
    spec = compile_descriptor(descriptor, "own.yaml")
    partner = Descriptor.of(json.loads(json.dumps(spec))).partner(Options())
    store, sender = MemorySecretStore(), MemorySender()
    store.put(SECRET, at=0)
    secret = WebhookSecret(store, grace_hours=24, now=MemoryClock(RECEIVED_AT / 1000).now)
    answer = Receiver(partner, secret, sender).answer(api_gateway_event(body, headers))
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
