"""Every form in which partners write a time, as one: a moment in UTC."""

import math
import re
from datetime import UTC, datetime
from typing import Any

from trailhook.errors import UnmappableEvent

_MILLISECONDS_FROM = 100_000_000_000
"""A number from here on means milliseconds: as seconds it would lie beyond the year 5138, as milliseconds in 1973."""

_ISO = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[T ](?P<time>\d{2}:\d{2}:\d{2})(?:[.,]\d{1,9})?"
    r"\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)


def parse_time(value: Any, field: str) -> datetime:
    """The moment that `value` names: seconds or milliseconds since 1970, the same as text, or ISO 8601.

    Text without a zone counts as UTC, which is what partners that leave it out mean. Fractions of a second are
    dropped, as CloudTrail's schema has none. Raises UnmappableEvent, naming `field`.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnmappableEvent("MissingTime", f"{field} is not a time")
    if isinstance(value, str):
        text = value.strip()
        if match := _ISO.fullmatch(text):
            return _iso(match, field)
        if not re.fullmatch(r"\d{1,16}(\.\d{1,9})?", text):
            raise UnmappableEvent("BadTime", f"{field} is not a time: {text[:40]!r}")
        value = float(text) if "." in text else int(text)
    return _epoch(value, field)


def from_milliseconds(value: int) -> datetime:
    """The moment of a receipt time, in milliseconds since 1970."""
    return datetime.fromtimestamp(value // 1000, UTC)


def _iso(match: re.Match[str], field: str) -> datetime:
    zone = match["zone"] or "Z"
    offset = "+00:00" if zone in {"Z", "z", "UTC", "GMT"} else zone
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnmappableEvent("BadTime", f"{field} is not a time: {match[0]!r}") from error


def _epoch(value: float, field: str) -> datetime:
    try:
        seconds = math.floor(value / 1000 if value >= _MILLISECONDS_FROM else value)
        if seconds <= 0:
            raise UnmappableEvent("BadTime", f"{field} is not a time: {value!r}")
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnmappableEvent("BadTime", f"{field} is not a time: {value!r}") from error
