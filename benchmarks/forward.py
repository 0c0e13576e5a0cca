"""Throughput of forward beside the naive loop, over HTTP into the same local PutAuditEvents, in one run.

    make bench

Absolute times on a shared machine mean nothing; the ratio of two measurements of one run does. CPU time is this
process's own: the endpoint is another one.
"""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from trailhook.batch import MAX_EVENTS
from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.delivery import Delivery
from trailhook.envelope import Envelope, encode_envelope
from trailhook.forward import Forwarder
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.partners import load_partners

ACCOUNT = "111122223333"
CHANNEL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:channel/00000000-0000-4000-8000-000000000000"
EVENTS = 5_000
NAIVE_EVENTS = 500


def audit_entry(number: int) -> dict[str, Any]:
    """A distinct audit-log entry of about 1.6 kB."""
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
        "data": {f"member_{index}": f"value {index} of {number}" * 2 for index in range(25)},
    }


def delivery(body: bytes) -> Delivery:
    return Delivery("github", "d", "r", 1_700_000_000_000, "192.0.2.1", "github-signature", {}, frozenset(), body)


class NullQueue:
    """A queue that nothing is handed back to in this measurement."""

    def send(self, message: str, delay_seconds: int = 0) -> None:
        raise AssertionError(f"handed back after {delay_seconds}: {message[:80]}")

    def park(self, message: str) -> None:
        raise AssertionError(f"parked: {message[:80]}")

    def postpone(self, waits: object) -> None:
        raise AssertionError(f"postponed: {waits}")

    def delete(self, receipt_handles: object) -> None:
        pass


class NullQuarantine:
    def keep(self, key: str, body: bytes) -> None:
        raise AssertionError(f"quarantined {key}: {body[:200]!r}")

    def way_back(self, key: str, line: int) -> str:
        return f"{key}:{line}"


def ours(client: Any) -> Callable[[], int]:
    forwarder = Forwarder(
        mapper=Mapper(load_partners(Options())),
        account_id=ACCOUNT,
        deliverer=Deliverer(CloudTrailLake(client, CHANNEL)),
        queue=NullQueue(),
        quarantine=NullQuarantine(),
    )
    bodies = (json.dumps(audit_entry(number)).encode() for number in range(EVENTS))
    records = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": encode_envelope(Envelope(delivery(body))),
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        for number, body in enumerate(bodies)
    ]

    def run() -> int:
        _, ledger = forwarder.forward(records, Deadline.of(None))
        return ledger.events["delivered"]

    return run


def naive(client: Any) -> Callable[[], int]:
    """One event a call with a shared client, as the public samples do it."""

    def run() -> int:
        delivered = 0
        for number in range(NAIVE_EVENTS):
            entry = json.loads(json.dumps(audit_entry(number)))
            data = json.dumps(
                {
                    "version": "0",
                    "userIdentity": {"type": "user", "principalId": entry["actor"], "details": {}},
                    "eventSource": "github.audit.streaming",
                    "eventName": entry["action"],
                    "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry["@timestamp"] // 1000)),
                    "UID": entry["_document_id"],
                    "requestParameters": entry,
                    "recipientAccountId": ACCOUNT,
                }
            )
            event_id = hashlib.sha256(data.encode()).hexdigest()
            answer = client.put_audit_events(channelArn=CHANNEL, auditEvents=[{"id": event_id, "eventData": data}])
            delivered += len(answer["successful"])
        return delivered

    return run


def measure(run: Callable[[], int]) -> tuple[int, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    delivered = run()
    return delivered, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    endpoint = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("endpoint.py"))], stdout=subprocess.PIPE, text=True
    )
    try:
        assert endpoint.stdout is not None
        url = endpoint.stdout.readline().strip()
        session = boto3.Session(aws_access_key_id="fake", aws_secret_access_key="fake", region_name="us-east-1")
        once = Config(retries={"total_max_attempts": 1})
        clients = [session.client("cloudtrail-data", endpoint_url=url, config=once) for _ in range(2)]
        results = {"naive loop, one event a call": measure(naive(clients[0])), "forward": measure(ours(clients[1]))}
    finally:
        endpoint.terminate()
        endpoint.wait()
    table = Table(title="Events of 1.6 kB, one a message, into a local PutAuditEvents")
    for column in ("", "events", "events/s", "µs of CPU an event", "ratio"):
        table.add_column(column, justify="right" if column else "left")
    anchor = None
    for name, (delivered, wall, cpu) in results.items():
        cost = cpu / delivered * 1e6
        anchor = anchor or cost
        table.add_row(name, f"{delivered:,}", f"{delivered / wall:,.0f}", f"{cost:,.0f}", f"1/{anchor / cost:.1f}")
    Console(width=110).print(table)
    print(f"Requests hold at most {MAX_EVENTS} events; the endpoint is one process of its own.")


if __name__ == "__main__":
    main()
