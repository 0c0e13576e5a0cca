"""Whatever a destination refuses and fails in, and however often: each entry has one outcome, and it is true."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import MemoryClock

from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer, Halt
from trailhook.destination import DELIVERED, Disposition, Outcome

POISON, ODD, CALLER = "poison", "odd", "caller"
REFUSALS = {
    POISON: Outcome(Disposition.QUARANTINE, POISON),
    ODD: Outcome(Disposition.UNDOCUMENTED, ODD),
    CALLER: Outcome(Disposition.CONFIGURATION, CALLER),
}
ALONE = {
    "bad": Outcome(Disposition.QUARANTINE, "bad"),
    "stubborn": Outcome(Disposition.RETRY, "stubborn"),
}
THROTTLED, LOST, UNFORESEEN = "throttled", "answer lost", "unforeseen"


@dataclass
class Moody:
    """Refuses a request for one entry in it, or that entry alone, as `kinds` says; each request may have a mood."""

    kinds: Mapping[bytes, str]
    moods: Mapping[int, str]
    clock: MemoryClock
    seconds: float
    requests: int = 0
    taken: Counter[bytes] = field(default_factory=Counter)
    unheard: Counter[bytes] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        with self.lock:
            return self._put(batch)

    def _put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        assert 0 < len(batch) == len({entry.id for entry in batch})
        self.requests += 1
        self.clock.time += self.seconds
        mood = self.moods.get(self.requests)
        if mood == THROTTLED:
            return [Outcome(Disposition.RETRY, THROTTLED)] * len(batch)
        if mood == UNFORESEEN:
            raise ValueError
        kinds = [self.kinds.get(entry.encoded, "") for entry in batch]
        if CALLER in kinds:
            return [REFUSALS[CALLER]] * len(batch)
        if {POISON, ODD} & {*kinds}:
            return [REFUSALS[kinds[0]] if len(batch) == 1 else Outcome(Disposition.SPLIT)] * len(batch)
        outcomes = [ALONE.get(kind, DELIVERED) for kind in kinds]
        taken = [entry.encoded for entry, outcome in zip(batch, outcomes, strict=True) if outcome is DELIVERED]
        self.taken.update(taken)
        if mood == LOST:
            self.unheard.update(taken)
            return [Outcome(Disposition.RETRY, LOST)] * len(batch)
        return outcomes


ENTRIES = st.lists(
    st.builds(lambda number, text: Entry.of(str(number), text), st.integers(0, 300), st.sampled_from([b"{}", b"[]"])),
    max_size=400,
)
MOODS = st.dictionaries(st.integers(1, 60), st.sampled_from([THROTTLED, LOST, UNFORESEEN]), max_size=10)


@given(st.data(), ENTRIES, MOODS, st.sampled_from([0, 0.1, 1]), st.sampled_from([1, 3, 20]))
def test_each_entry_has_one_outcome_and_it_is_true(
    data: st.DataObject, entries: list[Entry], moods: dict[int, str], seconds: float, parallel: int
) -> None:
    texts = sorted({entry.encoded for entry in entries} | {b""})
    drawn = st.tuples(st.sampled_from(texts), st.sampled_from([*REFUSALS, *ALONE]))
    kinds = dict(data.draw(st.lists(drawn, max_size=20)))
    clock = MemoryClock(0)
    destination = Moody(kinds, moods, clock, seconds)
    deliverer = Deliverer(destination, parallel=parallel, sleep=clock.sleep, jitter=lambda: 1.0)
    outcomes = deliverer.deliver(entries, Deadline(20, clock.now), Halt())
    assert {*outcomes} == {*entries}
    for entry, outcome in outcomes.items():
        taken = destination.taken[entry.encoded] - destination.unheard[entry.encoded]
        assert taken == (outcome.disposition is Disposition.DELIVERED), (entry, outcome)
        if outcome.disposition is Disposition.QUARANTINE:
            assert kinds[entry.encoded] == outcome.code
        if outcome.disposition is Disposition.UNDOCUMENTED:
            assert outcome.code == "Halted" or kinds[entry.encoded] == ODD
        assert outcome.disposition is not Disposition.SPLIT
