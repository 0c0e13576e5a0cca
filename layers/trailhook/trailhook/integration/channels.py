"""The channels that there are, and which of them is ours. Lists tell neither source nor tags, so each is asked for."""

from collections.abc import Sequence

from msgspec import Struct

from trailhook.errors import InTheWay
from trailhook.integration.control_plane import ControlPlane
from trailhook.integration.inventory import Channel
from trailhook.integration.ownership import Owner
from trailhook.integration.properties import Integration


class Tagged(Struct, frozen=True):
    """A channel with its tags."""

    channel: Channel
    tags: dict[str, str]

    @property
    def arn(self) -> str:
        return self.channel.arn


def survey(plane: ControlPlane, known: str | None = None) -> list[Tagged]:
    """Every channel of the account and Region; at most 25. The `known` one counts if it is there and not listed yet."""
    arns = plane.channel_arns()
    if known and known not in arns and plane.channel(known):
        arns.append(known)
    tags = plane.channel_tags(arns)
    found = ((plane.channel(arn), tags[arn]) for arn in tags)
    return [Tagged(channel, its_tags) for channel, its_tags in found if channel is not None]


def refuse_users(tagged: Tagged, owner: Owner, verb: str) -> None:
    """Raise InTheWay, naming them, where other integrations use the channel."""
    users = owner.other_users(tagged.tags)
    if users:
        raise InTheWay(
            f"The channel {tagged.channel.name} ({tagged.arn}) is not {verb}, because it is used by the stacks "
            f"{', '.join(users)}: delete them first, or give them another channel. If a stack is gone, remove its "
            f"user tag, which `aws cloudtrail list-tags --resource-id-list {tagged.arn}` shows: "
            f"`aws cloudtrail remove-tags --resource-id {tagged.arn} --tags-list Key=<key>`."
        )


def name_aside(channel: Channel) -> str:
    """What a channel is called from the moment when it is replaced until it is deleted."""
    return f"{channel.name[:100]}{_aside(channel)}"


def is_aside(channel: Channel) -> bool:
    return channel.name.endswith(_aside(channel))


def _aside(channel: Channel) -> str:
    return f"-replaced-{channel.arn.rpartition('/')[2][:8]}"


class ChannelPlan(Struct, frozen=True):
    """`current`: the channel to keep, None to create one. `aside`: channels of ours to set aside, because they have the
    name we need, and the one that is replaced, ours or shared.
    """

    current: Tagged | None
    aside: list[Tagged]


def plan_channel(channels: Sequence[Tagged], owner: Owner, wanted: Integration, former: str | None) -> ChannelPlan:
    """What to do for the wanted channel; `former` is the one so far. Raises InTheWay before anything is touched."""
    holder = next((one for one in channels if one.channel.source == wanted.source.name), None)
    current = holder if holder and owner.made(holder.tags) else None
    if holder and not current:
        if holder.arn == former and not owner.uses(holder.tags):
            tags = " ".join(f"Key={key},Value={value}" for key, value in owner.tags.items())
            raise InTheWay(
                f"The channel {holder.channel.name} ({holder.arn}) lost the tags that prove it to be this stack's: put "
                f"them back with `aws cloudtrail add-tags --resource-id {holder.arn} --tags-list {tags}`."
            )
        raise InTheWay(
            f"CloudTrail allows one channel for each source, and the channel {holder.channel.name} has the source "
            f"{wanted.source.name} already: set ChannelArn to {holder.arn} to share it."
        )
    aside = [one for one in channels if one.channel.name == wanted.channel_name and one is not current]
    strangers = [one for one in aside if not owner.made(one.tags)]
    if strangers:
        raise InTheWay(
            f"The name {wanted.channel_name} is taken by the channel {strangers[0].arn}: choose another ChannelName."
        )
    previous = next((one for one in channels if one.arn == former), None)
    if previous and not current:
        if owner.made(previous.tags):
            refuse_users(previous, owner, "replaced")
        if previous not in aside:
            aside.append(previous)
    return ChannelPlan(current, aside)
