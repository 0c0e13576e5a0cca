"""No request makes receive call an address that the request names."""

import json
import socket
from collections.abc import Iterator

import pytest
from tests.contract.test_registry import KEY, PARTNERS, receiver
from tests.receive.senders import api_gateway_event, standard_webhooks_headers

from trailhook.envelope import decode_envelope
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.partners import Partners


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port on loopback that notices who connects to it, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def assert_nobody_came(listener: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("name", PARTNERS)
def test_an_address_in_a_header_is_not_called(name: str, listener: socket.socket) -> None:
    """CloudEvents' validation may ask for a callback, "HTTP 1.1 Web Hooks for Event Delivery", section 4.1.2."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    asked = {"webhook-request-origin": "sender.example.com", "webhook-request-callback": url, "referer": url}
    asked |= {"x-forwarded-host": url, "x-original-url": url, "host": url, "location": url}
    for method in ("OPTIONS", "GET", "POST"):
        receive, _ = receiver(name)
        answer = receive.answer(api_gateway_event(b"{}", asked, method=method)).response
        assert answer.status in {200, 400, 401, 405}
        assert url not in json.dumps([answer.body, dict(answer.headers)])
    assert_nobody_came(listener)


@pytest.mark.parametrize("name", PARTNERS)
def test_an_address_in_a_body_is_not_called_by_receive_nor_by_the_mapping(name: str, listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    body = json.dumps(
        {
            "Type": "SubscriptionConfirmation",
            "SubscribeURL": url,
            "SigningCertURL": url,
            "type": "url_verification",
            "challenge": url,
            "callback": url,
            "$ref": url,
            "$schema": url,
            "eventType": url,
            "action": url,
        }
    ).encode()
    receive, sender = receiver(name)
    receive.answer(api_gateway_event(body, {"x-amz-sns-message-type": "SubscriptionConfirmation"}))
    receive.answer(api_gateway_event(body, standard_webhooks_headers(KEY, body)))
    mapper = Mapper(Partners(Options()))
    for message in sender.messages:
        for event in mapper.take_apart(decode_envelope(message).delivery)[1]:
            mapper.map(event)
    assert_nobody_came(listener)
