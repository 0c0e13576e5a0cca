"""JSON values as evidence: parsing notices where a value would not be what its text says, and writing changes nothing.

Parsers accept texts whose meaning they silently alter: keys given twice, NaN, numbers that no double holds. The proof
that nothing was altered is the value written again: if that is the same text but for blanks, no member and no digit is
missing. Nearly every text passes it, at the speed of orjson; one that does not (escapes that hardly anybody writes,
1e5, an integer beyond 64 bits) is read again with a hook on every object and number, which decides.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson
from msgspec import Struct

from trailhook.errors import Undeliverable, UnmappableEvent

BLANKS = b" \t\r\n"

_ESCAPES = (
    (b"/", b"\\/"),
    *((chr(code).encode(), b"\\u%04x" % code) for code in (*b"<>&='", 0x2028, 0x2029)),
)
"""What is escaped by those who write JSON so that it may stand in a script: PHP and Lua, Go, Rails, Gson. None of these
characters stands outside of strings."""

UPPER_LEVELS = 100
"""How many levels are read of a value that is nested too deeply for the parser."""

_TO_THE_NEXT_BRACKET = re.compile(r'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+[\[\]{}]', re.DOTALL)
"""Skips strings, and never goes back: a text without another bracket is read once."""


class Record(Struct, frozen=True):
    """One JSON value of a text: what it says, its exact bytes, and why it must not be trusted, if so."""

    value: Any
    original: bytes
    fault: Undeliverable | None = None


def decode(text: str | bytes) -> Any:
    """The value of a text that is no evidence, such as an envelope or an answer of AWS. Raises ValueError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Half a surrogate pair, which a header may hold; what is broken fails again.
        return json.loads(text)


def decode_whole(raw: bytes) -> Record | None:
    """The one value that the text, without blanks around it, surely says; None if that takes a closer look."""
    raw = raw.strip(BLANKS)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return Record(value, raw) if _is_kept(value, raw) else None


def decode_value(text: str, position: int) -> tuple[Record, int]:
    """The value that begins at `position`, and where it ends. Raises ValueError.

    One that is nested too deeply has a fault, and only its upper levels as its value. They tell what kind of event it
    is, or which others it holds.
    """
    try:
        return _decode_value(text, position)
    except RecursionError:
        upper, end = _upper_levels(text, position)
    record, _ = _decode_value(upper, 0)
    fault = UnmappableEvent("TooDeep", "The JSON is nested too deeply")
    return Record(record.value, raw_bytes(text[position:end]), fault), end


def _decode_value(text: str, position: int) -> tuple[Record, int]:
    try:
        value, end = _SCANNER.raw_decode(text, position)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python's guard against integers that take long to convert: the hooks tell that from a broken text.
        return _Hooks().decode(text, position)
    found = raw_bytes(text[position:end])
    if _is_kept(value, found):
        return Record(value, found), end
    del value  # It may be large, and is made once more.
    return _Hooks().decode(text, position)


def _upper_levels(text: str, position: int) -> tuple[str, int]:
    """The object or array at `position` with null for what stands in it below UPPER_LEVELS, and where it ends. Raises
    ValueError if it does not.
    """
    upper: list[str] = []
    level, start, end = 0, position, position
    while level or end == position:
        bracket = _TO_THE_NEXT_BRACKET.match(text, end)
        if not bracket:
            raise ValueError("A value that is nested too deeply has no end")
        end = bracket.end()
        if text[end - 1] in "[{":
            if level == UPPER_LEVELS:
                upper += text[start : end - 1], "null"
            level += 1
        else:
            level -= 1
            if level == UPPER_LEVELS:
                start = end
    return "".join([*upper, text[start:end]]), end


def compact_elements(raw: bytes, *path: str) -> Iterator[Record] | None:
    """The elements of the array at `path` if the text is written exactly as orjson writes it; None if it is not.

    Then what orjson writes of an element is the element's own text, and no position has to be looked for.
    """
    try:
        value = orjson.loads(raw)
        if orjson.dumps(value) != raw:
            return None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return None
    return (Record(element, _in_its_size(orjson.dumps(element))) for element in value)


def _is_kept(value: Any, raw: bytes) -> bool:
    """Whether the value is all that the text says: written again it is the same, blanks apart.

    Blanks are left out of strings as well. Even without any, a JSON text falls into tokens in one way only, so equal
    texts have equal tokens: as many members, and each number digit for digit.
    """
    try:
        again = orjson.dumps(value)
        if again == raw:
            return True
        if b"\\" in raw:
            again = _escaped_as(raw, value, again)
    except (orjson.JSONEncodeError, ValueError):
        return False
    return again.translate(None, BLANKS) == raw.translate(None, BLANKS)


def _escaped_as(raw: bytes, value: Any, again: bytes) -> bytes:
    """The value written again, with the escapes that are in the text and orjson does not write. Raises ValueError for
    NaN and the like, which orjson writes as null.
    """
    if raw.isascii() and not again.isascii():
        again = _ASCII.encode(value).encode()
    for character, escape in _ESCAPES:
        if escape in raw:
            again = again.replace(character, escape)
    return again


def raw_bytes(text: str) -> bytes:
    """What a text was read from, also where that is not UTF-8 (Python's `surrogateescape`)."""
    return text.encode("utf-8", "surrogateescape")


class _Hooks:
    """Decodes one value and looks at every object and number in it. `fault` is the first thing that was wrong."""

    def __init__(self) -> None:
        self._fault: UnmappableEvent | None = None

    def decode(self, text: str, position: int) -> tuple[Record, int]:
        decoder = json.JSONDecoder(
            object_pairs_hook=self._unique_keys,
            parse_float=self._exact_float,
            parse_int=self._exact_integer,
            parse_constant=self._no_constant,
        )
        value, end = decoder.raw_decode(text, position)
        return Record(value, raw_bytes(text[position:end]), self._fault), end

    def _unique_keys(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) != len(pairs):
            self._note("An object has the same key twice")
        return members

    def _exact_float(self, text: str) -> float:
        number = float(text)
        if repr(number) == text:
            return number  # As nearly all are written; a Decimal takes its time.
        try:
            # 17 digits are what C and PHP print; the shorter text that Python prints names the same double.
            # The last is exact and may have a thousand digits, so it is made for few.
            given = Decimal(text)
            exact = isfinite(number) and (
                given == Decimal(repr(number)) or given == Decimal(f"{number:.17g}") or given == Decimal(number)
            )
        except ArithmeticError:
            exact = False
        if not exact:
            self._note(f"The number {text[:40]} cannot be kept exactly")
        return number

    def _exact_integer(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            # Python's guard against integers that take long to convert.
            self._note(f"The number {text[:40]}… has {len(text):,} digits")
            return 0

    def _no_constant(self, name: str) -> None:
        self._note(f"{name} is not JSON")

    def _note(self, reason: str) -> None:
        self._fault = self._fault or UnmappableEvent("AmbiguousJson", reason)


_SCANNER = json.JSONDecoder()
_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8. Raises UnicodeEncodeError for half a surrogate pair, RecursionError for deep nesting."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits, deep nesting, half a surrogate pair.
        return _PLAIN.encode(value).encode()


def encoded_size(value: Any) -> int:
    """The bytes of a value as compact JSON, also where half a surrogate pair is in it. Raises RecursionError."""
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:
        return len(_PLAIN.encode(value).encode("utf-8", "surrogatepass"))


def encode_ascii(value: Any) -> bytes:
    """Compact JSON in ASCII: every transport takes it, and its length bounds the length of any other encoding."""
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _ASCII.encode(value).encode()
    return _in_its_size(written) if written.isascii() else _ASCII.encode(value).encode()


def _in_its_size(written: bytes) -> bytes:
    """A copy of what orjson wrote, to be kept: orjson's own holds on to all the room that it wrote in, up to fifteen
    times as much.
    """
    return bytes(memoryview(written))


def canonical_texts(*texts: str) -> bytes:
    """The canonical JSON of an array of texts."""
    try:
        written = orjson.dumps(texts)
    except orjson.JSONEncodeError:
        return canonical(texts).encode()
    # The one ASCII character that only one of them escapes is DEL.
    return written if written.isascii() and b"\x7f" not in written else canonical(texts).encode()


def canonical(value: Any) -> str:
    """The one text of a value: keys sorted, no white space, ASCII. Frozen, for ids are made of it."""
    return _CANONICAL.encode(value)
