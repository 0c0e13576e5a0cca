"""What every partner promises, present and future: a new line in the registry is held to all of this."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import (
    NOW,
    RECEIVED_AT,
    api_gateway_event,
    hex_hmac,
    standard_webhooks_headers,
    standard_webhooks_signature,
)

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.envelope import decode_envelope
from trailhook.errors import Undeliverable
from trailhook.gateway import Response
from trailhook.partner import Options
from trailhook.partners import REGISTRY, load_partner
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret

KEY = b"a key of thirty-two bytes, fake!"
SECRET = base64.b64encode(KEY).decode()
BODIES: Mapping[str, Any] = json.loads((Path(__file__).parent / "bodies.json").read_text(encoding="utf-8"))
BODY = json.dumps(BODIES["github_member"]).encode()
OPTIONS = Options(accept_hec=True)
PARTNERS = sorted(REGISTRY)
every_partner = pytest.mark.parametrize("name", PARTNERS)


def receiver(name: str, secret: str = SECRET) -> tuple[Receiver, MemorySender]:
    clock, store, sender = MemoryClock(RECEIVED_AT / 1000), MemorySecretStore(), MemorySender()
    store.put(secret, at=0)
    return Receiver(load_partner(name, OPTIONS), WebhookSecret(store, grace_hours=24, now=clock.now), sender), sender


def answer(name: str, headers: Mapping[str, str], body: bytes = BODY, **more: Any) -> Response:
    """The answer to a POST; whatever is not 2xx must not have been queued, and whatever is must have been."""
    receive, sender = receiver(name)
    response = receive.answer(api_gateway_event(body, headers, **more)).response
    assert len(sender.messages) == (1 if 200 <= response.status < 300 else 0)
    return response


@every_partner
def test_the_registry_and_the_partner_agree_on_a_name_for_environments_and_folders(name: str) -> None:
    partner = load_partner(name, Options())
    assert partner.name == name
    assert re.fullmatch(r"[a-z][a-z0-9]*", name)
    assert re.fullmatch(r"[A-Za-z]+", partner.source)


@every_partner
def test_the_names_of_headers_are_in_lower_case_as_api_gateway_gives_them(name: str) -> None:
    partner = load_partner(name, OPTIONS)
    for header in {*partner.headers, partner.delivery_id}:
        assert header == header.lower()
    for secret in ("authorization", "cookie", "x-gitlab-token", "x-gitlab-event-streaming-token", "cf-webhook-auth"):
        assert secret not in partner.headers
    assert len({proof.name for proof in partner.proofs}) == len(partner.proofs)


# Proofs.


@every_partner
@pytest.mark.parametrize("family", ["webhook", "svix"])
def test_every_endpoint_takes_standard_webhooks_under_the_webhook_secret(name: str, family: str) -> None:
    assert 200 <= answer(name, standard_webhooks_headers(KEY, BODY, family=family)).status < 300


@every_partner
def test_every_endpoint_takes_gzip_and_ndjson(name: str) -> None:
    for body in (b"\x1f\x8b\x08\x00", b'{"a":1}\n{"a":2}\n'):
        headers = standard_webhooks_headers(KEY, body) | {"content-type": "application/x-ndjson"}
        assert 200 <= answer(name, headers, body).status < 300


@every_partner
def test_what_is_queued_is_the_request_and_nothing_secret(name: str) -> None:
    receive, sender = receiver(name)
    credentials = {"authorization": SECRET, "cookie": "marker", "x-gitlab-token": "marker", "x-api-key": "marker"}
    receive.answer(api_gateway_event(BODY, standard_webhooks_headers(KEY, BODY) | credentials))
    [message] = sender.messages
    assert SECRET not in message
    assert "marker" not in message
    delivery = decode_envelope(message).delivery
    assert (delivery.partner, delivery.body, delivery.received_at) == (name, BODY, RECEIVED_AT)


FORGERIES: dict[str, dict[str, str]] = {
    "nothing": {},
    "empty headers": {
        "authorization": "",
        "webhook-id": "",
        "webhook-timestamp": "",
        "webhook-signature": "",
        "x-hub-signature": "",
        "x-hub-signature-256": "",
    },
    "a guess": {"authorization": "guess"},
    "prefixes alone": {"authorization": "Bearer ", "x-hub-signature": "sha256=", "x-hub-signature-256": "sha256="},
    "an altered signature": standard_webhooks_headers(KEY, BODY) | {"webhook-signature": "v1,AAAA"},
    "an altered id": standard_webhooks_headers(KEY, BODY) | {"webhook-id": "msg_2"},
    "an altered timestamp": standard_webhooks_headers(KEY, BODY) | {"webhook-timestamp": str(NOW + 1)},
    "a stale timestamp": standard_webhooks_headers(KEY, BODY, timestamp=str(NOW - 301)),
    "a timestamp from the future": standard_webhooks_headers(KEY, BODY, timestamp=str(NOW + 301)),
    "a timestamp with a fraction": standard_webhooks_headers(KEY, BODY, timestamp=f"{NOW}.9"),
    "another delivery's signature": standard_webhooks_headers(KEY, b"{}"),
    "another secret": standard_webhooks_headers(b"another key of thirty-two bytes!", BODY),
    "the secret's text as the key": standard_webhooks_headers(SECRET.encode(), BODY),
    "the empty key": standard_webhooks_headers(b"", BODY),
    "a list of other signatures": standard_webhooks_headers(KEY, BODY)
    | {"webhook-signature": " ".join(standard_webhooks_signature(b"x" * n, BODY, "msg_1", str(NOW)) for n in range(9))},
    "a value that is not ASCII": dict.fromkeys(
        ["authorization", "webhook-id", "webhook-signature", "x-hub-signature-256"], "sha256=\u00e9\ud800"
    )
    | {"webhook-timestamp": str(NOW)},
    "HMACs under the empty key": dict.fromkeys(
        ["x-hub-signature", "x-hub-signature-256"], f"sha256={hex_hmac('', BODY)}"
    ),
}
"""Requests that prove nothing to any partner, neither under its own proof nor under Standard Webhooks."""


@every_partner
@pytest.mark.parametrize("headers", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_is_refused_by_every_endpoint(name: str, headers: dict[str, str]) -> None:
    assert answer(name, headers).status == 401


@every_partner
def test_a_body_other_than_the_signed_one_is_refused(name: str) -> None:
    headers = standard_webhooks_headers(KEY, BODY)
    for altered in (BODY + b"\n", BODY[:-1], BODY.replace(b": ", b":"), b"\xef\xbb\xbf" + BODY, BODY + BODY):
        assert answer(name, headers, altered).status == 401


@every_partner
def test_a_401_is_the_same_whatever_the_cause(name: str) -> None:
    answers = {answer(name, headers).body for headers in FORGERIES.values()}
    answers |= {answer(name, standard_webhooks_headers(KEY, BODY), b"").body}
    assert len(answers) == 1
    assert json.loads(answers.pop())["message"] == "Unauthorized"


@every_partner
def test_no_secret_means_no_entry(name: str) -> None:
    for secret in ("", " ", "whpk_", "whsec_"):
        receive, sender = receiver(name, secret)
        for forged in ({"authorization": secret}, {"authorization": f"Bearer {secret}"}, FORGERIES["the empty key"]):
            assert receive.answer(api_gateway_event(BODY, forged)).response.status == 401
        assert sender.messages == []


@every_partner
def test_every_proof_says_which_headers_it_covers(name: str) -> None:
    covered = [proof.signed_headers or () for proof in load_partner(name, OPTIONS).proofs]
    assert covered
    assert all(header.islower() for headers in covered for header in headers)


@every_partner
def test_an_empty_request_is_refused(name: str) -> None:
    receive, _ = receiver(name)
    assert receive.answer(api_gateway_event(b"", {})).response.status == 401


# Events.


def delivery(name: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
    return Delivery(
        partner=name,
        id="delivery-1",
        request_id="request-1",
        received_at=RECEIVED_AT,
        source_ip="192.0.2.1",
        proof="standard-webhooks",
        headers=headers,
        signed=frozenset({"webhook-id"}),
        body=body,
    )


def mapped(name: str, body: bytes, headers: Mapping[str, str]) -> list[AuditEvent]:
    """What becomes of a body; nothing but Undeliverable may be raised on the way."""
    partner = load_partner(name, OPTIONS)
    audit_events = []
    try:
        events = list(partner.events(delivery(name, body, headers)))
    except Undeliverable as error:
        assert_explains(error)
        return []
    for event in events:
        uid = partner.uid(event)
        assert uid is None or isinstance(uid, str)
        assert isinstance(event.original, bytes)
        try:
            audit_events.append(partner.to_audit_event(event))
        except Undeliverable as error:
            assert_explains(error)
    return audit_events


def assert_explains(error: Undeliverable) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", error.code)
    assert 0 < len(error.reason) < 1000


def assert_valid(audit_events: list[AuditEvent]) -> None:
    for audit_event in audit_events:
        assert re.fullmatch(r"[-_A-Za-z0-9]{1,128}", audit_event.id)
        data = json.loads(audit_event.event_data("111122223333"))
        assert data["recipientAccountId"] == "111122223333"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", data["eventTime"])
        for member in ("version", "eventSource", "eventName", "UID"):
            assert data[member], member
        assert data["userIdentity"]["type"]
        assert data["userIdentity"]["principalId"]


HEADERS: list[dict[str, str]] = [
    {},
    {"content-type": "application/json", "webhook-id": "msg_1"},
    {"x-github-event": "member", "x-github-delivery": "11111111-aaaa-4aaa-8aaa-111111111111"},
]


@every_partner
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_any_partners_body_becomes_valid_events_or_an_explained_refusal_twice_the_same(name: str, body: Any) -> None:
    for headers in HEADERS:
        for text in (json.dumps(body), json.dumps([body, body, None, 1, "x", []]), f"{json.dumps(body)}\nbroken"):
            first = mapped(name, text.encode(), headers)
            assert_valid(first)
            assert mapped(name, text.encode(), headers) == first


def members(body: Any) -> set[str]:
    """Every key that stands anywhere in a body."""
    if isinstance(body, dict):
        return set(body).union(*map(members, body.values()))
    return set().union(*map(members, body)) if isinstance(body, list) else set()


KEYS = st.sampled_from(sorted(members(list(BODIES.values()))))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=10)
    | st.sampled_from(["2024-01-02T03:04:05.678Z", "a@example.test", "", "\ud800", 1_700_000_000_123, 2**70])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)


def replaced(body: Any, path: list[int], value: Any) -> Any:
    """The body with the value at some place replaced: `path` chooses members by number."""
    if not path or not isinstance(body, dict | list) or not body:
        return value
    keys = list(body) if isinstance(body, dict) else list(range(len(body)))
    key = keys[path[0] % len(keys)]
    pairs = {k: replaced(body[k], path[1:], value) if k == key else body[k] for k in keys}
    return pairs if isinstance(body, dict) else list(pairs.values())


@every_partner
@given(VALUES, st.sampled_from(HEADERS))
def test_any_json_becomes_valid_events_or_an_explained_refusal(name: str, value: Any, headers: dict[str, str]) -> None:
    assert_valid(mapped(name, json.dumps(value).encode(), headers))


@every_partner
@given(st.sampled_from(sorted(BODIES)), st.lists(st.integers(0, 30), max_size=6), VALUES, st.sampled_from(HEADERS))
def test_a_known_body_with_anything_in_one_place_becomes_valid_events_or_an_explained_refusal(
    name: str, known: str, path: list[int], value: Any, headers: dict[str, str]
) -> None:
    assert_valid(mapped(name, json.dumps(replaced(BODIES[known], path, value)).encode(), headers))


@every_partner
def test_hostile_bodies_are_refused_without_another_exception(name: str) -> None:
    for body in (
        b"",
        b"[",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff",
        b"payload=",
        b"payload=%FF",
        b"\x1f\x8b",
        b'{"data":{"events":[{"a":' * 2000,
        b'{"id":NaN}',
        b'{"id":1,"id":2}',
        b'{"id":' + b"9" * 5000 + b"}",
        b'{"specversion":"1.0","data":"' + b"x" * 300_000 + b'"}',
        json.dumps({"eventType": "x" * 5000, "action": "x" * 5000, "type": "x" * 5000, "uuid": "x" * 5000}).encode(),
    ):
        assert_valid(mapped(name, body, {}))


@every_partner
@pytest.mark.parametrize("fault", ['"id":"1","id":"2"', '"id":NaN', '"id":1e400'])
def test_an_event_whose_text_is_ambiguous_says_so_and_its_neighbours_do_not(name: str, fault: str) -> None:
    """forward never maps an event that has a fault; a partner that loses it would map what nobody sent."""
    partner = load_partner(name, OPTIONS)
    plain = json.dumps(BODIES["github_audit"])
    for body in (f"[{plain},{{{fault}}},{plain}]", f"{plain}\n{{{fault}}}\n{plain}"):
        events: list[PartnerEvent] = list(partner.events(delivery(name, body.encode(), {})))
        assert [bool(event.fault) for event in events] == [False, True, False]
