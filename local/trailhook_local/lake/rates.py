"""The documented API rates per account and Region: PutAuditEvents 100/s, reads 10/s, every other call 1/s."""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from trailhook_local.lake import errors

REAL_RATES: Final[Mapping[str, float]] = {"PutAuditEvents": 100.0, "read": 10.0, "other": 1.0}


class RateLimits:
    """Token buckets that hold one second's worth; `rates` empty means that nothing is throttled."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.rates: dict[str, float] = {}
        self._buckets: dict[str, tuple[float, float]] = {}

    def set(self, rates: Mapping[str, float]) -> None:
        with self._lock:
            self.rates = dict(rates)
            self._buckets = {}

    def take(self, operation: str) -> None:
        """Raise ThrottlingException when the operation's class has no token left."""
        kind = _kind(operation)
        with self._lock:
            rate = self.rates.get(kind)
            if rate is None:
                return
            now = self._clock()
            capacity = max(rate, 1.0)
            tokens, since = self._buckets.get(kind, (capacity, now))
            tokens = min(capacity, tokens + max(0.0, now - since) * rate)
            self._buckets[kind] = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise errors.ThrottlingException("Rate exceeded")


def _kind(operation: str) -> str:
    if operation == "PutAuditEvents":
        return operation
    return "read" if operation.startswith(("Get", "Describe", "List")) else "other"
