"""API Gateway's place on the laptop: one loopback port per integration, in front of its receive function."""

import http.client
import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import get_input_stream

from trailhook.token_bucket import TokenBucket
from trailhook_local.stack.errors import InvocationError, StartError
from trailhook_local.stack.functions import REQUEST_TOO_LARGE
from trailhook_local.stack.httpapi import (
    Api,
    MalformedAnswerError,
    Request,
    Response,
    new_request_id,
    refusal,
    request_event,
    response_of,
)

log = logging.getLogger(__name__)

# "Quotas for configuring and running an HTTP API in API Gateway": payload size and integration timeout.
MAX_BODY_BYTES = 10 * 1024 * 1024
INTEGRATION_SECONDS = 30.0


@dataclass(frozen=True)
class Throttle:
    """A route's throttling: `rate` requests a second on average, `burst` at once."""

    rate: float
    burst: int


class Gateway:
    """An HTTP API with the one route `$default`, in front of one function.

    `invoke` hands an event to the function and returns the future of its answer. Raises `StartError` where `port` is
    taken.
    """

    def __init__(
        self,
        api: Api,
        invoke: Callable[[Any], "Future[Any]"],
        throttle: Throttle | None = None,
        port: int = 0,
        integration_seconds: float = INTEGRATION_SECONDS,
    ) -> None:
        self._api = api
        self._invoke = invoke
        self._bucket = TokenBucket(throttle.burst, 1 / throttle.rate, time.monotonic) if throttle else None
        self._integration_seconds = integration_seconds
        with _listening(port) as listener:
            self._server = make_server(
                "127.0.0.1", port, self._serve, threaded=True, request_handler=_WireHandler, fd=listener.fileno()
            )
        # A request in work must not keep a stack from stopping.
        self._server.block_on_close = False  # type: ignore[attr-defined] # of the threaded kind
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="gateway", daemon=True, kwargs={"poll_interval": 0.1}
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = _body(environ)
        request_id = new_request_id()
        if body is None:
            response = refusal(400)
        elif len(body) > MAX_BODY_BYTES:
            response = refusal(413)
        else:
            response = self.respond(_wire_request(environ, body, request_id))
        headers = [*response.headers, ("apigw-requestid", request_id)]
        if response.status not in (204, 304):
            headers.append(("content-length", str(len(response.body))))
        start_response(f"{response.status} {http.client.responses.get(response.status, 'Unknown')}", headers)
        return [response.body] if environ["REQUEST_METHOD"] != "HEAD" and response.status not in (204, 304) else []

    def respond(self, request: Request) -> Response:
        """What API Gateway answers; its own words wherever the function has none."""
        if self._bucket and not self._bucket.take():
            return refusal(429)
        answer = self._invoke(request_event(request, self._api))
        try:
            return response_of(answer.result(self._integration_seconds))
        except (TimeoutError, CancelledError):
            # A function that takes too long goes on, as it does on AWS: what it does afterwards still happens.
            return refusal(503)
        except InvocationError as error:
            log.warning("receive failed: %s", error)
            status = 413 if error.error_type == REQUEST_TOO_LARGE else 500
            return refusal(status)
        except MalformedAnswerError as error:
            log.warning("receive answered nonsense: %s", error)
            return refusal(500)


def refuse_taken_ports(ports: Iterable[int]) -> None:
    """Raises `StartError` where a port is taken, before anything is started for it."""
    for port in ports:
        _listening(port).close()


def _listening(port: int) -> socket.socket:
    """A socket of our own: werkzeug would print and end the process where the port is taken."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as error:
        raise StartError(f"port {port} is taken, or not ours to use; name another with --port") from error


class _WireHandler(WSGIRequestHandler):
    """Hands on headers and target as they came: WSGI drops some names, merges doubles and decodes the path."""

    def make_environ(self) -> dict[str, Any]:
        return {
            **super().make_environ(),
            "trailhook.headers": tuple(self.headers.items()),
            "trailhook.target": self.path,
        }

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        log.info('%s "%s" %s %s', self.address_string(), self.requestline, code, size)


def _body(environ: dict[str, Any]) -> bytes | None:
    """The body, up to the first byte that is too many; None where it is cut off, or not in chunks as it says.

    Through a buffer: where a chunk is shorter than it says, werkzeug shrinks the array that it was given to fill. A
    plain read would write beyond the end of that array, and the process would crash.
    """
    try:
        return io.BufferedReader(get_input_stream(environ)).read(MAX_BODY_BYTES + 1)  # type: ignore[type-var] # a raw one
    except (OSError, ValueError, ClientDisconnected):
        return None


def _wire_request(environ: dict[str, Any], body: bytes, request_id: str) -> Request:
    return Request(
        method=environ["REQUEST_METHOD"],
        target=environ["trailhook.target"],
        protocol=environ["SERVER_PROTOCOL"],
        headers=environ["trailhook.headers"],
        body=body,
        source_ip=environ["REMOTE_ADDR"],
        received_ms=int(time.time() * 1000),
        id=request_id,
    )
