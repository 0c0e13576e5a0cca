"""Create and Update: from what there is to what is wanted. All is read and judged first, then changed step by step.

Both are one and the same: a repeated request, a redeployed stack and a rollback find part of it already done.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from trailhook.errors import IntegrationError, InTheWay
from trailhook.integration.channels import Tagged, is_aside, name_aside, plan_channel, refuse_users, survey
from trailhook.integration.control_plane import LOOKS, ControlPlane, as_list
from trailhook.integration.creation import ALREADY_THERE, Creation
from trailhook.integration.destinations import StoreFinder
from trailhook.integration.inventory import ENABLED, Channel
from trailhook.integration.leftovers import Leftovers
from trailhook.integration.ownership import MADE_BY_CREATE
from trailhook.integration.policy import resource_policy, same_policy
from trailhook.integration.properties import Integration, former_tags
from trailhook.integration.removal import remove_channel
from trailhook.integration.request import Request
from trailhook.integration.response import Answer
from trailhook.integration.stores import StoreBuilder, Stores
from trailhook.integration.tagging import converge_tags
from trailhook.integration.undo import Undo

_LONGEST_REPORT = 500
"""In characters: Data counts towards the 4,096 bytes of the answer, and one character takes up to twelve. The reason
has the whole report, as far as there is room, and so has the log."""


class Deployment:
    """One Create or Update."""

    def __init__(self, plane: ControlPlane, undo: Undo, request: Request, wanted: Integration) -> None:
        self._plane = plane
        self._undo = undo
        self._request = request
        self._owner = request.owner
        self._wanted = wanted
        self._mark = {} if request.is_update else {MADE_BY_CREATE: request.request_id}
        self._redirected: Channel | None = None  # as it was before it was pointed at other stores

    def carry_out(self) -> Answer:
        """Raises IntegrationError. What was changed by then is noted in `undo`, whose `with` takes it back."""
        if self._wanted.channel_arn:
            return self._share_channel()
        try:
            # A repeat of this very request may be faster: what there is the next time may be ours.
            return self._plane.retried(self._build, ALREADY_THERE, LOOKS, "what another request makes to be listed")
        except IntegrationError:
            done = self._done_by_a_repeat() if self._undo.owes else None
            if done is None:
                raise
            return done

    def _share_channel(self) -> Answer:
        """Verify somebody else's channel and leave a user tag; policy, destinations and life stay its owner's."""
        arn = self._wanted.channel_arn
        channel = self._plane.channel(arn)
        tags = self._plane.channel_tags([arn]).get(arn) if channel else None
        if channel is None or tags is None:
            raise InTheWay(f"ChannelArn: there is no channel {arn}.")
        if channel.source != self._wanted.source.name:
            raise InTheWay(
                f"ChannelArn: {arn} has the source {channel.source}, but {self._wanted.partner} needs "
                f"{self._wanted.source.name}: name a channel of that source, or none."
            )
        former = self._replaced_by(arn)
        self._tag(arn, tags, self._mark_on(tags) if self._owner.made_now(tags) else self._owner.user_tag)
        if former:
            self._set_aside(former)
        left = ""
        if self._request.is_update:
            left = Leftovers(self._plane, self._request, survey(self._plane)).remove(arn, channel.stores)
        return self._answer(arn, Stores(channel.stores), left)

    def _replaced_by(self, next_arn: str) -> Tagged | None:
        """The channel that this one replaces, ours or shared. Raises InTheWay where it is ours and others use it: its
        Delete would be refused afterwards.
        """
        former = self._request.channel_arn
        if former is None or former == next_arn:
            return None
        tags = self._plane.tags(former)
        ours = self._owner.made(tags)
        channel = self._plane.channel(former) if ours or self._owner.uses(tags) else None
        if channel is None:
            return None
        replaced = Tagged(channel, tags)
        if ours:
            refuse_users(replaced, self._owner, "replaced")
        return replaced

    def _build(self) -> Answer:
        former_arn = self._request.channel_arn
        channels = survey(self._plane, former_arn)
        channel_plan = plan_channel(channels, self._owner, self._wanted, former_arn)
        current = channel_plan.current or next((one for one in channels if one.arn == former_arn), None)
        finder = StoreFinder(self._plane, self._request)
        found = finder.find(self._wanted, current.channel if current else None)

        # From here on things change.
        builder = StoreBuilder(self._plane, self._undo, self._request, self._wanted, self._events_came)
        stores = builder.carry_out(found)
        for former in channel_plan.aside:
            self._set_aside(former)
        arn = self._converge(channel_plan.current, stores) if channel_plan.current else self._create(stores)
        if stores.new_retention:
            # Last of all, because there is no undo: a shorter one deletes at once, as does taking back a longer one.
            self._plane.update_store(stores.arns[0], RetentionPeriod=stores.new_retention)
        left = ""
        if self._request.is_update:
            left = Leftovers(self._plane, self._request, channels).remove(arn, stores.arns)
        return self._answer(arn, stores, left)

    def _done_by_a_repeat(self) -> Answer | None:
        """The answer of a repeat of this request that made all of it meanwhile; None where not all of it is there.

        CloudFormation may have heard that answer, and rely on what it names: none of that may be taken back.
        """
        late = self._undo.plane
        with suppress(IntegrationError):
            channel = self._made_now(late)
            stores = self._stores_as_wanted(late, channel.channel.stores) if channel else None
            if channel and stores and self._is_as_wanted(late, channel):
                return self._answer(channel.arn, stores)
        return None

    def _made_now(self, plane: ControlPlane) -> Tagged | None:
        """The channel of the wanted source (there is one at most), if this very stack made it."""
        of_source = (one for one in survey(plane) if one.channel.source == self._wanted.source.name)
        return next((one for one in of_source if self._owner.made_now(one.tags)), None)

    def _is_as_wanted(self, plane: ControlPlane, one: Tagged) -> bool:
        """Whether name, tags and policy of a channel are those that were asked for."""
        wanted = self._wanted
        marked = self._mark_on(one.tags).items() <= one.tags.items()
        if one.channel.name != wanted.channel_name or not marked or not self._has_wanted_tags(one.tags):
            return False
        return same_policy(plane.policy(one.arn), resource_policy(wanted, self._request.place, one.arn))

    def _has_wanted_tags(self, tags: Mapping[str, str]) -> bool:
        wanted = self._wanted.tags
        former = former_tags(self._request.old_properties)
        given_up = [(key, value) for key, value in former.items() if key not in wanted]
        return wanted.items() <= tags.items() and not tags.items() & given_up

    def _stores_as_wanted(self, plane: ControlPlane, arns: tuple[str, ...]) -> Stores | None:
        wanted = self._wanted.store
        if wanted is None:
            return Stores(self._wanted.store_arns) if set(arns) == set(self._wanted.store_arns) else None
        store = plane.store(arns[0]) if len(arns) == 1 else None
        if store is None or (store.name, store.status, store.protected) != (wanted.name, ENABLED, True):
            return None
        if wanted.retention_days not in {None, store.retention_days}:
            return None
        if not self._has_wanted_tags(plane.tags(store.arn)):
            return None
        return Stores(arns, retention_days=store.retention_days)

    def _create(self, stores: Stores) -> str:
        wanted = self._wanted

        def create() -> str:
            return self._plane.create_channel(
                Name=wanted.channel_name,
                Source=wanted.source.name,
                Destinations=_destinations(stores.arns),
                Tags=as_list({**wanted.tags, **self._owner.tags, **self._mark}),
            )

        def find(plane: ControlPlane) -> str | None:
            made = self._made_now(plane)
            return made.arn if made else None

        creation = Creation(create, find, discard=remove_channel)
        arn = creation.carry_out(self._plane, self._undo, f"the channel {wanted.channel_name}")
        policy = resource_policy(wanted, self._request.place, arn)
        if policy:
            self._plane.put_policy(arn, policy)
        return arn

    def _converge(self, current: Tagged, stores: Stores) -> str:
        """Bring our own channel to what is wanted, in place."""
        channel, wanted = current.channel, self._wanted
        if channel.name != wanted.channel_name or set(channel.stores) != set(stores.arns):
            self._undo.note(
                f"name and destinations of {channel.arn}",
                lambda late: late.update_channel(
                    channel.arn, Name=channel.name, Destinations=_destinations(channel.stores)
                ),
            )
            if set(channel.stores) != set(stores.arns):
                self._redirected = channel
            self._plane.update_channel(channel.arn, Name=wanted.channel_name, Destinations=_destinations(stores.arns))
        self._converge_policy(channel.arn)
        former = former_tags(self._request.old_properties)
        tags = {**wanted.tags, **self._mark_on(current.tags)}
        converge_tags(self._plane, self._undo, channel.arn, existing=current.tags, wanted=tags, former=former)
        return channel.arn

    def _mark_on(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """What a former Create could not take back is this one's now, so the former one's Delete does not remove it."""
        return self._mark if MADE_BY_CREATE in tags and self._owner.made_now(tags) else {}

    def _tag(self, arn: str, tags: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        converge_tags(self._plane, self._undo, arn, existing=tags, wanted=wanted, former={})

    def _events_came(self, plane: ControlPlane) -> bool:
        """Whether events may have come to the stores that a channel in use was pointed at meanwhile."""
        before = self._redirected
        now = plane.channel(before.arn) if before else None
        return before is not None and (now is None or now.ingestion != before.ingestion)

    def _converge_policy(self, arn: str) -> None:
        before = self._plane.policy(arn)
        policy = resource_policy(self._wanted, self._request.place, arn)
        if same_policy(before, policy):
            return
        self._undo.note(f"the resource policy of {arn}", lambda late: _set_policy(late, arn, before))
        _set_policy(self._plane, arn, policy)

    def _set_aside(self, former: Tagged) -> None:
        """Free the name, and tell the Delete that comes after the stack's update that the integration lives on.

        A shared channel has the name that its owner gave it; there our tag tells it.
        """
        if self._owner.uses(former.tags):
            self._tag(former.arn, former.tags, self._owner.former_user_tag)
        name = former.channel.name
        if self._owner.made(former.tags) and (name == self._wanted.channel_name or not is_aside(former.channel)):
            self._undo.note(f"the name of {former.arn}", lambda late: late.update_channel(former.arn, Name=name))
            self._plane.update_channel(former.arn, Name=name_aside(former.channel))

    def _answer(self, arn: str, stores: Stores, left: str = "") -> Answer:
        """`left`: what had to stay of earlier Updates."""
        report = " ".join(filter(None, (stores.report, left)))
        data: dict[str, Any] = {
            "ChannelArn": arn,
            "EventDataStoreArns": list(stores.arns),
            "Source": self._wanted.source.name,
            "IntegrationType": self._wanted.source.type.value,
            "RecipientAccountId": arn.split(":")[4],
            "Report": report if len(report) <= _LONGEST_REPORT else f"{report[: _LONGEST_REPORT - 1]}…",
        }
        if stores.retention_days:
            data["RetentionPeriodDays"] = str(stores.retention_days)
        unconfirmed = stores.arns[0] if stores.unconfirmed else ""
        return Answer(succeeded=True, physical_id=arn, reason=report, data=data, unconfirmed=unconfirmed)


def _destinations(arns: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"Type": "EVENT_DATA_STORE", "Location": arn} for arn in arns]


def _set_policy(plane: ControlPlane, arn: str, policy: str | None) -> None:
    if policy is None:
        plane.delete_policy(arn)
    else:
        plane.put_policy(arn, policy)
