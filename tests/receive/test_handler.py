"""Every status that receive answers with, and when: what partners and operators can rely on."""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.receive.conftest import SECRET, ReceiveFunction
from tests.receive.senders import (
    NOW,
    RECEIVED_AT,
    REQUEST_ID,
    api_gateway_event,
    github_headers,
    standard_webhooks_headers,
)

from trailhook.telemetry import NAMESPACE

KEY = base64.b64decode(SECRET)
BODY = b'{"type":"invoice.approved","data":{"actor":{"id":"u-17"}}}'


def standard(body: bytes = BODY, **more: Any) -> dict[str, Any]:
    """A genuine Standard Webhooks delivery, its body as text where it is text."""
    headers = standard_webhooks_headers(KEY, body) | more.pop("headers", {})
    return api_gateway_event(body, headers, **more)


def github(body: bytes, event: str = "member", **more: Any) -> dict[str, Any]:
    return api_gateway_event(body, github_headers(SECRET, body, event), **more)


# Accepted.


def test_a_structured_cloudevent_is_one_whatever_other_headers_came_along(function: ReceiveFunction) -> None:
    headers = {"content-type": "application/cloudevents+json", "ce-id": "1", "ce-specversion": "1.0"}
    assert function(standard(headers=headers))[0] == 202


def test_a_genuine_delivery_is_queued_byte_for_byte_and_answered_202(function: ReceiveFunction) -> None:
    status, body, _ = function(standard())
    assert (status, body) == (202, {"message": "Accepted", "request_id": REQUEST_ID})
    [envelope] = function.queued()
    delivery = envelope.delivery
    assert (envelope.attempt, envelope.pending) == (0, None)
    assert (delivery.body, delivery.partner, delivery.id) == (BODY, "custom", "msg_1")
    assert (delivery.received_at, delivery.source_ip) == (RECEIVED_AT, "192.0.2.10")
    assert (delivery.proof, delivery.request_id) == ("standard-webhooks", REQUEST_ID)
    assert delivery.headers == {"content-type": "application/json", "webhook-id": "msg_1"}
    assert delivery.signed == {"webhook-id"}


@pytest.mark.parametrize("age", [240, -240])
def test_a_delivery_signed_four_minutes_off_is_taken(function: ReceiveFunction, age: int) -> None:
    headers = standard_webhooks_headers(KEY, BODY, timestamp=str(NOW - age))
    assert function(api_gateway_event(BODY, headers))[0] == 202


def test_a_body_arrives_the_same_as_text_and_as_base64(function: ReceiveFunction) -> None:
    for body in (BODY.decode(), BODY):
        assert function(api_gateway_event(body, standard_webhooks_headers(KEY, BODY)))[0] == 202
    assert [envelope.delivery.body for envelope in function.queued()] == [BODY, BODY]


def test_bytes_that_are_no_text_survive(function: ReceiveFunction) -> None:
    body = b"\xff\xfe\x00\x1f" * 100
    assert function(standard(body, headers={"content-type": "application/octet-stream"}))[0] == 202
    assert [envelope.delivery.body for envelope in function.queued()] == [body]


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "application/gzip", ""])
def test_a_gzip_body_travels_as_it_came(function: ReceiveFunction, encoding: str) -> None:
    body = gzip.compress(BODY, mtime=0)
    assert function(standard(body, headers={"content-encoding": encoding}))[0] == 202
    assert [envelope.delivery.body for envelope in function.queued()] == [body]


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "application/json; charset=utf-8",
        "application/json ;charset=utf-8",
        "Application/JSON",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "application/jsonl",
        "application/json-seq",
        "text/json",
        "text/plain",
        "application/x-www-form-urlencoded",
    ],
)
def test_the_media_types_that_senders_of_events_use(function: ReceiveFunction, media_type: str) -> None:
    assert function(standard(headers={"content-type": media_type}))[0] == 202


def test_a_form_of_github_is_proven_and_kept_as_it_was_sent(function: ReceiveFunction) -> None:
    function.configure(PARTNER="github")
    body = b"payload=%7B%22action%22%3A%22added%22%7D"
    event = github(body)
    event["headers"]["content-type"] = "application/x-www-form-urlencoded"
    assert function(event)[0] == 202
    assert [envelope.delivery.body for envelope in function.queued()] == [body]


def test_a_ping_of_github_is_a_delivery_like_any_other(function: ReceiveFunction) -> None:
    function.configure(PARTNER="github")
    status, _, _ = function(github(b'{"zen":"x","hook_id":1,"sender":{"login":"a","id":2}}', event="ping"))
    assert status == 202
    [envelope] = function.queued()
    assert envelope.delivery.id == "11111111-aaaa-4aaa-8aaa-111111111111"
    assert envelope.delivery.header("x-github-event") == "ping"
    assert envelope.delivery.signed == frozenset()


def test_an_authenticated_body_that_makes_no_sense_is_taken_all_the_same(function: ReceiveFunction) -> None:
    """forward keeps it in quarantine; a 4xx would make some partners drop it."""
    assert function(standard(b"{not json"))[0] == 202
    assert len(function.queued()) == 1


def test_a_delivery_without_an_id_of_its_own_goes_by_the_requests(function: ReceiveFunction) -> None:
    """Log, queue and quarantine name it so, and an operator finds it by that."""
    function.configure(PARTNER="okta")
    headers = {"authorization": SECRET, "content-type": "application/json"}
    assert function(api_gateway_event('{"data":{"events":[]}}', headers))[0] == 204
    assert function.log_lines()[-1]["delivery_id"] == REQUEST_ID
    [envelope] = function.queued()
    assert envelope.delivery.id == REQUEST_ID


def test_okta_gets_an_empty_204(function: ReceiveFunction) -> None:
    function.configure(PARTNER="okta")
    headers = {"authorization": SECRET, "content-type": "application/json"}
    answer = function.handler(api_gateway_event('{"data":{"events":[]}}', headers), None)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    [envelope] = function.queued()
    assert "authorization" not in envelope.delivery.headers


def test_hec_is_answered_as_its_clients_expect_where_the_operator_accepts_it(function: ReceiveFunction) -> None:
    function.configure(PARTNER="github", ACCEPT_HEC="true")
    headers = {"authorization": f"Splunk {SECRET}"}
    body = '{"event":{"action":"repo.create"}}\n{"event":{"action":"repo.destroy"}}'
    for path in ("/services/collector", "/services/collector/event"):
        assert function(api_gateway_event(body, headers, path=path))[:2] == (200, {"text": "Success", "code": 0})
    assert len(function.queued()) == 2
    assert function(api_gateway_event(body, headers))[0] == 401
    assert function(api_gateway_event(body, {"authorization": SECRET}, path="/services/collector"))[0] == 401


def test_hec_is_not_there_where_the_operator_did_not_ask_for_it(function: ReceiveFunction) -> None:
    function.configure(PARTNER="github")
    headers = {"authorization": f"Splunk {SECRET}"}
    assert function(api_gateway_event("{}", headers, path="/services/collector"))[0] == 404
    assert function(api_gateway_event("{}", headers))[0] == 401


def test_a_path_below_a_stage_or_with_a_slash_at_its_end_is_the_webhook_as_well(function: ReceiveFunction) -> None:
    for path in ("/webhook", "/webhook/", "/prod/webhook"):
        assert function(standard(path=path))[0] == 202


# Handshakes.

CHALLENGE = "Me_rShK8JHsTnbyYrWXCEoMGbM_zsZ6k0hLPZ_Pg"


def test_oktas_verification_is_answered_with_its_challenge(function: ReceiveFunction) -> None:
    """The sample of Okta's page "Event hooks"."""
    function.configure(PARTNER="okta")
    headers = {"X-Okta-Verification-Challenge": CHALLENGE, "Authorization": SECRET}
    status, body, answer_headers = function(api_gateway_event(None, headers, method="GET"))
    assert (status, body) == (200, {"verification": CHALLENGE})
    assert answer_headers["content-type"] == "application/json"
    assert function.queued() == []


def test_oktas_verification_needs_the_secret_and_the_challenge(function: ReceiveFunction) -> None:
    function.configure(PARTNER="okta")
    challenge, secret = {"x-okta-verification-challenge": CHALLENGE}, {"authorization": SECRET}
    assert function(api_gateway_event(None, challenge, method="GET"))[0] == 401
    assert function(api_gateway_event(None, challenge | {"authorization": "guess"}, method="GET"))[0] == 401
    assert function(api_gateway_event(None, secret, method="GET"))[0] == 400
    assert CHALLENGE not in function.log.getvalue()


def test_cloudevents_validation_is_answered_without_a_signature(function: ReceiveFunction) -> None:
    """Section "Validation request" of "HTTP 1.1 Web Hooks for Event Delivery"."""
    asked = {"WebHook-Request-Origin": "sender.example.com", "WebHook-Request-Rate": "120"}
    status, _, headers = function(api_gateway_event(None, asked, method="OPTIONS"))
    assert status == 200
    assert headers["webhook-allowed-origin"] == "sender.example.com"
    assert headers["webhook-allowed-rate"] == "120"
    assert "POST" in headers["allow"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-request-origin": ""},
        {"webhook-request-origin": "*"},
        {"webhook-request-origin": "a\r\nset-cookie: x"},
        {"webhook-request-origin": "sender.example.com", "webhook-request-rate": "1\r\nx: y"},
        {"webhook-request-origin": "sender.example.com", "webhook-request-rate": "-1"},
    ],
)
def test_a_broken_validation_gets_no_consent(function: ReceiveFunction, headers: dict[str, str]) -> None:
    status, _, answered = function(api_gateway_event(None, headers, method="OPTIONS"))
    assert status == 400
    assert not [name for name in answered if name.startswith("webhook-")]


# Refused.

Event = Callable[[], dict[str, Any]]


def altered(event: dict[str, Any], **headers: str) -> dict[str, Any]:
    return event | {"headers": event["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}}


REFUSED: dict[str, tuple[int, Event]] = {
    "empty body": (400, lambda: standard(b"")),
    "body that is not base64": (400, lambda: standard() | {"body": "%%%"}),
    "no request at all": (400, lambda: {"requestContext": {"requestId": REQUEST_ID}}),
    "no signature": (401, lambda: api_gateway_event(BODY, {"content-type": "application/json"})),
    "altered body": (401, lambda: standard() | {"body": "e30="}),
    "altered signature": (401, lambda: altered(standard(), webhook_signature="v1,AAAA")),
    "stale": (401, lambda: standard(received_at=RECEIVED_AT + 301_000)),
    "from the future": (401, lambda: standard(received_at=RECEIVED_AT - 301_000)),
    "not ASCII": (401, lambda: altered(standard(), webhook_signature="v1,\u00e9\u2603\ud800")),
    "secret as a token": (401, lambda: api_gateway_event(BODY, {"authorization": f"Bearer {SECRET}"})),
    "unsigned empty body": (401, lambda: api_gateway_event(b"", {})),
    "unsigned XML": (401, lambda: api_gateway_event("<a/>", {"content-type": "application/xml"})),
    "another path": (404, lambda: standard(path="/")),
    "a path that looks similar": (404, lambda: standard(path="/xwebhook")),
    "a path below": (404, lambda: standard(path="/webhook/x")),
    "GET": (405, lambda: standard(method="GET")),
    "PUT": (405, lambda: standard(method="PUT")),
    "too large even compressed": (413, lambda: standard(hashlib.shake_128(b"noise").digest(1_000_000))),
    "CloudEvents' binary mode": (415, lambda: standard(headers={"ce-specversion": "1.0", "ce-id": "1"})),
    "XML": (415, lambda: standard(headers={"content-type": "application/xml"})),
    "multipart": (415, lambda: standard(headers={"content-type": "multipart/form-data; boundary=x"})),
    "Brotli": (415, lambda: standard(headers={"content-encoding": "br"})),
}


@pytest.mark.parametrize(("status", "event"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_has_its_status_and_one_log_line_with_the_requests_id(
    function: ReceiveFunction, status: int, event: Event
) -> None:
    answered, body, headers = function(event())
    assert (answered, body["request_id"]) == (status, REQUEST_ID)
    assert headers["content-type"] == "application/json"
    assert function.queued() == []
    [line] = function.log_lines()
    assert (line["request_id"], line["status"], line["partner"]) == (REQUEST_ID, status, "custom")
    assert line["refused"]
    assert line["level"] == "WARNING"


def test_a_refusal_of_anything_but_the_proof_tells_the_sender_what_to_change(function: ReceiveFunction) -> None:
    """The same that the log says."""
    for event in (event for status, event in REFUSED.values() if status != 401):
        _, body, _ = function(event())
        assert body["message"] == function.log_lines()[-1]["refused"] != ""


def test_every_401_is_the_same_whatever_the_cause(function: ReceiveFunction) -> None:
    answers = [function.handler(event(), None) for status, event in REFUSED.values() if status == 401]
    assert len(answers) > 5
    assert all(answer == answers[0] for answer in answers)
    assert json.loads(answers[0]["body"]) == {"message": "Unauthorized", "request_id": REQUEST_ID}


def test_a_405_says_what_is_allowed(function: ReceiveFunction) -> None:
    assert function(standard(method="DELETE"))[2]["allow"] == "OPTIONS, POST"
    function.configure(PARTNER="github")
    assert function(standard(method="OPTIONS"))[2]["allow"] == "POST"


def test_a_415_for_a_compression_says_which_one_is_taken(function: ReceiveFunction) -> None:
    assert function(standard(headers={"content-encoding": "br"}))[2]["accept-encoding"] == "gzip"


@pytest.mark.parametrize("media_type", ["text/plain", "application/json"])
@pytest.mark.parametrize("encoding", ["gzip", "application/gzip", ""])
def test_gzip_that_api_gateway_took_for_text_is_not_acknowledged(
    function: ReceiveFunction, media_type: str, encoding: str
) -> None:
    """A token proves it whatever became of the body, and a quarantine of what nobody can open keeps no evidence."""
    function.configure(PARTNER="okta")
    headers = {"authorization": SECRET, "content-type": media_type, "content-encoding": encoding}
    read_as_text = gzip.compress(BODY, mtime=0).decode(errors="replace")
    status, body, _ = function(api_gateway_event(read_as_text, headers))
    assert (status, function.queued()) == (415, [])
    assert "send it as Content-Type application/octet-stream" in body["message"]
    as_told = api_gateway_event(gzip.compress(BODY, mtime=0), headers | {"content-type": "application/octet-stream"})
    assert function.handler(as_told, None)["statusCode"] == 204


def test_where_a_signature_covers_such_gzip_the_log_says_why_it_does_not_hold(function: ReceiveFunction) -> None:
    body = gzip.compress(BODY, mtime=0)
    sent = api_gateway_event(body.decode(errors="replace"), standard_webhooks_headers(KEY, body))
    status, answer, _ = function(sent)
    assert (status, answer["message"]) == (401, "Unauthorized")
    assert "send it as Content-Type application/octet-stream" in function.log_lines()[-1]["refused"]


# Log and metrics.


def test_each_request_is_one_log_line_that_says_what_became_of_it(function: ReceiveFunction) -> None:
    for number in range(3):
        function(standard(request_id=f"request-{number}"))
    lines = function.log_lines()
    assert [line["request_id"] for line in lines] == ["request-0", "request-1", "request-2"]
    assert {key: lines[0][key] for key in ("status", "queued", "proof", "delivery_id", "bytes", "source_ip")} == {
        "status": 202,
        "queued": True,
        "proof": "standard-webhooks",
        "delivery_id": "msg_1",
        "bytes": len(BODY),
        "source_ip": "192.0.2.10",
    }


def test_the_log_never_holds_the_secret_nor_a_credential_nor_the_body(
    function: ReceiveFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    marked = b'{"type":"x","password":"body-marker"}'
    credentials = {"authorization": "Bearer authorization-marker", "x-gitlab-token": "gitlab-marker"}
    for partner in ("custom", "github", "okta"):
        function.configure(PARTNER=partner, ACCEPT_HEC="true")
        function(standard(marked, headers=credentials))
        function(api_gateway_event(marked, credentials))
        function(api_gateway_event(marked, {"authorization": SECRET}))
        function(api_gateway_event(marked, {"authorization": f"Splunk {SECRET}"}, path="/services/collector"))
        function(api_gateway_event(marked, {"authorization": SECRET + "x"}, method="GET"))
        function(api_gateway_event(marked, {"webhook-signature": f"v1,{SECRET}", "webhook-id": "authorization"}))
    function.configure(DELIVERY_QUEUE_URL="http://127.0.0.1:9/111122223333/gone")
    function(standard(marked, headers=credentials))
    written = function.log.getvalue() + "".join(capsys.readouterr())
    assert len(function.log_lines()) == 19
    for secret in (SECRET, SECRET[:-4], KEY.hex(), "marker", base64.b64encode(marked).decode()):
        assert secret not in written


@pytest.mark.parametrize(
    "hostile",
    ['x\n{"level":"INFO","message":"forged"}', '","status":200,"x":"', "\x1b[31m\x00\u2028", "\ud800", "x" * 5000],
)
def test_nothing_in_a_request_breaks_out_of_its_log_line(function: ReceiveFunction, hostile: str) -> None:
    headers = standard_webhooks_headers(KEY, BODY) | {"content-encoding": hostile, "webhook-request-origin": hostile}
    requests = [
        api_gateway_event(BODY, headers, path=f"/{hostile}", method=hostile),
        api_gateway_event(BODY, headers | {"webhook-id": hostile}),
        api_gateway_event(BODY, headers, method=hostile),
        api_gateway_event(BODY, headers, request_id=hostile),
        api_gateway_event(None, headers, method="OPTIONS"),
    ]
    for event in requests:
        event["requestContext"]["http"]["sourceIp"] = hostile
        assert function(event)[0] in {400, 401, 404, 405, 415}
    assert len(function.log_lines()) == len(function.log.getvalue().splitlines()) == len(requests)
    assert [line["status"] for line in function.log_lines()] == [404, 401, 405, 415, 400]


def test_deliveries_are_counted_by_what_became_of_them(
    function: ReceiveFunction, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {401: "Unauthenticated", 413: "TooLarge", 415: "Unsupported", 503: "Unavailable"}
    cases = [(202, standard), *REFUSED.values(), (503, standard)]
    for status, event in cases:
        if status == 503:
            function.configure(WEBHOOK_SECRET_ARN=function.secret_arn.replace("secret:", "secret:gone-"))
        capsys.readouterr()
        function(event())
        [metric] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
        [directive] = metric["_aws"]["CloudWatchMetrics"]
        expected = {"DeliveriesQueued": [1.0]} if status == 202 else {"DeliveriesRefused": [1.0]}
        if status in named:
            expected[f"Deliveries{named[status]}"] = [1.0]
        if status == 401:
            expected["DeliveriesQueued"] = [0.0]
        assert {each["Name"]: metric[each["Name"]] for each in directive["Metrics"]} == expected
        assert directive["Namespace"] == NAMESPACE
        assert metric["Partner"] == "custom"
