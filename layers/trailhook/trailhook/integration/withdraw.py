"""Delete: the way back. It validates nothing, never fails on what is gone, and touches only what carries our tags.

CloudFormation sends it in three cases, and only the physical id and the account tell which: after a Create that failed,
or timed out, when the id is no channel's ARN; for a channel that an Update replaced; and for the integration itself.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from trailhook.deadline import Deadline
from trailhook.errors import CallRefused, LakeClosed, OutOfTime, OwnershipUnknown
from trailhook.integration.channels import Tagged, is_aside, refuse_users, survey
from trailhook.integration.control_plane import DENIALS, INACTIVE, STORE_GONE, ControlPlane
from trailhook.integration.inventory import Channel, EventDataStore
from trailhook.integration.leftovers import confirm
from trailhook.integration.ownership import MADE_BY_CREATE, is_unconfirmed
from trailhook.integration.properties import deletes_stores, given_stores
from trailhook.integration.removal import (
    STILL_POINTED_AT,
    delete_unprotected,
    protect_again,
    remove_channel,
    remove_used_channel,
    unprotect_aside,
)
from trailhook.integration.request import Request
from trailhook.integration.response import Answer
from trailhook.integration.undo import Undo


class Withdrawal:
    """One Delete. For `patience` seconds it looks for a Create that CloudFormation cancelled."""

    def __init__(self, plane: ControlPlane, undo: Undo, request: Request, patience: float) -> None:
        self._plane = plane
        self._undo = undo
        self._request = request
        self._owner = request.owner
        self._channel = request.channel_arn
        self._after_failed_create = self._channel is None
        self._given = given_stores(request.properties)
        self._shares = bool(request.properties.get("ChannelArn"))
        self._patience = patience
        self._found = False
        self._stays: list[str] = []

    def carry_out(self) -> Answer:
        """Raises InTheWay, naming them, where other integrations use the channel. The answer's reason tells what had to
        stay.
        """
        try:
            if not self._create_was_denied():
                self._withdraw()
                self._wait_for_cancelled_create()
        except LakeClosed:
            # An account that CloudTrail Lake does not take holds nothing of ours. One with a channel of ours was taken.
            if not self._after_failed_create:
                raise
        reason = " ".join(dict.fromkeys(self._stays))
        return Answer(succeeded=True, physical_id=self._request.physical_id or "", reason=reason)

    def _create_was_denied(self) -> bool:
        """Whether the Create answered that it failed, and the role may not even ask for channels and their tags, as it
        does first.

        Then it made nothing, and a Delete that fails for the same denial would need somebody's hand. A Create that
        never answered may have made something. For one that shares a channel a denial tells nothing: it lists none.
        """
        if self._request.failed_create is None or self._shares:
            return False
        try:
            self._plane.channel_tags(self._plane.channel_arns())
        except CallRefused as error:
            return error.code in DENIALS
        return False

    def _wait_for_cancelled_create(self) -> None:
        """Look again where there was nothing of a Create that never answered: it may be at work.

        When another resource fails, or the stack is deleted meanwhile, CloudFormation sends the Delete without waiting
        for the Create. One that finds gone what it has made fails; one that has made nothing yet would go on. Time
        counts from the first look, for both may have waited until IAM knew their role. What was asked for is done by
        then, so it is no failure to have no time for this.
        """
        if not self._after_failed_create or self._request.failed_create:
            return
        end = Deadline(time.monotonic() + self._patience)
        attempt = 0
        try:
            while not self._found and not end.passed:
                self._plane.pause(attempt, "a Create that CloudFormation cancelled")
                self._withdraw()
                attempt += 1
        except OutOfTime:
            if self._found:
                raise

    def _withdraw(self) -> None:
        channels = survey(self._plane, self._channel)
        going = [one for one in channels if self._is_to_go(one)]
        staying = [one for one in channels if one not in going]
        for one in going:
            refuse_users(one, self._owner, "deleted")
        present = next((one.arn for one in staying if self._is_in_its_place(one)), None)
        if self._after_failed_create:
            self._take_back_create(going, staying)
        elif present:
            self._remove_replaced(going, staying, present)
        else:
            self._remove_integration(going, staying)

    def _take_back_create(self, going: Sequence[Tagged], staying: Sequence[Tagged]) -> None:
        """All that the Create made goes, except stores that may hold events. Stores that a former integration left are
        not among them: they are marked as retained.
        """
        self._found |= bool(going)
        gone = [remove_used_channel(self._plane, one.arn, self._keep_evidence) for one in going]
        self._leave_all(staying)
        if others := [one for one in staying if self._is_anothers(one)]:
            # The stores are theirs. What the next Create made is no leftover, so it is not named.
            self._stays += [
                f"The stack's event data stores, if any, stay with the channel {one.arn}, which this Create did not "
                "make."
                for one in others
                if not (self._owner.made_now(one.tags) and MADE_BY_CREATE in one.tags)
            ]
            return
        beside = (one.channel for one in staying if self._owner.made(one.tags))
        self._remove_stores(going, staying, evidence=[*beside, *filter(None, gone)])

    def _keep_evidence(self, channel: Channel) -> None:
        """Mark the stores that may hold events of a channel that goes."""
        for arn, tags in self._stores(frozenset(channel.stores)):
            store = self._plane.active_store(arn) if self._owner.made_now(tags) else None
            if store and (why := _why_it_stays(store, None, [channel])):
                self._retain(arn)
                self._stays += why

    def _remove_replaced(self, going: Sequence[Tagged], staying: Sequence[Tagged], present: str) -> None:
        """The integration lives on with the channel `present`, so all of its stores stay."""
        self._confirm_stores()
        self._stays.append(f"The event data stores stay with another channel of this integration: {present}.")
        self._remove_channels(going, staying)

    def _remove_integration(self, going: Sequence[Tagged], staying: Sequence[Tagged]) -> None:
        """Stores that are to stay are marked before the channel goes: a Delete that dies in between is sent once more,
        and finds no channel whose name tells it to keep them.
        """
        used = _stores_of(going)
        delete = deletes_stores(self._request.properties)
        sign = self._sign_of_replacement(going, staying) if delete else None
        if delete and not sign:
            self._claim(used - _stores_of(staying) - self._given)
            self._remove_channels(going, staying)
            self._remove_stores(going, staying, used=used)
            return
        own = {arn: tags for arn, tags in self._stores(used) if self._is_own(arn, tags, used)}
        for arn, tags in own.items():
            if self._owner.made_now(tags):
                self._retain(arn)
        if delete and own:
            self._stays.append(
                f"The event data stores stay ({', '.join(own)}): the channel's {sign} says that it was replaced, and "
                "CloudTrail lists no other channel of this integration."
            )
        self._remove_channels(going, staying)

    def _sign_of_replacement(self, going: Sequence[Tagged], staying: Sequence[Tagged]) -> str | None:
        """What tells that an Update replaced the channel that goes, or whose use ends."""
        if any(is_aside(one.channel) for one in going):
            return "name"
        used_before = (self._owner.used_before(one.tags) for one in staying if one.arn == self._channel)
        return "tag" if any(used_before) else None

    def _remove_channels(self, going: Sequence[Tagged], staying: Sequence[Tagged]) -> None:
        for one in going:
            remove_channel(self._plane, one.arn)
        self._leave_all(staying)

    def _leave_all(self, staying: Sequence[Tagged]) -> None:
        for one in staying:
            self._leave(one)

    def _leave(self, one: Tagged) -> None:
        """Take our user tag off a channel that stays, and name one that the operator may think is gone."""
        if self._owner.uses(one.tags) and self._used(one.arn):
            self._found = True
            self._plane.remove_tags(one.arn, sorted(self._owner.user_tag))
        elif one.arn == self._channel and not self._shares:
            self._stays.append(f"The channel {one.arn} stays: it lost the tags that prove it to be this stack's.")
        elif self._owner.made(one.tags) and is_aside(one.channel):
            self._stays.append(f"The channel {one.arn}, which an earlier update replaced, stays.")

    def _is_anothers(self, staying: Tagged) -> bool:
        """Whether another request than the Create that failed made the channel, or shares it, for this integration."""
        shares = self._owner.uses(staying.tags) and not self._used(staying.arn)
        return self._owner.made_now(staying.tags) or shares

    def _used(self, arn: str) -> bool:
        """Whether our use of that channel ends. A Create that failed used none but its ChannelArn. If it has answered,
        it had taken its tag off by then, so a tag that is there is the next Create's.
        """
        if not self._after_failed_create:
            return arn == self._channel
        return self._request.failed_create is None and arn == self._request.properties.get("ChannelArn")

    def _is_to_go(self, one: Tagged) -> bool:
        if self._after_failed_create:
            return self._owner.made_now(one.tags) and self._may_be_the_creates(one.tags)
        if one.arn != self._channel:
            return False
        # What the operator names as an existing channel stays, also where a former stack of the name made it.
        return self._owner.made_now(one.tags) if self._shares else self._owner.made(one.tags)

    def _may_be_the_creates(self, tags: Mapping[str, str]) -> bool:
        """Whether the Create that failed may have made it, and not an Update, nor the next Create: with
        --disable-rollback CloudFormation may delete what failed only after the next one has succeeded.
        """
        failed = self._request.failed_create
        return MADE_BY_CREATE in tags if failed is None else tags.get(MADE_BY_CREATE) == failed

    def _is_in_its_place(self, staying: Tagged) -> bool:
        """Whether the integration has that channel now, its own or a shared one, instead of the one that goes."""
        if staying.arn == self._channel:
            return False
        # A shared one has the name that its owner gave it, or left it.
        return self._owner.uses(staying.tags) or (self._owner.made(staying.tags) and not is_aside(staying.channel))

    def _is_own(self, arn: str, tags: Mapping[str, str], used: frozenset[str]) -> bool:
        """What a former stack of this name left, and this one never used, is not this one's to delete."""
        return self._owner.made_now(tags) or (arn in used and self._owner.made(tags))

    def _stores(self, former: frozenset[str] = frozenset()) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Each store of this account and Region, with its tags. `former`: those of a channel that goes, because one
        that was made a moment ago may not be listed yet.
        """
        for arn in sorted(former.union(self._plane.store_arns())):
            if self._request.place.holds(arn):
                yield arn, self._tags_of_store(arn)

    def _confirm_stores(self) -> None:
        """Confirm this stack's stores before the channel goes, with which goes all that shows that events came to them.

        If a store cannot be confirmed the Delete fails: a later Update would take the store for a leftover.
        """
        for arn, tags in self._stores():
            if self._owner.made_now(tags) and is_unconfirmed(tags):
                confirm(self._plane, arn)

    def _claim(self, stores: Iterable[str]) -> None:
        """Take over what a former stack made: once the channel is gone, only tags tell the next try what was to go."""
        for arn in stores:
            tags = self._plane.tags(arn)
            if self._owner.made(tags) and not self._owner.made_now(tags):
                self._plane.add_tags(arn, self._owner.tags)

    def _remove_stores(
        self,
        going: Sequence[Tagged],
        staying: Sequence[Tagged],
        *,
        used: frozenset[str] = frozenset(),
        evidence: Collection[Channel] | None = None,
    ) -> None:
        """Those that this very stack made, and of the `used` ones those that a former stack of its name made, too.

        `evidence`: a store stays that may hold events of one of these channels; None: it goes, whatever it holds.
        """
        in_use = {store: one.arn for one in staying for store in one.channel.stores}
        for arn, tags in self._stores(_stores_of(going)):
            # What the operator names as an existing store is never deleted, whoever made it.
            to_go = arn not in self._given and self._is_own(arn, tags, used)
            gone = to_go and self._remove_store(arn, in_use.get(arn), evidence)
            if not gone and self._owner.made_now(tags):
                # Also a store that others still use: they may go later, and a Create may fail after that. If a store
                # cannot be marked, the Delete fails: that Create would take the store for its leftover.
                self._retain(arn)

    def _tags_of_store(self, arn: str) -> Mapping[str, str]:
        """Empty for a store that is pending deletion already, or gone."""
        with suppress(OwnershipUnknown):
            return self._plane.tags(arn)
        return {}

    def _retain(self, arn: str) -> None:
        try:
            self._plane.add_tags(arn, self._owner.retained_tags)
        except CallRefused as error:
            if error.code not in STORE_GONE | {INACTIVE}:
                raise

    def _remove_store(self, arn: str, user: str | None, evidence: Collection[Channel] | None) -> bool:
        """False where it stays. What is gone, or pending deletion, does not stay.

        `user` is a channel that delivers to it; of `evidence` see `_remove_stores`.
        """
        store = self._plane.active_store(arn)
        if store is None:
            return True
        self._found = True
        if why := _why_it_stays(store, user, evidence):
            self._stays += why
            return False
        if not self._unprotect(store):
            return True
        self._undo.note(f"termination protection of {arn}", lambda late: self._protect(late, store))
        try:
            delete_unprotected(self._plane, arn)
        except CallRefused as error:
            if error.code != STILL_POINTED_AT:
                raise
            self._protect(self._plane, store)
            self._found = False  # there is a channel yet to be found
            self._stays.append(_stays(store, "CloudTrail says that a channel uses it"))
            return False
        return True

    def _unprotect(self, store: EventDataStore) -> bool:
        """What a Create made in vain does not keep its name from the next one."""
        if self._after_failed_create:
            return unprotect_aside(self._plane, store.arn, store.name)
        return self._plane.protect_store(store.arn, on=False)

    def _protect(self, plane: ControlPlane, store: EventDataStore) -> None:
        if self._after_failed_create:
            protect_again(plane, store.arn, store.name)
        else:
            plane.protect_store(store.arn, on=True)


def _why_it_stays(store: EventDataStore, user: str | None, evidence: Collection[Channel] | None) -> list[str]:
    """In sentences; none for a store that may go."""
    # Tagging is a lesser right than deleting, so no tag makes a store ours that no integration delivers to, such as a
    # trail's.
    if faults := list(store.faults()):
        return ["This store has the stack's tags, and was not deleted:", *faults]
    why = store.why_it_stays(user, evidence, datetime.now(UTC))
    return [_stays(store, why)] if why else []


def _stays(store: EventDataStore, why: str) -> str:
    return f"The event data store {store.name} ({store.arn}) stays: {why}."


def _stores_of(channels: Iterable[Tagged]) -> frozenset[str]:
    return frozenset(store for one in channels for store in one.channel.stores)
