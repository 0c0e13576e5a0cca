"""Descriptors: what is compiled is current, what is wrong is said by line and field, and an operator's own is data."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result

from trailhook.delivery import Delivery, PartnerEvent
from trailhook.descriptor import Descriptor
from trailhook.errors import MalformedDelivery, SettingsError, UnmappableEvent
from trailhook.own_partners import own_source
from trailhook.partner import Options
from trailhook.partners import FOLDER, REGISTRY, Partners, load_partner
from trailhook_local.cli.main import main
from trailhook_local.descriptors.compiler import DescriptorError, compile_descriptor, compile_file, compiled_text

SOURCES = sorted(FOLDER.glob("*.yaml"))
PAGE = (Path(__file__).parents[2] / "docs" / "partners" / "your-own.md").read_text()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE.split("## An example\n")[1], re.DOTALL)[0]
SENT = {
    "entry_id": "e-1",
    "action": "lit",
    "at": "2025-11-05T08:30:00Z",
    "object": {"type": "lamp"},
    "actor": {"id": "u-1", "email": "mira@example.com"},
    "ip": "-",
    "context": {"ip": "192.0.2.1"},
    "outcome": "refused",
    "reason": "no oil",
    "ssn": "000-00-0000",
}
MINIMAL = """\
name: lamps
title: Lamps
source: Custom
event_source: lamps.example.com
kinds:
  - name: event
    event_name: type
    time: at
"""


def mapped(
    text: str, body: Any, headers: dict[str, str] | None = None, signed: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The fields of the one event in a body; raises UnmappableEvent."""
    partner = Descriptor.of(compile_descriptor(text, "lamps.yaml")).partner(Options())
    raw = json.dumps(body).encode()
    sent = Delivery("lamps", "d", "r", 1_762_331_405_000, "192.0.2.1", "p", headers or {}, signed, raw)
    [event] = partner.events(sent)
    return dict(partner.to_audit_event(event).fields)


def with_kind(lines: str) -> str:
    return MINIMAL + "".join(f"    {line}\n" for line in lines.splitlines())


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_what_the_functions_load_is_compiled_from_what_people_read(source: Path) -> None:
    assert source.with_suffix(".json").read_text() == compiled_text(compile_file(source)), (
        f"run: trailhook compile {source.name} --into {FOLDER.name}"
    )
    assert source.stem in REGISTRY


def test_every_compiled_file_has_its_source() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {path.stem for path in SOURCES}


def test_the_pages_example_maps_as_it_says() -> None:
    fields = mapped(EXAMPLE, {"event": SENT, "hook": "h-1"})
    assert fields["eventName"] == "lamp.lit"
    assert fields["UID"] == "e-1"
    assert fields["userIdentity"] == {"type": "User", "principalId": "u-1", "details": SENT["actor"]}
    assert fields["sourceIPAddress"] == "192.0.2.1"
    assert (fields["errorCode"], fields["errorMessage"]) == ("refused", "no oil")
    assert fields["requestParameters"] == SENT | {"ssn": "[redacted by trailhook]"}
    assert fields["additionalEventData"] == {"envelope": {"hook": "h-1"}, "redacted": ["requestParameters.ssn"]}


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "nonsense: 1\n",
        with_kind("nonsense: 1"),
        with_kind("actors: {nonsense: 1}"),
        with_kind("failures: {nonsense: 1}"),
        with_kind("uid: {nonsense: 1}"),
        with_kind("when: {nonsense: 1}"),
        with_kind("uid: {at: a, when: {nonsense: 1}}"),
        *(
            MINIMAL + f"proofs: {{{kind}: {{nonsense: 1}}}}\n"
            for kind in ("token", "hmac", "timestamped_hmac", "nonsense")
        ),
    ],
)
def test_every_field_that_is_allowed_is_on_the_page(text: str) -> None:
    with pytest.raises(DescriptorError) as caught:
        compile_descriptor(text, "lamps.yaml")
    allowed = {name for names in re.findall(r"allowed here: (.*)", str(caught.value)) for name in names.split(", ")}
    assert allowed
    assert {name for name in allowed if f"`{name}`" not in PAGE and f"{{{name}: " not in PAGE} <= {"at", "with"}


# What is wrong.


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("", 1, "(file)", "empty"),
        ("- a\n", 1, "(file)", "mapping"),
        ("name: [\n", 2, "(file)", "not YAML"),
        (MINIMAL.replace("lamps\n", "Lamps!\n", 1), 1, "name", "lower-case"),
        (MINIMAL.replace("source: Custom", "source: Okta"), 3, "source", "not one of: Custom"),
        (MINIMAL.replace("lamps.example.com", "s3.amazonaws.com"), 4, "event_source", "AWS"),
        (MINIMAL.replace("title: Lamps\n", ""), 1, "title", "is missing"),
        (MINIMAL + "titel: x\n", 9, "titel", "allowed here: name, title"),
        (MINIMAL + "name: again\n", 9, "name", "twice"),
        (MINIMAL.replace("event_name: type", "event_name: 'a['"), 7, "kinds[0].event_name", "not a JMESPath"),
        (MINIMAL.replace("    time: at\n", ""), 6, "kinds[0].time", "is missing"),
        (with_kind("actors:\n  - {type: User}"), 10, "kinds[0].actors[0].id", "is missing"),
        (with_kind("uid: {header: X-Id}"), 9, "kinds[0].uid.header", "lower case"),
        (with_kind("uid: {header: authorization}"), 9, "kinds[0].uid.header", "holds a secret"),
        (MINIMAL + "delivery_id: authorization\n", 9, "delivery_id", "holds a secret"),
        (with_kind("actors:\n  - {id: a, type: actor.kind}"), 10, "kinds[0].actors[0].type", "{at: actor.kind}"),
        (
            with_kind("uid: {header: x-key}") + "proofs:\n  - token: {header: x-key}\n",
            1,
            "proofs",
            "x-key holds the secret",
        ),
        (MINIMAL + "proofs:\n  - token: {header: svix-id}\n", 1, "proofs", "svix-id holds the secret"),
        (MINIMAL + "delivery_id: x-key\nproofs:\n  - token: {header: x-key}\n", 1, "proofs", "x-key holds the secret"),
        (with_kind("uid: {at: a, constant: b}"), 9, "kinds[0].uid", "exactly one"),
        (with_kind("when: {at: a, matches: '('}"), 9, "kinds[0].when.matches", "regular expression"),
        (with_kind("when: {at: a, in: [1], present: true}"), 9, "kinds[0].when", "at most one"),
        (with_kind("uid: {at: a, when: {header: x}}"), 9, "kinds[0].uid.when.header", "not known; allowed here: at"),
        (with_kind("uid: {at: a, when: b == 'c'}"), 9, "kinds[0].uid.when", "write {at: …, in: [true]}"),
        (with_kind("failures:\n  - {code: a}"), 10, "kinds[0].failures[0].when", "is missing"),
        (with_kind("time_format: '%Q'"), 9, "kinds[0].time_format", "'Q' is a bad directive"),
        (with_kind("time_format: '%Y-%m-%d%'"), 9, "kinds[0].time_format", "no time can be read"),
        (with_kind("time_format: '%Y-%m-%d %d'"), 9, "kinds[0].time_format", "as Python's datetime.strptime takes it"),
        (with_kind("time_format: '%H:%M:%S'"), 9, "kinds[0].time_format", "year, month and day"),
        (with_kind("time_format: '%Y-%m-%d %I:%M:%S'"), 9, "kinds[0].time_format", "beside %I it needs %p"),
        (with_kind("uid: {receipt: true}"), 9, "kinds[0].uid.receipt", "is not known; allowed here: at, header"),
        (with_kind("uid: {join: [a, {receipt: true}]}"), 9, "kinds[0].uid.join[1].receipt", "is not known"),
        (with_kind("uid: [a, {constant: none}]"), 9, "kinds[0].uid[1]", "the same for every event"),
        (with_kind("uid: {join: [{constant: b}, {constant: c}]}"), 9, "kinds[0].uid", "the same for every event"),
        (
            with_kind("actors:\n  - id: a.id\n    details: [a.name, a.mail, org.name]"),
            11,
            "kinds[0].actors[0].details",
            "two are called 'name'",
        ),
        (MINIMAL + "array: [items, data, items]\n", 9, "array", "items stands here twice"),
        (with_kind("uid: []"), 9, "kinds[0].uid", "is empty"),
        ("a: 1\n---\nb: 1\n", 2, "(file)", "not YAML: expected a single document in the stream, but found another"),
        (with_kind("uid: &a {join: [b, *a]}"), 1, "(file)", "an alias is in itself"),
        (with_kind("when: contain(a, 'b')"), 9, "kinds[0].when", "JMESPath has no function contain; it has abs"),
        (with_kind("uid: a || [sum(b, c)]"), 9, "kinds[0].uid", "sum takes 1 in its brackets, not 2"),
        (with_kind("uid: merge()"), 9, "kinds[0].uid", "merge takes 1 or more in its brackets, not 0"),
        (with_kind("when: a == 'b'"), 9, "kinds[0].when", "write {at: …, in: [true]}"),
        (with_kind("when: [c, '!a && b']"), 9, "kinds[0].when[1]", "may be false, and that is something"),
        (with_kind("when: {at: \"a || contains(b, 'c')\"}"), 9, "kinds[0].when.at", "write {at: …, in: [true]}"),
        (with_kind("when: {at: a | b > c, present: true}"), 9, "kinds[0].when.at", "write {at: …, in: [true]}"),
        (with_kind("when: {at: a, in: [b, off]}"), 9, "kinds[0].when.in[1]", "off is false to YAML"),
        (with_kind("when: {at: a, not_in: 010}"), 9, "kinds[0].when.not_in", "010 is 8 to YAML"),
        (
            with_kind("when: {at: a, in: 1e3}"),
            9,
            "kinds[0].when.in",
            "1e3 is a text to YAML: write 1000.0, or quote it",
        ),
        (with_kind("uid: {constant: no}"), 9, "kinds[0].uid.constant", "no without quotes is not a text"),
        (MINIMAL + "proofs:\n  - hmac: {header: x-s, algorithm: md5}\n", 10, "proofs[0].hmac.algorithm", "sha256"),
        (MINIMAL + "proofs:\n  - rsa: {}\n", 10, "proofs[0].rsa", "allowed here: token"),
        (
            MINIMAL + "proofs:\n  - timestamped_hmac: {header: x-s, timestamp_header: x-t, message: '{body}'}\n",
            10,
            "proofs[0].timestamped_hmac.message",
            "{timestamp}",
        ),
        *(
            (
                MINIMAL
                + f"proofs:\n  - timestamped_hmac: {{header: x-s, timestamp_header: x-t, message: '{message}'}}\n",
                10,
                "proofs[0].timestamped_hmac.message",
                words,
            )
            for message, words in (
                ("{id}.{timestamp}.{body}", "{id} is not known; only {timestamp} and {body} can be signed"),
                ("{timestamp}{body}{body}", "{body} stands here twice"),
            )
        ),
        (MINIMAL + "acknowledge: 500\n", 9, "acknowledge", "200"),
        (
            MINIMAL.replace("    time: at\n", "    time: at\n  - {name: event, event_name: a, time: b}\n"),
            1,
            "kinds",
            "two",
        ),
    ],
)
def test_a_mistake_is_named_by_line_and_field_with_what_is_allowed(
    text: str, line: int, field: str, words: str
) -> None:
    with pytest.raises(DescriptorError) as caught:
        compile_descriptor(text, "lamps.yaml")
    found = [(problem.line, problem.field) for problem in caught.value.problems]
    assert (line, field) in found
    assert words in str(caught.value)
    assert str(caught.value).startswith("lamps.yaml:")


def test_a_value_called_header_is_no_header_that_is_kept() -> None:
    """Else Authorization, of a partner that signs, would travel with the delivery."""
    text = with_kind("version: {at: via, map: {header: authorization}}\nuid: {header: x-id}")
    assert compile_descriptor(text, "lamps.yaml")["headers"] == ["x-id"]
    assert mapped(text, {"type": "a", "at": 1_762_331_405, "via": "header"})["version"] == "authorization"


def test_all_mistakes_are_named_at_once() -> None:
    text = MINIMAL.replace("Custom", "Nobody").replace("type", "'a['").replace("time: at", "tiem: at")
    with pytest.raises(DescriptorError) as caught:
        compile_descriptor(text, "lamps.yaml")
    assert [problem.line for problem in caught.value.problems] == [3, 6, 7, 8]


# Places.


@pytest.mark.parametrize(
    ("place", "event", "name"),
    [
        ("type", {"type": "lit"}, "lit"),
        ("type", {"type": 7}, "7"),
        ("[a, b.c]", {"a": " ", "b": {"c": "lit"}}, "lit"),
        ("[a, b]", {"a": {"x": 1}, "b": "lit"}, "lit"),
        ('"\\"@type\\""', {"@type": "lit"}, "lit"),
        ("\"items[0].n || 'none'\"", {"items": []}, "none"),
        ("{join: [a, b, c], with: '/'}", {"a": "x", "c": "z"}, "x/z"),
        ("[{join: [a, b]}, c]", {"b": "y", "c": "z"}, "z"),
        ("{at: a, map: {'5': five, '*': other}}", {"a": 5}, "five"),
        ("{at: a, map: {'5': five, '*': other}}", {"a": "six"}, "other"),
        ("[{at: a, except: ['-', N/A]}, b]", {"a": "-", "b": "lit"}, "lit"),
        ("{at: a, before: '?'}", {"a": "/x?token=1"}, "/x"),
        ("{constant: lamp}", {}, "lamp"),
        ("{constant: 1.10}", {}, "1.10"),
        ('"a[0:1] | [0]"', {"a": ["first", "second"]}, "first"),
        ("{at: a, map: {'5': 007, '6': 2025-11-05}}", {"a": 5}, "007"),
        ("{at: a, map: {'5': 007, '6': 2025-11-05}}", {"a": 6}, "2025-11-05"),
        ('"to_string(length(a))"', {"a": "four"}, "4"),
        ("[{at: a, when: {at: s, in: [x]}}, b]", {"s": "x", "a": "lit", "b": "out"}, "lit"),
        ("[{at: a, when: {at: s, in: [x]}}, b]", {"s": "y", "a": "lit", "b": "out"}, "out"),
        ("[{at: a, when: {at: s, in: [x]}}, b]", {"s": "x", "b": "out"}, "out"),
        ("[{constant: lit, when: [s, {at: a, present: false}]}, {constant: out}]", {"s": 1}, "lit"),
        ("[{constant: lit, when: [s, {at: a, present: false}]}, {constant: out}]", {"s": 1, "a": 1}, "out"),
        ("{join: [a, {at: b, when: s}, c]}", {"a": "x", "b": "y", "c": "z"}, "x.z"),
        ("[{join: [a, b], when: b}, c]", {"a": "x", "c": "z"}, "z"),
    ],
)
def test_the_first_place_that_holds_a_text_counts(place: str, event: dict[str, Any], name: str) -> None:
    text = MINIMAL.replace("event_name: type", f"event_name: {place}")
    assert mapped(text, event | {"at": 1_762_331_405})["eventName"] == name


@pytest.mark.parametrize("place", ["type", "a.b.c", "'type.keys(@)'", "{join: [type, at]}", "{header: x-none}"])
@pytest.mark.parametrize("value", [None, "", "  ", [], {}, True, {"a": 1}])
def test_what_holds_nothing_of_the_kind_is_a_missing_field(place: str, value: Any) -> None:
    text = MINIMAL.replace("event_name: type", f"event_name: {place}")
    with pytest.raises(UnmappableEvent, match="MissingField"):
        mapped(text, {"type": value, "at": 1_762_331_405})


@pytest.mark.parametrize(
    ("condition", "value", "failed"),
    [
        ("{at: s, in: [1]}", 1, True),
        ("{at: s, in: [1]}", 1.0, True),
        ("{at: s, not_in: [0, 0.5]}", 0.0, False),
        ("{at: s, not_in: [0, 0.5]}", 0.5, False),
        ("{at: s, in: [1]}", True, False),
        ("{at: s, in: [1]}", "1", False),
        ("{at: s, in: [false, 'false']}", False, True),
        ("{at: s, not_in: [ok]}", "no", True),
        ("{at: s, not_in: [ok]}", None, False),
        ("{at: s, matches: '^f'}", "fp", True),
        ("{at: s, at_least: 400}", "403", True),
        ("{at: s, at_least: 400}", 200, False),
        ("{at: s, at_least: 400}", "often", False),
        ("{at: s, present: false}", None, True),
        ("{at: \"s == 'x'\", in: [true]}", "x", True),
        ("{at: \"s == 'x'\", in: [true]}", "y", False),
        ("\"s == 'x' && type || `null`\"", "y", False),
        ("\"not_null(s) || t[?u == 'x']\"", None, False),
        ("s", "x", True),
        ("s", "", False),
    ],
)
def test_a_condition_holds_for_what_it_says_and_not_for_what_looks_like_it(
    condition: str, value: Any, failed: bool
) -> None:
    text = with_kind(f"failures:\n  - {{when: {condition}, code: {{constant: Failed}}}}")
    assert ("errorCode" in mapped(text, {"type": "a", "at": 1_762_331_405, "s": value})) is failed


def test_a_header_that_no_proof_covers_is_listed_and_its_id_stands_for_its_own_body_alone() -> None:
    text = with_kind("uid: {header: x-id}")
    one = mapped(text, {"type": "a", "at": 1_762_331_405}, {"x-id": "1"})
    assert one["UID"] == "1"
    assert one["additionalEventData"] == {"unsigned": ["UID"]}


FROM_HEADERS = {
    "version: {header: x}": ["version"],
    "user_agent: {header: x}": ["userAgent"],
    "source_ip: [ip, {header: x}]": ["sourceIPAddress"],
    "actors:\n  - {id: [{at: ip}, {header: x}], type: User}": ["userIdentity.principalId"],
    "actors:\n  - {id: type, type: [{at: nothing}, {header: x}]}": ["userIdentity.type"],
    "actors:\n  - {id: nobody, type: {header: x}}": [],
    "failures:\n  - {when: type, code: {header: x}}": ["errorCode"],
    "failures:\n  - {when: type, code: type, message: {header: x}}": ["errorMessage"],
    "failures:\n  - {when: nothing, code: {header: x}}": [],
}


@pytest.mark.parametrize(("lines", "unsigned"), FROM_HEADERS.items())
def test_whatever_a_header_says_that_no_proof_covers_is_listed(lines: str, unsigned: list[str]) -> None:
    one = mapped(with_kind(lines), {"type": "a", "at": 1_762_331_405}, {"x": "192.0.2.1"})
    assert one.get("additionalEventData", {}).get("unsigned", []) == unsigned
    signed = mapped(with_kind(lines), {"type": "a", "at": 1_762_331_405, "ip": "192.0.2.2"})
    assert "additionalEventData" not in signed


DECIDED_BY_HEADERS = {
    "when: [{header: x, in: [set]}]": (["eventName"], None),
    "when: [{header: x, present: false}]": (None, ["eventName"]),
    "actors:\n  - {when: {header: x, in: [set]}, id: type, type: User}": (
        ["userIdentity.type", "userIdentity.principalId"],
        ["userIdentity.principalId"],
    ),
    "failures:\n  - {when: {header: x, in: [set]}, code: {constant: Failed}}": (
        ["errorCode", "errorMessage"],
        ["errorCode"],
    ),
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
    "uid: [{join: [{header: x}, at]}, type]": ["UID"],
    "actors:\n  - {id: [{header: x}, type], type: [{header: x}, {constant: User}]}": [
        "userIdentity.type",
        "userIdentity.principalId",
    ],
    "actors:\n  - {id: {header: x}, type: User}\n  - {id: type, type: User}": ["userIdentity.principalId"],
    "actors:\n  - {id: [nothing, {header: x}], type: User}": ["userIdentity.principalId"],
    "actors:\n  - {id: type, type: User}\n  - {id: {header: x}, type: User}": None,
    "failures:\n  - {when: type, code: [{header: x}, type], message: [{header: x}, type]}": [
        "errorCode",
        "errorMessage",
    ],
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


@pytest.mark.parametrize(
    ("status", "moment", "more"),
    [
        ("open", "2025-11-05T07:30:05Z", None),
        ("closed", "2025-11-05T09:30:05Z", None),
        ("deleted", "2025-11-05T08:30:05Z", {"eventTimeSource": "receipt"}),
    ],
)
def test_the_time_of_an_event_may_be_another_ones_for_some(status: str, moment: str, more: Any) -> None:
    text = MINIMAL.replace(
        "time: at",
        "time: [{receipt: true, when: {at: status, in: [deleted]}}, {at: end, when: {at: status, in: [closed]}}, at]",
    )
    fields = mapped(text, {"type": "a", "status": status, "at": 1_762_327_805, "end": 1_762_335_005})
    assert (fields["eventTime"], fields.get("additionalEventData")) == (moment, more)


@pytest.mark.parametrize(("owner", "kind"), [("u-2", "Borrowed"), (None, "User")])
def test_an_actors_type_may_be_another_for_some_events(owner: str | None, kind: str) -> None:
    text = with_kind("actors:\n  - {id: user, type: [{constant: Borrowed, when: owner}, User]}")
    fields = mapped(text, {"type": "a", "at": 1_762_331_405, "user": "u-1", "owner": owner})
    assert fields["userIdentity"] == {"type": kind, "principalId": "u-1"}


def test_a_header_under_a_condition_is_listed_as_any_other() -> None:
    text = with_kind("uid: [{header: x, when: s}, type]")
    sent = {"type": "a", "at": 1_762_331_405, "s": 1}
    assert mapped(text, sent, {"x": "1"})["additionalEventData"] == {"unsigned": ["UID"]}
    assert mapped(text, sent)["additionalEventData"] == {"unsigned": ["UID"]}, "it can be taken away"


def test_a_time_of_another_form() -> None:
    text = with_kind("time_format: '%d/%b/%Y:%H:%M:%S %z'")
    assert mapped(text, {"type": "a", "at": "05/Nov/2025:09:30:00 +0100"})["eventTime"] == "2025-11-05T08:30:00Z"
    with pytest.raises(UnmappableEvent, match="BadTime"):
        mapped(text, {"type": "a", "at": "2025-11-05T08:30:00Z"})


def test_a_date_in_digits_is_told_by_its_form_alone() -> None:
    event = {"type": "a", "at": 20251105083000}
    assert mapped(with_kind("time_format: '%Y%m%d%H%M%S'"), event)["eventTime"] == "2025-11-05T08:30:00Z"
    with pytest.raises(
        UnmappableEvent, match="BadTime: at may be a date in digits, which only a descriptor's time_format"
    ):
        mapped(MINIMAL, event)


@pytest.mark.parametrize("written", ["01/01/0001 00:00", "01/01/1970 00:00"])
def test_what_programs_write_for_no_time_is_none_in_any_form(written: str) -> None:
    text = with_kind("time_format: '%d/%m/%Y %H:%M'")
    with pytest.raises(UnmappableEvent, match="BadTime: at is not a time"):
        mapped(text, {"type": "a", "at": written})


@pytest.mark.parametrize(
    "form", ["%m/%d/%y %I:%M %p", "%a, %d %b %Y %H:%M:%S %Z", "%Y-%j", "%G-W%V-%u", "%Y%m%dT%H%M%S.%fZ"]
)
def test_any_form_that_tells_the_day_can_be_compiled(form: str) -> None:
    [kind] = compile_descriptor(with_kind(f"time_format: '{form}'"), "lamps.yaml")["kinds"]
    assert kind["time_format"] == form


def test_members_of_a_response_move_and_nothing_is_lost() -> None:
    event = {"type": "a", "at": 1_762_331_405, "result": {"ok": 1}, "more": [1]}
    fields = mapped(with_kind("response: [result, absent]"), event)
    assert fields["responseElements"] == {"result": {"ok": 1}}
    assert fields["requestParameters"] | fields["responseElements"] == event


@pytest.mark.parametrize(
    ("beside", "inside", "kept"),
    [
        ("a", "a", False),
        (1, 1, False),
        ({"n": [1, None]}, {"n": [1, None]}, False),
        ({"n": 1, "m": 2}, {"m": 2, "n": 1}, False),
        (True, 1, True),
        (0, False, True),
        (1, 1.0, True),
        (0.0, -0.0, True),
        ([{"n": True}], [{"n": 1}], True),
        ("1", 1, True),
        (None, "", True),
    ],
)
def test_what_stands_beside_an_event_is_dropped_only_if_the_event_says_the_same(
    beside: Any, inside: Any, kept: bool
) -> None:
    event = {"type": "a", "at": 1_762_331_405, "n": inside}
    fields = mapped(MINIMAL + "inside: event\n", {"event": event, "n": beside})
    assert json.dumps(fields["requestParameters"]["n"]) == json.dumps(inside)
    envelope = fields.get("additionalEventData", {}).get("envelope", {})
    assert json.dumps(envelope) == json.dumps({"n": beside} if kept else {})


def test_a_forms_field_holds_what_the_body_holds_otherwise_and_an_event_of_it_can_be_sent_alone() -> None:
    partner = Descriptor.of(compile_descriptor(MINIMAL + "form: payload\narray: items\n", "lamps.yaml")).partner(
        Options()
    )
    items = json.dumps({"items": [{"type": "lit", "at": 1_762_331_405}, {"type": "o=ut&", "at": 1_762_331_406}]})

    def events(body: bytes) -> list[PartnerEvent]:
        return list(partner.events(Delivery("lamps", "d", "r", 0, "192.0.2.1", "p", {}, frozenset(), body)))

    in_form = events(urlencode({"token": "x", "payload": items}).encode())
    assert [event.value["type"] for event in in_form] == ["lit", "o=ut&"]
    assert [event.value for event in events(items.encode())] == [event.value for event in in_form]
    assert [events(event.original)[0].value for event in in_form] == [event.value for event in in_form]
    for body in (b"other=1", b"payload=1&payload=2", b"payload=%FF"):
        with pytest.raises(MalformedDelivery, match="BadForm"):
            events(body)


# The command, and an operator's own.


def trailhook(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=given)


@pytest.fixture
def lampworks(tmp_path: Path) -> Path:
    file = tmp_path / "lampworks.yaml"
    file.write_text(EXAMPLE)
    return file


def test_map_prints_what_becomes_of_each_event(lampworks: Path) -> None:
    result = trailhook("map", lampworks, "-", given=json.dumps(SENT))
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert set(printed) == {"id", "eventData", "kind", "from"}
    assert printed["eventData"]["eventName"] == "lamp.lit"
    assert printed["kind"] == "audit entry"
    assert printed["from"] == {
        "UID": "entry_id",
        "eventName": "object.type + action",
        "eventTime": "at",
        "userIdentity.type": "constant",
        "userIdentity.principalId": "actor.id",
        "sourceIPAddress": "context.ip",
        "errorCode": "outcome",
        "errorMessage": "reason",
    }


def test_map_says_why_an_event_is_refused_and_fails(lampworks: Path) -> None:
    result = trailhook("map", lampworks, "-", given=json.dumps(SENT) + '\n{"x": 1}\n{"x": 1, "x": 2}\nbroken')
    assert result.exit_code == 1
    assert re.findall(r'"refused": "(\w+)"', result.stdout) == ["UnknownForm", "AmbiguousJson", "NotJson"]
    assert re.sub(r"\s", "", result.stdout).count('"unmet":{"auditentry":{"at":"action"}}') == 1
    wrapped = trailhook("map", lampworks, "-", given='{"event": {"action": "lit"}, "at": 1}')
    assert json.loads(wrapped.stdout)["unmet"] == {"audit entry": {"at": "at"}}, "paths begin inside"
    assert trailhook("map", lampworks, "-", given="").exit_code == 1


def test_map_says_of_a_built_in_partner_of_which_kind_an_event_is_and_where_its_fields_come_from() -> None:
    failed = {"event_name": "user_failed_login", "user_id": 1, "state": "blocked"}
    result = trailhook("map", "gitlab", "-", "-H", "Idempotency-Key: k-1", given=json.dumps(failed))
    printed = json.loads(result.stdout)
    assert printed["kind"] == "failed login"
    assert printed["from"] == {
        "UID": "idempotency-key (header)",
        "eventName": "event_name",
        "eventTime": "receipt",
        "userIdentity.type": "constant",
        "userIdentity.principalId": "user_id",
        "errorCode": "event_name",
        "errorMessage": "state",
    }


def test_map_says_where_the_fields_of_a_refused_event_would_come_from() -> None:
    result = trailhook("map", "gitlab", "-", given='{"author_id": 1, "entity_type": "User", "event_type": "member"}')
    printed = json.loads(result.stdout)
    assert (printed["refused"], printed["kind"]) == ("MissingTime", "audit event")
    assert set(printed["from"]) == {"eventName", "userIdentity.type", "userIdentity.principalId"}


def test_map_names_each_kind_of_a_built_in_partner_that_an_event_is_not() -> None:
    unmet = json.loads(trailhook("map", "snyk", "-", given='{"org": 1}').stdout)["unmet"]
    assert unmet == {
        "audit-log entry": {"at": "event"},
        "project snapshot": {"at": "project"},
        "ping": {"at": "webhookId"},
    }


def test_map_takes_a_built_in_partner_headers_and_the_operators_list() -> None:
    result = trailhook(
        "map",
        "github",
        "-",
        "-H",
        "X-GitHub-Event: push",
        "--redact",
        "ref",
        given='{"ref": "main", "sender": {"id": 1}}',
    )
    assert result.exit_code == 0
    event = json.loads(result.stdout)["eventData"]
    assert event["eventName"] == "push"
    assert event["requestParameters"]["ref"] == "[redacted by trailhook]"


def test_map_refuses_a_path_that_no_member_can_have() -> None:
    result = trailhook("map", "github", "-", "--redact", "ssn,actor..email", given="{}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'actor..email' has a blank, or no name, beside one of its dots" in result.stderr


def test_map_names_every_mistake_of_a_descriptor_and_no_traceback(lampworks: Path) -> None:
    lampworks.write_text(EXAMPLE.replace("time: at", "tiem: at"))
    result = trailhook("map", lampworks, "-", given="{}")
    assert result.exit_code == 1
    assert f"{lampworks}:17: kinds[0].tiem: is not known" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", ":1: (file): not UTF-8"),
        (b"name: lampworks\ntitle: \x00", ":2: (file): not YAML"),
        (b"name: lampworks\ntitle: [", ":2: (file): not YAML"),
        (b"", ":1: (file): is empty"),
    ],
)
def test_a_file_that_is_no_yaml_is_said_to_be_none(lampworks: Path, content: bytes, told: str) -> None:
    lampworks.write_bytes(content)
    result = trailhook("compile", lampworks)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{lampworks}{told}")


def test_a_folder_that_cannot_be_is_said(lampworks: Path) -> None:
    result = trailhook("compile", lampworks, "--into", lampworks / "own")
    assert result.exit_code == 1
    assert "name another folder with --into" in result.stderr


def test_a_header_without_its_value_and_a_sample_without_events_are_said(lampworks: Path) -> None:
    unread = trailhook("map", lampworks, "-", "-H", "X-Lampworks-Event", given=json.dumps(SENT))
    assert (unread.exit_code, "is not 'Name: value'" in unread.stderr) == (2, True)
    empty = trailhook("map", lampworks, "-", given="[]")
    assert (empty.exit_code, empty.stdout, "no event in this sample" in empty.stderr) == (0, "", True)


def test_a_file_that_is_not_there_and_one_under_another_name(tmp_path: Path, lampworks: Path) -> None:
    missing = trailhook("map", "nothing", "-", given="{}")
    assert missing.exit_code == 2, "1 is for an event that is refused"
    assert "nor is it one of: " in missing.stderr
    assert "Name a descriptor's YAML file" in missing.stderr
    other = lampworks.rename(tmp_path / "other.yaml")
    assert "the file must be lampworks.yaml" in trailhook("map", other, "-", given="{}").stderr


def test_an_operators_own_partner_is_a_compiled_file_in_a_folder(tmp_path: Path, lampworks: Path) -> None:
    assert trailhook("compile", lampworks, "--into", tmp_path / "own").exit_code == 0
    own = tmp_path / "own"
    partner = load_partner("lampworks", Options(), own)
    assert (partner.name, partner.source) == ("lampworks", "Custom")
    assert set(Partners(Options(), own)) == {*REGISTRY, "lampworks"}
    assert Partners(Options(), own)["lampworks"].name == "lampworks"
    assert own_source("lampworks", own) == "Custom"
    assert own_source("nobody", own) is None
    with pytest.raises(SettingsError, match="lampworks"):
        load_partner("nobody", Options(), own)


def test_a_name_that_is_built_in_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "wiz.yaml"
    file.write_text(MINIMAL.replace("name: lamps", "name: wiz", 1))
    result = trailhook("compile", file)
    assert result.exit_code == 1
    assert "built in" in result.stderr


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 0, "name": "lamps"}'])
def test_a_file_that_another_version_compiled_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "lamps.json").write_text(text)
    with pytest.raises(SettingsError, match=r"lamps\.json .*: run `trailhook compile` on its YAML"):
        load_partner("lamps", Options(), tmp_path)
    with pytest.raises(SettingsError, match=r"lamps\.json"):
        own_source("lamps", tmp_path)
    assert load_partner("wiz", Options(), tmp_path).name == "wiz"
