"""Messages that may kill the process come last, in groups that grow, and take no innocent along."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from msgspec.structs import replace
from tests.forward.bench import CHANNEL_GONE, THROTTLED, Bench, delivery, entry, failing, record
from tests.forward.ports import MemoryDestination, MemoryQueue

from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.destination import DELIVERED, Outcome
from trailhook.envelope import Envelope
from trailhook.errors import QueueError
from trailhook.forward import CAUTIOUS_FROM_RECEIVE_COUNT
from trailhook.ledger import Ledger
from trailhook.partner import Options
from trailhook.partners import Partners


def test_a_message_that_may_kill_the_process_comes_last_and_alone() -> None:
    bench = Bench()
    seen: list[tuple[list[str], list[str]]] = []

    def judge(taken: Entry) -> Outcome:
        seen.append((bench.delivered, list(bench.queue.deleted)))
        return DELIVERED

    bench.destination.judge = judge
    unfinished, _ = bench.forward(
        record(Envelope(delivery(entry(1))), "suspect", receives=3), record(Envelope(delivery(entry(2))), "innocent")
    )
    assert unfinished == []
    assert [len(batch) for batch in bench.destination.batches] == [1, 1]
    assert bench.delivered == ["doc-2", "doc-1"]
    assert seen[1] == (["doc-2"], ["handle-innocent"]), "the innocent's work is off the queue before the suspect starts"


@pytest.mark.parametrize(
    ("receives", "sizes"), [(3, [1, 2, 4, 8, 16, 32, 64, 64, 9]), (CAUTIOUS_FROM_RECEIVE_COUNT, [1] * 200)]
)
def test_suspects_are_processed_in_groups_that_double_and_one_by_one_when_it_matters(
    receives: int, sizes: list[int]
) -> None:
    bench = Bench()
    begun: list[int] = []

    def judge(taken: Entry) -> Outcome:
        begun.append(len(bench.queue.deleted))
        return DELIVERED

    bench.destination.judge = judge
    records = [record(Envelope(delivery(entry(number))), f"m{number}", receives=receives) for number in range(200)]
    unfinished, _ = bench.forward(*records)
    assert unfinished == []
    assert [len(batch) for batch in bench.destination.batches] == sizes
    assert sorted(bench.queue.deleted) == sorted(one["receiptHandle"] for one in records)
    assert sorted(set(begun)) == [sum(sizes[:number]) for number in range(len(sizes))], "each is off the queue before"


def test_what_is_taken_off_the_queue_before_a_suspect_kills_the_process_is_reported_first() -> None:
    class Died(BaseException):
        """SIGKILL: nothing after it is told."""

    github = Partners(Options())["github"]

    def events(sent: Delivery) -> Iterable[PartnerEvent]:
        if b"killer" in sent.body:
            raise Died
        return github.events(sent)

    told: list[tuple[Ledger, list[str]]] = []
    bench = Bench(partners={"github": replace(github, events=events)})
    bench.report = lambda ledger: told.append((ledger, list(bench.queue.deleted)))
    with pytest.raises(Died):
        bench.forward(
            record(Envelope(delivery(entry(1))), "good"),
            record(Envelope(delivery({"no": "action"})), "poison"),
            record(Envelope(delivery(body=b'["killer"]')), "killer", receives=3),
        )
    assert sorted(bench.queue.deleted) == ["handle-good", "handle-poison"]
    [(ledger, deleted_before)] = told
    assert (ledger.events, ledger.messages) == ({"delivered": 1, "quarantined": 1}, {"finished": 2})
    assert deleted_before == []


def test_each_event_is_in_one_report_only() -> None:
    told: list[Ledger] = []
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 7)), report=told.append)
    records = [record(Envelope(delivery(entry(n))), f"m{n}", receives=1 + n % 4) for n in range(50)]
    unfinished, rest = bench.forward(*records)
    assert unfinished == ["m7"]
    assert len(told) > 2
    assert sum((ledger.events for ledger in [*told, rest]), Counter()) == {"delivered": 49, "waiting": 1}
    assert sum((ledger.messages for ledger in [*told, rest]), Counter()) == {"finished": 49, "returned": 1}


def test_a_suspect_that_waits_does_not_keep_those_behind_it_waiting() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 7)))
    unfinished, _ = bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}", receives=4) for n in range(50)))
    assert unfinished == ["m7"]


def test_suspects_that_wait_for_a_reason_of_their_own_keep_no_innocent_from_being_begun() -> None:
    """Of many that are refused each time one is nearly always the first."""
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, *range(95))))
    unfinished, ledger = bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}", receives=9) for n in range(100)))
    assert sorted(bench.delivered) == [f"doc-{number}" for number in range(95, 100)]
    assert (len(unfinished), ledger.messages["not begun"]) == (95, 0)


def test_what_cannot_be_deleted_yet_is_told_and_delivered_all_the_same() -> None:
    class Undeletable(MemoryQueue):
        def delete(self, receipt_handles: Sequence[str], deadline: Deadline) -> None:  # noqa: ARG002 - whatever it is asked
            raise QueueError("SQS refused 1 of 1 entries")

    bench = Bench(queue=Undeletable())
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1)))), record(Envelope(delivery()), "m2", 4))
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    assert ledger.faults == ["not deleted yet: SQS refused 1 of 1 entries"] * 2


def test_after_one_whose_caller_is_refused_no_other_suspect_is_begun_but_each_is_postponed() -> None:
    bench = Bench(MemoryDestination(judge=lambda _entry: CHANNEL_GONE))
    unfinished, ledger = bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}", receives=4) for n in range(50)))
    assert len(unfinished) == len(bench.queue.postponed) == 50
    assert len(bench.destination.batches) == 1
    assert ledger.messages["not begun"] == 49


def test_suspects_that_are_not_begun_wait_for_the_operator_as_long_as_the_one_that_was_refused() -> None:
    """Each receive counts: 90 of them last four days at an hour each, and one at a quarter of an hour."""
    bench = Bench(MemoryDestination(judge=lambda _entry: CHANNEL_GONE))
    bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}", receives=9) for n in range(50)))
    assert Counter(bench.queue.postponed.values()) == {3_600: 50}
    new = record(Envelope(delivery(entry(50))), "new")
    bench.forward(new, *(record(Envelope(delivery(entry(n))), f"m{n}", receives=10) for n in range(50)))
    assert Counter(bench.queue.postponed.values()) == {3_600: 50, 30: 1}
