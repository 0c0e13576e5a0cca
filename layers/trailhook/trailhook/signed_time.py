"""The time that a sender signs, held against the time of receipt: what somebody recorded must not count again later."""

import re

from trailhook.errors import Unauthenticated, UnmappableEvent
from trailhook.timestamps import parse_time

TIMESTAMP_TOLERANCE_SECONDS = 300
"""How far a signed timestamp may lie from the time of receipt, both ways: the tolerance of Standard Webhooks' own
libraries. Held against receipt, never against processing, or a backlog would turn into refusals."""

_END_OF_A_TIME = re.compile(rb" ?[0-9.,:+-]")
"""How what is cut off a time begins that still is one without it: its fraction, its offset, or a part of these."""

_LONGEST_TIME = 40
"""No more characters of a body can belong to the time behind it."""

_IN_A_TIME = frozenset("0123456789.,")
"""What may stand right before the digits of a time that still is one with it."""

_OLDEST_RECORDING_SECONDS = 10 * 365 * 86_400
"""No delivery under a secret that still counts is taken to be older than this, nor any secret to count for longer."""


def check_seconds(text: str, received_at: int) -> None:
    """Raise Unauthenticated unless `text`, in whole seconds, lies within the tolerance of receipt (milliseconds)."""
    # A zero in front may be the end of the body, where that is signed before the time with nothing in between.
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text):
        raise Unauthenticated("The signed timestamp is not a number of seconds")
    _check_distance(int(text), received_at)


def check_moment(text: str, received_at: int) -> None:
    """The same for a time in seconds, milliseconds or ISO 8601."""
    # A zero in front may be the end of the body here, too, and a blank on either side may be a part of it.
    if text != text.strip() or text.startswith("0"):
        raise Unauthenticated("The signed timestamp is not a time")
    try:
        moment = parse_time(text, "The signed timestamp")
    except UnmappableEvent as error:
        # Its reason quotes the header, and the log holds no header of somebody who is not proven.
        raise Unauthenticated("The signed timestamp is not a time") from error
    _check_distance(int(moment.timestamp()), received_at)


def check_beginning(body: bytes) -> None:
    """Raise Unauthenticated if the body may begin with the last characters of the time that was signed before it.

    Without its offset, 22:13:20+05:30 is another time, of hours later. A delivery that somebody recorded would count
    again then. No JSON object begins so.
    """
    if _END_OF_A_TIME.match(body):
        raise Unauthenticated("The body may begin with the end of the signed timestamp")


def check_boundary(body: bytes, between: str, text: str, received_at: int) -> None:
    """Raise Unauthenticated if the body may end in the beginning of the time that was signed, or in what would make
    another time of it. `between` is signed between the two.

    Without its first three digits, a time in milliseconds can be one in seconds, of months later: 1771800000123 is of
    February 2026, 1800000123 of January 2027. A delivery that somebody recorded would count again then. So would one in
    seconds whose body ends in such digits, for 177 and 1764416000 are 1771764416000, or whose time would be a fraction.
    """
    signed = body[-_LONGEST_TIME:].decode("latin-1") + between
    if signed[-1:] not in _IN_A_TIME:
        return
    for begin in range(len(signed)):
        # A zero in front is refused before.
        if signed[begin] not in "123456789" or not signed[:begin].endswith(between):
            continue
        try:
            moment = parse_time(signed[begin:] + text, "The signed timestamp")
        except UnmappableEvent:
            continue
        if abs(received_at // 1000 - int(moment.timestamp())) <= _OLDEST_RECORDING_SECONDS:
            raise Unauthenticated("The body may end in the beginning of the signed timestamp")


def _check_distance(seconds: int, received_at: int) -> None:
    if abs(received_at // 1000 - seconds) > TIMESTAMP_TOLERANCE_SECONDS:
        raise Unauthenticated("The signed timestamp is too far from the time of receipt")
