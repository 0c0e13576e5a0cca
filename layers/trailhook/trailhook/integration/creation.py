"""Creating once what CloudTrail would create twice: its Create calls are not idempotent and take no client token."""

from collections.abc import Callable

from trailhook.errors import AnswerLost, CallRefused
from trailhook.integration.control_plane import ControlPlane

_LOOKS = 4
"""How often to look for what CloudTrail says exists already: its lists can be behind."""


def create_once(plane: ControlPlane, create: Callable[[], str], find: Callable[[], str | None]) -> str:
    """The ARN of what `create` made, or of what it turns out to have made where its answer was lost.

    `find` looks for it by name and ownership tags. Raises what `create` raises.
    """
    lost = False
    attempt = 0
    while True:
        refused: CallRefused | None = None
        try:
            return create()
        except AnswerLost:
            lost = True
        except CallRefused as error:
            if not lost:
                raise
            refused = error
        found = find()
        if found:
            return found
        if refused and attempt >= _LOOKS:
            raise refused
        plane.pause(attempt, "CloudTrail to answer a Create call")
        attempt += 1
