"""Servers on loopback: an AWS service or another host that answers, refuses or hangs as a test tells it."""

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.receive.sns_sender import certificate, key

Answer = Callable[[Mapping[str, Any]], tuple[int, bytes]]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer, which says nothing in the terminal."""

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers["content-length"]))

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - the parent's signature
        return


class TlsServer(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that does not trust us goes away, as it should."""


@contextmanager
def listening(respond: Callable[[Exchange], None], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL where `respond` sees every request."""

    class Handler(Exchange):
        def do_POST(self) -> None:
            respond(self)

        do_GET = do_PUT = do_CONNECT = do_POST  # noqa: N815 - the same

    with (TlsServer if tls else ThreadingHTTPServer)(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"{'https://localhost' if tls else 'http://127.0.0.1'}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def tunnel(exchange: Exchange, url: str) -> None:
    """Answer a CONNECT as a proxy does, but lead to the server at `url`, whoever was asked for."""
    server = urlsplit(url)
    with socket.create_connection((server.hostname, server.port), timeout=10) as there:
        exchange.answer(200)
        here = exchange.connection
        while ready := select.select([here, there], [], [], 10)[0]:
            for one in ready:
                data = one.recv(65_536)
                if not data:
                    return
                (there if one is here else here).sendall(data)


def own_authority(folder: Path, host: str = "localhost") -> tuple[Path, ssl.SSLContext]:
    """An authority that nobody knows, as a bundle, and a server's context with its certificate for `host`."""
    bundle, secret = folder / "certificate.pem", folder / "key.pem"
    bundle.write_bytes(certificate(names=[host], days=(-1, 36_500), authority=True))
    secret.write_bytes(key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, secret)
    return bundle, context


@dataclass
class Service:
    """`answer` makes status and body of a request's JSON; None hangs until the service ends."""

    answer: Answer | None = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(answer: Answer | None) -> Iterator[Service]:
    """An AWS service that speaks JSON: what a real outage looks like."""
    service = Service(answer)

    def respond(exchange: Exchange) -> None:
        document = json.loads(exchange.body())
        service.requests.append(document)
        if service.answer is None:
            service.over.wait(10)
            return
        exchange.answer(*service.answer(document), {"content-type": "application/x-amz-json-1.1"})

    with listening(respond) as service.url:
        try:
            yield service
        finally:
            service.over.set()


def refusing(status: int, code: str) -> Answer:
    """AWS's form of an error."""
    return lambda _: (status, json.dumps({"__type": code, "message": "x"}).encode())
