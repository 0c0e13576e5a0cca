"""What is left of a delivery that is partly done goes back by itself; what nothing is done of, as it is."""

import json
import random
import string

import pytest
from tests.forward.bench import THROTTLED, Bench, delivery, entry, failing, record
from tests.forward.ports import MemoryDestination, MemoryQueue, event_data

from trailhook.destination import DELIVERED
from trailhook.envelope import Envelope, Pending, decode_envelope
from trailhook.hand_back import HANDBACK_TRIES, MAX_HANDBACKS


def test_a_message_without_any_progress_goes_back_as_it_is() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 1)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1)))))
    assert (unfinished, bench.queue.sent) == (["m1"], [])
    assert (ledger.events, ledger.configuration_faults) == ({"waiting": 1}, 0)
    assert (ledger.reasons, ledger.words) == ({"retry:Throttling": 1}, {"retry:Throttling": "slow down"})
    assert bench.queue.postponed == {"handle-m1": 30}


def test_what_waits_for_no_operator_is_tried_again_within_a_quarter_of_an_hour() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 1)))
    bench.forward(record(Envelope(delivery(entry(1))), receives=50))
    assert bench.queue.postponed == {"handle-m1": 900}


def test_only_the_rest_of_a_partly_delivered_message_is_handed_back() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert unfinished == []
    assert ledger.events == {"delivered": 1, "waiting": 1}
    ((message, delay),) = bench.queue.sent
    handed_back = decode_envelope(message)
    assert (handed_back.attempt, handed_back.pending, delay) == (1, Pending(2, frozenset({1})), 2)

    bench.destination.judge = lambda _entry: DELIVERED
    unfinished, _ = bench.forward(record(handed_back))
    assert (unfinished, bench.delivered) == ([], ["doc-1", "doc-2"])


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 4), (4, 32), (11, 900)])
def test_each_time_that_a_rest_is_handed_back_it_waits_twice_as_long(attempt: int, seconds: int) -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)))
    _, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)), attempt=attempt)))
    assert ([delay for _, delay in bench.queue.sent], ledger.messages) == ([seconds], {"handed back": 1})


def test_a_message_that_was_handed_back_too_often_is_parked_with_what_is_left() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)), attempt=MAX_HANDBACKS)))
    assert (unfinished, bench.queue.sent, ledger.messages) == ([], [], {"parked": 1})
    parked = decode_envelope(bench.queue.parked[0])
    assert (parked.pending, parked.attempt) == (Pending(2, frozenset({1})), 0), (
        "sent back, it has all its attempts again"
    )


def test_what_was_quarantined_is_not_handed_back_with_what_waits() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)))
    unfinished, ledger = bench.forward(record(Envelope(delivery({"no": "action"}, entry(2)))))
    assert (unfinished, ledger.events) == ([], {"quarantined": 1, "waiting": 1})
    ((message, _),) = bench.queue.sent
    assert decode_envelope(message).pending == Pending(2, frozenset({1}))


def test_where_no_time_is_left_the_message_comes_back_whole() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))), closed_seconds=-1)
    assert (unfinished, bench.queue.sent, ledger.messages) == (["m1"], [], {"returned": 1})


def test_a_hand_back_that_fails_is_tried_again() -> None:
    class Shaky(MemoryQueue):
        def send(self, message: str, delay_seconds: int = 0) -> None:
            self.tries += 1
            self.broken = self.tries < HANDBACK_TRIES
            super().send(message, delay_seconds)

        tries = 0

    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)), Shaky())
    unfinished, _ = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert unfinished == []
    assert len(bench.queue.sent) == 1


def test_where_handing_back_fails_the_whole_message_comes_back() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 2)), MemoryQueue(broken=True))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert unfinished == ["m1"]
    tries = ["m1: not handed back: SQS is down"] * HANDBACK_TRIES
    assert ledger.faults == [*tries, "not postponed: SQS is down"]


def test_what_is_left_of_a_delivery_that_no_message_holds_comes_back_whole() -> None:
    """As large as receive takes it, and every other event waits: their positions take more room than there is."""
    letters = random.Random(1)  # noqa: S311 - the same each time, and nothing that gzip makes shorter
    notes = (
        "".join(letters.choices(string.ascii_letters + string.digits + "!#$%()*+,-./", k=100)) for _ in range(9_000)
    )
    large = Envelope(delivery(*(entry(number, note=note) for number, note in enumerate(notes))))
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, *range(0, 9_000, 2))))
    unfinished, ledger = bench.forward(record(large))
    assert (unfinished, bench.queue.sent, ledger.messages) == (["m1"], [], {"returned": 1})
    assert ledger.events == {"delivered": 4_500, "waiting": 4_500}
    [fault] = ledger.faults
    assert fault.startswith("m1: not handed back: The delivery does not fit a queue message")


def test_events_of_equal_id_in_one_delivery_are_told_apart_when_one_of_them_waits() -> None:
    bench = Bench(MemoryDestination(judge=lambda entry: THROTTLED if "hubot" in event_data(entry) else DELIVERED))
    bench.forward(record(Envelope(delivery(entry(1), entry(1, actor="hubot")))))
    bench.destination.judge = lambda _entry: DELIVERED
    bench.forward(record(decode_envelope(bench.queue.sent[0][0])))
    assert [json.loads(event_data(taken))["requestParameters"]["actor"] for taken in bench.destination.taken] == [
        "mona",
        "hubot",
    ]


def test_a_delivery_that_reads_otherwise_than_when_it_was_handed_back_is_delivered_whole() -> None:
    bench = Bench()
    pending = Pending(3, frozenset({2}))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)), attempt=1, pending=pending)))
    assert (unfinished, bench.delivered) == ([], ["doc-1", "doc-2"])
    assert "2 events, but 3" in ledger.faults[0]
