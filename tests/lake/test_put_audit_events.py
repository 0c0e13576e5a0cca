"""PutAuditEvents: the batch's limits, each field's limits with their documented codes, and nothing cut or repaired."""

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.lake.conftest import Account, Event, Refused

from trailhook_local.lake import LakeServer

Put = Callable[..., Any]


@pytest.fixture(scope="module")
def put(new_account: Callable[..., Account]) -> Iterator[Put]:
    """Puts entries on a channel that all tests of this module share, since none of them looks at what it holds."""
    with LakeServer() as lake:
        account = new_account(lake.url)
        yield functools.partial(account.put, account.channel())


def failure(answer: Any) -> str:
    """The code of the only entry, which must have failed."""
    assert answer["successful"] == []
    return str(answer["failed"][0]["errorCode"])


def test_each_entry_is_answered_by_its_id_and_gets_an_event_id_of_its_own(account: Account, event: Event) -> None:
    store = account.store()
    channel = account.channel(store)
    answer = account.put(channel, event("a"), event("b", eventTime="yesterday"), event("c"))
    assert [entry["id"] for entry in answer["successful"]] == ["a", "c"]
    assert [(entry["id"], entry["errorCode"]) for entry in answer["failed"]] == [("b", "InvalidData")]
    assert answer["failed"][0]["errorMessage"]
    stored = {row["eventid"] for row in account.rows("SELECT eventid FROM {eds}", store)}
    assert stored == {entry["eventID"] for entry in answer["successful"]}


def test_the_same_event_sent_again_is_another_event(account: Account, event: Event) -> None:
    store = account.store()
    channel = account.channel(store)
    ids = {account.put(channel, event())["successful"][0]["eventID"] for _ in range(3)}
    assert len(ids) == account.count(store) == 3


def test_a_channel_delivers_to_all_its_stores(account: Account, event: Event) -> None:
    stores = [account.store("one"), account.store("two")]
    account.put(account.channel(*stores), event())
    assert [account.count(store) for store in stores] == [1, 1]


@pytest.mark.parametrize("count", [1, 100])
def test_a_request_takes_1_to_100_events(put: Put, event: Event, count: int) -> None:
    answer = put(*(event(f"e{n}") for n in range(count)))
    assert len(answer["successful"]) == count


@pytest.mark.parametrize("count", [0, 101])
def test_a_request_of_no_or_101_events_is_refused(account: Account, refused: Refused, event: Event, count: int) -> None:
    store = account.store()
    assert (
        refused(account.put, account.channel(store), *(event(f"e{n}") for n in range(count))) == "ValidationException"
    )
    assert account.count(store) == 0


@pytest.mark.parametrize("id_", ["", "a" * 129, "a b", "a.b", "ä", "a\n", "٣"])
def test_an_id_outside_its_pattern_fails_the_request(put: Put, refused: Refused, event: Event, id_: str) -> None:
    assert refused(put, event("good"), event(id_)) == "ValidationException"


def test_an_id_of_128_characters_passes(put: Put, event: Event) -> None:
    assert put(event("-_aZ9" + "x" * 123))["failed"] == []


def test_two_equal_ids_fail_the_request(account: Account, refused: Refused, event: Event) -> None:
    store = account.store()
    twice = [event("same"), event("same", eventName="repo.delete")]
    assert refused(account.put, account.channel(store), *twice) == "DuplicatedAuditEventId"
    assert account.count(store) == 0


def test_a_request_body_of_one_megabyte_is_the_end(put: Put, refused: Refused, event: Event) -> None:
    # Each event stays under its own limit; the request has 60 bytes besides the padding of the last.
    entries = [event(f"e{n}", userIdentity=identity("x" * 199_000)) for n in range(4)]
    last = event("last", userIdentity=identity(""))
    size = len(json.dumps({"auditEvents": [*entries, last]}).encode())
    fitting = event("last", userIdentity=identity("x" * (1_000_000 - size)))
    assert put(*entries, fitting)["failed"] == []
    too_long = event("last", userIdentity=identity("x" * (1_000_001 - size)))
    assert refused(put, *entries, too_long) == "RequestEntityTooLargeException"


def identity(padding: str) -> dict[str, Any]:
    return {"type": "User", "principalId": "octocat", "details": {"padding": padding}}


def test_an_event_of_256_kb_is_the_end(put: Put, event: Event) -> None:
    size = len(event("e", userIdentity=identity(""))["eventData"])
    assert put(event("e", userIdentity=identity("x" * (256_000 - size))))["failed"] == []
    assert failure(put(event("e", userIdentity=identity("x" * (256_001 - size))))) == "FieldTooLong"


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("version", 256),
        ("userAgent", 1024),
        ("eventSource", 1024),
        ("eventName", 1024),
        ("UID", 1024),
        ("errorCode", 256),
        ("errorMessage", 256),
    ],
)
def test_a_string_may_have_as_many_characters_as_its_limit(put: Put, event: Event, field: str, limit: int) -> None:
    for character, width in (("x", 1), ("ü", 1), ("😀", 2)):
        assert put(event(**{field: character * (limit // width)}))["failed"] == []
        assert failure(put(event(**{field: character * (limit // width + 1)}))) == "FieldTooLong"


@pytest.mark.parametrize(("field", "limit"), [("type", 128), ("principalId", 1024)])
def test_the_identitys_strings_have_limits_too(put: Put, event: Event, field: str, limit: int) -> None:
    rightful = {"type": "User", "principalId": "octocat"}
    assert put(event(userIdentity={**rightful, field: "x" * limit}))["failed"] == []
    too_long = put(event(userIdentity={**rightful, field: "x" * (limit + 1)}))
    assert failure(too_long) == "FieldTooLong"
    rightful.pop(field)
    assert failure(put(event(userIdentity=rightful))) == "FieldNotFound"


@pytest.mark.parametrize(
    ("field", "limit"), [("requestParameters", 100_000), ("responseElements", 100_000), ("additionalEventData", 28_000)]
)
def test_an_object_is_measured_in_bytes_of_compact_json(put: Put, event: Event, field: str, limit: int) -> None:
    for character, width in (("x", 1), ("ü", 2)):
        longest = {"k": character * ((limit - len('{"k":""}')) // width)}
        assert put(event(**{field: longest}))["failed"] == []
        longest["k"] += character
        assert failure(put(event(**{field: longest}))) == "FieldTooLong"


@pytest.mark.parametrize(
    "field", ["version", "userIdentity", "eventSource", "eventName", "eventTime", "UID", "recipientAccountId"]
)
def test_a_required_field_that_is_missing_is_not_found(put: Put, event: Event, field: str) -> None:
    assert failure(put(event(**{field: None}))) == "FieldNotFound"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"eventTime": "2026-01-02 03:04:05"}, "InvalidData"),
        ({"eventTime": "2026-01-02T03:04:05.000Z"}, "InvalidData"),
        ({"eventTime": "2026-01-02T03:04:05+00:00"}, "InvalidData"),
        ({"eventTime": "2026-02-30T03:04:05Z"}, "InvalidData"),
        ({"eventTime": "2026-01-02T24:00:00Z"}, "InvalidData"),
        ({"eventTime": "\uff12026-01-02T03:04:05Z"}, "InvalidData"),
        ({"eventTime": 1767323045}, "InvalidData"),
        ({"eventName": ""}, "InvalidData"),
        ({"eventName": 7}, "InvalidData"),
        ({"requestParameters": "text"}, "InvalidData"),
        ({"requestParameters": ["list"]}, "InvalidData"),
        ({"userIdentity": "octocat"}, "InvalidData"),
        ({"userIdentity": {"type": "User", "principalId": "o", "name": "x"}}, "InvalidData"),
        ({"userIdentity": {"type": "User", "principalId": "o", "details": "x"}}, "InvalidData"),
        ({"sourceIPAddress": "localhost"}, "InvalidData"),
        ({"sourceIPAddress": "192.0.2.256"}, "InvalidData"),
        ({"sourceIPAddress": "192.0.2.1:443"}, "InvalidData"),
        ({"sourceIPAddress": "fe80::1%eth0"}, "InvalidData"),
        ({"sourceIPAddress": ""}, "InvalidData"),
        ({"surprise": 1}, "InvalidData"),
        ({"uid": "lower case"}, "InvalidData"),
        ({"recipientAccountId": "444455556666"}, "InvalidRecipient"),
        ({"recipientAccountId": "1111"}, "InvalidRecipient"),
        ({"recipientAccountId": 111122223333}, "InvalidRecipient"),
        ({"eventSource": "s3.amazonaws.com"}, "InvalidEventSource"),
        ({"eventSource": "S3.AmazonAWS.com"}, "InvalidEventSource"),
    ],
)
def test_a_field_outside_the_schema_has_its_documented_code(
    put: Put, event: Event, changes: dict[str, Any], code: str
) -> None:
    assert failure(put(event(**changes))) == code


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
def test_addresses_of_both_families_are_taken(put: Put, event: Event, address: str) -> None:
    assert put(event(sourceIPAddress=address))["failed"] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '"text"',
        '{"a": NaN}',
        '{"a": 1e400}',
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 2}}',
        r'{"a": "\ud800"}',
        "\ufeff{}",
        '{"a": "raw\ttab"}',
        "{'a': 1}",
        "[" * 100_000 + "]" * 100_000,
        "9" * 5_000,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_not_strict_json_is_invalid_data(put: Put, text: str) -> None:
    assert failure(put({"id": "e", "eventData": text})) == "InvalidData"


def test_deep_nesting_inside_an_object_is_refused_or_kept_whole(put: Put, event: Event) -> None:
    entry = event(requestParameters={"deep": []})
    entry["eventData"] = entry["eventData"].replace("[]", "[" * 5_000 + "]" * 5_000)
    assert failure(put(entry)) == "InvalidData"


def test_the_checksum_is_the_base64_sha256_of_the_text(put: Put, event: Event) -> None:
    entry = event(eventName="übung")
    digest = hashlib.sha256(entry["eventData"].encode()).digest()
    assert put({**entry, "eventDataChecksum": base64.b64encode(digest).decode()})["failed"] == []
    for wrong in (digest.hex(), base64.b64encode(digest[::-1]).decode(), ""):
        assert failure(put({**entry, "eventDataChecksum": wrong})) == "InvalidChecksum"


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("01234567-89ab-cdef-0123-456789abcdef", "InvalidChannelARN"),
        ("arn:aws:cloudtrail:us-east-1:111122223333:channel/nope", "InvalidChannelARN"),
        (
            "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/01234567-89ab-cdef-0123-456789abcdef",
            "InvalidChannelARN",
        ),
        ("arn:aws:cloudtrail:us-east-1:111122223333:channel/01234567-89ab-cdef-0123-456789abcdef", "ChannelNotFound"),
    ],
)
def test_the_channel_is_named_by_its_arn(account: Account, refused: Refused, event: Event, arn: str, code: str) -> None:
    assert refused(account.put, arn, event()) == code


def test_every_character_that_json_can_carry_survives(account: Account, event: Event) -> None:
    store = account.store()
    text = "\u0000 \t\n\"\\ ü 漢 😀 \ufffe \uffff '{}' %s"
    account.put(account.channel(store), event(eventName=text, requestParameters={text: text, "": ""}))
    sql = "SELECT eventdata.eventname AS name, map_keys(eventdata.requestparameters) AS k FROM {eds}"
    assert account.rows(sql, store) == [{"name": text, "k": f"[{text}, ]"}]
