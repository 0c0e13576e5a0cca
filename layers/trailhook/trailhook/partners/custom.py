"""Any sender of one's own, under Standard Webhooks: events in CloudTrail's schema, CloudEvents, or plain webhooks.

Pages: "CloudTrail Lake integrations event schema" (AWS), "JSON Event Format for CloudEvents" and "HTTP 1.1 Web Hooks
for Event Delivery" (CNCF), "Standard Webhooks".
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from trailhook.audit_event import AuditEvent, Failure, UserIdentity, fit_audit_event
from trailhook.body import open_body
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import BadRequest, UnmappableEvent, UnsupportedMediaType
from trailhook.event_id import event_id
from trailhook.gateway import Request, Response
from trailhook.json_text import JsonText, Record, canonical
from trailhook.members import object_at, text_at, value_at
from trailhook.partner import Options, Partner
from trailhook.proofs import StandardWebhooksProof
from trailhook.timestamps import parse_time

NAME = "custom"
DEFAULT_EVENT_SOURCE = "custom"
SCHEMA_MEMBERS = frozenset(
    {
        "version",
        "userIdentity",
        "userAgent",
        "eventSource",
        "eventName",
        "eventTime",
        "UID",
        "requestParameters",
        "responseElements",
        "errorCode",
        "errorMessage",
        "sourceIPAddress",
        "additionalEventData",
    }
)
_ORIGIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_AWS = re.compile(r"(^|[^a-z0-9-])amazonaws\.com|^aws([.:/]|$)")
_ACTOR_PLACES = (("actor",), ("data", "actor"), ("user",), ("data", "user"))
_ACTOR_NAMES = ("id", "email", "name", "login", "username")


def partner(options: Options) -> Partner:
    return Partner(
        name=NAME,
        source="Custom",
        proofs=(StandardWebhooksProof(),),
        methods=frozenset({"POST", "OPTIONS"}),
        open_handshake=validation,
        handshake=refuse_binary_mode,
        events=events,
        to_audit_event=partial(to_audit_event, event_source=options.event_source or DEFAULT_EVENT_SOURCE),
        uid=uid,
    )


def validation(request: Request) -> Response | None:
    """CloudEvents' abuse protection: a sender asks, unsigned, whether it may deliver here.

    The consent is worth nothing without a signature on each delivery. The callback, its other form, is never called:
    an address that anybody may name is not one to send requests to.
    """
    if request.method != "OPTIONS":
        return None
    origin = request.header("webhook-request-origin")
    if not _ORIGIN.fullmatch(origin):
        raise BadRequest("OPTIONS is CloudEvents' validation and carries WebHook-Request-Origin with a DNS name")
    rate = request.header("webhook-request-rate")
    if rate and not re.fullmatch(r"[1-9][0-9]{0,8}", rate):
        raise BadRequest("WebHook-Request-Rate is a number of requests a minute")
    headers = {"webhook-allowed-origin": origin, "webhook-allowed-rate": rate or "*", "allow": "POST"}
    return Response(HTTPStatus.OK, "", headers)


def refuse_binary_mode(request: Request) -> None:
    """CloudEvents' binary mode keeps id, source and type in headers, which no signature covers."""
    if request.header("ce-specversion") or request.header("ce-id"):
        raise UnsupportedMediaType("Send CloudEvents in structured or batched mode: no signature covers the binary one")


def events(delivery: Delivery) -> Iterator[PartnerEvent]:
    """One event, an array, NDJSON, or a PutAuditEvents request with its `auditEvents`."""
    text = JsonText(open_body(delivery))
    records = list(text.records())
    if len(records) == 1 and isinstance(value_at(records[0].value, "auditEvents"), list) and not records[0].fault:
        records = [_event_data(record) for record in text.elements("auditEvents")]
    for record in records:
        yield PartnerEvent(delivery, record.value, record.text.encode(), record.fault)


def uid(event: PartnerEvent) -> str | None:
    """The event's own id: `UID` in CloudTrail's schema, `id` of a CloudEvent, `webhook-id` of anything else."""
    if _is_schema_event(event.value):
        return text_at(event.value, "UID")
    if _is_cloudevent(event.value):
        return text_at(event.value, "id")
    return event.delivery.header("webhook-id") or event.delivery.header("svix-id") or None


def to_audit_event(event: PartnerEvent, *, event_source: str) -> AuditEvent:
    """One of the three forms, told apart by what is in the signed body, never by an unsigned header."""
    if not isinstance(event.value, Mapping):
        raise UnmappableEvent("NotAnObject", "An event is a JSON object")
    if _is_schema_event(event.value):
        return _from_schema(event, event.value)
    if _is_cloudevent(event.value):
        return _from_cloudevent(event, event.value)
    if text_at(event.value, "type"):
        return _from_webhook(event, event.value, event_source)
    raise UnmappableEvent(
        "UnknownForm",
        "Neither CloudTrail's schema (eventSource, eventName), nor a CloudEvent (specversion), "
        "nor a Standard Webhooks body (type)",
    )


def _event_data(record: Record) -> Record:
    """An entry of PutAuditEvents holds its event as JSON inside a string."""
    inner = value_at(record.value, "eventData")
    if not isinstance(inner, str):
        return Record(inner, record.text, record.fault)
    document = JsonText(inner.encode("utf-8", "surrogatepass")).document()
    return Record(document.value, record.text, record.fault or document.fault)


def _is_schema_event(value: Any) -> bool:
    return isinstance(value, Mapping) and "eventSource" in value and "eventName" in value


def _is_cloudevent(value: Any) -> bool:
    return isinstance(value, Mapping) and "specversion" in value


def _from_schema(event: PartnerEvent, value: Mapping[str, Any]) -> AuditEvent:
    source = _event_source(_needed(value, "eventSource"))
    own_id = _needed(value, "UID")
    code = text_at(value, "errorCode")
    notes = dict(_optional_object(value, "additionalEventData") or {})
    if others := {key: value[key] for key in value if key not in SCHEMA_MEMBERS}:
        notes["otherMembers"] = others
    return fit_audit_event(
        event,
        id=event_id(NAME, "schema", source, own_id),
        uid=own_id,
        name=_needed(value, "eventName"),
        source=source,
        version=text_at(value, "version") or "1",
        time=parse_time(value.get("eventTime"), "eventTime"),
        identity=UserIdentity(
            _needed(value, "userIdentity", "type"),
            _needed(value, "userIdentity", "principalId"),
            object_at(value, "userIdentity", "details"),
        ),
        user_agent=text_at(value, "userAgent"),
        source_ip=text_at(value, "sourceIPAddress"),
        failure=Failure(code, text_at(value, "errorMessage")) if code else None,
        request_parameters=_optional_object(value, "requestParameters"),
        response_elements=_optional_object(value, "responseElements"),
        notes=notes,
    )


def _from_cloudevent(event: PartnerEvent, value: Mapping[str, Any]) -> AuditEvent:
    source = _event_source(_needed(value, "source"))
    own_id = _needed(value, "id")
    actor = text_at(value, "authid")
    data = value.get("data", value.get("data_base64"))
    return fit_audit_event(
        event,
        id=event_id(NAME, "cloudevent", source, own_id),
        uid=own_id,
        name=_needed(value, "type"),
        source=source,
        version=_needed(value, "specversion"),
        time=parse_time(value["time"], "time") if value.get("time") is not None else None,
        identity=UserIdentity(text_at(value, "authtype") or "User", actor) if actor else _the_sender(source),
        request_parameters=data if isinstance(data, Mapping) else {"data": data} if data is not None else None,
        notes={"cloudEvent": {key: value[key] for key in value if key not in {"data", "data_base64"}}},
    )


def _from_webhook(event: PartnerEvent, value: Mapping[str, Any], event_source: str) -> AuditEvent:
    own_id = uid(event) or hashlib.sha256(canonical(value).encode()).hexdigest()
    return fit_audit_event(
        event,
        # One webhook-id may stand over several events of an array.
        id=event_id(NAME, "webhook", own_id, hashlib.sha256(event.original).hexdigest()),
        uid=own_id,
        name=_needed(value, "type"),
        source=_event_source(event_source),
        time=parse_time(value["timestamp"], "timestamp") if value.get("timestamp") is not None else None,
        identity=_actor(value) or _the_sender(event_source),
        request_parameters=value,
    )


def _the_sender(source: str) -> UserIdentity:
    """A form without an actor tells of no person; what is known to act is the sending service."""
    return UserIdentity("Service", source)


def _actor(value: Mapping[str, Any]) -> UserIdentity | None:
    for place in _ACTOR_PLACES:
        if name := text_at(value, *place):
            return UserIdentity("User", name)
        actor = object_at(value, *place)
        if name := next(filter(None, (text_at(actor, key) for key in _ACTOR_NAMES)), None):
            return UserIdentity(text_at(actor, "type") or "User", name, actor)
    return None


def _event_source(text: str) -> str:
    """The event source, which must not pretend to be one of AWS's own."""
    if _AWS.search(unicodedata.normalize("NFKC", text).casefold().strip()):
        raise UnmappableEvent("InvalidEventSource", f"eventSource {text[:100]!r} belongs to AWS")
    return text


def _needed(value: Mapping[str, Any], *path: str) -> str:
    text = text_at(value, *path)
    if text is None:
        raise UnmappableEvent("MissingField", f"The event has no {'.'.join(path)}")
    return text


def _optional_object(value: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    member = value.get(name)
    if member is None or isinstance(member, Mapping):
        return member
    raise UnmappableEvent("InvalidData", f"{name} must be an object")
