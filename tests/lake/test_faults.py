"""Faults on demand: each kind, its chance and its count, over the admin endpoint."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ConnectionClosedError
from tests.fakes import MemoryClock
from tests.lake.conftest import OWNER, Account, Event, Refused

from trailhook_local.lake import LakeServer

Admin = Callable[..., Any]


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock(1_800_000_000)


@pytest.fixture
def lake(clock: MemoryClock) -> Iterator[LakeServer]:
    with LakeServer(account=OWNER, clock=clock.now) as server:
        yield server


@pytest.fixture
def admin(lake: LakeServer) -> Admin:
    """`admin("PUT", "faults", rules=[…])` returns (status, JSON)."""

    def call(method: str, name: str, **body: Any) -> tuple[int, Any]:
        with urllib3.PoolManager() as http:
            answer = http.request(method, f"{lake.url}/_local/{name}", body=json.dumps(body).encode())
            return answer.status, answer.json()

    return call


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("InternalFailure", 500),
        ("ServiceUnavailable", 503),
        ("ChannelNotFound", 400),
        ("ChannelInsufficientPermission", 400),
        ("UnsupportedOperationException", 400),
    ],
)
def test_an_error_comes_as_often_as_asked_for(
    account: Account, admin: Admin, event: Event, code: str, status: int
) -> None:
    store = account.store()
    channel = account.channel(store)
    admin("PUT", "faults", rules=[{"kind": "error", "operations": ["PutAuditEvents"], "code": code, "count": 2}])
    for _ in range(2):
        with pytest.raises(account.data.exceptions.ClientError) as caught:
            account.put(channel, event())
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert account.put(channel, event())["failed"] == []
    assert account.count(store) == 1
    assert admin("GET", "faults")[1]["rules"][0]["count"] == 0


def test_an_error_comes_as_the_exception_of_its_code_with_the_message_that_was_given(
    account: Account, admin: Admin
) -> None:
    admin("PUT", "faults", rules=[{"kind": "error", "code": "UnsupportedOperationException", "message": "Not you."}])
    with pytest.raises(account.cloudtrail.exceptions.UnsupportedOperationException) as caught:
        account.store()
    assert caught.value.response["Error"]["Message"] == "Not you."


def test_entries_are_rejected_by_id_by_uid_and_by_chance(account: Account, admin: Admin, event: Event) -> None:
    channel = account.channel()
    rules = [
        {"kind": "reject_entry", "code": "InternalFailure", "id_contains": "bad"},
        {"kind": "reject_entry", "code": "AccountNotSubscribed", "uid_contains": "uid-worse"},
    ]
    admin("PUT", "faults", rules=rules)
    answer = account.put(channel, event("good"), event("bad-1"), event("worse-2"))
    assert [entry["id"] for entry in answer["successful"]] == ["good"]
    assert [entry["errorCode"] for entry in answer["failed"]] == ["InternalFailure", "AccountNotSubscribed"]

    def run(seed: int) -> list[str]:
        admin("PUT", "faults", seed=seed, rules=[{"kind": "reject_entry", "code": "Throttling", "probability": 0.5}])
        answer = account.put(channel, *(event(f"e{n}") for n in range(40)))
        return [entry["id"] for entry in answer["failed"]]

    assert run(7) == run(7) != run(8)
    assert 5 < len(run(7)) < 35


@pytest.mark.parametrize(("kind", "stored"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_leaves_the_caller_in_the_dark(
    account: Account, admin: Admin, event: Event, kind: str, stored: int
) -> None:
    store = account.store()
    channel = account.channel(store)
    admin("PUT", "faults", rules=[{"kind": kind, "operations": ["PutAuditEvents"], "count": 1}])
    with pytest.raises(ConnectionClosedError):
        account.put(channel, event())
    assert account.count(store) == stored
    assert account.put(channel, event())["failed"] == []
    assert admin("GET", "stats")[1]["requests"]["PutAuditEvents"] == {"dropped": 1, "ok": 1}


def test_a_delay_holds_the_answer_back(account: Account, admin: Admin, event: Event) -> None:
    channel = account.channel()
    admin("PUT", "faults", rules=[{"kind": "delay", "milliseconds": 150, "count": 1}])
    began = time.monotonic()
    account.put(channel, event())
    assert time.monotonic() - began >= 0.15


def test_real_rates_let_a_second_kind_of_call_wait_its_turn(
    account: Account, admin: Admin, refused: Refused, clock: MemoryClock
) -> None:
    assert admin("PUT", "faults", rates="real")[1]["rates"] == {"PutAuditEvents": 100.0, "read": 10.0, "other": 1.0}
    account.store("first")
    assert refused(account.store, "second") == "ThrottlingException"
    for _ in range(10):
        account.cloudtrail.list_channels()
    clock.time += 1
    account.store("second")
    admin("PUT", "faults", rates={"PutAuditEvents": 1, "read": 1})
    account.store("third")
    account.cloudtrail.list_channels()
    assert refused(account.cloudtrail.list_channels) == "ThrottlingException"


def test_a_store_can_take_its_time_to_start(
    account: Account, admin: Admin, refused: Refused, clock: MemoryClock
) -> None:
    admin("PUT", "faults", event_data_store_start_seconds=60)
    store = account.store()
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["Status"] == "CREATED"
    assert refused(account.channel, store) == "InactiveEventDataStoreException"
    clock.time += 60
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["Status"] == "ENABLED"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"rules": [{"kind": "explode"}]}, "kind must be one of error, delay,"),
        ({"rules": [{"kind": "delay"}]}, "delay needs milliseconds above 0"),
        ({"rules": [{"kind": "drop_after", "milliseconds": 5}]}, "milliseconds belongs to delay, not to drop_after"),
        ({"rules": [{"kind": "drop_before", "code": "InternalFailure"}]}, "code belongs to error and reject_entry"),
        (
            {"rules": [{"kind": "error", "code": "InternalFailure", "uid_contains": "42"}]},
            "uid_contains belongs to reject_entry, not to error",
        ),
        ({"rules": [{"kind": "drop_before", "id_contains": "a"}]}, "id_contains belongs to reject_entry"),
        ({"rules": [{"kind": "drop_after", "message": "no"}]}, "message belongs to error and reject_entry"),
        (
            {"rules": [{"kind": "reject_entry", "code": "InvalidData", "operations": ["StartQuery"]}]},
            "operations of reject_entry are PutAuditEvents alone",
        ),
        ({"rules": [{"kind": "error", "code": "NoSuchException"}]}, "ThrottlingException, "),
        ({"rules": [{"kind": "error"}]}, "code of error must be one of"),
        ({"rules": [{"kind": "reject_entry", "code": "ThrottlingException"}]}, "code of reject_entry must be one of"),
        ({"rules": [{"kind": "delay", "probability": 2}]}, "<= 1.0 - at `$[0].probability`"),
        ({"rules": [{"kind": "delay", "probability": "often"}]}, "at `$[0].probability`"),
        ({"rules": [{"kind": "delay", "seconds": 2}]}, "unknown field `seconds` - at `$[0]`"),
        ({"rules": [{"kind": "delay", "milliseconds": -1}]}, "at `$[0].milliseconds`"),
        ({"rules": [{"kind": "delay", "milliseconds": "150"}]}, "at `$[0].milliseconds`"),
        ({"rules": [{"kind": "delay", "count": "2"}]}, "at `$[0].count`"),
        ({"rules": [{"kind": "delay", "id_contains": 5}]}, "at `$[0].id_contains`"),
        ({"rules": [{"kind": "delay", "operations": "PutAuditEvents"}]}, "at `$[0].operations`"),
        (
            {"rules": [{"kind": "drop_before", "operations": ["CreateChannel", "PutAuditEvent"]}]},
            "the Lake has no PutAuditEvent; it has AddTags, CancelQuery, CreateChannel,",
        ),
        ({"rules": [None]}, "at `$.rules[0]`"),
        ({"rules": {"kind": "delay"}}, "at `$.rules`"),
        ({"rule": []}, "unknown field `rule`"),
        ({"seed": []}, "at `$.seed`"),
        ({"rates": {"PutAuditEvent": 5}}, "a second of PutAuditEvents, read, other"),
        ({"rates": {"read": "fast"}}, "at `$.rates[...]`"),
        ({"rates": 5}, "at `$.rates`"),
        ({"event_data_store_start_seconds": "soon"}, "at `$.event_data_store_start_seconds`"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name_and_changes_nothing(
    admin: Admin, settings: dict[str, Any], named: str
) -> None:
    admin("PUT", "faults", rules=[{"kind": "delay", "milliseconds": 1}], rates="real")
    before = admin("GET", "faults")
    status, answer = admin("PUT", "faults", **settings)
    assert status == 400
    assert named in answer["message"]
    assert admin("GET", "faults") == before


def test_the_counts_tell_each_operations_outcomes(
    account: Account, admin: Admin, refused: Refused, event: Event
) -> None:
    store = account.store()
    channel = account.channel(store)
    account.put(channel, event("a"), event("b", eventName=None))
    refused(account.put, channel, event("a"), event("a"))
    stats = admin("GET", "stats")[1]
    assert stats["requests"]["PutAuditEvents"] == {"ok": 1, "DuplicatedAuditEventId": 1}
    assert stats["requests"]["CreateChannel"] == {"ok": 1}
    assert stats["entries"] == {"accepted": 1, "FieldNotFound": 1}
    assert stats["stores"] == {store.rpartition("/")[2]: 1}
