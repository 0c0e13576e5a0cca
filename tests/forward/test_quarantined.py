"""What CloudTrail will never take is kept whole, in quarantine, and its neighbours arrive."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from tests.forward.bench import REFUSED, THROTTLED, Bench, delivery, entry, failing, record
from tests.forward.ports import MemoryDestination, MemoryQuarantine, event_data

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.envelope import Envelope, decode_envelope
from trailhook.event_id import event_id
from trailhook.json_scanner import MAX_EVENTS
from trailhook.partner import Options
from trailhook.partners import Partners
from trailhook.quarantine import QuarantinedEvent


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
        pytest.param(b"[" * 100_000, "NotJson", id="bottomless"),
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


@pytest.mark.parametrize("form", [b"[%s,%s,%s]", b"%s\n%s\n%s", b"%s%s%s", b'[{"event":%s},{"event":%s},{"event":%s}]'])
def test_what_is_nested_too_deeply_is_kept_alone_with_its_id_and_comes_to_the_same_end_when_it_is_sent_again(
    form: bytes,
) -> None:
    bench = Bench()
    deep = json.dumps(entry(2, config=0)).replace("0}", f"{'[' * 100_000}{']' * 100_000}}}").encode()
    one, another = (json.dumps(entry(number)).encode() for number in (1, 3))
    _, ledger = bench.forward(record(Envelope(delivery(body=form % (one, deep, another)))))
    assert (bench.delivered, ledger.events) == (["doc-1", "doc-3"], {"delivered": 2, "quarantined": 1})
    [line] = bench.quarantine.lines
    kept = json.loads(line)
    assert (kept["code"], kept["uid"], kept["element"]) == ("TooDeep", "doc-2", True)
    assert kept["body"].encode() in (deep, b'{"event":%s}' % deep)

    again = Bench()
    _, ledger = again.forward(record(Envelope(QuarantinedEvent.from_line(line).delivery)))
    assert ledger.events == {"quarantined": 1}
    assert {**json.loads(again.quarantine.lines[0]), "way_back": ""} == {**kept, "way_back": ""}


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
    assert "KeyError at test_quarantined.py" in ledger.faults[0]


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
    where = r"KeyError at test_quarantined\.py:\d+, called from mapping\.py:\d+"
    assert re.fullmatch(f"delivery-1: github uid failed: {where}", fault)


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


def test_what_the_quarantine_does_not_take_waits() -> None:
    bench = Bench(MemoryDestination(judge=failing(REFUSED, 2)), quarantine=MemoryQuarantine(broken=True))
    unfinished, ledger = bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    assert (unfinished, ledger.faults) == ([], ["S3 is down"])
    assert ledger.events == {"delivered": 1, "waiting": 1}
    handed_back = decode_envelope(bench.queue.sent[0][0])

    bench.quarantine.broken = False
    bench.forward(record(handed_back))
    assert json.loads(bench.quarantine.lines[0])["uid"] == "doc-2"
    assert bench.delivered == ["doc-1"]


def test_where_no_time_is_left_nothing_is_written_to_the_quarantine_and_its_message_waits() -> None:
    """A write that Lambda ends may have taken place, and so has all that is delivered again with it."""
    bench = Bench()
    unfinished, ledger = bench.forward(record(Envelope(delivery({"no": "action"}))), closed_seconds=-1)
    assert (unfinished, bench.quarantine.objects) == (["m1"], {})
    assert (ledger.events, ledger.reasons) == ({"waiting": 1}, {"retry:QuarantineFailed": 1})


def test_one_delivery_of_very_many_events_is_kept_whole() -> None:
    bench = Bench()
    body = b"[" + b",".join([b"1"] * (MAX_EVENTS + 1)) + b"]"
    _, ledger = bench.forward(record(Envelope(delivery(body=body))))
    assert json.loads(bench.quarantine.lines[0])["code"] == "TooManyEvents"
    assert ledger.events == {"quarantined": 1}


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


def test_events_of_one_delivery_that_are_refused_one_after_the_other_are_kept_side_by_side() -> None:
    """They are as long as each other, and in one place the later would hide the earlier."""
    bench = Bench(MemoryDestination(judge=lambda one: REFUSED if "doc-1" in event_data(one) else THROTTLED))
    bench.forward(record(Envelope(delivery(entry(1), entry(2)))))
    [(handed_back, _)] = bench.queue.sent
    bench.destination.judge = lambda _: REFUSED
    bench.forward(record(decode_envelope(handed_back)))
    assert sorted(json.loads(line)["uid"] for line in bench.quarantine.lines) == ["doc-1", "doc-2"]


@pytest.mark.parametrize("other", [{"id": "delivery-2"}, {"received_at": 1_700_000_002_000}], ids=["id", "time"])
def test_deliveries_of_one_body_are_kept_side_by_side_though_a_gateway_gave_them_one_request_id(
    other: Mapping[str, Any],
) -> None:
    bench = Bench()
    broken = delivery(body=b"{bad")
    for one in (broken, replace(broken, **other)):
        bench.forward(record(Envelope(one)))
    assert len(bench.quarantine.lines) == 2
