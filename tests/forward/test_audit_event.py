"""An AuditEvent cannot be built outside CloudTrail's limits, and what had to be cut is said."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.cpu_time import cost_ratio

from trailhook.audit_event import OBJECT_LIMITS, TEXT_LIMITS, AuditEvent, Failure, UserIdentity
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import UnmappableEvent
from trailhook.fitting import OURS, fit_audit_event
from trailhook.redaction import Redaction

TIME = datetime(2024, 2, 29, 23, 59, 59, 999_999, UTC)
ORIGINAL = b"{" + b" " * 10_000 + b"}"
DELIVERY = Delivery("custom", "d", "r", 1_700_000_000_123, "192.0.2.1", "standard-webhooks", {}, frozenset(), ORIGINAL)


def fit(original: bytes = ORIGINAL, **members: Any) -> AuditEvent:
    complete: dict[str, Any] = {
        "key": ("example", "1"),
        "uid": "uid-1",
        "name": "login",
        "source": "example.com",
        "time": TIME,
        "identity": UserIdentity("User", "mona"),
        "request_parameters": None,
        "redaction": Redaction.of(),
    }
    return fit_audit_event(PartnerEvent(DELIVERY, {}, original, None), **(complete | members))


def data(event: AuditEvent) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(event.event_data("111122223333"))
    return document


def test_the_smallest_event_has_the_required_members_and_nothing_else() -> None:
    assert data(fit()) == {
        "version": "1",
        "userIdentity": {"type": "User", "principalId": "mona"},
        "eventSource": "example.com",
        "eventName": "login",
        "eventTime": "2024-02-29T23:59:59Z",
        "UID": "uid-1",
        "recipientAccountId": "111122223333",
    }


def test_without_a_time_of_its_own_an_event_has_the_time_of_receipt_and_says_so() -> None:
    event = data(fit(time=None))
    assert event["eventTime"] == "2023-11-14T22:13:20Z"
    assert event["additionalEventData"] == {"eventTimeSource": "receipt"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 2001:DB8::1 ", "2001:db8::1"),
        ("", None),
        ("-", None),
        ("0.0.0.0", None),  # noqa: S104 - how some write that they know none
        ("::", None),
        ("10.0.0.1, 10.0.0.2", None),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_source_address_is_one_address_or_absent(written: str, kept: str | None) -> None:
    assert data(fit(source_ip=written)).get("sourceIPAddress") == kept


@pytest.mark.parametrize("character", ["a", "é", "😀"])
def test_long_texts_are_cut_within_their_limit_and_named(character: str) -> None:
    event = data(fit(user_agent=character * 2_000, failure=Failure(character * 300, character * 300)))
    for name in ("userAgent", "errorCode", "errorMessage"):
        assert TEXT_LIMITS[name] - 4 < len(event[name].encode()) <= TEXT_LIMITS[name]
    assert event["additionalEventData"] == {
        "truncated": ["userAgent", "errorCode", "errorMessage"],
        "originalSha256": hashlib.sha256(ORIGINAL).hexdigest(),
    }


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"user_agent": "a" * 1_025}, "userAgent"),
        ({"user_agent": "é" * 513}, "userAgent"),
        ({"user_agent": "😀" * 257}, "userAgent"),
        ({"failure": Failure("c", "é" * 129)}, "errorMessage"),
        ({"failure": Failure("", "m" * 257)}, "errorMessage"),
        ({"failure": Failure("c" * 257, None)}, "errorCode"),
    ],
)
@pytest.mark.parametrize("original", [b"{}", ORIGINAL], ids=["small", "large"])
def test_one_text_a_little_too_long_is_cut_whatever_else_there_is(
    original: bytes, members: dict[str, Any], name: str
) -> None:
    event = data(fit(original, **members))
    assert len(event[name].encode()) <= TEXT_LIMITS[name]
    assert event["additionalEventData"]["truncated"] == [name]


@pytest.mark.parametrize("text", ["a" * 1_024, "é" * 512, "😀" * 256])
def test_a_text_at_its_limit_is_kept(text: str) -> None:
    event = data(fit(user_agent=text))
    assert event["userAgent"] == text
    assert "additionalEventData" not in event


def test_an_object_is_measured_as_it_is_sent_and_not_escaped() -> None:
    members = {"note": "é" * 48_000, "kind": "long"}
    original = json.dumps(members, ensure_ascii=False).encode()
    event = data(fit(original, request_parameters=members))
    assert event["requestParameters"] == members
    assert "additionalEventData" not in event


def test_a_large_object_loses_its_largest_members_first_and_they_are_named() -> None:
    event = data(fit(request_parameters={"small": "s", "large": "x" * 90_000, "larger": "x" * 95_000}))
    assert list(event["requestParameters"]) == ["small", "large"]
    assert event["additionalEventData"]["truncated"] == ["requestParameters.larger"]


def nested(levels: int, members: dict[str, Any]) -> dict[str, Any]:
    return {"in": nested(levels - 1, members)} if levels else members


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_long_text_takes_nothing_along_that_stands_beside_it(levels: int) -> None:
    members = nested(levels, {"body": "\U0001f600" * 65_536, "merged": True, "head": {"ref": "x" * 50_000}})
    before = json.dumps(members)
    event = data(fit(request_parameters=members))
    assert event["requestParameters"] == nested(levels, {"merged": True, "head": {"ref": "x" * 50_000}})
    assert event["additionalEventData"]["truncated"] == [f"requestParameters.{'in.' * levels}body"]
    assert json.dumps(members) == before


def test_what_is_too_deep_to_be_looked_into_goes_as_a_whole() -> None:
    members = nested(4, {"body": "x" * 100_001, "merged": True})
    event = data(fit(request_parameters=members | {"action": "closed"}))
    assert event["requestParameters"] == nested(3, {}) | {"action": "closed"}
    assert event["additionalEventData"]["truncated"] == ["requestParameters.in.in.in.in"]


@pytest.mark.parametrize("name", ["requestParameters", "responseElements", "additionalEventData"])
def test_several_long_texts_take_nothing_along_either(name: str) -> None:
    """An issue of GitHub's and a comment on it, each with all the emoji that fit."""
    beside = {"issue": {"number": 7, "user": {"login": "mona"}}, "comment": {"id": 9, "user": {"login": "mona"}}}
    members = {key: {"body": "\U0001f600" * 65_536, **value} for key, value in beside.items()}
    parameter = {"additionalEventData": "notes", "responseElements": "response_elements"}
    given: dict[str, Any] = {parameter.get(name, "request_parameters"): {**members, "action": "created"}}
    event = data(fit(**given))
    said = {key: value for key, value in event[name].items() if key in {*beside, "action"}}
    assert said == {**beside, "action": "created"}
    assert set(event["additionalEventData"]["truncated"]) == {f"{name}.issue.body", f"{name}.comment.body"}


def test_objects_that_are_all_too_much_lose_their_largest_members_the_largest_first() -> None:
    members = {name: {"text": "x" * length} for name, length in {"a": 70_000, "b": 90_000, "c": 80_000}.items()}
    event = data(fit(request_parameters=members | {"list": ["x" * 60_000, "y"]}))
    assert event["requestParameters"] == {"list": ["x" * 60_000, "y"], "a": {}, "b": {}, "c": {}}
    assert event["additionalEventData"]["truncated"] == [f"requestParameters.{name}.text" for name in ("b", "c", "a")]


def test_an_object_of_many_members_takes_nothing_along_that_is_larger_than_these() -> None:
    members = {"many": {f"k{number}": "x" * 20 for number in range(20_000)}, "note": "x" * 5_000}
    event = data(fit(request_parameters=members))
    assert event["requestParameters"]["note"] == "x" * 5_000
    assert 90_000 < len(json.dumps(event["requestParameters"], separators=(",", ":"))) <= 100_000


def test_small_objects_that_are_too_many_go_as_a_whole() -> None:
    members = {f"k{number:03}": {"text": "x" * 86, "a": 1} for number in range(930)}
    event = data(fit(request_parameters=members))
    gone = [name for name in members if name not in event["requestParameters"]]
    assert event["requestParameters"] == {name: members[name] for name in members if name not in gone}
    assert event["additionalEventData"]["truncated"] == [f"requestParameters.{name}" for name in gone]


def test_what_is_left_of_an_object_that_lost_all_counts_to_the_byte() -> None:
    left: dict[str, Any] = {"a": {"text": "x" * 60_000}, "b": {}, "list": [""]}
    left["list"] = ["x" * (100_001 - len(json.dumps(left, separators=(",", ":"))))]
    event = data(fit(request_parameters={**left, "b": {"text": "x" * 60_001}}))
    assert event["requestParameters"] == {**left, "a": {}}


def test_an_object_that_lost_all_goes_itself_where_its_name_is_too_long() -> None:
    members = {f"{number:02}{'k' * 2_000}": {"text": "x"} for number in range(80)}
    event = data(fit(request_parameters=members))
    assert 97_000 < len(json.dumps(event["requestParameters"], separators=(",", ":"))) <= 100_000


def test_objects_that_are_the_largest_by_turns_are_not_gone_through_for_each_of_their_members() -> None:
    one = {f"k{number:04}": number for number in range(8_000)}
    dear = cost_ratio(lambda: fit(request_parameters={"a": one, "b": one}), lambda: fit(request_parameters={"a": one}))
    assert dear < 30


@pytest.mark.parametrize(("others", "kept"), [(60_000, ["login", "groups"]), (99_000, ["login"])])
def test_an_actors_details_are_cut_only_where_the_event_as_a_whole_is_too_large(others: int, kept: list[str]) -> None:
    members = {"note": "x" * others}
    actor = UserIdentity("User", "mona", {"login": "mona", "groups": "g" * 60_000})
    event = data(fit(identity=actor, request_parameters=members, response_elements=members))
    assert list(event["userIdentity"]["details"]) == kept
    assert event["requestParameters"] == event["responseElements"] == members
    cut = event.get("additionalEventData", {}).get("truncated", [])
    assert cut == ([] if "groups" in kept else ["userIdentity.details.groups"])


def test_what_is_ours_to_say_of_an_event_is_never_cut() -> None:
    notes = {f"note{number}": "x" * 80 for number in range(300)}
    secrets = {f"member_{number}_{'x' * 40}_password": "hunter2" for number in range(30)}
    unsigned = [f"x-header-{'x' * 80}-{number}" for number in range(30)]
    event = data(fit(ORIGINAL * 1_000, notes=notes, request_parameters=secrets, unsigned=unsigned, time=None))
    additional = event["additionalEventData"]
    assert additional["redacted"] == [f"requestParameters.{name}" for name in secrets]
    assert len(additional["unsigned"]) == 30
    assert additional["eventTimeSource"] == "receipt"
    assert {name.removeprefix("additionalEventData.note") for name in additional["truncated"][:30]} <= set(
        map(str, range(300))
    )
    assert len(json.dumps(additional)) <= OBJECT_LIMITS["additionalEventData"]


def test_no_partner_passes_a_senders_notes_for_ours() -> None:
    """`OURS` names all that there is to say of an event."""
    notes = {"note": "x"}
    unsigned = ["UID"]
    parameters = {"password": "hunter2", "text": "x" * 100_000}
    event = data(fit(ORIGINAL * 20_000, notes=notes, request_parameters=parameters, unsigned=unsigned, time=None))
    assert event["additionalEventData"].keys() == {"note", *OURS}
    for name in OURS:
        with pytest.raises(UnmappableEvent, match="InvalidData"):
            fit(notes={name: "x"})


@pytest.mark.parametrize("secrets", [1, 1_500, 1_600, 6_000])
def test_marks_that_are_longer_than_what_they_stand_for_are_cut_as_well(secrets: int) -> None:
    notes = {"password": [1] * secrets, "note": "kept"}
    written = json.dumps(notes, separators=(",", ":")).encode()
    additional = data(fit(written, notes=notes))["additionalEventData"]
    assert additional["note"] == "kept"
    assert len(additional["redacted"]) == min(secrets, 31)
    assert additional.get("truncated", []) == ([] if secrets == 1 else ["additionalEventData.password"])


@pytest.mark.parametrize("member", ["uid", "name", "source"])
def test_what_identifies_an_event_is_never_cut(member: str) -> None:
    with pytest.raises(UnmappableEvent, match="FieldTooLong"):
        fit(**{member: cast("Any", "x" * 1025)})


@pytest.mark.parametrize(
    "identity", [UserIdentity("", "mona"), UserIdentity("User", ""), UserIdentity("U" * 129, "mona")]
)
def test_an_actor_is_required(identity: UserIdentity) -> None:
    with pytest.raises(UnmappableEvent):
        fit(identity=identity)


def test_half_a_surrogate_pair_is_not_text() -> None:
    with pytest.raises(UnmappableEvent, match="BadUnicode"):
        fit(request_parameters={"cut": "\ud83d"})


def test_a_key_of_anything_but_texts_is_refused_where_it_is_made() -> None:
    with pytest.raises(TypeError):
        fit(key=("example", cast("Any", b"1")))


def test_an_event_that_is_nested_hundreds_deep_is_kept() -> None:
    nested: dict[str, Any] = {}
    for _ in range(500):
        nested = {"n": nested}
    event = fit(request_parameters=nested)
    assert event.text.count(b'"n"') == 500


def test_a_bottomless_event_is_refused() -> None:
    nested: dict[str, Any] = {}
    for _ in range(100_000):
        nested = {"n": nested}
    with pytest.raises(UnmappableEvent, match="TooDeep"):
        fit(request_parameters=nested)


def test_an_event_cannot_be_built_past_its_limits_by_hand() -> None:
    fields = fit().fields
    with pytest.raises(UnmappableEvent, match="FieldTooLong"):
        AuditEvent(("id",), {**fields, "additionalEventData": {"x": "y" * 28_000}})
    with pytest.raises(UnmappableEvent, match="MissingField"):
        AuditEvent(("id",), {key: value for key, value in fields.items() if key != "UID"})


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
OBJECTS = st.dictionaries(
    TEXTS, st.recursive(TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3))
)
REPEATS = st.integers(min_value=0, max_value=60_000)


@example(request={}, response={}, details={}, notes={}, text="É", repeats=45_000)
@given(request=OBJECTS, response=OBJECTS, details=OBJECTS, notes=OBJECTS, text=TEXTS, repeats=REPEATS)
def test_whatever_comes_the_result_is_within_every_limit(
    request: dict[str, Any],
    response: dict[str, Any],
    details: dict[str, Any],
    notes: dict[str, Any],
    text: str,
    repeats: int,
) -> None:
    event = fit(
        identity=UserIdentity("User", "mona", details | {"long": text[:1] * repeats}),
        user_agent=text * 30,
        failure=Failure("F", text * 30),
        request_parameters=request | {f"long{n}": text[:2] * repeats for n in range(3)},
        response_elements=response | {f"long{n}": text[:3] * repeats for n in range(3)},
        # A name that is ours would be refused, and is found: Hypothesis tries the constants of the code.
        notes={f"their {name}": note for name, note in notes.items()} | {"long": text[:1] * repeats},
    )
    raw = event.event_data("111122223333")
    assert len(raw) <= 256_000
    document = json.loads(raw)
    for name, limit in OBJECT_LIMITS.items():
        assert len(json.dumps(document.get(name, {}), separators=(",", ":"), ensure_ascii=False).encode()) <= limit
    for name, limit in TEXT_LIMITS.items():
        assert len(document.get(name, "").encode()) <= limit


@given(members=st.dictionaries(st.text("xyzé😀\n ", max_size=20), TEXTS | st.integers() | st.none()))
def test_a_small_event_is_never_cut_and_never_too_large(members: dict[str, Any]) -> None:
    event = data(fit(json.dumps(members).encode(), request_parameters=members, response_elements=members))
    assert event.get("requestParameters", {}) == event.get("responseElements", {}) == members
    assert "additionalEventData" not in event
