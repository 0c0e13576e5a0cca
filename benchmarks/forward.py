"""forward: end to end over HTTP beside the naive loop, what its stages cost, and how full its requests are.

python -m benchmarks.forward [--events 2500] [--container]

`--container` runs it in Lambda's image, which Docker must have, on the layer as it is built.
"""

import argparse
import os
import platform
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from benchmarks.anchors import bare_requests, floor, naive_loop, plain_loop
from benchmarks.corpus import ACCOUNT, CHANNEL, body, forwarder, message, record
from benchmarks.endpoint import endpoint
from benchmarks.measuring import Measurement, each, ratio, show, together
from benchmarks.runtime import ROOT, build_layer, in_image, runtime
from botocore.config import Config

from trailhook.batch import Entry, pack, request_body
from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.destination import DELIVERED, Outcome
from trailhook.envelope import decode_envelope
from trailhook.partner import Options
from trailhook.partners import Partners
from trailhook.portions import PORTION_EVENTS
from trailhook.put_audit_events import SignedPutAuditEvents

if TYPE_CHECKING:
    from types_boto3_cloudtrail_data.client import CloudTrailDataServiceClient

NAIVE, NAIVE_EVENTS = "naive loop: one event a call", 100
CEILING = "endpoint's ceiling: ready bodies"
SLOW_SECONDS = 0.08
SLOW_BATCH = 2_500
"""What Lambda collects at most for one invocation, 6 MB: while the last calls are under way there is nothing to map."""

BATCH = 500
"""Messages that Lambda hands over at a time, by the template's BatchSize."""


class Counting:
    """Takes everything and notes how full each request was: events, and bytes of its body."""

    def __init__(self) -> None:
        self.requests: list[tuple[int, int]] = []

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        self.requests.append((len(batch), len(request_body(batch))))
        return [DELIVERED] * len(batch)


def lake(url: str) -> CloudTrailLake:
    return CloudTrailLake(SignedPutAuditEvents(client(url, "trailhook"), CHANNEL))


def client(url: str, user_agent: str | None = None) -> "CloudTrailDataServiceClient":
    session = boto3.Session(aws_access_key_id="fake", aws_secret_access_key="fake", region_name="us-east-1")
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=20, user_agent=user_agent)
    return session.client("cloudtrail-data", endpoint_url=url, config=config)


def forwarding(
    destination: CloudTrailLake | Counting, events: int, size: int = 1_600, batch: int = BATCH
) -> Callable[[], int]:
    ours = forwarder(destination)
    records = [record(number, body(number, size)) for number in range(events)]

    def run() -> int:
        delivered = 0
        for start in range(0, events, batch):
            _, ledger = ours.forward(records[start : start + batch], Deadline.of(None))
            delivered += ledger.events["delivered"]
        return delivered

    return run


def ceiling(url: str, events: int) -> Callable[[], int]:
    """What the endpoint takes at most: ready bodies, unsigned."""
    return bare_requests(
        url, [request_body(batch) for batch in pack([Entry.of(str(n), body(n)) for n in range(events)])]
    )


def stages(url: str, events: int) -> dict[str, Measurement]:
    """The naive loop, and each stage on its own, over what the one before made. They take turns."""
    github, destination = Partners(Options())["github"], lake(url)
    messages = [message(body(number)) for number in range(events)]
    deliveries = [decode_envelope(one).delivery for one in messages]
    partner_events = [event for one in deliveries for event in github.events(one)]
    audit_events = [github.to_audit_event(event) for event in partner_events]
    entries = [Entry.of(one.id, one.event_data(ACCOUNT)) for one in audit_events]
    batches = list(pack(entries))

    def packing() -> int:
        return sum(len(request_body(batch)) > 0 and len(batch) for batch in pack(entries))

    def sending() -> int:
        return sum(outcome is DELIVERED for batch in batches for outcome in destination.put(batch))

    return together(
        {
            NAIVE: naive_loop(client(url), messages[:NAIVE_EVENTS]),
            "decode: the envelope, its digest": each(decode_envelope, messages),
            "parse: the records, exactly": each(lambda one: list(github.events(one)), deliveries),
            "map and fit: redaction, limits": each(github.to_audit_event, partner_events),
            "encode: id, checksum and text": each(lambda one: Entry.of(one.id, one.event_data(ACCOUNT)), audit_events),
            "pack: requests and their bodies": packing,
            "sign and send": sending,
        }
    )


def show_end_to_end(url: str, slow_url: str, events: int) -> None:
    messages = [message(body(number)) for number in range(events)]
    rows = together(
        {
            NAIVE: naive_loop(client(url), messages[:NAIVE_EVENTS]),
            "plain loop: 100 events a call, no checks": plain_loop(client(url), messages),
            f"forward, {BATCH:,} a batch": forwarding(lake(url), events),
            f"forward, {SLOW_BATCH:,} a batch, calls of {SLOW_SECONDS * 1000:g} ms": forwarding(
                lake(slow_url), events, batch=SLOW_BATCH
            ),
            "floor: parse, digest, encode": each(floor, messages),
            CEILING: ceiling(url, events),
        }
    )
    naive = rows[NAIVE]
    show(
        f"forward over HTTP, on one core: events of 1.6 kB, one a message (Python {platform.python_version()})",
        ("", "events", "events/s", "µs of CPU an event", "times cheaper than naive"),
        [
            (name, f"{one.count:,}", f"{one.count / one.wall:,.0f}", f"{one.cost:,.1f}", ratio(naive, one))
            for name, one in rows.items()
        ],
    )
    measured = stages(url, min(events, PORTION_EVENTS))
    naive = measured.pop(NAIVE)
    whole = sum(one.cost for one in measured.values())
    show(
        "forward's stages, each on its own",
        ("", "µs of CPU an event", "share", "times cheaper than naive"),
        [(name, f"{one.cost:,.1f}", f"{one.cost / whole:.0%}", ratio(naive, one)) for name, one in measured.items()],
    )


def show_fill(events: int) -> None:
    rows = []
    for size in (500, 2_000, 9_000, 20_000, 90_000):
        destination = Counting()
        count = max(200, min(events, 20_000_000 // size))
        forwarding(destination, count, size)()
        rows.append(
            (
                f"{size:,}",
                f"{count:,}",
                f"{len(destination.requests):,}",
                f"{count / len(destination.requests):.1f}",
                f"{max(used for _, used in destination.requests):,}",
            )
        )
    show(
        "Requests by the size of an event: at most 100 events and 1,000,000 bytes",
        ("bytes an event", "events", "requests", "events a request", "largest body"),
        rows,
    )


def on_one_core() -> None:
    """Keep this process to one core, where the system lets it choose, for the figures are of one core. The endpoints
    run already, and go on to use the others."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def in_container(events: int) -> None:
    """The same in Lambda's image, with the layer's packages before this environment's, which benchmarks also need."""
    with tempfile.TemporaryDirectory(prefix="trailhook-forward-") as name:
        layer, others = build_layer(Path(name), runtime()), Path(sysconfig.get_path("purelib"))
        environ = {"PYTHONPATH": f"{ROOT}:{layer}:{others}", "PYTHONDONTWRITEBYTECODE": "1"}
        command = in_image(runtime(), (ROOT, Path(name), others), environ)
        subprocess.run(
            [*command, "-m", "benchmarks.forward", "--events", str(events)], env={**os.environ, **environ}, check=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=2_500)
    parser.add_argument("--container", action="store_true", help="run it in Lambda's image")
    arguments = parser.parse_args()
    events: int = arguments.events
    if arguments.container:
        in_container(events)
        return
    with endpoint() as url, endpoint(SLOW_SECONDS) as slow_url:
        on_one_core()
        show_end_to_end(url, slow_url, events)
    show_fill(events)


if __name__ == "__main__":
    main()
