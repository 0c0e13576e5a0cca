"""Every form in which partners write a time, as one: a moment in UTC."""

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from trailhook.errors import UnmappableEvent

LAST_MILLISECOND = 253_402_300_799_999
"""Of the year 9999, the last that a datetime can hold."""

_PER_SECOND = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**18, None))
"""What a number counts is told by its size: below each bound, so many of it make a second. Below the first it counts
seconds (10**11 of them end in the year 5138, as many milliseconds ended in 1973), then thousandths, then millionths.
From 10**17 on it may be Windows' count since 1601 as well as nanoseconds of before 2002, so it is no time; from 10**18
on it counts nanoseconds."""

_ISO = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{2}:\d{2}:\d{2})(?:[.,]\d+)?"
    r" ?(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?[0-5]\d)?)?",
    re.ASCII,
)
_DATE = re.compile(r"/Date\((?P<milliseconds>\d{12,14})\)/", re.ASCII)
"""How .NET's older serializers write a time."""
_NUMBER = re.compile(r"\d{1,19}(\.\d+)?", re.ASCII)
_DIGITS = re.compile(
    r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])[0-5]\d([0-5]\d(\d{3})?)?)?", re.ASCII
)
"""A date in digits alone, down to the day, the minute, the second or its thousandth. Taken for a count, it would
be of 1970, 1976 or the years from 2572 on."""
_COUNTED_YEARS = range(1977, 2572)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing that a webhook reports happened at or before this: it is how a program writes that it has no time."""


def parse_time(value: Any, field: str) -> datetime:
    """The moment that `value` names: seconds since 1970 or their thousandths, millionths or billionths, the same as
    text, or ISO 8601.

    Text without a zone counts as UTC, which is what partners that leave it out mean. Fractions of a second are
    dropped, as CloudTrail's schema has none. Raises UnmappableEvent, naming `field`: MissingTime if there is none,
    BadTime if it is none.
    """
    if value is None:
        raise UnmappableEvent("MissingTime", f"The event has no {field}")
    if isinstance(value, str):
        text = value.strip()
        if match := _ISO.fullmatch(text):
            return _iso(match, field)
        if match := _DATE.fullmatch(text):
            text = match["milliseconds"]
        if not _NUMBER.fullmatch(text):
            raise UnmappableEvent("BadTime", f"{field} is not a time: {text[:40]!r}")
        value = int(text.partition(".")[0])  # A float would round 1.9999999999 up, to another second.
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnmappableEvent("BadTime", f"{field} is not a time but of type {type(value).__name__}")
    return _epoch(value, field)


def parse_formatted_time(text: str, time_format: str, field: str) -> datetime:
    """The moment of a text in the form of `datetime.strptime`; without a zone it counts as UTC.

    Raises UnmappableEvent, naming `field`: BadTime if it is none.
    """
    try:
        moment = datetime.strptime(text, time_format)  # noqa: DTZ007 - the zone is given to it below
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnmappableEvent("BadTime", f"{field} is not a time of the form {time_format}") from error
    if moment <= _FIRST:
        raise _bad(text, field)
    return moment


def from_milliseconds(value: int) -> datetime:
    """The moment of a receipt time, in milliseconds since 1970."""
    return _moment(value // 1000)


@lru_cache(maxsize=1024)
def to_text(time: datetime) -> str:
    """The moment as CloudTrail writes it. Events come by the hundred in a second, so most are written already."""
    return f"{time.astimezone(UTC).isoformat()[:19]}Z"


@lru_cache(maxsize=1024)
def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _iso(match: re.Match[str], field: str) -> datetime:
    zone = match["zone"] or "Z"
    offset = "+00:00" if zone in {"Z", "z", "UTC", "GMT"} else zone
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['time']}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _bad(match[0], field) from error
    if moment <= _FIRST:
        raise _bad(match[0], field)
    return moment


def _epoch(value: float, field: str) -> datetime:
    try:
        whole = math.floor(value)
        unit: int | None = 10**9
        for above, found in _PER_SECOND:
            if whole < above:
                unit = found
                break
        if unit is None or whole <= 0:
            raise _bad(value, field)
        moment = _moment(whole // unit)
    except (ValueError, OverflowError, OSError) as error:
        raise _bad(value, field) from error
    if moment.year not in _COUNTED_YEARS and _DIGITS.fullmatch(str(whole)):
        reason = f"{field} may be a date in digits, which only a descriptor's time_format can tell: {whole}"
        raise UnmappableEvent("BadTime", reason)
    return moment


def _bad(value: object, field: str) -> UnmappableEvent:
    return UnmappableEvent("BadTime", f"{field} is not a time: {repr(value)[:60]}")
