"""A delivery on the queue: what receive sends and forward reads, in every version that may still be queued.

The message is ASCII-only JSON, so that no character in it can make SQS refuse it, and carries the body byte for byte
with its SHA-256. It never holds a secret: of the headers only those that the partner's mapping reads.
"""

import base64
import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, to_builtins
from msgspec.structs import replace

from trailhook.body import MAX_OPEN_BYTES
from trailhook.delivery import Delivery
from trailhook.errors import EnvelopeError, EnvelopeTooLarge
from trailhook.exact_json import decode, encode_ascii
from trailhook.written_delivery import DECODERS, WrittenDelivery, body_members, delivery_members

VERSION = 1
MAX_MESSAGE_BYTES = 1_048_576
"""What SQS takes."""

HANDBACK_BYTES = 16_384
"""Kept free when a delivery is first queued, for `pending` and the attempt when a part of it is handed back."""

_PLAIN_BYTES = 65_536
"""Up to here a message costs one SQS request however small it is, so that compressing would only cost time."""

_ROOM_BYTES = MAX_MESSAGE_BYTES - HANDBACK_BYTES
_QUICK, _THOROUGH, _UTMOST = 1, 6, 9
"""Levels of compression. The quick one comes first; what does not fit then is compressed thoroughly, in four times as
long. The utmost can take twenty times longer still. It is for an event that the quarantine gives back by itself: no
sender waits for that."""

_SAMPLE_BYTES = 16_384

_MOST_ATTEMPTS = 1_000
_MOST_EVENTS = 1_000_000
_Position = Annotated[int, Meta(ge=0, lt=_MOST_EVENTS)]


class Pending(Struct, frozen=True, gc=False):
    """The events still to deliver: their positions among the `total` that the delivery holds, counted from 0.

    Positions, because they tell events of equal id apart and do not depend on how an event is mapped. If the delivery
    is later found to hold another number of events, they mean nothing, and all events are delivered.
    """

    total: int
    positions: frozenset[int]


class Envelope(Struct, frozen=True, gc=False):
    """A delivery, how often it was handed back, and what is left of it if part of it is done (None: all)."""

    delivery: Delivery
    attempt: int = 0
    pending: Pending | None = None

    def handed_back(self, pending: Pending) -> "Envelope":
        """The envelope for what is left of this one."""
        return replace(self, attempt=self.attempt + 1, pending=pending)

    def parked(self) -> "Envelope":
        """The envelope for the dead-letter queue: when somebody sends it back, its attempts begin anew."""
        return replace(self, attempt=0)


def encode_envelope(envelope: Envelope) -> str:
    """The queue message. Raises EnvelopeTooLarge if the delivery does not fit even compressed."""
    delivery = envelope.delivery
    head = {
        "version": VERSION,
        **delivery_members(delivery),
        "attempt": envelope.attempt,
        "pending": None if envelope.pending is None else to_builtins(_PendingWire.folded(envelope.pending)),
        "sha256": hashlib.sha256(delivery.body).hexdigest(),
    }
    if delivery.element:
        head["element"] = True
    if len(delivery.body) > MAX_OPEN_BYTES:
        # From API Gateway come 10 MB at most, but an event that the quarantine gives back was opened before.
        raise EnvelopeTooLarge(f"The delivery has {len(delivery.body):,} bytes; {MAX_OPEN_BYTES:,} is the most")
    message = _with_body(head, delivery.body, utmost=delivery.element)
    # What was handed back already says what is left of it, and a single event is never left in part.
    needs_room = envelope.pending is None and not delivery.element
    if len(message) > (_ROOM_BYTES if needs_room else MAX_MESSAGE_BYTES):
        raise EnvelopeTooLarge(f"The delivery does not fit a queue message: {len(message):,} bytes after compression")
    return message.decode()


def decode_envelope(message: str) -> Envelope:
    """Read a queue message. Raises EnvelopeError for a version this code does not know, and for a damaged one."""
    try:
        wire = _read(message)
        body = _DECODERS[wire.encoding](wire.body)
        if hashlib.sha256(body).hexdigest() != wire.sha256:
            raise EnvelopeError("The body does not have the SHA-256 that receive noted")
        # Where the first versions listed ids, all is delivered again: ids do not tell for certain what is left.
        pending = wire.pending.unfolded() if isinstance(wire.pending, _PendingWire) else None
        return Envelope(wire.with_body(body), wire.attempt, pending)
    except (KeyError, ValueError, RecursionError, zlib.error) as error:
        raise EnvelopeError(f"Not an envelope: {type(error).__name__}") from error


class _PendingWire(Struct, frozen=True, gc=False):
    """Positions as ranges, both ends included: thousands of events in a row take no more room than one."""

    total: Annotated[int, Meta(ge=0, le=_MOST_EVENTS)]
    positions: Sequence[tuple[_Position, _Position]]

    @classmethod
    def folded(cls, pending: Pending) -> "_PendingWire":
        ranges: list[tuple[int, int]] = []
        for position in sorted(pending.positions):
            if ranges and ranges[-1][1] == position - 1:
                ranges[-1] = ranges[-1][0], position
            else:
                ranges.append((position, position))
        return cls(pending.total, ranges)

    def unfolded(self) -> Pending:
        """Raises ValueError if there is no range (what is done is not handed back), and if ranges do not ascend or go
        beyond the total: a message has room to name each position a hundred thousand times, which would take an hour to
        read.
        """
        positions: set[int] = set()
        before = -1
        for first, last in self.positions:
            if not before < first <= last < self.total:
                raise ValueError("a position out of range or out of order")
            positions.update(range(first, last + 1))
            before = last
        if not positions:
            raise ValueError("no position")
        return Pending(self.total, frozenset(positions))


class _Wire(WrittenDelivery, frozen=True, gc=False, kw_only=True):
    """The message of version 1, member by member."""

    version: Literal[1]
    attempt: Annotated[int, Meta(ge=0, le=_MOST_ATTEMPTS)]
    pending: _PendingWire | list[str] | None
    """The first versions wrote a list of ids."""
    sha256: str


_WIRE = msgspec.json.Decoder(_Wire)


def _read(message: str) -> _Wire:
    try:
        return _WIRE.decode(message)
    except (msgspec.DecodeError, UnicodeEncodeError):
        # Another version, half a surrogate pair, which a header may hold, or damage.
        document = decode(message)
        version = document.get("version") if isinstance(document, dict) else None
        if type(version) is not int or version != VERSION:
            raise EnvelopeError(f"Envelope version {version!r:.40} is not known here") from None
        return msgspec.convert(document, _Wire)


def _with_body(head: Mapping[str, Any], body: bytes, *, utmost: bool) -> bytes:
    """The message with its body in the encoding that pays: the first that is short enough, else the shortest."""
    if len(body) <= _PLAIN_BYTES and len(plain := _plain(head, body)) <= _PLAIN_BYTES:
        return plain
    # Only compression can help what is longer than a message; an escaped copy of 10 MB would take 60 MB of memory.
    fits = len(body) <= MAX_MESSAGE_BYTES
    if fits and not _shrinks(body) and len(plain := _plain(head, body)) <= _ROOM_BYTES:
        return plain
    if len(quick := _packed(head, body, _QUICK)) <= _ROOM_BYTES:
        return quick
    thorough = _packed(head, body, _UTMOST if utmost else _THOROUGH)
    return min(thorough, _plain(head, body), key=len) if fits else thorough


def _shrinks(body: bytes) -> bool:
    """Whether the beginning says that compressing is worth its time: what is random or compressed already is not."""
    sample = body[:_SAMPLE_BYTES]
    return len(zlib.compress(sample, _QUICK)) < len(sample) // 2


def _plain(head: Mapping[str, Any], body: bytes) -> bytes:
    return encode_ascii({**head, **body_members(body)})


def _packed(head: Mapping[str, Any], body: bytes, level: int) -> bytes:
    packed = gzip.compress(body, compresslevel=level, mtime=0)
    return encode_ascii({**head, "encoding": "gzip", "body": base64.b64encode(packed).decode()})


def _unpack(text: str) -> bytes:
    """The body out of its gzip. One that was cut off, here or before, does not have its SHA-256."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    return inflater.decompress(base64.b64decode(text, validate=True), MAX_OPEN_BYTES)


_DECODERS: Mapping[str, Callable[[str], bytes]] = {**DECODERS, "gzip": _unpack}
