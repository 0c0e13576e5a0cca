"""A function that dies midway: what it left behind goes with the request that CloudFormation sends next."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, Dying, Meanwhile, NewStack, denied, store_of

from trailhook.integration.ownership import MADE_BY_UPDATE
from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

Properties = dict[str, Any]
STILL_POINTED_AT = {"kind": "error", "operations": ["DeleteEventDataStore"], "code": "ChannelExistsForEDSException"}
Dies = Callable[..., Iterator[int]]


def given(properties: Properties, *arns: str) -> Properties:
    return {**properties, "EventDataStore": {"Name": ""}, "EventDataStoreArns": list(arns)}


def sharing(arn: str) -> Properties:
    return {"Partner": "slack", "ChannelArn": arn}


def okta(github: Properties) -> Properties:
    return {**github, "Partner": "okta", "Tags": ["team=other"], "OnDelete": "delete"}


Change = Callable[[Properties, str, str], tuple[Properties, Properties]]
CHANGES: dict[str, Change] = {
    "given stores, then its own": lambda own, store, _: (given(own, store), own),
    "given stores, then its own and another source": lambda own, store, _: (given(own, store), okta(own)),
    "a shared channel, then its own": lambda own, _, channel: (sharing(channel), own),
    "its own channel, then a shared one": lambda own, _, channel: (own, sharing(channel)),
    "its own store, then given ones and another source": lambda own, store, _: (own, given(okta(own), store)),
    "another source": lambda own, *_: (own, okta(own)),
}
"""Updates: the properties before and after, out of one's own, a store and a `Custom` channel that are there."""


@pytest.fixture
def dying(stack: CloudFormation, lake: LakeServer) -> Dies:
    """Sends a request again and again, to a function that dies after the first change, the second, …: yields which."""

    def send(*request: Any, **fields: Any) -> Iterator[int]:
        for after in itertools.count(1):
            lake.lake.faults = faults = Dying(after)
            stack.send_unanswered(*request, **fields)
            lake.lake.faults = Faults()
            if not faults.died:
                return
            yield after

    return send


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_rollback_of_an_update_that_died_leaves_everything_as_it_was(
    stack: CloudFormation, account: Account, github: Properties, dying: Dies, change: Change
) -> None:
    store = account.store()
    own = {**github, "PrincipalAccountIds": ["444455556666"], "Tags": ["team=audit"]}
    old, new = change(own, store, account.channel(store, source="Custom"))
    assert stack.create(old).succeeded
    before = account.snapshot()
    for after in dying("Update", new, physical_id=stack.physical_id, old_properties=old):
        back = stack.send("Update", old, physical_id=stack.physical_id, old_properties=new)
        assert back.succeeded, back.reason
        assert back.physical_id == stack.physical_id
        assert account.snapshot() == before, f"it died after {after} changes"
    assert stack.delete(OnDelete="delete").succeeded


def test_a_create_that_died_goes_with_its_delete(
    stack: CloudFormation, account: Account, github: Properties, dying: Dies
) -> None:
    account.channel(account.store(), source="Custom")
    before = account.snapshot()
    for after in dying("Create", {**github, "PrincipalAccountIds": ["444455556666"]}):
        assert stack.send("Delete", github, physical_id="audit-Integration-1A2B3C4D5E6F").succeeded
        assert account.snapshot() == before, f"it died after {after} changes"
    assert stack.send("Delete", github, physical_id="audit-Integration-1A2B3C4D5E6F").succeeded
    assert account.snapshot() == before, "it died with its answer on the way"


@pytest.mark.parametrize("after", [1, 2])
def test_what_a_create_that_died_made_does_not_keep_its_name_from_the_next_one(
    new_stack: NewStack, lake: LakeServer, account: Account, github: Properties, after: int
) -> None:
    """CloudTrail may not tell whose a store is that is pending deletion, and then nobody may restore it."""
    stack = new_stack()
    lake.lake.faults = Dying(after)
    stack.send_unanswered("Create", github)
    lake.lake.faults = Faults()
    assert stack.send("Delete", github, physical_id="audit-Integration-1A2B3C4D5E6F").succeeded
    again = new_stack().create(github)
    assert again.succeeded, again.reason
    assert list(account.stores().values()) == ["PENDING_DELETION", "ENABLED"]


def test_what_a_create_that_died_made_has_its_name_and_protection_again_where_it_stays(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Create", github)
    lake.lake.faults = Faults()
    lake.lake.faults.set([STILL_POINTED_AT])
    deleted = stack.send("Delete", github, physical_id="audit-Integration-1A2B3C4D5E6F", seconds=20)
    [arn] = account.living_stores()
    assert f"The event data store audit ({arn}) stays: CloudTrail says that a channel uses it." in deleted.reason
    store = account.cloudtrail.get_event_data_store(EventDataStore=arn)
    assert (store["Name"], store["TerminationProtectionEnabled"]) == ("audit", True)


def test_what_a_create_that_died_made_is_protected_again_also_where_its_name_is_taken_meanwhile(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Create", github)
    lake.lake.faults = Meanwhile("DeleteEventDataStore", lambda: account.store("audit"))
    lake.lake.faults.set([STILL_POINTED_AT])
    [arn] = account.living_stores()
    deleted = stack.send("Delete", github, physical_id="audit-Integration-1A2B3C4D5E6F", seconds=20)
    assert deleted.succeeded, deleted.reason
    assert account.cloudtrail.get_event_data_store(EventDataStore=arn)["TerminationProtectionEnabled"]


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5])
def test_a_delete_that_died_is_finished_by_the_next_one(
    new_stack: Callable[..., CloudFormation], lake: LakeServer, account: Account, github: Properties, after: int
) -> None:
    """Also of an event data store that a former stack of the name made, and retained."""
    former, stack = new_stack(name="again"), new_stack(name="again")
    wanted = {**github, "PrincipalAccountIds": ["444455556666"]}
    former.create(wanted)
    former.delete()
    stack.create(wanted)
    lake.lake.faults = Dying(after)
    stack.send_unanswered("Delete", {**wanted, "OnDelete": "delete"}, physical_id=stack.physical_id)
    lake.lake.faults = Faults()
    assert stack.delete(OnDelete="delete").succeeded
    assert account.snapshot() == {}


def test_an_update_whose_answer_does_not_get_through_is_rolled_back_whole(
    stack: CloudFormation, account: Account, github: Properties
) -> None:
    old = given(github, account.store())
    stack.create(old)
    before = account.snapshot()
    stack.bucket.statuses = [403] * 1000
    stack.send_unanswered("Update", github, physical_id=stack.physical_id, old_properties=old, seconds=6)
    stack.bucket.statuses = []
    assert stack.send("Update", old, physical_id=stack.physical_id, old_properties=github).succeeded
    assert account.snapshot() == before


def test_the_tag_on_a_shared_channel_goes_with_the_rollback_of_an_update_that_nobody_heard_of(
    stack: CloudFormation, account: Account, github: Properties
) -> None:
    shared = account.channel(account.store(), source="Custom")
    own = stack.create(github).physical_id
    before = account.snapshot()
    assert stack.send("Update", sharing(shared), physical_id=own, old_properties=github).succeeded
    assert stack.send("Update", github, physical_id=own, old_properties=sharing(shared)).physical_id == own
    assert account.snapshot() == before


def test_a_store_to_which_events_may_have_come_is_evidence(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    existing = account.store()
    old = given(github, existing)
    made = stack.create(old)
    lake.lake.faults = Dying(2)
    stack.send_unanswered("Update", github, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    lake.lake.registry.channel(made.physical_id).ingestion["LatestIngestionSuccessTime"] = 4e9
    back = stack.send("Update", old, physical_id=made.physical_id, old_properties=github)
    [store] = set(account.living_stores()) - {existing}
    assert f"The event data store audit ({store}) of an earlier update stays" in back.data["Report"]
    assert stack.update({**old, "ChannelName": "renamed"}).data["Report"] == "", "it is told once"


def test_a_store_to_which_events_came_is_evidence_also_if_it_is_not_listed_yet(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """The channel that shows it is gone when the store is listed and the next Update looks at it."""
    existing = account.store()
    old = given(github, existing)
    made = stack.create(old)
    lake.lake.faults = Dying(3)
    stack.send_unanswered("Update", okta(github), physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    [left] = set(account.channels()) - {made.physical_id}
    [store] = set(account.living_stores()) - {existing}
    lake.lake.registry.channel(left).ingestion["LatestIngestionSuccessTime"] = 4e9
    whole = lake.lake.operations["ListEventDataStores"]
    lake.lake.operations["ListEventDataStores"] = lambda _: {"EventDataStores": []}
    back = stack.send("Update", old, physical_id=made.physical_id, old_properties=okta(github))
    lake.lake.operations["ListEventDataStores"] = whole
    assert f"({store}) of an earlier update stays: events may have come to it." in back.reason
    assert account.channels() == [made.physical_id]
    assert stack.update({**old, "ChannelName": "renamed"}).succeeded
    assert account.stores()[store] == "ENABLED"


def test_a_store_that_a_left_channel_delivered_to_before_is_evidence_also_if_the_rollback_dies_once_it_is_gone(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """A second Update, which died as well, pointed the channel at another one."""
    existing = account.store()
    old, new = given(github, existing), okta(github)
    made = stack.create(old)
    for update, changes in ((new, 3), (given(new, existing), 1)):
        lake.lake.faults = Dying(changes)
        stack.send_unanswered("Update", update, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    [left] = set(account.channels()) - {made.physical_id}
    lake.lake.registry.channel(left).ingestion["LatestIngestionSuccessTime"] = 4e9
    for changes in (0, 0, 1, 1, 2, 2, 3, 3):  # a name that was put back is no change in the next try
        lake.lake.faults = Dying(changes)
        stack.send_unanswered("Update", old, physical_id=made.physical_id, old_properties=new)
    lake.lake.faults = Faults()
    assert stack.send("Update", old, physical_id=made.physical_id, old_properties=new).succeeded
    assert account.channels() == [made.physical_id]
    assert list(account.stores().values()) == ["ENABLED", "ENABLED"]


def test_each_store_that_cannot_be_removed_is_named(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    existing = account.store()
    old = given(github, existing)
    made = stack.create(old)
    for name in ("first", "second", "third"):
        new = store_of(github, Name=name)
        lake.lake.faults = Dying(1)
        stack.send_unanswered("Update", new, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    first, second, third = set(account.living_stores()) - {existing}
    theirs = account.channel(first, source="Custom")
    lake.lake.faults.set([denied("DeleteEventDataStore", count=1)])
    back = stack.send("Update", old, physical_id=made.physical_id, old_properties=github)
    [refused] = set(account.living_stores()) - {existing, first}
    assert refused in {second, third}
    assert f"({first}) of an earlier update stays: the channel {theirs} delivers to it." in back.reason
    assert f"{refused} of an earlier update could not be removed: This function's role may not" in back.reason
    # Data is an output of the stack.
    assert len(back.data["Report"]) == 500
    assert back.reason.startswith(back.data["Report"].removesuffix("…"))


@pytest.mark.parametrize("operation", ["ListEventDataStores", "ListTags"])
def test_a_rollback_that_may_not_look_for_stores_succeeds_and_says_so(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, operation: str
) -> None:
    """A rollback that failed for that would leave the stack to somebody's hand."""
    account.store("theirs")
    old = given(github, account.store())
    new = {**old, "ChannelName": "renamed"}
    stack.create(old)
    before = account.snapshot()
    assert stack.send("Update", new, physical_id=stack.physical_id, old_properties=old).succeeded
    # The channels and their tags are asked for before that.
    lake.lake.faults = Meanwhile("UpdateChannel", lambda: lake.lake.faults.set([denied(operation)]))
    back = stack.send("Update", old, physical_id=stack.physical_id, old_properties=new)
    lake.lake.faults = Faults()
    assert back.succeeded, back.reason
    assert "Not every event data store could be checked for marks of an earlier update: " in back.data["Report"]
    assert account.snapshot() == before


def test_what_an_update_left_is_the_operators_once_it_was_given(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """Also when the Update that gave it is rolled back."""
    old = given(github, account.store())
    stack.create(old)
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Update", github, physical_id=stack.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    store = list(account.stores())[1]
    assert stack.update(given(github, store), another_resource_fails=True).succeeded
    assert account.stores()[store] == "ENABLED"


def test_what_another_stacks_update_left_is_not_this_ones_to_remove(
    new_stack: NewStack, lake: LakeServer, account: Account, github: Properties
) -> None:
    stack, other = new_stack(), new_stack(name="other")
    stack.create(given(github, account.store("one")))
    theirs = given({**github, "Partner": "okta", "ChannelName": "okta"}, account.store("two"))
    other.create(theirs)
    lake.lake.faults = Dying(1)
    own = {**theirs, "EventDataStoreArns": [""], "EventDataStore": {"Name": "own"}}
    other.send_unanswered("Update", own, physical_id=other.physical_id, old_properties=theirs)
    lake.lake.faults = Faults()
    before = account.snapshot()
    assert stack.update({**stack.properties, "Tags": [""]}).data["Report"] == ""
    assert account.snapshot() == before
    [left] = (arn for arn in before if MADE_BY_UPDATE in account.tags(arn))
    assert stack.update({**stack.properties, "Partner": "onelogin"}).succeeded
    assert stack.log[-1] == ("Delete", "SUCCESS")
    assert account.snapshot()[left] == before[left]


def test_a_channel_that_others_use_by_now_is_named(
    new_stack: NewStack, lake: LakeServer, account: Account, github: Properties
) -> None:
    stack, other = new_stack(), new_stack(name="other")
    old = given(github, account.store())
    custom = {**old, "Partner": "slack", "ChannelName": "slack"}
    made = stack.create(old)
    lake.lake.faults = Dying(2)
    stack.send_unanswered("Update", custom, physical_id=made.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    [left] = set(account.channels()) - {made.physical_id}
    assert other.create(sharing(left)).succeeded
    back = stack.send("Update", old, physical_id=made.physical_id, old_properties=custom)
    assert left in back.data["Report"]
    assert "is used by the stacks other" in back.data["Report"]
    assert left in account.channels()


def test_a_store_of_which_cloudformation_heard_is_no_leftover(
    stack: CloudFormation, account: Account, github: Properties
) -> None:
    old = given(github, account.store())
    stack.create(old)
    [store] = stack.update(github).data["EventDataStoreArns"]
    assert stack.update(old).succeeded
    assert account.stores()[store] == "ENABLED"


def test_the_store_of_an_update_is_no_leftover_of_the_next_one_that_wants_it(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """Nobody could tell in the first that CloudFormation has heard of it; the next one does."""
    stack.create(given(github, account.store()))
    lake.lake.faults.set([denied("RemoveTags", "AddTags", count=2)])
    [store] = stack.update(github).data["EventDataStoreArns"]
    assert MADE_BY_UPDATE in account.tags(store)
    again = stack.update({**github, "ChannelName": "renamed"})
    assert (again.data["EventDataStoreArns"], again.data["Report"]) == ([store], "")
    assert MADE_BY_UPDATE not in account.tags(store)


@pytest.mark.parametrize("way", ["at once", "after given stores"])
def test_evidence_is_no_leftover_when_the_channel_is_gone_that_showed_it(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, way: str
) -> None:
    """Also where nobody could tell, in the Update that made the store, that CloudFormation has heard of it."""
    existing, channel = account.store(), account.channel(account.store("shared"), source="Custom")
    stack.create(given(github, existing))
    lake.lake.faults.set([denied("RemoveTags", "AddTags", count=2)])
    updated = stack.update(github)
    [store] = updated.data["EventDataStoreArns"]
    lake.lake.registry.channel(updated.physical_id).ingestion["LatestIngestionSuccessTime"] = 4e9
    if way != "at once":
        assert stack.update(given(github, existing)).succeeded
    assert stack.update(sharing(channel)).succeeded
    assert stack.update({**sharing(channel), "OnDelete": "delete"}).succeeded
    assert account.stores()[store] == "ENABLED"
