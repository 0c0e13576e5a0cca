"""The webhook secret as the proofs see it: the current value, and for a grace period the previous one.

A warm function outlives an outage of Secrets Manager, and a rotation needs neither a restart nor a gap.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from trailhook.errors import SecretStoreError
from trailhook.token_bucket import TokenBucket

CACHE_SECONDS = 300
REREADS = 5
REREAD_SECONDS = 10
"""Reads that failing proofs may cause: so many at once, and one more in so many seconds. A rotation is seen with the
first delivery under the new secret, and a forger's flood becomes neither a bill nor a throttle."""

_BYTE_ORDER_MARK = "(\ufeff|\u00ef\u00bb\u00bf)"
"""Of a file, as it is and as its three bytes read in Windows-1252."""

_PUBLIC_KEY = (
    *("PUBLIC KEY-----", "CERTIFICATE-----"),
    *("MCowBQYDK2VwAyEA", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "ANBgkqhkiG9w0BAQEFAAOC"),
    *("AAAAC3NzaC1lZDI1NTE5AAAA", "AAAAB3NzaC1yc2EAAAA", "ecdsa-sha2-nistp"),
)
"""What only a public key holds as files have it: PEM's own words, and what those of Ed25519, ECDSA and RSA have in
common, as OpenSSL writes them in base64 and as OpenSSH does. (OpenSSH's ECDSA in base64 is in private keys, too.)"""

_VARIABLE = r"\$(env:)?[A-Za-z_]+|\$\([A-Za-z_]+\)|%[A-Za-z_]+%"
"""The name of a variable that no shell or pipeline has put the value in place of."""

_NOTHING = ("null", "None", "undefined")
"""What `jq -r`, the AWS CLI's text output and JavaScript write for a value that is not there."""

_SLIPS = {
    "is a public key in another form than whpk_ and 32 bytes in base64": f".*({'|'.join(_PUBLIC_KEY)}).*",
    "begins or ends with a blank": r"\s+\S.*|.*\S\s+",
    "is in quotation marks": r"""(["'`]).*\1""",
    "is a placeholder": rf"<.*>|\$\{{.*\}}|\{{\{{.*\}}\}}|{_VARIABLE}",
    "is what a program writes for nothing": "|".join(_NOTHING),
    "begins with a file's byte order mark": f"{_BYTE_ORDER_MARK}.*",
}
"""What a secret looks like that was put by mistake, where the bare one was meant. The first that fits is told. They are
compiled only when a proof fails, so that no cold start waits for them."""

_OPENINGS = frozenset("<$%{\"'`\ufeff\u00ef")
_GUESSED = (
    rf"""\s*+{_BYTE_ORDER_MARK}?\s*+(?P<mark>["'`]?)\s*+"""
    rf"""(<\D*>|\$\{{\D*\}}|\{{\{{\D*\}}\}}|\{{\s*\}}|{_VARIABLE}|{"|".join(_NOTHING)})?\s*+(?P=mark)\s*+"""
)
"""Placeholders without a digit, as they stand in pages that anybody can read, and what holds nothing; also in quotation
marks, which some shells leave there, and between blanks. No blank is given back (`*+`), or a few hundred would take
minutes, for every delivery."""


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
            if not _is_guessed(value):
                yield value
        # Only now: whoever gave the partner the same text has deliveries that it proves.
        if slip := _slip_in(self._current_value()):
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
        """Read all that counts and was read before: whoever takes the previous value's stage away, because it is
        stolen, changes nothing of the current one.
        """
        self._read()
        if self._previous_known and self._previous_counts():
            self._previous = self._ask("AWSPREVIOUS")
        self._read_at = self._now()

    def _changed(self, *, just_read: bool) -> bool:
        """Read again because a proof failed, if that is allowed; True if the secret is another one now."""
        if just_read or not self._rereads.take():
            if self._failure is not None:
                # Made anew: one that is raised again and again holds every request that it was raised for.
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


def _is_guessed(secret: str) -> bool:
    """Whether an outsider would try it, or may know it. Nearly all are no placeholder by their first letter."""
    if not any(letter.isprintable() and not letter.isspace() for letter in secret):
        return True
    if secret.strip() in _NOTHING or any(mark in secret for mark in _PUBLIC_KEY):
        return True
    opening = secret[:1]
    return (opening in _OPENINGS or opening.isspace()) and re.fullmatch(_GUESSED, secret) is not None


def _slip_in(secret: str) -> str | None:
    """What makes a secret look as if it were not the one that was meant, if anything does."""
    try:
        if isinstance(json.loads(secret), dict):
            return "is a JSON object, as Secrets Manager's console stores key/value pairs"
    except (ValueError, RecursionError):
        pass
    fitting = (slip for slip, form in _SLIPS.items() if re.fullmatch(form, secret, re.DOTALL))
    unseen = any(not letter.isprintable() and not letter.isspace() for letter in secret)
    return next(fitting, "holds an invisible character" if unseen else None)
