"""Creating once what CloudTrail would create twice: its Create calls are not idempotent and take no client token."""

from collections.abc import Callable

from msgspec import Struct

from trailhook.errors import AnswerLost, CallRefused, OutOfTime
from trailhook.integration.control_plane import LOOKS, ControlPlane
from trailhook.integration.undo import Undo

ALREADY_THERE = frozenset({"ChannelAlreadyExistsException", "EventDataStoreAlreadyExistsException"})


class Creation(Struct):
    """One resource to create, and its way back.

    `create` makes it and returns its ARN; `find` looks for it by name and ownership tags, and returns its ARN or None;
    `discard` takes away what has that ARN.
    """

    create: Callable[[], str]
    find: Callable[[ControlPlane], str | None]
    discard: Callable[[ControlPlane, str], None]
    arn: str | None = None
    lost: bool = False
    """Whether an answer to `create` was lost, so that nobody knows what it made."""

    def carry_out(self, plane: ControlPlane, undo: Undo, what: str) -> str:
        """The ARN of what `create` makes, or turns out to have made; `what` names it. Raises what `create` raises."""
        undo.note(what, self._take_back)
        attempt = 0
        while self.arn is None:
            refused: CallRefused | None = None
            try:
                self.arn = self.create()
            except AnswerLost:
                self.lost = True
            except CallRefused as error:
                if not self.lost:
                    raise
                refused = error
            if self.lost:
                self.arn = self.arn or self.find(plane)
            if self.arn is None:
                if refused and attempt >= LOOKS:
                    raise refused
                plane.pause(attempt, "CloudTrail to answer a Create call")
                attempt += 1
        return self.arn

    def _take_back(self, plane: ControlPlane) -> None:
        """Discard what was made; where nobody knows whether it is there, look for it first."""
        for attempt in range(LOOKS if self.lost and not self.arn else 0):
            self.arn = self.find(plane)
            if self.arn:
                break
            try:
                plane.pause(attempt, "a Create call to take effect")
            except OutOfTime:
                return
        if self.arn:
            self.discard(plane, self.arn)
