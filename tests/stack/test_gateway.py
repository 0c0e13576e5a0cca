"""The gateway over real sockets: what reaches the function, and what API Gateway says in its place."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from trailhook_local.stack.errors import InvocationError, StartError
from trailhook_local.stack.functions import REQUEST_TOO_LARGE
from trailhook_local.stack.gateway import Gateway, Throttle
from trailhook_local.stack.httpapi import Api

pytestmark = pytest.mark.stack

API = Api("111122223333", "abcdef1234")
Invoke = Callable[[Any], "Future[Any]"]


def answering(answer: Any) -> Invoke:
    """A function that returns `answer`, or raises it."""

    def invoke(_event: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    return invoke


def echo(event: Any) -> "Future[Any]":
    return answering({"statusCode": 200, "body": json.dumps(event)})(event)


def never(_event: Any) -> "Future[Any]":
    return Future()


@contextmanager
def gateway(invoke: Invoke, **options: Any) -> Iterator[Gateway]:
    running = Gateway(API, invoke, **options)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def post(url: str, body: bytes = b"{}", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(  # noqa: S310 - loopback
            urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310
        ) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def converse(url: str, wire: bytes) -> bytes:
    """Send raw bytes and no more, and read until the other side closes."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(wire)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_the_wire_reaches_the_function_unchanged() -> None:
    with gateway(echo) as running:
        answer = converse(
            running.url,
            b"POST /a%2Fb?x=%20y HTTP/1.1\r\nHost: h\r\nX_Under: 1\r\nX-Twice: a\r\nX-Twice: b\r\n"
            b"Content-Type: application/json\r\nContent-Length: 4\r\nConnection: close\r\n\r\n[1] ",
        )
    event = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (event["rawPath"], event["rawQueryString"]) == ("/a/b", "x=%20y")
    assert (event["headers"]["x_under"], event["headers"]["x-twice"]) == ("1", "a,b")
    assert (event["body"], event["isBase64Encoded"]) == ("[1] ", False)


def test_the_answer_carries_the_id_that_the_function_was_told() -> None:
    with gateway(echo) as running, urllib.request.urlopen(running.url) as answer:  # noqa: S310 - loopback
        assert answer.headers["apigw-requestid"] == json.load(answer)["requestContext"]["requestId"]


def test_a_chunked_body_arrives_whole() -> None:
    with gateway(echo) as running:
        answer = converse(
            running.url,
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        )
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["body"] == "hello world"


CUT_OFF = (
    *(
        b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        for chunks in (b"5\r\nhel", b"A00000\r\nhel", b"FFFFFFFFFFFF\r\nhel")
    ),
    *(
        b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        for chunks in (b"-5\r\nhello", b"\x1b[2J\r\n", b"", b"5\r\nhello\r\n")
    ),
    b"Content-Length: 9000000\r\n\r\nhel",
)


def test_a_body_that_is_cut_off_is_none_and_does_no_harm() -> None:
    events: list[Any] = []

    def note(event: Any) -> "Future[Any]":
        events.append(event)
        return answering("ok")(event)

    with gateway(note) as running:
        for rest in CUT_OFF:
            answer = converse(running.url, b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + rest)
            assert answer.startswith(b"HTTP/1.1 400 "), rest
        assert events == []
        assert post(running.url) == (200, b"ok")


@pytest.mark.parametrize(
    ("invoke", "expected"),
    [
        (answering(InvocationError("ValueError", "boom")), (500, b'{"message":"Internal Server Error"}')),
        (answering({"statusCode": "nonsense"}), (500, b'{"message":"Internal Server Error"}')),
        (never, (503, b'{"message":"Service Unavailable"}')),
        (answering(InvocationError(REQUEST_TOO_LARGE, "x")), (413, b'{"message":"Request Entity Too Large"}')),
    ],
)
def test_what_the_function_fails_to_say(invoke: Invoke, expected: tuple[int, bytes]) -> None:
    with gateway(invoke, integration_seconds=0.2) as running:
        assert post(running.url) == expected


def test_ten_megabytes_pass_and_a_byte_more_does_not() -> None:
    limit = 10 * 1024 * 1024
    with gateway(answering("ok")) as running:
        assert post(running.url, b"x" * limit) == (200, b"ok")
        assert post(running.url, b"x" * (limit + 1)) == (413, b'{"message":"Request Entity Too Large"}')


def test_a_port_that_is_taken_is_named() -> None:
    with gateway(echo) as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(StartError, match=rf"port {port} .* name another with --port"):
            Gateway(API, echo, port=port)


def test_requests_beyond_the_burst_are_throttled() -> None:
    with gateway(answering("ok"), throttle=Throttle(rate=0.001, burst=2)) as running:
        assert [post(running.url)[0] for _ in range(3)] == [200, 200, 429]
        assert post(running.url)[1] == b'{"message":"Too Many Requests"}'
