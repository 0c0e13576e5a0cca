"""Event data stores: defaults, retention by pricing, termination protection, deletion and its seven days."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.lake.conftest import Account, Event, Refused

from trailhook_local.lake import LakeServer

EXTENDABLE: Final = "EXTENDABLE_RETENTION_PRICING"
FIXED: Final = "FIXED_RETENTION_PRICING"
DAY = 86_400


def test_the_defaults_are_those_of_the_documentation(account: Account) -> None:
    created = account.cloudtrail.create_event_data_store(Name="defaults")
    assert created["Status"] == "CREATED"
    found = account.cloudtrail.get_event_data_store(EventDataStore=created["EventDataStoreArn"])
    assert found["Status"] == "ENABLED"
    assert (found["BillingMode"], found["RetentionPeriod"]) == (EXTENDABLE, 366)
    assert (found["MultiRegionEnabled"], found["OrganizationEnabled"]) == (True, False)
    assert found["TerminationProtectionEnabled"] is True
    assert found["CreatedTimestamp"] == found["UpdatedTimestamp"]
    fixed = account.cloudtrail.create_event_data_store(Name="fixed", BillingMode=FIXED)
    assert fixed["RetentionPeriod"] == 2557


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": "ab"}, "InvalidParameterException"),
        ({"Name": "a/b/c"}, "InvalidParameterException"),
        ({"BillingMode": "FREE"}, "InvalidParameterException"),
        ({"RetentionPeriod": 6}, "InvalidParameterException"),
        ({"RetentionPeriod": 3654}, "InvalidParameterException"),
        ({"RetentionPeriod": 2558, "BillingMode": FIXED}, "InvalidParameterException"),
        ({"RetentionPeriod": "30"}, "InvalidParameterException"),
        ({"MultiRegionEnabled": "false"}, "InvalidParameterException"),
        ({"category": "AuditLog"}, "InvalidEventSelectorsException"),
        ({"AdvancedEventSelectors": [{"FieldSelectors": []}]}, "InvalidEventSelectorsException"),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventName", "Equals": ["x"]}]}]},
            "InvalidEventSelectorsException",
        ),
        (
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["ActivityAuditLog"]},
                            {"Field": "eventName", "Equals": ["x"]},
                        ]
                    }
                ]
            },
            "InvalidEventSelectorsException",
        ),
        ({"KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1"}, "InvalidKmsKeyIdException"),
        ({"TagsList": [{"Key": "aws:mine"}]}, "InvalidTagParameterException"),
    ],
)
def test_a_store_outside_the_rules_is_refused(
    account: Account, refused: Refused, changes: dict[str, Any], code: str
) -> None:
    assert refused(account.store, **{"name": "audit", **changes}) == code
    assert account.cloudtrail.list_event_data_stores()["EventDataStores"] == []


@pytest.mark.parametrize(("billing", "days"), [(EXTENDABLE, 7), (EXTENDABLE, 3653), (FIXED, 7), (FIXED, 2557)])
def test_the_ends_of_each_retention_range_are_allowed(account: Account, billing: str, days: int) -> None:
    store = account.store(BillingMode=billing, RetentionPeriod=days)
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["RetentionPeriod"] == days


def test_fixed_pricing_can_become_extendable_and_never_back(account: Account, refused: Refused) -> None:
    store = account.store(BillingMode=FIXED)
    update = account.cloudtrail.update_event_data_store
    assert refused(update, EventDataStore=store, RetentionPeriod=3000) == "InvalidParameterException"
    assert update(EventDataStore=store, BillingMode=EXTENDABLE, RetentionPeriod=3000)["BillingMode"] == EXTENDABLE
    assert refused(update, EventDataStore=store, BillingMode=FIXED) == "InvalidParameterException"


def test_a_kms_key_is_answered_as_arn_and_stays(account: Account, refused: Refused) -> None:
    store = account.store(KmsKeyId="alias/audit")
    found = account.cloudtrail.get_event_data_store(EventDataStore=store)
    assert found["KmsKeyId"] == "arn:aws:kms:us-east-1:111122223333:alias/audit"
    update = account.cloudtrail.update_event_data_store
    assert refused(update, EventDataStore=store, KmsKeyId="alias/other") == "InvalidParameterException"
    assert update(EventDataStore=store, KmsKeyId="alias/audit")["Name"] == "audit"


def test_a_lower_retention_deletes_what_is_older_by_its_own_time(account: Account, event: Event) -> None:
    store = account.store(RetentionPeriod=3653)
    channel = account.channel(store)
    account.put(channel, event("old", eventTime="2020-01-01T00:00:00Z"), event("new", eventTime="2126-01-01T00:00:00Z"))
    account.cloudtrail.update_event_data_store(EventDataStore=store, RetentionPeriod=3652)
    assert account.count(store) == 2
    account.cloudtrail.update_event_data_store(EventDataStore=store, RetentionPeriod=7)
    assert account.rows("SELECT eventdata.uid AS uid FROM {eds}", store) == [{"uid": "uid-new"}]


def test_names_are_taken_once(account: Account, refused: Refused) -> None:
    account.store("one")
    two = account.store("two")
    assert refused(account.store, "one") == "EventDataStoreAlreadyExistsException"
    rename = account.cloudtrail.update_event_data_store
    assert refused(rename, EventDataStore=two, Name="one") == "EventDataStoreAlreadyExistsException"


def test_ten_stores_a_region_and_those_pending_deletion_count(account: Account, refused: Refused) -> None:
    stores = [account.store(f"store-{n}", TerminationProtectionEnabled=False) for n in range(10)]
    account.cloudtrail.delete_event_data_store(EventDataStore=stores[0])
    assert refused(account.store, "eleventh") == "EventDataStoreMaxLimitExceededException"


def test_deletion_is_held_up_by_protection_and_by_channels(account: Account, refused: Refused) -> None:
    store = account.store()
    channel = account.channel(store)
    delete = account.cloudtrail.delete_event_data_store
    assert refused(delete, EventDataStore=store) == "EventDataStoreTerminationProtectedException"
    account.cloudtrail.update_event_data_store(EventDataStore=store, TerminationProtectionEnabled=False)
    assert refused(delete, EventDataStore=store) == "ChannelExistsForEDSException"
    account.cloudtrail.delete_channel(Channel=channel)
    delete(EventDataStore=store)
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["Status"] == "PENDING_DELETION"
    assert refused(delete, EventDataStore=store) == "InactiveEventDataStoreException"


def test_a_store_that_a_channel_uses_stays_fit_for_it(account: Account, refused: Refused) -> None:
    store = account.store()
    account.channel(store)
    update = account.cloudtrail.update_event_data_store
    assert refused(update, EventDataStore=store, MultiRegionEnabled=True) == "InvalidParameterException"


def test_a_store_pending_deletion_comes_back_with_its_events(account: Account, refused: Refused, event: Event) -> None:
    store = account.store(TerminationProtectionEnabled=False)
    channel = account.channel(store)
    account.put(channel, event())
    account.cloudtrail.delete_channel(Channel=channel)
    restore = account.cloudtrail.restore_event_data_store
    assert refused(restore, EventDataStore=store) == "InvalidEventDataStoreStatusException"
    account.cloudtrail.delete_event_data_store(EventDataStore=store)
    assert refused(account.count, store) == "InactiveEventDataStoreException"
    update = account.cloudtrail.update_event_data_store
    assert refused(update, EventDataStore=store, RetentionPeriod=7) == "InactiveEventDataStoreException"
    assert restore(EventDataStore=store)["Status"] == "ENABLED"
    assert account.count(store) == 1


def test_seven_days_after_its_deletion_a_store_is_gone(new_account: Callable[[str], Account], refused: Refused) -> None:
    now = [1_800_000_000.0]
    with LakeServer(clock=lambda: now[0]) as lake:
        account = new_account(lake.url)
        store = account.store(TerminationProtectionEnabled=False)
        account.cloudtrail.delete_event_data_store(EventDataStore=store)
        now[0] += 7 * DAY
        assert account.cloudtrail.get_event_data_store(EventDataStore=store)["Status"] == "PENDING_DELETION"
        now[0] += 1
        gone = refused(account.cloudtrail.restore_event_data_store, EventDataStore=store)
        assert gone == "EventDataStoreNotFoundException"


def test_only_ingestion_of_aws_events_can_be_stopped(account: Account, refused: Refused) -> None:
    audit, management = account.store("audit"), account.store("management", category="Management")
    stop, start = (
        account.cloudtrail.stop_event_data_store_ingestion,
        account.cloudtrail.start_event_data_store_ingestion,
    )
    assert refused(stop, EventDataStore=audit) == "InvalidEventDataStoreCategoryException"
    assert refused(start, EventDataStore=management) == "InvalidEventDataStoreStatusException"
    stop(EventDataStore=management)
    assert account.cloudtrail.get_event_data_store(EventDataStore=management)["Status"] == "STOPPED_INGESTION"
    start(EventDataStore=management)
    assert account.cloudtrail.get_event_data_store(EventDataStore=management)["Status"] == "ENABLED"
