"""Finding JSON values in a text by where they stand: what is not parsed in one go is taken apart here."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from trailhook.errors import MalformedDelivery, UnmappableEvent
from trailhook.exact_json import Record, decode_value, decode_whole, raw_bytes

MAX_EVENTS = 50_000
"""More events than this in one delivery are no partner's; what forward keeps of each has to fit its memory."""

_WHITESPACE = re.compile(r"[ \t\r\n]*")
_BETWEEN_RECORDS = re.compile(r"[ \t\r\n\x1e]*")
"""White space, and the record separator of "JavaScript Object Notation (JSON) Text Sequences", RFC 7464."""

_MAX_BROKEN_STARTS = 20
_MOST_TRIED_AGAIN = 50_000_000
"""A broken line may be the beginning of a value over several lines. So many are tried in vain, and so many characters
may stand behind them in all. Each failure costs a pass over these: without a bound, a body of nothing but broken lines
would take hours."""

_MAX_BROKEN_LINES = 1000
"""With more of them than this a text is no NDJSON: it is kept whole rather than in a thousand pieces."""

_INSIDE_A_VALUE = frozenset('"}],:')
"""A broken line that begins with one of these is no record that was cut off, but a part of one. The lines beside it may
be parts as well, and an object that an event merely quotes must not become an event."""

_NOT_UTF8 = re.compile("[\udc80-\udcff]")
"""Bytes that are not UTF-8, as they are read: no text has these characters."""


class Scanner:
    """A text, and the ways to take it apart. Raises MalformedDelivery where that is impossible.

    A record that is not UTF-8 has a fault, and only that one: nobody can hide the others behind a byte.
    """

    def __init__(self, raw: bytes) -> None:
        self._not_utf8_at: int | None = None
        try:
            self._text = raw.decode()
        except UnicodeDecodeError as error:
            self._not_utf8_at = error.start
            self._text = raw.decode(errors="surrogateescape")

    def records(self) -> Iterator[Record]:
        """The elements of an array, or the values of an NDJSON or concatenated text.

        If they cannot be read as JSON and the text is not UTF-8, the error names the latter as the reason.
        """
        try:
            yield from self._records()
        except MalformedDelivery as error:
            if self._not_utf8_at is None or error.code != "NotJson":
                raise
            reason = f"The body is not UTF-8 at byte {self._not_utf8_at}, nor JSON otherwise: {error.reason}"
            raise MalformedDelivery("NotUtf8", reason) from error

    def elements(self, *path: str) -> Iterator[Record]:
        """The elements of the array at `path` below the one top-level object."""
        position = self._skip(0)
        last = len(self._text)
        for depth, name in enumerate(path):
            position, end = self._member(position, name)
            if depth == 0 and self._skip(end) != last:
                raise MalformedDelivery("NotJson", f"There is text after the object, at character {end}")
        if self._text[position : position + 1] != "[":
            raise MalformedDelivery("NotAnArray", f"{'.'.join(path)} is not an array of events")
        yield from self._array(position, whole=False)

    def document(self) -> Record:
        """The whole text as one value."""
        record, end = self._value(self._text, self._skip(0))
        if self._skip(end) != len(self._text):
            raise MalformedDelivery("NotJson", f"There is text after the JSON value, at character {end}")
        return record

    def _records(self) -> Iterator[Record]:
        start = self._skip(0, _BETWEEN_RECORDS)
        if start == len(self._text):
            raise MalformedDelivery("EmptyBody", "The body holds no JSON value")
        if self._text[start] == "[" and not self._is_first_line(start):
            return self._array(start, whole=True)
        return self._sequence(start)

    def _is_first_line(self, position: int) -> bool:
        """Whether the array at `position` is a line of an NDJSON text: it ends with its line, and others follow."""
        line_end = self._line_end(position)
        if self._skip(line_end, _BETWEEN_RECORDS) == len(self._text):
            return False
        line = self._text[position:line_end]
        try:
            _, end = self._value(line, 0)
        except MalformedDelivery:
            return False
        return _end(_WHITESPACE, line, end) == len(line)

    def _sequence(self, position: int) -> Iterator[Record]:
        """The records from `position` on. Broken ones wait for the first whole one: without it this is no sequence."""
        broken: list[Record] = []
        whole = False
        for record in self._lines(position):
            if not whole and isinstance(record.fault, MalformedDelivery):
                broken.append(record)
                continue
            whole = True
            yield from broken
            broken.clear()
            yield record
        if broken and broken[0].fault:
            raise broken[0].fault.without_traceback()

    def _lines(self, position: int) -> Iterator[Record]:
        """What stands in line after line: values, one that goes over several lines, or a broken line with its fault."""
        broken = tried_again = 0
        while position < len(self._text):
            line_end = self._line_end(position)
            values, length, error = self._line(self._text[position:line_end])
            yield from values
            position += length
            if error:
                behind = len(self._text) - position
                record: Record | None = None
                if broken < _MAX_BROKEN_STARTS and tried_again + behind <= _MOST_TRIED_AGAIN:
                    try:
                        record, position = self._standing_alone(self._text, position)
                    except MalformedDelivery as failure:
                        error = failure.without_traceback()
                if record is None:
                    tried_again += behind
                    broken += 1
                    record, position = self._broken_line(position, line_end, error), line_end
                    if broken > _MAX_BROKEN_LINES:
                        reason = f"More than {_MAX_BROKEN_LINES:,} lines are broken"
                        raise MalformedDelivery("NotJson", reason) from error
                yield record
            position = self._skip(position, _BETWEEN_RECORDS)

    def _broken_line(self, position: int, line_end: int, fault: MalformedDelivery) -> Record:
        """The line as a record with that fault. Raises MalformedDelivery where it may be a part of another."""
        if self._text[position] in _INSIDE_A_VALUE:
            reason = "A value over several lines is broken: its parts cannot be told from events"
            raise MalformedDelivery("NotJson", reason) from fault
        return Record(None, raw_bytes(self._text[position:line_end]), fault)

    def _line(self, line: str) -> tuple[list[Record], int, MalformedDelivery | None]:
        """The values that a line holds, where they end, and why there if that is not the end of the line."""
        if plain := decode_whole(raw_bytes(line)):
            return [plain], len(line), None
        records: list[Record] = []
        position = 0
        while position < len(line):
            try:
                record, position = self._standing_alone(line, position)
            except MalformedDelivery as error:
                return records, position, error.without_traceback()
            records.append(record)
            if len(records) > MAX_EVENTS:
                raise too_many_events()
            position = _end(_BETWEEN_RECORDS, line, position)
        return records, position, None

    def _array(self, position: int, *, whole: bool) -> Iterator[Record]:
        """The elements of the array at `position`, which may be the `whole` of the text."""
        position = self._skip(position + 1)
        if self._text[position : position + 1] == "]":
            self._expect_end(position + 1, whole=whole)
            return
        while True:
            record, end = self._value(self._text, position)
            yield record
            position = self._skip(end)
            separator = self._text[position : position + 1]
            if separator == "]":
                self._expect_end(position + 1, whole=whole)
                return
            if separator != ",":
                raise MalformedDelivery("NotJson", f"Expected ',' or ']' at character {position}")
            position = self._skip(position + 1)

    def _member(self, position: int, name: str) -> tuple[int, int]:
        """Where the object at `position` has its value under `name`, and where the object ends."""
        found: int | None = None
        if self._text[position : position + 1] != "{":
            raise MalformedDelivery("NotAnObject", f"Expected an object with {name!r} at character {position}")
        separator = ","
        position = self._skip(position + 1)
        if self._text[position : position + 1] == "}":
            separator = "}"
        while separator == ",":
            if self._text[position : position + 1] != '"':
                raise MalformedDelivery("NotJson", f"Expected a key at character {position}")
            key, end = self._value(self._text, position)
            position = self._skip(end)
            if self._text[position : position + 1] != ":":
                raise MalformedDelivery("NotJson", f"Expected ':' at character {position}")
            position = self._skip(position + 1)
            if key.value == name:
                if found is not None:
                    raise MalformedDelivery("AmbiguousJson", f"The key {name!r} stands twice in one object")
                found = position
            _, end = self._value(self._text, position)
            position = self._skip(end)
            separator = self._text[position : position + 1]
            if separator == ",":
                position = self._skip(position + 1)
        if separator != "}":
            raise MalformedDelivery("NotJson", f"Expected ',' or '}}' at character {position}")
        if found is None:
            raise MalformedDelivery("MissingField", f"The body has no {name!r}")
        return found, position + 1

    def _standing_alone(self, text: str, position: int) -> tuple[Record, int]:
        """A value that ends where a token does. `2026-11-25 …`, a line of a text log, only begins with a number."""
        record, end = self._value(text, position)
        if record.original[-1:] not in (b"}", b"]") and end < len(text) and _end(_BETWEEN_RECORDS, text, end) == end:
            raise MalformedDelivery("NotJson", f"There is text right behind a value, at character {end}")
        return record, end

    def _value(self, text: str, position: int) -> tuple[Record, int]:
        try:
            record, end = decode_value(text, position)
        except ValueError as error:
            raise MalformedDelivery("NotJson", f"Not JSON: {error}") from error
        if self._not_utf8_at is not None and (found := _NOT_UTF8.search(text, position, end)):
            fault = UnmappableEvent("NotUtf8", f"The event is not UTF-8 at character {found.start() - position}")
            record = replace(record, fault=fault)
        return record, end

    def _expect_end(self, position: int, *, whole: bool) -> None:
        if whole and self._skip(position) != len(self._text):
            raise MalformedDelivery("NotJson", f"There is text after the array, at character {position}")

    def _skip(self, position: int, ignored: re.Pattern[str] = _WHITESPACE) -> int:
        return _end(ignored, self._text, position)

    def _line_end(self, position: int) -> int:
        end = self._text.find("\n", position)
        return len(self._text) if end < 0 else end


def too_many_events() -> MalformedDelivery:
    return MalformedDelivery("TooManyEvents", f"One delivery holds more than {MAX_EVENTS:,} events")


def _end(ignored: re.Pattern[str], text: str, position: int) -> int:
    """The first position from `position` on whose character is not one of the ignored."""
    match = ignored.match(text, position)
    return match.end() if match else position
