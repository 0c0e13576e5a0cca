"""Calls to AWS whose every failure becomes the caller's own error."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from trailhook.errors import TrailhookError, place_of


@contextmanager
def failing_as(error: type[TrailhookError], what: str) -> Iterator[None]:
    """Raise `error`, saying `what` failed, for whatever a call or reading its answer raises.

    A 200 whose body is of another type makes botocore's parsers, and whoever reads what they hand on, raise anything.
    """
    try:
        yield
    except (TrailhookError, MemoryError):
        raise
    except (BotoCoreError, ClientError) as cause:
        # botocore's own messages name operations and codes, never a value that was sent or read.
        raise error(f"{what}: {cause}") from cause
    except Exception as cause:
        raise error(f"{what}: its answer makes no sense ({place_of(cause)})") from cause
