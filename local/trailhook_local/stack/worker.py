"""One execution environment of one function: a process that imports the handler once and answers one call at a time.

    python -m trailhook_local.stack.worker /…/functions/receive/app.py handler

Requests and answers are lines of JSON: `{"event", "request_id", "deadline_ms"}` in on standard input,
`{"result"}` or `{"error": {errorType, errorMessage, stackTrace}}` out on what was standard output. Before the first
request comes one line `{"ready": true}`, or the error of the import. What the function itself prints goes to
standard error, which the parent points at the function's log file. End-of-file on standard input ends the process,
in the middle of an invocation too, so that no worker outlives its parent.
"""

import importlib.util
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

Handler = Callable[[Any, "LambdaContext"], Any]

# Lambda's limit for a synchronous answer, in bytes ("Lambda quotas").
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class LambdaContext:
    """The part of Lambda's Python context object that every invocation has ("Using the Lambda context object")."""

    aws_request_id: str
    deadline_ms: int
    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self.deadline_ms - int(time.time() * 1000))


def load_handler(path: Path, name: str) -> Handler:
    """Import the file at `path` as Lambda would from its task root and return its function `name`."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    handler: Handler | None = getattr(module, name, None)
    if handler is None:
        raise AttributeError(f"Handler '{name}' missing on module '{path.stem}' ({path})")
    return handler


def describe(error: BaseException) -> dict[str, Any]:
    return {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_exception(error),
    }


def answer(handler: Handler, request: dict[str, Any]) -> bytes:
    """Run one invocation and return the line to send back."""
    context = LambdaContext(
        aws_request_id=request["request_id"],
        deadline_ms=request["deadline_ms"],
        function_name=os.environ["AWS_LAMBDA_FUNCTION_NAME"],
        invoked_function_arn=request["function_arn"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
    )
    sys.stderr.write(f"START RequestId: {context.aws_request_id}\n")
    try:
        line = json.dumps({"result": handler(request["event"], context)}, ensure_ascii=False).encode()
        _check_size(line)
    # The one place that stands where Lambda's runtime stands: whatever the handler raises fails this invocation only.
    except BaseException as error:  # noqa: BLE001
        traceback.print_exception(error)
        line = json.dumps({"error": describe(error)}).encode()
    sys.stderr.write(f"END RequestId: {context.aws_request_id}\n")
    return line


def _check_size(line: bytes) -> None:
    if len(line) > MAX_RESPONSE_BYTES:
        raise ValueError(f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).")


def _read_requests(source: BinaryIO, requests: "queue.SimpleQueue[bytes]") -> None:
    for line in source:
        requests.put(line)
    os._exit(0)


def main() -> None:
    path, name = Path(sys.argv[1]), sys.argv[2]
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    source = os.fdopen(os.dup(0), "rb")
    # Whatever the function prints, or a child of it reads, must not touch the two pipes.
    os.dup2(2, 1)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    threading.Thread(target=_read_requests, args=(source, requests), name="leash", daemon=True).start()
    try:
        handler = load_handler(path, name)
    # Lambda reports a failed import the same way whatever was raised, SystemExit included.
    except BaseException as error:  # noqa: BLE001
        traceback.print_exception(error)
        _write(answers, json.dumps({"error": describe(error)}).encode())
        return
    _write(answers, b'{"ready": true}')
    while True:
        _write(answers, answer(handler, json.loads(requests.get())))


def _write(stream: Any, line: bytes) -> None:
    # A raw pipe may take less than it is given.
    data = memoryview(line + b"\n")
    while data:
        data = data[stream.write(data) :]


if __name__ == "__main__":
    main()
