"""A steady rate of requests, for a function that shares an account's quota with others."""

from threading import Lock


class Pace:
    """Turns, `per_second` of them at most; without a number each is at once. Threads may share it."""

    def __init__(self, per_second: float | None = None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._next = float("-inf")
        self._lock = Lock()

    def turn(self, now: float, latest: float) -> float | None:
        """The seconds to wait for the next turn, which is then taken; None if it comes after `latest`."""
        with self._lock:
            at = max(self._next, now)
            if at > latest:
                return None
            self._next = at + self._interval
            return at - now
