"""Starts the stack's servers (moto, the local Lake) as child processes and waits for their ready line."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from trailhook_local.stack.endpoints import NO_FILES
from trailhook_local.stack.errors import StartError

READY_SECONDS = 30.0
STOP_SECONDS = 3.0


class Server:
    """A module run as a server that prints `{"url": …}` when it is ready."""

    def __init__(
        self, module: str, arguments: Sequence[str], log_file: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = module
        self.log_file = log_file
        with log_file.open("ab") as log:
            self._log_begins = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trailhook_local.stack.leash", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**_nothing_of_aws(), **NO_FILES, **(environment or {})},
                # Ctrl-C in a terminal reaches the whole process group; the parent alone decides when servers end.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self) -> str:
        """The server's URL. Raises `StartError` with the end of its log."""
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - a pipe, see __init__

        def drain() -> None:
            for line in stream:
                lines.put(line)
            lines.put(b"")

        threading.Thread(target=drain, name=f"{self.name} output", daemon=True).start()
        deadline = time.monotonic() + READY_SECONDS
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=remaining)
            except queue.Empty:
                break
            if not line:
                raise StartError(f"{self.name} ended with status {self._process.wait()}:\n{self._log_tail()}")
            if line.startswith(b"{"):
                url: str = json.loads(line)["url"]
                return url
        raise StartError(f"{self.name} was not ready within {READY_SECONDS:.0f} s:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        tail = self.log_file.read_bytes()[self._log_begins :].decode(errors="replace")[-2000:].rstrip()
        return tail or f"it wrote nothing to {self.log_file}. Is the disk full?"

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _nothing_of_aws() -> dict[str, str]:
    """This process's environment without what is meant for AWS itself: moto uses boto3."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
