"""A delivery is one authenticated HTTP request of a partner; an event is one thing in it that happened.

Both are immutable, so that mapping them twice gives the same result twice. mypy holds what is `Final`; a frozen
dataclass would hold it while running, but takes three times as long to make, and each event is made of several.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trailhook.errors import Undeliverable


@dataclass(slots=True)
class Delivery:
    """What a partner sent and receive has proven, as it travels through the queue.

    `received_at` is in milliseconds since 1970, by API Gateway's clock. `headers` are the few that the mapping
    needs, never a secret. `signed` names those of them that the proof covers; a bearer token vouches for all.
    """

    partner: Final[str]
    id: Final[str]
    request_id: Final[str]
    received_at: Final[int]
    source_ip: Final[str]
    proof: Final[str]
    headers: Final[Mapping[str, str]]
    signed: Final[frozenset[str]]
    body: Final[bytes]

    def header(self, name: str) -> str:
        """The kept header's value, or the empty string."""
        return self.headers.get(name, "")


@dataclass(slots=True)
class PartnerEvent:
    """One event as the partner wrote it: the parsed `value`, and the exact bytes of it in `original`.

    `fault` says why the text cannot be taken at its word (a key twice, a number that no double holds); such an event
    is never mapped.
    """

    delivery: Final[Delivery]
    value: Final[Any]
    original: Final[bytes]
    fault: Final[Undeliverable | None] = None
