"""Bringing a resource's tags to what the operator asks for, without touching anybody else's."""

from collections.abc import Mapping

from trailhook.integration.control_plane import ControlPlane
from trailhook.integration.ownership import OUR_PREFIX
from trailhook.integration.undo import Undo


def converge_tags(
    plane: ControlPlane,
    undo: Undo,
    arn: str,
    *,
    existing: Mapping[str, str],
    wanted: Mapping[str, str],
    former: Mapping[str, str | None],
) -> None:
    """Set the `wanted` tags, and remove those that are only among the `former`, for which earlier properties asked.

    A tag with another value than the former one is somebody else's: the Update that asked for it was refused, and never
    set it.
    """
    given_up = {key for key, value in former.items() if existing.get(key) == value} - wanted.keys()
    drop = [key for key in existing if key in given_up and not key.startswith(OUR_PREFIX)]
    change = {key: value for key, value in wanted.items() if existing.get(key) != value}
    if not drop and not change:
        return

    def put_back(later: ControlPlane) -> None:
        new = [key for key in change if key not in existing]
        old = {key: existing[key] for key in [*drop, *change] if key in existing}
        if new:
            later.remove_tags(arn, new)
        if old:
            later.add_tags(arn, old)

    undo.note(f"the tags of {arn}", put_back)
    if drop:
        plane.remove_tags(arn, drop)
    if change:
        plane.add_tags(arn, change)
