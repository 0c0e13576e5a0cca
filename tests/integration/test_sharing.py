"""A channel given as ChannelArn is used and left as it is; its owner cannot delete it under its users."""

from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, Meanwhile, NewStack

from trailhook_local.lake import LakeServer


def custom(github: dict[str, Any]) -> dict[str, Any]:
    return {**github, "Partner": "custom", "ChannelName": "shared", "PrincipalAccountIds": ["444455556666"]}


def sharing(arn: str, partner: str = "slack") -> dict[str, Any]:
    empty = {"Name": "", "BillingMode": "", "RetentionPeriodDays": "", "KmsKeyId": ""}
    return {"Partner": partner, "ChannelArn": arn, "ChannelName": "", "EventDataStore": empty, "Tags": [""]}


def test_a_user_leaves_a_tag_and_takes_it_back_and_nothing_else(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    owner, user = new_stack(name="owner"), new_stack(name="user")
    owned = owner.create(custom(github))
    before = account.snapshot()

    answer = user.create(sharing(owned.physical_id))

    assert answer.physical_id == owned.physical_id
    assert answer.data["EventDataStoreArns"] == owned.data["EventDataStoreArns"]
    assert answer.data["Source"] == "Custom"
    added = account.tags(owned.physical_id).items() - before[owned.physical_id][3].items()
    assert [value for _, value in added] == [user.stack_id]
    assert user.delete().succeeded
    assert account.snapshot() == before


def test_a_channel_that_others_use_is_not_deleted_and_they_are_named(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    owner, slack, zoom = (new_stack(name=name) for name in ("owner", "audit-slack", "audit-zoom"))
    owned = owner.create(custom(github))
    slack.create(sharing(owned.physical_id))
    zoom.create(sharing(owned.physical_id, "zoom"))
    before = account.snapshot()

    refused = owner.delete(OnDelete="delete")

    assert not refused.succeeded
    assert refused.physical_id == owned.physical_id
    assert "audit-slack, audit-zoom" in refused.reason
    assert account.snapshot() == before
    assert slack.delete().succeeded
    assert zoom.delete().succeeded
    assert owner.delete(OnDelete="delete").succeeded
    assert account.snapshot() == {}


def test_users_are_known_also_if_cloudtrail_tells_tags_page_by_page(
    new_stack: NewStack, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """A channel that seems to have no users would be deleted under them."""
    owner, user = new_stack(name="owner"), new_stack(name="audit-slack")
    owned = owner.create(custom(github))
    user.create(sharing(owned.physical_id))
    whole = lake.lake.operations["ListTags"]

    def tag_by_tag(request: dict[str, Any]) -> dict[str, Any]:
        ids, at = request["ResourceIdList"], int(request.get("NextToken", 0))
        listed = whole({"ResourceIdList": ids})["ResourceTagList"]
        page = [{**resource, "TagsList": resource["TagsList"][at : at + 1]} for resource in listed]
        more = any(len(resource["TagsList"]) > at + 1 for resource in listed)
        return {"ResourceTagList": page, **({"NextToken": str(at + 1)} if more else {})}

    lake.lake.operations["ListTags"] = tag_by_tag
    assert "is used by the stacks audit-slack:" in owner.delete().reason
    assert account.channels() == [owned.physical_id]
    assert user.delete().succeeded
    assert owner.delete().succeeded
    assert account.channels() == []


def test_users_are_known_also_if_another_channel_goes_while_tags_are_asked_for(
    new_stack: NewStack, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """CloudTrail refuses to tell the tags of all, and not which of them is gone."""
    owner, user = new_stack(name="owner"), new_stack(name="audit-slack")
    owned = owner.create(custom(github))
    user.create(sharing(owned.physical_id))
    theirs = account.channel(account.store(), source="OneLogin")
    registry = lake.lake.registry
    lake.lake.faults = Meanwhile("ListTags", lambda: registry.remove_channel(registry.channel(theirs)))
    assert "is used by the stacks audit-slack:" in owner.delete().reason
    assert account.channels() == [owned.physical_id]


def test_two_resources_of_one_stack_are_two_users(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    arn = new_stack(name="owner").create(custom(github)).physical_id
    slack = new_stack(name="user", logical_id="Slack")
    zoom = new_stack(name="user", logical_id="Zoom")
    zoom.stack_id = slack.stack_id
    for stack in (slack, zoom):
        stack.create(sharing(arn))
    tags = len(account.tags(arn))
    slack.delete()
    assert len(account.tags(arn)) == tags - 1


def test_a_channel_that_nobody_tagged_can_be_used(stack: CloudFormation, account: Account) -> None:
    arn = account.channel(account.store(), source="Custom")
    assert stack.create(sharing(arn)).succeeded
    assert stack.delete(OnDelete="delete").succeeded
    assert account.channels() == [arn]
    assert account.tags(arn) == {}


def test_a_channel_of_another_source_or_none_is_refused(stack: CloudFormation, account: Account) -> None:
    arn = account.channel(account.store(), source="GitHub")
    before = account.snapshot()
    assert "has the source GitHub, but slack needs Custom" in stack.create(sharing(arn)).reason
    gone = arn.rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
    assert f"there is no channel {gone}" in stack.create(sharing(gone)).reason
    assert account.snapshot() == before


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_user_that_fails_leaves_no_tag(stack: CloudFormation, lake: LakeServer, account: Account, kind: str) -> None:
    arn = account.channel(account.store(), source="Custom")
    before = account.snapshot()
    stack.seconds = 8
    lake.lake.faults.set([{"kind": kind, "operations": ["AddTags"]}])
    assert not stack.create(sharing(arn)).succeeded
    assert account.snapshot() == before
    lake.lake.faults.set([])
    stack.create_that_times_out(sharing(arn), seconds=30)
    assert account.snapshot() == before


def test_a_full_channel_tells_why(stack: CloudFormation, account: Account) -> None:
    tags: Any = [{"Key": f"key-{n}", "Value": "v"} for n in range(50)]
    arn = account.channel(account.store(), source="Custom", Tags=tags)
    assert "A resource has at most 50 tags" in stack.create(sharing(arn)).reason


def test_moving_between_an_own_and_a_shared_channel_is_a_replacement(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    owner, user = new_stack(name="owner"), new_stack(name="user")
    shared = owner.create(custom(github)).physical_id
    before = account.snapshot()
    own = {**github, "EventDataStore": {**github["EventDataStore"], "Name": "users-own"}}
    first = user.create(own).physical_id

    assert user.update(sharing(shared)).physical_id == shared
    assert first not in account.channels()
    assert user.update(own, another_resource_fails=True).physical_id != shared
    assert user.physical_id == shared
    assert user.delete().succeeded
    kept = account.snapshot()
    assert {arn: kept[arn] for arn in before} == before
    assert [kept[arn][0]["Name"] for arn in kept.keys() - before.keys()] == ["users-own"]


def test_the_owner_cannot_replace_a_channel_that_others_use(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    owner, user = new_stack(name="owner"), new_stack(name="audit-slack")
    user.create(sharing(owner.create(custom(github)).physical_id))
    before = account.snapshot()
    refused = owner.update(github)
    assert "is not replaced, because it is used by the stacks audit-slack" in refused.reason
    assert f"`aws cloudtrail remove-tags --resource-id {owner.physical_id} --tags-list Key=<key>`" in refused.reason
    assert account.snapshot() == before
    moved = owner.update({**custom(github), "ChannelName": "renamed", "Tags": ["team=audit"]})
    assert moved.succeeded
    assert user.stack_id in account.tags(moved.physical_id).values()


def test_a_user_that_names_the_channel_no_more_is_not_told_to_put_an_owners_tags_on_it(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    """They would make it this stack's to delete."""
    owner, user = new_stack(name="owner"), new_stack(name="user")
    shared = owner.create(custom(github)).physical_id
    user.create(sharing(shared))
    before = account.snapshot()
    own = {**custom(github), "EventDataStore": {"Name": "own"}}
    refused = user.send("Update", own, physical_id=shared, old_properties=user.properties)
    assert f"set ChannelArn to {shared} to share it." in refused.reason
    assert account.snapshot() == before


def test_a_channel_that_is_given_stays_also_where_a_former_stack_of_the_name_made_it(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    """As after `delete-stack --retain-resources`; and the evidence behind it stays with it."""
    former, now = new_stack(name="audit"), new_stack(name="audit")
    left = former.create(custom(github))
    before = account.snapshot()
    assert now.create(sharing(left.physical_id)).succeeded
    assert now.stack_id in account.tags(left.physical_id).values()
    deleted = now.delete(OnDelete="delete")
    assert (deleted.succeeded, deleted.reason) == (True, "")
    assert account.snapshot() == before


def test_a_channel_that_is_given_goes_where_this_very_stack_made_it(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    """Nobody else would ever delete it."""
    made = stack.create(custom(github))
    assert stack.update(sharing(made.physical_id)).succeeded
    assert stack.delete().succeeded
    assert account.channels() == []
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")


def test_whoever_goes_back_to_a_shared_channel_is_its_user_again(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    """An Update that replaces it says so in the tag. Others may still not delete it."""
    owner, user = new_stack(name="owner"), new_stack(name="user")
    shared = str(owner.create(custom(github)).physical_id)
    user.create(sharing(shared))
    before = account.snapshot()
    own = {**github, "Partner": "okta", "EventDataStore": {"Name": ""}, "EventDataStoreArns": account.living_stores()}
    assert user.send("Update", own, physical_id=shared, old_properties=user.properties).succeeded
    assert f"{user.stack_id}/replaced" in account.tags(shared).values()
    assert "is used by the stacks user:" in owner.delete().reason
    assert user.update(own, another_resource_fails=True).succeeded
    assert (user.physical_id, account.snapshot()) == (shared, before)
