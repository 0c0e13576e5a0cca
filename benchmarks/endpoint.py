"""A PutAuditEvents that accepts everything as fast as Python can: the benchmarks' endpoint, in its own process.

python -m benchmarks.endpoint [seconds]: answers so many seconds later, however many it is asked for at a time.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen


class Acceptor(asyncio.Protocol):
    """Just enough HTTP/1.1 for urllib3: headers, a body of known length, an answer that keeps the connection."""

    def __init__(self, seconds: float) -> None:
        self._received = b""
        self._seconds = seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            )
            if b"100-continue" in head.lower() and not rest:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if len(rest) < length:
                return
            self._received = rest[length:]
            entries = json.loads(rest[:length])["auditEvents"]
            answer = json.dumps(
                {"successful": [{"id": entry["id"], "eventID": entry["id"]} for entry in entries], "failed": []}
            ).encode()
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
            asyncio.get_running_loop().call_later(self._seconds, self._transport.write, head + answer)


@contextmanager
def endpoint(seconds: float = 0) -> Iterator[str]:
    """The endpoint in a process of its own, at the URL that is yielded."""
    with Popen([sys.executable, "-m", "benchmarks.endpoint", str(seconds)], stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = await asyncio.get_running_loop().create_server(lambda: Acceptor(seconds), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
