"""The one GET of ours to another host, against a real server on loopback: what it trusts, and what it never does."""

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.loopback import Exchange, listening, own_authority
from tests.receive.senders import NOW, api_gateway_event
from tests.receive.sns_sender import CERTIFICATE_URL, HEADERS, HOST, TOPIC, certificate, notification, signed

from trailhook.errors import FetchError
from trailhook.https import MAX_BYTES, Fetched, HttpsFetcher
from trailhook.partner import Options
from trailhook.partners import cloudstoragesecurity
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret


@dataclass
class TlsHost:
    """A host on loopback with a certificate of its own; `asked` lists what it was asked for."""

    pem: bytes
    port: int = 0
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def fetcher(self, *, trusted: bool = True, read_seconds: float = 30) -> HttpsFetcher:
        """A fetcher with time for a busy machine, which trusts this host or not."""
        context = ssl.create_default_context(cadata=self.pem.decode()) if trusted else None
        return HttpsFetcher(port=self.port, context=context, connect_seconds=30, read_seconds=read_seconds)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return own_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(authority: tuple[Path, ssl.SSLContext]) -> Iterator[TlsHost]:
    bundle, context = authority
    running = TlsHost(bundle.read_bytes())

    def respond(exchange: Exchange) -> None:
        running.asked.append(exchange.path)
        match exchange.path:
            case "/hangs":
                running.over.wait(60)
            case "/moved":
                exchange.answer(302, headers={"location": "/elsewhere"})
            case "/gone":
                exchange.answer(404, b"gone")
            case "/cut":
                exchange.answer(200, b"half", headers={"content-length": "8"})
                exchange.close_connection = True
            case "/large":
                exchange.answer(200, b"x" * (MAX_BYTES + 1))
            case "/full":
                exchange.answer(200, b"x" * MAX_BYTES)
            case _:
                exchange.answer(200, certificate())

    with listening(respond, context) as url:
        running.port = int(url.rpartition(":")[2])
        yield running
        running.over.set()


def test_an_answer_is_what_the_host_says_whatever_its_status(server: TlsHost) -> None:
    assert server.fetcher().get("localhost", "/x?y=z") == Fetched(200, certificate())
    assert server.fetcher().get("localhost", "/gone") == Fetched(404, b"gone")
    assert server.asked == ["/x?y=z", "/gone"]


def test_a_redirect_is_an_answer_and_not_followed(server: TlsHost) -> None:
    assert server.fetcher().get("localhost", "/moved").status == 302
    assert server.asked == ["/moved"]


def test_no_more_is_read_than_a_certificate_may_have(server: TlsHost) -> None:
    assert len(server.fetcher().get("localhost", "/full").body) == MAX_BYTES
    with pytest.raises(FetchError, match="more than 64,000 bytes"):
        server.fetcher().get("localhost", "/large")


def test_an_answer_that_is_cut_short_is_none(server: TlsHost) -> None:
    with pytest.raises(FetchError, match="4 bytes are missing"):
        server.fetcher().get("localhost", "/cut")


def test_a_host_that_cannot_prove_its_name_is_asked_nothing(server: TlsHost) -> None:
    for fetcher, host in ((server.fetcher(trusted=False), "localhost"), (server.fetcher(), "127.0.0.1")):
        with pytest.raises(FetchError, match="SSLCertVerificationError"):
            fetcher.get(host, "/x")
    assert server.asked == []


def test_a_host_that_hangs_or_is_not_there_did_not_answer(server: TlsHost) -> None:
    with pytest.raises(FetchError, match="TimeoutError"):
        server.fetcher(read_seconds=0.2).get("localhost", "/hangs")
    with pytest.raises(FetchError, match="did not answer"):
        HttpsFetcher(port=1).get("localhost", "/x")


@pytest.mark.parametrize("target", ["/a b", "/a\r\nHost: evil.example", "/\u00e9"])
def test_a_target_that_would_break_the_request_is_never_sent(server: TlsHost, target: str) -> None:
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


def test_a_message_of_sns_is_proven_by_a_certificate_from_the_network(server: TlsHost) -> None:
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
