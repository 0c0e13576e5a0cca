"""The webhook secret as the proofs see it: the current value, and for a grace period the previous one.

A warm function outlives an outage of Secrets Manager, and a rotation needs neither a restart nor a gap.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from trailhook.errors import SecretStoreError
from trailhook.secret_slips import is_guessed, slip_in
from trailhook.token_bucket import TokenBucket

CACHE_SECONDS = 300
REREADS = 5
REREAD_SECONDS = 10
"""Reads that failing proofs may cause: so many at once, and one more in so many seconds. A rotation is seen with the
first delivery under the new secret, and a forger's flood becomes neither a bill nor a throttle."""


class SecretVersion(Struct, frozen=True):
    """One version of the secret and when it was made."""

    value: str
    created: datetime


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
        self._read_at = float("-inf")
        self._failure: str | None = None
        self._rereads = TokenBucket(REREADS, REREAD_SECONDS, now)

    def candidates(self) -> Iterator[str]:
        """The values that may prove a sender, the likeliest first. Ask for the next one when a value does not.

        Each is looked for only when it is asked for, in at most two reads of the store; one that anybody could guess
        or know proves nothing. Raises SecretStoreError if a value that may count cannot be read, or if none is left and
        the current one looks like a slip: a genuine delivery must not be called forged.
        """
        for value in self._versions():
            if not is_guessed(value):
                yield value
        # Only now: if the partner was given the same text, that proves its deliveries.
        if slip := slip_in(self._current_value()):
            raise SecretStoreError(
                f"The webhook secret {slip}, and proves nothing; put the bare secret with SetWebhookSecretCommand"
            )

    def _versions(self) -> Iterator[str]:
        just_read = self._refresh()
        yield self._current_value()
        if self._previous_known:
            yield from self._previous_values()
        if self._changed(just_read=just_read):
            yield self._current_value()
        if not self._previous_known and self._previous_counts():
            self._previous = self._ask("AWSPREVIOUS")
            self._previous_known = True
            yield from self._previous_values()

    def _refresh(self) -> bool:
        """Read what was never read or is old; True if that was done."""
        if self._current is None:
            self._renew()
            return True
        if self._now() - self._read_at <= CACHE_SECONDS or not self._rereads.take():
            return False
        # What was right a moment ago is a better guess than no service at all.
        with suppress(SecretStoreError):
            self._renew()
        return True

    def _renew(self) -> None:
        """Read all that counts and was read before; the previous value as well, for its stage may be taken away because
        it is stolen, and that does not change the current one.
        """
        self._read()
        if self._previous_known and self._previous_counts():
            self._previous = self._ask("AWSPREVIOUS")
        self._read_at = self._now()

    def _changed(self, *, just_read: bool) -> bool:
        """Read again because a proof failed, if that is allowed; True if the secret is another one now."""
        if just_read or not self._rereads.take():
            if self._failure is not None:
                # A new one each time: one that is raised again and again would hold on to every request.
                raise SecretStoreError(self._failure)
            return False
        before = self._current
        self._read()
        return self._current != before

    def _read(self) -> None:
        current = self._ask("AWSCURRENT")
        if current != self._current:
            self._previous_known = False
        self._current = current

    def _ask(self, stage: str) -> SecretVersion | None:
        try:
            version = self._store.read(stage)
        except SecretStoreError as error:
            self._failure = str(error)
            raise
        self._failure = None
        return version

    def _current_value(self) -> str:
        if self._current is None:
            raise SecretStoreError(
                "The webhook secret is gone, or has no current version; put one with SetWebhookSecretCommand"
            )
        return self._current.value

    def _previous_counts(self) -> bool:
        return self._current is not None and self._now() <= self._current.created.timestamp() + self._grace_seconds

    def _previous_values(self) -> Iterator[str]:
        if self._previous and self._previous_counts():
            yield self._previous.value
