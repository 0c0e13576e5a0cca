"""Any sender of one's own, under Standard Webhooks: events in CloudTrail's schema, CloudEvents, or plain webhooks.

Pages: "CloudTrail Lake integrations event schema" (AWS), "JSON Event Format for CloudEvents" and "HTTP 1.1 Web Hooks
for Event Delivery" (CNCF), "Standard Webhooks".
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from trailhook.address import address
from trailhook.audit_event import TEXT_LIMITS, AuditEvent, Failure, UserIdentity
from trailhook.body import open_body
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import BadRequest, MalformedDelivery, SettingsError, UnmappableEvent, UnsupportedMediaType
from trailhook.event_id import content_digest
from trailhook.exact_json import Record
from trailhook.fitting import OURS, fit_audit_event
from trailhook.gateway import Request, Response
from trailhook.json_text import JsonText, elements_or_itself
from trailhook.members import object_at, text_at, value_at
from trailhook.partner import Options, Partner
from trailhook.proofs import StandardWebhooksProof
from trailhook.redaction import Redaction
from trailhook.reserved_source import AWS, is_plain, owner_of
from trailhook.timestamps import parse_time, to_text

NAME = "custom"
DEFAULT_EVENT_SOURCE = "custom"
SCHEMA_TEXTS = ("version", "userAgent", "errorCode", "errorMessage")
SCHEMA_MEMBERS = frozenset(
    {
        *SCHEMA_TEXTS,
        "userIdentity",
        "eventSource",
        "eventName",
        "eventTime",
        "UID",
        "requestParameters",
        "responseElements",
        "sourceIPAddress",
        "additionalEventData",
        # Taken from the channel, whatever a sender writes.
        "recipientAccountId",
    }
)
OTHER_MEMBERS = "otherMembers"
"""Where additionalEventData keeps what a sender adds to the schema, or writes in another way than the schema."""
_TAKEN = OURS | {OTHER_MEMBERS}
"""Members of additionalEventData that are ours: no member of a sender's may pass for one."""
_REQUEST_MEMBERS = frozenset({"auditEvents", "channelArn", "externalId"})
_ENTRY_MEMBERS = frozenset({"id", "eventData", "eventDataChecksum"})
_ORIGIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_ACTOR_PLACES = (("actor",), ("data", "actor"))
_ACTOR_NAMES = ("id", "email", "name", "login", "username")


def partner(options: Options) -> Partner:
    """The custom partner; raises SettingsError for an event source that is not the operator's to give."""
    event_source = options.event_source or DEFAULT_EVENT_SOURCE
    if not is_plain(event_source):
        raise SettingsError(f"EVENT_SOURCE={event_source!r} holds more than printable ASCII")
    if owner_of(event_source) == AWS:
        raise SettingsError(f"EVENT_SOURCE={event_source!r} belongs to AWS; name the system that sends the events")
    return Partner(
        name=NAME,
        source="Custom",
        proofs=(StandardWebhooksProof(),),
        methods=frozenset({"POST", "OPTIONS"}),
        open_handshake=validation,
        handshake=refuse_binary_mode,
        events=events,
        to_audit_event=partial(to_audit_event, event_source=event_source, redaction=options.redaction),
        uid=uid,
    )


def validation(request: Request) -> Response | None:
    """CloudEvents' abuse protection: a sender asks, unsigned, whether it may deliver here.

    The consent is worth nothing without a signature on each delivery. The callback, the other way to consent, is never
    called: an address that anybody may name is not one to send requests to.
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


def refuse_binary_mode(request: Request, _secret: str) -> None:
    """CloudEvents' binary mode keeps id, source and type in headers, which no signature covers."""
    if request.header("content-type").lower().startswith("application/cloudevents"):
        return
    if request.header("ce-specversion") or request.header("ce-id"):
        raise UnsupportedMediaType("Send CloudEvents in structured or batched mode: no signature covers the binary one")


def events(delivery: Delivery) -> Iterator[PartnerEvent]:
    """One event, an array, NDJSON, or a PutAuditEvents request with its `auditEvents`."""
    for record in JsonText(open_body(delivery), element=delivery.element).records():
        for entry in _entries(record, delivery):
            yield PartnerEvent(delivery, entry.value, entry.original, entry.fault)


def _entries(record: Record, delivery: Delivery) -> Iterator[Record]:
    """The events of a PutAuditEvents request, or of one of its entries; anything else is an event itself.

    What has members besides these is an event itself, too: taken apart, it would lose them.
    """
    members = record.value.keys() if isinstance(record.value, Mapping) else ()
    is_request = not delivery.element and _REQUEST_MEMBERS.issuperset(members)
    for entry in elements_or_itself(record, "auditEvents") if is_request else [record]:
        yield _event_data(entry) if _is_entry(entry.value) else entry


def _is_entry(value: Any) -> bool:
    """Whether it is an entry of a PutAuditEvents request, also one that stands alone, as the quarantine keeps it."""
    return isinstance(value, Mapping) and "eventData" in value and value.keys() <= _ENTRY_MEMBERS


def _event_data(entry: Record) -> Record:
    """An entry of PutAuditEvents holds its event as JSON inside a string, and maybe the string's checksum."""
    inner = value_at(entry.value, "eventData")
    if not isinstance(inner, str):
        return Record(inner, entry.original, entry.fault)
    raw = inner.encode("utf-8", "surrogatepass")
    checksum = value_at(entry.value, "eventDataChecksum")
    if checksum is not None and checksum != base64.b64encode(hashlib.sha256(raw).digest()).decode():
        fault = UnmappableEvent("InvalidChecksum", "eventDataChecksum is not that of eventData")
        return Record(None, entry.original, fault)
    try:
        event = JsonText(raw).document()
    except MalformedDelivery as error:
        return Record(None, entry.original, UnmappableEvent(error.code, f"eventData: {error.reason}"))
    return Record(event.value, entry.original, entry.fault or event.fault)


def uid(event: PartnerEvent) -> str | None:
    """The event's own id: `UID` in CloudTrail's schema, `id` of a CloudEvent, `webhook-id` of any other object."""
    if not isinstance(event.value, Mapping):
        return None
    if _is_schema_event(event.value):
        return text_at(event.value, "UID")
    if _is_cloudevent(event.value):
        return text_at(event.value, "id")
    return event.delivery.header("webhook-id") or event.delivery.header("svix-id") or None


def to_audit_event(event: PartnerEvent, *, event_source: str, redaction: Redaction) -> AuditEvent:
    """One of the three forms, told apart by what is in the signed body, never by an unsigned header."""
    if not isinstance(event.value, Mapping):
        raise UnmappableEvent("NotAnObject", "An event is a JSON object")
    if _is_schema_event(event.value):
        return _from_schema(event, event.value, redaction, event_source)
    if _is_cloudevent(event.value):
        return _from_cloudevent(event, event.value, redaction, event_source)
    if text_at(event.value, "type"):
        return _from_webhook(event, event.value, redaction, event_source)
    raise UnmappableEvent(
        "UnknownForm",
        "Neither CloudTrail's schema (eventSource, eventName), nor a CloudEvent (specversion), nor a Standard Webhooks "
        "body (type), nor a PutAuditEvents request (auditEvents, channelArn, externalId alone) or its entry (id, "
        "eventData, eventDataChecksum alone)",
    )


def _is_schema_event(value: Any) -> bool:
    return isinstance(value, Mapping) and "eventSource" in value and "eventName" in value


def _is_cloudevent(value: Any) -> bool:
    return isinstance(value, Mapping) and "specversion" in value


def _from_schema(event: PartnerEvent, value: Mapping[str, Any], redaction: Redaction, granted: str) -> AuditEvent:
    source = _event_source(_needed(value, "eventSource"), granted)
    own_id = _needed(value, "UID")
    code, message = text_at(value, "errorCode"), text_at(value, "errorMessage")
    identity = object_at(value, "userIdentity")
    time = parse_time(value.get("eventTime"), "eventTime")
    return fit_audit_event(
        event,
        key=(NAME, "schema", source, own_id),
        uid=own_id,
        name=_needed(value, "eventName"),
        source=source,
        version=text_at(value, "version") or "1",
        time=time,
        identity=UserIdentity(
            _needed(value, "userIdentity", "type"),
            _needed(value, "userIdentity", "principalId"),
            object_at(identity, "details"),
        ),
        user_agent=text_at(value, "userAgent"),
        source_ip=text_at(value, "sourceIPAddress"),
        # A message without a code is the sender's choice; the schema allows it.
        failure=Failure(code or "", message) if code or message else None,
        request_parameters=_optional_object(value, "requestParameters"),
        response_elements=_optional_object(value, "responseElements"),
        notes=_schema_notes(value, identity, to_text(time)),
        redaction=redaction,
    )


def _schema_notes(value: Mapping[str, Any], identity: Mapping[str, Any], time: str) -> Mapping[str, Any]:
    """The sender's additionalEventData, and beside it whatever has no place of its own in the schema (such as a
    fraction of a second) or has a name that we use there.
    """
    given = _optional_object(value, "additionalEventData") or {}
    notes = {name: member for name, member in given.items() if name not in _TAKEN}
    others = {name: member for name, member in value.items() if name not in SCHEMA_MEMBERS}
    said = {name: member for name, member in value.items() if member not in (None, "")}
    others |= {name: said[name] for name in SCHEMA_TEXTS if name in said and text_at(said, name) is None}
    if "sourceIPAddress" in said and said["sourceIPAddress"] != address(text_at(said, "sourceIPAddress")):
        others["sourceIPAddress"] = said["sourceIPAddress"]
    if value["eventTime"] != time:
        others["eventTime"] = value["eventTime"]
    known = {"type", "principalId"} | ({"details"} if isinstance(identity.get("details"), Mapping) else set())
    if unknown := {name: member for name, member in identity.items() if name not in known and member is not None}:
        others["userIdentity"] = unknown
    if len(notes) < len(given):
        others["additionalEventData"] = {name: member for name, member in given.items() if name in _TAKEN}
    return {**notes, OTHER_MEMBERS: others} if others else notes


def _from_cloudevent(event: PartnerEvent, value: Mapping[str, Any], redaction: Redaction, granted: str) -> AuditEvent:
    source = _event_source(_needed(value, "source"), granted)
    own_id = _needed(value, "id")
    actor = text_at(value, "authid")
    shown = redaction.shown(value)
    payload = {name: shown[name] for name in ("data", "data_base64") if shown.get(name) is not None}
    if isinstance(payload.get("data"), Mapping) and len(payload) == 1:
        payload = payload["data"]
    return fit_audit_event(
        event,
        key=(NAME, "cloudevent", source, own_id),
        uid=own_id,
        name=_needed(value, "type"),
        source=source,
        version=_needed(value, "specversion"),
        time=parse_time(value["time"], "time") if value.get("time") is not None else None,
        identity=UserIdentity(text_at(value, "authtype") or "User", actor) if actor else _the_sender(source),
        request_parameters=payload or None,
        notes={"cloudEvent": {name: value[name] for name in value if name not in {"data", "data_base64"}}},
        redaction=redaction,
    )


def _from_webhook(event: PartnerEvent, value: Mapping[str, Any], redaction: Redaction, event_source: str) -> AuditEvent:
    own_id = uid(event) or content_digest(value)
    return fit_audit_event(
        event,
        # One webhook-id may stand over several events of an array.
        key=(NAME, "webhook", own_id, hashlib.sha256(event.original).hexdigest()),
        uid=own_id,
        name=_needed(value, "type"),
        source=event_source,
        time=parse_time(value["timestamp"], "timestamp") if value.get("timestamp") is not None else None,
        identity=_actor(value, redaction) or _the_sender(event_source),
        request_parameters=value,
        redaction=redaction,
    )


def _the_sender(source: str) -> UserIdentity:
    """A form without an actor tells of no person; what is known to act is the sending service."""
    return UserIdentity("Service", source)


def _actor(value: Mapping[str, Any], redaction: Redaction) -> UserIdentity | None:
    for place in _ACTOR_PLACES:
        if name := text_at(value, *place):
            return UserIdentity("User", name)
        actor = object_at(value, *place)
        if name := next(filter(None, (text_at(actor, key) for key in _ACTOR_NAMES)), None):
            return UserIdentity(text_at(actor, "type") or "User", name, object_at(redaction.shown(value), *place))
    return None


def _event_source(text: str, granted: str) -> str:
    """The event source, which must not pretend to be one of AWS's own, nor a partner's, except the one that the
    operator has granted.

    One that is longer than CloudTrail takes is refused later for its length, so `owner_of` never caches one.
    """
    if len(text) > TEXT_LIMITS["eventSource"] or text == granted:
        return text
    if not is_plain(text):
        raise UnmappableEvent(
            "InvalidEventSource",
            f"eventSource {text[:100]!a} holds more than printable ASCII, and may look like another",
        )
    if owner := owner_of(text):
        way_out = "" if owner == AWS else "; name it in EventSource if this stack is meant to report on that"
        raise UnmappableEvent("InvalidEventSource", f"eventSource {text[:100]!r} belongs to {owner}{way_out}")
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
