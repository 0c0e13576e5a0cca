"""A request that CloudFormation cancels and does not wait for: another resource failed, or somebody gave the stack up.

It is told to nobody. The function goes on, and what takes the request back, a Delete or an Update, comes beside it.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes import MemoryClock
from tests.integration.cloudformation import Answer, CloudFormation, Context
from tests.integration.conftest import HANDLER, Account, Dying, Meanwhile
from tests.integration.test_killed import CHANGES, Change, given, sharing
from tests.integration.test_lifetimes import MADE_UP, AtChange

from trailhook.deadline import Deadline
from trailhook.integration.control_plane import ControlPlane, as_list
from trailhook.integration.ownership import MADE_BY_CREATE
from trailhook.integration.request import Request
from trailhook.integration.undo import Undo
from trailhook.integration.withdraw import Withdrawal
from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

Properties = dict[str, Any]

POLICY = {"PrincipalAccountIds": ["444455556666"]}
CREATES: dict[str, Callable[[Properties, str, str], Properties]] = {
    "its own store": lambda own, *_: own | POLICY,
    "given stores": lambda own, store, _: given(own, store),
    "a shared channel": lambda _own, _store, channel: sharing(channel),
}


class Beside(Faults):
    """`request` is sent just before the Lake takes the first change, which waits until the request has looked around.

    Until then the Lake follows `rules`. Whoever lists channels after that waits until the first request is over.
    """

    def __init__(self, request: Callable[[], object], *rules: dict[str, Any]) -> None:
        super().__init__()
        self._rules_of_request = rules
        self._thread = threading.Thread(target=request)
        self._looked = threading.Event()
        self._over = threading.Event()

    def before(self, operation: str) -> None:
        if self._looked.is_set():
            assert operation != "ListChannels" or self._over.wait(20)
        elif self._thread.ident is None:
            if not operation.startswith(("Get", "List")):
                self.set(self._rules_of_request)
                self._thread.start()
                assert self._looked.wait(20)
        elif operation == "ListEventDataStores":
            self._looked.set()
        super().before(operation)

    def join(self) -> None:
        self._over.set()
        self._thread.join()


def delete_beside_create(
    stack: CloudFormation, lake: LakeServer, properties: Properties, *rules: dict[str, Any]
) -> Answer:
    """What the Delete answers that comes as the Create is about to make something, and to which `rules` apply."""

    def delete() -> None:
        event = {**stack.last_event, "RequestType": "Delete", "RequestId": str(uuid.uuid4())}
        HANDLER({**event, "PhysicalResourceId": MADE_UP}, Context(20))

    lake.lake.faults = faults = Beside(delete, *rules)
    stack.send_unanswered("Create", properties)
    faults.join()
    lake.lake.faults = Faults()
    return next(answer for answer in stack.bucket.answers if answer.physical_id == MADE_UP)


@pytest.mark.parametrize("wanted", CREATES.values(), ids=CREATES)
def test_a_create_that_begins_beside_its_delete_leaves_nothing(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, wanted: Callable[..., Properties]
) -> None:
    """The Delete finds nothing at first, and so it cannot stop the Create."""
    store = account.store()
    properties = wanted(github, store, account.channel(store, source="Custom"))
    before = account.snapshot()
    deleted = delete_beside_create(stack, lake, properties)
    assert (deleted.succeeded, deleted.reason) == (True, "")
    assert account.snapshot() == before


def test_a_create_that_waited_for_its_role_as_long_as_its_delete_leaves_nothing(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """The Delete has not looked at all when it might have given up to look again."""
    denied = {"kind": "error", "operations": ["ListChannels"], "code": "AccessDeniedException", "count": 4}
    deleted = delete_beside_create(stack, lake, github, denied)
    assert (deleted.succeeded, deleted.reason) == (True, "")
    assert account.snapshot() == {}


class Looks(Dying):
    """Dies after so many changes, and counts how often a request looks around."""

    def __init__(self, changes: int = 99) -> None:
        super().__init__(changes)
        self.count = 0

    def before(self, operation: str) -> None:
        self.count += operation == "ListChannels"
        super().before(operation)


@pytest.mark.parametrize("changes", [1, 99])
@pytest.mark.parametrize("wanted", CREATES.values(), ids=CREATES)
def test_a_delete_that_finds_what_its_create_made_looks_no_more(
    stack: CloudFormation,
    lake: LakeServer,
    account: Account,
    github: Properties,
    wanted: Callable[..., Properties],
    changes: int,
) -> None:
    store = account.store()
    properties = wanted(github, store, account.channel(store, source="Custom"))
    before = account.snapshot()
    lake.lake.faults = Looks(changes)
    stack.send_unanswered("Create", properties)
    lake.lake.faults = looks = Looks()
    assert stack.send("Delete", properties, physical_id=MADE_UP).succeeded
    assert looks.count == 1
    assert account.snapshot() == before


@pytest.mark.parametrize("heard", [True, False])
def test_a_delete_looks_again_and_again_for_a_create_that_never_answered_and_for_no_other(
    stack: CloudFormation, lake: LakeServer, github: Properties, heard: bool
) -> None:
    """One that answered is over, so an ordinary rollback waits for nothing. There the first call tells a denial."""
    failed = stack.send("Create", {**github, "Partner": "nobody"})
    lake.lake.faults = looks = Looks()
    deleted = stack.send("Delete", github, physical_id=failed.physical_id if heard else MADE_UP, seconds=20)
    assert deleted.succeeded
    assert (looks.count == 2) if heard else (looks.count > 2)
    assert deleted.seconds < 10, "a tenth of the time, and the last pause"


def test_a_delete_that_has_no_time_left_for_what_it_found_at_last_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    store = account.store()
    rules = [{"kind": "error", "operations": ["DeleteChannel"], "code": "ThrottlingException"}]
    deleted = delete_beside_create(stack, lake, given(github, store) | POLICY, *rules)
    assert not deleted.succeeded
    assert "The function's time was over" in deleted.reason


def test_a_channel_that_its_create_makes_once_the_delete_has_looked_for_it_goes_as_well(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties
) -> None:
    """CloudTrail says that there is one as it is to delete the event data store, which stays for it."""
    lake.lake.faults = Dying(1)
    stack.send_unanswered("Create", github)
    lake.lake.faults = Faults()
    [store] = account.living_stores()
    tags = {**Request.from_event(stack.last_event).owner.tags, MADE_BY_CREATE: stack.last_event["RequestId"]}
    lake.lake.faults = Meanwhile("DeleteEventDataStore", lambda: account.channel(store, Tags=as_list(tags)))
    deleted = stack.send("Delete", github, physical_id=MADE_UP, seconds=20)
    assert deleted.succeeded
    assert f"({store}) stays: CloudTrail says that a channel uses it." in deleted.reason
    assert account.channels() == []
    assert account.living_stores() == [store]


@pytest.mark.parametrize("change", [2, 3])
def test_a_create_that_finds_gone_what_it_has_made_fails(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, change: int
) -> None:
    def delete(*_: object) -> None:
        event, stack.last_event = stack.last_event, {}
        assert stack.send("Delete", github | POLICY, physical_id=MADE_UP).succeeded
        stack.last_event = event

    lake.lake.faults = AtChange(change, delete)
    stack.send_unanswered("Create", github | POLICY)
    lake.lake.faults = Faults()
    assert not stack.bucket.answers[-1].succeeded
    assert account.snapshot() == {}


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_next_update_takes_back_what_an_update_did_beside_its_rollback(
    stack: CloudFormation, lake: LakeServer, account: Account, github: Properties, change: Change, number: int
) -> None:
    """But for an event data store: the bucket took the answer, so the Update cannot know that nobody heard it. And a
    channel has delivered to it until then.
    """
    store = account.store()
    own = {**github, **POLICY, "Tags": ["team=audit"]}
    old, new = change(own, store, account.channel(store, source="Custom"))
    assert stack.create(old).succeeded
    before = account.snapshot()

    def roll_back(*_: object) -> None:
        event = stack.last_event
        assert stack.send("Update", old, physical_id=stack.physical_id, old_properties=new).succeeded
        stack.last_event = event

    lake.lake.faults = AtChange(number, roll_back)
    stack.send_unanswered("Update", new, physical_id=stack.physical_id, old_properties=old)
    lake.lake.faults = Faults()
    channels = [account.cloudtrail.get_channel(Channel=arn) for arn in account.channels()]
    again = stack.send("Update", {**old, "Version": "2"}, physical_id=stack.physical_id, old_properties=old)
    assert (again.succeeded, again.physical_id) == (True, stack.physical_id)
    after = account.snapshot()
    assert {arn: after.get(arn) for arn in before} == before
    assert [arn for arn in after.keys() - before.keys() if arn in account.channels()] == []
    assert {one["Location"] for channel in channels for one in channel["Destinations"]} <= after.keys()


class SlowCloudTrail:
    """One that has nothing of anybody's; each call takes a second of `clock`."""

    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock

    def list_channels(self, **_request: str) -> dict[str, Any]:
        self._clock.time += 1
        return {}

    list_event_data_stores = list_channels


def test_a_delete_that_found_nothing_succeeds_where_there_is_no_time_to_look_again(stack: CloudFormation) -> None:
    clock = MemoryClock()
    client: Any = SlowCloudTrail(clock)
    end = Deadline(clock.time + 2.5, clock.now)
    plane = ControlPlane(client, end, end)
    event = {"RequestType": "Delete", "StackId": stack.stack_id, "PhysicalResourceId": MADE_UP}
    assert Withdrawal(plane, Undo(plane), Request.from_event(event), patience=30).carry_out().succeeded
