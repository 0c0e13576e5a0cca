"""What Trailhook knows of a partner: how it proves itself, what it asks for, and what its events mean."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus

from msgspec import Struct

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.gateway import Request, Response
from trailhook.proofs import Proof
from trailhook.redaction import Redaction

COMMON_HEADERS = frozenset({"content-type", "content-encoding", "webhook-id", "svix-id"})
"""Kept with every delivery, whoever sent it."""


class Options(Struct, frozen=True):
    """What an operator may set for the partner of a stack."""

    accept_hec: bool = False
    event_source: str | None = None
    redact: tuple[str, ...] = ()

    @property
    def redaction(self) -> Redaction:
        """What the operator wants taken out, for a partner that adds nothing to it."""
        return Redaction.of(self.redact)


def accepted(delivery: Delivery) -> Response:
    """202: queued, not yet processed. The request's id is the one in our log."""
    return Response.json(HTTPStatus.ACCEPTED, {"message": "Accepted", "request_id": delivery.request_id})


def no_open_handshake(_request: Request) -> Response | None:
    return None


def no_handshake(_request: Request, _secret: str) -> Response | None:
    return None


class Partner(Struct, frozen=True):
    """One partner.

    `source` is its channel's source in CloudTrail. `headers` are those that the mapping reads. `open_handshake`
    answers what cannot be signed (CloudEvents' OPTIONS); `handshake` answers what is, with the secret that proved it:
    both return None for a delivery and raise Refused for what is neither. `events` takes a delivery apart or raises
    MalformedDelivery. `to_audit_event` is pure and raises UnmappableEvent. `delivery_id` names the header with the
    partner's own id of a delivery. `fetch_seconds` is what its proofs may spend on asking other hosts, out of receive's
    patience.
    """

    name: str
    source: str
    proofs: Sequence[Proof]
    events: Callable[[Delivery], Iterable[PartnerEvent]]
    to_audit_event: Callable[[PartnerEvent], AuditEvent]
    uid: Callable[[PartnerEvent], str | None]
    headers: frozenset[str] = frozenset()
    delivery_id: str = "webhook-id"
    methods: frozenset[str] = frozenset({"POST"})
    paths: frozenset[str] = frozenset()
    open_handshake: Callable[[Request], Response | None] = no_open_handshake
    handshake: Callable[[Request, str], Response | None] = no_handshake
    acknowledge: Callable[[Delivery], Response] = accepted
    fetch_seconds: float = 0

    def kept_headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Those of a request's headers, by their names in lower case, that travel with the delivery."""
        wanted = COMMON_HEADERS | self.headers
        return {name: value for name, value in headers.items() if name in wanted}
