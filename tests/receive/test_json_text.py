"""A body taken apart keeps every record's exact text, and says where parsing it would change its meaning."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cpu_time import cost_ratio

from trailhook.errors import MalformedDelivery
from trailhook.exact_json import UPPER_LEVELS, Record
from trailhook.json_scanner import MAX_EVENTS
from trailhook.json_text import JsonText, elements_or_itself

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), max_size=6)


def records(body: bytes | str) -> list[Record]:
    return list(JsonText(body.encode() if isinstance(body, str) else body).records())


def values(body: bytes | str) -> list[Any]:
    return [record.value for record in records(body)]


def malformed(body: bytes | str) -> str:
    with pytest.raises(MalformedDelivery) as caught:
        records(body)
    return caught.value.code


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans())
def test_an_arrays_records_are_its_elements_each_with_its_own_text(
    objects: list[dict[str, Any]], indent: int | None, escaped: bool
) -> None:
    text = json.dumps(objects, indent=indent, ensure_ascii=escaped)
    found = records(text)
    assert [record.value for record in found] == objects
    assert [json.loads(record.original.decode()) for record in found] == objects
    position = 0
    for record in found:
        assert record.fault is None
        position = text.index(record.original.decode(), position) + len(record.original.decode())


@given(st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), min_size=1, max_size=6), st.data())
def test_objects_one_after_the_other_are_records_whatever_parts_them(
    objects: list[dict[str, Any]], data: st.DataObject
) -> None:
    separators = st.sampled_from(["\n", "\r\n", "", " ", "\n\n\n", "\n\x1e", "\t"])
    indents = st.sampled_from([None, None, 1])
    text = "".join(json.dumps(value, indent=data.draw(indents)) + data.draw(separators) for value in objects)
    found = records(text)
    assert [record.value for record in found] == objects
    assert [json.loads(record.original.decode()) for record in found] == objects


def test_a_long_text_of_values_over_several_lines_is_taken_apart_to_its_end() -> None:
    """What is tried and holds costs its own length alone, so only what is tried in vain has a bound."""
    lamps = [{"n": number, "text": "x" * 1_000} for number in range(3_000)]
    assert values("\n".join(json.dumps(lamp, indent=1) for lamp in lamps)) == lamps


def test_the_exact_text_is_kept_with_its_white_space_and_escapes() -> None:
    first, second = '{ "a" :\t1.50 }', '{"é":"\\u00e9\\/"}'
    assert [record.original.decode() for record in records(f"[\n {first} ,{second}\r\n]")] == [first, second]
    assert [record.original.decode() for record in records(f"{first}\n{second}")] == [first, second]
    assert [record.original.decode() for record in records(f"\ufeff  {first}  ")] == [first]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", []),
        (" [ ] ", []),
        ('{"a":1}', [{"a": 1}]),
        ("1 2\n3", [1, 2, 3]),
        ('"text"', ["text"]),
        ("null", [None]),
        ("[[1],[2]]", [[1], [2]]),
        ('{"a":1}{"b":2}', [{"a": 1}, {"b": 2}]),
        ('\x1e{"a":1}\n\x1e{"b":2}\n', [{"a": 1}, {"b": 2}]),
        ('{\n"a":\n1}\n{"b":2}{\n"c":3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ("123456789012345678901234567890", [123456789012345678901234567890]),
    ],
)
def test_the_forms_in_which_senders_write_events(text: str, expected: list[Any]) -> None:
    assert values(text) == expected
    assert not any(record.fault for record in records(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a":1,"a":2}', "same key twice"),
        ('{"a":{"b":1,"b":1}}', "same key twice"),
        ('{"a":1,"\\u0061":1}', "same key twice"),
        ('{"a":NaN}', "NaN is not JSON"),
        ('{"a":-Infinity}', "-Infinity is not JSON"),
        ('{"a":1e400}', "1e400"),
        ('{"a":-1e400}', "cannot be kept exactly"),
        ('{"a":1e-400}', "cannot be kept exactly"),
        ('{"a":0.12345678901234567890}', "cannot be kept exactly"),
        ('{"a":9007199254740993.0}', "cannot be kept exactly"),
        ('{"a":1e999999999999999999}', "cannot be kept exactly"),
        ('{"a":0e99999999999999999999}', "cannot be kept exactly"),
        (f'{{"a":{"9" * 5000}}}', "5,000 digits"),
    ],
)
def test_a_record_whose_meaning_parsing_would_change_says_so_and_leaves_its_neighbours_alone(
    text: str, reason: str
) -> None:
    for body in (f'[{{"n":1}},{text},{{"n":2}}]', f'{{"n":1}}\n{text}\n{{"n":2}}'):
        before, faulty, after = records(body)
        assert reason in str(faulty.fault)
        assert faulty.original.decode() == text
        assert (before.value, before.fault, after.value, after.fault) == ({"n": 1}, None, {"n": 2}, None)


@pytest.mark.parametrize(
    "text", ["0.1", "-0.0", "1.50", "1e3", "1E+2", "1e-7", "0.10000000000000001", "100.0", "5e-324", "37.7749", "0e0"]
)
def test_a_number_that_a_double_holds_is_no_fault_however_it_is_written(text: str) -> None:
    [record] = records(f'{{"a":{text}}}')
    assert (record.value["a"], record.fault) == (float(text), None)


def test_integers_are_exact_whatever_their_size() -> None:
    for number in (2**53 + 1, 2**64 + 1, -(10**4000)):
        assert records(f'{{"a":{number}}}')[0] == Record({"a": number}, f'{{"a":{number}}}'.encode())


def test_half_a_surrogate_pair_is_kept_as_it_was_written() -> None:
    [record] = records('{"a":"\\ud83d"}')
    assert (record.value, record.original.decode(), record.fault) == ({"a": "\ud83d"}, '{"a":"\\ud83d"}', None)


def test_a_broken_line_is_a_record_with_a_fault_between_whole_ones() -> None:
    found = records('{"n":1}\n{"n":\nnot json\n{"n":2} trailing\n{"n":3}\n')
    assert [record.value for record in found] == [{"n": 1}, None, None, {"n": 2}, None, {"n": 3}]
    assert [record.original.decode() for record in found if record.fault] == ['{"n":', "not json", "trailing"]
    assert all("Not JSON" in str(record.fault) for record in found if record.value is None)


@pytest.mark.parametrize("last", ['{"n":', '{"n":3', '{"n"', "not json"])
def test_a_text_that_is_cut_off_at_either_end_loses_none_of_its_whole_lines(last: str) -> None:
    lines = ["e}", '{"n":1}', '{"n":2}', last]
    found = records("\n".join(lines))
    assert [record.original.decode() for record in found] == lines
    assert [record.fault is None for record in found] == [False, True, True, False]


def test_a_line_of_a_text_log_is_one_broken_record_though_it_begins_with_a_number() -> None:
    found = records('{"n":1}\n2026-11-25 21:30:10 alice logged in\n{"n":2}')
    assert [record.original.decode() for record in found] == [
        '{"n":1}',
        "2026-11-25 21:30:10 alice logged in",
        '{"n":2}',
    ]
    assert [record.fault is None for record in found] == [True, False, True]


def test_an_array_that_is_a_line_of_its_own_leaves_the_lines_after_it_alone() -> None:
    lines = ['["not an event"]', '{"n":1}', "[2]", '{"n":3}']
    assert [record.original.decode() for record in records("\n".join(lines))] == lines
    assert [record.original.decode() for record in records("\r\n".join(lines))] == lines
    assert [record.original.decode() for record in records("\n " + "\n".join(lines))] == lines
    assert values('[{"n":1},\n{"n":2}]\n\n') == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("indent", [0, 1, 4, "\t"])
def test_what_an_event_quotes_is_no_record_wherever_its_text_is_cut_off(indent: int | str) -> None:
    quoted = [{"id": "2", "action": "DeleteUser", "of": {"n": [1, 2]}}]
    event = {"id": "1", "by": {"id": "b"}, "list": quoted, "n": 1, "more": {"list": quoted}, "empty": [{}, []]}
    text = json.dumps(event, indent=indent)
    broken = [text[:cut] for cut in range(1, len(text))] + [text[cut:] for cut in range(1, len(text))]
    broken += [text.replace(": 1,", ": 01,"), text.replace('"by"', "by"), text.replace("},", "}", 1)]
    for body in broken:
        for whole in (body, f'{{"id":"0"}}\n{body}', f'{body}\n{{"id":"0"}}'):
            with contextlib.suppress(MalformedDelivery):
                events = [record.value for record in records(whole) if isinstance(record.value, dict)]
                assert all(value == {"id": "0"} for value in events), whole


def test_every_character_of_a_broken_text_is_in_some_record() -> None:
    lines = [f'{{"n":{number}}}' if number % 3 else f"broken {number} {{" for number in range(200)]
    assert [record.original.decode() for record in records("\n".join(lines))] == lines


def test_a_line_of_more_values_than_are_taken_is_refused_whole() -> None:
    assert len(records(b"{}" * MAX_EVENTS)) == MAX_EVENTS
    assert malformed(b"{}" * (MAX_EVENTS + 1)) == "TooManyEvents"


def test_a_text_of_more_than_a_thousand_broken_lines_is_kept_whole() -> None:
    lines = ['{"n":1}', *["not json"] * 1_000]
    assert [record.original.decode() for record in records("\n".join(lines))] == lines
    assert malformed("\n".join([*lines, "not json"])) == "NotJson"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EmptyBody"),
        (b" \r\n\t", "EmptyBody"),
        (b"\xef\xbb\xbf", "EmptyBody"),
        (b"\xff\xfe{\x00}\x00", "NotUtf8"),
        (b'{"a":"\xc3', "NotUtf8"),
        (b'[{"a":"\xc3"}, 1', "NotUtf8"),
        (b"hello", "NotJson"),
        (b"{", "NotJson"),
        (b"{'a':1}", "NotJson"),
        (b"[1,]", "NotJson"),
        (b"[1 2]", "NotJson"),
        (b'[{"a":1};{"a":2}]', "NotJson"),
        (b'[{"a":1}', "NotJson"),
        (b"[1]]", "NotJson"),
        (b"[1][2]", "NotJson"),
        (b'[] {"a":1}', "NotJson"),
        (b'{"a":"\x01"}', "NotJson"),
        (b"<xml/>", "NotJson"),
        (b"2026-11-25 21:30:10 alice logged in", "NotJson"),
        (b'"alice"logged in', "NotJson"),
        (b"[" * 100_000, "NotJson"),
        (b'{"a":' * 100_000, "NotJson"),
        (b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"},]", "NotJson"),
    ],
)
def test_a_text_that_cannot_be_taken_apart_is_malformed_as_a_whole(body: bytes, code: str) -> None:
    assert malformed(body) == code


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:1e.-\\u \nnulltrue\x1e', max_size=40).map(str.encode))
def test_any_bytes_give_records_or_a_malformed_delivery(body: bytes) -> None:
    try:
        found = records(body)
    except MalformedDelivery:
        return
    assert all(record.original in body for record in found)


FORMS = (b"%s\n%s\n%s", b"[%s, %s ,%s]", b'{"x":"","data":{"events":[%s,%s,%s]}}', b"%s%s%s")
DEEP: Mapping[str, bytes] = {
    "lists": b'{"a":%s}' % (b"[" * 100_000 + b"]" * 100_000),
    "objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "brackets in texts": b'{"a":%s1%s,"\\"]}":1}' % (b'{"]}[{\\"":[' * 50_000, b',"\\\\","[{",{}]}' * 50_000),
    "over lines": b'{\n"a" :%s\n}' % (b"[\n" * 100_000 + b"\n]" * 100_000),
    "itself": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("deep", DEEP.values(), ids=DEEP.keys())
@pytest.mark.parametrize("form", FORMS)
def test_what_is_nested_too_deeply_is_the_fault_of_its_record_alone(form: bytes, deep: bytes) -> None:
    body = form % (b'{"a":[1]}', deep, b'{"a":1e5}')
    text = JsonText(body)
    found = list(text.elements("data", "events") if b"data" in form else text.records())
    assert [record.original for record in found] == [b'{"a":[1]}', deep, b'{"a":1e5}']
    assert [record.fault and record.fault.code for record in found] == [None, "TooDeep", None]
    assert [record.value for record in found[::2]] == [{"a": [1]}, {"a": 100000.0}]


@given(JSON)
def test_what_is_nested_too_deeply_still_says_what_stands_in_its_upper_levels(value: Any) -> None:
    text = json.dumps(value)
    deep = f"{'[' * 20_000}{text}{']' * 20_000}"
    [event] = records(f'{{"a":{text},"b":[{deep},{text}],"c":{text}}}')
    assert event.fault
    assert event.value == {"a": value, "b": [event.value["b"][0], value], "c": value}
    assert json.dumps(event.value["b"][0]) == f"{'[' * (UPPER_LEVELS - 2)}null{']' * (UPPER_LEVELS - 2)}"


def test_elements_are_found_although_one_of_them_or_what_stands_beside_them_is_nested_too_deeply() -> None:
    deep = f"{'[' * 100_000}{']' * 100_000}"
    [record] = records(f'{{"beside":{deep},"data":{{"events":[{{"a":1}},{{"a":{deep}}},2]}}}}')
    found = elements_or_itself(record, "data", "events")
    assert [one.original.decode() for one in found] == ['{"a":1}', f'{{"a":{deep}}}', "2"]
    assert [one.fault and one.fault.code for one in found] == [None, "TooDeep", None]


BAD_BYTES = (b"\xc3", b"\xe9", b"\xff", b"\xc0\xa2", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98")


@pytest.mark.parametrize("bad", BAD_BYTES)
@pytest.mark.parametrize("form", FORMS)
def test_bytes_that_are_not_utf8_are_the_fault_of_their_record_alone(form: bytes, bad: bytes) -> None:
    others = '{"a":"caf\u00e9"}'.encode(), b'{"a":1e5,"b":"\\ud800"}'
    broken = b'{"a":"' + bad + b'","n":[1]}'
    body = form % (others[0], broken, others[1])
    text = JsonText(body)
    found = list(text.elements("data", "events") if b"data" in form else text.records())
    assert [record.original for record in found] == [others[0], broken, others[1]]
    assert [record.fault and record.fault.code for record in found] == [None, "NotUtf8", None]
    assert [record.value for record in found[::2]] == [{"a": "caf\u00e9"}, {"a": 100000.0, "b": "\ud800"}]


@pytest.mark.parametrize("bad", BAD_BYTES)
def test_a_line_that_is_neither_utf8_nor_json_is_kept_byte_for_byte(bad: bytes) -> None:
    body = b'{"a":1}\n' + bad + b' "\n{"a":2}'
    found = records(body)
    assert [record.original for record in found] == body.split(b"\n")
    assert [record.fault is None for record in found] == [True, False, True]


TEXTS: Mapping[str, tuple[Callable[[int], bytes], int]] = {
    "broken lines": (lambda size: b"{}\n" + b"x\n" * size, 20_000),
    "lines that begin values": (lambda size: b"{}\n" + b'{"a":\n' * size, 40_000),
    "values on one line": (lambda size: b"{}" * size, 40_000),
    "values over two lines": (lambda size: b'{"a":\n1}' * size, 8_000),
    "white space": (lambda size: b" " * size + b"{}" + b"\n" * size, 400_000),
    "keys": (lambda size: b"{" + b",".join(b'"k%d":1' % n for n in range(size)) + b"}", 40_000),
    "keys that take a closer look": (
        lambda size: b"{" + b",".join(b'"k%d":1e5' % n for n in range(size)) + b"}",
        20_000,
    ),
    "elements": (lambda size: b"[" + b"{} ," * size + b"1]", 20_000),
    "long integers": (lambda size: b"[" + b",".join([b"9" * 4300] * size) + b"]", 160),
    "a long integer": (lambda size: b"[" + b"9" * size + b"]", 400_000),
    "a long fraction": (lambda size: b"[0." + b"1" * size + b"]", 400_000),
    "half pairs": (lambda size: b'["' + b"\\ud800" * size + b'"]', 200_000),
    "separators": (lambda size: b"\x1e" * size, 400_000),
    "levels": (lambda size: b"[" * size + b"]" * size, 200_000),
    "escapes below many levels": (lambda size: b"[" * 20_000 + b'"' + b'\\"' * size + b'"' + b"]" * 20_000, 1_600_000),
    "elements of many levels": (lambda size: b"[" + (b"[" * 20_000 + b"]" * 20_000 + b",") * size + b"1]", 16),
}


@pytest.mark.parametrize(("text", "size"), TEXTS.values(), ids=TEXTS.keys())
def test_sixteen_times_the_text_takes_some_sixteen_times_as_long(text: Callable[[int], bytes], size: int) -> None:
    """Or less, where a bound ends it. What compares each part with every other takes 256 times as long."""
    assert cost_of_reading(text(size), text(size // 16)) < 64


def begun(lines: int, values: int) -> bytes:
    """Lines that begin a value each, of which none ends, and what costs a pass whenever one of them is tried."""
    return b"{}\n" + b'{"a":[1,\n' * lines + (b'"' + b"x" * 40 + b'",') * values


def test_only_some_of_the_lines_that_are_broken_are_tried_as_beginnings_of_values() -> None:
    """Twenty in both."""
    assert cost_of_reading(begun(400, 3_000), begun(25, 3_000)) < 6


def test_the_longer_a_text_the_fewer_of_its_broken_lines_are_tried() -> None:
    """Twenty in the one, five in that four times as long."""
    assert cost_of_reading(begun(20, 240_000), begun(20, 60_000)) < 3


def cost_of_reading(long: bytes, short: bytes) -> float:
    def read(body: bytes) -> None:
        with contextlib.suppress(MalformedDelivery):
            records(body)

    return cost_ratio(lambda: read(long), lambda: read(short))


def elements(body: str, *path: str) -> list[Record]:
    return list(JsonText(body.encode()).elements(*path))


def test_the_elements_of_an_array_inside_an_envelope_keep_their_text() -> None:
    body = '{"x":{"events":[0]}, "data" : {"n":null, "events" : [ {"a": 1.0}, {"b":2} ] }, "y":[]}'
    assert [record.original.decode() for record in elements(body, "data", "events")] == ['{"a": 1.0}', '{"b":2}']


def test_a_fault_in_the_envelope_is_not_one_of_its_events() -> None:
    [event] = elements('{"n":NaN,"events":[{"a":1}]}', "events")
    assert event == Record({"a": 1}, b'{"a":1}')


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[]", "NotAnObject"),
        ("", "NotAnObject"),
        ("{}", "MissingField"),
        ('{"data":{}}', "MissingField"),
        ('{"data":[]}', "NotAnObject"),
        ('{"data":{"events":{}}}', "NotAnArray"),
        ('{"data":{"events":null}}', "NotAnArray"),
        ('{"data":{"events":[1]},"data":{"events":[2]}}', "AmbiguousJson"),
        ('{"data":{"events":[1],"events":[2]}}', "AmbiguousJson"),
        ('{"data":{"events":[1]}}{"data":{"events":[2]}}', "NotJson"),
        ('{"data":{"events":[1]}} x', "NotJson"),
        ('{"data":{"events":[1]},}', "NotJson"),
        ('{"data":{"events":[1]}', "NotJson"),
        ('{"data" {"events":[1]}}', "NotJson"),
        ('{"data"={"events":[1]}}', "NotJson"),
        ('{1:1,"data":{"events":[1]}}', "NotJson"),
        ('{"x":1;"data":{"events":[1]}}', "NotJson"),
        ('{"data":{"events":[1,]}}', "NotJson"),
        ("{data:1}", "NotJson"),
    ],
)
def test_an_envelope_with_other_contents_than_one_array_of_events_is_malformed(body: str, code: str) -> None:
    with pytest.raises(MalformedDelivery) as caught:
        elements(body, "data", "events")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ('{"data":{"events":[{"a": 1},2]}}', ['{"a": 1}', "2"]),
        ('{"data":{"events":[]}}', []),
        ('{"data":{"events":{}}}', ['{"data":{"events":{}}}']),
        ("7", ["7"]),
        ('{"data":{"events":[1],"events":[2]}}', ['{"data":{"events":[1],"events":[2]}}']),
    ],
)
def test_a_record_is_its_elements_or_itself(body: str, texts: list[str]) -> None:
    [record] = records(body)
    found = elements_or_itself(record, "data", "events")
    assert [one.original.decode() for one in found] == texts
    assert all(one is record or one.fault is None for one in found)


def test_a_record_of_more_elements_than_are_taken_is_refused_whole_and_not_cut_off() -> None:
    most = b'{"data":{"events":[' + b"1," * (MAX_EVENTS - 1) + b"%s]}}"
    [record] = JsonText(most % b"1").records()
    assert len(elements_or_itself(record, "data", "events")) == MAX_EVENTS
    [record] = JsonText(most % b"1,1").records()
    with pytest.raises(MalformedDelivery, match="TooManyEvents"):
        elements_or_itself(record, "data", "events")


def test_a_document_is_one_value_and_nothing_else() -> None:
    assert JsonText(b' {"a":1} ').document() == Record({"a": 1}, b'{"a":1}')
    assert JsonText(b' {"a":1e5} ').document() == Record({"a": 1e5}, b'{"a":1e5}')
    for body in (b"{} {}", b"", b"{", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_001):
        with pytest.raises(MalformedDelivery):
            JsonText(body).document()
