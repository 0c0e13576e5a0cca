"""What only the custom partner has: PutAuditEvents' own form, and an event source that somebody names."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.partners.cases import SCHEMA_EVENT, compact, delivery, event_data, outcomes, refusal

from trailhook.errors import SettingsError, UnmappableEvent
from trailhook.partner import Options
from trailhook.partners import REGISTRY, load_partner
from trailhook.reserved_source import PARTNERS


def test_plain_webhooks_get_the_operators_event_source() -> None:
    partner = load_partner("custom", Options(event_source="lamps.example.com"))
    [event] = partner.events(delivery("custom", compact({"type": "lamp.lit"}).encode()))
    fields = partner.to_audit_event(event).fields
    assert fields["eventSource"] == "lamps.example.com"
    assert fields["userIdentity"] == {"type": "Service", "principalId": "lamps.example.com"}


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "1", "eventData": json.dumps(SCHEMA_EVENT)},
        {"id": "1", "eventData": SCHEMA_EVENT},
        {"id": "1", "eventData": json.dumps(SCHEMA_EVENT), "eventDataChecksum": "wrong"},
        {"id": "1", "eventData": json.dumps(SCHEMA_EVENT), "type": "lamp.lit"},
        {"id": "1", "eventData": "{", "specversion": "1.0"},
        {"id": "1", "eventData": json.dumps(SCHEMA_EVENT), "comment": "more than an entry says"},
        {"id": "1"},
        SCHEMA_EVENT,
    ],
)
def test_an_entry_of_a_request_is_read_alone_as_it_is_among_others(entry: dict[str, Any]) -> None:
    good = {"id": "0", "eventData": json.dumps(SCHEMA_EVENT | {"UID": "0"})}
    [_, among] = outcomes(delivery("custom", compact({"auditEvents": [good, entry]}).encode()))
    assert outcomes(delivery("custom", compact(entry).encode())) == [among]


@pytest.mark.parametrize(
    "outer",
    [
        SCHEMA_EVENT | {"eventName": "PutAuditEvents"},
        {"specversion": "1.0", "id": "1", "source": "lamps", "type": "export.failed"},
        {"type": "export.failed", "timestamp": "2025-11-05T08:30:00Z"},
        {"comment": "none of these"},
    ],
)
@pytest.mark.parametrize(
    "entry", [{"id": "0", "eventData": json.dumps(SCHEMA_EVENT)}, {"id": "0", "eventData": None}, SCHEMA_EVENT]
)
def test_what_an_event_quotes_is_no_event(outer: dict[str, Any], entry: dict[str, Any]) -> None:
    body = compact(outer | {"auditEvents": [entry]}).encode()
    [event] = load_partner("custom", Options()).events(delivery("custom", body))
    assert event.original == body
    [end] = outcomes(delivery("custom", body))
    assert end.get("refused") == ("UnknownForm" if "comment" in outer else None)


@pytest.mark.parametrize(
    "name",
    [
        "s3.amazonaws.com",
        "s3.amazonaws.com.cn",
        "signin.aws.amazon.com",
        "aws.s3",
        "aws:s3",
        "aws/s3",
        "arn:aws-cn:s3:::lamps",
        "AWS",
        " arn:aws:iam::111122223333:root",
        "s3.amazon\u200baws.com",
        "s3.amazonaws\u3002com",
        "s3.amazonaws\uff0ecom",
        "s3.amazonaws\uff61com",
        "s3.amazonaws\ufe52com",
        "\uff41\uff57\uff53.s3",
        "s3.amazon\u200daws.com",
        "s3.amazon\u00adaws.com",
        "s3.amazon\ufeffaws.com",
        "s3.amazon\u202eaws.com",
        "s3.amazon\ufe0faws.com",
        "s3.amazon\u034faws.com",
        "s3.amazon\u3164aws.com",
        "s3.amazon\U000e0101aws.com",
        "s3.amazon\x00aws.com",
        "\ufeff aws.s3",
        "lamps\namazonaws.com",
        "lamps\x00amazonaws.com",
        "s3.amazonaws\x1f.com",
        "s3.amazon\naws.com",
        "aw\x1fs",
        "x\namazonaws\u200b.com",
        "x\tamazonaws\u00ad.com",
        "s3\u2800amazonaws.c\u200bom",
        "my\u200bamazonaws.com",
        "s3.amazon\u2800aws.com",
        "s3.amaz\u043enaws.com",
        "s3.arnazonaws.com",
        "s3.amaz0naws.com",
        "s3.amazonaws.com.",
        "s3.amazonaws,com",
        "s3,amazonaw5.com",
        "avvs.s3",
    ],
)
def test_an_event_source_that_reads_like_aws_is_refused_of_the_operator_and_of_a_sender(name: str) -> None:
    with pytest.raises(SettingsError, match="EVENT_SOURCE"):
        load_partner("custom", Options(event_source=name))
    assert refusal("custom", SCHEMA_EVENT | {"eventSource": name}) == "InvalidEventSource"


def test_a_sender_says_nothing_in_trailhooks_name() -> None:
    said = {"eventTimeSource": "receipt", "unsigned": [], "redacted": [], "truncated": True, "originalSha256": "0"}
    said |= {"otherMembers": {"eventTime": "2026-01-01T00:00:00Z"}}
    event = event_data("custom", SCHEMA_EVENT | {"additionalEventData": {"shift": "night"} | said})
    assert event["additionalEventData"] == {"shift": "night", "otherMembers": {"additionalEventData": said}}


def test_what_is_said_of_an_event_has_its_place_whatever_its_sender_says() -> None:
    said = {"redacted": ["none"], "truncated": ["none"], "originalSha256": "0"}
    body = {"requestParameters": {"password": "hunter2", "text": "x" * 100_000}, "additionalEventData": said}
    additional = event_data("custom", SCHEMA_EVENT | body)["additionalEventData"]
    assert additional["redacted"] == ["requestParameters.password"]
    assert additional["truncated"] == ["requestParameters.text"]
    assert additional["originalSha256"] != "0"
    assert additional["otherMembers"] == {"additionalEventData": said}


CLOUD_EVENT = {"specversion": "1.0", "id": "1", "type": "lamp.lit", "source": "lamps.example.com"}


def sources_of_others() -> set[str]:
    """What the golden files of every other partner have as their event source."""
    goldens = Path(__file__).parent.glob("fixtures/*/*.expected.json")
    events = (event for file in goldens if file.parent.name != "custom" for event in json.loads(file.read_text()))
    return {event["eventData"]["eventSource"] for event in events if "eventData" in event}


def test_every_other_partners_event_source_is_known_by_its_partner() -> None:
    assert set(PARTNERS) == sources_of_others()
    assert {*PARTNERS.values(), "custom"} == set(REGISTRY)


@pytest.mark.parametrize(
    "name",
    [
        *PARTNERS,
        *("GitHub.com", " okta.com", "okta .com", "okta.com.", "okta.com/", "//okta.com", "'okta.com'", "okta.com:"),
        *(
            "gitIab.com",
            "s1ack.com",
            "c|oudflare.com",
            "siack.com",
            "zo0m.us",
            "terraforrn.io",
            "vviz.io",
            "doudflare.com",
            "crowclstrike.com",
            "Ipassword.com",
            "okta,com",
            "5lack.com",
            "w!z.io",
        ),
        *("okta\u200b.com", "okta\u00ad.com", "okta.com\n", "\uff4fkta.com", "okta\u3002com"),
        *(
            "\u043ekta.com",
            "okt\u0251.com",
            "g\u0131thub.com",
            "o\u0331kta.com",
            "\u1d0f\u1d0b\u1d1b\u1d00.\u1d04\u1d0f\u1d0d",
        ),
    ],
)
def test_a_sender_does_not_write_the_history_of_a_partner(name: str) -> None:
    assert refusal("custom", SCHEMA_EVENT | {"eventSource": name}) == "InvalidEventSource"
    assert refusal("custom", CLOUD_EVENT | {"source": name}) == "InvalidEventSource"


@pytest.mark.parametrize("body", [SCHEMA_EVENT | {"eventSource": "okta.com"}, CLOUD_EVENT | {"source": "okta.com"}])
def test_the_operator_grants_a_stack_the_one_partners_event_source_that_it_is_for(body: Any) -> None:
    granted, other = (load_partner("custom", Options(event_source=name)) for name in ("okta.com", "github.com"))
    [event] = granted.events(delivery("custom", compact(body).encode()))
    assert granted.to_audit_event(event).fields["eventSource"] == "okta.com"
    with pytest.raises(UnmappableEvent, match="belongs to okta; name it in EventSource"):
        other.to_audit_event(event)


@pytest.mark.parametrize(
    "name",
    [
        "github.example.com",
        "https://github.com/lampworks/lamp",
        "notokta.com",
        "okta.com.example.com",
        "laws.example.com",
        "myamazonaws.com",
        "my-amazonaws.com",
        "awslamps",
        "lamps.aws",
        "lamps:arn:aws:s3",
        "amazonaws-com",
        "xn--zo-hia.example.com",
        "xn--kta-5cd.com",
        "Payroll, the old one",
        "/lamps/north",
    ],
)
def test_an_event_source_of_anybody_else_stays_as_it_is_written(name: str) -> None:
    assert event_data("custom", SCHEMA_EVENT | {"eventSource": name})["eventSource"] == name


def test_an_event_source_that_may_read_like_any_other_is_no_senders_and_no_operators() -> None:
    """No list of look-alikes is complete, so each letter beyond ASCII counts as one."""
    name = "zo\u00eb.example.com"
    assert refusal("custom", SCHEMA_EVENT | {"eventSource": name}) == "InvalidEventSource"
    with pytest.raises(SettingsError, match="EVENT_SOURCE"):
        load_partner("custom", Options(event_source=name))


@pytest.mark.parametrize(
    "written",
    ["2025-11-05T08:30:05.678Z", "2025-11-05T10:30:05+02:00", "2025-11-05T08:30:05", 1_762_331_405_678, 1_762_331_405],
)
def test_a_time_of_another_form_than_cloudtrails_is_kept_beside_it(written: Any) -> None:
    event = event_data("custom", SCHEMA_EVENT | {"eventTime": written})
    assert event["eventTime"] == "2025-11-05T08:30:05Z"
    assert event["additionalEventData"] == {"otherMembers": {"eventTime": written}}


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_address_of_another_form_is_kept_beside_it(written: str, at: str) -> None:
    event = event_data("custom", SCHEMA_EVENT | {"sourceIPAddress": written})
    assert event["sourceIPAddress"] == at
    assert event["additionalEventData"] == {"otherMembers": {"sourceIPAddress": written}}


@pytest.mark.parametrize("name", ["userAgent", "errorCode", "errorMessage", "version", "sourceIPAddress"])
@pytest.mark.parametrize("odd", [False, [], {}, [0], " "])
def test_what_is_no_text_is_kept_beside_the_schemas_members_also_if_it_is_false_or_empty(name: str, odd: Any) -> None:
    event = event_data("custom", SCHEMA_EVENT | {name: odd})
    assert event.get(name) == ("1" if name == "version" else None)
    assert event["additionalEventData"] == {"otherMembers": {name: odd}}


def test_a_time_as_cloudtrail_writes_it_stands_there_once() -> None:
    assert "additionalEventData" not in event_data("custom", SCHEMA_EVENT | {"eventTime": "2025-11-05T08:30:05Z"})
