"""What a descriptor makes of an event: places, conditions, times, and what stands beside an event."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.partners.descriptors import EXAMPLE, MINIMAL, PAGE, SENT, audit_event, mapped, with_kind
from tests.receive.proof_senders import BODY, request
from tests.receive.senders import RECEIVED_AT, hex_hmac

from trailhook.delivery import Delivery, PartnerEvent
from trailhook.descriptor import Descriptor
from trailhook.errors import MalformedDelivery, Unauthenticated, UnmappableEvent
from trailhook.partner import Options
from trailhook.partners import FOLDER, REGISTRY
from trailhook.redaction import REDACTED
from trailhook_local.descriptors.compiler import compile_descriptor, compile_file, compiled_text

SOURCES = sorted(FOLDER.glob("*.yaml"))


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
        ("'not_null(u, s)'", "x", True),
        ("s", "x", True),
        ("s", "", False),
    ],
)
def test_a_condition_holds_for_what_it_says_and_not_for_what_looks_like_it(
    condition: str, value: Any, failed: bool
) -> None:
    text = with_kind(f"failures:\n  - {{when: {condition}, code: {{constant: Failed}}}}")
    assert ("errorCode" in mapped(text, {"type": "a", "at": 1_762_331_405, "s": value})) is failed


@pytest.mark.parametrize(
    ("mark", "code"),
    [
        ("{at: s, in: [bad]}", "bad"),
        ("{at: s, map: {bad: Refused}, in: [Refused]}", "Refused"),
        ("{header: x-state, in: [failed]}", "failed"),
    ],
)
def test_a_failure_without_a_code_has_the_value_that_marks_it(mark: str, code: str) -> None:
    event = {"type": "a", "at": 1_762_331_405, "s": "bad"}
    assert mapped(with_kind(f"failures: {{when: {mark}}}"), event, {"x-state": "failed"})["errorCode"] == code


@pytest.mark.parametrize("place", ["{join: [org, id]}", "[nothing, {join: [org, {join: [kind, id]}]}]"])
@pytest.mark.parametrize("nothing", [{}, {"id": None}, {"id": " "}, {"id": {"of": "a"}}])
def test_an_id_that_lacks_a_part_does_not_make_two_events_one(place: str, nothing: dict[str, Any]) -> None:
    """Else all events of an organisation would be one to whoever counts ids."""
    lines = with_kind(f"uid: {place}")
    sent = {"type": "a", "at": 1_762_331_405, "org": "o-1", "kind": "k"}
    one, again, other = (audit_event(lines, sent | nothing | {"lamp": lamp}) for lamp in (1, 1, 2))
    assert one.id == again.id != other.id
    assert one.fields["UID"] == other.fields["UID"]
    whole, changed = (audit_event(lines, sent | {"id": "e-1", "lamp": lamp}) for lamp in (1, 2))
    assert whole.id == changed.id


def test_a_tenant_that_lacks_a_part_does_not_make_events_of_two_tenants_one() -> None:
    lines = with_kind("uid: id\ntenant: {join: [org, site]}")
    sent = {"type": "a", "at": 1_762_331_405, "id": "e-1", "org": "o-1"}
    one, again, other = (audit_event(lines, sent | {"lamp": lamp}) for lamp in (1, 1, 2))
    assert one.id == again.id != other.id
    whole, changed = (audit_event(lines, sent | {"site": "s-1", "lamp": lamp}) for lamp in (1, 2))
    assert whole.id == changed.id


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


def test_a_detail_that_is_an_object_stands_under_the_name_that_it_was_given() -> None:
    text = with_kind("actors:\n  - {id: user.id, type: User, details: {account: user, session: session.id}}")
    user = {"id": "u-1", "mail": "mona@example.com"}
    fields = mapped(text, {"type": "a", "at": 1_762_331_405, "user": user, "session": {"id": "s-1"}})
    assert fields["userIdentity"]["details"] == {"account": user, "session": "s-1"}


def test_an_id_that_is_a_digest_is_one_of_the_members_that_are_named_or_of_all_where_none_is_there() -> None:
    text = with_kind("digest: [door, badge]")
    sent = {"type": "a", "at": 1_762_331_405}
    first, again, other = (
        audit_event(text, sent | {"door": 1, "badge": 2} | more) for more in ({}, {"tries": 2}, {"badge": 3})
    )
    assert (first.id == again.id, first.id == other.id) == (True, False)
    first, other = (audit_event(text, sent | more) for more in ({}, {"tries": 2}))
    assert first.id != other.id


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


@pytest.mark.parametrize(
    "written", ["01/01/0001 00:00 +0000", "01/01/0001 00:00 +0100", "01/01/1970 00:00 +0000", "31/12/9999 23:59 -0100"]
)
def test_what_programs_write_for_no_time_is_none_in_any_form(written: str) -> None:
    text = with_kind("time_format: '%d/%m/%Y %H:%M %z'")
    with pytest.raises(UnmappableEvent, match="BadTime: at is not a time"):
        mapped(text, {"type": "a", "at": written})


def test_members_of_a_response_move_and_nothing_is_lost() -> None:
    event = {"type": "a", "at": 1_762_331_405, "result": {"ok": 1}, "more": [1]}
    fields = mapped(with_kind("response: [result, absent]"), event)
    assert fields["responseElements"] == {"result": {"ok": 1}}
    assert fields["requestParameters"] | fields["responseElements"] == event


@pytest.mark.parametrize(
    ("said", "member", "place"),
    [
        ({"name": "client_secret", "value": "fake"}, "value", "responseElements.value"),
        ({"name": "client_secret", "value": "fake"}, "name", "requestParameters.value"),
        ({"op": "replace", "path": "/config/password", "value": "fake"}, "value", "responseElements.value"),
    ],
)
def test_a_secret_is_taken_out_also_where_a_response_parts_it_from_its_label(
    said: dict[str, str], member: str, place: str
) -> None:
    event = {"type": "a", "at": 1_762_331_405, **said}
    fields = mapped(with_kind(f"response: [{member}]"), event)
    assert fields["requestParameters"] | fields["responseElements"] == event | {"value": REDACTED}
    assert fields["additionalEventData"]["redacted"] == [place]


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


@pytest.mark.parametrize("path", ["webhook", "webhook/", "elsewhere"])
def test_a_url_that_is_always_the_same_may_be_signed_with_body_and_time(path: str) -> None:
    url = "https://abcde12345.execute-api.eu-central-1.amazonaws.com/webhook"
    proof = f"{{header: x-s, timestamp_header: x-t, message: 'POST{url}{{body}}{{timestamp}}', any_time: true}}"
    text = MINIMAL + f"proofs:\n  - timestamped_hmac: {proof}\n"
    first = Descriptor.of(compile_descriptor(text, "lamps.yaml")).partner(Options()).proofs[0]
    signed = f"POST{url.removesuffix('webhook')}{path}".encode() + BODY + str(RECEIVED_AT).encode()
    sent = request({"x-s": hex_hmac("fake", signed), "x-t": str(RECEIVED_AT)})
    if path == "webhook":
        first.verify(sent, "fake")
    else:
        with pytest.raises(Unauthenticated):
            first.verify(sent, "fake")


def test_only_in_the_authorization_header_does_a_blank_follow_what_stands_before_a_token() -> None:
    for proof in ("{header: x-lamps-key, prefix: Key}", '{header: authorization, prefix: "Key "}'):
        assert compile_descriptor(f"{MINIMAL}proofs:\n  - token: {proof}\n", "lamps.yaml")["proofs"]


def test_each_proof_on_the_page_compiles_as_it_stands_there() -> None:
    written = re.findall(r"`((?:token|hmac|timestamped_hmac): \{.*\})`", PAGE)
    assert len(written) == 11
    for proof in written:
        assert compile_descriptor(f"{MINIMAL}proofs:\n  - {proof}\n", "lamps.yaml")["proofs"]


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


@pytest.mark.parametrize(
    ("time", "uid", "wrapper", "wraps"),
    [
        ("[at, {receipt: true}]", "id", {}, True),
        ("at", "[id, {header: x-id}]", {}, True),
        ("at", "id", {"at": 1_762_331_405}, False),
        ("at", "id", {"id": "1"}, False),
    ],
    ids=["the receipt has a time", "the delivery has an id", "a time of its own", "an id of its own"],
)
def test_what_wraps_events_of_unknown_forms_is_one_itself_only_where_an_id_or_a_time_stands_in_it(
    time: str, uid: str, wrapper: dict[str, Any], wraps: bool
) -> None:
    text = with_kind(f"when: type\nuid: {uid}").replace("time: at", f"time: {time}") + "array: items\n"
    partner = Descriptor.of(compile_descriptor(text, "lamps.yaml")).partner(Options())
    raw = json.dumps(wrapper | {"items": [1, {"n": 2}]}).encode()
    sent = Delivery("lamps", "d", "r", RECEIVED_AT, "192.0.2.1", "p", {"x-id": "1"}, frozenset(), raw)
    assert [event.original for event in partner.events(sent)] == ([b"1", b'{"n": 2}'] if wraps else [raw])


def test_a_failure_without_code_and_a_response_that_is_null_are_said_to_be_just_that() -> None:
    text = with_kind("failures:\n  - {when: type, code: nothing}\nresponse: [result]")
    one = mapped(text, {"type": "a", "at": 1_762_331_405, "result": None})
    assert (one["errorCode"], "responseElements" in one) == ("Failed", False)
    assert one["requestParameters"]["result"] is None
