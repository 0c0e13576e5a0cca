"""Delivering a set of events to a destination: full batches, several at a time, and again what is worth it."""

import random
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from threading import Lock

from trailhook.batch import Entry, pack
from trailhook.deadline import Deadline
from trailhook.destination import Destination, Disposition, Outcome
from trailhook.errors import place_of
from trailhook.pace import Pace

MAX_ROUNDS = 6
"""How often an entry is tried in one invocation. After that it waits in the queue, and not in this process."""

MOST_UNDOCUMENTED = 3
"""If events are refused by themselves under an undocumented code, and so many more of them than requests are delivered,
the caller is taken to be at fault and not the events."""

PARALLEL_REQUESTS = 20
"""Requests that are under way at once, whichever portion they are of."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0

_NOT_SENT = "Not sent in this invocation"
_OUT_OF_TIME = Outcome(Disposition.RETRY, "OutOfTime", _NOT_SENT)
_HALTED = Outcome(Disposition.RETRY, "Halted", _NOT_SENT)
_GIVEN_UP = Outcome(Disposition.RETRY, "NoAnswer", "No answer from PutAuditEvents while the invocation's time lasted")
_REFUSED = Outcome(Disposition.CONFIGURATION, "Halted", _NOT_SENT)
_UNDOCUMENTED = Outcome(Disposition.UNDOCUMENTED, "Halted", _NOT_SENT)
"""These wait for the same operator as what was refused."""


class Halt:
    """A stop sign for requests that have not begun, because they would fare no better, or the invocation has failed.

    One that is made `within` another passes on `stop`, and heeds the other as well. Threads may share it.
    """

    def __init__(self, within: "Halt | None" = None) -> None:
        self._lock = Lock()
        self._within = within
        self._balance = 0
        self._outcome: Outcome | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of what is not sent; None to go on."""
        return self._outcome or (self._within.outcome if self._within else None)

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Stop if the outcomes of a request say that others would meet the same.

        If the caller is refused, this one stops, and what it is `within`. If events are refused by themselves with an
        undocumented code, this one alone stops, once they are MOST_UNDOCUMENTED more than the delivered requests.
        """
        # A list: an Enum's members take longer to hash than to compare.
        dispositions = [outcome.disposition for outcome in outcomes]
        if Disposition.CONFIGURATION in dispositions:
            self.stop(_REFUSED)
        with self._lock:
            if Disposition.DELIVERED in dispositions:
                self._balance -= 1
            elif Disposition.UNDOCUMENTED in dispositions:
                self._balance += 1
            if self._balance == MOST_UNDOCUMENTED:
                self._outcome = self._outcome or _UNDOCUMENTED

    def stop(self, outcome: Outcome = _HALTED) -> None:
        """Let nothing begin any more. What is not sent has the `outcome` of the first call."""
        self._outcome = self._outcome or outcome
        if self._within:
            self._within.stop(outcome)


class Deliverer:
    """Sends entries in rounds until each is settled, time runs out, or a configuration fault makes going on pointless.

    Requests of a round overlap, `parallel` at a time, and begin no faster than `pace` allows. Each round repeats only
    what is worth another try, after a pause that grows and is drawn at random, so that many forwarders that were
    throttled together do not come back together.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        parallel: int = PARALLEL_REQUESTS,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._destination = destination
        self._parallel = parallel
        self._pool = self._threads()
        self._pace = pace or Pace()
        self._sleep = sleep
        self._jitter = jitter

    def deliver(self, entries: Iterable[Entry], deadline: Deadline, invocation: Halt) -> dict[Entry, Outcome]:
        """The outcome of every entry. RETRY, CONFIGURATION and UNDOCUMENTED mean that it still waits.

        Of entries with equal id and text one is sent, and all have its outcome. A refusal that the rest of the
        `invocation` would meet as well stops that, too.
        """
        waiting, twins = _distinct(entries)
        outcomes: dict[Entry, Outcome] = {}
        halt = Halt(invocation)
        for attempt in range(MAX_ROUNDS):
            outcomes |= self._round(waiting, deadline, halt)
            if halt.outcome:
                break
            waiting = [entry for entry in waiting if outcomes[entry].disposition is Disposition.RETRY]
            pause = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt) * (0.5 + self._jitter() / 2)
            if not waiting or deadline.remaining <= pause:
                break
            if attempt < MAX_ROUNDS - 1:
                self._sleep(pause)
        outcomes.update((twin, outcomes[first]) for twin, first in twins)
        return outcomes

    def _round(self, waiting: Sequence[Entry], deadline: Deadline, halt: Halt) -> dict[Entry, Outcome]:
        """Send everything once, and a batch that is refused for one of its entries in ever smaller halves.

        Halves are sent before larger batches, and never more at a time than may be under way. So it takes few requests
        to come down to single entries, and if those are refused because of the caller, no more are sent.
        """
        outcomes: dict[Entry, Outcome] = {}
        batches, later = list(pack(waiting)), deque[Sequence[Entry]]()
        while batches:
            halves: list[Sequence[Entry]] = []
            for batch, answer in zip(batches, self._answers(batches, deadline, halt), strict=True):
                if answer[0].disposition is Disposition.SPLIT:
                    middle = len(batch) // 2
                    halves += [batch[:middle], batch[middle:]]
                else:
                    outcomes.update(zip(batch, answer, strict=True))
            later.extendleft(reversed(halves))
            batches = [later.popleft() for _ in range(min(self._parallel, len(later)))]
        return outcomes

    def _answers(
        self, batches: Sequence[Sequence[Entry]], deadline: Deadline, halt: Halt
    ) -> Sequence[Sequence[Outcome]]:
        """The answers to all batches, in their order. Raises what a request raised, once no other is under way.

        Each read of an answer has a time limit, but an answer that comes byte by byte has none. It is given up before
        the invocation ends: Lambda would kill that, and everything it has done would be done again.
        """
        answers: list[Future[Sequence[Outcome]]] = []
        try:
            answers += (self._pool.submit(self._put, batch, deadline, halt) for batch in batches)
        except BaseException:
            # No thread could be started, but the pool has the request, and would begin it in the next invocation.
            halt.stop()
            self._leave(wait(answers, deadline.patience).not_done)
            raise
        _, others = wait(answers, deadline.patience, FIRST_EXCEPTION)
        if others:
            # One failed, or the time is over: no other may begin now, or go on in the next invocation. Those that can
            # still be cancelled are not waited for: only a thread that is free would mark them as done.
            halt.stop()
            self._leave(wait([answer for answer in others if not answer.cancel()], deadline.patience).not_done)
        # If one failed, this raises.
        return [_told(answer, batch) for answer, batch in zip(answers, batches, strict=True)]

    def _leave(self, endless: Collection[Future[Sequence[Outcome]]]) -> None:
        """Requests without an end keep their threads, and the next invocation needs its own."""
        if endless:
            self._pool = self._threads()

    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._parallel, thread_name_prefix="put-audit-events")

    def _put(self, batch: Sequence[Entry], deadline: Deadline, halt: Halt) -> Sequence[Outcome]:
        if not self._begin(deadline, halt):
            return [halt.outcome or _OUT_OF_TIME] * len(batch)
        try:
            outcomes = self._destination.put(batch)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - an answer that nobody foresaw must cost this batch a retry, not the others their outcome
            return [Outcome(Disposition.RETRY, "Unforeseen", place_of(error))] * len(batch)
        halt.note(outcomes)
        return outcomes

    def _begin(self, deadline: Deadline, halt: Halt) -> bool:
        """Wait for a turn: False if there is none before the deadline, or the round has been halted."""
        if halt.outcome:
            return False
        pause = self._pace.turn(deadline.now(), deadline.at)
        if pause:
            self._sleep(pause)
        return pause is not None and not deadline.passed and not halt.outcome


def _told(answer: Future[Sequence[Outcome]], batch: Sequence[Entry]) -> Sequence[Outcome]:
    """The outcomes of a request. Without an answer the batch may have arrived: we prefer a duplicate to a loss."""
    if answer.cancelled():
        return [_HALTED] * len(batch)
    return answer.result() if answer.done() else [_GIVEN_UP] * len(batch)


def _distinct(entries: Iterable[Entry]) -> tuple[list[Entry], list[tuple[Entry, Entry]]]:
    """The entries without those that equal an earlier one, and each of these with that one."""
    every = list(entries)
    if len({entry.id for entry in every}) == len(every):
        return every, []
    firsts: dict[bytes, Entry] = {}  # by the whole of them, which holds the id
    pairs = [(entry, firsts.setdefault(entry.encoded, entry)) for entry in every]
    return list(firsts.values()), [(entry, first) for entry, first in pairs if entry is not first]
