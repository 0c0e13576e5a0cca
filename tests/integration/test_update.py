"""Update: in place where CloudTrail can, a replacement where it cannot, a refusal where nobody could go back."""

import json
import re
import time
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, Meanwhile, NewStack, denied, store_of

from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

FIXED = "FIXED_RETENTION_PRICING"
EXTENDABLE: Any = "EXTENDABLE_RETENTION_PRICING"


def retention(account: Account, arn: str) -> int:
    return account.cloudtrail.get_event_data_store(EventDataStore=arn)["RetentionPeriod"]


def test_name_policy_tags_and_a_longer_retention_change_in_place(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create({**github, "Tags": {"team": "audit", "stage": "test"}})
    account.cloudtrail.add_tags(ResourceId=made.physical_id, TagsList=[{"Key": "by-hand", "Value": "1"}])
    changed = {
        **store_of(github, RetentionPeriodDays="800", Name="renamed"),
        "ChannelName": "github-2",
        "PrincipalAccountIds": ["444455556666"],
        "Tags": ["team=security"],
    }
    answer = stack.update(changed)

    assert answer.physical_id == made.physical_id
    assert answer.data["EventDataStoreArns"] == made.data["EventDataStoreArns"]
    assert answer.data["RetentionPeriodDays"] == "800"
    channel = account.cloudtrail.get_channel(Channel=made.physical_id)
    assert channel["Name"] == "github-2"
    store = account.cloudtrail.get_event_data_store(EventDataStore=made.data["EventDataStoreArns"][0])
    assert (store["Name"], store["RetentionPeriod"]) == ("renamed", 800)
    assert json.loads(account.policy(made.physical_id) or "")["Statement"][0]["Principal"]["AWS"]
    tags = account.tags(made.physical_id)
    assert {key: value for key, value in tags.items() if not key.startswith("trailhook:")} == {
        "team": "security",
        "by-hand": "1",
    }
    assert stack.update(github).succeeded
    assert account.policy(made.physical_id) is None


def test_the_policy_lets_in_whom_it_names_now_and_nobody_else(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """And those of before again, by itself, where the Update fails."""
    before = {**github, "PrincipalAccountIds": ["444455556666"], "ExternalId": "fake-id-of-before"}
    after = {**github, "PrincipalAccountIds": ["777788889999"], "ExternalId": "fake-id", "Tags": ["team=audit"]}
    arn = str(stack.create(before).physical_id)
    policy = account.policy(arn)
    lake.lake.faults.set([denied("AddTags", count=1)])
    assert not stack.send("Update", after, physical_id=arn, old_properties=before).succeeded
    assert account.policy(arn) == policy
    assert stack.update(after).succeeded
    [statement] = json.loads(account.policy(arn) or "")["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::777788889999:root"]}
    assert statement["Condition"] == {"StringEquals": {"cloudtrail:ExternalId": "fake-id"}}


@pytest.mark.parametrize("wrong", [{"ExternalId": "x"}, {"ChannelName": "taken"}])
def test_a_tag_that_somebody_else_set_outlives_an_update_that_fails(
    stack: CloudFormation, account: Account, github: dict[str, Any], wrong: dict[str, str]
) -> None:
    made = stack.create({**github, "Tags": ["team=audit"]})
    account.channel(account.store(), name="taken", source="OneLogin")
    by_hand: Any = [{"Key": "owner", "Value": "ciso"}]
    for arn in (made.physical_id, *made.data["EventDataStoreArns"]):
        account.cloudtrail.add_tags(ResourceId=arn, TagsList=by_hand)
    before = account.snapshot()
    assert not stack.update({**github, "Tags": ["owner=audit"], **wrong}).succeeded
    assert account.snapshot() == before


def test_destinations_change_in_place_and_the_store_stays(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create({**github, "OnDelete": "delete"})
    existing = account.store()
    given = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [existing], "OnDelete": "delete"}
    answer = stack.update(given)
    assert answer.physical_id == made.physical_id
    assert answer.data["EventDataStoreArns"] == [existing]
    assert set(account.living_stores()) == {existing, *made.data["EventDataStoreArns"]}
    assert stack.update(github).data["EventDataStoreArns"] == made.data["EventDataStoreArns"]
    stack.delete(OnDelete="delete")
    assert account.living_stores() == [existing]


def test_an_update_that_may_not_point_the_channel_at_other_given_stores_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """All else is as it was asked for, and the operator would look for the events in a store that gets none."""
    one, two = (
        {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [account.store(name)]}
        for name in ("one", "two")
    )
    stack.create(one)
    before = account.snapshot()
    lake.lake.faults.set([denied("UpdateChannel", count=1)])
    assert not stack.update(two).succeeded
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("first", "then", "operation"),
    [
        ({}, {"ChannelName": "renamed"}, "UpdateChannel"),
        ({}, {"PrincipalAccountIds": ["444455556666"]}, "PutResourcePolicy"),
        ({"PrincipalAccountIds": ["444455556666"]}, {}, "DeleteResourcePolicy"),
        ({}, {"Tags": ["team=audit"]}, "AddTags"),
        ({"Tags": ["team=audit"]}, {}, "RemoveTags"),
        ({}, {"EventDataStore": {"Name": "renamed"}}, "UpdateEventDataStore"),
    ],
)
def test_an_update_that_may_not_make_its_only_change_fails(
    stack: CloudFormation,
    lake: LakeServer,
    account: Account,
    github: dict[str, Any],
    first: dict[str, Any],
    then: dict[str, Any],
    operation: str,
) -> None:
    """All else being as it was asked for, it could be taken for what a repeat has done."""
    stack.create({**github, **first})
    before = account.snapshot()
    lake.lake.faults.set([denied(operation, count=1)])
    assert not stack.update({**github, **then}).succeeded
    assert account.snapshot() == before


def test_an_update_that_may_not_put_back_a_tag_of_the_store_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """The channel still has the one that was taken off the store by hand."""
    tagged = {**github, "Tags": ["team=audit"]}
    [store] = stack.create(tagged).data["EventDataStoreArns"]
    by_hand: Any = [{"Key": "team"}]
    account.cloudtrail.remove_tags(ResourceId=store, TagsList=by_hand)
    lake.lake.faults.set([denied("AddTags", count=1)])
    refused = stack.send("Update", tagged, physical_id=stack.physical_id, old_properties=tagged)
    assert "CloudTrail refused AddTags" in refused.reason


def test_a_shorter_retention_is_kept_and_reported(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create(github).data["EventDataStoreArns"][0]
    shorter = store_of(github, RetentionPeriodDays="30")
    answer = stack.update(shorter)
    assert answer.succeeded
    assert answer.data["RetentionPeriodDays"] == "400"
    assert "keeps its retention of 400 days instead of 30" in answer.data["Report"]
    assert retention(account, store) == 400
    allowed = stack.update({**shorter, "ShortenRetention": "true"})
    assert allowed.data["RetentionPeriodDays"] == "30"
    assert allowed.data["Report"] == ""
    assert retention(account, store) == 30


def test_the_rollback_of_a_longer_retention_deletes_nothing(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create(github).data["EventDataStoreArns"][0]
    stack.update(store_of(github, RetentionPeriodDays="800"), another_resource_fails=True)
    assert retention(account, store) == 800


def test_a_retention_is_shortened_last_of_all(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create(github).data["EventDataStoreArns"][0]
    lake.lake.faults.set([denied("PutResourcePolicy")])
    shorter = store_of({**github, "ShortenRetention": "true", "PrincipalAccountIds": ["444455556666"]})
    shorter = store_of(shorter, RetentionPeriodDays="30")
    assert not stack.update(shorter).succeeded
    assert retention(account, store) == 400


@pytest.mark.parametrize("name", ["audit", "renamed"])
def test_a_new_source_is_a_replacement_and_the_store_stays_the_same(
    stack: CloudFormation, account: Account, github: dict[str, Any], name: str
) -> None:
    """Also under a new name: a second store would part the events of before from those that come."""
    made = stack.create({**github, "OnDelete": "delete"})
    answer = stack.update({**store_of(github, Name=name), "Partner": "okta", "OnDelete": "delete"})
    assert answer.physical_id != made.physical_id
    assert account.channels() == [answer.physical_id]
    channel = account.cloudtrail.get_channel(Channel=answer.physical_id)
    assert (channel["Name"], channel["Source"]) == ("github", "OktaSystemLogEvents")
    [store] = made.data["EventDataStoreArns"]
    assert account.living_stores() == answer.data["EventDataStoreArns"] == [store]
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["Name"] == name


def test_a_replacement_that_is_rolled_back_leaves_everything_as_it_was(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create({**github, "OnDelete": "delete"})
    before = account.snapshot()
    answer = stack.update({**github, "Partner": "okta", "OnDelete": "delete"}, another_resource_fails=True)
    assert answer.physical_id != made.physical_id
    assert stack.physical_id == made.physical_id
    assert account.snapshot() == before


@pytest.mark.parametrize("operation", ["UpdateChannel", "CreateChannel", "PutResourcePolicy"])
def test_a_replacement_that_fails_leaves_everything_as_it_was(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    stack.create({**github, "OnDelete": "delete"})
    before = account.snapshot()
    lake.lake.faults.set([denied(operation, count=1)])
    assert not stack.update({**github, "Partner": "okta", "PrincipalAccountIds": ["444455556666"]}).succeeded
    assert account.snapshot() == before


def test_a_replacement_whose_function_died_is_swept_up_by_the_rollback(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create(github)
    before = account.snapshot()
    okta = {**github, "Partner": "okta"}
    stack.send("Update", okta, physical_id=made.physical_id, old_properties=github)  # nobody hears the answer
    back = stack.send("Update", github, physical_id=made.physical_id, old_properties=okta)
    assert back.physical_id == made.physical_id
    assert account.snapshot() == before


@pytest.mark.parametrize(
    "operation", ["CreateEventDataStore", "UpdateChannel", "PutResourcePolicy", "AddTags", "RemoveTags"]
)
def test_an_update_in_place_that_fails_is_taken_back_by_itself(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    existing = account.store()
    first = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [existing], "Tags": ["team=audit"]}
    made = stack.create(first)
    before = account.snapshot()
    lake.lake.faults.set([denied(operation, count=1)])
    second = {**github, "ChannelName": "github-2", "PrincipalAccountIds": ["444455556666"], "Tags": ["stage=test"]}
    answer = stack.send("Update", second, physical_id=made.physical_id, old_properties=first)
    assert not answer.succeeded
    assert answer.physical_id == made.physical_id
    assert account.snapshot() == before


@pytest.mark.parametrize(("redeployed", "events"), [(False, True), (False, False), (True, True), (True, False)])
def test_a_store_made_in_vain_stays_if_events_came_to_it_meanwhile(
    new_stack: NewStack, lake: LakeServer, account: Account, github: dict[str, Any], redeployed: bool, events: bool
) -> None:
    """The channel delivers all the while. Also in the Create of a stack whose former one left its channel."""
    stack, next_one = new_stack(), new_stack()
    existing = account.store()
    first = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [existing], "OnDelete": "delete"}
    channel = stack.create(first).physical_id
    ingestion = lake.lake.registry.channel(channel).ingestion
    ingestion["LatestIngestionSuccessTime"] = time.time()

    def refuse() -> None:
        if events:
            ingestion["LatestIngestionSuccessTime"] = time.time()
        lake.lake.faults.set([denied("PutResourcePolicy", count=1)])

    lake.lake.faults = Meanwhile("PutResourcePolicy", refuse)
    second = {**github, "PrincipalAccountIds": ["444455556666"], "OnDelete": "delete"}
    answer = next_one.create(second) if redeployed else stack.update(second)
    assert not answer.succeeded
    assert ("the event data store audit (events may have come to it)" in answer.reason) is events
    assert account.cloudtrail.get_channel(Channel=channel)["Destinations"][0]["Location"] == existing
    assert account.stores().pop(existing) == "ENABLED"
    assert len(account.living_stores()) == 1 + events


def test_such_a_store_of_a_create_stays_also_if_nobody_could_mark_it(
    new_stack: NewStack, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    former, stack = new_stack(), new_stack()
    existing = account.store()
    first = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [existing]}
    ingestion = lake.lake.registry.channel(str(former.create(first).physical_id)).ingestion

    def refuse() -> None:
        ingestion["LatestIngestionSuccessTime"] = time.time()
        lake.lake.faults.set([denied("PutResourcePolicy", "AddTags")])

    lake.lake.faults = Meanwhile("PutResourcePolicy", refuse)
    second = {**github, "PrincipalAccountIds": ["444455556666"]}
    failed = stack.send("Create", second)
    assert "Could not be taken back: the event data store audit" in failed.reason
    lake.lake.faults = Faults()
    [store] = set(account.living_stores()) - {existing}
    deleted = stack.send("Delete", second, physical_id=failed.physical_id)
    assert deleted.succeeded
    assert f"The event data store audit ({store}) stays: events may have come to it." in deleted.reason
    assert store in account.living_stores()
    assert account.tags(store)["trailhook:stack-id"].endswith("/retained")


def test_such_a_store_of_a_create_stays_also_when_the_channel_is_gone_that_showed_it(
    new_stack: NewStack, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    former, stack = new_stack(), new_stack()
    existing = account.store()
    channel = str(
        former.create({**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [existing]}).physical_id
    )

    def refuse() -> None:
        lake.lake.registry.channel(channel).ingestion["LatestIngestionSuccessTime"] = time.time()
        lake.lake.faults.set([denied("PutResourcePolicy", count=1)])

    lake.lake.faults = Meanwhile("PutResourcePolicy", refuse)
    second = {**github, "PrincipalAccountIds": ["444455556666"]}
    failed = stack.send("Create", second)
    account.cloudtrail.delete_channel(Channel=channel)
    assert stack.send("Delete", second, physical_id=failed.physical_id).succeeded
    assert list(account.stores().values()) == ["ENABLED", "ENABLED"]


def test_a_store_made_in_vain_stays_if_the_channel_is_gone_that_would_show_what_came_to_it(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """Somebody deletes it while the Update is at work, and events may have come through it until then."""
    first = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [account.store()]}
    channel = str(stack.create(first).physical_id)
    registry = lake.lake.registry
    lake.lake.faults = Meanwhile("PutResourcePolicy", lambda: registry.remove_channel(registry.channel(channel)))
    second = {**github, "PrincipalAccountIds": ["444455556666"]}
    failed = stack.send("Update", second, physical_id=channel, old_properties=first)
    assert "the event data store audit (events may have come to it)" in failed.reason
    assert list(account.stores().values()) == ["ENABLED", "ENABLED"]


@pytest.mark.parametrize(
    ("made", "asked", "advice"),
    [
        ({"BillingMode": FIXED}, {"BillingMode": EXTENDABLE}, "aws cloudtrail update-event-data-store"),
        ({"BillingMode": EXTENDABLE}, {"BillingMode": FIXED}, "which CloudTrail never changes back"),
        ({"KmsKeyId": "fake-key"}, {"KmsKeyId": "other-key"}, "CloudTrail never changes or removes its key"),
        ({"KmsKeyId": "fake-key"}, {"KmsKeyId": ""}, "CloudTrail never changes or removes its key"),
        ({"KmsKeyId": ""}, {"KmsKeyId": "fake-key"}, "a rollback could not take one away again"),
    ],
)
def test_what_cannot_be_changed_is_refused_before_anything_is_touched(
    stack: CloudFormation,
    account: Account,
    github: dict[str, Any],
    made: dict[str, str],
    asked: dict[str, str],
    advice: str,
) -> None:
    """With other changes, or alone: then all else is as it was asked for, as if a repeat had done it."""
    stack.create(store_of(github, **made))
    before = account.snapshot()
    for others in ({"ChannelName": "renamed", "Tags": ["team=audit"]}, {}):
        refused = stack.update({**store_of(github, **asked), **others})
        assert not refused.succeeded
        assert advice in refused.reason
        assert account.snapshot() == before


def test_what_cannot_be_changed_is_accepted_when_it_already_is_so(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    first = store_of(github, BillingMode=FIXED)
    store = stack.create(first).data["EventDataStoreArns"][0]
    account.cloudtrail.update_event_data_store(EventDataStore=store, BillingMode=EXTENDABLE, KmsKeyId="fake-key")
    # Properties that stay the same are not held against what the operator did by hand.
    assert stack.update({**first, "ChannelName": "renamed"}).succeeded
    assert stack.update(store_of(github, BillingMode=EXTENDABLE, KmsKeyId="fake-key")).succeeded


def test_a_channel_that_is_not_listed_yet_changes_in_place(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create(github)
    lake.lake.operations["ListChannels"] = lambda _: {"Channels": []}
    assert stack.update({**github, "ChannelName": "renamed"}).physical_id == made.physical_id
    assert account.cloudtrail.get_channel(Channel=made.physical_id)["Name"] == "renamed"


def test_another_partner_of_the_same_source_changes_nothing(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create({**github, "Partner": "slack"})
    before = account.snapshot()
    assert stack.update({**github, "Partner": "zoom"}).physical_id == made.physical_id
    assert account.snapshot() == before


def test_a_channel_that_somebody_deleted_is_made_again(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create(github)
    account.cloudtrail.delete_channel(Channel=made.physical_id)
    answer = stack.update(github)
    assert account.channels() == [answer.physical_id]
    assert answer.data["EventDataStoreArns"] == made.data["EventDataStoreArns"]


def test_a_channel_that_lost_our_tags_is_left_alone_and_told(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create(github)
    tags: Any = [{"Key": key} for key in account.tags(made.physical_id)]
    account.cloudtrail.remove_tags(ResourceId=made.physical_id, TagsList=tags)
    refused = stack.send(
        "Update", {**github, "ChannelName": "x-1"}, physical_id=made.physical_id, old_properties=github
    )
    assert "lost the tags that prove it to be this stack's" in refused.reason
    deleted = stack.delete()
    assert deleted.succeeded
    assert f"The channel {made.physical_id} stays: it lost the tags that prove it to be this stack's." in deleted.reason
    assert account.channels() == [made.physical_id]


def test_the_command_in_the_reason_gives_a_channel_its_tags_back(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create(github)
    tags: Any = [{"Key": key} for key in account.tags(made.physical_id)]
    account.cloudtrail.remove_tags(ResourceId=made.physical_id, TagsList=tags)
    renamed = {**github, "ChannelName": "x-1"}
    refused = stack.send("Update", renamed, physical_id=made.physical_id, old_properties=github)
    command = re.search(r"`aws cloudtrail add-tags --resource-id (\S+) --tags-list ([^`]+)`", refused.reason)
    assert command
    lost: Any = [dict(pair.split("=", 1) for pair in tag.split(",")) for tag in command[2].split()]
    account.cloudtrail.add_tags(ResourceId=command[1], TagsList=lost)
    assert stack.update(renamed).physical_id == made.physical_id
