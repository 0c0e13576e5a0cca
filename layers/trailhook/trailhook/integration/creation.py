"""Creating once what CloudTrail would create twice: its Create calls are not idempotent and take no client token."""

from collections.abc import Callable

from trailhook.errors import AnswerLost, CallRefused, OutOfTime
from trailhook.integration.control_plane import LOOKS, ControlPlane

ALREADY_THERE = frozenset({"ChannelAlreadyExistsException", "EventDataStoreAlreadyExistsException"})


class Creation:
    """One resource to create. `find` looks for it by name and ownership tags, and returns its ARN or None."""

    def __init__(self, find: Callable[[ControlPlane], str | None]) -> None:
        self._find = find
        self._arn: str | None = None
        self._lost = False

    def once(self, plane: ControlPlane, create: Callable[[], str]) -> str:
        """The ARN of what `create` makes, or turns out to have made. Raises what `create` raises."""
        attempt = 0
        while self._arn is None:
            refused: CallRefused | None = None
            try:
                self._arn = create()
            except AnswerLost:
                self._lost = True
            except CallRefused as error:
                if not self._lost:
                    raise
                refused = error
            if self._lost:
                self._arn = self._arn or self._find(plane)
            if self._arn is None:
                if refused and attempt >= LOOKS:
                    raise refused
                plane.pause(attempt, "CloudTrail to answer a Create call")
                attempt += 1
        return self._arn

    def made(self, plane: ControlPlane) -> str | None:
        """The ARN of what is to be taken back, looked for where nobody knows whether it is there."""
        for attempt in range(LOOKS if self._lost and not self._arn else 0):
            self._arn = self._find(plane)
            if self._arn:
                break
            try:
                plane.pause(attempt, "a Create call to take effect")
            except OutOfTime:
                return None
        return self._arn
