"""A Create that failed, and the next one, which succeeded before CloudFormation deleted what failed.

With --disable-rollback a resource stays CREATE_FAILED until the stack's next update makes it. CloudFormation's guide
does not tell whether the Delete of what failed comes before that or, as after a replacement, at the end.
"""

from typing import Any

import pytest
from tests.integration.cloudformation import Answer, CloudFormation
from tests.integration.conftest import Account, Dying, NewStack, denied
from tests.integration.test_lifetimes import MADE_UP

from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

Properties = dict[str, Any]

POLICY = {"PrincipalAccountIds": ["444455556666"]}


def fail_and_leave(stack: CloudFormation, lake: LakeServer, properties: Properties) -> Answer:
    """A Create that fails once it has made the channel, and cannot take that back."""
    lake.lake.faults.set([denied("PutResourcePolicy", "DeleteChannel")])
    failed = stack.send("Create", properties)
    lake.lake.faults.set([])
    return failed


@pytest.mark.parametrize("on_delete", ["retain", "delete"])
def test_the_delete_of_a_create_that_failed_takes_nothing_of_the_next_one(
    stack: CloudFormation, account: Account, github: Properties, on_delete: str
) -> None:
    wanted = {**github, "OnDelete": on_delete}
    failed = stack.send("Create", {**wanted, "Partner": "nobody"})
    made = stack.send("Create", wanted)
    assert (failed.succeeded, made.succeeded) == (False, True)
    before = account.snapshot()
    deleted = stack.send("Delete", {**wanted, "Partner": "nobody"}, physical_id=failed.physical_id)
    assert (deleted.succeeded, deleted.reason) == (True, "")
    assert account.snapshot() == before


def test_what_the_next_create_took_over_is_its_own(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """The first one could not take its channel and its event data store back."""
    failed = fail_and_leave(stack, lake, github | POLICY)
    assert "Could not be taken back: the channel github" in failed.reason
    made = stack.send("Create", github)
    assert [made.physical_id] == account.channels()
    before = account.snapshot()
    assert stack.send("Delete", github | POLICY, physical_id=failed.physical_id).succeeded
    assert account.snapshot() == before


def test_what_the_next_create_shares_is_its_own(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    custom = {**github, **POLICY, "Partner": "custom"}
    failed = fail_and_leave(stack, lake, custom)
    [left] = account.channels()
    assert stack.send("Create", {"Partner": "slack", "ChannelArn": left}).physical_id == left
    before = account.snapshot()
    assert stack.send("Delete", custom, physical_id=failed.physical_id).succeeded
    assert account.snapshot() == before


def test_a_next_create_that_fails_as_well_leaves_what_the_first_one_left_to_its_delete(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    failed = fail_and_leave(stack, lake, github | POLICY)
    again = fail_and_leave(stack, lake, github | POLICY)
    assert (failed.succeeded, again.succeeded) == (False, False)
    for one in (again, failed):
        assert stack.send("Delete", github | POLICY, physical_id=one.physical_id).succeeded
    assert account.snapshot() == {}


def test_the_tag_on_a_shared_channel_stays_that_the_create_that_failed_did_not_name(
    new_stack: NewStack, account: Account, github: Properties
) -> None:
    owner, stack = new_stack(name="owner"), new_stack()
    shared = owner.create({**github, "Partner": "custom"}).physical_id
    alone = {**github, "Partner": "slack", "ChannelName": "slack", "EventDataStore": {"Name": "slack"}}
    failed = stack.send("Create", alone)
    assert f"set ChannelArn to {shared} to share it" in failed.reason
    assert stack.send("Create", {"Partner": "slack", "ChannelArn": shared}).succeeded
    before = account.snapshot()
    assert stack.send("Delete", alone, physical_id=failed.physical_id).succeeded
    assert account.snapshot() == before
    assert "is used by the stacks audit" in owner.delete().reason


def test_the_tag_on_a_shared_channel_stays_that_both_creates_named(
    new_stack: NewStack, account: Account, github: Properties
) -> None:
    owner, stack = new_stack(name="owner"), new_stack()
    sharing = {"Partner": "slack", "ChannelArn": owner.create({**github, "Partner": "custom"}).physical_id}
    wrong = {**sharing, "Partner": "okta"}
    failed = stack.send("Create", wrong)
    assert "has the source Custom" in failed.reason
    assert stack.send("Create", sharing).succeeded
    before = account.snapshot()
    assert stack.send("Delete", wrong, physical_id=failed.physical_id).succeeded
    assert account.snapshot() == before
    assert "is used by the stacks audit" in owner.delete().reason


def test_a_next_create_that_may_not_mark_what_it_takes_over_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """All else is as it was asked for, but the Delete of the first one would take it."""
    failed = fail_and_leave(stack, lake, github | POLICY)
    lake.lake.faults.set([denied("AddTags")])
    again = stack.send("Create", github)
    lake.lake.faults.set([])
    assert "CloudTrail refused AddTags" in again.reason
    for one in (again, failed):
        assert stack.send("Delete", github, physical_id=one.physical_id).succeeded
    assert account.snapshot() == {}


@pytest.mark.parametrize("changes", [1, 2, 3])
def test_an_update_makes_anew_what_the_delete_of_a_create_that_never_answered_took(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, changes: int
) -> None:
    """Nothing tells the two Creates apart; under its old name the event data store would stand in the Update's way."""
    lake.lake.faults = Dying(changes)
    stack.send_unanswered("Create", github | POLICY)
    lake.lake.faults = Faults()
    made = stack.send("Create", github)
    assert made.succeeded
    assert stack.send("Delete", github | POLICY, physical_id=MADE_UP).succeeded
    anew = stack.send("Update", {**github, "Version": "2"}, physical_id=made.physical_id, old_properties=github)
    assert anew.succeeded, anew.reason
    assert account.channels() == [anew.physical_id]
    assert account.living_stores() == anew.data["EventDataStoreArns"]
