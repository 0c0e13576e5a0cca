"""How often something may be done that anybody can cause: so many times at once, and once more in so many seconds."""

from collections.abc import Callable


class Allowance:
    """An allowance of `most`, which grows back by one in `seconds`."""

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._left = float(most)
        self._counted_at = now()

    def spend(self) -> bool:
        """Take one of what is left; False if there is none."""
        now = self._now()
        self._left = min(self._most, self._left + max(0, now - self._counted_at) / self._seconds)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
