"""Lambda's side of an invocation: a pool of worker processes per function, grown on demand up to its concurrency.

Each process serves one invocation at a time, as an execution environment does. One that overruns the function's timeout
is killed, one that dies is replaced, and the invocation it was serving fails with Lambda's words.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from trailhook_local.stack.endpoints import NO_FILES
from trailhook_local.stack.errors import InvocationError, StartError

# Lambda allows the init phase 10 s ("Lambda execution environments"); a busy laptop compiles bytecode meanwhile.
INIT_SECONDS = 30.0
# Lambda's limit for a synchronous request, in bytes ("Lambda quotas").
MAX_REQUEST_BYTES = 6 * 1024 * 1024
REQUEST_TOO_LARGE = "RequestEntityTooLarge"


@dataclass(frozen=True)
class Function:
    """What one worker process needs to know. Of the parent's own environment only PATH and HOME reach the function."""

    name: str
    arn: str
    path: Path
    handler: str
    timeout_seconds: float
    memory_mb: int
    concurrency: int
    environment: Mapping[str, str]
    log_file: Path

    def process_environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": os.environ.get("HOME", "/tmp"),  # noqa: S108 - what Lambda's only writable place is called
            **NO_FILES,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONUNBUFFERED": "1",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_file.name,
            "LAMBDA_TASK_ROOT": str(self.path.parent),
            "_HANDLER": f"{self.path.stem}.{self.handler}",
            **self.environment,
        }


class Worker:
    """One process. Not thread-safe: the pool hands it to one invocation at a time."""

    def __init__(self, function: Function) -> None:
        self._function = function
        with function.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "trailhook_local.stack.worker", str(function.path), function.handler],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=function.process_environment(),
                cwd=function.path.parent,
                # Ctrl-C in a terminal reaches the whole process group; the parent alone decides when workers end.
                start_new_session=True,
            )
        self._ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Block until the handler is imported.

        Raises `InvocationError` with the import's own error, or Lambda's `Runtime.ExitError`.
        """
        if not self._ready:
            try:
                self._exchange(None, INIT_SECONDS)
            except InvocationError:
                self.close()
                raise
            self._ready = True

    def invoke(self, event: Any) -> Any:
        """Run one invocation and return the handler's answer. Raises `InvocationError`; the process may have ended."""
        request_id = str(uuid.uuid4())
        self.wait_ready()
        timeout = self._function.timeout_seconds
        request = {
            "event": event,
            "request_id": request_id,
            "function_arn": self._function.arn,
            "deadline_ms": int((time.time() + timeout) * 1000),
        }
        return self._exchange(json.dumps(request).encode() + b"\n", timeout, request_id)

    def _exchange(self, line: bytes | None, timeout: float, request_id: str = "init") -> Any:
        assert self._process.stdin is not None  # noqa: S101 - both are pipes, see __init__
        assert self._process.stdout is not None  # noqa: S101
        timed_out = threading.Event()

        def overrun() -> None:
            timed_out.set()
            self.kill()

        timer = threading.Timer(timeout, overrun)
        timer.daemon = True
        timer.start()
        try:
            answer = self._converse(line, self._process.stdin, self._process.stdout)
        finally:
            timer.cancel()
        if timed_out.is_set():
            self._process.wait()
            raise InvocationError(
                "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
            )
        if answer is None:
            status = self._process.wait()
            how = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
            raise InvocationError(
                "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}"
            )
        if "error" in answer:
            error = answer["error"]
            raise InvocationError(error["errorType"], error["errorMessage"], tuple(error["stackTrace"]))
        return answer.get("result")

    @staticmethod
    def _converse(line: bytes | None, requests: IO[bytes], answers: IO[bytes]) -> dict[str, Any] | None:
        with contextlib.suppress(BrokenPipeError):
            if line is not None:
                requests.write(line)
                requests.flush()
        received = answers.readline()
        # Half a line is what a killed process leaves behind.
        answer: dict[str, Any] | None = json.loads(received) if received.endswith(b"\n") else None
        return answer

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """End the process, whatever it is doing, and reap it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class FunctionPool:
    """A function as its callers see it: `submit` an event, get a future of its answer or `InvocationError`.

    Invocations beyond the concurrency wait for their turn, where Lambda would throttle.
    """

    def __init__(self, function: Function) -> None:
        self.function = function
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._workers: set[Worker] = set()
        self._busy = 0
        self._closed = False
        self._executor = ThreadPoolExecutor(function.concurrency, thread_name_prefix=function.name)

    def start(self) -> None:
        """Start the first process without waiting for its import."""
        self._give_back(self._take())

    def wait_ready(self) -> None:
        """Wait for the first process. Raises `StartError` with the import's traceback and the log file to look into."""
        worker = self._take()
        try:
            worker.wait_ready()
        except InvocationError as error:
            trace = "".join(error.stack_trace)
            raise StartError(
                f"{self.function.name} cannot be loaded from {self.function.path}: {error}\n{trace}"
                f"Its output is in {self.function.log_file}."
            ) from error
        finally:
            self._give_back(worker)

    def submit(self, event: Any) -> "Future[Any]":
        return self._executor.submit(self.invoke, event)

    def invoke(self, event: Any) -> Any:
        """Run one invocation on a free process. Raises `InvocationError`."""
        if (size := len(json.dumps(event))) > MAX_REQUEST_BYTES:
            raise InvocationError(
                REQUEST_TOO_LARGE, f"{size} byte payload is too large (limit {MAX_REQUEST_BYTES} bytes)"
            )
        worker = self._take()
        try:
            return worker.invoke(event)
        finally:
            self._give_back(worker)

    @property
    def in_flight(self) -> int:
        """Invocations running now."""
        return self._busy

    def pids(self) -> list[int]:
        """Process ids of the living workers, oldest first: what a test that kills one asks for."""
        with self._lock:
            return sorted(worker.pid for worker in self._workers if worker.alive)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            workers = list(self._workers)
        for worker in workers:
            worker.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for worker in self._workers:
                worker.close()
            self._workers.clear()
            self._idle.clear()

    def _take(self) -> Worker:
        with self._lock:
            if self._closed:
                raise InvocationError("ServiceException", f"{self.function.name} is shut down")
            self._busy += 1
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                self._discard(worker)
            try:
                worker = Worker(self.function)
            except OSError as error:
                self._busy -= 1
                raise InvocationError("ServiceException", f"cannot start {self.function.name}: {error}") from error
            self._workers.add(worker)
            return worker

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            self._busy -= 1
            if worker.alive and not self._closed:
                self._idle.append(worker)
            elif not self._closed:
                self._discard(worker)

    def _discard(self, worker: Worker) -> None:
        self._workers.discard(worker)
        worker.close()
