"""How long an invocation may still begin new work."""

import time
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

_RESERVE_SECONDS = 20.0
"""What the last request, the quarantine and the hand-backs may take together."""

_LAST_CALL_SECONDS = 8.0
"""What one closing call to S3 or SQS may take at worst: it begins no later than this before the end."""

_LEAST_PATIENCE_SECONDS = 1.0
"""Even at the very end: requests that end because the time is over need a moment to return."""

_DEFAULT_SECONDS = 60.0


class Context(Protocol):
    """The part of Lambda's context object that is read here."""

    def get_remaining_time_in_millis(self) -> int: ...


def seconds_left(context: Context | None) -> float:
    """What is left of the invocation; a minute where nobody says."""
    return context.get_remaining_time_in_millis() / 1000 if context else _DEFAULT_SECONDS


class Deadline(Struct, frozen=True):
    """Two moments by `now`'s clock, in seconds: after `at` no request is begun, after `closed_at` no closing call."""

    at: float
    now: Callable[[], float] = time.monotonic
    closed_at: float = float("inf")

    @classmethod
    def of(cls, context: Context | None, now: Callable[[], float] = time.monotonic) -> "Deadline":
        """The deadline of an invocation: its remaining time but for a reserve of at most a third of it."""
        seconds = seconds_left(context)
        end = now() + seconds
        return cls(end - min(_RESERVE_SECONDS, seconds / 3), now, end - min(_LAST_CALL_SECONDS, seconds / 6))

    @property
    def remaining(self) -> float:
        """Seconds until no request is begun any more; negative from then on."""
        return self.at - self.now()

    @property
    def passed(self) -> bool:
        return self.remaining <= 0

    @property
    def closed(self) -> bool:
        """Whether even a closing call would begin too late."""
        return self.now() > self.closed_at

    @property
    def patience(self) -> float | None:
        """For how many seconds requests under way are still waited for; None: for ever."""
        seconds = self.closed_at - self.now()
        return None if seconds == float("inf") else max(seconds, _LEAST_PATIENCE_SECONDS)


NO_DEADLINE = Deadline(float("inf"))
"""For commands, which nothing ends before their work is done."""
