"""Okta: event hooks with their verification, and System Log events that a forwarder posts.

Okta's pages: "Event hooks", "Event hook implementation", "System Log API", "Event types", "System Log events for Okta
ThreatInsight"; the results are in `LogOutcome` of Okta's OpenAPI description.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from trailhook.audit_event import NO_REASON, AuditEvent, Failure, UserIdentity
from trailhook.body import open_body
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import BadRequest, UnmappableEvent
from trailhook.event_id import content_digest
from trailhook.fitting import fit_audit_event
from trailhook.gateway import Request, Response
from trailhook.json_text import JsonText, elements_or_itself
from trailhook.members import object_at, text_at
from trailhook.partner import Options, Partner
from trailhook.proofs import StandardWebhooksProof, TokenProof
from trailhook.redaction import Redaction
from trailhook.timestamps import parse_time

NAME = "okta"
EVENT_SOURCE = "okta.com"
FAILURES = frozenset({"FAILURE", "FAILED", "DENY"})
"""The results in Okta's list that say that the action was refused or did not work. Its event types name FAILED, too,
and write some results in small letters.
"""
THREAT = "security.threat.detected"
RATE_LIMIT = "RATE_LIMIT"
"""In a THREAT, Okta says, it means that the request was refused before it counted towards the organisation's rate
limit. What it means in other events, Okta does not say."""
UNKNOWN = "unknown"


def partner(options: Options) -> Partner:
    return Partner(
        name=NAME,
        source="OktaSystemLogEvents",
        proofs=(TokenProof("okta-authorization"), StandardWebhooksProof()),
        methods=frozenset({"GET", "POST"}),
        handshake=verification,
        events=events,
        to_audit_event=partial(to_audit_event, redaction=options.redaction),
        uid=uid,
        acknowledge=acknowledge,
    )


def verification(request: Request, _secret: str) -> Response | None:
    """The one GET that Okta ever sends: it wants its challenge back."""
    if request.method != "GET":
        return None
    challenge = request.header("x-okta-verification-challenge")
    if not challenge:
        raise BadRequest("A GET is Okta's verification and carries X-Okta-Verification-Challenge")
    return Response.json(HTTPStatus.OK, {"verification": challenge})


def acknowledge(_delivery: Delivery) -> Response:
    """Okta wants an empty answer."""
    return Response(HTTPStatus.NO_CONTENT)


def events(delivery: Delivery) -> Iterator[PartnerEvent]:
    """The events of an event hook, or System Log events as one object, an array or NDJSON."""
    for record in JsonText(open_body(delivery), element=delivery.element).records():
        # An entry of the System Log may have such a member, too. Taken apart, it would lose all the rest.
        is_entry = delivery.element or any(text_at(record.value, name) is not None for name in ("published", "uuid"))
        for entry in [record] if is_entry else elements_or_itself(record, "data", "events"):
            yield PartnerEvent(delivery, entry.value, entry.original, entry.fault)


def uid(event: PartnerEvent) -> str | None:
    return text_at(event.value, "uuid")


def to_audit_event(event: PartnerEvent, *, redaction: Redaction) -> AuditEvent:
    entry = event.value
    if not isinstance(entry, Mapping):
        raise UnmappableEvent("NotAnObject", "An Okta event is a JSON object")
    uuid = uid(event) or content_digest(entry)
    name = text_at(entry, "eventType")
    if name is None:
        raise UnmappableEvent("MissingField", "An Okta event has an eventType")
    client = object_at(entry, "client")
    actor = object_at(entry, "actor")
    shown = redaction.shown(entry)
    details, response = object_at(shown, "actor"), object_at(shown, "outcome")
    elsewhere = {name for name, value in (("actor", details), ("outcome", response)) if value}
    return fit_audit_event(
        event,
        key=(NAME, uuid),
        uid=uuid,
        name=name,
        source=EVENT_SOURCE,
        version=text_at(entry, "version") or "0",
        time=parse_time(entry.get("published"), "published"),
        identity=_identity(actor, details),
        user_agent=text_at(client, "userAgent", "rawUserAgent"),
        source_ip=text_at(client, "ipAddress"),
        failure=_failure(name, object_at(entry, "outcome")),
        request_parameters={name: value for name, value in entry.items() if name not in elsewhere},
        response_elements=response or None,
        redaction=redaction,
    )


def _identity(actor: Mapping[str, Any], shown: Mapping[str, Any]) -> UserIdentity:
    """Who did it. Okta writes "unknown" for what it does not know; where it names nobody, it is Okta itself."""
    details = {name: value for name, value in shown.items() if value is not None}
    kind = text_at(actor, "type") or "User"
    if principal := _known(actor, "id"):
        return UserIdentity(kind, principal, details)
    if principal := _known(actor, "alternateId") or _known(actor, "displayName"):
        # What somebody typed to sign in, which may be the id of a user. It must not make them that user.
        return UserIdentity("Anonymous" if kind == "User" else kind, principal, details)
    return UserIdentity("Service", EVENT_SOURCE, details)


def _known(actor: Mapping[str, Any], member: str) -> str | None:
    text = text_at(actor, member)
    return None if text == UNKNOWN else text


def _failure(name: str, outcome: Mapping[str, Any]) -> Failure | None:
    result = text_at(outcome, "result")
    failures = FAILURES | {RATE_LIMIT} if name == THREAT else FAILURES
    if result is None or result.upper() not in failures:
        return None
    return Failure(result, text_at(outcome, "reason") or NO_REASON)
