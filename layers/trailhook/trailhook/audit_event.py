"""An event in CloudTrail's schema, which cannot be built outside the schema's limits.

AWS page: "CloudTrail Lake integrations event schema". A limit there in kB counts 1,000 bytes; a limit in characters is
held here in UTF-8 bytes, which is safe however CloudTrail counts.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert, defstruct, field
from msgspec.structs import force_setattr

from trailhook.address import address
from trailhook.delivery import PartnerEvent
from trailhook.errors import UnmappableEvent
from trailhook.event_id import event_id
from trailhook.exact_json import encode, encoded_size
from trailhook.redaction import BY_NAME, LONGEST_TOLD, MOST_TOLD, REDACTED, Redaction
from trailhook.timestamps import from_milliseconds, to_text

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
_OPTIONAL_TEXTS = frozenset({"userAgent", "errorCode", "errorMessage"})
IDENTITY_TYPE_LIMIT = 128
PRINCIPAL_ID_LIMIT = 1024
OBJECT_LIMITS: Mapping[str, int] = MappingProxyType(
    {"requestParameters": 100_000, "responseElements": 100_000, "additionalEventData": 28_000}
)
_SMALLEST_OBJECT_LIMIT = min(OBJECT_LIMITS.values())
DETAILS_LIMIT = 20_000
"""Ours, not CloudTrail's: what `userIdentity.details` may take of an event that is too large as a whole."""
EVENT_LIMIT = 256_000
_ACCOUNT_BYTES = 64
"""Kept free for `recipientAccountId`, which is added when the event is sent."""
_MOST_BYTES = 4
"""A character of UTF-8 takes no more, so that most texts need not be encoded to be measured."""
_SHORT_USER_AGENT = TEXT_LIMITS["userAgent"] // _MOST_BYTES
_RESERVED = 4_000
"""Kept free in additionalEventData for what has to be said of the event itself."""


def _plain(limit: int) -> Any:
    """A text that is within the limit however it is written."""
    return Annotated[str, Meta(min_length=1, max_length=limit // _MOST_BYTES)]


_PlainIdentity = defstruct(
    "_PlainIdentity", [("type", _plain(IDENTITY_TYPE_LIMIT)), ("principalId", _plain(PRINCIPAL_ID_LIMIT))]
)
_PlainFields = defstruct(
    "_PlainFields",
    [
        ("userIdentity", _PlainIdentity),
        ("eventTime", str),
        *((name, _plain(limit)) for name, limit in TEXT_LIMITS.items() if name not in _OPTIONAL_TEXTS),
        *((name, _plain(limit), None) for name, limit in TEXT_LIMITS.items() if name in _OPTIONAL_TEXTS),
    ],
)
"""What nearly all events are, so that few need a closer look: all members there, and no text that might be too long."""


class UserIdentity(Struct, frozen=True, gc=False):
    """Who did it: the partner's word for the kind of actor, its id there, and whatever else is known."""

    type: str
    principal_id: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def members(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """What it is in CloudTrail's schema, with these details."""
        members: dict[str, Any] = {"type": self.type, "principalId": self.principal_id}
        if details:
            members["details"] = details
        return members


NO_REASON = "The event gives no reason"
"""The message of a failure whose partner says that it is one, and not why."""


class Failure(Struct, frozen=True, gc=False):
    """What a partner says of an action that did not succeed."""

    code: str
    message: str | None = None

    @property
    def members(self) -> Mapping[str, str]:
        """What it is in CloudTrail's schema."""
        texts = {"errorCode": self.code, "errorMessage": self.message}
        return {name: text for name, text in texts.items() if text}


class AuditEvent(Struct, frozen=True, gc=False):
    """One event as CloudTrail takes it: the schema's members but for `recipientAccountId`, and their text.

    `key` is what identifies it, the partner's name first. Raises UnmappableEvent if a member is missing, too long, or
    cannot be written as UTF-8.
    """

    key: tuple[str, ...]
    fields: Mapping[str, Any]
    text: bytes = b""
    """Made of the fields, whatever is given."""

    def __post_init__(self) -> None:
        # A key that holds anything but texts is the mapping's fault, and shall show here, where its id is not yet made.
        "".join(self.key)
        try:
            convert(self.fields, _PlainFields)
        except ValidationError:
            _check_members(self.fields)
        try:
            text = encode(self.fields)
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error
        except UnicodeEncodeError as error:
            raise UnmappableEvent("BadUnicode", "The event holds half a surrogate pair, which is not text") from error
        except ValueError as error:
            raise UnmappableEvent("NotJson", f"The event cannot be written as JSON: {error}") from error
        if len(text) > EVENT_LIMIT - _ACCOUNT_BYTES:
            raise UnmappableEvent(
                "EventTooLarge", f"The event has {len(text):,} bytes; CloudTrail takes {EVENT_LIMIT:,}"
            )
        if len(text) > _SMALLEST_OBJECT_LIMIT:
            _check_objects(self.fields)
        force_setattr(self, "text", text)

    @property
    def id(self) -> str:
        """Made when it is asked for, which is beside the checksum: amid other code, a digest of so little takes five
        times as long."""
        return event_id(*self.key)

    @property
    def name(self) -> str:
        return str(self.fields["eventName"])

    @property
    def uid(self) -> str:
        return str(self.fields["UID"])

    def event_data(self, account_id: str) -> bytes:
        """The `eventData` text, delivered to a channel that the account owns."""
        return b'%s,"recipientAccountId":"%s"}' % (self.text[:-1], account_id.encode())


def fit_audit_event(
    event: PartnerEvent,
    *,
    key: tuple[str, ...],
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
    if request_parameters:
        request_parameters = redaction.apply("requestParameters", request_parameters, redacted)
    if response_elements:
        response_elements = redaction.apply("responseElements", response_elements, redacted)
    additional = redaction.apply("additionalEventData", notes, redacted) if notes else {}
    details = redaction.apply("userIdentity.details", identity.details, redacted)
    ours: dict[str, Any] = {}
    if time is None:
        ours["eventTimeSource"] = "receipt"
        time = from_milliseconds(event.delivery.received_at)
    if unsigned:
        ours["unsigned"] = _bounded_list(unsigned)
    if redacted:
        ours["redacted"] = _bounded_list(redacted)
    fields: dict[str, Any] = {
        "version": version,
        "userIdentity": identity.members(details),
        "userAgent": user_agent,
        "eventSource": source,
        "eventName": name,
        "eventTime": to_text(time),
        "UID": uid,
    }
    if not user_agent:
        del fields["userAgent"]
    if request_parameters:
        fields["requestParameters"] = request_parameters
    if response_elements:
        fields["responseElements"] = response_elements
    if failure:
        fields |= failure.members
    if at := address(source_ip):
        fields["sourceIPAddress"] = at
    if noted := _noted(additional, ours):
        fields["additionalEventData"] = noted
    _fit(fields, event.original, ours, len(redacted))
    return AuditEvent(key, fields)


def _fit(fields: dict[str, Any], original: bytes, ours: Mapping[str, Any], redacted: int) -> None:
    """Cut the fields where one may exceed its limit: no way of writing JSON makes a text more than six times longer,
    and of what was redacted nothing but the mark is left.
    """
    small = len(original) * 6 + redacted * (len(REDACTED) + 2) < DETAILS_LIMIT
    failed = "errorCode" in fields or "errorMessage" in fields
    if not small or failed or len(fields.get("userAgent", "")) > _SHORT_USER_AGENT:
        _Cutter(original, ours, small=small).cut(fields)


class _Cutter:
    """Cuts the members of one event to their limits, and remembers which. What is `ours` to say of it stays whole."""

    def __init__(self, original: bytes, ours: Mapping[str, Any], *, small: bool) -> None:
        self._original = original
        self._ours = ours
        self._small = small
        self._cut: list[str] = []

    def cut(self, fields: dict[str, Any]) -> None:
        identity = fields["userIdentity"]
        if "details" in identity:
            room = self._room_for_details(identity["details"], fields)
            identity["details"] = self._largest_out("userIdentity.details", identity["details"], room)
        for name in ("userAgent", "requestParameters", "responseElements", "errorCode", "errorMessage"):
            if name not in fields:
                continue
            if name in OBJECT_LIMITS:
                fields[name] = self._largest_out(name, fields[name], OBJECT_LIMITS[name])
            else:
                fields[name] = self._text(name, fields[name])
        if noted := self._additional(fields.pop("additionalEventData", {})):
            fields["additionalEventData"] = noted

    def _room_for_details(self, details: Mapping[str, Any], fields: Mapping[str, Any]) -> int:
        """All that they want, unless the event as a whole is too large for that."""
        if self._small or _size(details) <= DETAILS_LIMIT or _size(fields) <= EVENT_LIMIT - _RESERVED:
            return EVENT_LIMIT
        return DETAILS_LIMIT

    def _text(self, name: str, text: str) -> str:
        try:
            raw = text.encode()
        except UnicodeEncodeError as error:
            raise UnmappableEvent("BadUnicode", f"{name} holds half a surrogate pair, which is not text") from error
        limit = TEXT_LIMITS[name]
        if len(raw) <= limit:
            return text
        self._cut.append(name)
        return raw[:limit].decode("utf-8", "ignore")

    def _additional(self, noted: Mapping[str, Any]) -> Mapping[str, Any]:
        """The sender's notes, ours, and what was cut."""
        notes = {name: note for name, note in noted.items() if name not in self._ours}
        limit = OBJECT_LIMITS["additionalEventData"] - _size(self._ours)
        kept = self._largest_out("additionalEventData", notes, limit)
        if not self._cut:
            return {**kept, **self._ours}
        kept = self._largest_out("additionalEventData", kept, limit - _RESERVED)
        ours = {
            **self._ours,
            "truncated": _bounded_list(self._cut),
            "originalSha256": hashlib.sha256(self._original).hexdigest(),
        }
        return _noted(kept, ours)

    def _largest_out(self, name: str, members: Mapping[str, Any], limit: int) -> Mapping[str, Any]:
        """Leave out the largest members, ties by name, until the rest has at most `limit` bytes."""
        if self._small:
            return members
        total = _size(members)
        if total <= limit:
            return members
        sizes = {key: _size({key: value}) - 1 for key, value in members.items()}
        kept = dict(members)
        for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
            if total <= limit:
                break
            del kept[key]
            total -= sizes[key]
            # The others are only counted: a million names would take as much room as the members.
            self._cut.append(f"{name}.{key}" if len(self._cut) < MOST_TOLD else "")
        return kept


def _noted(notes: Mapping[str, Any], ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """The sender's notes and ours. Raises UnmappableEvent rather than to write over what the sender says."""
    if not ours or not notes:
        return notes or ours
    if taken := sorted(notes.keys() & ours.keys()):
        raise UnmappableEvent(
            "InvalidData", f"additionalEventData.{taken[0]} is taken, and has to be said of the event"
        )
    return {**notes, **ours}


def _size(value: Any) -> int:
    try:
        return encoded_size(value)
    except RecursionError as error:
        raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error


def _bounded_list(names: Sequence[str]) -> list[str]:
    """At most so many names of so many characters; how many more there are is said, so that none is hidden."""
    shown = [re.sub(r"[^ !#-\[\]-~]", "?", name[:LONGEST_TOLD]) for name in names[:MOST_TOLD]]
    return [*shown, f"and {len(names) - MOST_TOLD} more"] if len(names) > MOST_TOLD else shown


def _check_members(fields: Mapping[str, Any]) -> None:
    for name, limit in TEXT_LIMITS.items():
        if name in fields or name not in _OPTIONAL_TEXTS:
            _check_text(name, fields.get(name), limit)
    identity = fields.get("userIdentity") or {}
    _check_text("userIdentity.type", identity.get("type"), IDENTITY_TYPE_LIMIT)
    _check_text("userIdentity.principalId", identity.get("principalId"), PRINCIPAL_ID_LIMIT)
    if "eventTime" not in fields:
        raise UnmappableEvent("MissingTime", "The event has no time")


def _check_text(name: str, value: Any, limit: int) -> None:
    if not value or not isinstance(value, str):
        raise UnmappableEvent("MissingField", f"The event has no {name}")
    if len(value) * _MOST_BYTES > limit and len(value.encode("utf-8", "surrogatepass")) > limit:
        raise UnmappableEvent("FieldTooLong", f"{name} is longer than the {limit} characters that CloudTrail takes")


def _check_objects(fields: Mapping[str, Any]) -> None:
    for name, limit in OBJECT_LIMITS.items():
        if name in fields and encoded_size(fields[name]) > limit:
            raise UnmappableEvent("FieldTooLong", f"{name} has more than the {limit:,} bytes that CloudTrail takes")
