"""One round: a deployment in memory, one hour of a partner's deliveries, and time until nothing moves any more."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random
from typing import Any

from msgspec.structs import replace

from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.forward import Forwarder
from trailhook.ledger import Ledger
from trailhook.mapping import Mapper
from trailhook.partner import Options, Partner
from trailhook.partners import load_partner
from trailhook.quarantine_bucket import QuarantineBucket
from trailhook.queue import SqsDeliveryQueue
from trailhook.receive import Receiver
from trailhook.secrets_manager import SecretsManagerStore
from trailhook.webhook_secret import WebhookSecret
from trailhook_local.chaos.account import Account, Tally
from trailhook_local.chaos.faults import Faults, faults_of_round
from trailhook_local.chaos.lake import ACCOUNT_ID, MemoryLake, MemoryPutAuditEvents
from trailhook_local.chaos.process import Clock, Process, ProcessDied
from trailhook_local.chaos.queue import MemoryQueue, Stored
from trailhook_local.chaos.services import S3Client, SecretsManagerClient, SqsClient
from trailhook_local.chaos.settings import Settings
from trailhook_local.chaos.traffic import (
    EVENTS,
    EXCLUDED,
    KILLS,
    POISON_CODES,
    POSTING_SECONDS,
    SECRET,
    Parcel,
    Traffic,
    serials_in,
    serials_of,
)
from trailhook_local.stack.httpapi import Api, Request, request_event

QUEUE_URL = "https://sqs.example/delivery"
MAX_BATCH_BYTES = 6_000_000
ALARM_SECONDS = 13 * 300
"""How long the configuration alarm looks back."""

MOST_INVOCATIONS = 20_000
_API = Api(ACCOUNT_ID, "chaos")


class Round:
    """One round, which equal arguments repeat exactly."""

    def __init__(self, seed: int, index: int, events: int, faults: frozenset[str] | None, settings: Settings) -> None:
        rng = Random(f"{seed}/{index}")  # noqa: S311 - a seed makes a round repeatable
        names = faults_of_round(index, rng) if faults is None else faults
        self._settings = settings
        self._clock = Clock()
        self._faults = Faults(names, rng, self._clock.time, POSTING_SECONDS)
        self._account = Account()
        self._queue = MemoryQueue(
            rng, visibility_seconds=settings.visibility_timeout, max_receives=settings.max_receives
        )
        self._objects: dict[str, bytes] = {}
        self._lake = MemoryLake(self._clock.now, self._account, POISON_CODES)
        self._traffic = Traffic(
            rng.choice(sorted(EVENTS)), self._faults, self._account, events=events, start=self._clock.time
        )
        self._receive_process = self._forward_process = Process(self._clock, self._faults, 0, dead=True)
        self._receiver: Receiver
        self._forwarder: Forwarder
        self._surprises: list[str] = []
        self._configuration_faults: list[float] = []
        self._deaths: list[float] = []

    def run(self) -> Tally:
        try:
            self._run_until_nothing_moves()
            innocent = [message for message in self._queue.dead_letters if not _kills(message)]
            self._account.counts["parked and sent back"] += len(innocent)
            if exhausted := [message.id for message in innocent if message.receives]:
                self._surprises.append(f"messages that kill nobody were received too often: {exhausted}")
            self._queue.redrive(innocent, self._clock.now())
            self._run_until_nothing_moves()
        finally:
            self._lake.close()
        return self._tally()

    def _run_until_nothing_moves(self) -> None:
        counts = self._account.counts
        while counts["invocations"] < MOST_INVOCATIONS:
            self._post()
            if batch := self._batch():
                self._invoke(batch)
                continue
            moments = [moment for moment in (self._traffic.next_moment(), self._queue.next_moment()) if moment]
            if not moments:
                return
            self._clock.time = max(self._clock.time, min(moments))
        self._surprises.append(f"not at rest after {MOST_INVOCATIONS} invocations")

    def _post(self) -> None:
        for parcel in self._traffic.due(self._clock.now()):
            try:
                status = self._answer(parcel)
            except ProcessDied:
                self._account.counts["receive died"] += 1
                status = 502
            except Exception as error:  # noqa: BLE001 - the handler's own broad catch, which answers 503
                self._surprises.append(f"receive raised {type(error).__name__}: {error}")
                status = 503
            acknowledged = 200 <= status < 300
            if not acknowledged and status not in {502, 503}:
                self._surprises.append(f"a genuine delivery was answered {status}")
            self._account.counts[f"answered {status}"] += 1
            self._traffic.answered(parcel, acknowledged=acknowledged, now=self._clock.now())

    def _answer(self, parcel: Parcel) -> int:
        if self._receive_process.dead:
            process = self._receive_process = Process(self._clock, self._faults, 0.05)
            store = SecretsManagerStore(SecretsManagerClient(process, SECRET), "secret")  # type: ignore[arg-type] # the methods that are called
            self._receiver = Receiver(
                load_partner(self._traffic.partner, Options()),
                WebhookSecret(store, grace_hours=24, now=self._clock.now),
                SqsDeliveryQueue(self._sqs(process), QUEUE_URL),
            )
        now = self._clock.now()
        headers = tuple(self._traffic.signed(parcel, now).items())
        request = Request("POST", "/webhook", "HTTP/1.1", headers, parcel.body, "192.0.2.1", int(now * 1000))
        self._receive_process.begin(self._settings.receive_timeout)
        self._account.in_receive = True
        try:
            return int(self._receiver.answer(request_event(request, _API)).response.status)
        finally:
            self._account.in_receive = False

    def _sqs(self, process: Process) -> Any:
        return SqsClient(process, self._queue, self._account, serials_of)

    def _batch(self) -> list[Stored]:
        """What Lambda's poller collects: messages of the batching window, up to the batch size and 6 MB."""
        batch = self._queue.receive(self._clock.now(), 10)
        if not batch:
            return []
        self._clock.sleep(self._settings.batching_window)
        self._post()
        batch += self._queue.receive(self._clock.now(), self._settings.batch_size - len(batch))
        size = 0
        for place, message in enumerate(batch):
            size += len(message.body) + 1_000
            if place and size > MAX_BATCH_BYTES:
                self._queue.give_back(batch[place:], self._clock.now())
                return batch[:place]
        return batch

    def _invoke(self, batch: Sequence[Stored]) -> None:
        """One invocation of forward, and what Lambda does after it."""
        counts = self._account.counts
        counts.update(invocations=1, receives=len(batch))
        records = [message.record() for message in batch]
        if self._faults.happens("sqs-again", 0.05):
            records.append({**batch[0].record(), "receiptHandle": f"{batch[0].id}/twice"})
            self._account.explain("sent again by SQS", serials_of(batch[0].body)[1])
        if self._forward_process.dead:
            self._forwarder = self._cold_start()
        process = self._forward_process
        process.begin(self._settings.forward_timeout)
        deadline = Deadline.of(process, now=self._clock.now)
        try:
            unfinished, ledger = self._forwarder.forward(records, deadline, self._note)
        except ProcessDied:
            process.dead = True
            counts["forward died"] += 1
            self._deaths.append(self._clock.now())
            self._account.lose_process()
        except Exception as error:  # noqa: BLE001 - what Lambda's runtime would report: the batch comes back whole
            self._surprises.append(f"forward raised {type(error).__name__}: {error}")
            self._account.lose_process()
        else:
            if deadline.closed:
                for message in batch:
                    if message.id in unfinished:
                        self._account.run_out_of_time(serials_of(message.body)[0])
            self._acknowledge(batch, set(unfinished))
            self._note(ledger)
        self._account.end_invocation()

    def _cold_start(self) -> Forwarder:
        """A forwarder as `assembly` puts it together, on the clients of a new process."""
        process = self._forward_process = Process(self._clock, self._faults, 0.1)
        bucket: Any = S3Client(process, self._objects)
        partner = _killed_by_killers(load_partner(self._traffic.partner, Options()), self._faults)
        return Forwarder(
            mapper=Mapper({partner.name: partner}, [EXCLUDED]),
            account_id=ACCOUNT_ID,
            deliverer=Deliverer(
                CloudTrailLake(MemoryPutAuditEvents(process, self._lake, self._account)),
                parallel=1,
                sleep=process.sleep,
                jitter=self._faults.rng.random,
            ),
            queue=SqsDeliveryQueue(self._sqs(process), QUEUE_URL, f"{QUEUE_URL}-dead-letters"),
            quarantine=QuarantineBucket(lambda: bucket, "quarantine", QUEUE_URL),
            portions_under_way=1,
        )

    def _acknowledge(self, batch: Sequence[Stored], unfinished: set[str]) -> None:
        """Lambda deletes what is done. Where that fails, or SQS forgets it, the message comes again."""
        for message in batch:
            if message.id in unfinished:
                continue
            for fault, cause in (("sqs-delete", "acknowledgement lost"), ("sqs-again", "sent again by SQS")):
                if self._faults.happens(fault, 0.01):
                    if self._queue.find(message.receipt_handle):
                        self._account.explain(cause, serials_of(message.body)[1])
                    break
            else:
                self._queue.delete(message.receipt_handle)

    def _note(self, ledger: Ledger) -> None:
        self._account.counts.update({f"messages {name}": number for name, number in ledger.messages.items()})
        if ledger.configuration_faults:
            self._configuration_faults.append(self._clock.now())

    def _tally(self) -> Tally:
        waiting = {serial for message in self._queue for serial in serials_of(message.body)[1]}
        tally = self._account.settle(self._objects.values(), waiting, serials_in)
        tally.faults = self._faults.happened
        tally.counts["rounds"] = 1
        tally.broken += self._surprises
        if self._queue.expired:
            tally.broken.append(f"{self._queue.expired} messages were older than the queue keeps them")
        if rings := self._rings_too_many():
            tally.broken.append(f"the configuration alarm rang {rings} times too often")
        return tally

    def _rings_too_many(self) -> int:
        """How often the alarm rang anew while one and the same outage lasted. A process that dies reports no fault."""
        rings = 0
        for window in self._faults.windows:
            times = [moment for moment in self._configuration_faults if window.start <= moment <= window.end]
            rings += sum(
                later - earlier > ALARM_SECONDS and not any(earlier < death < later for death in self._deaths)
                for earlier, later in pairwise(times)
            )
        return rings


def _kills(message: Stored) -> bool:
    return KILLS in message.body


def _killed_by_killers(partner: Partner, faults: Faults) -> Partner:
    """The partner, in a process that dies of certain deliveries as of too deep a recursion or too little memory.

    Only the mapping ends at once. A request that is under way beside it is waited for: that keeps a round repeatable.
    """

    def events(delivery: Delivery) -> Iterable[PartnerEvent]:
        if KILLS.encode() in delivery.body:
            faults.happened["killer"] += 1
            raise ProcessDied
        return partner.events(delivery)

    return replace(partner, events=events)
