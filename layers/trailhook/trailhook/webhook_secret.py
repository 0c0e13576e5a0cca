"""The webhook secret as the proofs see it: the current value, and for a grace period the previous one.

A warm function outlives an outage of Secrets Manager, and a rotation needs neither a restart nor a gap.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from trailhook.errors import TrailhookError

CACHE_SECONDS = 300
REREAD_SECONDS = 10
"""How often at most a proof that fails may cause a read: a forger's flood must not become a bill or a throttle."""


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """One version of the secret and when it was made."""

    value: str
    created: datetime


class SecretStoreError(TrailhookError):
    """The store did not answer, or has no such secret."""


class SecretStore(Protocol):
    """Where the secret is kept."""

    def read(self, stage: str) -> SecretVersion | None:
        """The version that carries `stage` (AWSCURRENT, AWSPREVIOUS), or None. Raises SecretStoreError."""


class WebhookSecret:
    """The secret's versions that count now, read seldom and kept through an outage."""

    def __init__(
        self,
        store: SecretStore,
        *,
        grace_hours: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._grace_seconds = grace_hours * 3600
        self._now = now
        self._current: SecretVersion | None = None
        self._previous: SecretVersion | None = None
        self._previous_known = False
        self._tried_at = float("-inf")
        self._read_at = float("-inf")
        self._failure: SecretStoreError | None = None

    def current(self) -> Sequence[str]:
        """The current value. Raises SecretStoreError only if the store fails and nothing was read before."""
        if self._now() - self._read_at > CACHE_SECONDS and self._may_read():
            try:
                self._read()
            except SecretStoreError:
                # What was right a moment ago is a better guess than no service at all.
                if self._current is None:
                    raise
        return [self._current.value] if self._current else []

    def previous(self) -> Sequence[str]:
        """The previous value while its grace period lasts, read only when a proof needs it.

        Raises SecretStoreError if it counts and cannot be read: a genuine delivery must not be called forged.
        """
        if self._current is None or self._now() > self._current.created.timestamp() + self._grace_seconds:
            return []
        if not self._previous_known:
            if not self._may_read() and self._failure:
                raise self._failure
            self._previous = self._ask("AWSPREVIOUS")
            self._previous_known = True
        return [self._previous.value] if self._previous else []

    def reread(self) -> bool:
        """Read again because a proof failed, if that is allowed yet; True if the secret is another one now.

        Raises SecretStoreError if the store cannot say: the proof may be right and our secret out of date.
        """
        if not self._may_read():
            if self._failure:
                raise self._failure
            return False
        before = self._current
        self._read()
        return self._current != before

    def _may_read(self) -> bool:
        return self._now() - self._tried_at >= REREAD_SECONDS or self._current is None

    def _read(self) -> None:
        current = self._ask("AWSCURRENT")
        if current != self._current:
            self._previous_known = False
        self._current = current
        self._read_at = self._now()

    def _ask(self, stage: str) -> SecretVersion | None:
        self._tried_at = self._now()
        try:
            version = self._store.read(stage)
        except SecretStoreError as error:
            self._failure = error
            raise
        self._failure = None
        return version
