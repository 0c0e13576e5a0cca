"""How often something may be done that anybody can cause: so many times at once, and once more in so many seconds."""

from collections.abc import Callable
from threading import Lock


class TokenBucket:
    """At most `capacity` tokens, and one more in `seconds` by the clock `now`. Threads may share it."""

    def __init__(self, capacity: int, seconds: float, now: Callable[[], float]) -> None:
        self._capacity = capacity
        self._seconds = seconds
        self._now = now
        self._tokens = float(capacity)
        self._filled_at = now()
        self._lock = Lock()

    def take(self) -> bool:
        """Take a token; False if there is none."""
        with self._lock:
            now = self._now()
            # A clock that is put back takes nothing away.
            earned = max(0, now - self._filled_at) / self._seconds
            self._tokens = min(self._capacity, self._tokens + earned)
            self._filled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
