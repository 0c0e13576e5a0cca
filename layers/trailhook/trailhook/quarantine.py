"""The quarantine: what CloudTrail will never take, kept whole with its reason, until an operator decides.

NDJSON objects under `quarantine/<partner>/<yyyy>/<mm>/<dd>/`, a line an event.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailhook.delivery import Delivery
from trailhook.json_text import encode_ascii
from trailhook.timestamps import from_milliseconds

VERSION = 1


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """One event, or a whole delivery that could not be taken apart, with the reason that it is here."""

    delivery: Delivery
    code: str
    reason: str
    original: bytes
    id: str | None = None
    uid: str | None = None

    def to_line(self) -> str:
        """One line of NDJSON in ASCII. `headers` and `proof` are what mapping it again would need."""
        delivery = self.delivery
        try:
            encoding, body = "utf-8", self.original.decode()
        except UnicodeDecodeError:
            encoding, body = "base64", base64.b64encode(self.original).decode()
        return encode_ascii(
            {
                "version": VERSION,
                "partner": delivery.partner,
                "id": self.id,
                "uid": self.uid,
                "code": self.code,
                "reason": self.reason,
                "received_at": delivery.received_at,
                "delivery_id": delivery.id,
                "encoding": encoding,
                "body": body,
                "headers": dict(delivery.headers),
                "signed": sorted(delivery.signed),
                "proof": delivery.proof,
                "request_id": delivery.request_id,
                "source_ip": delivery.source_ip,
            }
        )


class Quarantine(Protocol):
    """Where quarantined events are kept."""

    def keep(self, key: str, body: bytes) -> None:
        """Store `body` under `key`. Raises QuarantineError if that is not certain."""


def quarantine_objects(events: Sequence[QuarantinedEvent]) -> Iterator[tuple[str, bytes, Sequence[int]]]:
    """The events in objects: key, content, and the places in `events` of those that it holds.

    One object for each partner and day of receipt. Its name comes from the deliveries and the original bytes alone:
    what is written again for the same events, though a reason may be worded otherwise, takes the same place.
    """
    folders: dict[str, list[int]] = {}
    for place, event in enumerate(events):
        day = f"{from_milliseconds(event.delivery.received_at):%Y/%m/%d}"
        folders.setdefault(f"quarantine/{event.delivery.partner}/{day}", []).append(place)
    for folder, places in folders.items():
        digest = hashlib.sha256()
        for place in places:
            digest.update(
                f"{events[place].delivery.request_id}\n{len(events[place].original)}\n".encode("utf-8", "surrogatepass")
            )
            digest.update(events[place].original)
        content = "".join(events[place].to_line() + "\n" for place in places).encode()
        yield f"{folder}/{digest.hexdigest()[:32]}.ndjson", content, places
