"""Rounds of full batches: only what is worth it is sent again, within the time that is left."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from tests.fakes import MemoryClock
from tests.forward.ports import MemoryDestination, entries

from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.deliver import MAX_ROUNDS, PARALLEL_REQUESTS, Deliverer, Halt
from trailhook.destination import DELIVERED, Disposition, Outcome

THROTTLED = Outcome(Disposition.RETRY, "Throttling")


@dataclass
class ThrottledAtFirst:
    """Refuses each entry a number of times before it takes it."""

    times: int
    seen: Counter[str] = field(default_factory=Counter)

    def __call__(self, entry: Entry) -> Outcome:
        self.seen[entry.id] += 1
        return DELIVERED if self.seen[entry.id] > self.times else THROTTLED


def deliver(
    destination: MemoryDestination, count: int, *, seconds: float = 60
) -> tuple[dict[Entry, Outcome], MemoryClock]:
    clock = MemoryClock(0)
    deliverer = Deliverer(destination, parallel=1, sleep=clock.sleep, jitter=lambda: 1.0)
    return deliverer.deliver(entries(count), Deadline(seconds, clock.now), Halt()), clock


def test_throttled_entries_are_sent_again_after_growing_pauses() -> None:
    destination = MemoryDestination(judge=ThrottledAtFirst(3))
    outcomes, clock = deliver(destination, 150)
    assert set(outcomes.values()) == {DELIVERED}
    assert clock.pauses == [0.2, 0.4, 0.8]


def test_only_what_failed_is_sent_again() -> None:
    destination = MemoryDestination(judge=lambda entry: THROTTLED if entry.id == "7" else DELIVERED)
    outcomes, clock = deliver(destination, 10)
    assert [len(batch) for batch in destination.batches] == [10] + [1] * (MAX_ROUNDS - 1)
    assert clock.pauses == [0.2, 0.4, 0.8, 1.6, 3.2], "after the last round nothing is waited for"
    assert [entry.id for entry, outcome in outcomes.items() if outcome is not DELIVERED] == ["7"]


def test_a_pause_that_would_pass_the_deadline_is_not_begun() -> None:
    destination = MemoryDestination(judge=lambda _entry: THROTTLED)
    outcomes, clock = deliver(destination, 1, seconds=1.0)
    assert clock.time < 1.0
    assert [outcome.disposition for outcome in outcomes.values()] == [Disposition.RETRY]


def test_a_configuration_fault_ends_the_round_and_the_rest_waits() -> None:
    fault = Outcome(Disposition.CONFIGURATION, "ChannelNotFound")
    destination = MemoryDestination(judge=lambda _entry: fault)
    outcomes, clock = deliver(destination, 250)
    assert len(destination.batches) == 1
    assert Counter(outcome.code for outcome in outcomes.values()) == {"ChannelNotFound": 100, "Halted": 150}
    assert clock.pauses == []


@dataclass
class Undocumented(MemoryDestination):
    """Refuses every request with one of `odd` in it, for a reason that nobody documented."""

    odd: frozenset[str] = frozenset()

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        if not self.odd & {entry.id for entry in batch}:
            return super().put(batch)
        self.batches.append(batch)
        return [Outcome(Disposition.SPLIT if len(batch) > 1 else Disposition.UNDOCUMENTED, "Unheard")] * len(batch)


@pytest.mark.parametrize("odd", [{"0"}, {"57"}, {"99"}, {"3", "4"}, {"10", "35", "60", "85"}])
def test_an_event_that_is_refused_for_an_unknown_reason_keeps_no_other_one_waiting(odd: set[str]) -> None:
    outcomes, _ = deliver(Undocumented(odd=frozenset(odd)), 100)
    assert {entry.id for entry, outcome in outcomes.items() if outcome != DELIVERED} == odd


def test_where_every_event_is_refused_for_an_unknown_reason_not_every_one_is_tried() -> None:
    destination = Undocumented(odd=frozenset(map(str, range(500))))
    outcomes, clock = deliver(destination, 500)
    codes = Counter(outcome.code for outcome in outcomes.values())
    assert codes == {"Unheard": 3, "Halted": 497}
    assert clock.pauses == []
    assert len(destination.batches) < 20, "not all are halved before the first is alone"


def test_with_many_requests_under_way_a_caller_that_is_refused_is_found_in_few_of_them() -> None:
    destination = Undocumented(odd=frozenset(map(str, range(1_000))))
    deliverer = Deliverer(destination, sleep=MemoryClock(0).sleep)
    outcomes = deliverer.deliver(entries(1_000), Deadline(60, MemoryClock(0).now), Halt())
    assert {outcome.disposition for outcome in outcomes.values()} == {Disposition.UNDOCUMENTED}
    assert len(destination.batches) <= 10 + 7 * PARALLEL_REQUESTS


def test_entries_that_are_refused_in_many_requests_are_all_found() -> None:
    odd = frozenset(str(number) for number in range(0, 1_000, 90))
    destination = Undocumented(odd=odd)
    outcomes = Deliverer(destination, parallel=3, sleep=MemoryClock(0).sleep).deliver(
        entries(1_000), Deadline(60, MemoryClock(0).now), Halt()
    )
    assert {entry.id for entry, outcome in outcomes.items() if outcome != DELIVERED} == odd
    taken = Counter(
        entry.id for batch in destination.batches for entry in batch if not odd & {each.id for each in batch}
    )
    assert (len(taken), set(taken.values())) == (1_000 - len(odd), {1})


@pytest.mark.parametrize("parallel", [1, PARALLEL_REQUESTS])
def test_events_that_are_refused_one_behind_the_other_keep_no_other_one_waiting(parallel: int) -> None:
    odd = frozenset(str(hundred + number) for hundred in range(0, 1_000, 100) for number in range(40, 45))
    deliverer = Deliverer(Undocumented(odd=odd), parallel=parallel, sleep=MemoryClock(0).sleep)
    outcomes = deliverer.deliver(entries(1_000), Deadline(60, MemoryClock(0).now), Halt())
    assert {entry.id for entry, outcome in outcomes.items() if outcome != DELIVERED} == odd


def test_a_caller_that_is_refused_halfway_is_found_in_few_requests() -> None:
    destination = Undocumented(odd=frozenset(map(str, range(500, 1_000))))
    outcomes = Deliverer(destination, sleep=MemoryClock(0).sleep).deliver(
        entries(1_000), Deadline(60, MemoryClock(0).now), Halt()
    )
    dispositions = Counter(outcome.disposition for outcome in outcomes.values())
    assert dispositions == {Disposition.DELIVERED: 500, Disposition.UNDOCUMENTED: 500}
    assert len(destination.batches) <= 10 + 7 * PARALLEL_REQUESTS


@dataclass
class OutOfMemory:
    """Memory ends in the request that begins with entry `fails`, while the one before or after it is under way."""

    fails: str
    both_began: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=60))
    failed: threading.Event = field(default_factory=threading.Event)
    begun: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        first = batch[0].id
        self.begun.add(first)
        if first in {"0", "100"}:
            self.both_began.wait()
        if first == self.fails:
            self.failed.set()
            raise MemoryError
        assert self.failed.wait(60)
        time.sleep(0.2)
        self.ended.add(first)
        return [DELIVERED] * len(batch)


@pytest.mark.parametrize("fails", ["0", "100"])
def test_when_one_request_takes_the_function_down_no_other_goes_on_in_the_next_invocation(fails: str) -> None:
    destination = OutOfMemory(fails)
    with pytest.raises(MemoryError):
        Deliverer(destination, parallel=2).deliver(entries(5_000), Deadline.of(None), Halt())
    assert destination.ended == destination.begun - {fails}
    # The worker that it took down may have begun the next before anybody saw it.
    assert len(destination.begun) < 10


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_request_without_an_end_is_given_up_before_the_invocation_is_killed(parallel: int) -> None:
    """Its answer may come byte by byte, each of them in time. Killed, all that was done would be done again."""
    end = threading.Event()

    class Endless:
        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            if batch[0].id == "0" and not end.is_set():
                end.wait(60)
            return [DELIVERED] * len(batch)

    deliverer = Deliverer(Endless(), parallel=parallel)
    began = time.monotonic()
    outcomes = deliverer.deliver(sent := entries(200), Deadline(began + 60, closed_at=began + 0.5), Halt())
    assert time.monotonic() - began < 30
    first, second = outcomes[sent[0]], outcomes[sent[100]]
    assert (first.disposition, first.code) == (Disposition.RETRY, "NoAnswer")
    assert second.disposition is (Disposition.DELIVERED if parallel > 1 else Disposition.RETRY)
    try:
        others = deliverer.deliver(entries(400)[200:], Deadline.of(None), Halt())
        assert set(others.values()) == {DELIVERED}, "the next invocation has threads of its own"
    finally:
        end.set()


def test_what_waits_for_an_operator_waits_as_long_where_another_request_has_no_end() -> None:
    """As if it were to be tried soon, its receives would be spent, and it among the dead letters, in a day."""
    end = threading.Event()

    class EndlessOrRefused:
        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            if batch[0].id == "0":
                end.wait(60)
            return [Outcome(Disposition.CONFIGURATION, "ChannelNotFound")] * len(batch)

    deliverer, invocation = Deliverer(EndlessOrRefused(), parallel=2), Halt()
    now = time.monotonic()
    try:
        outcomes = deliverer.deliver(sent := entries(400), Deadline(now + 60, closed_at=now + 0.5), invocation)
    finally:
        end.set()
    assert [outcomes[sent[first]].code for first in (0, 100, 200)] == ["NoAnswer", "ChannelNotFound", "Halted"]
    for outcome in (outcomes[sent[200]], invocation.outcome):
        assert outcome
        assert outcome.disposition is Disposition.CONFIGURATION


def test_where_no_thread_can_be_started_nothing_goes_on_in_the_next_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    ended: list[str] = []

    class Slow:
        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            begun.append(batch[0].id)
            time.sleep(0.2)
            ended.append(batch[0].id)
            return [DELIVERED] * len(batch)

    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    deliverer = Deliverer(Slow())
    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(RuntimeError):
        deliverer.deliver(entries(200), Deadline.of(None), Halt())
    assert begun == ended == ["0"]
    monkeypatch.undo()
    deliverer.deliver(entries(1), Deadline.of(None), Halt())
    assert begun == ended == ["0", "0"], "what the pool still had was not sent"


def test_where_no_thread_can_be_started_a_request_without_an_end_is_given_up_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = threading.Event()

    class Endless:
        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            if batch[0].id == "0":
                end.wait(60)
            return [DELIVERED] * len(batch)

    deliverer = Deliverer(Endless(), parallel=2)
    start = threading.Thread.start
    starts = iter([start])

    def start_one(thread: threading.Thread) -> None:
        if not (begin := next(starts, None)):
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    began = time.monotonic()
    try:
        with pytest.raises(RuntimeError):
            deliverer.deliver(entries(200), Deadline(began + 60, closed_at=began + 0.5), Halt())
        assert time.monotonic() - began < 30
        monkeypatch.undo()
        others = deliverer.deliver(entries(400)[200:], Deadline.of(None), Halt())
        assert set(others.values()) == {DELIVERED}, "the next invocation has threads of its own"
    finally:
        end.set()


def test_an_entry_that_is_given_twice_is_sent_once() -> None:
    destination = MemoryDestination()
    outcomes = Deliverer(destination).deliver([*entries(3), *entries(3)], Deadline(60, lambda: 0.0), Halt())
    assert len(destination.taken) == 3
    assert list(outcomes.values()) == [DELIVERED] * 6
