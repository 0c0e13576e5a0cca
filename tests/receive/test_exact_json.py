"""Parsing tells when a value is not what its text says, however fast it is: held against a slow reading of its own."""

import json
import tracemalloc
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trailhook.exact_json import Record, canonical, canonical_texts, decode, decode_whole, encode, encode_ascii
from trailhook.json_text import JsonText

BLANKS = st.sampled_from(["", "", "", " ", "\n  ", "\t", "\r\n"])
NUMBERS = st.sampled_from(
    [
        *["0", "-0", "1", "10", "-1", "1.0", "1.50", "1e5", "1E5", "1e+5", "100000.0", "0.1", "-0.0", "1e22", "1e-7"],
        *["0.10000000000000001", "0.12345678901234567890", "5e-324", "1e400", "9007199254740993.0", "9007199254740993"],
        *["18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809"],
        *["NaN", "Infinity", "-Infinity"],
    ]
)
STRINGS = st.sampled_from(
    [
        *map(json.dumps, ["", "a", "b", "a b", " ", "1.0", '","', 'a":1,"a', "é", "\u2028", "\x7f", "😀", "\\"]),
        *['"é"', '"\\u0061"', '"\\/"', '"/"', '"\\ud800"', '"\u2028"', '"😀"', '"\x7f"', '"1e5"', '"\\u00E9"'],
        *['"\\\\/"', '"\\\\\\/"', '"\\u0026"', '"&"', '"\\\\u0026"', '"\\u003c\\/a\\u003e"', '"<\\/a>"', '"\\u2028"'],
    ]
)


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.tuples(STRINGS, BLANKS, BLANKS, inner).map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}{parts[3]}")
    return st.tuples(st.lists(member, max_size=4), BLANKS).map(lambda found: "{" + f",{found[1]}".join(found[0]) + "}")


def arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.lists(inner, max_size=4), BLANKS).map(lambda found: "[" + f"{found[1]},".join(found[0]) + "]")


VALUES = st.recursive(
    NUMBERS | STRINGS | st.sampled_from(["true", "false", "null"]), lambda i: objects(i) | arrays(i), max_leaves=8
)
"""Texts of JSON as anybody may write them, with whatever a parser would change in silence."""


def slowly(text: str) -> tuple[Any, bool]:
    """The value, and whether the text says just that: no key twice, and each number one that a double names."""
    faults: list[object] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        faults.extend(name for number, (name, _) in enumerate(pairs) if name in [key for key, _ in pairs[:number]])
        return dict(pairs)

    def number(digits: str) -> float:
        try:
            known = {Decimal(form % float(digits)) for form in ("%r", "%.17g")} | {Decimal(float(digits))}
            exact = Decimal(digits) in known and abs(float(digits)) != float("inf")
        except InvalidOperation:
            exact = False
        faults.extend([] if exact else [digits])
        return float(digits)

    def constant(name: str) -> None:
        faults.append(name)

    value = json.loads(text, object_pairs_hook=members, parse_float=number, parse_constant=constant)
    return value, not faults


def same(one: Any, other: Any) -> bool:
    """Equal in type and sign too: 1 is not 1.0 here, nor -0.0 the same as 0.0."""
    return repr(one) == repr(other)


FORMS: list[Callable[[str], tuple[str, int]]] = [
    lambda text: (text, 0),
    lambda text: (f"[0,{text}]", 1),
    lambda text: (f'[ {text} , "é"]', 0),
    lambda text: (f'{{"n":1}}\n{text}\n{{"n":2}}', 1),
]


@given(objects(VALUES), st.sampled_from(FORMS))
@example('{"a b":1, "a b":2}', FORMS[0])
@example('{"a":1.0,"b":"1 .0"}', FORMS[0])
@example('{"a":NaN,"b":"\\u00e9"}', FORMS[0])
@example('{"a":-Infinity,"b":"\\u00e9"}', FORMS[1])
def test_a_record_says_what_its_text_says_or_has_a_fault(text: str, form: Callable[[str], tuple[str, int]]) -> None:
    body, place = form(text)
    record = list(JsonText(body.encode()).records())[place]
    value, exact = slowly(record.original.decode())
    assert same(record.value, value)
    assert (record.fault is None) == exact
    if "\n" not in text:
        assert record.original.decode() == text


def as_php(value: Any) -> str:
    return json.dumps(value).replace("/", "\\/")


def as_go(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def as_gson(value: Any) -> str:
    return as_go(value).replace("=", "\\u003d").replace("'", "\\u0027")


# A backslash before what is escaped looks like one that escapes it: that is looked at closely, and so is DEL.
ESCAPED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\\x7f"))


@pytest.mark.parametrize("write", [json.dumps, as_php, as_go, as_gson])
@given(st.dictionaries(ESCAPED, ESCAPED | st.integers(0, 2**53) | st.sampled_from(["</a>", "it's a=b&c", "é/"])))
@example({"\u2028": "é/"})
def test_what_senders_escape_takes_no_closer_look(write: Callable[[Any], str], value: Any) -> None:
    text = write(value)
    assert decode_whole(text.encode()) == Record(value, text.encode())


@given(st.lists(objects(VALUES), max_size=3), st.booleans())
def test_elements_are_the_same_however_the_array_is_written(texts: list[str], compact: bool) -> None:
    value = [json.loads(text) for text in texts]
    try:
        body = orjson.dumps({"data": {"events": value}}) if compact else f'{{"data":{{"events":[{", ".join(texts)}]}}}}'
    except orjson.JSONEncodeError:
        return
    found = list(JsonText(body if isinstance(body, bytes) else body.encode()).elements("data", "events"))
    expected = [encode(element).decode() for element in value] if compact else texts
    assert [record.original.decode() for record in found] == expected
    assert all(same(record.value, slowly(record.original.decode())[0]) for record in found)


def test_a_long_array_has_the_same_elements_as_a_short_one() -> None:
    elements = [{"n": number, "text": "x" * 500} for number in range(2_500)]
    body = orjson.dumps(elements)
    assert len(body) > 1_000_000
    expected = [Record(element, encode(element)) for element in elements]
    assert list(JsonText(body).records()) == expected
    assert list(JsonText(orjson.dumps(elements[:100])).records()) == expected[:100]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_writing_changes_nothing(value: Any) -> None:
    assert same(json.loads(encode(value)), value)
    assert same(json.loads(encode_ascii(value)), value)
    assert encode_ascii(value).isascii()


@given(st.dictionaries(st.text(), st.text() | st.integers(0, 2**53)))
def test_what_we_wrote_ourselves_reads_the_same(value: Any) -> None:
    assert same(decode(encode_ascii(value)), value)


@given(st.lists(st.text()))
def test_ids_are_made_of_the_same_text_as_ever(texts: list[str]) -> None:
    expected = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    assert canonical_texts(*texts).decode() == canonical(texts) == expected


@pytest.mark.parametrize("make", [encode_ascii, lambda event: next(JsonText(encode([event])).records()).original])
def test_what_is_kept_takes_no_more_room_than_its_text(make: Callable[[Any], bytes]) -> None:
    event = {"note": "x" * 2_000}
    make(event)  # What is made once and for all is no part of it.
    tracemalloc.start()
    try:
        kept = [make(event) for _ in range(100)]
        room, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert room < 1.2 * sum(map(len, kept))
