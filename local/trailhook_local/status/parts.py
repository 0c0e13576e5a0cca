"""Asks for the parts of an overview: all at once, each by itself, and no longer than somebody who was paged waits."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from trailhook.background import begin
from trailhook.errors import place_of
from trailhook_local import patience
from trailhook_local.aws_session import REFUSALS, explain, remedy
from trailhook_local.place import Place
from trailhook_local.status.metrics import NotSaidError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})
"""Error codes for a missing permission; the last is SNS's."""

_GONE = frozenset(
    {
        *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NoSuchBucket"),
        *("ResourceNotFoundException", "NotFound"),
    }
)
"""Error codes for a part that is not there: of SQS (in its two protocols), S3, Lambda and SNS."""

_ACTIONS = {"ListObjectsV2": "s3:ListBucket"}
"""Permissions whose names are not their operations'."""

_FORESEEN = (*REFUSALS, NotSaidError, TimeoutError)

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Unread:
    """A part that could not be read, why, and what to do. `gone`: the part itself is missing, and not a permission."""

    part: str
    reason: str
    advice: str
    gone: bool


class Parts:
    """Asks for parts of a place; `unread` fills as their answers are waited for."""

    def __init__(self, place: Place) -> None:
        self._place = place
        # For all parts together.
        self._ends = time.monotonic() + patience.SECONDS
        self.unread: list[Unread] = []

    def ask(self, part: str, service: str, ask: Callable[[Any], Part]) -> Callable[[], Part | None]:
        """Begin to ask. Returns a function that waits for the answer: None where the part is `unread`."""
        try:
            # Here, because a session makes one client at a time.
            client = self._place.client(service)
        except REFUSALS as error:
            asked = Future[Part]()
            asked.set_exception(error)
        else:
            asked = begin(lambda: _answer(client, ask))
        return lambda: self._wait(part, service, asked)

    def _wait(self, part: str, service: str, asked: Future[Part]) -> Part | None:
        try:
            return asked.result(max(0, self._ends - time.monotonic()))
        except Exception as error:  # noqa: BLE001 - also one that nobody foresaw must not end what the others say
            self.unread.append(_unread(part, service, error, on_laptop=not self._place.stack))
            return None


def _answer(client: Any, ask: Callable[[Any], Part]) -> Part:
    with closing(client):
        return ask(client)


def _unread(part: str, service: str, error: Exception, *, on_laptop: bool) -> Unread:
    code, operation = "", ""
    if isinstance(error, ClientError):
        code, operation = error.response["Error"]["Code"], error.operation_name
    advice = "run it again; if it happens again, look at AWS Health and at this machine's network"
    if on_laptop:
        advice = "look at the logs of `trailhook serve`, and start it again"
    elif code in _GONE:
        advice = (
            "somebody deleted it: make it again as template.yaml has it, or move to another stack (docs/operations.md, "
            "What a deleted stack leaves)"
        )
    elif code in _DENIED:
        advice = f"allow {_ACTIONS.get(operation, f'{service}:{operation}')}: see docs/operations.md, The command line"
        if service == "s3":
            # S3 has no other words for a bucket that is not of the account that was named.
            advice += "; if that is allowed, the bucket is another account's (docs/operations.md, At a glance)"
    elif told := remedy(error):
        advice = told
    elif not isinstance(error, _FORESEEN):
        advice = "run it again; if it happens again, please report it"
    return Unread(part, _reason(error), advice, code in _GONE)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {patience.SECONDS} seconds"
    return explain(error) if isinstance(error, _FORESEEN) else f"its answer makes no sense ({place_of(error)})"
