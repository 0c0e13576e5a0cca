"""The one answer to CloudFormation: put to its pre-signed URL before the deadline, and again while there is time.

AWS page: "Custom resource response objects", CloudFormation User Guide. Whoever knows the URL can answer in our name,
so it must never be logged. `http.client` is used because, unlike urllib3, it logs nothing and follows nothing.
"""

import http.client
import json
import socket
import time
from collections.abc import Mapping
from concurrent.futures import wait
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct, field

from trailhook.background import begin
from trailhook.deadline import Deadline
from trailhook.integration.request import Request

MAX_BYTES = 4_096
_CONNECT_SECONDS = 3.0
_SHARE_OF_AN_ATTEMPT = 0.6
"""Of the time left: a URL that is slow to say yes is heard out, and there is still time to try again."""


class Answer(Struct, frozen=True):
    """What CloudFormation is told. `reason` is for the operator; `data` is what Fn::GetAtt finds.

    `unconfirmed` is an event data store that is the leftover of an Update until CloudFormation has heard this.
    """

    succeeded: bool
    physical_id: str
    reason: str
    data: Mapping[str, Any] = field(default_factory=dict)
    unconfirmed: str = ""

    def to_json(self, request: Request, where: str) -> bytes:
        """The answer in at most 4,096 bytes. The reason is cut if it must be, but not `where`, the place of the log."""
        document: dict[str, Any] = {
            "Status": "SUCCESS" if self.succeeded else "FAILED",
            "PhysicalResourceId": self.physical_id,
            "StackId": request.stack_id,
            "RequestId": request.request_id,
            "LogicalResourceId": request.logical_id,
            "Data": dict(self.data),
        }
        reason = request.without_url(self.reason)
        end = f" (log: {where})" if where and not self.succeeded else ""
        while True:
            body = json.dumps({**document, "Reason": reason + end}).encode("ascii")
            excess = len(body) - MAX_BYTES
            if excess <= 0 or not reason:
                return body
            # A character takes one to twelve bytes of JSON.
            kept = max(0, len(reason) - max(4, excess // 12 + 3))
            reason = reason[:kept].rstrip("…") + "…" if len(reason) > 4 else ""


def deliver_answer(body: bytes, url: str, deadline: Deadline) -> str | None:
    """Put the answer until CloudFormation's bucket has taken it once. Returns None then, or why it never did."""
    pause = 0.2
    while True:
        failure = _put(body, url, deadline.remaining * _SHARE_OF_AN_ATTEMPT)
        if failure is None:
            return None
        if deadline.remaining < pause + 0.3:
            return failure
        time.sleep(pause)
        pause = min(pause * 2, 3.0)


def _put(body: bytes, url: str, seconds: float) -> str | None:
    """None, or what went wrong, in words that hold nothing of the URL."""
    if seconds <= 0:
        return "no time was left"
    try:
        connection, target = _addressed(url, seconds)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__
    attempt = begin(lambda: _status(connection, target, body, seconds))
    # A socket bounds each of its reads, and nothing bounds a name's resolution.
    wait([attempt], seconds)
    if not attempt.done():
        _abandon(connection)
        return "no answer in time"
    if failure := attempt.exception():
        return type(failure).__name__
    status = attempt.result()
    return None if 200 <= status < 300 else f"HTTP status {status}"


def _addressed(url: str, seconds: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection to the URL's host, which is still to be made, and what to ask it for."""
    parts = urlsplit(url)
    make = http.client.HTTPConnection if parts.scheme == "http" else http.client.HTTPSConnection
    connection = make(parts.netloc, timeout=min(_CONNECT_SECONDS, seconds))
    return connection, f"{parts.path}?{parts.query}" if parts.query else parts.path


def _status(connection: http.client.HTTPConnection, target: str, body: bytes, seconds: float) -> int:
    with closing(connection):
        connection.connect()
        connection.sock.settimeout(seconds)
        # The URL is signed for a request without a content type.
        connection.request("PUT", target, body)
        return connection.getresponse().status


def _abandon(connection: http.client.HTTPConnection) -> None:
    """End what is still under way on it. Its own thread may close it at any moment."""
    sock = connection.sock
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
