"""An event in CloudTrail's schema, which cannot be built outside the schema's limits.

AWS page: "CloudTrail Lake integrations event schema". A limit there in kB counts 1,000 bytes; a limit in characters is
held here in UTF-8 bytes, which is safe however CloudTrail counts.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from trailhook.address import address
from trailhook.delivery import PartnerEvent
from trailhook.errors import UnmappableEvent
from trailhook.exact_json import encode
from trailhook.redaction import BY_NAME, Redaction
from trailhook.timestamps import from_milliseconds

TEXT_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "version": 256,
        "userAgent": 1024,
        "eventSource": 1024,
        "eventName": 1024,
        "UID": 1024,
        "errorCode": 256,
        "errorMessage": 256,
    }
)
IDENTITY_TYPE_LIMIT = 128
PRINCIPAL_ID_LIMIT = 1024
OBJECT_LIMITS: Mapping[str, int] = MappingProxyType(
    {"requestParameters": 100_000, "responseElements": 100_000, "additionalEventData": 28_000}
)
_SMALLEST_OBJECT_LIMIT = min(OBJECT_LIMITS.values())
DETAILS_LIMIT = 20_000
"""Ours, not CloudTrail's: what `userIdentity.details` may take of a large event, whose other members need the room."""
EVENT_LIMIT = 256_000
_MOST_BYTES = 4
"""A character of UTF-8 takes no more, so that most texts need not be encoded to be measured."""
_RESERVED = 4_000
"""Kept free in additionalEventData for what has to be said of the event itself."""


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """Who did it: the partner's word for the kind of actor, its id there, and whatever else is known."""

    type: str
    principal_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


NO_REASON = "The event gives no reason"
"""The message of a failure whose partner says that it is one, and not why."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What a partner says of an action that did not succeed."""

    code: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event as CloudTrail takes it: its `id`, and the schema's members but for `recipientAccountId`.

    Raises UnmappableEvent if a member is missing, too long, or cannot be written as UTF-8.
    """

    id: str
    fields: Mapping[str, Any]
    _text: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check_members(self.fields)
        try:
            text = encode(self.fields)
            size = len(text) if text.isascii() else len(text.encode())
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error
        except UnicodeEncodeError as error:
            raise UnmappableEvent("BadUnicode", "The event holds half a surrogate pair, which is not text") from error
        except ValueError as error:
            raise UnmappableEvent("NotJson", f"The event cannot be written as JSON: {error}") from error
        if size > EVENT_LIMIT - 64:
            raise UnmappableEvent("EventTooLarge", f"The event has {size:,} bytes; CloudTrail takes {EVENT_LIMIT:,}")
        if size > _SMALLEST_OBJECT_LIMIT:
            _check_objects(self.fields)
        object.__setattr__(self, "_text", text)

    @property
    def name(self) -> str:
        return str(self.fields["eventName"])

    @property
    def uid(self) -> str:
        return str(self.fields["UID"])

    def event_data(self, account_id: str) -> str:
        """The `eventData` text, delivered to a channel that the account owns."""
        return f'{self._text[:-1]},"recipientAccountId":"{account_id}"}}'


def fit_audit_event(
    event: PartnerEvent,
    *,
    id: str,  # noqa: A002 - the schema's own word
    uid: str,
    name: str,
    source: str,
    time: datetime | None,
    identity: UserIdentity,
    version: str = "1",
    user_agent: str | None = None,
    source_ip: str | None = None,
    failure: Failure | None = None,
    request_parameters: Mapping[str, Any] | None = None,
    response_elements: Mapping[str, Any] | None = None,
    unsigned: Sequence[str] = (),
    notes: Mapping[str, Any] | None = None,
    redaction: Redaction = BY_NAME,
) -> AuditEvent:
    """The audit event, cut to the schema's limits where it exceeds them.

    What is too long is cut, what is too large loses its largest members, always in the same order;
    additionalEventData then names each of them and holds the SHA-256 of the original event. What identifies an event
    (UID, eventName, eventSource, the actor) is never cut: raises UnmappableEvent.

    `time` is None where the partner says none: then the time of receipt counts, and additionalEventData says so. It
    also names what is `unsigned`, the members that the sender's proof does not cover, and takes `notes`.

    Secrets are taken out first, by `redaction`; additionalEventData says where.
    """
    redacted: list[str] = []
    try:
        request_parameters = redaction.apply("requestParameters", request_parameters or {}, redacted)
        response_elements = redaction.apply("responseElements", response_elements or {}, redacted)
        additional = redaction.apply("additionalEventData", notes or {}, redacted)
        details = redaction.apply("userIdentity.details", identity.details, redacted)
    except RecursionError as error:
        raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error
    if time is None:
        additional["eventTimeSource"] = "receipt"
        time = from_milliseconds(event.delivery.received_at)
    if unsigned:
        additional["unsigned"] = _bounded_list(unsigned)
    if redacted:
        additional["redacted"] = _bounded_list(redacted)
    cutter = _Cutter(event)
    fields: dict[str, Any] = {
        "version": version,
        "userIdentity": cutter.identity(identity, details),
        "userAgent": cutter.text("userAgent", user_agent),
        "eventSource": source,
        "eventName": name,
        "eventTime": f"{time.isoformat()[:19]}Z",
        "UID": uid,
        "requestParameters": cutter.members("requestParameters", request_parameters),
        "responseElements": cutter.members("responseElements", response_elements),
        "errorCode": cutter.text("errorCode", failure.code if failure else None),
        "errorMessage": cutter.text("errorMessage", failure.message if failure else None),
        "sourceIPAddress": address(source_ip),
    }
    fields["additionalEventData"] = cutter.additional(additional)
    return AuditEvent(id, {key: value for key, value in fields.items() if value is not None})


class _Cutter:
    """Cuts the members of one event to their limits, and remembers which."""

    def __init__(self, event: PartnerEvent) -> None:
        self._original = event.original
        self._cut: list[str] = []
        # No way of writing JSON makes a text more than six times longer, so a small event fits without measuring.
        self._small = len(event.original) * 6 < DETAILS_LIMIT
        self._details_limit = DETAILS_LIMIT if len(event.original) > OBJECT_LIMITS["requestParameters"] else EVENT_LIMIT

    def text(self, name: str, text: str | None) -> str | None:
        if not text:
            return None
        try:
            raw = text.encode()
        except UnicodeEncodeError as error:
            raise UnmappableEvent("BadUnicode", f"{name} holds half a surrogate pair, which is not text") from error
        limit = TEXT_LIMITS[name]
        if len(raw) <= limit:
            return text
        self._cut.append(name)
        return raw[:limit].decode("utf-8", "ignore")

    def identity(self, identity: UserIdentity, details: Mapping[str, Any]) -> dict[str, Any]:
        members: dict[str, Any] = {"type": identity.type, "principalId": identity.principal_id}
        if details:
            members["details"] = self._largest_out("userIdentity.details", details, self._details_limit)
        return members

    def members(self, name: str, value: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return self._largest_out(name, value, OBJECT_LIMITS[name]) if value else None

    def additional(self, notes: dict[str, Any]) -> Mapping[str, Any] | None:
        """The notes, and what was cut."""
        limit = OBJECT_LIMITS["additionalEventData"]
        kept = dict(self._largest_out("additionalEventData", notes, limit)) if notes else {}
        if not self._cut:
            return kept or None
        kept = dict(self._largest_out("additionalEventData", kept, limit - _RESERVED))
        ours = {
            "truncated": _bounded_list(self._cut),
            "originalSha256": hashlib.sha256(self._original).hexdigest(),
        }
        if taken := sorted(kept.keys() & ours.keys()):
            raise UnmappableEvent(
                "InvalidData", f"additionalEventData.{taken[0]} is taken, and the event has to be cut"
            )
        return {**kept, **ours}

    def _largest_out(self, name: str, members: Mapping[str, Any], limit: int) -> Mapping[str, Any]:
        """Leave out the largest members, ties by name, until the rest has at most `limit` bytes."""
        if self._small:
            return members
        try:
            total = _size(members)
            if total <= limit:
                return members
            sizes = {key: _size({key: value}) - 1 for key, value in members.items()}
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error
        kept = dict(members)
        for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
            if total <= limit:
                break
            del kept[key]
            total -= sizes[key]
            self._cut.append(f"{name}.{key}")
        return kept


def _size(value: Any) -> int:
    """What a value takes as JSON, in UTF-8 bytes."""
    return len(encode(value).encode("utf-8", "surrogatepass"))


def _bounded_list(names: Sequence[str]) -> list[str]:
    """At most thirty names of a hundred characters; how many more there are is said, so that none is hidden."""
    shown = [re.sub(r"[^ !#-\[\]-~]", "?", name[:100]) for name in names[:30]]
    return [*shown, f"and {len(names) - 30} more"] if len(names) > 30 else shown


def _check_members(fields: Mapping[str, Any]) -> None:
    identity = fields.get("userIdentity") or {}
    for name in ("version", "eventSource", "eventName", "UID"):
        _check_text(name, fields.get(name), TEXT_LIMITS[name])
    _check_text("userIdentity.type", identity.get("type"), IDENTITY_TYPE_LIMIT)
    _check_text("userIdentity.principalId", identity.get("principalId"), PRINCIPAL_ID_LIMIT)
    for name in ("userAgent", "errorCode", "errorMessage"):
        if name in fields:
            _check_text(name, fields[name], TEXT_LIMITS[name])
    if "eventTime" not in fields:
        raise UnmappableEvent("MissingTime", "The event has no time")


def _check_text(name: str, value: Any, limit: int) -> None:
    if not isinstance(value, str) or not value:
        raise UnmappableEvent("MissingField", f"The event has no {name}")
    if len(value) * _MOST_BYTES > limit and len(value.encode("utf-8", "surrogatepass")) > limit:
        raise UnmappableEvent("FieldTooLong", f"{name} is longer than the {limit} characters that CloudTrail takes")


def _check_objects(fields: Mapping[str, Any]) -> None:
    for name, limit in OBJECT_LIMITS.items():
        if name in fields and _size(fields[name]) > limit:
            raise UnmappableEvent("FieldTooLong", f"{name} has more than the {limit:,} bytes that CloudTrail takes")
