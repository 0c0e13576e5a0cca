"""How an invocation's time is shared out, so that CloudFormation has its answer before the function's deadline.

work | undo | what a last call may overrun | the answer and its retries. CloudFormation waits an hour, by default, for
an answer that never comes, and again on the rollback.
"""

import time
from collections.abc import Callable
from concurrent.futures import wait
from typing import TypeVar

from msgspec import Struct

from trailhook.background import begin
from trailhook.deadline import Context, Deadline, seconds_left
from trailhook.errors import OutOfTime

Result = TypeVar("Result")


class Budget(Struct, frozen=True):
    """No call to CloudTrail begins after `work`, or, taking back, after `undo`; none takes longer than `call_seconds`.

    `withdrawal` is a Delete's `work`, which has next to nothing to take back. The answer begins at `hurry` at the
    latest, whatever the work does, and at `answer` the last attempt to answer must be over. Until `denials` a denial
    may come of a role that was made, or changed, a moment ago. For `patience` seconds a Delete looks for a Create that
    CloudFormation cancelled.
    """

    work: Deadline
    withdrawal: Deadline
    undo: Deadline
    hurry: Deadline
    answer: Deadline
    denials: Deadline
    patience: float
    call_seconds: int

    @classmethod
    def of(cls, context: Context | None, service_timeout: float | None) -> "Budget":
        """Out of the invocation's remaining time, long or short, or of what CloudFormation waits where that is less."""
        seconds = seconds_left(context)
        seconds = min(seconds, service_timeout or seconds)
        now = time.monotonic()
        call = max(1, int(min(20.0, seconds / 6)))
        answer = seconds - min(1.0, seconds / 20)
        undo = answer - min(15.0, seconds / 8) - call
        work = undo - min(60.0, seconds / 3)
        withdrawal = undo - min(15.0, seconds / 8)
        return cls(
            work=Deadline(now + work),
            withdrawal=Deadline(now + withdrawal),
            undo=Deadline(now + undo),
            hurry=Deadline(now + undo + call),
            answer=Deadline(now + answer),
            denials=Deadline(now + min(45.0, seconds / 5)),
            patience=min(30.0, seconds / 10),
            call_seconds=call,
        )


def finish_by(deadline: Deadline, work: Callable[[], Result]) -> Result:
    """What `work` returns or raises. Raises OutOfTime where it is not over by then; it is left to itself.

    Every call has its time limit, but nothing bounds an answer that comes byte by byte, nor a name's resolution. Work
    that comes back late finds its own deadlines passed and begins no further call.
    """
    outcome = begin(work)
    wait([outcome], max(0.0, deadline.remaining))
    if not outcome.done():
        raise OutOfTime(
            "The function's time was over while CloudTrail was in the middle of an answer. It may have done what it "
            "was asked for; the request that CloudFormation sends next takes that back."
        )
    return outcome.result()
