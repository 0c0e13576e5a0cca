"""What a descriptor takes from headers that no proof covers, or decides by them, is listed as unsigned."""

import pytest
from tests.partners.descriptors import MINIMAL, audit_event, mapped, with_kind

from trailhook.errors import UnmappableEvent
from trailhook_local.descriptors.compiler import compile_descriptor


def test_a_value_called_header_is_no_header_that_is_kept() -> None:
    """Else Authorization, of a partner that signs, would travel with the delivery."""
    text = with_kind("version: {at: via, map: {header: authorization}}\nuid: {header: x-id}")
    assert compile_descriptor(text, "lamps.yaml")["headers"] == ["x-id"]
    assert mapped(text, {"type": "a", "at": 1_762_331_405, "via": "header"})["version"] == "authorization"


@pytest.mark.parametrize(
    ("uid", "expected"),
    [("{header: x-id}", "1"), ("{join: [type, {header: x-id}]}", "a.1"), ("{join: [{header: x-id}, type]}", "1.a")],
)
def test_a_header_that_no_proof_covers_is_listed_and_its_id_stands_for_its_own_body_alone(
    uid: str, expected: str
) -> None:
    text = with_kind(f"uid: {uid}")
    one, other = (audit_event(text, {"type": "a", "at": 1_762_331_405 + n}, {"x-id": "1"}) for n in range(2))
    assert one.fields["UID"] == other.fields["UID"] == expected
    assert one.fields["additionalEventData"] == {"unsigned": ["UID"]}
    assert one.id != other.id


WHO = ["userIdentity.type", "userIdentity.principalId"]
FAILURE = ["errorCode", "errorMessage"]
FROM_HEADERS = {
    "version: {header: x}": ["version"],
    "user_agent: {header: x}": ["userAgent"],
    "source_ip: {header: x}": ["sourceIPAddress"],
    "source_ip: [ip, {header: x}]": ["sourceIPAddress"],
    "actors:\n  - {id: [{at: nothing}, {header: x}], type: User}": WHO,
    "actors:\n  - {id: type, type: [{at: nothing}, {header: x}]}": ["userIdentity.type"],
    "actors:\n  - {id: nobody, type: {header: x}}": [],
    "failures:\n  - {when: type, code: {header: x}}": ["errorCode"],
    "failures:\n  - {when: type, code: type, message: {header: x}}": ["errorMessage"],
    "failures:\n  - {when: nothing, code: {header: x}}": [],
}


@pytest.mark.parametrize(("lines", "unsigned"), FROM_HEADERS.items())
def test_what_a_header_says_or_does_not_say_that_no_proof_covers_is_listed(lines: str, unsigned: list[str]) -> None:
    """Whoever can alter a header can take it away. Then a User, say, would pass for one that the sender named so."""
    sent = {"type": "a", "at": 1_762_331_405}
    told = [mapped(with_kind(lines), sent, headers) for headers in ({"x": "192.0.2.1"}, {})]
    assert [one.pop("additionalEventData", {}).get("unsigned", []) for one in told] == [unsigned, unsigned]
    changed = {name for name in told[0] | told[1] if told[0].get(name) != told[1].get(name)}
    assert changed <= {name.partition(".")[0] for name in unsigned}
    borne = {"content-type": "x"}
    assert "additionalEventData" not in mapped(with_kind(lines), sent, borne, frozenset(borne))


def test_what_stands_in_the_event_before_a_header_is_signed() -> None:
    sent = {"type": "a", "at": 1_762_331_405, "ip": "192.0.2.2"}
    assert "additionalEventData" not in mapped(with_kind("source_ip: [ip, {header: x}]"), sent, {"x": "192.0.2.1"})


DECIDED_BY_HEADERS = {
    "when: [{header: x, in: [set]}]": (["eventName"], None),
    "when: [{header: x, present: false}]": (None, ["eventName"]),
    "actors:\n  - {when: {header: x, in: [set]}, id: type, type: User}": (WHO, WHO),
    "actors:\n  - {when: {header: x, in: [set]}, id: {header: x}, type: User}": (WHO, WHO),
    "failures:\n  - {when: {header: x, in: [set]}, code: {constant: Failed}}": (FAILURE, FAILURE),
}


@pytest.mark.parametrize(("lines", "unsigned"), DECIDED_BY_HEADERS.items())
def test_what_a_header_decides_that_no_proof_covers_is_listed_whatever_it_says(
    lines: str, unsigned: tuple[list[str] | None, list[str] | None]
) -> None:
    for headers, listed in zip(({"x": "set"}, {}), unsigned, strict=True):
        if listed is not None:
            one = mapped(with_kind(lines), {"type": "a", "at": 1_762_331_405}, headers)
            assert one["additionalEventData"] == {"unsigned": listed}


@pytest.mark.parametrize("lines", DECIDED_BY_HEADERS)
def test_who_bears_a_token_also_vouches_for_a_header_that_is_not_there(lines: str) -> None:
    sent = {"type": "a", "at": 1_762_331_405}
    for headers in ({"content-type": "x"}, {"content-type": "x", "x": "set"}):
        try:
            one = mapped(with_kind(lines), sent, headers, frozenset(headers))
        except UnmappableEvent:
            continue  # of a kind that there is only with that header, or without
        assert "additionalEventData" not in one


BEHIND_HEADERS = {
    "version: [{header: x}, type]": ["version"],
    "user_agent: [{header: x}, {constant: a}]": ["userAgent"],
    "source_ip: [{header: x}, ip]": ["sourceIPAddress"],
    "source_ip: [ip, {header: x}]": None,
    "uid: [{header: x}, {header: y}, type]": ["UID"],
    "uid: {header: x}": ["UID"],
    "uid: {join: [type, {header: x}]}": ["UID"],
    "uid: {join: [type, {join: [at, {header: x}]}]}": ["UID"],
    "uid: {join: [type, {join: [{header: x}, at]}]}": ["UID"],
    "uid: {join: [type, {join: [nothing, {header: x}]}]}": None,
    "uid: [{join: [{header: x}, at]}, type]": ["UID"],
    "uid: [{join: [nothing, {header: x}]}, type]": None,
    "actors:\n  - {id: [{header: x}, type], type: [{header: x}, {constant: User}]}": WHO,
    "actors:\n  - {id: {header: x}, type: User}\n  - {id: type, type: User}": WHO,
    "actors:\n  - {id: [nothing, {header: x}], type: User}": WHO,
    "actors:\n  - {when: nothing, id: {header: x}, type: User}": None,
    "actors:\n  - {when: {header: x, in: [set]}, id: nothing, type: User}": None,
    "actors:\n  - {id: type, type: User}\n  - {id: {header: x}, type: User}": None,
    "failures:\n  - {when: type, code: [{header: x}, type], message: [{header: x}, type]}": FAILURE,
}
"""Lines of a kind, and what is unsigned where no header is there."""


@pytest.mark.parametrize(("lines", "unsigned"), BEHIND_HEADERS.items())
def test_what_counts_because_a_header_is_not_there_is_listed_unless_a_proof_vouches_for_that(
    lines: str, unsigned: list[str] | None
) -> None:
    """Whoever can alter a header can also take it away."""
    sent = {"type": "a", "at": 1_762_331_405, "ip": "192.0.2.1"}
    listed = mapped(with_kind(lines), sent).get("additionalEventData")
    assert listed == (unsigned and {"unsigned": unsigned})
    borne = {"content-type": "x"}
    assert "additionalEventData" not in mapped(with_kind(lines), sent, borne, frozenset(borne))


def test_a_proof_that_vouches_for_one_of_two_headers_does_not_vouch_for_what_counts_without_either() -> None:
    text = with_kind("uid: [{header: x, except: ['-']}, {header: y}, type]")
    one = mapped(text, {"type": "a", "at": 1_762_331_405}, {"x": "-"}, frozenset({"x"}))
    assert (one["UID"], one["additionalEventData"]) == ("a", {"unsigned": ["UID"]})


@pytest.mark.parametrize(
    ("when", "headers", "unsigned"),
    [
        ("{header: x}", {}, True),
        ("{header: x, in: [a]}", {"x": "b"}, True),
        ("{header: x, present: false}", {"x": "b"}, True),
        ("[type, {header: x}]", {}, True),
        ("[nothing, {header: x}]", {}, False),
        ("nothing", {}, False),
    ],
)
def test_a_kind_that_counts_because_a_header_keeps_one_before_it_from_fitting_is_listed(
    when: str, headers: dict[str, str], unsigned: bool
) -> None:
    before = f"kinds:\n  - name: before\n    when: {when}\n    event_name: {{constant: Before}}\n    time: at\n"
    text, sent = MINIMAL.replace("kinds:\n", before), {"type": "a", "at": 1_762_331_405}
    one = mapped(text, sent, headers)
    assert one["eventName"] == "a"
    assert one.get("additionalEventData") == ({"unsigned": ["eventName"]} if unsigned else None)
    borne = {"content-type": "x", **headers}
    assert "additionalEventData" not in mapped(text, sent, borne, frozenset(borne))


TWO_KINDS = """\
  - name: first
    when: {header: x, in: [set]}
    event_name: type
    time: at
    uid: first
    actors:
      - {id: who, type: User}
"""
DIFFERENT = {
    "": ["UID", "userIdentity.type", "userIdentity.principalId"],
    "    uid: first\n    actors:\n      - {id: who, type: User}\n": [],
    "    uid: first\n    actors:\n      - {id: who, type: User}\n    digest: [type]\n    response: [type]\n": [
        "UID",
        "requestParameters",
        "responseElements",
    ],
}
"""What the kind after it says, and what of an event is told otherwise by one of the two."""


@pytest.mark.parametrize(("lines", "differing"), DIFFERENT.items())
def test_where_a_header_decides_the_kind_all_that_the_kinds_tell_otherwise_is_listed(
    lines: str, differing: list[str]
) -> None:
    """With the header taken away, an event would have another UID, and somebody else behind it."""
    text = MINIMAL.replace("kinds:\n", f"kinds:\n{TWO_KINDS}") + lines
    sent = {"type": "a", "at": 1_762_331_405, "first": "1", "who": "mira"}
    for headers in ({"x": "set"}, {}):
        assert mapped(text, sent, headers)["additionalEventData"] == {"unsigned": ["eventName", *differing]}


KINDS = MINIMAL.partition("  - ")[0]
OTHERWISE = {
    ("time: at", "time: later"): "eventTime",
    ("time: day, time_format: '%d%m%Y'", "time: day, time_format: '%m%d%Y'"): "eventTime",
    ("time: at", "time: at, version: type"): "version",
    ("time: at, user_agent: type", "time: at"): "userAgent",
    ("time: at, source_ip: ip", "time: at"): "sourceIPAddress",
    ("time: at", "time: at, failures: [{when: type, code: type}]"): "errorCode",
}
"""What two kinds tell otherwise, and one of the fields in which it shows."""


@pytest.mark.parametrize(("kinds", "field"), OTHERWISE.items())
def test_each_part_that_two_kinds_have_otherwise_is_listed_where_a_header_decides_between_them(
    kinds: tuple[str, str], field: str
) -> None:
    first, second = kinds
    text = f"""{KINDS}
  - {{name: first, when: {{header: x, in: [set]}}, event_name: type, {first}}}
  - {{name: second, event_name: type, {second}}}
"""
    sent = {"type": "a", "at": 1_762_331_405, "later": 1_762_331_406, "day": "05112025", "ip": "192.0.2.2"}
    told = [mapped(text, sent, headers) for headers in ({"x": "set"}, {})]
    unsigned = [one.pop("additionalEventData")["unsigned"] for one in told]
    assert unsigned[0] == unsigned[1]
    assert {field} <= {name for name in told[0] | told[1] if told[0].get(name) != told[1].get(name)} <= {*unsigned[0]}


def test_what_kinds_tell_otherwise_that_no_header_could_make_of_an_event_is_not_listed() -> None:
    rest = "event_name: type, time: at"
    text = f"""{KINDS}
  - {{name: before, when: nothing, {rest}, version: type}}
  - {{name: with, when: {{header: x, in: [set]}}, {rest}}}
  - {{name: without, when: type, {rest}}}
  - {{name: after, {rest}, user_agent: type}}
"""
    one = mapped(text, {"type": "a", "at": 1_762_331_405})
    assert one["additionalEventData"] == {"unsigned": ["eventName"]}


def test_a_name_and_a_time_that_count_because_a_header_is_not_there_are_listed() -> None:
    text = MINIMAL.replace(": type", ": [{header: x}, type]").replace(": at", ": [{header: y}, {receipt: true}]")
    one = mapped(text, {"type": "a"})
    assert one["additionalEventData"] == {"eventTimeSource": "receipt", "unsigned": ["eventName", "eventTime"]}


@pytest.mark.parametrize("place", ["receipt", "{header: receipt}"])
def test_a_member_or_a_header_called_receipt_is_not_the_time_of_receipt(place: str) -> None:
    told = {"receipt": "2025-11-05T08:30:00Z"}
    one = mapped(MINIMAL.replace(": at", f": {place}"), {"type": "a"} | told, told, frozenset(told))
    assert one["eventTime"] == "2025-11-05T08:30:00Z"
    assert "additionalEventData" not in one


def test_a_header_under_a_condition_is_listed_as_any_other() -> None:
    text = with_kind("uid: [{header: x, when: s}, type]")
    sent = {"type": "a", "at": 1_762_331_405, "s": 1}
    assert mapped(text, sent, {"x": "1"})["additionalEventData"] == {"unsigned": ["UID"]}
    assert mapped(text, sent)["additionalEventData"] == {"unsigned": ["UID"]}, "it can be taken away"
