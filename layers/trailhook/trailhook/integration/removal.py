"""Taking away, in the one safe order: resource policy, channel, and only then the event data store."""

from trailhook.errors import CallRefused
from trailhook.integration.control_plane import ControlPlane

STILL_POINTED_AT = "ChannelExistsForEDSException"
_LOOKS = 4
"""How often to try while CloudTrail says that a channel, deleted a moment ago, still points at the store."""


def remove_channel(plane: ControlPlane, arn: str) -> None:
    """Delete a channel and its policy; nothing happens to what is gone."""
    plane.delete_policy(arn)
    plane.delete_channel(arn)


def remove_store(plane: ControlPlane, arn: str) -> None:
    """Switch termination protection off and delete. Whoever calls has made sure that no channel uses the store."""
    if plane.protect_store(arn, on=False):
        delete_unprotected(plane, arn)


def discard_store(plane: ControlPlane, arn: str, aside: str) -> None:
    """Remove an event data store that was never in use, under the name `aside`.

    A store that is pending deletion keeps its name for seven days, and the operator wants to try again before.
    """
    try:
        there = plane.protect_store(arn, on=False, Name=aside)
    except CallRefused:  # a name is not worth a store that is left over
        there = plane.protect_store(arn, on=False)
    if there:
        delete_unprotected(plane, arn)


def delete_unprotected(plane: ControlPlane, arn: str) -> None:
    for attempt in range(_LOOKS):
        try:
            return plane.delete_store(arn)
        except CallRefused as error:
            if error.code != STILL_POINTED_AT or attempt == _LOOKS - 1:
                raise
        plane.pause(attempt, f"CloudTrail to notice that no channel points at {arn}")
    return None
