"""Tags of channels and event data stores."""

from typing import Any

import pytest
from tests.lake.conftest import Account, Refused


def tags_of(account: Account, resource: str) -> dict[str, str | None]:
    listed = account.cloudtrail.list_tags(ResourceIdList=[resource])["ResourceTagList"]
    assert [entry["ResourceId"] for entry in listed] == [resource]
    return {tag["Key"]: tag.get("Value") for tag in listed[0]["TagsList"]}


@pytest.mark.parametrize("kind", ["channel", "store"])
def test_tags_are_added_replaced_and_removed(account: Account, kind: str) -> None:
    resource = getattr(account, kind)()
    account.cloudtrail.add_tags(ResourceId=resource, TagsList=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    account.cloudtrail.add_tags(ResourceId=resource, TagsList=[{"Key": "a", "Value": "2"}, {"Key": "c", "Value": "3"}])
    assert tags_of(account, resource) == {"a": "2", "b": None, "c": "3"}
    account.cloudtrail.remove_tags(ResourceId=resource, TagsList=[{"Key": "b"}, {"Key": "c", "Value": "3"}])
    assert tags_of(account, resource) == {"a": "2"}


@pytest.mark.parametrize("kind", ["channel", "store"])
def test_fifty_tags_are_the_end(account: Account, refused: Refused, kind: str) -> None:
    resource = getattr(account, kind)()
    fifty: Any = [{"Key": f"k{n}", "Value": "v"} for n in range(50)]
    account.cloudtrail.add_tags(ResourceId=resource, TagsList=fifty)
    account.cloudtrail.add_tags(ResourceId=resource, TagsList=fifty[:3])
    add = account.cloudtrail.add_tags
    assert refused(add, ResourceId=resource, TagsList=[{"Key": "one-more"}]) == "TagsLimitExceededException"
    assert len(tags_of(account, resource)) == 50


@pytest.mark.parametrize(
    "tags",
    [
        [{"Key": "k"}, {"Key": "k"}],
        [{"Key": "k" * 129}],
        [{"Key": "k", "Value": "v" * 257}],
        [{"Value": "v"}],
        [{"Key": "aws:cloudformation:stack-id"}],
    ],
)
def test_tags_outside_the_rules_are_refused(account: Account, refused: Refused, tags: Any) -> None:
    add = account.cloudtrail.add_tags
    assert refused(add, ResourceId=account.store(), TagsList=tags) == "InvalidTagParameterException"


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("my-channel", "CloudTrailARNInvalidException"),
        ("arn:aws:cloudtrail:us-east-1:111122223333:dashboard/x", "ResourceTypeNotSupportedException"),
        ("arn:aws:cloudtrail:us-east-1:111122223333:channel/x", "ChannelARNInvalidException"),
        (
            "arn:aws:cloudtrail:us-east-1:111122223333:channel/01234567-89ab-cdef-0123-456789abcdef",
            "ResourceNotFoundException",
        ),
        (
            "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/01234567-89ab-cdef-0123-456789abcdef",
            "EventDataStoreNotFoundException",
        ),
    ],
)
def test_what_cannot_be_tagged_is_refused(account: Account, refused: Refused, resource: str, code: str) -> None:
    assert refused(account.cloudtrail.list_tags, ResourceIdList=[resource]) == code


def test_tags_of_a_store_pending_deletion_cannot_be_read(account: Account, refused: Refused) -> None:
    store = account.store(TerminationProtectionEnabled=False)
    account.cloudtrail.delete_event_data_store(EventDataStore=store)
    assert refused(account.cloudtrail.list_tags, ResourceIdList=[store]) == "InactiveEventDataStoreException"
