"""A delivery is one authenticated HTTP request of a partner; an event is one thing in it that happened.

Both are immutable, so that mapping them twice gives the same result twice.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trailhook.errors import Undeliverable


class Delivery(Struct, frozen=True, gc=False):
    """What a partner sent and receive has proven, as it travels through the queue.

    `received_at` is in milliseconds since 1970, by API Gateway's clock. `headers` are the few that the mapping
    needs, never a secret. `signed` names those of them that the proof covers; a bearer token vouches for all.

    `element`: the body is one event of several that the partner sent together, given back by the quarantine. It is not
    taken apart again: an object that an event merely quotes is no event.
    """

    partner: str
    id: str
    request_id: str
    received_at: int
    source_ip: str
    proof: str
    headers: Mapping[str, str]
    signed: frozenset[str]
    body: bytes
    element: bool = False

    def header(self, name: str) -> str:
        """The kept header's value, or the empty string."""
        return self.headers.get(name, "")

    def vouches_for(self, name: str) -> bool:
        """Whether the proof covers the value of that header or, where there is none, that there is none.

        No signature covers that a header is missing, but a bearer token vouches for the whole request. The content type
        tells the two apart: only under a bearer token it is among `signed`.
        """
        return name in self.signed or (name not in self.headers and "content-type" in self.signed)


class PartnerEvent(Struct, frozen=True):
    """One event as the partner wrote it: the parsed `value`, and the exact bytes of it in `original`.

    `fault` says why the text cannot be taken at its word (a key twice, a number that no double holds); such an event
    is never mapped.
    """

    delivery: Delivery
    value: Any
    original: bytes
    fault: Undeliverable | None
