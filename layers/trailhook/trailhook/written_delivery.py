"""A delivery as JSON writes it: what a queue message and a line of the quarantine have in common, and how it is read
back, in every version that there may still be of either.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from trailhook.delivery import Delivery
from trailhook.timestamps import LAST_MILLISECOND


class WrittenDelivery(Struct, frozen=True, gc=False):
    """A delivery's members as they are read back. What a later version adds is passed over."""

    partner: str
    delivery_id: str
    request_id: str
    received_at: Annotated[int, Meta(ge=0, le=LAST_MILLISECOND)]
    source_ip: str
    proof: str
    headers: dict[str, str]
    signed: frozenset[str]
    encoding: str
    body: str
    element: bool = False
    """The first releases did not write it."""

    def with_body(self, body: bytes) -> Delivery:
        """The delivery, with its body decoded."""
        return Delivery(
            partner=self.partner,
            id=self.delivery_id,
            request_id=self.request_id,
            received_at=self.received_at,
            source_ip=self.source_ip,
            proof=self.proof,
            headers=self.headers,
            signed=self.signed,
            body=body,
            element=self.element,
        )


def delivery_members(delivery: Delivery) -> dict[str, Any]:
    """A delivery's members but for its body."""
    return {
        "partner": delivery.partner,
        "delivery_id": delivery.id,
        "request_id": delivery.request_id,
        "received_at": delivery.received_at,
        "source_ip": delivery.source_ip,
        "proof": delivery.proof,
        "headers": dict(delivery.headers),
        "signed": sorted(delivery.signed),
    }


def body_members(body: bytes) -> dict[str, str]:
    """A body as text: as it is where it is UTF-8, else in base64."""
    try:
        return {"encoding": "utf-8", "body": body.decode()}
    except UnicodeDecodeError:
        return {"encoding": "base64", "body": base64.b64encode(body).decode()}


DECODERS: Mapping[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "base64": lambda text: base64.b64decode(text, validate=True),
}
"""How the text of a body is read, by its encoding. Raises ValueError."""
