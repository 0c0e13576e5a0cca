"""What can go wrong on the way: afterwards nothing is left over, nothing of others is gone, and there was an answer."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tests.fakes import MemoryClock
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import NO_NEW_CUSTOMERS, Account, Meanwhile, denied

from trailhook.deadline import Deadline
from trailhook.errors import OutOfTime
from trailhook.integration.control_plane import ControlPlane
from trailhook_local.lake import LakeServer, errors

POLICY = {"PrincipalAccountIds": ["444455556666"], "ExternalId": "fake-external-id"}
MAKING = ["CreateEventDataStore", "GetEventDataStore", "CreateChannel", "PutResourcePolicy"]
READING = ["ListChannels", "ListEventDataStores"]


@pytest.mark.parametrize("operation", MAKING + READING)
def test_a_refusal_anywhere_takes_back_what_was_made(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    account.channel(account.store(), source="OktaSystemLogEvents")
    before = account.snapshot()
    lake.lake.faults.set([denied(operation, count=1)])

    answer = stack.create({**github, **POLICY})

    assert not answer.succeeded
    assert operation in answer.reason
    assert "allow the action" in answer.reason
    assert account.snapshot() == before


def test_a_principal_that_cloudtrail_does_not_know_is_told_by_its_property(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    refused = {"kind": "error", "operations": ["PutResourcePolicy"], "code": "ResourcePolicyNotValidException"}
    lake.lake.faults.set([refused])
    answer = stack.create({**github, **POLICY})
    assert answer.reason.startswith("CloudTrail refuses a policy with these accounts: correct PrincipalAccountIds.")
    assert account.snapshot() == {}


def test_the_name_of_a_store_that_was_taken_back_is_free_for_the_next_try(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([denied("CreateChannel")])
    assert not stack.create(github).succeeded
    assert account.living_stores() == []
    lake.lake.faults.set([])
    assert stack.create(github).succeeded


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.parametrize("operation", MAKING)
def test_a_lost_answer_creates_nothing_twice(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str, kind: str
) -> None:
    lake.lake.faults.set([{"kind": kind, "operations": [operation], "count": 1}])
    answer = stack.create({**github, **POLICY})
    assert answer.succeeded, answer.reason
    assert account.channels() == [answer.data["ChannelArn"]]
    assert list(account.stores()) == answer.data["EventDataStoreArns"]


@pytest.mark.parametrize(
    ("lost", "refused"), [("CreateEventDataStore", "CreateChannel"), ("CreateChannel", "PutResourcePolicy")]
)
def test_what_an_answer_that_was_lost_had_made_is_taken_back_by_the_create_itself(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], lost: str, refused: str
) -> None:
    drop = {"kind": "drop_after", "operations": [lost], "count": 1}
    lake.lake.faults.set([drop, denied(refused)])
    answer = stack.send("Create", {**github, **POLICY})
    assert f"CloudTrail refused {refused}" in answer.reason
    assert "Could not be taken back" not in answer.reason
    assert account.snapshot() == {}


def test_what_a_lost_answer_had_made_is_looked_for_once_more_as_it_is_taken_back(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lost = {"kind": "drop_after", "operations": ["CreateChannel"], "count": 1}
    refused = denied("ListChannels", count=1)
    lake.lake.faults = Meanwhile("CreateChannel", lambda: lake.lake.faults.set([lost, refused]))
    answer = stack.send("Create", {**github, **POLICY})
    assert "CloudTrail refused ListChannels" in answer.reason
    assert account.snapshot() == {}


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [("EventDataStore", "EventDataStoreMaxLimitExceededException"), ("Channel", "ChannelMaxLimitExceededException")],
)
def test_what_a_lost_answer_had_made_is_found_although_it_is_listed_late_and_took_the_last_place(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], kind: str, refusal: str
) -> None:
    whole, made = lake.lake.operations[f"List{kind}s"], account.channels if kind == "Channel" else account.stores
    create = {"operations": [f"Create{kind}"], "count": 1}
    late = [{**create, "kind": "error", "code": refusal}]

    def listing(request: dict[str, Any]) -> dict[str, Any]:
        page = whole(request)
        if not page[f"{kind}s"] or not late:
            return page
        lake.lake.faults.set([late.pop()])
        return {f"{kind}s": []}

    lake.lake.operations[f"List{kind}s"] = listing
    lake.lake.faults.set([{**create, "kind": "drop_after"}])
    answer = stack.create({**github, **POLICY})
    assert answer.succeeded, answer.reason
    assert not late
    assert len(made()) == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("audit", "The event data store audit exists and is not this stack's"),
        ("theirs", "CloudTrail refused CreateChannel"),
    ],
)
def test_a_lost_answer_makes_nothing_of_a_strangers_ours(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], name: str, reason: str
) -> None:
    """Also where its name is the one that was asked for: it would be deleted as what this Create made in vain."""
    lost = {"kind": "drop_before", "operations": ["CreateEventDataStore"], "count": 1}

    def meanwhile() -> None:
        account.store(name)
        lake.lake.faults.set([lost, denied("CreateChannel")])

    lake.lake.faults = Meanwhile("CreateEventDataStore", meanwhile)
    assert reason in stack.create(github).reason
    [theirs] = account.living_stores()
    store = account.cloudtrail.get_event_data_store(EventDataStore=theirs)
    assert (store["Name"], store["TerminationProtectionEnabled"]) == (name, True)
    assert account.tags(theirs) == {}


def test_a_lost_answer_makes_nothing_new_of_a_store_of_before(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """The stack's own one under another name, which is no destination any more, holds evidence."""
    evidence = stack.create(github).data["EventDataStoreArns"]
    given = {**github, "EventDataStore": {"Name": ""}, "EventDataStoreArns": [account.store()]}
    assert stack.update(given).succeeded
    before = account.snapshot()
    lost = {"kind": "drop_before", "operations": ["CreateEventDataStore"], "count": 1}
    lake.lake.faults.set([lost, denied("UpdateChannel", count=1)])
    new = {**github, "EventDataStore": {"Name": "second"}}
    assert not stack.send("Update", new, physical_id=stack.physical_id, old_properties=given).succeeded
    assert account.snapshot() == before
    assert account.stores()[evidence[0]] == "ENABLED"


@pytest.mark.parametrize("operation", ["CreateChannel", "CreateEventDataStore"])
def test_a_fault_after_the_effect_is_a_lost_answer_too(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    whole = lake.lake.operations[operation]

    def done_and_failed(request: dict[str, Any]) -> dict[str, Any]:
        whole(request)
        raise errors.InternalFailure("The service failed after it had done what it was asked for.")

    lake.lake.operations[operation] = done_and_failed
    answer = stack.create(github)
    assert answer.succeeded, answer.reason
    assert len(account.channels()) == len(account.stores()) == 1


@pytest.mark.parametrize("code", ["ThrottlingException", "ConflictException", "InternalFailure", "ServiceUnavailable"])
def test_what_passes_is_waited_out(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], code: str
) -> None:
    lake.lake.faults.set([{"kind": "error", "operations": MAKING, "code": code, "count": 1}])
    assert stack.create({**github, **POLICY}).succeeded
    lake.lake.faults.set(
        [{"kind": "error", "operations": ["DeleteChannel", "DeleteResourcePolicy"], "code": code, "count": 1}]
    )
    assert stack.delete().succeeded
    assert account.channels() == []


NEW_ROLE = {"kind": "error", "code": "AccessDeniedException", "message": "no identity-based policy allows the action"}


def test_the_denials_of_a_role_that_was_made_a_moment_ago_are_waited_out(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([{**NEW_ROLE, "operations": [name], "count": 2} for name in (*READING, *MAKING)])
    stack.seconds = 600
    answer = stack.create({**github, **POLICY})
    assert answer.succeeded, answer.reason
    assert len(account.channels()) == len(account.stores()) == 1


def test_a_denial_that_stays_is_told_and_taken_back(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([{**NEW_ROLE, "operations": ["CreateChannel"]}])
    stack.seconds = 20
    answer = stack.create(github)
    assert "allow the action" in answer.reason
    assert account.snapshot() == {}


class Denying:
    """CloudTrail, which denies once and then fails as `after` does; each call takes a second of `clock`."""

    def __init__(self, clock: MemoryClock, after: Exception) -> None:
        self._clock = clock
        self._after = after
        denial: Any = {"Error": {"Code": NEW_ROLE["code"], "Message": NEW_ROLE["message"]}}
        self._denials = [ClientError(denial, "DeleteChannel")]

    def delete_channel(self, **_request: str) -> None:
        self._clock.time += 1
        raise self._denials.pop() if self._denials else self._after


@pytest.mark.parametrize("seconds", [0.5, 1.2], ids=["over with the denial", "over after a call without an answer"])
def test_the_reason_of_an_end_in_time_is_the_denial_that_was_waited_out(seconds: float) -> None:
    clock = MemoryClock()
    client: Any = Denying(clock, ReadTimeoutError(endpoint_url="https://cloudtrail.example"))
    plane = ControlPlane(client, Deadline(clock.time + seconds, clock.now), Deadline(clock.time + 60, clock.now))
    with pytest.raises(OutOfTime) as caught:
        plane.delete_channel("arn")
    assert str(caught.value).startswith("The function's time was over while it waited for CloudTrail to take DeleteCha")
    assert "allow the action in its policy" in str(caught.value)
    assert str(caught.value).endswith("AccessDeniedException: no identity-based policy allows the action")


def test_a_denial_that_another_answer_came_after_is_not_the_reason() -> None:
    clock = MemoryClock()
    throttled: Any = {"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}
    client: Any = Denying(clock, ClientError(throttled, "DeleteChannel"))
    plane = ControlPlane(client, Deadline(clock.time + 1.2, clock.now), Deadline(clock.time + 60, clock.now))
    with pytest.raises(OutOfTime, match=r"\(ThrottlingException: Rate exceeded\)\.$"):
        plane.delete_channel("arn")


@pytest.mark.parametrize("operation", ["CreateChannel", "PutResourcePolicy"])
def test_what_does_not_pass_in_time_is_taken_back_and_told(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str
) -> None:
    stack.seconds = 10
    lake.lake.faults.set([{"kind": "error", "operations": [operation], "code": "ConflictException"}])
    answer = stack.create({**github, **POLICY})
    assert not answer.succeeded
    assert "time was over" in answer.reason
    assert "ConflictException" in answer.reason
    assert account.snapshot() == {}


def test_slow_answers_are_waited_for(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([{"kind": "delay", "milliseconds": 300}])
    lake.lake.event_data_stores.start_seconds = 1.5
    assert stack.create(github).succeeded


def test_an_answer_slower_than_a_call_may_take_creates_nothing_twice(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    stack.seconds = 18  # three seconds a call
    lake.lake.faults.set([{"kind": "delay", "operations": ["CreateChannel"], "milliseconds": 2900, "count": 1}])
    answer = stack.create(github)
    assert account.channels() == ([answer.physical_id] if answer.succeeded else [])


def test_a_function_that_dies_leaves_nothing_after_the_delete_that_follows(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    theirs = account.channel(account.store(), source="OktaSystemLogEvents")
    before = account.snapshot()
    # As if the process had ended after its work and before its answer.
    stack.create_that_times_out(github, seconds=30)
    assert account.snapshot() == before
    assert theirs in before


def test_what_could_not_be_taken_back_is_told_and_goes_with_the_delete_that_follows(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    refused = ["CreateChannel", "UpdateEventDataStore"]
    lake.lake.faults.set([denied(*refused)])
    answer = stack.send("Create", github)
    assert "Could not be taken back: the event data store audit" in answer.reason
    assert len(account.living_stores()) == 1
    lake.lake.faults.set([])
    assert stack.send("Delete", github, physical_id=answer.physical_id).succeeded
    assert account.snapshot() == {}


def test_lists_are_read_to_their_last_page(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:

    def page_by_page(operation: str) -> None:
        whole = lake.lake.operations[operation]
        lake.lake.operations[operation] = lambda request: whole({**request, "MaxResults": 1})

    page_by_page("ListChannels")
    page_by_page("ListEventDataStores")
    store = account.store()
    for source in ("OktaSystemLogEvents", "OneLogin", "GitHub"):
        theirs = account.channel(store, name=f"theirs-{source}", source=source)
    assert theirs in stack.create(github).reason
    account.cloudtrail.delete_channel(Channel=theirs)
    answer = stack.create(github)
    assert answer.succeeded
    stack.delete(OnDelete="delete")
    assert account.stores()[answer.data["EventDataStoreArns"][0]] == "PENDING_DELETION"


@pytest.mark.parametrize(
    "code", ["UnsupportedOperationException", "OperationNotPermittedException", "InvalidParameterException"]
)
def test_an_account_that_cloudtrail_lake_does_not_take_is_told_so_with_the_date(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], code: str
) -> None:
    lake.lake.faults.set([{**NO_NEW_CUSTOMERS, "code": code}])
    answer = stack.create(github)
    assert answer.reason.startswith("CloudTrail Lake took its last new customers on 2026-05-31 and does not take this")
    assert "Could not be taken back" not in answer.reason
    assert sum(lake.lake.stats()["requests"]["CreateEventDataStore"].values()) == 1, "no asking again changes that"


def test_an_account_that_cloudtrail_lake_does_not_take_can_delete_the_stack(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([{**NO_NEW_CUSTOMERS, "operations": None}])
    assert not stack.create(github).succeeded


def test_a_channel_that_was_made_is_not_said_to_be_gone_because_nobody_may_ask(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """Its policy would go on letting others in, and CloudFormation would have forgotten it."""
    stack.create({**github, **POLICY})
    before = account.snapshot()
    lake.lake.faults.set([{**NO_NEW_CUSTOMERS, "operations": ["ListChannels"]}])
    assert not stack.delete().succeeded
    lake.lake.faults.set([])
    assert account.snapshot() == before
    assert stack.delete().succeeded


@pytest.mark.parametrize("operations", [[], ["ListTags"]])
def test_a_role_that_may_do_nothing_does_not_fail_the_rollback_too(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operations: list[str]
) -> None:
    """A permissions boundary without CloudTrail, or ListTags: the stack would be in ROLLBACK_FAILED, over nothing."""
    account.channel(account.store(), source="OneLogin")
    before = account.snapshot()
    lake.lake.faults.set([denied(*operations)])
    assert f"CloudTrail refused {operations[0] if operations else 'ListChannels'}" in stack.create(github).reason
    assert stack.log == [("Create", "FAILED"), ("Delete", "SUCCESS")]
    lake.lake.faults.set([])
    assert account.snapshot() == before


def test_a_refusal_that_is_no_denial_fails_the_delete_after_a_create_that_failed(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """It tells nothing of what that Create was allowed, and here it left a channel."""
    lake.lake.faults.set([denied("PutResourcePolicy", "DeleteChannel")])
    failed = stack.send("Create", {**github, **POLICY})
    lake.lake.faults.set([{"kind": "error", "operations": ["ListTags"], "code": "InvalidParameterException"}])
    assert "CloudTrail refused ListTags" in stack.send("Delete", github, physical_id=failed.physical_id).reason
    lake.lake.faults.set([])
    assert stack.send("Delete", github, physical_id=failed.physical_id).succeeded
    assert account.snapshot() == {}


@pytest.mark.parametrize(
    "physical_id", ["a channel's", "one that CloudFormation made up", "of a channel that is shared"]
)
def test_a_role_that_may_do_nothing_any_more_fails_a_delete_of_what_may_be_there(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], physical_id: str
) -> None:
    made = stack.create(github)
    lake.lake.faults.set([denied()])
    gone, properties = "audit-Integration-1A2B3C4D5E6F", github
    if physical_id == "a channel's":
        gone = made.physical_id
    elif physical_id == "of a channel that is shared":
        gone, properties = "failed/Integration/1", github | {"ChannelArn": made.physical_id}
    assert "allow the action" in stack.send("Delete", properties, physical_id=gone).reason


@pytest.mark.parametrize(
    "operation", ["DeleteResourcePolicy", "DeleteChannel", "UpdateEventDataStore", "DeleteEventDataStore"]
)
@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
def test_a_lost_answer_does_not_fail_a_delete(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], operation: str, kind: str
) -> None:
    stack.create({**github, **POLICY, "OnDelete": "delete"})
    lake.lake.faults.set([{"kind": kind, "operations": [operation], "count": 1}])
    assert stack.delete().succeeded
    assert account.snapshot() == {}


def test_a_store_that_cannot_be_deleted_is_protected_again(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    store = stack.create({**github, "OnDelete": "delete"}).data["EventDataStoreArns"][0]
    lake.lake.faults.set([denied("DeleteEventDataStore")])
    assert not stack.delete().succeeded
    assert account.cloudtrail.get_event_data_store(EventDataStore=store)["TerminationProtectionEnabled"]


PASSING = [
    {"kind": "drop_before", "probability": 0.06},
    {"kind": "drop_after", "probability": 0.06},
    {"kind": "error", "code": "ConflictException", "probability": 0.06},
]


@pytest.mark.parametrize("seed", [2, 4])
def test_whatever_happens_it_is_whole_or_gone(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], seed: int
) -> None:
    account.channel(account.store(), source="OneLogin")
    strangers = account.snapshot()
    refusals = denied(*MAKING, probability=0.1)
    lake.lake.faults.set([*PASSING, refusals], seed)
    made = stack.create({**github, **POLICY, "OnDelete": "delete"})
    if made.succeeded:
        lake.lake.faults.set(PASSING, seed)
        stack.update({**github, "Partner": "okta", "OnDelete": "delete"}, another_resource_fails=seed % 2 == 0)
        stack.delete()
    lake.lake.faults.set([])
    assert account.snapshot() == strangers


def test_a_channel_is_taken_back_also_by_a_role_that_may_not_look_at_it(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([denied("PutResourcePolicy", "GetChannel")])
    answer = stack.create({**github, "PrincipalAccountIds": ["444455556666"]})
    assert "CloudTrail refused PutResourcePolicy" in answer.reason
    assert "Could not be taken back" not in answer.reason
    assert account.snapshot() == {}
