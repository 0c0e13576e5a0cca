"""An event data store that may hold events is no leftover, whatever became of the channel that brought them."""

import time
from typing import Any

import pytest
from tests.integration.cloudformation import Answer, CloudFormation
from tests.integration.conftest import Account, Dying, Meanwhile, NewStack, denied, store_of

from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

Properties = dict[str, Any]

MADE_UP = "audit-Integration-1A2B3C4D5E6F"
"""The id that CloudFormation gives to a resource of whose Create it heard nothing."""


def given(properties: Properties, *arns: str) -> Properties:
    return {**properties, "EventDataStore": {"Name": ""}, "EventDataStoreArns": list(arns)}


def sharing(arn: str) -> Properties:
    return {"Partner": "slack", "ChannelArn": arn}


def events_come(lake: LakeServer, arn: str) -> None:
    lake.lake.registry.channel(arn).ingestion["LatestIngestionSuccessTime"] = time.time()


def life_that_ends_in_an_update(
    stack: CloudFormation, lake: LakeServer, properties: Properties, update: Properties, *, dies_after: int
) -> Answer:
    """An integration to which events came, and whose Update died after so many calls that changed something."""
    made = stack.create(properties)
    events_come(lake, made.physical_id)
    lake.lake.faults = Dying(dies_after)
    stack.send_unanswered("Update", update, physical_id=made.physical_id, old_properties=properties)
    lake.lake.faults = Faults()
    return made


def left_by_a_dead_update(
    stack: CloudFormation, lake: LakeServer, account: Account, old: Properties, new: Properties
) -> tuple[Answer, str]:
    """The answer of a Create, and the channel that was left by an Update that died before it put the policy."""
    made = stack.create(old)
    lake.lake.faults = Dying(3)
    stack.send_unanswered("Update", new, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    [left] = set(account.channels()) - {made.physical_id}
    return made, left


def age(lake: LakeServer, arn: str, hours: float) -> None:
    lake.lake.registry.stores[arn].created -= hours * 3600


@pytest.mark.parametrize(("hours", "left"), [(1.9, "PENDING_DELETION"), (2.1, "ENABLED")])
def test_what_a_create_left_is_a_leftover_for_two_hours(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, hours: float, left: str
) -> None:
    """With --disable-rollback the Delete may come days later, and others may have used the store meanwhile."""
    theirs = account.channel(account.store(), source="OneLogin")
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Create", github)
    lake.lake.faults = Faults()
    events_come(lake, theirs)  # which are nothing to it
    store = list(account.stores())[1]
    age(lake, store, hours)
    answer = stack.send("Delete", github, physical_id=MADE_UP)
    assert answer.succeeded
    assert account.stores()[store] == left
    assert (f"({store}) stays: events may have come to it." in answer.reason) is (left == "ENABLED")


@pytest.mark.parametrize(("hours", "left"), [(1.9, "PENDING_DELETION"), (2.1, "ENABLED")])
def test_what_an_update_left_is_a_leftover_for_two_hours(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, hours: float, left: str
) -> None:
    old = given(github, account.store())
    stack.create(old)
    theirs = account.channel(account.store("theirs"), source="OneLogin")
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Update", github, physical_id=stack.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    events_come(lake, theirs)  # which are nothing to it
    store = list(account.stores())[2]
    age(lake, store, hours)
    back = stack.send("Update", old, physical_id=stack.physical_id, old_properties=github)
    assert account.stores()[store] == left
    assert (store in back.reason) is (left == "ENABLED")


def test_what_others_used_when_a_create_was_taken_back_is_no_leftover_of_the_next_one(
    new_stack: NewStack, lake: LakeServer, account: Account, github: Properties
) -> None:
    stack, other = new_stack(), new_stack(name="other")
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Create", github)
    lake.lake.faults = Faults()
    [store] = account.stores()
    theirs = other.create({**given(github, store), "Partner": "okta"}).physical_id
    deleted = stack.send("Delete", github, physical_id=MADE_UP)
    assert f"The event data store audit ({store}) stays: the channel {theirs} delivers to it." in deleted.reason
    events_come(lake, theirs)
    assert other.delete().succeeded
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == {store: "ENABLED"}


def test_events_through_the_channel_that_goes_with_a_failed_create_are_evidence(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """They come while the Delete is at work, and the channel takes along what shows it."""
    made = stack.send("Create", github)  # nobody hears the answer
    lake.lake.faults = Meanwhile("DeleteResourcePolicy", lambda: events_come(lake, made.physical_id))
    deleted = stack.send("Delete", github, physical_id=MADE_UP)
    [store] = made.data["EventDataStoreArns"]
    assert f"({store}) stays: events may have come to it." in deleted.reason
    assert account.channels() == []
    assert account.stores() == {store: "ENABLED"}


@pytest.mark.parametrize("gone", [False, True])
def test_events_through_the_channel_that_a_dead_update_left_are_evidence(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, gone: bool
) -> None:
    """They come while the rollback is at work, or came before, and somebody else deletes the channel meanwhile."""
    old, okta = given(github, account.store()), {**github, "Partner": "okta"}
    direct = {**okta, "PrincipalAccountIds": ["444455556666"]}
    made, left = left_by_a_dead_update(stack, lake, account, old, direct)
    if gone:
        events_come(lake, left)

    def meanwhile() -> None:
        if gone:
            lake.lake.registry.remove_channel(lake.lake.registry.channel(left))
        else:
            events_come(lake, left)

    lake.lake.faults = Meanwhile("DeleteResourcePolicy", meanwhile)
    back = stack.send("Update", old, physical_id=made.physical_id, old_properties=direct)
    store = list(account.stores())[1]
    assert f"({store}) of an earlier update stays: events may have come to it." in back.reason
    assert account.channels() == [made.physical_id]
    assert account.stores()[store] == "ENABLED"


def test_events_that_come_until_the_rollback_points_the_channel_back_are_evidence(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    old = given(github, account.store())
    channel = str(stack.create(old).physical_id)
    lake.lake.faults = Dying(2)
    stack.send_unanswered("Update", github, physical_id=channel, old_properties=old)
    lake.lake.faults = Meanwhile("UpdateChannel", lambda: events_come(lake, channel))
    back = stack.send("Update", old, physical_id=channel, old_properties=github)
    store = list(account.stores())[1]
    assert f"({store}) of an earlier update stays: events may have come to it." in back.reason
    assert account.stores()[store] == "ENABLED"


def test_a_channel_that_is_replaced_does_not_go_before_its_stores_are_no_leftovers(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """Forward and partner use it until then, so events come after the Update has looked for the last time."""
    existing = account.store()
    okta = {**given(github, existing), "Partner": "okta"}
    channel = stack.create(given(github, existing)).physical_id
    lake.lake.faults.set([denied("RemoveTags", "AddTags")])
    [store] = stack.update(github).data["EventDataStoreArns"]
    moved = stack.update(okta)
    assert f"({store}) of an earlier update stays: the channel {channel} delivers to it." in moved.data["Report"]
    assert stack.log[-1] == ("Delete", "FAILED")
    assert "allow the action in its policy" in stack.bucket.answers[-1].reason
    events_come(lake, channel)
    lake.lake.faults = Faults()
    assert stack.send("Delete", given(github, existing), physical_id=channel).succeeded
    assert stack.update({**okta, "OnDelete": "delete"}).succeeded
    assert account.stores()[store] == "ENABLED"


def test_a_store_is_no_leftover_also_where_no_tag_may_be_removed(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """A service control policy may guard tags against that alone. To change one is another right."""
    existing, shared = account.store(), account.channel(account.store("shared"), source="Custom")
    stack.create(given(github, existing))
    lake.lake.faults.set([denied("RemoveTags")])
    [store] = stack.update(github).data["EventDataStoreArns"]
    events_come(lake, str(stack.physical_id))
    assert stack.update(sharing(shared)).data["Report"] == ""
    assert stack.log[-1] == ("Delete", "SUCCESS")
    for on_delete in ("delete", "retain"):
        assert stack.update({**sharing(shared), "OnDelete": on_delete}).data["Report"] == ""
    assert account.stores()[store] == "ENABLED"


def test_a_replaced_channel_that_could_not_be_deleted_does_not_hide_that_the_integration_goes(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    first = stack.create(github).physical_id
    lake.lake.faults.set([denied("DeleteChannel", count=1)])
    updated = stack.update({**github, "Partner": "okta"})
    events_come(lake, updated.physical_id)
    assert f"The channel {first}, which an earlier update replaced, stays." in stack.delete().reason
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    [store] = updated.data["EventDataStoreArns"]
    assert account.stores()[store] == "ENABLED", "it is evidence, and no leftover of that Create"


@pytest.mark.parametrize("name", ["github", "okta"])
@pytest.mark.parametrize("listed", [True, False])
def test_the_store_behind_a_replaced_channel_stays_also_if_the_new_one_is_not_listed_yet(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, listed: bool, name: str
) -> None:
    old = {**github, "OnDelete": "delete"}
    made = stack.create(old)
    new = {**given(github, account.store()), "Partner": "okta", "ChannelName": name}
    updated = stack.send("Update", new, physical_id=made.physical_id, old_properties=old)
    if not listed:
        lake.lake.operations["ListChannels"] = lambda _: {"Channels": []}
    deleted = stack.send("Delete", old, physical_id=made.physical_id)
    assert deleted.succeeded
    other = f"stay with another channel of this integration: {updated.physical_id}."
    [store] = made.data["EventDataStoreArns"]
    assert (other if listed else f"stay ({store}): the channel's name says that it was replaced") in deleted.reason
    assert made.physical_id not in lake.lake.registry.channels
    assert account.stores()[store] == "ENABLED"


def test_a_delete_that_died_once_the_replaced_channel_was_gone_keeps_the_store_in_its_next_try(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """Nothing but that channel's name tells that the integration lives on, as long as the new one is not listed."""
    old = {**github, "OnDelete": "delete"}
    made = stack.create(old)
    new = {**given(github, account.store()), "Partner": "okta"}
    assert stack.send("Update", new, physical_id=made.physical_id, old_properties=old).succeeded
    lake.lake.operations["ListChannels"] = lambda _: {"Channels": []}
    for changes in range(5):
        lake.lake.faults = Dying(changes)
        stack.send_unanswered("Delete", old, physical_id=made.physical_id)
    lake.lake.faults = Faults()
    assert stack.send("Delete", old, physical_id=made.physical_id).succeeded
    assert made.physical_id not in lake.lake.registry.channels
    assert account.stores()[made.data["EventDataStoreArns"][0]] == "ENABLED"


def test_the_store_behind_a_channel_that_was_to_be_replaced_is_no_leftover_of_a_later_create(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """The Update died before it made the new channel, nothing was rolled back, and the integration was given up."""
    old = {**github, "OnDelete": "delete"}
    made = stack.create(old)
    events_come(lake, made.physical_id)
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Update", {**old, "Partner": "okta"}, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    assert stack.delete().succeeded
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")


def test_events_of_the_second_in_which_others_came_are_evidence(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """CloudTrail may tell when events came in whole seconds; the last event's id is another one."""
    old = given(github, account.store())
    channel = stack.create(old).physical_id
    ingestion = lake.lake.registry.channel(channel).ingestion
    ingestion |= {"LatestIngestionSuccessTime": 1_796_000_000, "LatestIngestionSuccessEventID": "one"}

    def refuse() -> None:
        ingestion["LatestIngestionSuccessEventID"] = "two"
        lake.lake.faults.set([denied("PutResourcePolicy", count=1)])

    lake.lake.faults = Meanwhile("PutResourcePolicy", refuse)
    direct = {**github, "PrincipalAccountIds": ["444455556666"]}
    failed = stack.send("Update", direct, physical_id=channel, old_properties=old)
    assert "the event data store audit (events may have come to it)" in failed.reason
    assert list(account.stores().values()) == ["ENABLED", "ENABLED"]


@pytest.mark.usefixtures("telling_lake")
def test_a_store_of_ours_that_is_pending_deletion_does_not_fail_the_delete(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """CloudTrail may tell its tags, and it takes no others."""
    stack.create(given(github, account.store()))
    lake.lake.faults.set([denied("PutResourcePolicy")])
    assert not stack.update({**github, "PrincipalAccountIds": ["444455556666"]}).succeeded
    lake.lake.faults.set([])
    assert sorted(account.stores().values()) == ["ENABLED", "PENDING_DELETION"]
    assert stack.delete().succeeded
    assert account.channels() == []


@pytest.mark.usefixtures("telling_lake")
def test_what_the_operator_deleted_by_hand_is_not_said_to_stay(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    existing = account.store()
    for kind in ("Create", "Update"):
        lake.lake.faults = Dying(1)
        stack.send_unanswered(kind, github, physical_id=stack.physical_id, old_properties=stack.properties)
        lake.lake.faults = Faults()
        [left] = set(account.living_stores()) - {existing}
        age(lake, left, 3)
        account.cloudtrail.update_event_data_store(
            EventDataStore=left, Name=f"by-hand-{kind}", TerminationProtectionEnabled=False
        )
        account.cloudtrail.delete_event_data_store(EventDataStore=left)
        if kind == "Create":
            deleted = stack.send("Delete", github, physical_id=MADE_UP)
            assert (deleted.succeeded, deleted.reason) == (True, "")
            assert stack.create(given(github, existing)).succeeded
    assert stack.update({**given(github, existing), "Partner": "okta"}).data["Report"] == ""
    assert stack.log[-1] == ("Delete", "SUCCESS")


def test_the_store_behind_a_channel_that_is_replaced_by_a_left_one_of_somebody_elses_stays(
    new_stack: NewStack, lake: LakeServer, account: Account, github: Properties
) -> None:
    """Its name tells that its owner replaced it, and nothing of whoever shares it."""
    owner, stack = new_stack(name="owner"), new_stack()
    left = owner.create({**github, "Partner": "custom", "ChannelName": "custom"}).physical_id
    lake.lake.faults.set([denied("DeleteChannel", count=1)])
    assert owner.update({**github, "Partner": "okta", "ChannelName": "okta"}).succeeded
    assert owner.log[-1] == ("Delete", "FAILED")
    own = {**github, "EventDataStore": {"Name": "own"}, "OnDelete": "delete"}
    [store] = stack.create(own).data["EventDataStoreArns"]
    events_come(lake, str(stack.physical_id))
    assert stack.update(sharing(left)).succeeded
    assert stack.log[-1] == ("Delete", "SUCCESS")
    assert account.stores()[store] == "ENABLED"


def test_the_store_of_an_update_that_is_rolled_back_to_a_shared_channel_of_ones_own_stays(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """CloudFormation has heard of it, so forward may have delivered to it."""
    custom = {**given(github, account.store()), "Partner": "custom"}
    shared = sharing(stack.create(custom).physical_id)
    assert stack.update(shared).succeeded
    new = {**github, "Partner": "okta", "OnDelete": "delete"}
    [store] = stack.update(new, another_resource_fails=True).data["EventDataStoreArns"]
    assert stack.log[-1] == ("Delete", "SUCCESS")
    assert account.channels() == [stack.physical_id]
    assert account.stores()[store] == "ENABLED"


def test_the_store_of_a_life_that_ended_in_an_update_that_died_is_no_leftover_of_the_next_ones_create(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """The channel is there that the Update made, so the Delete of the other one leaves the store to the integration."""
    made = life_that_ends_in_an_update(stack, lake, github, {**github, "Partner": "okta"}, dies_after=2)
    [left] = set(account.channels()) - {made.physical_id}
    assert f"stay with another channel of this integration: {left}." in stack.delete().reason
    assert not stack.create({**github, "Partner": "nobody"}).succeeded
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")
    assert stack.create({**github, "Partner": "okta"}).physical_id == left


def test_events_through_a_channel_are_evidence_also_if_the_delete_after_a_create_dies_once_it_is_gone(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """CloudFormation sends it once more, when nothing shows any more that events came."""
    made = stack.send("Create", github)  # nobody hears the answer
    events_come(lake, made.physical_id)
    for changes in range(4):
        lake.lake.faults = Dying(changes)
        stack.send_unanswered("Delete", github, physical_id=MADE_UP)
    lake.lake.faults = Faults()
    assert stack.send("Delete", github, physical_id=MADE_UP).succeeded
    assert account.channels() == []
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")


def test_events_through_the_channel_of_a_dead_update_are_evidence_also_if_its_rollback_dies_once_it_is_gone(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """Each number of changes twice, because a name that was put back is no change in the next try."""
    old, okta = given(github, account.store()), {**github, "Partner": "okta"}
    made, left = left_by_a_dead_update(stack, lake, account, old, okta)
    events_come(lake, left)
    for changes in (0, 0, 1, 1, 2, 2, 3, 3):
        lake.lake.faults = Dying(changes)
        stack.send_unanswered("Update", old, physical_id=made.physical_id, old_properties=okta)
    lake.lake.faults = Faults()
    assert stack.send("Update", old, physical_id=made.physical_id, old_properties=okta).succeeded
    assert account.channels() == [made.physical_id]
    assert list(account.stores().values()) == ["ENABLED", "ENABLED"]


def test_a_store_is_no_leftover_also_while_cloudtrail_tells_the_mark_that_was_taken_off(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """They come while the rollback is at work, and the channel that brought them is gone by then."""
    old, okta = given(github, account.store()), {**github, "Partner": "okta"}
    made, left = left_by_a_dead_update(stack, lake, account, old, okta)
    lake.lake.operations["RemoveTags"] = lambda _: {}
    lake.lake.faults = Meanwhile("DeleteResourcePolicy", lambda: events_come(lake, left))
    assert stack.send("Update", old, physical_id=made.physical_id, old_properties=okta).succeeded
    assert account.channels() == [made.physical_id]
    assert list(account.stores().values()) == ["ENABLED", "ENABLED"]


def test_the_rollback_keeps_the_store_that_was_there_when_events_came_and_no_later_one(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    old, okta = given(github, account.store()), {**github, "Partner": "okta"}
    made = stack.create(old)
    for update, changes in ((okta, 3), (store_of(github, Name="second"), 1)):
        lake.lake.faults = Dying(changes)
        stack.send_unanswered("Update", update, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    _, first, second = account.stores()
    [left] = set(account.channels()) - {made.physical_id}
    age(lake, first, 1)
    lake.lake.registry.channel(left).ingestion["LatestIngestionSuccessTime"] = time.time() - 60
    assert stack.send("Update", old, physical_id=made.physical_id, old_properties=okta).succeeded
    assert account.stores() == {**account.stores(), first: "ENABLED", second: "PENDING_DELETION"}


def test_a_rollback_that_keeps_evidence_asks_for_no_store_of_another_account_and_names_none_of_others(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """An organization's event data stores are listed, too, and nobody there lets this role ask for their tags."""
    old, okta = given(github, account.store()), {**github, "Partner": "okta"}
    theirs = account.store("theirs")
    made, left = left_by_a_dead_update(stack, lake, account, old, okta)
    events_come(lake, left)
    age(lake, theirs, 3)
    whole = lake.lake.operations["ListEventDataStores"]
    foreign = {"EventDataStoreArn": "arn:aws:cloudtrail:us-east-1:999988887777:eventdatastore/organization"}
    lake.lake.operations["ListEventDataStores"] = lambda request: {
        "EventDataStores": [foreign, *whole(request)["EventDataStores"]]
    }
    back = stack.send("Update", old, physical_id=made.physical_id, old_properties=okta)
    lake.lake.operations["ListEventDataStores"] = whole
    [store] = set(account.stores()) - {theirs, *old["EventDataStoreArns"]}
    assert back.reason == (
        f"The event data store audit ({store}) of an earlier update stays: events may have come to it."
    )
    assert account.channels() == [made.physical_id]


@pytest.mark.parametrize("owner", ["audit", "other"])
@pytest.mark.parametrize("next_is_shared", [False, True])
def test_a_store_of_before_stays_also_if_what_replaces_a_shared_channel_is_not_listed_yet(
    new_stack: NewStack, lake: LakeServer, account: Account, github: Properties, owner: str, next_is_shared: bool
) -> None:
    """Also where a former stack of the name left the channel that is shared."""
    existing = account.store()
    shared = new_stack(name=owner).create({**given(github, existing), "Partner": "custom"}).physical_id
    stack = new_stack()
    made = stack.create({**github, "Partner": "okta", "ChannelName": "okta"})
    old = {**sharing(shared), "OnDelete": "delete"}
    assert stack.update(old).succeeded
    new = {**given(github, existing), "ChannelName": "new"}
    if next_is_shared:
        new = {"Partner": "github", "ChannelArn": account.channel(existing)}
    updated = stack.send("Update", new, physical_id=shared, old_properties=old)
    lake.lake.operations["ListChannels"] = lambda _: {"Channels": []}
    deleted = stack.send("Delete", old, physical_id=shared)
    [store] = made.data["EventDataStoreArns"]
    assert f"stay ({store}): the channel's tag says that it was replaced" in deleted.reason
    assert account.stores()[store] == "ENABLED"
    assert {shared, updated.physical_id} == lake.lake.registry.channels.keys()
    assert stack.stack_id not in " ".join(account.tags(shared).values())


def test_the_store_of_a_life_that_ended_in_an_update_that_died_is_no_leftover_of_a_create_nobody_heard_of(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    made = life_that_ends_in_an_update(stack, lake, github, {**github, "Partner": "okta"}, dies_after=2)
    [left] = set(account.channels()) - {made.physical_id}
    assert stack.delete().succeeded
    deleted = stack.send("Delete", {**github, "Partner": "okta"}, physical_id=MADE_UP, seconds=20)
    assert f"stay with the channel {left}, which this Create did not make." in deleted.reason
    assert deleted.reason.count(left) == 1, "however often the Delete looks"
    assert account.stores() == dict.fromkeys(made.data["EventDataStoreArns"], "ENABLED")


@pytest.mark.parametrize("heard", [True, False])
def test_the_store_of_a_life_that_ended_in_an_update_that_died_as_it_shared_is_no_leftover_of_the_next_ones_create(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, heard: bool
) -> None:
    shared = sharing(account.channel(account.store(), source="Custom"))
    made = life_that_ends_in_an_update(stack, lake, github, shared, dies_after=1)
    assert stack.delete().succeeded
    nobody = {**github, "Partner": "nobody"}
    failed = stack.send("Create", nobody)
    deleted = stack.send("Delete", nobody, physical_id=failed.physical_id if heard else MADE_UP)
    assert f"stay with the channel {shared['ChannelArn']}, which this Create" in deleted.reason
    assert account.stores()[made.data["EventDataStoreArns"][0]] == "ENABLED"
