"""The law, event by event: received = delivered + quarantined + filtered + waiting."""

import base64
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from tests.forward.ports import MemoryDestination, MemoryQuarantine, MemoryQueue

from trailhook.audit_event import AuditEvent
from trailhook.batch import Entry
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.envelope import Envelope, Pending, decode_envelope, encode_envelope
from trailhook.errors import QueueError
from trailhook.event_id import event_id
from trailhook.forward import CAUTIOUS_FROM_RECEIVE_COUNT, HANDBACK_TRIES, MAX_HANDBACKS, Forwarder, Report
from trailhook.json_text import MAX_EVENTS
from trailhook.ledger import Ledger
from trailhook.mapping import Mapper
from trailhook.partner import Options, Partner
from trailhook.partners import Partners

ACCOUNT = "111122223333"
THROTTLED = Outcome(Disposition.RETRY, "Throttling", "slow down")
REFUSED = Outcome(Disposition.QUARANTINE, "InvalidData", "no")
CHANNEL_GONE = Outcome(Disposition.CONFIGURATION, "ChannelNotFound", "gone")


def entry(number: int, **members: Any) -> dict[str, Any]:
    """A GitHub audit-log entry in its smallest complete form."""
    return {
        "_document_id": f"doc-{number}",
        "@timestamp": 1_700_000_000_000,
        "action": "repo.create",
        "actor": "mona",
    } | members


def delivery(*entries: object, body: bytes | None = None) -> Delivery:
    return Delivery(
        partner="github",
        id="delivery-1",
        request_id="request-1",
        received_at=1_700_000_001_000,
        source_ip="192.0.2.1",
        proof="github-signature",
        headers={"content-type": "application/json"},
        signed=frozenset(),
        body=json.dumps(entries).encode() if body is None else body,
    )


def record(envelope: Envelope, message_id: str = "m1", receives: int = 1) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": f"handle-{message_id}",
        "body": encode_envelope(envelope),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


@dataclass
class Bench:
    """A forwarder on ports that a test can look into."""

    destination: MemoryDestination = field(default_factory=MemoryDestination)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    quarantine: MemoryQuarantine = field(default_factory=MemoryQuarantine)
    exclude: Sequence[str] = ()
    partners: Mapping[str, Partner] = field(default_factory=lambda: Partners(Options()))
    report: Report | None = None
    now: Callable[[], float] = lambda: 0.0

    def forward(self, *records: dict[str, Any], seconds: float = 60) -> tuple[list[str], Ledger]:
        deliverer = Deliverer(self.destination, parallel=1, sleep=lambda _seconds: None)
        forwarder = Forwarder(
            mapper=Mapper(self.partners, self.exclude),
            account_id=ACCOUNT,
            deliverer=deliverer,
            queue=self.queue,
            quarantine=self.quarantine,
        )
        return forwarder.forward(records, Deadline(at=seconds, now=self.now), self.report)

    @property
    def delivered(self) -> list[str]:
        return [json.loads(taken.event_data)["UID"] for taken in self.destination.taken]


def failing(outcome: Outcome, *numbers: int) -> Any:
    uids = {f"doc-{number}" for number in numbers}
    return lambda entry: outcome if json.loads(entry.event_data)["UID"] in uids else DELIVERED


def test_a_delivery_whose_events_are_all_taken_is_acknowledged() -> None:
    bench = Bench()
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert unfinished == []
    assert bench.delivered == ["doc-1", "doc-2"]
    assert (ledger.events, ledger.messages) == ({"delivered": 2}, {"finished": 1})


def test_a_delivery_of_no_events_is_acknowledged_and_counted() -> None:
    unfinished, ledger = Bench().forward(record(Envelope(delivery(body=b"[]"))))
    assert (unfinished, ledger.events, ledger.messages) == ([], {}, {"without events": 1, "finished": 1})


def test_events_name_the_account_that_owns_the_channel_as_recipient() -> None:
    bench = Bench()
    bench.forward(record(Envelope(delivery(entry(1)))))
    assert json.loads(bench.destination.taken[0].event_data)["recipientAccountId"] == ACCOUNT


def test_messages_of_one_event_share_full_requests() -> None:
    bench = Bench()
    bench.forward(*(record(Envelope(delivery(entry(number))), f"m{number}") for number in range(250)))
    assert [len(batch) for batch in bench.destination.batches] == [100, 100, 50]


def test_one_poison_event_is_quarantined_at_once_and_its_neighbours_arrive() -> None:
    bench = Bench(MemoryDestination(judge=failing(REFUSED, 3)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(*(entry(number) for number in range(100))))))
    assert unfinished == []
    assert ledger.events == {"delivered": 99, "quarantined": 1}
    (line,) = bench.quarantine.lines
    kept = json.loads(line)
    assert kept["id"] == event_id("github", "audit-log", "doc-3")
    assert kept | {"uid": "doc-3", "code": "InvalidData", "reason": "no", "encoding": "utf-8"} == kept
    assert kept["body"] == json.dumps(entry(3))
    assert len(bench.destination.batches) == 1
    assert (ledger.reasons, ledger.words) == ({"quarantine:InvalidData": 1}, {}), "its reason is for the bucket alone"


def test_what_cannot_be_mapped_is_quarantined_byte_for_byte() -> None:
    bench = Bench()
    odd = '{"action" :  "repo.create", "actor":"mona", "_document_id": "doc-2"}'
    unfinished, ledger = bench.forward(record(Envelope(delivery(body=f"[{json.dumps(entry(1))}, {odd}]".encode()))))
    assert (unfinished, ledger.events) == ([], {"delivered": 1, "quarantined": 1})
    kept = json.loads(bench.quarantine.lines[0])
    assert (kept["body"], kept["uid"], kept["code"]) == (odd, "doc-2", "MissingTime")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b'{"action": ', "NotJson", id="cut off"),
        pytest.param(b"\xff\xfe{}", "NotUtf8", id="not UTF-8"),
        pytest.param(b"[" * 100_000, "TooDeep", id="bottomless"),
        pytest.param(b"\x1f\x8b\x08garbage", "BadGzip", id="broken gzip"),
        pytest.param(b'[{"_document_id": "x"} {"y": 1}]', "NotJson", id="broken array"),
    ],
)
def test_a_delivery_that_cannot_be_taken_apart_is_kept_whole(body: bytes, code: str) -> None:
    bench = Bench()
    unfinished, ledger = bench.forward(record(Envelope(delivery(body=body))))
    assert (unfinished, ledger.events) == ([], {"quarantined": 1})
    kept = json.loads(bench.quarantine.lines[0])
    original = kept["body"].encode() if kept["encoding"] == "utf-8" else base64.b64decode(kept["body"])
    assert (kept["code"], original) == (code, body)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"_document_id":"1","@timestamp":1700000000000,"action":"a","action":"b"}', id="a key twice"),
        pytest.param('{"_document_id":"1","@timestamp":1700000000000,"action":"a","n":NaN}', id="NaN"),
        pytest.param('{"_document_id":"1","@timestamp":1700000000000,"action":"a","n":1e400}', id="beyond a double"),
        pytest.param('{"_document_id":"1","@timestamp":1700000000000,"action":"a","n":"\\ud800"}', id="half a pair"),
    ],
)
def test_what_parsing_would_change_is_quarantined_and_not_delivered(text: str) -> None:
    bench = Bench()
    _, ledger = bench.forward(record(Envelope(delivery(body=f"[{text},{json.dumps(entry(2))}]".encode()))))
    assert bench.delivered == ["doc-2"]
    assert json.loads(bench.quarantine.lines[0])["body"] == text
    assert ledger.events == {"delivered": 1, "quarantined": 1}


def test_a_form_that_the_mapping_did_not_foresee_is_kept_and_its_neighbours_arrive() -> None:
    github = Partners(Options())["github"]

    def to_audit_event(event: PartnerEvent) -> AuditEvent:
        return github.to_audit_event(event) if event.value["action"] != "odd" else event.value["nobody"]["expects this"]

    bench = Bench()
    bench.partners = {"github": replace(github, to_audit_event=to_audit_event)}
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2, action="odd")))))
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    assert json.loads(bench.quarantine.lines[0])["code"] == "MappingFailed"
    assert "KeyError at test_forward.py" in ledger.faults[0]


def test_an_event_whose_id_cannot_be_looked_for_is_kept_without_it() -> None:
    def uid(event: PartnerEvent) -> str | None:
        return str(event.value["nobody"]["expects this"])

    bench = Bench()
    bench.partners = {"github": replace(Partners(Options())["github"], uid=uid)}
    unfinished, ledger = bench.forward(record(Envelope(delivery({"no": "action"}, entry(1)))))
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    kept = json.loads(bench.quarantine.lines[0])
    assert (kept["code"], kept["uid"], kept["body"]) == ("MissingField", None, '{"no": "action"}')
    [fault] = ledger.faults
    assert re.fullmatch(r"delivery-1: github uid failed: KeyError at test_forward\.py:\d+", fault)


@pytest.mark.parametrize("function", ["events", "to_audit_event", "uid"])
def test_where_memory_ends_in_a_partners_code_the_event_is_not_taken_for_one_at_fault(function: str) -> None:
    def ends(_: object) -> None:
        raise MemoryError

    bench = Bench()
    bench.partners = {"github": replace(Partners(Options())["github"], **{function: ends})}
    with pytest.raises(MemoryError):
        bench.forward(record(Envelope(delivery({"no": "action"}))))
    assert not bench.quarantine.lines


def test_a_delivery_that_its_partner_cannot_take_apart_does_not_bring_the_others_back() -> None:
    github = Partners(Options())["github"]

    def events(sent: Delivery) -> Iterable[PartnerEvent]:
        if b"odd" in sent.body:
            raise KeyError("a form that nobody foresaw")
        return github.events(sent)

    bench = Bench()
    bench.partners = {"github": replace(github, events=events)}
    odd = record(Envelope(delivery(body=b'["odd"]')), "odd")
    unfinished, ledger = bench.forward(odd, record(Envelope(delivery(entry(1))), "even"))
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    kept = json.loads(bench.quarantine.lines[0])
    assert (kept["code"], kept["body"]) == ("MappingFailed", '["odd"]')
    assert "KeyError" in ledger.faults[0]
    assert ledger.messages == {"finished": 2}


def test_numbers_beyond_what_javascript_keeps_arrive_exactly() -> None:
    bench = Bench()
    bench.forward(record(Envelope(delivery(entry(1, run=6891110586028963295, huge=2**70)))))
    parameters = json.loads(bench.destination.taken[0].event_data)["requestParameters"]
    assert (parameters["run"], parameters["huge"]) == (6891110586028963295, 2**70)


def test_excluded_events_are_filtered_and_counted() -> None:
    bench = Bench(exclude=["git.*"])
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2, action="git.clone")))))
    assert (unfinished, bench.delivered) == ([], ["doc-1"])
    assert ledger.events == {"delivered": 1, "filtered": 1}
    assert ledger.reasons == {"filtered:ExcludeEvents": 1}


def test_a_message_without_any_progress_goes_back_as_it_is() -> None:
    bench = Bench(MemoryDestination(judge=failing(THROTTLED, 1)))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1)))))
    assert (unfinished, bench.queue.sent) == (["m1"], [])
    assert (ledger.events, ledger.configuration_faults) == ({"waiting": 1}, 0)
    assert (ledger.reasons, ledger.words) == ({"retry:Throttling": 1}, {"retry:Throttling": "slow down"})
    assert bench.queue.postponed == {"handle-m1": 30}


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
    assert any("not handed back" in fault for fault in ledger.faults)


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


def test_what_the_quarantine_does_not_take_waits() -> None:
    bench = Bench(MemoryDestination(judge=failing(REFUSED, 2)), quarantine=MemoryQuarantine(broken=True))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert unfinished == []
    assert ledger.events == {"delivered": 1, "waiting": 1}
    handed_back = decode_envelope(bench.queue.sent[0][0])

    bench.quarantine.broken = False
    bench.forward(record(handed_back))
    assert json.loads(bench.quarantine.lines[0])["uid"] == "doc-2"
    assert bench.delivered == ["doc-1"]


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


def test_where_a_portion_cannot_begin_nothing_of_the_invocation_goes_on_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []

    class Slow(MemoryDestination):
        def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
            sent.append(batch[0].id)
            time.sleep(0.02)
            return [DELIVERED] * len(batch)

    start = threading.Thread.start
    portions: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if thread.name.startswith("deliver-portion"):
            if portions:
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


def test_events_of_equal_id_in_one_delivery_are_told_apart_when_one_of_them_waits() -> None:
    bench = Bench(MemoryDestination(judge=lambda entry: THROTTLED if "hubot" in entry.event_data else DELIVERED))
    bench.forward(record(Envelope(delivery(entry(1), entry(1, actor="hubot")))))
    bench.destination.judge = lambda _entry: DELIVERED
    bench.forward(record(decode_envelope(bench.queue.sent[0][0])))
    assert [json.loads(taken.event_data)["requestParameters"]["actor"] for taken in bench.destination.taken] == [
        "mona",
        "hubot",
    ]


def test_a_delivery_that_reads_otherwise_than_when_it_was_handed_back_is_delivered_whole() -> None:
    bench = Bench()
    pending = Pending(3, frozenset({2}))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)), attempt=1, pending=pending)))
    assert (unfinished, bench.delivered) == ([], ["doc-1", "doc-2"])
    assert "2 events, but 3" in ledger.faults[0]


def test_an_answer_that_nobody_foresaw_costs_its_batch_a_retry_and_no_other_one_anything() -> None:
    def judge(taken: Entry) -> Outcome:
        if json.loads(taken.event_data)["UID"] == "doc-0":
            raise AttributeError("'str' object has no attribute 'get'")
        return DELIVERED

    bench = Bench(MemoryDestination(judge=judge))
    unfinished, ledger = bench.forward(*(record(Envelope(delivery(entry(n))), f"m{n}") for n in range(150)))
    assert len(unfinished) == ledger.events["waiting"] == 100
    assert ledger.events["delivered"] == 50
    assert ledger.words["retry:Unforeseen"].startswith("AttributeError at test_forward.py:")


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


def test_one_delivery_of_very_many_events_is_kept_whole() -> None:
    bench = Bench()
    body = b"[" + b",".join([b"1"] * (MAX_EVENTS + 1)) + b"]"
    _, ledger = bench.forward(record(Envelope(delivery(body=body))))
    assert json.loads(bench.quarantine.lines[0])["code"] == "TooManyEvents"
    assert ledger.events == {"quarantined": 1}


def test_a_delivery_that_is_larger_than_what_is_held_arrives_whole_and_in_portions() -> None:
    bench = Bench()
    _, ledger = bench.forward(record(Envelope(delivery(*(entry(n, data={"text": "x" * 2_000}) for n in range(4_500))))))
    assert ledger.events == {"delivered": 4_500}
    assert len(set(bench.delivered)) == 4_500


def test_a_delivery_without_events_is_done() -> None:
    bench = Bench()
    assert bench.forward(record(Envelope(delivery(body=b"[]"))))[0] == []
    assert bench.quarantine.objects == {}


def test_half_a_surrogate_pair_in_a_request_id_does_not_hinder_the_quarantine() -> None:
    bench = Bench()
    odd = replace(delivery(body=b"{bad"), request_id="\ud800")
    unfinished, ledger = bench.forward(record(Envelope(odd)), record(Envelope(delivery(entry(1))), "m2"))
    assert (unfinished, ledger.events) == ([], {"quarantined": 1, "delivered": 1})


def test_writing_the_same_quarantine_twice_changes_nothing() -> None:
    bench = Bench(MemoryDestination(judge=failing(REFUSED, 1)))
    for _ in range(2):
        bench.forward(record(Envelope(delivery(entry(1)))))
    assert len(bench.quarantine.objects) == 1
    assert next(iter(bench.quarantine.objects)).startswith("quarantine/github/2023/11/14/")


@pytest.mark.parametrize("other", [{"id": "delivery-2"}, {"received_at": 1_700_000_002_000}], ids=["id", "time"])
def test_deliveries_of_one_body_are_kept_side_by_side_though_a_gateway_gave_them_one_request_id(
    other: Mapping[str, Any],
) -> None:
    bench = Bench()
    broken = delivery(body=b"{bad")
    for one in (broken, replace(broken, **other)):
        bench.forward(record(Envelope(one)))
    assert len(bench.quarantine.lines) == 2
