"""An AuditEvent made of what a mapping found in a partner's event: without secrets, and cut to the schema's limits."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Any

from trailhook.address import address
from trailhook.audit_event import (
    CHARACTER_BYTES,
    EVENT_LIMIT,
    OBJECT_LIMITS,
    TEXT_LIMITS,
    AuditEvent,
    Failure,
    UserIdentity,
)
from trailhook.delivery import PartnerEvent
from trailhook.errors import UnmappableEvent
from trailhook.exact_json import encoded_size
from trailhook.redaction import LONGEST_TOLD, MOST_TOLD, REDACTED, Redaction
from trailhook.timestamps import from_milliseconds, to_text

OURS = frozenset({"eventTimeSource", "unsigned", "redacted", "truncated", "originalSha256"})
"""The members of additionalEventData that are ours to write. None of a sender's may have such a name."""

DETAILS_LIMIT = 20_000
"""Ours, not CloudTrail's: what `userIdentity.details` may take of an event that is too large as a whole."""
_SHORT_USER_AGENT = TEXT_LIMITS["userAgent"] // CHARACTER_BYTES
_DEEPEST_CUT = 4
"""Down to so many objects deep, members are left out one by one. Below that an object is left out as a whole, because
each level costs a pass over all that is in it."""
_SMALL_OBJECT = 1_000
"""An object of at most so many bytes is left out as a whole: taking many of them apart costs more than it keeps."""
_RESERVED = 4_000
"""Kept free in additionalEventData for what has to be said of the event itself."""


def fit_audit_event(
    event: PartnerEvent,
    *,
    key: tuple[str, ...],
    uid: str,
    name: str,
    source: str,
    time: datetime | None,
    identity: UserIdentity,
    request_parameters: Mapping[str, Any] | None,
    redaction: Redaction,
    version: str = "1",
    user_agent: str | None = None,
    source_ip: str | None = None,
    failure: Failure | None = None,
    response_elements: Mapping[str, Any] | None = None,
    unsigned: Sequence[str] = (),
    notes: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """The audit event, cut to the schema's limits where it exceeds them.

    What is too long is cut, what is too large loses its largest members, or what is largest in them, always in the same
    order; additionalEventData then names each of them and holds the SHA-256 of the original event. What identifies an
    event (UID, eventName, eventSource, the actor) is never cut: raises UnmappableEvent.

    `time` is None where the partner says none: then the time of receipt counts, and additionalEventData says so. It
    also names the members that the sender's proof does not cover (`unsigned`), and takes `notes`, which must have none
    of the names in OURS.

    Secrets are taken out first, by `redaction`; additionalEventData says where.
    """
    if notes and not OURS.isdisjoint(notes):
        raise UnmappableEvent("InvalidData", "additionalEventData has a member that only Trailhook may set")
    redacted: list[str] = []
    if request_parameters:
        request_parameters = redaction.apply("requestParameters", request_parameters, redacted)
    if response_elements:
        response_elements = redaction.apply("responseElements", response_elements, redacted)
    additional = redaction.apply("additionalEventData", notes, redacted) if notes else {}
    details = redaction.apply("userIdentity.details", identity.details, redacted)
    ours = _ours(time, unsigned, redacted)
    fields: dict[str, Any] = {
        "version": version,
        "userIdentity": identity.members(details),
        "userAgent": user_agent,
        "eventSource": source,
        "eventName": name,
        "eventTime": to_text(time or from_milliseconds(event.delivery.received_at)),
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
    if noted := {**additional, **ours}:
        fields["additionalEventData"] = noted
    _fit(fields, event.original, ours, len(redacted))
    return AuditEvent(key, fields)


def _ours(time: datetime | None, unsigned: Sequence[str], redacted: Sequence[str]) -> dict[str, Any]:
    """What has to be said of the event itself, but for what is cut."""
    ours: dict[str, Any] = {}
    if time is None:
        ours["eventTimeSource"] = "receipt"
    if unsigned:
        ours["unsigned"] = _bounded_list(unsigned)
    if redacted:
        ours["redacted"] = _bounded_list(redacted)
    return ours


def _fit(fields: dict[str, Any], original: bytes, ours: Mapping[str, Any], redacted: int) -> None:
    """Cut the fields if one of them may exceed its limit. In a `small` event no object can: writing JSON in another way
    makes it at most six times longer, and redaction adds only its marks.
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
        return {**kept, **ours}

    def _largest_out(self, name: str, members: Mapping[str, Any], limit: int) -> Mapping[str, Any]:
        """Leave out the largest members, ties by name, until the rest has at most `limit` bytes."""
        if self._small:
            return members
        excess = _size(members) - limit
        return members if excess <= 0 else self._without(name, members, excess)[0]

    def _without(
        self, name: str, members: Mapping[str, Any], excess: int, depth: int = 1
    ) -> tuple[Mapping[str, Any], int]:
        """The members without the largest of them, which have `excess` bytes or more, and how many bytes those have.

        A large object loses its own largest members, until it is no longer the largest. Otherwise a long text, say of
        an issue, would take along everything that stands beside it.
        """
        kept, gone = dict(members), 0
        # Sizes are negative, so that the largest comes first; a comma counts, and the braces do not.
        largest = sorted((1 - _size({key: value}), key) for key, value in members.items())
        while largest and gone < excess:
            negative, key = heappop(largest)
            size, member = -negative, kept[key]
            if depth < _DEEPEST_CUT and size > _SMALL_OBJECT and isinstance(member, Mapping) and member:
                following = -largest[0][0] if largest else 0
                # Half of it at least, for each time costs a pass over all that is in it.
                enough = min(excess - gone, max(size - following, size // 2))
                kept[key], less = self._without(f"{name}.{key}", member, enough, depth + 1)
                gone += less
                heappush(largest, (less - size, key))
                continue
            del kept[key]
            gone += size
            # The others are only counted: a million names would take as much room as the members.
            self._cut.append(f"{name}.{key}" if len(self._cut) < MOST_TOLD else "")
        # The last one has no comma.
        return kept, gone if kept else gone - 1


def _size(value: Any) -> int:
    try:
        return encoded_size(value)
    except RecursionError as error:
        raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error


def _bounded_list(names: Sequence[str]) -> list[str]:
    """The first MOST_TOLD names, each cut to LONGEST_TOLD printable characters, and how many more there are."""
    shown = [re.sub(r"[^ !#-\[\]-~]", "?", name[:LONGEST_TOLD]) for name in names[:MOST_TOLD]]
    return [*shown, f"and {len(names) - MOST_TOLD} more"] if len(names) > MOST_TOLD else shown
