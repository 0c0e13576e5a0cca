"""The one answer to CloudFormation: put to its pre-signed URL before the deadline, and again while there is time.

AWS page: "Custom resource response objects", CloudFormation User Guide. Whoever knows the URL can answer in our name,
so it must never be logged. `http.client` is used because, unlike urllib3, it logs nothing and follows nothing.
"""

import http.client
import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct, field

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
    attempt = _Attempt(body, url, seconds)
    attempt.start()
    attempt.join(seconds)
    outcome = attempt.outcome
    attempt.abandon()
    return outcome


class _Attempt(threading.Thread):
    """One PUT. A socket bounds each of its reads, and nothing bounds a name's resolution: `join` bounds them all."""

    def __init__(self, body: bytes, url: str, seconds: float) -> None:
        super().__init__(name="answer", daemon=True)
        self._body = body
        self._url = url
        self._seconds = seconds
        self._connection: http.client.HTTPConnection | None = None
        self.outcome: str | None = "no answer in time"

    def run(self) -> None:
        try:
            status = self._status()
        # AttributeError is what a TLS connection raises if it is shut down meanwhile.
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            self.outcome = type(error).__name__
        else:
            self.outcome = None if 200 <= status < 300 else f"HTTP status {status}"
        finally:
            if self._connection is not None:
                self._connection.close()

    def abandon(self) -> None:
        """End what is still under way; nothing happens to an attempt that is over."""
        sock = self._connection.sock if self._connection else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _status(self) -> int:
        parts = urlsplit(self._url)
        make = http.client.HTTPConnection if parts.scheme == "http" else http.client.HTTPSConnection
        self._connection = make(parts.netloc, timeout=min(_CONNECT_SECONDS, self._seconds))
        self._connection.connect()
        self._connection.sock.settimeout(self._seconds)
        # The URL is signed for a request without a content type.
        self._connection.request("PUT", f"{parts.path}?{parts.query}" if parts.query else parts.path, self._body)
        return self._connection.getresponse().status
