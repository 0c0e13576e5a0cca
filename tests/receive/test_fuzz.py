"""Whatever API Gateway may hand over, receive answers with a status that it documents, and never raises."""

import base64
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import RECEIVED_AT, api_gateway_event, standard_webhooks_headers

from trailhook.envelope import decode_envelope
from trailhook.partner import Options
from trailhook.partners import REGISTRY, load_partner
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret

DOCUMENTED = {200, 202, 204, 400, 401, 404, 405, 413, 415}
KEY = b"a key of thirty-two bytes, fake!"
SECRET = base64.b64encode(KEY).decode()

TEXT = st.text(st.characters(), max_size=20)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
HEADER_NAMES = st.sampled_from(
    [
        "authorization",
        "ce-specversion",
        "content-encoding",
        "content-type",
        "svix-id",
        "webhook-id",
        "webhook-request-origin",
        "webhook-request-rate",
        "webhook-signature",
        "webhook-timestamp",
        "x-github-delivery",
        "x-github-event",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-okta-verification-challenge",
    ]
)
HEADER_VALUES = TEXT | st.sampled_from(
    ["application/json", "text/plain", "gzip", "v1,AAAA", "sha256=00", "msg_1", "com.okta", "1.0", SECRET]
)
HEADERS = st.dictionaries(HEADER_NAMES, HEADER_VALUES, max_size=5)
BODIES = (
    st.binary(max_size=60)
    | JUNK.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"", b"{}", b"[]", b"\x1f\x8b\x08", b"payload=%7B%7D", b'{"type":"url_verification"}'])
)
every_partner = pytest.mark.parametrize("name", sorted(REGISTRY))


def receiver(name: str) -> tuple[Receiver, MemorySender]:
    clock, store, sender = MemoryClock(RECEIVED_AT / 1000), MemorySecretStore(), MemorySender()
    store.put(SECRET, at=0)
    secret = WebhookSecret(store, grace_hours=24, now=clock.now)
    return Receiver(load_partner(name, Options(accept_hec=True)), secret, sender), sender


def answered(receiver: Receiver, event: Any) -> int:
    response = receiver.answer(event).response.to_api_gateway()
    json.dumps(response).encode()
    assert response["statusCode"] in DOCUMENTED
    assert all(isinstance(value, str) and value.isprintable() for value in response["headers"].values())
    return int(response["statusCode"])


@every_partner
@given(JUNK)
def test_garbage_is_a_bad_request(name: str, event: Any) -> None:
    assert answered(receiver(name)[0], event) == 400


@every_partner
@given(
    BODIES,
    HEADERS,
    st.sampled_from(["POST", "GET", "OPTIONS", "HEAD"]) | TEXT,
    st.sampled_from(["/webhook", "/services/collector"]) | TEXT,
)
def test_an_unsigned_request_is_answered_and_never_queued(
    name: str, body: bytes, headers: dict[str, str], method: str, path: str
) -> None:
    receive, sender = receiver(name)
    unsigned = {key: value for key, value in headers.items() if SECRET not in value}
    answered(receive, api_gateway_event(body, unsigned, method=method, path=path))
    assert sender.messages == []


@every_partner
@given(BODIES, HEADERS)
def test_a_signed_request_is_answered_and_what_is_queued_can_be_read(
    name: str, body: bytes, headers: dict[str, str]
) -> None:
    receive, sender = receiver(name)
    status = answered(receive, api_gateway_event(body, headers | standard_webhooks_headers(KEY, body)))
    if sender.messages:
        assert 200 <= status < 300
        assert [decode_envelope(message).delivery.body for message in sender.messages] == [body]


MUTATIONS: dict[str, Callable[[dict[str, Any], Any], None]] = {
    "member": lambda event, junk: event.update(dict.fromkeys(["body", "headers", "rawPath"], junk)),
    "header": lambda event, junk: event["headers"].update({"webhook-signature": junk}),
    "body": lambda event, junk: event.update(body=junk),
    "base64": lambda event, junk: event.update(isBase64Encoded=junk),
    "context": lambda event, junk: event.update(requestContext=junk),
    "http": lambda event, junk: event["requestContext"].update(http=junk),
    "time": lambda event, junk: event["requestContext"].update(timeEpoch=junk),
    "id": lambda event, junk: event["requestContext"].update(requestId=junk),
}


@every_partner
@given(st.sampled_from(sorted(MUTATIONS)), JUNK)
def test_a_genuine_request_with_anything_in_a_wrong_place_is_answered(name: str, mutation: str, junk: Any) -> None:
    event = api_gateway_event(b"{}", standard_webhooks_headers(KEY, b"{}"))
    MUTATIONS[mutation](event, junk)
    answered(receiver(name)[0], event)


@pytest.mark.parametrize("unit", [b'{"key":"value"}\n', "\u00e9".encode(), b"\x00", b"\xff"], ids=repr)
def test_a_body_of_ten_megabytes_needs_few_copies_of_itself(unit: bytes) -> None:
    """Lambda gives a function 1 GB or less, and several tens of bytes for each byte would end it."""
    receive, _ = receiver("custom")
    body = unit * (10_000_000 // len(unit))
    event = api_gateway_event(body, standard_webhooks_headers(KEY, body))
    tracemalloc.start()
    try:
        assert answered(receive, event) == 202
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body)
    finally:
        tracemalloc.stop()
