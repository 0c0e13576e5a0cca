"""An API Gateway event is read as it is documented, and anything else is the sender's bad request."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.receive.senders import NOW, RECEIVED_AT, REQUEST_ID, api_gateway_event

from trailhook.errors import BadRequest
from trailhook.gateway import Request, Response, request_id_of

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=100))
def test_a_base64_body_arrives_as_the_bytes_that_were_sent(body: bytes) -> None:
    assert Request.from_api_gateway(api_gateway_event(body, {})).body == body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_a_text_body_arrives_as_its_utf8(body: str) -> None:
    assert Request.from_api_gateway(api_gateway_event(body, {})).body == body.encode()


def test_a_request_has_what_the_event_says() -> None:
    event = api_gateway_event("", {"X-Name": "value"}, method="post", path="/stage/webhook")
    event["headers"]["X-Mixed-Case"] = "as some gateways leave it"
    request = Request.from_api_gateway(event)
    assert (request.method, request.path, request.body) == ("POST", "/stage/webhook", b"")
    assert (request.source_ip, request.received_at, request.request_id) == ("192.0.2.10", RECEIVED_AT, REQUEST_ID)
    assert (request.header("x-name"), request.header("x-absent")) == ("value", "")
    assert request.header("x-mixed-case") == "as some gateways leave it"


def test_no_headers_and_no_body_are_fine() -> None:
    event = api_gateway_event(None, {})
    assert Request.from_api_gateway(event | {"headers": None}).headers == {}
    del event["headers"]
    assert Request.from_api_gateway(event).body == b""


@pytest.mark.parametrize("unsaid", [{}, {"sourceIp": None}], ids=["missing", "null"])
def test_a_request_of_which_nobody_says_where_it_came_from_is_taken(unsaid: dict[str, Any]) -> None:
    event = api_gateway_event("", {})
    event["requestContext"]["http"] = {"method": "POST", **unsaid}
    assert Request.from_api_gateway(event).source_ip == ""


def test_a_receipt_time_in_seconds_is_what_sam_local_start_api_gives() -> None:
    assert Request.from_api_gateway(api_gateway_event("", {}, received_at=NOW)).received_at == NOW * 1000


BROKEN: list[Any] = [
    None,
    [],
    "event",
    7,
    {},
    {"requestContext": None},
    {"version": "1.0", "httpMethod": "POST", "path": "/webhook", "requestContext": {"requestId": "r"}},
    *(
        api_gateway_event("{}", {}) | change
        for change in (
            {"body": {"a": 1}},
            {"body": 5},
            {"body": "\ud800"},
            {"body": "not base64!", "isBase64Encoded": True},
            {"body": "YQ", "isBase64Encoded": True},
            {"body": "Y\nQ=!=", "isBase64Encoded": True},
            {"body": "\N{SNOWMAN}", "isBase64Encoded": True},
            {"headers": ["content-type"]},
            {"headers": {"x-number": 5}},
            {"headers": {"x-null": None}},
            {"rawPath": None},
            {"requestContext": {"http": {"method": "POST"}}},
            {"requestContext": "none"},
        )
    ),
]


@pytest.mark.parametrize("event", BROKEN, ids=lambda event: str(event)[-60:])
def test_what_is_no_such_event_is_a_bad_request(event: Any) -> None:
    with pytest.raises(BadRequest):
        Request.from_api_gateway(event)


@pytest.mark.parametrize("moment", [None, "soon", -1, 1e400, float("nan"), 10**18, "9" * 5000, []])
def test_a_receipt_time_that_is_none_is_a_bad_request(moment: Any) -> None:
    with pytest.raises(BadRequest):
        Request.from_api_gateway(api_gateway_event("", {}, received_at=moment))


@given(JUNK, st.sampled_from(["version", "rawPath", "headers", "body", "requestContext", "isBase64Encoded"]))
def test_any_member_may_be_anything(junk: Any, member: str) -> None:
    for event in (junk, {member: junk}, api_gateway_event("e30=", {}) | {member: junk}):
        assert isinstance(request_id_of(event), str)
        try:
            Request.from_api_gateway(event)
        except BadRequest:
            continue


def test_an_answer_has_the_form_that_api_gateway_documents() -> None:
    answer = Response(HTTPStatus.ACCEPTED, '{"a":1}', {"content-type": "application/json"}).to_api_gateway()
    assert json.loads(json.dumps(answer)) == {
        "statusCode": 202,
        "headers": {"content-type": "application/json"},
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }
