"""A request that comes twice, even while the first is at work: nothing is made twice, and nothing in use is undone."""

from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, Meanwhile, denied

from trailhook.integration.control_plane import as_list
from trailhook.integration.ownership import Owner
from trailhook_local.lake import LakeServer, errors

POLICY = {"PrincipalAccountIds": ["444455556666"], "ExternalId": "fake-external-id"}


def assert_whole(account: Account) -> None:
    """One channel, and the event data store behind it as it was asked for."""
    [channel], [store] = account.channels(), account.stores()
    assert [d["Location"] for d in account.cloudtrail.get_channel(Channel=channel)["Destinations"]] == [store]
    found = account.cloudtrail.get_event_data_store(EventDataStore=store)
    assert (found["Name"], found["Status"], found["TerminationProtectionEnabled"]) == ("audit", "ENABLED", True)
    assert account.policy(channel)


def overtaken(lake: LakeServer, stack: CloudFormation, operation: str, refused: str = "", count: int = 1) -> None:
    """Let a repeat of the next request do all of its work just before that asks for `operation`. Then `refused` is
    denied, by default the same operation.
    """

    def repeat() -> None:
        stack.replay()
        lake.lake.faults.set([denied(refused or operation, count=count)])

    lake.lake.faults = Meanwhile(operation, repeat)


def assert_both_succeeded(stack: CloudFormation) -> None:
    """And with the same answer."""
    faster, slower = stack.bucket.answers
    assert faster.succeeded, faster.reason
    assert slower.succeeded, slower.reason
    assert slower.data == faster.data


def test_a_repeated_request_makes_nothing_twice(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    answer = stack.create({**github, **POLICY, "Tags": {"team": "audit"}})
    before = account.snapshot()
    stack.replay()
    assert stack.bucket.answers[-1].data == answer.data
    assert stack.bucket.answers[-1].physical_id == answer.physical_id
    assert account.snapshot() == before


@pytest.mark.parametrize("operation", ["CreateEventDataStore", "CreateChannel", "PutResourcePolicy"])
def test_a_repeat_that_is_faster_leaves_its_work_to_both(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    lake.lake.faults = Meanwhile(operation, stack.replay)
    stack.send_unanswered("Create", {**github, **POLICY})
    assert_both_succeeded(stack)
    assert_whole(account)


@pytest.mark.parametrize("operation", ["CreateEventDataStore", "CreateChannel"])
def test_what_a_repeat_that_is_still_at_work_has_made_is_gone_on_with(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    tags = as_list(Owner(stack.stack_id, stack.logical_id).tags)

    def begun() -> None:
        if operation == "CreateChannel":
            [store] = account.stores()
            account.channel(store, name="github", Tags=tags)
        else:
            account.store("audit", TagsList=tags)

    lake.lake.faults = Meanwhile(operation, begun)
    answer = stack.create({**github, **POLICY})
    assert answer.succeeded, answer.reason
    assert_whole(account)


@pytest.mark.parametrize(("operation", "refused"), [("CreateChannel", "ListChannels"), ("PutResourcePolicy", "")])
def test_what_a_repeat_has_done_is_not_undone_by_the_request_that_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str, refused: str
) -> None:
    overtaken(lake, stack, operation, refused)
    stack.send_unanswered("Create", {**github, **POLICY})
    assert_both_succeeded(stack)
    assert_whole(account)


def test_a_channel_to_given_stores_that_a_repeat_has_finished_is_not_undone_by_the_request_that_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    given = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [account.store()]}
    overtaken(lake, stack, "PutResourcePolicy")
    stack.send_unanswered("Create", {**given, **POLICY})
    assert_both_succeeded(stack)
    assert account.policy(stack.bucket.answers[-1].physical_id)


def test_what_a_repeat_has_changed_is_not_undone_by_the_update_that_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    made = stack.create({**github, "ChannelName": "before", "Tags": ["stage=test", "team=audit"]})
    overtaken(lake, stack, "PutResourcePolicy")
    wanted = {**github, **POLICY, "Tags": ["team=audit"]}
    stack.send_unanswered("Update", wanted, physical_id=made.physical_id, old_properties=stack.properties)
    assert [answer.succeeded for answer in stack.bucket.answers] == [True, True, True]
    assert_whole(account)
    assert account.cloudtrail.get_channel(Channel=made.physical_id)["Name"] == "github"


def test_a_store_that_a_channel_uses_stays_whoever_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    overtaken(lake, stack, "CreateChannel", "ListChannels", count=2)
    stack.send_unanswered("Create", {**github, **POLICY})
    _, slower = stack.bucket.answers
    assert "Could not be taken back: the event data store audit (the channel github delivers to it)" in slower.reason
    assert_whole(account)


@pytest.mark.parametrize("refused", ["DeleteChannel", "DeleteResourcePolicy"])
def test_a_store_whose_channel_could_not_be_taken_back_stays_as_it_is(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], refused: str
) -> None:
    lake.lake.faults.set([denied("PutResourcePolicy", refused)])
    answer = stack.send("Create", {**github, **POLICY})
    assert not answer.succeeded
    lake.lake.faults.set([])
    [arn] = account.living_stores()
    store = account.cloudtrail.get_event_data_store(EventDataStore=arn)
    assert (store["Name"], store["TerminationProtectionEnabled"]) == ("audit", True)
    assert stack.send("Delete", github, physical_id=answer.physical_id).succeeded
    assert account.snapshot() == {}


def test_a_store_that_a_channel_began_to_use_as_it_was_taken_back_has_its_name_and_protection_again(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    in_use = {"kind": "error", "operations": ["DeleteEventDataStore"], "code": "ChannelExistsForEDSException"}
    lake.lake.faults.set([denied("CreateChannel"), in_use])
    assert not stack.send("Create", github).succeeded
    [arn] = account.living_stores()
    store = account.cloudtrail.get_event_data_store(EventDataStore=arn)
    assert (store["Name"], store["TerminationProtectionEnabled"]) == ("audit", True)


def test_a_store_that_cannot_be_renamed_as_its_protection_goes_is_taken_back_under_its_name(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """Which CloudTrail may allow or not."""
    whole = lake.lake.operations["UpdateEventDataStore"]

    def update(request: dict[str, Any]) -> dict[str, Any]:
        if "Name" in request:
            raise errors.InvalidParameterException("The name cannot be changed.")
        return whole(request)

    lake.lake.operations["UpdateEventDataStore"] = update
    lake.lake.faults.set([denied("CreateChannel")])
    assert "Could not be taken back" not in stack.create(github).reason
    assert list(account.stores().values()) == ["PENDING_DELETION"]


def test_a_store_that_has_not_even_that_back_is_named_by_its_arn(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """The name by which the reason would call it is no longer its own."""
    refused = [denied("UpdateEventDataStore", "DeleteEventDataStore")]
    lake.lake.faults = Meanwhile("DeleteEventDataStore", lambda: lake.lake.faults.set(refused))
    lake.lake.faults.set([denied("CreateChannel")])
    answer = stack.send("Create", github)
    [arn] = account.living_stores()
    assert account.cloudtrail.get_event_data_store(EventDataStore=arn)["Name"] != "audit"
    assert f"{arn} did not get back its name and termination protection" in answer.reason


def test_a_name_that_only_cloudtrail_knows_to_be_taken_is_told(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    taken = {"kind": "error", "operations": ["CreateChannel"], "code": "ChannelAlreadyExistsException"}
    lake.lake.faults.set([taken])
    assert "Another channel has that name or that source" in stack.create(github).reason
    assert account.snapshot() == {}
