"""Serving a Lake on loopback, in this process: for tests, and for `python -m trailhook_local.lake`."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from trailhook_local.lake.service import Lake
from trailhook_local.lake.wire import create_app
from trailhook_local.no_pages import NoPages


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class LakeServer:
    """A running Lake: `with LakeServer() as lake: client(endpoint_url=lake.url)`.

    `port` 0 lets the system choose; `directory` None keeps everything in memory; `clock` gives epoch seconds.
    """

    def __init__(
        self,
        *,
        account: str = "111122223333",
        region: str = "us-east-1",
        directory: Path | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lake = Lake(account=account, region=region, directory=directory, clock=clock)
        self._server = ThreadedWSGIServer("127.0.0.1", port, NoPages(create_app(self.lake)), handler=_QuietHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="lake", daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop accepting, stop queries, close the database."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.lake.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
