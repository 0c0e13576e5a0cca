"""How long an invocation may still begin new work."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

_RESERVE_SECONDS = 20.0
"""What the last request, the quarantine and the hand-back may take together."""

_DEFAULT_SECONDS = 60.0


class Context(Protocol):
    """The part of Lambda's context object that is read here."""

    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment, by `now`'s clock in seconds, after which nothing new is begun."""

    at: float
    now: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, context: Context | None) -> "Deadline":
        """The deadline of an invocation: its remaining time but for a reserve of at most a third of it."""
        seconds = context.get_remaining_time_in_millis() / 1000 if context else _DEFAULT_SECONDS
        return cls(time.monotonic() + seconds - min(_RESERVE_SECONDS, seconds / 3))

    @property
    def remaining(self) -> float:
        return self.at - self.now()

    @property
    def passed(self) -> bool:
        return self.remaining <= 0
