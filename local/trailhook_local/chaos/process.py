"""A function's process on a clock that nobody waits for: every call takes time, may be lost, and may be the last."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from trailhook_local.chaos.faults import Faults

Result = TypeVar("Result")
LIVES = (3, 12, 80)
"""A process that is to die does so at a random one of so many first calls, if it gets there."""


class ProcessDied(BaseException):
    """SIGKILL, or the end of the function's time. No `except Exception` of the function's sees it, as in life."""


@dataclass(slots=True)
class Clock:
    """Seconds since 1970, moved by what takes time."""

    time: float = 1_700_000_000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass(slots=True)
class Process:
    """One process of a function: warm until it dies. Doubles as Lambda's context.

    Once dead, no call of it has an effect any more, also of threads that have not noticed yet.
    """

    clock: Clock
    faults: Faults
    kill: float
    """How likely an invocation is to be killed, where that is among the faults."""
    dead: bool = False
    _ends_at: float = float("inf")
    _calls: int = 0
    _dies_at: int = -1
    _dies_after: bool = False
    _hangs_at: int = -1

    def begin(self, timeout: float) -> None:
        """Start an invocation that Lambda ends after `timeout` seconds."""
        rng = self.faults.rng
        self._ends_at = self.clock.time + timeout
        self._calls = 0
        self._dies_at = rng.randint(1, rng.choice(LIVES)) if self.faults.happens("killed", self.kill) else -1
        self._dies_after = rng.random() < 0.5
        self._hangs_at = rng.randint(1, rng.choice(LIVES)) if self.faults.happens("out-of-time", self.kill) else -1

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends_at - self.clock.time) * 1000)

    def sleep(self, seconds: float) -> None:
        """A pause of the function's own."""
        self._live()
        self.spend(seconds)

    def call(self, work: Callable[[], Result]) -> Result:
        """Run one call to AWS, `work`, which takes its time with `spend` and raises what the SDK would raise."""
        self._live()
        self._calls += 1
        if self._calls == self._dies_at and not self._dies_after:
            self.die()
        if self._calls == self._hangs_at:
            self.spend(float("inf"))
        result = work()
        if self._calls == self._dies_at:
            self.die()
        return result

    def spend(self, seconds: float) -> None:
        """Let time pass within a call; the process may not live to see its end."""
        self.clock.time = min(self._ends_at, self.clock.time + seconds)
        if self.clock.time >= self._ends_at:
            self.die()

    def die(self) -> None:
        """End here and now."""
        self.dead = True
        raise ProcessDied

    def _live(self) -> None:
        if self.dead:
            raise ProcessDied
