"""What partners ask before they deliver: answered only if proven, and never queued."""

import json
from typing import Any

import pytest
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import NOW, RECEIVED_AT, api_gateway_event, hex_hmac

from trailhook.gateway import Response
from trailhook.partner import Options
from trailhook.partners import load_partner
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret

HEADERS = {
    "slack": ("x-slack-signature", "x-slack-request-timestamp"),
    "zoom": ("x-zm-signature", "x-zm-request-timestamp"),
}
SECRET = "ZoomSecretToken"


def ask(partner: str, body: Any, *, secret: str = SECRET, previous: bool = False) -> tuple[Response, list[str]]:
    """The answer to a body, or bytes of one, that the partner signs, and what was queued."""
    store, sender = MemorySecretStore(), MemorySender()
    store.put(SECRET, at=0)
    if previous:
        store.put("the next one", at=RECEIVED_AT / 1000)
    receiver = Receiver(
        load_partner(partner, Options()),
        WebhookSecret(store, grace_hours=24, now=MemoryClock(RECEIVED_AT / 1000).now),
        sender,
    )
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature, timestamp = HEADERS[partner]
    headers = {signature: "v0=" + hex_hmac(secret, f"v0:{NOW}:".encode() + raw), timestamp: str(NOW)}
    return receiver.answer(api_gateway_event(raw, headers)).response, sender.messages


def test_slack_gets_its_challenge_back() -> None:
    response, queued = ask("slack", {"token": "t", "challenge": "c1", "type": "url_verification"})
    assert (response.status, json.loads(response.body), queued) == (200, {"challenge": "c1"}, [])


ZOOM = {
    "event": "endpoint.url_validation",
    "event_ts": 1_700_000_000_123,
    "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"},
}


@pytest.mark.parametrize("previous", [False, True])
def test_zoom_gets_the_hmac_of_its_token_under_the_secret_that_it_signed_with(previous: bool) -> None:
    response, queued = ask("zoom", ZOOM, previous=previous)
    assert json.loads(response.body) == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "766dd843942bd9554f1dca5c2649802c17d65f33b46f3b2209fc31a16f8ab0f7",
    }
    assert (response.status, queued) == (200, [])


@pytest.mark.parametrize(
    ("partner", "body"), [("slack", {"type": "url_verification", "challenge": "c1"}), ("zoom", ZOOM)]
)
def test_who_is_not_proven_gets_no_answer(partner: str, body: Any) -> None:
    response, queued = ask(partner, body, secret="another")
    assert (response.status, queued) == (401, [])
    assert "c1" not in response.body
    assert "encryptedToken" not in response.body


@pytest.mark.parametrize("token", ["v0:1700000000:{}", "msg_1.1700000000.{}", "", "a b", "x" * 257, None, 1, ["a"]])
def test_zooms_token_is_never_a_text_that_is_signed_elsewhere(token: Any) -> None:
    """Otherwise the answer would be the signature of a delivery that nobody made."""
    response, queued = ask("zoom", ZOOM | {"payload": {"plainToken": token}})
    assert (response.status, queued) == (400, [])


@pytest.mark.parametrize(
    ("partner", "body"),
    [
        ("slack", {"type": "event_callback", "event": {"type": "message", "text": "url_verification"}}),
        ("slack", {"event": {"type": "url_verification", "challenge": "c1"}}),
        ("slack", ["url_verification"]),
        ("slack", b'{"type": "url_verification", "challenge": '),
        ("slack", b'{"type": "url_verification", "challenge": ' + b"[" * 4_000),
        ("zoom", {"event": "meeting.started", "payload": {"topic": "endpoint.url_validation"}}),
        ("zoom", [ZOOM]),
    ],
)
def test_a_body_that_mentions_a_question_and_is_none_is_an_event(partner: str, body: Any) -> None:
    response, queued = ask(partner, body)
    assert response.status == 200
    assert response.body == ""
    assert len(queued) == 1


def test_a_question_without_what_it_asks_is_refused() -> None:
    for nothing in ({}, {"challenge": ""}, {"challenge": 1}, {"challenge": ["c1"]}):
        assert ask("slack", {"type": "url_verification", **nothing})[0].status == 400
    for odd in ({}, {"payload": None}, {"payload": "plainToken"}):
        assert ask("zoom", {"event": "endpoint.url_validation"} | odd)[0].status == 400


def test_terraforms_verification_is_a_delivery_like_any_other() -> None:
    body = json.dumps({"payload_version": 1, "notifications": [{"trigger": "verification"}]}).encode()
    store, sender = MemorySecretStore(), MemorySender()
    store.put(SECRET, at=0)
    receiver = Receiver(
        load_partner("terraform", Options()),
        WebhookSecret(store, grace_hours=24, now=MemoryClock(RECEIVED_AT / 1000).now),
        sender,
    )
    signed = {"x-tfe-notification-signature": hex_hmac(SECRET, body, "sha512")}
    response = receiver.answer(api_gateway_event(body, signed)).response
    assert (response.status, response.body, len(sender.messages)) == (200, "", 1)
