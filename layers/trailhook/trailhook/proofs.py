"""What proves who sent a request. A proof looks at raw bytes, compares in constant time, and refuses by default.

Each looks at one secret. While one is rotated, receive asks under every one that counts.
"""

import base64
import hmac
import re
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, Protocol

from msgspec import Struct

from trailhook.errors import Unauthenticated
from trailhook.gateway import Request
from trailhook.signed_time import check_beginning, check_boundary, check_moment, check_seconds

PUBLIC_KEY_PREFIX = "whpk_"
"""Marks an Ed25519 public key. It is public, so it must never serve as a shared secret."""

_SYMMETRIC_PREFIX = "whsec_"
_MAX_ASYMMETRIC = 5
"""Each of these costs a pass over the whole body, and a forger chooses how many a header lists."""

_SEPARATORS = re.compile("[,; ]+")
"""What stands between a time and its signatures, where one header holds them: commas, Paddle's semicolons, and a blank
where Persona repeats the whole for a second secret."""

_STANDARD_WEBHOOKS = re.compile(rb'[^\x00-\x1f".%]+\.[1-9][0-9]{9}\.')
"""How a message that Standard Webhooks signs begins: with an id, as it is taken below, and a time. JSON has a quotation
mark before any text, a form with JSON in it a percent sign, and what is compressed begins with a control character."""


class Proof(Protocol):
    """One way to prove a sender."""

    @property
    def name(self) -> str: ...

    @property
    def signed_headers(self) -> frozenset[str] | None:
        """The headers that the proof covers beside the body; None if it vouches for the request as a whole."""

    def verify(self, request: Request, secret: str) -> None:
        """Return if the secret proves the request's sender; raise Unauthenticated if it does not.

        A proof whose secret has a form of its own raises SecretStoreError for any other: that tells of no sender.
        """


class HmacProof(Struct, frozen=True):
    """A header that holds `prefix` and the HMAC of the raw body, in hexadecimal or base64.

    `message` has `{body}` in it where the partner signs the same text around every body, such as the URL. `listed`:
    several signatures, separated by commas, while the partner changes its secret; one that matches is enough.
    """

    name: str
    header: str
    prefix: str = ""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encode: Callable[[bytes], str] = bytes.hex
    listed: bool = False
    message: str = "{body}"
    signed_headers: ClassVar[frozenset[str]] = frozenset()

    def verify(self, request: Request, secret: str) -> None:
        given = _required(request, self.header)
        entries = [entry.strip(" ") for entry in given.split(",")] if self.listed else [given]
        message = _around(self.message, request.body)
        expected = self.prefix + self.encode(hmac.digest(_shared(secret).encode(), message, self.algorithm))
        if not any(equal(entry, expected) for entry in entries):
            # A text of the descriptor that is not the sender's, such as another URL, looks like a wrong secret.
            signed = "the body" if self.message == "{body}" else f"the text {self.message}"
            raise Unauthenticated(f"{self.header} does not match {signed}")
        _refuse_standard_webhooks(message, self.header)


class TimestampedHmacProof(Struct, frozen=True):
    """A header with the HMAC-SHA256 of a `message` made of the body and of a time, which it so signs.

    `message` has `{timestamp}` and `{body}` where the partner puts them. The time stands in `timestamp_header`; where
    there is none, behind `timestamp_prefix` in the signature's own header (`t=1700000000,v1=…`), which may then hold
    several signatures: one that matches is enough. It is in whole seconds, or, where the partner leaves that open
    (`any_time`), in any form that names a moment.
    """

    name: str
    header: str
    message: str
    timestamp_header: str = ""
    timestamp_prefix: str = ""
    prefix: str = ""
    encode: Callable[[bytes], str] = bytes.hex
    any_time: bool = False

    @property
    def signed_headers(self) -> frozenset[str]:
        # Beside its time, the signature's own header may hold anything.
        return frozenset({self.timestamp_header} - {""})

    def verify(self, request: Request, secret: str) -> None:
        timestamp, given = self._given(request)
        if self.any_time:
            check_moment(timestamp, request.received_at)
            before, _, after = self.message.partition("{body}")
            if "{timestamp}" in before:
                check_beginning(request.body)
            if "{timestamp}" in after:
                check_boundary(request.body, after.partition("{timestamp}")[0], timestamp, request.received_at)
        else:
            check_seconds(timestamp, request.received_at)
        message = _around(self.message, request.body, timestamp)
        expected = self.prefix + self.encode(hmac.digest(_shared(secret).encode(), message, "sha256"))
        if not any(equal(one, expected) for one in given):
            raise Unauthenticated(f"{self.header} does not match the text {self.message}")
        _refuse_standard_webhooks(message, self.header)

    def _given(self, request: Request) -> tuple[str, Sequence[str]]:
        """The time, and what may be the signature of it and the body."""
        given = _required(request, self.header)
        if self.timestamp_header:
            return _required(request, self.timestamp_header), [given]
        entries = _SEPARATORS.split(given)
        times = {entry for entry in entries if entry.startswith(self.timestamp_prefix)}
        if len(times) != 1:
            raise Unauthenticated(f"{self.header} does not hold one time behind {self.timestamp_prefix}")
        return times.pop().removeprefix(self.timestamp_prefix), entries


class TokenProof(Struct, frozen=True):
    """A header that equals `prefix` and the secret: no signature, so only TLS protects what it came with.

    It counts on `paths` alone, if there are any, and never beside the header `yields_to`: a sender that signs has
    asked for more than a token, and a broken signature must not be made good by one.
    """

    name: str
    header: str = "authorization"
    prefix: str = ""
    paths: frozenset[str] | None = None
    yields_to: str | None = None
    signed_headers: ClassVar[None] = None

    def verify(self, request: Request, secret: str) -> None:
        if self.paths is not None and request.path.rstrip("/") not in self.paths:
            raise Unauthenticated(f"{self.name} counts only on {', '.join(sorted(self.paths))}")
        if self.yields_to and request.header(self.yields_to):
            raise Unauthenticated(f"{self.name} does not count beside {self.yields_to}")
        given = _required(request, self.header)
        if not equal(given, self.prefix + _shared(secret)):
            raise Unauthenticated(f"{self.header} does not hold the webhook secret")


class StandardWebhooksProof(Struct, frozen=True):
    """Standard Webhooks, versions v1 (HMAC-SHA256) and v1a (Ed25519), under its own and under Svix's header names.

    Specification: "Standard Webhooks", section "Webhook Headers (Sending metadata to consumers)".
    """

    name: ClassVar[str] = "standard-webhooks"
    signed_headers: ClassVar[frozenset[str]] = frozenset(
        {"webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp"}
    )

    def verify(self, request: Request, secret: str) -> None:
        family, other = "webhook", "svix"
        if request.header("svix-signature") and not request.header("webhook-signature"):
            family, other = other, family
        message_id = _required(request, f"{family}-id")
        timestamp = _required(request, f"{family}-timestamp")
        signatures = _required(request, f"{family}-signature")
        if any(sign in message_id for sign in '."%'):
            # With a quotation mark, or one that a form escapes, it may be the beginning of a body that its partner
            # signed by itself under the same secret, and what is taken for time and body some text in it.
            raise Unauthenticated(f"{family}-id contains a dot, a quotation mark or a percent sign")
        for name, signed in (("id", message_id), ("timestamp", timestamp)):
            if request.header(f"{other}-{name}") not in {"", signed}:
                # Unsigned, it would pass for that of this message further on.
                raise Unauthenticated(f"{other}-{name} contradicts {family}-{name}")
        check_seconds(timestamp, request.received_at)
        message = b".".join((_raw(message_id), _raw(timestamp), request.body))
        if not _any_matches(_entries(signatures), message, secret):
            raise Unauthenticated(f"No entry of {family}-signature matches the message")


def base64_text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def equal(given: str, expected: str) -> bool:
    """Whether two texts are the same, compared in constant time."""
    # Bytes, because compare_digest raises TypeError on text that is not ASCII, which a forger can send.
    return hmac.compare_digest(_raw(given), _raw(expected))


def _around(message: str, body: bytes, timestamp: str = "") -> bytes:
    """What a partner signed: its `message` with the body, and the time if there is one, in their places."""
    if message == "{body}":
        return body
    before, _, after = message.partition("{body}")
    return body.join(_raw(part.replace("{timestamp}", timestamp)) for part in (before, after))


def _refuse_standard_webhooks(message: bytes, header: str) -> None:
    """Raise Unauthenticated for what a partner signed and Standard Webhooks could have: recorded, each of the two would
    count as the other, at another time.
    """
    if _STANDARD_WEBHOOKS.match(message):
        raise Unauthenticated(f"{header} is the signature of a message of Standard Webhooks")


def _shared(secret: str) -> str:
    """The secret, if it is one that both sides keep to themselves. Raises Unauthenticated for any other.

    A public key stays one however it was pasted: behind a blank, a quotation mark or the name of a member.
    """
    if PUBLIC_KEY_PREFIX in secret or not secret.removeprefix(_SYMMETRIC_PREFIX).strip():
        raise Unauthenticated("The webhook secret is empty or a public key")
    return secret


def _standard_webhooks_keys(secret: str) -> list[bytes]:
    """The HMAC keys that a secret may stand for.

    Decoded from base64, after an optional `whsec_`, if that gives the 24 to 64 bytes of the specification; else the
    secret's own bytes. Svix also issues shorter keys, so a `whsec_` key of 16 bytes or more counts decoded as well.
    """
    encoded = secret.removeprefix(_SYMMETRIC_PREFIX)
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except ValueError:
        decoded = b""
    if 24 <= len(decoded) <= 64:
        return [decoded]
    if encoded != secret and 16 <= len(decoded) < 24:
        return [decoded, secret.encode()]
    return [secret.encode()]


def _any_matches(entries: Sequence[tuple[str, str]], message: bytes, secret: str) -> bool:
    if secret.startswith(PUBLIC_KEY_PREFIX):
        asymmetric = [signature for version, signature in entries if version == "v1a"][:_MAX_ASYMMETRIC]
        return any(_verify_ed25519(secret, message, signature) for signature in asymmetric)
    symmetric = [signature for version, signature in entries if version == "v1"]
    expected = [base64_text(hmac.digest(key, message, "sha256")) for key in _standard_webhooks_keys(_shared(secret))]
    return any(equal(signature, one) for signature in symmetric for one in expected)


def _verify_ed25519(secret: str, message: bytes, signature: str) -> bool:
    # cryptography takes long to import, and only this proof needs it.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        key = base64.b64decode(secret.removeprefix(PUBLIC_KEY_PREFIX), validate=True)
        raw = base64.b64decode(signature, validate=True)
        if base64.b64encode(raw).decode() != signature:
            return False
        Ed25519PublicKey.from_public_bytes(key).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _entries(signatures: str) -> list[tuple[str, str]]:
    """Versions and signatures. What does not have the form of an entry is ignored, as unknown versions are to be."""
    parts = (entry.partition(",") for entry in signatures.split(" "))
    return [(version, signature) for version, comma, signature in parts if comma]


def _required(request: Request, header: str) -> str:
    value = request.header(header)
    if not value:
        raise Unauthenticated(f"{header} is missing")
    return value


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
