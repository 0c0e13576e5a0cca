"""Whatever a partner sends, each event is mapped within CloudTrail's limits or refused, the same way every time."""

import contextlib
import copy
import ipaddress
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.partners.cases import ACCOUNT, OPTIONS, Case, cases, compact, delivery, outcomes

from trailhook.delivery import PartnerEvent
from trailhook.errors import MalformedDelivery, UnmappableEvent
from trailhook.partners import REGISTRY, load_partner

TEXTS = {"version": 256, "userAgent": 1024, "eventSource": 1024, "eventName": 1024, "UID": 1024}
TEXTS |= {"errorCode": 256, "errorMessage": 256}
OBJECTS = {"requestParameters": 100_000, "responseElements": 100_000, "additionalEventData": 28_000}
REQUIRED = {"version", "userIdentity", "eventSource", "eventName", "eventTime", "UID", "recipientAccountId"}
OPTIONAL = {"userAgent", "errorCode", "errorMessage", "sourceIPAddress", *OBJECTS}

SEARCH = settings.default.max_examples if settings.default else 50
"""How widely to search: few examples for `make check`, thousands for `make nightly`."""

ONE_EVENT = [case for case in cases() if "text" not in json.loads(case.path.read_text())]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("\ud83d"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
LONG = st.sampled_from([300, 1_100, 30_000, 120_000, 300_000]).map(lambda length: "灯" * (length // 3))


@st.composite
def mutations(draw: st.DrawFn) -> tuple[Case, Any]:
    """A fixture with some of its members replaced, taken out, or blown up."""
    case = draw(st.sampled_from(ONE_EVENT))
    body = copy.deepcopy(json.loads(case.path.read_text())["body"])
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(body))
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            container[key] = draw(ANYTHING | LONG)
        else:
            del container[key]
    return case, body


@given(mutations())
@settings(max_examples=6 * SEARCH, suppress_health_check=list(HealthCheck))
def test_a_mutated_event_is_mapped_within_the_limits_or_refused(mutation: tuple[Case, Any]) -> None:
    case, body = mutation
    whole = case.delivery()
    sent = delivery(case.partner, json.dumps(body).encode(), whole.headers, whole.proof)
    first = outcomes(sent)
    assert_an_end(first)
    if any(end["eventData"]["userIdentity"]["principalId"] == "0" for end in first if "eventData" in end):
        assert any(container[key] in (0, "0") for container, key in places(body)), "nobody said so"
    assert outcomes(sent) == first


@given(st.sampled_from(sorted(REGISTRY)), ANYTHING)
@settings(max_examples=3 * SEARCH)
def test_any_value_is_mapped_or_refused(partner: str, value: Any) -> None:
    for headers in ({}, {"x-github-event": "push"}):
        event = PartnerEvent(delivery(partner, b"", headers), value, b"", None)
        before = repr(value)
        with contextlib.suppress(UnmappableEvent):
            audit_event = load_partner(partner, OPTIONS).to_audit_event(event)
            assert_within_limits(json.loads(audit_event.event_data(ACCOUNT)))
        assert repr(event.value) == before


@given(st.sampled_from(sorted(REGISTRY)), st.binary(max_size=200))
@settings(max_examples=2 * SEARCH)
def test_any_bytes_have_an_end(partner: str, body: bytes) -> None:
    outcomes(delivery(partner, body))


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_a_mapping_leaves_its_input_as_it_is(case: Case) -> None:
    partner = load_partner(case.partner, OPTIONS)
    for event in _events(case):
        before = copy.deepcopy(event.value)
        with contextlib.suppress(UnmappableEvent):
            partner.to_audit_event(event)
        assert event.value == before


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_an_event_taken_from_quarantine_and_sent_alone_is_the_same_event(case: Case) -> None:
    whole = case.delivery()
    events = _events(case)
    # What cannot be taken apart has no events, and one outcome all the same.
    for event, outcome in zip(events, outcomes(whole) if events else (), strict=True):
        alone = outcomes(delivery(case.partner, event.original, whole.headers, whole.proof))
        assert [end.get("id") for end in alone] == [outcome.get("id")], "another event, or refused for the way it came"


@pytest.mark.parametrize("partner", sorted(REGISTRY))
def test_deep_nesting_is_refused_not_fatal(partner: str) -> None:
    for depth in (100, 600, 950, 100_000):
        body = '{"type":"a","action":"a","eventType":"a","@timestamp":1762331400,"published":"2025-11-05T08:30:00Z",'
        body += '"deep":' + "[" * depth + "]" * depth + "}"
        assert len(outcomes(delivery(partner, body.encode()))) == 1


@pytest.mark.parametrize(
    ("partner", "headers"),
    [("github", {}), ("github", {"x-github-event": "push"}), ("okta", {}), ("custom", {"webhook-id": "msg_1"})],
)
def test_the_largest_members_are_left_out_and_named(partner: str, headers: dict[str, str]) -> None:
    event: dict[str, Any] = {"type": "a", "action": "a", "eventType": "a", "uuid": "u", "_document_id": "d"}
    event |= {"@timestamp": 1762331400, "published": "2025-11-05T08:30:00Z", "sender": {"id": 1}}
    event |= {"large": ["x" * 60_000], "larger": "y" * 70_000, "small": "z"}
    [outcome] = outcomes(delivery(partner, compact(event).encode(), headers))
    parameters = outcome["eventData"]["requestParameters"]
    notes = outcome["eventData"]["additionalEventData"]
    assert "larger" not in parameters
    assert parameters["large"] == event["large"]
    assert parameters["small"] == "z"
    assert notes["truncated"] == ["requestParameters.larger"]
    assert re.fullmatch(r"[0-9a-f]{64}", notes["originalSha256"])


def assert_an_end(ends: list[dict[str, Any]]) -> None:
    """Each event of a delivery is within CloudTrail's limits, or refused with a code and a reason."""
    for outcome in ends:
        if "eventData" in outcome:
            assert re.fullmatch(r"[-_A-Za-z0-9]{1,128}", outcome["id"])
            assert_within_limits(outcome["eventData"])
        else:
            assert re.fullmatch(r"[A-Z][A-Za-z0-9]+", outcome["refused"])
            assert outcome["reason"]


def assert_within_limits(event: dict[str, Any]) -> None:
    """AWS page: "CloudTrail Lake integrations event schema"."""
    assert REQUIRED <= set(event) <= REQUIRED | OPTIONAL
    assert len(json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()) <= 256_000
    for name, limit in TEXTS.items():
        if name in event:
            assert isinstance(event[name], str)
            assert 1 <= len(event[name].encode()) <= limit
    for name, limit in OBJECTS.items():
        if name in event:
            assert isinstance(event[name], dict)
            assert len(json.dumps(event[name], separators=(",", ":"), ensure_ascii=False).encode()) <= limit
    identity = event["userIdentity"]
    assert set(identity) <= {"type", "principalId", "details"}
    assert 1 <= len(identity["type"].encode()) <= 128
    assert 1 <= len(identity["principalId"].encode()) <= 1024
    assert identity["principalId"] not in {"None", "none", "null", "unknown"}
    assert isinstance(identity.get("details", {}), dict)
    if "sourceIPAddress" in event:
        ipaddress.ip_address(event["sourceIPAddress"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["eventTime"])
    assert datetime.fromisoformat(event["eventTime"]).year >= 1970


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and array, as its container and key."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def _events(case: Case) -> list[PartnerEvent]:
    try:
        return list(load_partner(case.partner, OPTIONS).events(case.delivery()))
    except MalformedDelivery:
        return []


ARRAYS = ["auditEvents", "data", "entities", "items", "logs", "records", "result", "results"]
"""The members in which partners wrap several events."""

UNKNOWN_FORMS: dict[str, dict[str, Any]] = {
    "atlassian/records": {"created": "2026-01-02T03:04:05Z", "kind": "new"},
    "auth0/logs": {"log_id": "1", "data": {"kind": "new"}},
    "cloudflare/result": {"When": "2026-01-02T03:04:05Z", "kind": "new"},
    "custom/auditEvents": {"id": "1", "kind": "new"},
    "cyberark/data": {"uuid": "1", "kind": "new"},
    "kong/data": {"rt": 1_700_000_000_000, "verb": "new"},
    "launchdarkly/items": {"_id": "1", "verb": "new"},
    "netskope/result": {"_id": "1", "verb": "new"},
    "okta/data": {"uuid": "1", "verb": "new"},
    "onelogin/data": {"id": "1", "verb": "new"},
    "onepassword/items": {"uuid": "1", "verb": "new"},
    "pagerduty/records": {"id": "1", "verb": "new"},
    "slack/entries": {"date_create": 1_700_000_000, "verb": "new"},
    "terraform/data": {"id": "1", "verb": "new"},
    "zoom/operation_logs": {"time": "2026-01-02T03:04:05Z", "verb": "new"},
}
"""Events that a partner may come to send, by it and the member in which it wraps several."""


@pytest.mark.parametrize("array", [[], ["text"], [{}]], ids=str)
@pytest.mark.parametrize("where", UNKNOWN_FORMS)
def test_an_event_of_an_unknown_form_with_a_member_like_the_array_is_kept_whole(where: str, array: list[Any]) -> None:
    partner, name = where.split("/")
    wrapped = {"events": array} if partner == "okta" else array
    body = compact(UNKNOWN_FORMS[where] | {name: wrapped}).encode()
    [event] = load_partner(partner, OPTIONS).events(delivery(partner, body))
    assert event.original == body
    assert [end.get("eventData") for end in outcomes(delivery(partner, body))] == [None]
    # Without any of it this is a page of no events.
    if not array:
        assert outcomes(delivery(partner, compact({name: wrapped}).encode())) == []


ARRAY_CONTENTS: list[list[Any]] = [[], ["text"], [{}]]


@pytest.mark.parametrize("case", ONE_EVENT, ids=lambda case: case.name)
def test_an_event_with_a_member_like_the_array_of_events_is_still_an_event(case: Case) -> None:
    whole = case.delivery()
    body = json.loads(case.path.read_text())["body"]
    # A PutAuditEvents request, or its entry, has no member of its own: with one it is kept whole, as what it is not.
    if not isinstance(body, dict) or body.keys() & {"auditEvents", "eventData"}:
        return
    if [end for end in outcomes(whole) if "refused" in end]:
        return
    before = [end["eventData"]["eventName"] for end in outcomes(whole)]
    for name in ARRAYS:
        for array in ARRAY_CONTENTS:
            if name not in body:
                sent = delivery(case.partner, json.dumps(body | {name: array}).encode(), whole.headers, whole.proof)
                names = [end["eventData"]["eventName"] for end in outcomes(sent) if "eventData" in end]
                assert names == before, name
