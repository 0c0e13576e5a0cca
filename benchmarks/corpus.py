"""What the benchmarks work on: distinct GitHub audit-log entries, and the queue messages that carry one each."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import Delivery
from trailhook.destination import Destination
from trailhook.envelope import Envelope, encode_envelope
from trailhook.forward import Forwarder
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.partners import Partners

ACCOUNT = "111122223333"
CHANNEL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:channel/00000000-0000-4000-8000-000000000000"


def audit_entry(number: int, size: int = 1_600) -> dict[str, Any]:
    """A distinct audit-log entry of about `size` bytes."""
    members = max(1, (size - 350) // 50)
    return {
        "_document_id": f"doc-{number}",
        "@timestamp": 1_700_000_000_000 + number,
        "action": "repo.add_member",
        "actor": "mona",
        "actor_id": 1000 + number,
        "actor_ip": "192.0.2.7",
        "org": "example",
        "repo": f"example/repository-{number % 50}",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "data": {f"member_{index}": f"value {index} of {number:0>9}, as it was" for index in range(members)},
    }


def body(number: int, size: int = 1_600) -> bytes:
    """An entry as GitHub writes it: compact."""
    return json.dumps(audit_entry(number, size), separators=(",", ":")).encode()


def delivery(content: bytes) -> Delivery:
    return Delivery("github", "d", "r", 1_700_000_000_000, "192.0.2.1", "github-signature", {}, frozenset(), content)


def message(content: bytes) -> str:
    return encode_envelope(Envelope(delivery(content)))


def record(number: int, content: bytes) -> Mapping[str, Any]:
    """A message as Lambda hands it to forward."""
    return {
        "messageId": str(number),
        "receiptHandle": str(number),
        "body": message(content),
        "attributes": {"ApproximateReceiveCount": "1"},
    }


class NothingComesBack:
    """Queue and quarantine of a measurement in which all is delivered."""

    def send(self, message: str, delay_seconds: int = 0) -> None:
        raise AssertionError(f"handed back after {delay_seconds}: {message[:80]}")

    def park(self, message: str) -> None:
        raise AssertionError(f"parked: {message[:80]}")

    def postpone(self, waits: Mapping[str, int], deadline: Deadline) -> None:
        if waits:
            raise AssertionError(f"postponed {len(waits)} messages with {deadline.remaining} s left")

    def delete(self, receipt_handles: Sequence[str], deadline: Deadline) -> None:
        pass

    def keep(self, key: str, body: bytes) -> None:
        raise AssertionError(f"quarantined {key}: {body[:200]!r}")

    def way_back(self, key: str, line: int) -> str:
        raise AssertionError(f"quarantined {key}: line {line}")


def forwarder(destination: Destination) -> Forwarder:
    return Forwarder(
        mapper=Mapper(Partners(Options())),
        account_id=ACCOUNT,
        deliverer=Deliverer(destination),
        queue=NothingComesBack(),
        quarantine=NothingComesBack(),
    )
