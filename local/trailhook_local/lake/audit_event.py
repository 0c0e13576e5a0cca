"""One entry of PutAuditEvents against the "CloudTrail Lake integrations event schema": accepted whole, or refused.

Nothing is cut, filled in or repaired. A kB is 1,000 bytes. Characters are counted in UTF-16 units, the largest of the
counts that "256 characters" can mean to a service.
"""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from trailhook_local.lake import strict_json
from trailhook_local.lake.errors import EntryRejectedError

MAX_EVENT_DATA_BYTES: Final = 256_000
_EVENT_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")

# A query finds each member under its name in lower case.
_STRINGS: Final[Mapping[str, int]] = {
    "version": 256,
    "userAgent": 1_024,
    "eventSource": 1_024,
    "eventName": 1_024,
    "UID": 1_024,
    "errorCode": 256,
    "errorMessage": 256,
}
_OBJECTS: Final[Mapping[str, int]] = {
    "requestParameters": 100_000,
    "responseElements": 100_000,
    "additionalEventData": 28_000,
}
_REQUIRED: Final = ("version", "userIdentity", "eventSource", "eventName", "eventTime", "UID", "recipientAccountId")
_IDENTITY: Final[Mapping[str, int]] = {"type": 128, "principalId": 1_024}


def check_size_and_checksum(event_data: str, checksum: str | None) -> None:
    """Refuse an over-long event, or one whose `eventDataChecksum` is not the base64 SHA-256 of its text."""
    try:
        encoded = event_data.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EntryRejectedError("InvalidData", "eventData holds half of a surrogate pair.") from error
    if len(encoded) > MAX_EVENT_DATA_BYTES:
        raise EntryRejectedError(
            "FieldTooLong", f"eventData has {len(encoded)} bytes, the limit is {MAX_EVENT_DATA_BYTES}."
        )
    if checksum is not None and checksum != base64.b64encode(hashlib.sha256(encoded).digest()).decode("ascii"):
        raise EntryRejectedError("InvalidChecksum", "eventDataChecksum is not the base64 SHA-256 of eventData.")


def to_columns(event_data: str, *, owner: str) -> dict[str, Any]:
    """The `eventdata` struct that a query sees; raises EntryRejectedError with the documented code otherwise."""
    try:
        event = strict_json.parse(event_data)
        if not isinstance(event, dict):
            raise EntryRejectedError("InvalidData", "eventData is not a JSON object.")
        _refuse_unknown(event, _MEMBERS, "eventData")
        for name in _REQUIRED:
            if name not in event:
                raise EntryRejectedError("FieldNotFound", f"The required field {name} is missing.")
        columns = {
            name.lower(): _STRUCTURED[name](value, owner) for name, value in event.items() if name in _STRUCTURED
        }
        for name, limit in _STRINGS.items():
            if name in event:
                columns[name.lower()] = _string(event[name], name, limit)
        for name, limit in _OBJECTS.items():
            if name in event:
                columns[name.lower()] = _object(event[name], name, limit)
    except strict_json.NotJSONError as error:
        raise EntryRejectedError("InvalidData", f"eventData is not valid JSON: {error}") from error
    except RecursionError as error:
        raise EntryRejectedError("InvalidData", "eventData is nested too deeply.") from error
    if re.search(r"(^|\.)amazonaws\.com(\.cn)?$", columns["eventsource"], re.IGNORECASE):
        raise EntryRejectedError("InvalidEventSource", "eventSource names an AWS service; those names are reserved.")
    return columns


def _refuse_unknown(value: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = value.keys() - known
    if unknown:
        raise EntryRejectedError(
            "InvalidData", f"{where} has fields outside the schema: {', '.join(sorted(unknown))[:200]}"
        )


def _string(value: object, name: str, limit: int) -> str:
    if not isinstance(value, str) or not value:
        raise EntryRejectedError("InvalidData", f"{name} must be a string that is not empty.")
    length = len(value) if value.isascii() else len(value.encode("utf-16-le")) // 2
    if length > limit:
        raise EntryRejectedError("FieldTooLong", f"{name} has {length} characters, the limit is {limit}.")
    return value


def _object(value: object, name: str, limit: int | None) -> dict[str, str | None]:
    """A JSON object as the map<varchar, varchar> of a query: what is nested in it becomes JSON text."""
    if not isinstance(value, dict):
        raise EntryRejectedError("InvalidData", f"{name} must be a JSON object.")
    if limit is not None:
        size = len(strict_json.dump(value).encode("utf-8"))
        if size > limit:
            raise EntryRejectedError("FieldTooLong", f"{name} has {size} bytes, the limit is {limit}.")
    return {
        key: item if item is None or isinstance(item, str) else strict_json.dump(item) for key, item in value.items()
    }


def _user_identity(value: object, _owner: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EntryRejectedError("InvalidData", "userIdentity must be a JSON object.")
    _refuse_unknown(value, frozenset({*_IDENTITY, "details"}), "userIdentity")
    columns: dict[str, Any] = {}
    for name, limit in _IDENTITY.items():
        if name not in value:
            raise EntryRejectedError("FieldNotFound", f"The required field userIdentity.{name} is missing.")
        columns[name.lower()] = _string(value[name], f"userIdentity.{name}", limit)
    if "details" in value:
        columns["details"] = _object(value["details"], "userIdentity.details", None)
    return columns


def _event_time(value: object, _owner: str) -> str:
    try:
        if isinstance(value, str) and _EVENT_TIME.fullmatch(value):
            datetime.fromisoformat(value).astimezone(UTC)
            return value
    except (ValueError, OverflowError):
        pass  # right shape, no such moment: the same refusal
    raise EntryRejectedError("InvalidData", "eventTime must be a UTC time of the form yyyy-MM-ddTHH:mm:ssZ.")


def _source_ip_address(value: object, _owner: str) -> str:
    try:
        if isinstance(value, str) and "%" not in value:
            ipaddress.ip_address(value)
            return value
    except ValueError:
        pass  # not an address: the same refusal
    raise EntryRejectedError("InvalidData", "sourceIPAddress must be an IPv4 or IPv6 address.")


def _recipient_account_id(value: object, owner: str) -> str:
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise EntryRejectedError("InvalidRecipient", "recipientAccountId must be an account id of 12 digits.")
    if value != owner:
        raise EntryRejectedError("InvalidRecipient", "recipientAccountId is not the account that owns the channel.")
    return value


_STRUCTURED: Final[Mapping[str, Callable[[object, str], Any]]] = {
    "userIdentity": _user_identity,
    "eventTime": _event_time,
    "sourceIPAddress": _source_ip_address,
    "recipientAccountId": _recipient_account_id,
}
_MEMBERS: Final = frozenset({*_STRINGS, *_OBJECTS, *_STRUCTURED})
