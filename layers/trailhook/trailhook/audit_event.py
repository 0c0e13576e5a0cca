"""An event in CloudTrail's schema, which cannot be built outside the schema's limits.

AWS page: "CloudTrail Lake integrations event schema". A limit there in kB counts 1,000 bytes; a limit in characters is
held here in UTF-8 bytes, which is safe however CloudTrail counts.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert, defstruct, field
from msgspec.structs import force_setattr

from trailhook.errors import UnmappableEvent
from trailhook.event_id import event_id
from trailhook.exact_json import encode, encoded_size

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
EVENT_LIMIT = 256_000
_ACCOUNT_BYTES = 64
"""Kept free for `recipientAccountId`, which is added when the event is sent."""
CHARACTER_BYTES = 4
"""A character of UTF-8 takes no more, so that most texts need not be encoded to be measured."""


def _plain(limit: int) -> Any:
    """The type of a text so short that it is within the limit whatever its characters."""
    return Annotated[str, Meta(min_length=1, max_length=limit // CHARACTER_BYTES)]


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
"""The quick check that nearly all events pass: all members are there, and no text can be too long. Only the others are
looked at member by member."""


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
    message: str | None

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
    """The fields as JSON. It is made of them, whatever is passed."""

    def __post_init__(self) -> None:
        # A key with anything but texts in it is the mapping's fault. Fail here: the id is made long after the mapping.
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
        """Made when the event is encoded, right beside the digest of its checksum: amid the mapping it takes five times
        as long."""
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
    if len(value) * CHARACTER_BYTES > limit and len(value.encode("utf-8", "surrogatepass")) > limit:
        raise UnmappableEvent("FieldTooLong", f"{name} is longer than the {limit} characters that CloudTrail takes")


def _check_objects(fields: Mapping[str, Any]) -> None:
    for name, limit in OBJECT_LIMITS.items():
        if name in fields and encoded_size(fields[name]) > limit:
            raise UnmappableEvent("FieldTooLong", f"{name} has more than the {limit:,} bytes that CloudTrail takes")
