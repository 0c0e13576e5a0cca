"""An invocation's own remaining time decides until when work may begin, and leaves time to end it."""

from dataclasses import dataclass

import pytest

from trailhook.deadline import Deadline


@dataclass
class Remaining:
    """Lambda's context of an invocation that has so many milliseconds left."""

    milliseconds: int

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.mark.parametrize(
    ("seconds", "at", "closed_at"),
    [(300, 280, 292), (60, 40, 52), (48, 32, 40), (12, 8, 10), (0, 0, 0)],
    ids=["long", "a minute", "as short as the last call may be long", "short", "over"],
)
def test_what_is_kept_for_the_end_is_no_more_than_a_third_of_what_is_left(
    seconds: int, at: float, closed_at: float
) -> None:
    deadline = Deadline.of(Remaining(seconds * 1000), lambda: 1_000.0)
    assert (deadline.at, deadline.closed_at) == (1_000 + at, 1_000 + closed_at)


def test_nothing_is_begun_at_the_deadline_and_no_call_after_the_last_one_may_begin() -> None:
    time = 39.0
    deadline = Deadline.of(Remaining(60_000), lambda: 0.0)
    deadline = Deadline(deadline.at, lambda: time, deadline.closed_at)
    assert (deadline.remaining, deadline.passed, deadline.closed) == (1.0, False, False)
    time = 40.0
    assert (deadline.passed, deadline.closed) == (True, False)
    time = 52.5
    assert deadline.closed
