"""The quarantine: what CloudTrail will never take, kept whole with its reason, until an operator decides.

NDJSON objects under `quarantine/<partner>/<yyyy>/<mm>/<dd>/`, a line an event.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from msgspec import Struct, convert

from trailhook.delivery import Delivery
from trailhook.errors import QuarantineError
from trailhook.exact_json import BLANKS, encode_ascii
from trailhook.timestamps import from_milliseconds
from trailhook.written_delivery import DECODERS, WrittenDelivery, body_members, delivery_members

VERSION = 1
FOLDER = "quarantine/"


class QuarantinedEvent(Struct, frozen=True):
    """One event, or a whole delivery that could not be taken apart, with the reason that it is here."""

    delivery: Delivery
    code: str
    reason: str
    original: bytes
    id: str | None = None
    uid: str | None = None

    def to_line(self, way_back: str) -> bytes:
        """One line of NDJSON in ASCII, with the command that sends the event again and all that it needs for that."""
        return encode_ascii(
            {
                "version": VERSION,
                "id": self.id,
                "uid": self.uid,
                "code": self.code,
                "reason": self.reason,
                **delivery_members(self.delivery),
                **body_members(self.original),
                "element": self.delivery.element or self._is_element,
                "way_back": way_back,
            }
        )

    @property
    def _is_element(self) -> bool:
        """Whether it is only a part of the delivery's body. Blanks around that do not count."""
        body = self.delivery.body
        return self.original not in (body, body.strip(BLANKS))

    @classmethod
    def from_line(cls, line: bytes) -> "QuarantinedEvent":
        """Read a line back, as a delivery of this event alone.

        Raises QuarantineError for a line of another version, and for a damaged one.
        """
        try:
            document = json.loads(line)
            if document["version"] != VERSION:
                raise QuarantineError(f"a line of version {document['version']!r:.40}, which is not known here")
            told = convert(document, _Line)
            original = DECODERS[told.encoding](told.body)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise QuarantineError(f"not a line of the quarantine: {type(error).__name__}: {error}") from error
        return cls(
            delivery=told.with_body(original),
            code=told.code,
            reason=told.reason,
            original=original,
            id=told.id,
            uid=told.uid,
        )


class _Line(WrittenDelivery, frozen=True, gc=False, kw_only=True):
    """A line of version 1 as it is read back; somebody may have edited it."""

    version: Literal[1]
    id: str | None
    uid: str | None
    code: str
    reason: str


class Quarantine(Protocol):
    """Where quarantined events are kept."""

    def keep(self, key: str, body: bytes) -> None:
        """Store `body` under `key`. Raises QuarantineError if that is not certain."""

    def way_back(self, key: str, line: int) -> str:
        """The command that sends the event on that line of `key`, counted from 1, to the delivery queue again."""


def quarantine_objects(
    events: Sequence[QuarantinedEvent], way_back: Callable[[str, int], str]
) -> Iterator[tuple[str, bytes, Sequence[int]]]:
    """The events in objects: key, content, and the places in `events` of those that it holds.

    One object for each partner and day of receipt. Its name comes from the deliveries and the original bytes alone:
    what is written again for the same events, though a reason may be worded otherwise, takes the same place.
    """
    folders: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        day = f"{from_milliseconds(event.delivery.received_at):%Y/%m/%d}"
        folders.setdefault(f"{FOLDER}{event.delivery.partner}/{day}", []).append(place)
    for folder, places in folders.items():
        digest = hashlib.sha256()
        for place in places:
            delivery, original = events[place].delivery, events[place].original
            # API Gateway gives each request an id of its own; who invokes receive otherwise may give one twice.
            whose = f"{delivery.request_id}\n{delivery.id}\n{delivery.received_at}\n{len(original)}\n"
            digest.update(whose.encode("utf-8", "surrogatepass"))
            digest.update(original)
        key = f"{folder}/{digest.hexdigest()[:32]}.ndjson"
        lines = (events[place].to_line(way_back(key, number)) for number, place in enumerate(places, 1))
        yield key, b"".join(b"%s\n" % line for line in lines), places
