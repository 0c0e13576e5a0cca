"""Payload format 2.0: which event a request becomes, and which response an answer becomes."""

import base64
from typing import Any

import pytest

from trailhook_local.stack.httpapi import (
    Api,
    MalformedAnswerError,
    Request,
    Response,
    refusal,
    request_event,
    response_of,
)

API = Api(account_id="111122223333", api_id="abcdef1234")
GZIP = bytes.fromhex("1f8b0800")


def request(**changes: Any) -> Request:
    fields: dict[str, Any] = {
        "method": "POST",
        "target": "/webhook",
        "protocol": "HTTP/1.1",
        "headers": [("Host", "hooks.example.com:8443"), ("User-Agent", "curl/8.5")],
        "body": b"",
        "source_ip": "192.0.2.7",
        "received_ms": 1_795_305_600_123,
    }
    return Request(**{**fields, **changes})


def test_a_whole_event() -> None:
    event = request_event(
        request(
            target="/webhook/a%20b?team=x&team=y&empty=&q=a%26b",
            headers=[
                ("Host", "hooks.example.com:8443"),
                ("User-Agent", "curl/8.5"),
                ("Content-Type", "application/json"),
                ("Cookie", "session=1; theme=dark"),
                ("X-Signature", "one"),
                ("x-signature", "two"),
                ("Connection", "keep-alive"),
                ("X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
            ],
            body='{"name": "Zoë"}'.encode(),
        ),
        API,
    )
    assert event["requestContext"].pop("requestId")
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/webhook/a b",
        "rawQueryString": "team=x&team=y&empty=&q=a%26b",
        "cookies": ["session=1", "theme=dark"],
        "headers": {
            "host": "hooks.example.com:8443",
            "user-agent": "curl/8.5",
            "content-type": "application/json",
            "x-signature": "one,two",
            "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793",
            "x-forwarded-for": "192.0.2.7",
            "x-forwarded-port": "8443",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"team": "x,y", "empty": "", "q": "a&b"},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abcdef1234",
            "domainName": "hooks.example.com",
            "domainPrefix": "hooks",
            "http": {
                "method": "POST",
                "path": "/webhook/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "curl/8.5",
            },
            "routeKey": "$default",
            "stage": "$default",
            "time": "22/Nov/2026:00:00:00 +0000",
            "timeEpoch": 1_795_305_600_123,
        },
        "body": '{"name": "Zoë"}',
        "isBase64Encoded": False,
    }


def test_what_a_request_lacks_its_event_lacks() -> None:
    event = request_event(request(target="/", method="GET"), API)
    assert not {"body", "cookies", "queryStringParameters"} & set(event)
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/xml",
        "application/javascript",
        "text/plain",
        "text/csv;header=present",
    ],
)
def test_text_arrives_as_text(content_type: str) -> None:
    event = request_event(request(headers=[("Content-Type", content_type)], body=b"plain"), API)
    assert (event["body"], event["isBase64Encoded"]) == ("plain", False)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/cloudevents+json")],
        [("Content-Type", "application/octet-stream")],
        [("Content-Type", "application/x-ndjson")],
    ],
)
def test_everything_else_arrives_in_base64(headers: list[tuple[str, str]]) -> None:
    event = request_event(request(headers=headers, body=b'{"a": 1}'), API)
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b'{"a": 1}', True)


def test_bytes_under_a_text_type_are_mangled_and_under_another_are_not() -> None:
    as_text = request_event(request(headers=[("Content-Type", "text/plain")], body=GZIP), API)
    assert (as_text["body"], as_text["isBase64Encoded"]) == ("\x1f\ufffd\x08\x00", False)
    as_bytes = request_event(request(headers=[("Content-Type", "application/gzip")], body=GZIP), API)
    assert base64.b64decode(as_bytes["body"]) == GZIP


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"statusCode": 204}, Response(204, (), b"")),
        (
            {"statusCode": 202, "body": "queued"},
            Response(202, (("content-type", "text/plain;charset=utf-8"),), b"queued"),
        ),
        (
            {"statusCode": 200, "headers": {"Content-Type": "application/json", "Retry-After": 5}, "body": "{}"},
            Response(200, (("content-type", "application/json"), ("retry-after", "5")), b"{}"),
        ),
        (
            {"statusCode": 200, "cookies": ["a=1", "b=2"]},
            Response(200, (("set-cookie", "a=1"), ("set-cookie", "b=2")), b""),
        ),
        (
            {"statusCode": 200, "headers": {"content-type": "image/x"}, "body": "H4sIAA==", "isBase64Encoded": True},
            Response(200, (("content-type", "image/x"),), GZIP),
        ),
        ("ok", Response(200, (("content-type", "application/json"),), b"ok")),
        ({"ok": True}, Response(200, (("content-type", "application/json"),), b'{"ok": true}')),
        (None, Response(200, (("content-type", "application/json"),), b"null")),
    ],
)
def test_answers(answer: Any, expected: Response) -> None:
    assert response_of(answer) == expected


@pytest.mark.parametrize(
    "nonsense",
    [
        {"statusCode": "ok"},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
        {"statusCode": 200, "body": "nor this: é", "isBase64Encoded": True},
        {"statusCode": 200, "body": "x", "isBase64Encoded": "yes"},
    ],
)
def test_nonsense_is_refused(nonsense: Any) -> None:
    with pytest.raises(MalformedAnswerError):
        response_of(nonsense)


def test_the_gateways_own_words() -> None:
    assert refusal(413).body == b'{"message":"Request Entity Too Large"}'
