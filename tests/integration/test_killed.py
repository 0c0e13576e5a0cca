"""A function that dies midway: what it left behind goes with the request that CloudFormation sends next."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, Dying

from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

Properties = dict[str, Any]
ENOUGH = 99
"""More changes than any request makes: the function dies with its answer on the way."""


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
def dying(lake: LakeServer) -> Iterator[Callable[[int], None]]:
    def after(changes: int) -> None:
        lake.lake.faults = Dying(changes)

    yield after
    lake.lake.faults = Faults()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_rollback_of_an_update_that_died_leaves_everything_as_it_was(
    stack: CloudFormation,
    lake: LakeServer,
    account: Account,
    github: Properties,
    dying: Callable[[int], None],
    change: Change,
) -> None:
    store = account.store()
    own = {**github, "PrincipalAccountIds": ["444455556666"], "Tags": ["team=audit"]}
    old, new = change(own, store, account.channel(store, source="Custom"))
    assert stack.create(old).succeeded
    before = account.snapshot()
    for after in (1, 2, 3, 4, ENOUGH):
        dying(after)
        stack.send_unanswered("Update", new, physical_id=stack.physical_id, old_properties=old)
        lake.lake.faults = Faults()
        back = stack.send("Update", old, physical_id=stack.physical_id, old_properties=new)
        assert back.succeeded, back.reason
        assert back.physical_id == stack.physical_id
        assert account.snapshot() == before, f"it died after {after} changes"
    assert stack.delete(OnDelete="delete").succeeded


def test_a_create_that_died_goes_with_its_delete(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, dying: Callable[[int], None]
) -> None:
    account.channel(account.store(), source="Custom")
    before = account.snapshot()
    for after in (1, 2, 3, ENOUGH):
        dying(after)
        stack.send_unanswered("Create", {**github, "PrincipalAccountIds": ["444455556666"]})
        lake.lake.faults = Faults()
        assert stack.send("Delete", github, physical_id="audit-Integration-1A2B3C4D5E6F").succeeded
        assert account.snapshot() == before, f"it died after {after} changes"


def test_a_delete_that_died_is_finished_by_the_next_one(
    new_stack: Callable[..., CloudFormation],
    lake: LakeServer,
    account: Account,
    github: Properties,
    dying: Callable[[int], None],
) -> None:
    """Also of an event data store that a former stack of the name made, and retained."""
    wanted = {**github, "PrincipalAccountIds": ["444455556666"]}
    for after in (1, 2, 3, 4, 5):
        former, stack = new_stack(name="again"), new_stack(name="again")
        former.create(wanted)
        former.delete()
        stack.create(wanted)
        dying(after)
        stack.send_unanswered("Delete", {**wanted, "OnDelete": "delete"}, physical_id=stack.physical_id)
        lake.lake.faults = Faults()
        assert stack.delete(OnDelete="delete").succeeded
        assert account.snapshot() == {}, f"it died after {after} changes"
        wanted["EventDataStore"] = {"Name": f"audit-{after}"}


def test_a_store_to_which_events_may_have_come_is_evidence(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    old = given(github, account.store())
    made = stack.create(old)
    updated = stack.send("Update", github, physical_id=made.physical_id, old_properties=old)
    lake.lake._registry.channel(made.physical_id).ingestion["LatestIngestionSuccessTime"] = 4e9
    assert stack.send("Update", old, physical_id=made.physical_id, old_properties=github).succeeded
    [store] = updated.data["EventDataStoreArns"]
    assert account.stores()[store] == "ENABLED"


def test_a_store_that_a_later_request_took_is_no_leftover(
    stack: CloudFormation, account: Account, github: Properties
) -> None:
    old = given(github, account.store())
    stack.create(old)
    [store] = stack.update(github).data["EventDataStoreArns"]
    assert stack.update({**github, "Tags": ["team=audit"]}).succeeded
    assert stack.update(old).succeeded
    assert account.stores()[store] == "ENABLED"
