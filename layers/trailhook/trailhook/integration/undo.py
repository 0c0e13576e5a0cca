"""What this request made, and how to take it back, the last first: policy, channel, event data store."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from trailhook.integration.control_plane import ControlPlane

Step = Callable[[ControlPlane], None]


class Undo:
    """`with Undo(plane) as undo:` takes back on the way out of a failure, and adds to the error what it had to leave.

    A step is noted before the call that it takes back, because that call's answer can be lost.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self._steps: list[tuple[str, Step]] = []

    @property
    def owes(self) -> bool:
        """Whether there is anything to take back."""
        return bool(self._steps)

    def note(self, what: str, step: Step) -> None:
        """`what` completes the sentence "could not be taken back: …"."""
        self._steps.append((what, step))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        for what, step in reversed(self._steps):
            try:
                step(self.plane)
            except Exception as left:  # noqa: BLE001 - whatever one step meets, the others are owed, and the answer names it
                error.add_note(f"Could not be taken back: {what} ({left})")
