"""A forwarder on ports that a test can look into, and the smallest deliveries to feed it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.forward.ports import MemoryDestination, MemoryQuarantine, MemoryQueue, event_data

from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import Delivery
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.envelope import Envelope, encode_envelope
from trailhook.forward import Forwarder, Report
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

    def forward(
        self, *records: dict[str, Any], seconds: float = 60, closed_seconds: float = 60
    ) -> tuple[list[str], Ledger]:
        deliverer = Deliverer(self.destination, parallel=1, sleep=lambda _seconds: None)
        forwarder = Forwarder(
            mapper=Mapper(self.partners, self.exclude),
            account_id=ACCOUNT,
            deliverer=deliverer,
            queue=self.queue,
            quarantine=self.quarantine,
        )
        return forwarder.forward(records, Deadline(seconds, self.now, closed_seconds), self.report)

    @property
    def delivered(self) -> list[str]:
        return [json.loads(event_data(taken))["UID"] for taken in self.destination.taken]


def failing(outcome: Outcome, *numbers: int) -> Any:
    uids = {f"doc-{number}" for number in numbers}
    return lambda entry: outcome if json.loads(event_data(entry))["UID"] in uids else DELIVERED
