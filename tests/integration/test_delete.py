"""Delete: validates nothing, never fails on what is gone, and takes what is ours and no more."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, Meanwhile, NewStack, denied

from trailhook.integration.ownership import MADE_BY_UPDATE, Owner
from trailhook_local.lake import LakeServer, errors


def test_the_store_goes_only_when_told_so(stack: CloudFormation, account: Account, github: dict[str, Any]) -> None:
    store = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    assert stack.delete().succeeded
    assert account.channels() == []
    assert account.stores() == {store: "PENDING_DELETION"}


@pytest.mark.parametrize("told", [{}, {"OnDelete": ""}, {"OnDelete": "Delete"}, {"OnDelete": ["delete"]}], ids=str)
def test_the_store_stays_whatever_else_is_said(
    stack: CloudFormation, account: Account, github: dict[str, Any], told: dict[str, Any]
) -> None:
    """Also nothing, as in a template of one's own. A Delete refuses no property, so it may be any."""
    unsaid = {name: value for name, value in github.items() if name != "OnDelete"}
    made = stack.create(unsaid)
    assert stack.send("Delete", unsaid | told, physical_id=made.physical_id).succeeded
    assert account.channels() == []
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")


def test_a_store_that_another_channel_uses_stays_and_stays_protected(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    other = account.channel(store, source="OneLogin")
    answer = stack.delete()
    assert answer.succeeded
    assert f"The event data store audit ({store}) stays: the channel {other} delivers to it." in answer.reason
    assert account.channels() == [other]
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["TerminationProtectionEnabled"]


def test_a_store_that_a_channel_began_to_use_meanwhile_stays_too(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    refusal = {"kind": "error", "operations": ["DeleteEventDataStore"], "code": "ChannelExistsForEDSException"}
    lake.lake.faults.set([refusal])
    answer = stack.delete()
    assert answer.succeeded
    assert f"({store}) stays: CloudTrail says that a channel uses it." in answer.reason
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["TerminationProtectionEnabled"]
    lake.lake.faults.set([])
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == {store: "ENABLED"}, "it is evidence, and no leftover of that Create"


def test_a_list_that_is_behind_does_not_keep_the_store(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    refusal = {"kind": "error", "operations": ["DeleteEventDataStore"], "code": "ChannelExistsForEDSException"}
    lake.lake.faults.set([{**refusal, "count": 2}])
    assert stack.delete().succeeded
    assert account.stores() == {store: "PENDING_DELETION"}


@pytest.mark.parametrize("sharing", [False, True])
def test_a_channel_that_was_made_a_moment_ago_and_is_not_listed_yet_goes_too(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], sharing: bool
) -> None:
    """Another resource of the stack may fail at once, and then the Create is followed by its Delete."""
    theirs = account.channel(account.store(), source="Custom")
    before = account.snapshot()
    wanted = {"Partner": "slack", "ChannelArn": theirs} if sharing else github
    stack.create({**wanted, "OnDelete": "delete"})
    listed = {name: lake.lake.operations[name] for name in ("ListChannels", "ListEventDataStores")}
    lake.lake.operations |= {"ListChannels": lambda _: {"Channels": []}}
    lake.lake.operations |= {"ListEventDataStores": lambda _: {"EventDataStores": []}}
    assert stack.delete().succeeded
    lake.lake.operations |= listed
    assert account.snapshot() == before


def given(github: dict[str, Any], account: Account) -> dict[str, Any]:
    return {**github, "Partner": "okta", "EventDataStore": {"Name": ""}, "EventDataStoreArns": [account.store()]}


def shared(_github: dict[str, Any], account: Account) -> dict[str, Any]:
    return {"Partner": "slack", "ChannelArn": account.channel(account.store(), source="Custom")}


@pytest.mark.parametrize("instead", [given, shared])
@pytest.mark.parametrize(("on_delete", "left"), [("retain", "ENABLED"), ("delete", "PENDING_DELETION")])
def test_the_store_behind_a_replaced_channel_stays_until_the_integration_goes(
    stack: CloudFormation,
    account: Account,
    github: dict[str, Any],
    instead: Callable[[dict[str, Any], Account], dict[str, Any]],
    on_delete: str,
    left: str,
) -> None:
    """CloudFormation deletes the replaced channel with its former properties, whatever the present ones say."""
    store = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    assert stack.update({**instead(github, account), "OnDelete": on_delete}).succeeded
    assert account.stores()[store] == "ENABLED"
    assert stack.delete().succeeded
    assert account.stores()[store] == left


def test_two_stacks_with_the_same_logical_id_do_not_touch_each_other(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    one, two = new_stack(name="one"), new_stack(name="two")
    one.create({**github, "OnDelete": "delete"})
    before = account.snapshot()
    okta = {**github, "Partner": "okta", "ChannelName": "okta", "OnDelete": "delete"}
    okta["EventDataStore"] = {"Name": "okta"}
    two.create(okta)
    assert two.delete().succeeded
    assert account.snapshot() == before


@pytest.mark.parametrize("what", ["channel", "store", "both"])
def test_what_is_gone_already_is_no_failure(
    stack: CloudFormation, account: Account, github: dict[str, Any], what: str
) -> None:
    made = stack.create({**github, "OnDelete": "delete"})
    account.cloudtrail.delete_channel(Channel=made.physical_id)
    if what == "channel":
        account.channel(made.data["EventDataStoreArns"][0], source="GitHub")
    else:
        store = made.data["EventDataStoreArns"][0]
        account.cloudtrail.update_event_data_store(EventDataStore=store, TerminationProtectionEnabled=False)
        account.cloudtrail.delete_event_data_store(EventDataStore=store)
    assert stack.delete().succeeded
    assert stack.send("Delete", github, physical_id=made.physical_id).succeeded


def test_a_channel_that_goes_meanwhile_is_no_failure(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """CloudTrail may say of the policy of a channel that is gone that the ARN is not valid."""
    made = stack.create(github)

    def refuse(_request: dict[str, Any]) -> dict[str, Any]:
        raise errors.ResourceARNNotValidException("The resource does not exist.")

    def meanwhile() -> None:
        lake.lake.registry.remove_channel(lake.lake.registry.channel(made.physical_id))
        lake.lake.operations["DeleteResourcePolicy"] = refuse

    lake.lake.faults = Meanwhile("DeleteResourcePolicy", meanwhile)
    assert stack.delete().succeeded
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")


@pytest.mark.parametrize(
    "properties", [{}, {"Partner": "nobody", "EventDataStore": "audit", "Tags": 7, "OnDelete": "burn"}]
)
@pytest.mark.parametrize("physical_id", ["failed/Integration/1", "audit-Integration-1A2B3C", "arn:aws:iam::1:role/x"])
def test_properties_and_ids_that_make_no_sense_delete_nothing_of_others(
    stack: CloudFormation, account: Account, properties: dict[str, Any], physical_id: str
) -> None:
    account.channel(account.store())
    before = account.snapshot()
    assert stack.send("Delete", properties, physical_id=physical_id, seconds=20).succeeded
    assert account.snapshot() == before


def test_a_failed_create_of_another_resource_of_the_stack_takes_nothing_of_this_one(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    one, two = new_stack(logical_id="One"), new_stack(logical_id="Two")
    two.stack_id = one.stack_id
    one.create(github)
    before = account.snapshot()
    assert not two.create(github).succeeded
    assert account.snapshot() == before


def test_evidence_that_others_used_at_the_delete_is_no_leftover_of_a_later_failed_create(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create(github).data["EventDataStoreArns"][0]
    other = account.channel(store, source="OneLogin")
    assert stack.delete().succeeded
    account.cloudtrail.delete_channel(Channel=other)
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == {store: "ENABLED"}


def test_a_store_that_a_former_stack_of_the_name_left_is_not_this_ones_to_delete(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    former = new_stack(name="again")
    evidence = former.create(github).data["EventDataStoreArns"][0]
    assert former.delete().succeeded
    now = new_stack(name="again")
    created = now.create({**github, "EventDataStore": {"Name": "another"}, "OnDelete": "delete"})
    assert now.delete().succeeded
    assert account.stores() == {evidence: "ENABLED", created.data["EventDataStoreArns"][0]: "PENDING_DELETION"}


def test_a_store_that_is_given_is_not_deleted_whoever_made_it(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    """Named in EventDataStoreArns it is the operator's, also where a former stack of the name, or this one, made it."""
    former, now = new_stack(name="again"), new_stack(name="again")
    evidence = former.create(github).data["EventDataStoreArns"]
    by_hand = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": evidence, "OnDelete": "delete"}
    assert former.update(by_hand).succeeded
    assert former.delete().succeeded
    before = account.snapshot()
    # As text, and with a blank, as a list that a template joins has them.
    assert now.create({**by_hand, "EventDataStoreArns": f" {evidence[0]}"}).succeeded
    assert now.delete().succeeded
    assert account.snapshot() == before
    assert account.stores() == dict.fromkeys(evidence, "ENABLED")


def test_a_store_that_somebody_pointed_the_channel_at_is_not_this_ones_to_delete(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create({**github, "OnDelete": "delete"})
    theirs = account.store()
    account.cloudtrail.update_channel(
        Channel=made.physical_id, Destinations=[{"Type": "EVENT_DATA_STORE", "Location": theirs}]
    )
    before = account.snapshot()[theirs]
    assert stack.delete().succeeded
    assert account.snapshot() == {theirs: before}


def test_a_delete_that_cannot_mark_the_evidence_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    stack.create(github)
    lake.lake.faults.set([denied("AddTags")])
    assert "CloudTrail refused AddTags" in stack.delete().reason
    lake.lake.faults.set([])
    assert stack.delete().succeeded
    [store] = account.living_stores()
    assert account.tags(store)["trailhook:stack-id"].endswith("/retained")


def test_evidence_stays_whatever_tags_were_added_by_hand(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create({**github, "Tags": {f"key-{n}": "v" for n in range(47)}}).data["EventDataStoreArns"][0]
    account.cloudtrail.add_tags(ResourceId=store, TagsList=[{"Key": "by-hand", "Value": "1"}])
    assert len(account.tags(store)) == 50
    assert stack.delete().succeeded
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == {store: "ENABLED"}


NO_INTEGRATIONS = [{"category": "Management"}, {"MultiRegionEnabled": True}, {"OrganizationEnabled": True}]


def tag_as_ours(account: Account, stack: CloudFormation, store: str, **more: str) -> None:
    """What anybody may do who may tag, which is less than to delete."""
    tags = Owner(stack.stack_id, stack.logical_id).tags | more
    account.cloudtrail.add_tags(ResourceId=store, TagsList=[{"Key": k, "Value": v} for k, v in tags.items()])


@pytest.mark.parametrize("kind", NO_INTEGRATIONS, ids=str)
def test_a_store_that_no_integration_makes_stays_whatever_its_tags_say(
    stack: CloudFormation, account: Account, github: dict[str, Any], kind: dict[str, Any]
) -> None:
    trail = account.store("trail", **kind)
    ours = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    tag_as_ours(account, stack, trail)
    answer = stack.delete()
    assert answer.succeeded
    assert f"was not deleted: {trail} " in answer.reason
    assert account.stores() == {ours: "PENDING_DELETION", trail: "ENABLED"}
    assert account.cloudtrail.get_event_data_store(EventDataStore=trail)["TerminationProtectionEnabled"]


def test_a_store_of_ours_that_was_changed_since_stays_for_good_and_is_told(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    """Evidence is never the leftover of a later Create that fails, even if it is changed back before that."""
    made = stack.create({**github, "OnDelete": "delete"})
    store = made.data["EventDataStoreArns"][0]
    account.cloudtrail.delete_channel(Channel=made.physical_id)
    account.cloudtrail.update_event_data_store(EventDataStore=store, MultiRegionEnabled=True)
    answer = stack.delete()
    assert answer.succeeded
    assert f"was not deleted: {store} is multi-Region" in answer.reason
    account.cloudtrail.update_event_data_store(EventDataStore=store, MultiRegionEnabled=False)
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == {store: "ENABLED"}


def test_a_store_that_no_integration_makes_is_no_leftover_of_a_create_or_an_update(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    trail = account.store("trail", "Management")
    tag_as_ours(account, stack, trail)
    deleted = stack.send("Delete", github, physical_id="audit-Integration-1A2B3C")
    assert f"was not deleted: {trail} collects Management" in deleted.reason
    assert account.stores() == {trail: "ENABLED"}
    tag_as_ours(account, stack, trail, **{MADE_BY_UPDATE: "another request"})
    stack.create(github)
    updated = stack.update({**github, "ChannelName": "renamed"})
    assert f"was not deleted: {trail} collects Management" in updated.data["Report"]
    assert account.stores()[trail] == "ENABLED"
