"""The quarantine: what CloudTrail will never take, kept whole with its reason, until an operator decides.

One NDJSON object per message that had something to quarantine, under
`quarantine/<partner>/<yyyy>/<mm>/<dd>/`, named after its content: writing it again changes nothing.
"""

import base64
import hashlib
from collections.abc import Sequence
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


def quarantine_object(events: Sequence[QuarantinedEvent]) -> tuple[str, bytes]:
    """The key and the content of the object that holds one delivery's quarantined events."""
    content = "".join(event.to_line() + "\n" for event in events).encode()
    delivery = events[0].delivery
    day = f"{from_milliseconds(delivery.received_at):%Y/%m/%d}"
    return f"quarantine/{delivery.partner}/{day}/{hashlib.sha256(content).hexdigest()[:32]}.ndjson", content
