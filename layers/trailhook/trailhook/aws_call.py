"""Calls to AWS: made once more where the connection was closed, and every failure as the caller's own error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from trailhook.errors import TrailhookError, place_of

Result = TypeVar("Result")


def once_more_if_closed(call: Callable[[], Result], within_seconds: float) -> Result:
    """What `call` returns. If its connection turns out to be closed `within_seconds`, it is made again on a new one.

    A function sleeps between its requests, and AWS may close a connection meanwhile. The next call on it fails, usually
    at once and before AWS has heard of it. If it fails later than that, there is no time for another try.
    """
    began = time.monotonic()
    try:
        return call()
    except ConnectionClosedError:
        if time.monotonic() - began >= within_seconds:
            raise
    return call()


@contextmanager
def failing_as(error: type[TrailhookError], what: str) -> Iterator[None]:
    """Raise `error`, saying `what` failed, for whatever a call or reading its answer raises.

    If the body of a 200 is of another type, botocore's parsers may raise anything, and so may whoever reads the result.
    """
    try:
        yield
    except MemoryError:
        raise
    except (BotoCoreError, ClientError) as cause:
        # botocore's own messages name operations and codes, never a value that was sent or read.
        raise error(f"{what}: {cause}") from cause
    except Exception as cause:
        raise error(f"{what}: its answer makes no sense ({place_of(cause)})") from cause
