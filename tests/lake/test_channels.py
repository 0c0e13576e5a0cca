"""Channels: one per source, sources of the catalogue, destinations that can take their events."""

from typing import Any

import pytest
from tests.lake.conftest import Account, Event, Refused


def test_a_channel_is_described_as_it_was_created(account: Account) -> None:
    store = account.store()
    created = account.cloudtrail.create_channel(
        Name="okta",
        Source="OktaSystemLogEvents",
        Destinations=[{"Type": "EVENT_DATA_STORE", "Location": store}],
        Tags=[{"Key": "team", "Value": "security"}],
    )
    assert created["ChannelArn"].startswith("arn:aws:cloudtrail:us-east-1:111122223333:channel/")
    assert created["Tags"] == [{"Key": "team", "Value": "security"}]
    for name in (created["ChannelArn"], created["ChannelArn"].rpartition("/")[2]):
        found = account.cloudtrail.get_channel(Channel=name)
        assert (found["Name"], found["Source"]) == ("okta", "OktaSystemLogEvents")
        assert found["Destinations"] == [{"Type": "EVENT_DATA_STORE", "Location": store}]
        assert found["IngestionStatus"] == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Source": "Hooli"}, "InvalidSourceException"),
        ({"Source": "github"}, "InvalidSourceException"),
        ({"Source": ""}, "InvalidSourceException"),
        ({"Name": "ab"}, "InvalidParameterException"),
        ({"Name": "a" * 129}, "InvalidParameterException"),
        ({"Name": "with space"}, "InvalidParameterException"),
        ({"Name": "umlaut-ä"}, "InvalidParameterException"),
        ({"Name": None}, "InvalidParameterException"),
        ({"Destinations": []}, "InvalidParameterException"),
        ({"Destinations": [{"Type": "AWS_SERVICE", "Location": "whatever"}]}, "InvalidParameterException"),
        ({"Destinations": [{"Type": "BUCKET", "Location": "whatever"}]}, "InvalidParameterException"),
        (
            {"Destinations": [{"Type": "EVENT_DATA_STORE", "Location": "not-an-arn"}]},
            "EventDataStoreARNInvalidException",
        ),
        (
            {
                "Destinations": [
                    {
                        "Type": "EVENT_DATA_STORE",
                        "Location": "arn:aws:cloudtrail:us-east-1:999900001111:eventdatastore/"
                        "01234567-89ab-cdef-0123-456789abcdef",
                    }
                ]
            },
            "EventDataStoreARNInvalidException",
        ),
        (
            {
                "Destinations": [
                    {
                        "Type": "EVENT_DATA_STORE",
                        "Location": "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/"
                        "01234567-89ab-cdef-0123-456789abcdef",
                    }
                ]
            },
            "EventDataStoreNotFoundException",
        ),
        ({"Tags": [{"Key": ""}]}, "InvalidTagParameterException"),
        ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "InvalidTagParameterException"),
        ({"Tags": [{"Key": "k"}, {"Key": "k"}]}, "InvalidTagParameterException"),
        ({"Tags": [{"Key": f"k{n}"} for n in range(51)]}, "TagsLimitExceededException"),
    ],
)
def test_a_channel_outside_the_rules_is_refused(
    account: Account, refused: Refused, changes: dict[str, Any], code: str
) -> None:
    rightful = {
        "Name": "github",
        "Source": "GitHub",
        "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": account.store()}],
    }
    assert refused(account.cloudtrail.create_channel, **{**rightful, **changes}) == code
    assert account.cloudtrail.list_channels()["Channels"] == []


@pytest.mark.parametrize(
    ("store", "code"),
    [
        ({"category": "Management"}, "InvalidEventDataStoreCategoryException"),
        (
            {
                "AdvancedEventSelectors": [
                    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ActivityAuditLog"]}]},
                    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
                ]
            },
            "InvalidEventDataStoreCategoryException",
        ),
        ({"MultiRegionEnabled": True}, "InvalidParameterException"),
        ({"OrganizationEnabled": True}, "InvalidParameterException"),
        ({"StartIngestion": False}, "InactiveEventDataStoreException"),
    ],
)
def test_a_store_that_cannot_take_a_channels_events_is_no_destination(
    account: Account, refused: Refused, store: dict[str, Any], code: str
) -> None:
    unfit = account.store("unfit", **store)
    assert refused(account.channel, unfit) == code
    channel = account.channel(account.store("fit"))
    destinations: Any = [{"Type": "EVENT_DATA_STORE", "Location": unfit}]
    assert refused(account.cloudtrail.update_channel, Channel=channel, Destinations=destinations) == code


def test_a_store_pending_deletion_is_no_destination(account: Account, refused: Refused) -> None:
    store = account.store(TerminationProtectionEnabled=False)
    account.cloudtrail.delete_event_data_store(EventDataStore=store)
    assert refused(account.channel, store) == "InactiveEventDataStoreException"


def test_a_destination_given_twice_is_refused(account: Account, refused: Refused) -> None:
    store = account.store()
    assert refused(account.channel, store, store) == "InvalidParameterException"


def test_one_channel_per_source_and_per_name(account: Account, refused: Refused) -> None:
    store = account.store()
    account.channel(store, name="first", source="Custom")
    assert refused(account.channel, store, name="second", source="Custom") == "ChannelAlreadyExistsException"
    assert refused(account.channel, store, name="first", source="WizAuditLogs") == "ChannelAlreadyExistsException"
    second = account.channel(store, name="second", source="WizAuditLogs")
    rename = account.cloudtrail.update_channel
    assert refused(rename, Channel=second, Name="first") == "ChannelAlreadyExistsException"
    assert rename(Channel=second, Name="third")["Name"] == "third"


def test_an_update_moves_a_channel_to_other_stores(account: Account, event: Event) -> None:
    old, new = account.store("old"), account.store("new")
    channel = account.channel(old)
    account.put(channel, event("before"))
    destinations: Any = [{"Type": "EVENT_DATA_STORE", "Location": new}]
    account.cloudtrail.update_channel(Channel=channel, Destinations=destinations)
    account.put(channel, event("after"), event("after-2"))
    assert (account.count(old), account.count(new)) == (1, 2)


def test_a_deleted_channel_is_gone_for_everybody(account: Account, refused: Refused, event: Event) -> None:
    channel = account.channel()
    account.cloudtrail.delete_channel(Channel=channel)
    assert refused(account.cloudtrail.get_channel, Channel=channel) == "ChannelNotFoundException"
    assert refused(account.cloudtrail.delete_channel, Channel=channel) == "ChannelNotFoundException"
    assert refused(account.put, channel, event()) == "ChannelNotFound"


@pytest.mark.parametrize("name", ["no-such-channel", "arn:aws:cloudtrail:us-east-1:111122223333:trail/x", "spa ce"])
def test_what_names_no_channel_is_an_invalid_arn(account: Account, refused: Refused, name: str) -> None:
    assert refused(account.cloudtrail.get_channel, Channel=name) == "ChannelARNInvalidException"


def test_channels_are_listed_page_by_page(account: Account, refused: Refused) -> None:
    store = account.store()
    names = ["one", "two", "three"]
    for name, source in zip(names, ("Custom", "GitHub", "Snyk"), strict=True):
        account.channel(store, name=name, source=source)
    first = account.cloudtrail.list_channels(MaxResults=2)
    second = account.cloudtrail.list_channels(MaxResults=2, NextToken=first["NextToken"])
    assert [c["Name"] for c in first["Channels"] + second["Channels"]] == names
    assert "NextToken" not in second
    assert refused(account.cloudtrail.list_channels, NextToken="bent") == "InvalidNextTokenException"


def test_the_ingestion_status_tells_the_latest_success_attempt_and_error(account: Account, event: Event) -> None:
    channel = account.channel()
    accepted = account.put(channel, event("good"))["successful"][0]
    status = account.cloudtrail.get_channel(Channel=channel)["IngestionStatus"]
    assert status["LatestIngestionSuccessEventID"] == status["LatestIngestionAttemptEventID"] == accepted["eventID"]
    assert status["LatestIngestionSuccessTime"] == status["LatestIngestionAttemptTime"]
    assert "LatestIngestionErrorCode" not in status
    account.put(channel, event("bad", eventName="n" * 1025))
    status = account.cloudtrail.get_channel(Channel=channel)["IngestionStatus"]
    assert status["LatestIngestionErrorCode"] == "FieldTooLong"
    assert status["LatestIngestionSuccessEventID"] == accepted["eventID"] != status["LatestIngestionAttemptEventID"]
