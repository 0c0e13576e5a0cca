"""The one GET of ours to another host, against a real server on loopback: what it trusts, and what it never does."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import NOW, api_gateway_event
from tests.receive.sns_sender import CERTIFICATE_URL, HEADERS, HOST, TOPIC, certificate, key, notification, signed

from trailhook.errors import FetchError
from trailhook.https import MAX_BYTES, Fetched, HttpsFetcher
from trailhook.partner import Options
from trailhook.partners import cloudstoragesecurity
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret


@dataclass
class TlsServer:
    """A server on loopback with a certificate of its own; `asked` lists what it was asked for."""

    port: int
    pem: bytes
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def fetcher(self, *, trusted: bool = True, read_seconds: float = 30) -> HttpsFetcher:
        """A fetcher with time for a busy machine, which trusts this server or not."""
        context = ssl.create_default_context(cadata=self.pem.decode()) if trusted else None
        return HttpsFetcher(port=self.port, context=context, connect_seconds=30, read_seconds=read_seconds)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's certificate and key, as files."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "certificate.pem").write_bytes(certificate(names=["localhost"], days=(-1, 36_500), authority=True))
    (folder / "key.pem").write_bytes(key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[TlsServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            if self.path == "/hangs":
                running.over.wait(60)
                return
            status, body = {
                "/moved": (302, b""),
                "/gone": (404, b"gone"),
                "/large": (200, b"x" * (MAX_BYTES + 1)),
                "/full": (200, b"x" * MAX_BYTES),
            }.get(self.path, (200, certificate()))
            self.send_response(status)
            if status == 302:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that does not trust us goes away, as it should."""

    httpd = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    running = TlsServer(httpd.server_address[1], (folder / "certificate.pem").read_bytes())
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield running
    running.over.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_an_answer_is_what_the_host_says_whatever_its_status(server: TlsServer) -> None:
    assert server.fetcher().get("localhost", "/x?y=z") == Fetched(200, certificate())
    assert server.fetcher().get("localhost", "/gone") == Fetched(404, b"gone")
    assert server.asked == ["/x?y=z", "/gone"]


def test_a_redirect_is_an_answer_and_not_followed(server: TlsServer) -> None:
    assert server.fetcher().get("localhost", "/moved").status == 302
    assert server.asked == ["/moved"]


def test_no_more_is_read_than_a_certificate_may_have(server: TlsServer) -> None:
    assert len(server.fetcher().get("localhost", "/full").body) == MAX_BYTES
    with pytest.raises(FetchError, match="more than 64,000 bytes"):
        server.fetcher().get("localhost", "/large")


def test_a_host_that_cannot_prove_its_name_is_asked_nothing(server: TlsServer) -> None:
    for fetcher, host in ((server.fetcher(trusted=False), "localhost"), (server.fetcher(), "127.0.0.1")):
        with pytest.raises(FetchError, match="SSLCertVerificationError"):
            fetcher.get(host, "/x")
    assert server.asked == []


def test_a_host_that_hangs_or_is_not_there_did_not_answer(server: TlsServer) -> None:
    with pytest.raises(FetchError, match="TimeoutError"):
        server.fetcher(read_seconds=0.2).get("localhost", "/hangs")
    with pytest.raises(FetchError, match="did not answer"):
        HttpsFetcher(port=1).get("localhost", "/x")


@pytest.mark.parametrize("target", ["/a b", "/a\r\nHost: evil.example", "/\u00e9"])
def test_a_target_that_would_break_the_request_is_never_sent(server: TlsServer, target: str) -> None:
    with pytest.raises(FetchError):
        server.fetcher().get("localhost", target)
    assert server.asked == []


@dataclass
class AsIfItWere:
    """Asks the server on loopback what is asked of any other host."""

    fetcher: HttpsFetcher
    hosts: list[str] = field(default_factory=list)

    def get(self, host: str, target: str) -> Fetched:
        self.hosts.append(host)
        return self.fetcher.get("localhost", target)


def test_a_message_of_sns_is_proven_by_a_certificate_from_the_network(server: TlsServer) -> None:
    source = AsIfItWere(server.fetcher())
    store, sender = MemorySecretStore(), MemorySender()
    store.put(TOPIC, at=0)
    receiver = Receiver(
        cloudstoragesecurity.partner(Options(), source),
        WebhookSecret(store, grace_hours=24, now=MemoryClock(NOW).now),
        sender,
    )
    answers = [
        receiver.answer(api_gateway_event(signed(notification(), v), HEADERS)).response.status for v in ("1", "2")
    ]
    assert answers == [202, 202]
    assert len(sender.messages) == 2
    assert source.hosts == [HOST]
    assert [f"https://{HOST}{path}" for path in server.asked] == [CERTIFICATE_URL]
