"""What an Update that never came to its end left behind: the next one, first of all its rollback, takes it away.

CloudFormation never hears of the ids that such an Update made, and sends no Delete for them. Only what carries this
very stack's tags is looked at.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from trailhook.errors import CallRefused, IntegrationError, OwnershipUnknown
from trailhook.integration.channels import Tagged, refuse_users, survey
from trailhook.integration.control_plane import ControlPlane
from trailhook.integration.inventory import Channel, EventDataStore
from trailhook.integration.ownership import CONFIRMED, MADE_BY_UPDATE, is_unconfirmed
from trailhook.integration.properties import given_stores
from trailhook.integration.removal import discard_store, remove_used_channel
from trailhook.integration.request import Request


class Leftovers:
    """What earlier Updates left. `before`: the channels as they were when this one began."""

    def __init__(self, plane: ControlPlane, request: Request, before: Sequence[Tagged]) -> None:
        self._plane = plane
        self._request = request
        self._owner = request.owner
        self._before = before
        self._gone: list[Channel] = []
        self._left: list[str] = []

    def remove(self, channel_arn: str, stores: Collection[str]) -> str:
        """Remove all but what the integration has now, and what it had before, which CloudFormation will delete.

        Returns what had to stay. It is no failure to leave something: what was asked for is done, and a rollback that
        fails would leave more.
        """
        kept = {channel_arn, self._request.physical_id}
        named = {*stores, *given_stores(self._request.old_properties)}
        for one in self._before:
            if one.arn not in kept:
                try:
                    self._remove_channel(one, named)
                except IntegrationError as error:
                    self._left.append(f"The channel {one.arn} of an earlier update could not be removed: {error}")
        try:
            for arn in self._plane.store_arns():
                if arn not in named and self._request.place.holds(arn) and self._is_left(arn):
                    self._left += self._remove_store(arn)
        except IntegrationError as error:
            self._left.append(f"Not every event data store could be checked for marks of an earlier update: {error}")
        return " ".join(self._left)

    def _remove_channel(self, one: Tagged, named: Collection[str]) -> None:
        if self._owner.made_now(one.tags):
            refuse_users(one, self._owner, "deleted")
            last = remove_used_channel(self._plane, one.arn, lambda last: self._keep_evidence(last, named))
            self._gone += [last] if last else []
        elif self._owner.uses(one.tags):
            self._plane.remove_tags(one.arn, sorted(self._owner.user_tag))

    def _keep_evidence(self, channel: Channel, named: Collection[str]) -> None:
        """Confirm the stores that may hold events of a channel that goes, also those in use (`named`): a later Update
        may find them out of use.
        """
        for arn in sorted({*channel.stores, *self._plane.store_arns()}):
            marked = self._request.place.holds(arn) and self._marked_by(arn)
            store = self._plane.active_store(arn) if marked else None
            if store and (why := store.why_it_stays(None, [channel], datetime.now(UTC))):
                confirm(self._plane, arn)
                if arn not in named:
                    self._left.append(_stays(store, why))

    def _is_left(self, arn: str) -> bool:
        return self._marked_by(arn) not in {None, self._request.request_id}

    def _marked_by(self, arn: str) -> str | None:
        """The id of the Update that made the store, if it is one of which CloudFormation may not have heard."""
        try:
            tags = self._plane.tags(arn)
        except OwnershipUnknown:  # pending deletion already
            return None
        return tags[MADE_BY_UPDATE] if self._owner.made_now(tags) and is_unconfirmed(tags) else None

    def _remove_store(self, arn: str) -> list[str]:
        """A store is evidence as soon as one event may have come to it, whatever became of the Update that made it.

        Returns why it stays, in sentences; none for what is gone.
        """
        try:
            store = self._plane.active_store(arn)
            # Asked only now, when no channel of ours delivers to the store any more.
            now = survey(self._plane)
            if store is None:
                return []
            if faults := list(store.faults()):
                return ["This store has the mark of an earlier update, and was not deleted:", *faults]
            user = next((one.arn for one in now if arn in one.channel.stores), None)
            ours = [one.channel for one in (*self._before, *now) if self._owner.made(one.tags)]
            if why := store.why_it_stays(user, [*ours, *self._gone], datetime.now(UTC)):
                with suppress(IntegrationError):
                    confirm(self._plane, arn)  # a channel that goes later takes along what shows that events came
                return [_stays(store, why)]
            discard_store(self._plane, arn, store.name)
        except IntegrationError as error:
            return [f"The event data store {arn} of an earlier update could not be removed: {error}"]
        return []


def _stays(store: EventDataStore, why: str) -> str:
    return f"The event data store {store.name} ({store.arn}) of an earlier update stays: {why}."


def confirm(plane: ControlPlane, store_arn: str) -> None:
    """CloudFormation has heard of the event data store, or events came to it: it is no leftover any more.

    A role that may not remove tags may still change one, for it could set them as it made the store. Raises CallRefused
    where neither is allowed.
    """
    try:
        plane.remove_tags(store_arn, [MADE_BY_UPDATE])
    except CallRefused:
        plane.add_tags(store_arn, {MADE_BY_UPDATE: CONFIRMED})
