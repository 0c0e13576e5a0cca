"""Paths, queries, methods and content types that are read one way here and another way there: none of it gets in."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.contract.test_contract_table import SECRET as TABLE_SECRET
from tests.contract.test_contract_table import Row, every_row
from tests.contract.test_registry import KEY, PARTNERS, SECRET, receiver
from tests.receive.senders import api_gateway_event, standard_webhooks_headers

from trailhook.envelope import decode_envelope

BODY = '{"type":"a","name":"caf\u00e9"}'


def answered(name: str, event: dict[str, Any], secret: str = SECRET) -> tuple[int, int]:
    """The status, and how many deliveries are on the queue now."""
    receive, sender = receiver(name, secret)
    return int(receive.answer(event).response.status), len(sender.messages)


NOT_THE_WEBHOOK = (
    *("/", "", "/WEBHOOK", "/webhook/x", "/webhook%2f", "/%77ebhook", "/webhook;a=b", "/webhook?a=b", "/webhook#a"),
    *("/webhook ", "/webhook\x00", "/webhook\n", "/webhook/..", "/webhook/.", "/xwebhook", "webhook", "*"),
    *("/services/collector/health", "/services", "\\webhook", "/webh\u00f6\u00f6k"),
)


@pytest.mark.parametrize("name", PARTNERS)
def test_a_path_that_is_not_the_webhooks_takes_nothing_however_well_it_is_signed(name: str) -> None:
    signed = standard_webhooks_headers(KEY, BODY.encode())
    for path in NOT_THE_WEBHOOK:
        assert answered(name, api_gateway_event(BODY, signed, path=path)) == (404, 0), path


def test_splunks_token_counts_on_splunks_paths_alone() -> None:
    token = {"authorization": f"Splunk {SECRET}"}
    for path in ("/webhook", "/x/webhook", "/services/collector/webhook", "/webhook/services/collector"):
        assert answered("github", api_gateway_event(BODY, token, path=path)) in {(401, 0), (404, 0)}, path


@every_row
def test_a_proof_in_the_query_string_a_cookie_or_elsewhere_is_none(row: Row) -> None:
    genuine = row.genuine(BODY.encode())
    query = "&".join(f"{name}={value}" for name, value in genuine.items())
    event = api_gateway_event(BODY, {"cookie": query, "content-type": "application/json"}, path=row.path)
    event |= {"rawQueryString": query, "queryStringParameters": genuine, "cookies": [query]}
    event |= {"multiValueHeaders": {name: [value] for name, value in genuine.items()}, "pathParameters": genuine}
    receive, sender = receiver(row.partner, TABLE_SECRET)
    answer = receive.answer(event)
    assert (answer.response.status, sender.messages) == (401, [])
    assert TABLE_SECRET not in str(answer)


METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "OPTIONS", "", "P\u00d6ST")


@pytest.mark.parametrize("name", PARTNERS)
def test_no_other_method_delivers_whatever_a_header_says_it_is(name: str) -> None:
    override = {"x-http-method-override": "POST", "x-http-method": "POST", "x-method-override": "POST"}
    for method in METHODS:
        event = api_gateway_event(BODY, standard_webhooks_headers(KEY, BODY.encode()) | override, method=method)
        assert answered(name, event) in {(400, 0), (405, 0)}, method


CONTENT_TYPES = {
    "application/json": 202,
    "APPLICATION/JSON; charset=utf-8": 202,
    "application/json;charset=utf-16": 202,
    "application/vnd.x+json": 202,
    "application/x-ndjson": 202,
    "text/plain": 202,
    "": 202,
    "application/json, text/html": 415,
    "application/xml": 415,
    "text/html": 415,
    "multipart/form-data; boundary=x": 415,
    "application/jsonx": 415,
    "application/x-java-serialized-object": 415,
    "application/yaml": 415,
    "json": 415,
    "\x00": 415,
    "a" * 9_000: 415,
}


@pytest.mark.parametrize(("content_type", "expected"), CONTENT_TYPES.items(), ids=lambda one: str(one)[:30])
def test_the_bytes_are_the_same_whatever_they_are_called(content_type: str, expected: int) -> None:
    """API Gateway decides by the content type whether a body arrives as text; the proof and the queue must not care."""
    for body in (BODY, BODY.encode()):
        headers: Mapping[str, str] = standard_webhooks_headers(KEY, BODY.encode()) | {"content-type": content_type}
        receive, sender = receiver("custom")
        assert receive.answer(api_gateway_event(body, headers)).response.status == expected
        assert [decode_envelope(message).delivery.body for message in sender.messages] == (
            [BODY.encode()] if expected == 202 else []
        )


def test_text_that_only_says_it_is_base64_is_not_decoded_and_the_other_way_round() -> None:
    encoded = api_gateway_event(BODY.encode(), standard_webhooks_headers(KEY, BODY.encode()))
    assert answered("custom", encoded | {"isBase64Encoded": False}) == (401, 0)
    plain = api_gateway_event(BODY, standard_webhooks_headers(KEY, BODY.encode()))
    assert answered("custom", plain | {"isBase64Encoded": True}) == (400, 0)
