"""Whichever of forward's calls to AWS fails, in whatever way, and whichever few of them: the law holds, event by event.

The fault harness draws faults at random. Here each call is interrupted in turn, in each way that a call can be.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.fakes import MemoryClock
from tests.forward.bench import ACCOUNT, delivery, entry

from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.envelope import Envelope, encode_envelope
from trailhook.errors import NoAnswer
from trailhook.forward import SUSPECT_FROM_RECEIVE_COUNT, Forwarder
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.partners import Partners
from trailhook.put_audit_events import HttpAnswer
from trailhook.quarantine_bucket import QuarantineBucket
from trailhook.queue import SqsDeliveryQueue
from trailhook_local.chaos.process import ProcessDied
from trailhook_local.chaos.queue import MemoryQueue

FAILS, HALF, OUTAGE = "fails", "half of it fails", "an outage begins"
WAYS = (
    *(FAILS, HALF, OUTAGE, "hangs", "nonsense"),
    *("its answer is lost", "its answer is late", "killed before", "killed after"),
)
OUTAGE_CALLS = 4
HANGS_FOR, TIME_TO_SEND, TIMEOUT = 8.0, 5.0, 60.0
"""In seconds. After one call that hangs no request is begun any more, and what is left is handed back."""

FATES = ("", "refused with all", "", "excluded", "refused alone", "", "", "unmappable", "", "", "", "excluded", "torn")
"""What is to become of each event, by its number: delivered unless something is said."""
MESSAGES = (range(5), range(5, 7), range(7, 9), range(9, 11), range(11, 12), range(12, 13))


class Aws:
    """SQS, S3 and CloudTrail around forward. `plan` says which of its calls, from 1 on, go wrong in which way."""

    def __init__(self, plan: Mapping[int, str], receives: int) -> None:
        self.plan = plan
        self.calls = self.handed_back = 0
        self.clock = MemoryClock(0)
        self.queue = MemoryQueue(random.Random(1), visibility_seconds=1_800, max_receives=90)  # noqa: S311
        self.objects: dict[str, bytes] = {}
        self.taken: Counter[int] = Counter()
        for numbers in MESSAGES:
            self.queue.send(message(numbers), 0)
        for stored in self.queue:
            stored.receives = receives

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> Any:  # noqa: N803 - the SDK's names
        assert QueueUrl == "queue", "nothing is handed back so often that it is parked"

        def send(_half: bool) -> Any:
            self.handed_back += 1
            return {"MessageId": self.queue.send(MessageBody, self.clock.time, DelaySeconds)}

        return self._call(send)

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ARG002, N803
        return self._each(Entries, lambda one: self.queue.delete(one["ReceiptHandle"]))

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ARG002, N803
        def change(one: Mapping[str, Any]) -> None:
            self.queue.change_visibility(one["ReceiptHandle"], self.clock.time + one["VisibilityTimeout"])

        return self._each(Entries, change)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Any:  # noqa: ARG002, N803
        def put(_half: bool) -> Any:
            self.objects[Key] = Body
            return {"ETag": '"1"'}

        return self._call(put)

    def post(self, body: bytes) -> HttpAnswer:
        answer = self._call(lambda half: self._put_audit_events(json.loads(body)["auditEvents"], half), NoAnswer())
        return answer or HttpAnswer(200, {}, b"<html>")

    def _put_audit_events(self, entries: Sequence[Mapping[str, str]], half: bool) -> HttpAnswer:
        events = [json.loads(entry["eventData"])["requestParameters"] for entry in entries]
        if any(event["fate"] == "refused with all" for event in events):
            return HttpAnswer(400, {"x-amzn-errortype": "InvalidParameterValue"}, b"{}")
        successful, failed = [], []
        for place, (one, event) in enumerate(zip(entries, events, strict=True)):
            if event["fate"] == "refused alone":
                failed.append({"id": one["id"], "errorCode": "InvalidData"})
            elif half and place % 2:
                # The answer says nothing at all of every other one of them.
                failed += [{"id": one["id"], "errorCode": "Throttling"}] if place % 4 == 1 else []
            else:
                self.taken[event["serial"]] += 1
                successful.append({"id": one["id"]})
        return HttpAnswer(200, {}, json.dumps({"successful": successful, "failed": failed}).encode())

    def _each(self, entries: Sequence[Mapping[str, Any]], effect: Callable[[Mapping[str, Any]], None]) -> Any:
        def run(half: bool) -> Any:
            kept = [one for place, one in enumerate(entries) if half and place % 2 == 0]
            for one in entries:
                if one not in kept:
                    effect(one)
            return {"Failed": [{"Id": one["Id"], "Code": "InternalError"} for one in kept]}

        return self._call(run)

    def _call(self, effect: Callable[[bool], Any], lost: Exception | None = None) -> Any:
        self.calls += 1
        way = self.plan.get(self.calls, "")
        if OUTAGE in (self.plan.get(self.calls - before) for before in range(OUTAGE_CALLS)):
            way = FAILS
        lost = lost or ReadTimeoutError(endpoint_url="")
        self.clock.time += HANGS_FOR if way in {"hangs", "its answer is late"} else 0.02
        if way == "killed before":
            raise ProcessDied
        if way in {FAILS, "hangs"}:
            raise lost
        answer = effect(way == HALF)
        if way == "killed after":
            raise ProcessDied
        if way in {"its answer is lost", "its answer is late"}:
            raise lost
        return None if way == "nonsense" else answer


def message(numbers: Sequence[int]) -> str:
    events: list[dict[str, Any]] = []
    for number in numbers:
        # The tenth copies the id of the ninth.
        event = entry(min(number, 9) if number < 11 else number, serial=number, fate=FATES[number])
        event |= {"action": "excluded"} if FATES[number] == "excluded" else {}
        events.append({k: v for k, v in event.items() if k != "action"} if FATES[number] == "unmappable" else event)
    body = json.dumps(events).encode()
    sent = delivery(body=body[1:-2] if FATES[numbers[0]] == "torn" else body)
    return encode_envelope(Envelope(replace(sent, id=f"d-{numbers[0]}", request_id=f"r-{numbers[0]}")))


def forwarder(aws: Any) -> Forwarder:
    return Forwarder(
        mapper=Mapper(Partners(Options()), ["excluded"]),
        account_id=ACCOUNT,
        deliverer=Deliverer(CloudTrailLake(aws), parallel=1, sleep=aws.clock.sleep, jitter=lambda: 1.0),
        queue=SqsDeliveryQueue(aws, "queue", "dead letters"),
        quarantine=QuarantineBucket(lambda: aws, "bucket", "queue"),
        portions_under_way=1,
    )


def run(plan: Mapping[int, str], receives: int = 0) -> Aws:
    """Invoke forward until nothing waits any more. Nothing is in the plan for ever, so that has to come."""
    aws = Aws(plan, receives)
    process = forwarder(aws)
    for _ in range(100):
        if (moment := aws.queue.next_moment()) is None:
            return aws
        aws.clock.time = max(aws.clock.time, moment)
        received = aws.queue.receive(aws.clock.time, 10)
        end = aws.clock.time + TIMEOUT
        deadline = Deadline(aws.clock.time + TIME_TO_SEND, aws.clock.now, end - HANGS_FOR)
        try:
            unfinished, _ = process.forward([stored.record() for stored in received], deadline, lambda _ledger: None)
        except ProcessDied:
            process = forwarder(aws)
            continue
        assert aws.clock.time <= end, "Lambda would have ended it"
        for stored in received:
            if stored.id not in unfinished:
                aws.queue.delete(stored.receipt_handle)
    raise AssertionError(f"something still waits: {list(aws.queue)}")


def check(aws: Aws) -> None:
    """Each event is where it belongs, and nowhere else; more than once only where an interruption says why."""
    assert not aws.queue.dead_letters
    lines = [json.loads(line) for content in aws.objects.values() for line in content.splitlines()]
    kept = [next(number for number in range(13) if f'"serial": {number},' in line["body"]) for line in lines]
    for number, fate in enumerate(FATES):
        found = aws.taken[number] > 0, number in kept
        assert found == (fate == "", fate not in {"", "excluded"}), (number, fate, aws.plan)
    assert max(aws.taken.values()) <= 1 + len(aws.plan)
    if {*aws.plan.values()} <= {FAILS, HALF}:  # In an outage, what was delivered may not be acknowledged.
        assert max(aws.taken.values()) == 1, f"doubled, though every answer was true: {aws.plan}"


RECEIVES = pytest.mark.parametrize("receives", [0, SUSPECT_FROM_RECEIVE_COUNT - 1], ids=["new", "suspects"])


@RECEIVES
@pytest.mark.parametrize("way", WAYS)
def test_no_event_is_lost_whichever_call_is_interrupted(way: str, receives: int) -> None:
    calls = run({}, receives).calls
    assert calls > 8
    for number in range(1, calls + 1):
        check(run({number: way}, receives))


@pytest.mark.parametrize("way", WAYS)
def test_no_event_is_lost_when_an_invocation_that_ran_out_of_time_is_interrupted_as_it_closes(way: str) -> None:
    handed_back = 0
    for number in range(1, run({}).calls + 1):
        for later in range(1, 5):
            aws = run({number: "hangs", number + later: way})
            check(aws)
            handed_back += aws.handed_back
    assert handed_back > 20, "there was something to close"


@RECEIVES
@given(st.dictionaries(st.integers(1, 30), st.sampled_from(WAYS), max_size=3))
def test_no_event_is_lost_whichever_few_calls_are_interrupted(receives: int, plan: dict[int, str]) -> None:
    check(run(plan, receives))
