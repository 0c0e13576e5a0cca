"""CloudFormation's part of a deployment: it asks the integration function for the custom resource, and is answered."""

import json
import threading
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from trailhook_local.stack.errors import StartError

INTEGRATION = "Integration"


class ResponseUrl:
    """The pre-signed URL that a function answers CloudFormation at: a context manager that keeps what is PUT there."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        answers: list[dict[str, Any]] = []

        class Put(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
                pass

        self._answers = answers
        self._server = ThreadingHTTPServer((host, 0), Put)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/response?Signature=local"

    def take(self) -> dict[str, Any]:
        """The one answer to the one request since the last call. Raises StartError if there is not exactly one."""
        taken = list(self._answers)
        self._answers.clear()
        if len(taken) != 1:
            raise StartError(f"the integration function answered CloudFormation {len(taken)} times instead of once")
        return taken[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def create_integration(invoke: Callable[[Any], Any], stack_id: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Have the function create the custom resource; returns what `!Ref` (under "Ref") and `!GetAtt` of it stand for.

    Also where it is there already, from an earlier start: CloudFormation repeats a Create, too. Raises StartError with
    the function's reason.
    """
    with ResponseUrl() as response:
        invoke(
            {
                "RequestType": "Create",
                "RequestId": str(uuid.uuid4()),
                "ResponseURL": response.url,
                "StackId": stack_id,
                "LogicalResourceId": INTEGRATION,
                "ResourceType": "Custom::CloudTrailIntegration",
                "ResourceProperties": {name: _as_text(value) for name, value in properties.items()},
            }
        )
        answer = response.take()
    if answer["Status"] != "SUCCESS":
        raise StartError(f"{stack_id.split('/')[1]} was not created: {answer['Reason']}")
    return {"Ref": answer["PhysicalResourceId"], **answer["Data"]}


def _as_text(value: Any) -> Any:
    """CloudFormation hands numbers over as text."""
    if isinstance(value, Mapping):
        return {name: _as_text(one) for name, one in value.items()}
    return [_as_text(one) for one in value] if isinstance(value, list) else str(value)
