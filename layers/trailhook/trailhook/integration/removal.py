"""Taking away, in the one safe order: resource policy, channel, and only then the event data store."""

import time
from collections.abc import Callable

from trailhook.errors import CallRefused, IntegrationError, InTheWay
from trailhook.integration.control_plane import LOOKS, ControlPlane
from trailhook.integration.inventory import Channel

STILL_POINTED_AT = "ChannelExistsForEDSException"


def remove_channel(plane: ControlPlane, arn: str) -> None:
    """Delete a channel and its policy; nothing happens to what is gone."""
    plane.delete_policy(arn)
    plane.delete_channel(arn)


def remove_used_channel(plane: ControlPlane, arn: str, keep_evidence: Callable[[Channel], None]) -> Channel | None:
    """Delete a channel and its policy. Returns its last state, which alone shows whether events came through it; None
    if it was gone.

    If some came, `keep_evidence` is called before it goes: a repeat of this request, beside this run or after it died,
    would find nothing that shows them.
    """
    plane.delete_policy(arn)
    last = plane.channel(arn)
    if last and last.ingested:
        keep_evidence(last)
    plane.delete_channel(arn)
    return last


def discard_store(plane: ControlPlane, arn: str, name: str, *, keep_name: bool = False) -> None:
    """Remove an event data store that was made, or restored, in vain; unless `keep_name`, its name is free at once.

    Raises InTheWay, before anything is touched, where a channel points at it: that could not be taken back, or a repeat
    of the same request has won. What cannot be deleted gets its name and its protection back.
    """
    users = [channel.name for channel in map(plane.channel, plane.channel_arns()) if channel and arn in channel.stores]
    if users:
        raise InTheWay(f"the channel {users[0]} delivers to it")
    there = plane.protect_store(arn, on=False) if keep_name else unprotect_aside(plane, arn, name)
    if not there:
        return
    try:
        delete_unprotected(plane, arn)
    except IntegrationError as error:
        try:
            protect_again(plane, arn, name)
        except IntegrationError as left:
            raise InTheWay(f"{arn} did not get back its name and termination protection: {left}") from error
        raise


def unprotect_aside(plane: ControlPlane, arn: str, name: str) -> bool:
    """Switch off the termination protection of a store that was made in vain, under another name.

    A store that is pending deletion keeps its name for seven days, and the operator wants to try again before. Returns
    False where the store is gone, or pending deletion, already.
    """
    try:
        return plane.protect_store(arn, on=False, Name=f"{name[:100]}-undone-{int(time.time())}")
    except CallRefused:  # better a name that stays taken than a store that is left over
        return plane.protect_store(arn, on=False)


def protect_again(plane: ControlPlane, arn: str, name: str) -> None:
    """Give a store that stays its protection back, and its name, unless somebody has that by now."""
    try:
        plane.protect_store(arn, on=True, Name=name)
    except CallRefused:  # better a store under another name than one that anybody may delete
        plane.protect_store(arn, on=True)


def delete_unprotected(plane: ControlPlane, arn: str) -> None:
    """Delete a store, also while CloudTrail says that a channel, deleted a moment ago, still points at it."""
    noticing = f"CloudTrail to notice that no channel points at {arn}"
    plane.retried(lambda: plane.delete_store(arn), {STILL_POINTED_AT}, LOOKS - 1, noticing)
