"""Two stacks through whatever may come: requests that fail, die or come twice, rollbacks, and events meanwhile."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.cloudformation import Answer, Bucket, CloudFormation
from tests.integration.conftest import HANDLER, Account, Dying, denied

from trailhook.integration.ownership import Owner
from trailhook_local.lake import LakeServer
from trailhook_local.lake.faults import Faults

Properties = dict[str, Any]

WAYS = ["is well", "dies", "is denied", "is denied as events come", "comes twice"]
WELL = "is well", 0
SEEDS = [3, 5, 8, 11]
MADE_UP = "audit-Integration-1A2B3C4D5E6F"
"""The id that CloudFormation gives to a resource of whose Create it heard nothing."""


class AtChange(Faults):
    """Something happens once, just before the Lake takes a request's change of that number."""

    def __init__(self, number: int, happens: Callable[["AtChange", str], object]) -> None:
        super().__init__()
        self._left = number
        self._happens = happens

    def before(self, operation: str) -> None:
        self._left -= not operation.startswith(("Get", "List"))
        if self._left == 0:
            self._left = -1
            self._happens(self, operation)
        super().before(operation)

    def deny(self, operation: str) -> None:
        self.set([denied(operation, count=1)])


class Lifetimes:
    """The stacks that there are, in an account that has a channel and two event data stores of somebody else's."""

    def __init__(self, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        self.bucket = bucket
        self.server = LakeServer()
        self.registry = self.server.lake.registry
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", self.server.url)
        self.account = Account(self.server.url)
        self.given = [self.account.store("one"), self.account.store("two")]
        self.shared = self.account.channel(self.given[0], source="Custom")
        self.theirs = self.strangers()
        self.stacks: dict[str, CloudFormation] = {}
        self.evidence: set[str] = set()

    def teardown(self) -> None:
        try:
            for name in list(self.stacks):
                self.delete(name, WELL)
        finally:
            self.account.cloudtrail.close()
            self.server.close()

    def events_come(self) -> None:
        for channel in self.registry.channels.values():
            channel.ingestion["LatestIngestionSuccessTime"] = time.time()
            self.evidence.update(channel.destinations)

    def step(self, chance: random.Random) -> None:
        """One thing that an operator does, with whatever befalls it."""
        name = chance.choice(["audit", "audit", "other"])
        fault = chance.choice(WAYS), chance.randint(1, 6)
        if name not in self.stacks:
            self.create(name, self.wanted(chance), fault)
        elif chance.random() < 0.85:
            self.update(name, self.wanted(chance), fault, chance.random() < 0.5, chance.random() < 0.3)
        else:
            self.delete(name, fault)
        assert self.strangers() == self.theirs

    def create(self, name: str, wanted: Properties, fault: tuple[str, int]) -> None:
        stack, properties, before = CloudFormation(HANDLER, self.bucket, name=name), wanted, self.there()
        answer = self.ask(stack, fault, "Create", properties)
        if answer and answer.succeeded:
            stack.physical_id, stack.properties = answer.physical_id, properties
            self.stacks[name] = stack
            return
        self.must(stack, "Delete", properties, physical_id=answer.physical_id if answer else MADE_UP)
        assert self.there().keys() - before.keys() == set()

    def update(self, name: str, wanted: Properties, fault: tuple[str, int], events: bool, another_fails: bool) -> None:
        stack, new, before = self.stacks[name], wanted, self.there()
        old, former = stack.properties, stack.physical_id
        answer = self.ask(stack, fault, "Update", new, physical_id=former, old_properties=old)
        if events:
            self.events_come()
        if answer and answer.succeeded and not another_fails:
            stack.physical_id, stack.properties = answer.physical_id, new
            if answer.physical_id != former:
                self.must(stack, "Delete", old, physical_id=former)
                assert not self.is_of(stack, former)
            return
        now = answer.physical_id if answer else former
        back = self.must(stack, "Update", old, physical_id=now, old_properties=new)
        assert back.physical_id == former
        if now != former:
            self.must(stack, "Delete", new, physical_id=now)
        after = self.there()
        assert {arn: after.get(arn) for arn in before} == before
        told = f"{back.reason} {answer.reason if answer else ''} {answer.data if answer else ''}"
        assert [arn for arn in after.keys() - before.keys() if arn not in told] == []

    def delete(self, name: str, fault: tuple[str, int]) -> None:
        stack = self.stacks.pop(name)
        answer = self.ask(stack, fault, "Delete", stack.properties, physical_id=stack.physical_id)
        if not (answer and answer.succeeded):
            self.must(stack, "Delete", stack.properties, physical_id=stack.physical_id)
        assert [arn for arn in self.there() if self.is_of(stack, arn)] == []

    def ask(
        self, stack: CloudFormation, fault: tuple[str, int], kind: str, properties: Properties, **fields: Any
    ) -> Answer | None:
        """What CloudFormation hears, None where the function died. Evidence goes where a Delete is told so alone."""
        way, number = fault

        def meet(faults: AtChange, operation: str) -> None:
            if way == "comes twice":
                stack.replay()
            if way == "is denied as events come":
                self.events_come()
            if way.startswith("is denied"):
                faults.deny(operation)

        faults = Dying(number) if way == "dies" else AtChange(number, meet)
        self.server.lake.faults = faults
        before, heard = set(self.living()), len(self.bucket.answers)
        stack.send_unanswered(kind, properties, **fields)
        self.server.lake.faults = Faults()
        lost = before.difference(self.living()) & self.evidence
        told_so = kind == "Delete" and properties.get("OnDelete") == "delete"
        owner = Owner(stack.stack_id, stack.logical_id)
        assert not lost or (told_so and all(owner.made(self.registry.stores[arn].tags) for arn in lost))
        return None if isinstance(faults, Dying) and faults.died else self.bucket.answers[heard]

    def must(self, stack: CloudFormation, kind: str, properties: Properties, **fields: Any) -> Answer:
        answer = self.ask(stack, WELL, kind, properties, **fields)
        assert answer
        assert answer.succeeded, f"{kind} failed, which leaves the stack stuck: {answer.reason}"
        return answer

    def wanted(self, chance: random.Random) -> Properties:
        kept: Properties = {"OnDelete": chance.choice(["retain", "delete"])}
        if chance.random() < 0.2:
            return {**kept, "Partner": "slack", "ChannelArn": self.shared}
        if chance.random() < 0.4:
            kept["EventDataStoreArns"] = chance.choice([self.given, self.given[:1]])
        else:
            kept["EventDataStore"] = {"Name": chance.choice(["first", "second"])}
        return {
            **kept,
            "Partner": chance.choice(["github", "github", "okta"]),
            "ChannelName": chance.choice(["events", "audit-events"]),
            "PrincipalAccountIds": chance.choice([[""], ["444455556666"]]),
            "Tags": chance.choice([[""], ["team=audit"]]),
        }

    def living(self) -> list[str]:
        return [arn for arn, store in self.registry.stores.items() if store.deleted is None]

    def there(self) -> dict[str, Any]:
        """What counts of each channel, and of each event data store that is not pending deletion."""
        channels = {
            arn: (one.name, one.destinations[:], one.policy, dict(one.tags))
            for arn, one in self.registry.channels.items()
        }
        stores = self.registry.stores
        return channels | {arn: (stores[arn].name, stores[arn].protected) for arn in self.living()}

    def is_of(self, stack: CloudFormation, arn: str | None) -> bool:
        """Whether it has exactly this stack's tags, or its user tag."""
        owner = Owner(stack.stack_id, stack.logical_id)
        one = self.registry.channels.get(arn or "") or self.registry.stores.get(arn or "")
        return one is not None and (owner.made_now(one.tags) or owner.uses(one.tags))

    def strangers(self) -> list[Any]:
        channel = self.registry.channels[self.shared]
        stores = [self.registry.stores[arn] for arn in self.given]
        return [
            (channel.name, channel.destinations[:], channel.policy),
            *((store.name, store.deleted, store.protected, dict(store.tags)) for store in stores),
        ]


@pytest.mark.parametrize("seed", SEEDS)
def test_evidence_stays_and_nothing_is_left_untold(bucket: Bucket, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "AKIAEXAMPLEFAKEOWNER")
    lifetimes, chance = Lifetimes(bucket, monkeypatch), random.Random(seed)  # noqa: S311 - repeatable, not a secret
    try:
        for _ in range(14):
            lifetimes.step(chance)
    finally:
        lifetimes.teardown()
