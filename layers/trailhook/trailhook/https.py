"""A GET over TLS from a host that the code has chosen: within time and size, and without following anything.

`http.client` is used because, unlike urllib3, it neither logs the request nor follows a redirect.
"""

import http.client
import ssl
from typing import Protocol

from msgspec import Struct

from trailhook.errors import FetchError

CONNECT_SECONDS = 0.25
READ_SECONDS = 0.35
MAX_BYTES = 64_000


class Fetched(Struct, frozen=True):
    """An answer's status and body."""

    status: int
    body: bytes

    @property
    def is_unavailable(self) -> bool:
        """Whether the host cannot answer just now: it is asked too much, or has a fault of its own."""
        return self.status == 429 or self.status >= 500


class Fetcher(Protocol):
    """Where answers of other hosts come from."""

    def get(self, host: str, target: str) -> Fetched:
        """The host's answer, whatever it says, to a GET of `target` (path and query). Raises FetchError without one."""


class HttpsFetcher:
    """The network. `context` is what the host's certificate is held against: by default the machine's authorities."""

    def __init__(
        self,
        *,
        port: int = 443,
        context: ssl.SSLContext | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._port = port
        self._context = context
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds

    def get(self, host: str, target: str) -> Fetched:
        if self._context is None:
            # Reading the authorities takes long, and a partner without such a proof never needs them.
            self._context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, self._port, timeout=self._connect_seconds, context=self._context)
        try:
            connection.connect()
            connection.sock.settimeout(self._read_seconds)
            connection.request("GET", target, headers={"user-agent": "trailhook"})
            answer = connection.getresponse()
            body = answer.read(MAX_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # Its text may quote the target, and that may hold a token.
            raise FetchError(f"{host} did not answer: {type(error).__name__}") from error
        finally:
            connection.close()
        if len(body) > MAX_BYTES:
            raise FetchError(f"{host} answered with more than {MAX_BYTES:,} bytes")
        if answer.length:
            # `read` with a limit says nothing of a connection that ends before the body does.
            raise FetchError(f"{host} did not answer to the end: {answer.length:,} bytes are missing")
        return Fetched(answer.status, body)
