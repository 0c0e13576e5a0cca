"""The law, event by event: received = delivered + quarantined + filtered + waiting."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence

import pytest
from msgspec.structs import replace
from tests.forward.bench import ACCOUNT, CHANNEL_GONE, THROTTLED, Bench, delivery, entry, failing, record
from tests.forward.ports import MemoryDestination, event_data

from trailhook.batch import Entry
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.envelope import Envelope, Pending, decode_envelope, encode_envelope
from trailhook.partner import Options
from trailhook.partners import Partners


def test_a_delivery_whose_events_are_all_taken_is_acknowledged() -> None:
    bench = Bench()
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert unfinished == []
    assert bench.delivered == ["doc-1", "doc-2"]
    assert (ledger.events, ledger.messages) == ({"delivered": 2}, {"finished": 1})


def test_a_delivery_of_no_events_is_acknowledged_and_counted() -> None:
    bench = Bench()
    unfinished, ledger = bench.forward(record(Envelope(delivery(body=b"[]"))))
    assert (unfinished, ledger.events, ledger.messages) == ([], {}, {"without events": 1, "finished": 1})
    assert bench.quarantine.objects == {}


def test_events_name_the_account_that_owns_the_channel_as_recipient() -> None:
    bench = Bench()
    bench.forward(record(Envelope(delivery(entry(1)))))
    assert json.loads(event_data(bench.destination.taken[0]))["recipientAccountId"] == ACCOUNT


def test_messages_of_one_event_share_full_requests() -> None:
    bench = Bench()
    bench.forward(*(record(Envelope(delivery(entry(number))), f"m{number}") for number in range(250)))
    assert [len(batch) for batch in bench.destination.batches] == [100, 100, 50]


def test_numbers_beyond_what_javascript_keeps_arrive_exactly() -> None:
    bench = Bench()
    bench.forward(record(Envelope(delivery(entry(1, run=6891110586028963295, huge=2**70)))))
    parameters = json.loads(event_data(bench.destination.taken[0]))["requestParameters"]
    assert (parameters["run"], parameters["huge"]) == (6891110586028963295, 2**70)


def test_excluded_events_are_filtered_and_counted() -> None:
    bench = Bench(exclude=["git.*"])
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2, action="git.clone")))))
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    assert ledger.events == {"delivered": 1, "filtered": 1}
    assert ledger.reasons == {"filtered:ExcludeEvents": 1}


def test_a_configuration_fault_lets_messages_wait_and_rings() -> None:
    bench = Bench(MemoryDestination(judge=lambda _entry: CHANNEL_GONE))
    unfinished, ledger = bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}", receives=2) for n in range(300)))
    assert len(unfinished) == 300
    assert ledger.configuration_faults > 0
    assert bench.quarantine.objects == {}
    assert len(bench.destination.batches) == 1, "after the first refusal no further request is made"
    assert set(bench.queue.postponed.values()) == {60}


def test_an_event_that_is_refused_with_an_undocumented_code_waits_and_rings() -> None:
    refused = Outcome(Disposition.UNDOCUMENTED, "SomethingNew", "We do not take this")
    bench = Bench(MemoryDestination(judge=failing(refused, 2)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert (unfinished, bench.delivered, bench.quarantine.lines) == ([], ["doc-1"], [])
    [(left, _)] = bench.queue.sent
    assert decode_envelope(left).pending == Pending(2, frozenset({1}))
    assert (ledger.events, ledger.configuration_faults) == ({"delivered": 1, "waiting": 1}, 1)
    assert ledger.reasons == {"undocumented:SomethingNew": 1}


def test_the_wait_for_an_operator_grows_to_an_hour_and_no_further() -> None:
    bench = Bench(MemoryDestination(judge=lambda _entry: CHANNEL_GONE))
    bench.forward(record(Envelope(delivery(entry(1))), receives=50))
    assert bench.queue.postponed == {"handle-m1": 3600}


class RefusesEverything(MemoryDestination):
    """Refuses every request with a code that nobody documented: more than one event of it is sent in halves."""

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        alone = len(batch) == 1
        return [Outcome(Disposition.UNDOCUMENTED if alone else Disposition.SPLIT, "SomethingNew")] * len(batch)


@pytest.mark.parametrize("receives", [2, 20])
def test_a_whole_backlog_waits_for_an_operator_where_an_undocumented_code_refuses_the_caller(receives: int) -> None:
    bench = Bench(RefusesEverything())
    messages = [record(Envelope(delivery(entry(n))), f"m{n}", receives=receives) for n in range(300)]
    unfinished, ledger = bench.forward(*messages)
    assert len(unfinished) == ledger.configuration_faults == 300
    # A quarter of an hour between tries would put what was not sent among the dead letters within a day.
    assert Counter(bench.queue.postponed.values()) == {{2: 60, 20: 3_600}[receives]: 300}


def test_an_unreadable_message_goes_back_and_is_never_quarantined() -> None:
    bench = Bench()
    newer = json.loads(encode_envelope(Envelope(delivery(entry(1))))) | {"version": 2}
    records = [
        record(Envelope(delivery(entry(1))), f"m{n}") | {"body": body}
        for n, body in enumerate(["{", json.dumps(newer)])
    ]
    unfinished, ledger = bench.forward(*records, record(Envelope(delivery(entry(3))), "good"))
    assert (unfinished, bench.delivered) == (["m0", "m1"], ["doc-3"])
    assert ledger.messages["unreadable"] == 2
    assert bench.quarantine.objects == {}


def test_a_message_of_a_partner_that_a_later_version_knows_waits_for_that() -> None:
    bench = Bench()
    later = record(Envelope(replace(delivery(entry(1)), partner="later")), "later")
    unfinished, ledger = bench.forward(later, record(Envelope(delivery(entry(2))), "known"))
    assert (unfinished, bench.delivered) == (["later"], ["doc-2"])
    assert ledger.messages == {"unreadable": 1, "finished": 1}
    assert ledger.faults == ["later: Partner 'later' is not known to this version"]
    assert bench.quarantine.objects == {}


def test_equal_ids_with_equal_content_are_sent_once_and_both_acknowledged() -> None:
    bench = Bench()
    unfinished, ledger = bench.forward(
        record(Envelope(delivery(entry(1))), "m1"), record(Envelope(delivery(entry(1))), "m2")
    )
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    assert ledger.events == {"delivered": 2}


def test_equal_ids_with_different_content_travel_apart_and_both_arrive() -> None:
    bench = Bench()
    unfinished, _ = bench.forward(
        record(Envelope(delivery(entry(1))), "m1"), record(Envelope(delivery(entry(1, actor="hubot"))), "m2")
    )
    assert (unfinished, bench.delivered) == ([], ["doc-1", "doc-1"])
    assert [len(batch) for batch in bench.destination.batches] == [1, 1]
    assert len({entry.id for entry in bench.destination.taken}) == 1


def test_where_a_portion_cannot_begin_nothing_of_the_invocation_goes_on_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    refused = threading.Event()

    class Slow(MemoryDestination):
        """The first portion is still under way when the second cannot begin, however long it takes to get there."""

        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            sent.append(batch[0].id)
            assert refused.wait(60)
            time.sleep(0.1)
            return [DELIVERED] * len(batch)

    start = threading.Thread.start
    portions: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if thread.name.startswith("deliver-portion"):
            if portions:
                refused.set()
                raise RuntimeError("can't start new thread")
            portions.append(thread)
        start(thread)

    bench = Bench(Slow())
    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(RuntimeError):
        bench.forward(record(Envelope(delivery(*(entry(n) for n in range(3_000))))))
    monkeypatch.undo()
    now = len(sent)
    time.sleep(0.5)
    assert len(sent) == now < 10


def test_where_reading_takes_the_function_down_no_portion_goes_on_in_the_next_invocation() -> None:
    github = Partners(Options())["github"]
    began, ended = threading.Event(), threading.Event()

    class Slow(MemoryDestination):
        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            began.set()
            time.sleep(0.3)
            ended.set()
            return [DELIVERED] * len(batch)

    def events(sent: Delivery) -> Iterable[PartnerEvent]:
        if sent.body == b"[]":
            assert began.wait(60)
            raise MemoryError
        return github.events(sent)

    bench = Bench(Slow(), partners={"github": replace(github, events=events)})
    portion = record(Envelope(delivery(*(entry(n) for n in range(1_000)))))
    with pytest.raises(MemoryError):
        bench.forward(portion, record(Envelope(delivery(body=b"[]")), "m2"))
    assert ended.is_set()


def test_a_message_that_came_twice_in_a_batch_is_named_once() -> None:
    """An answer that Lambda does not understand brings the whole batch back, and with it what was delivered."""
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 1)))
    again = record(Envelope(delivery(entry(1)))) | {"receiptHandle": "handle-m1-again"}
    unfinished, ledger = bench.forward(
        record(Envelope(delivery(entry(1)))), again, record(Envelope(delivery(entry(2))), "m2")
    )
    assert unfinished == ["m1"]
    assert set(bench.queue.postponed) == {"handle-m1", "handle-m1-again"}
    assert ledger.events == {"delivered": 1, "waiting": 2}


def test_after_the_deadline_nothing_is_begun_and_everything_waits() -> None:
    bench = Bench()
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1)))), seconds=0)
    assert (unfinished, bench.destination.batches) == (["m1"], [])
    assert ledger.events == {"waiting": 1}


def test_after_the_deadline_no_further_message_is_opened() -> None:
    clock = [0.0]
    github = Partners(Options())["github"]

    def events(sent: Delivery) -> Iterable[PartnerEvent]:
        clock[0] += 1
        return github.events(sent)

    bench = Bench(partners={"github": replace(github, events=events)}, now=lambda: clock[0])
    records = [record(Envelope(delivery(*(entry(n) for n in range(1_000)))), f"m{number}") for number in range(20)]
    unfinished, ledger = bench.forward(*records, seconds=5)
    assert clock[0] <= 6, "the rest of the time is for what was begun"
    assert set(unfinished) >= {f"m{number}" for number in range(6, 20)}
    assert set(bench.queue.postponed) == {f"handle-{message_id}" for message_id in unfinished}
    assert ledger.messages["not begun"] == 15
    assert ledger.messages.total() == 20


def test_an_answer_that_nobody_foresaw_costs_its_batch_a_retry_and_no_other_one_anything() -> None:
    def judge(taken: Entry) -> Outcome:
        if json.loads(event_data(taken))["UID"] == "doc-0":
            raise AttributeError("'str' object has no attribute 'get'")
        return DELIVERED

    bench = Bench(MemoryDestination(judge=judge))
    unfinished, ledger = bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}") for n in range(150)))
    assert len(unfinished) == ledger.events["waiting"] == 100
    assert ledger.events["delivered"] == 50
    assert ledger.words["retry:Unforeseen"].startswith("AttributeError at test_forward.py:")


def test_a_delivery_that_is_larger_than_what_is_held_arrives_whole_and_in_portions() -> None:
    bench = Bench()
    _, ledger = bench.forward(record(Envelope(delivery(*(entry(n, data={"text": "x" * 2_000}) for n in range(4_500))))))
    assert ledger.events == {"delivered": 4_500}
    assert len(set(bench.delivered)) == 4_500
