"""Holds the model of queueing.py against the local stack: batches, their gathering, and the way of a delivery.

    .venv/bin/python -m benchmarks.capacity_check [--rates 2 10 40] [--seconds 30]

Deliveries of one event are posted at a steady rate to a stack with the template's settings. How many make a batch is
read in forward's log; how long each took, from its POST to the time of ingestion, in the Lake. The local stack has one
poller; a run of forward takes little beside the window.
"""

import argparse
import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

import urllib3
from benchmarks.queueing import Flow, Load, Trigger
from rich.console import Console
from rich.table import Table

from trailhook_local.demo.counting import log_lines
from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.post import post
from trailhook_local.signing import sign_github
from trailhook_local.stack.stack import Stack

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Seen:
    """What one run showed: the deliveries of each batch, and the seconds from POST to the Lake of each delivery."""

    batches: list[int]
    latencies: list[float]

    @property
    def fill(self) -> float:
        """As a delivery meets it, so that a first and a last batch cut short weigh little."""
        return sum(size * size for size in self.batches) / sum(self.batches)


def post_steadily(stack: Stack, rate: float, seconds: float) -> dict[str, float]:
    """Post at `rate` for so long; the time of each POST by the delivery's id."""
    integration = stack["github"]
    pool = urllib3.PoolManager(maxsize=16)
    posted: dict[str, float] = {}
    lock = threading.Lock()

    def deliver(number: int) -> None:
        name = f"rate-{rate:g}-{number}"
        body = json.dumps({"action": "created", "sender": {"login": "mona", "id": 1}, "number": number}).encode()
        headers = {**sign_github(integration.secret, body), "content-type": "application/json"}
        headers |= {"x-github-event": "repository", "x-github-delivery": name}
        with lock:
            posted[name] = time.time()
        reply = post(pool, f"{integration.url}/webhook", body, headers)
        assert reply.status == 202, reply

    began = time.monotonic()
    with ThreadPoolExecutor(16) as workers:
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            workers.submit(deliver, number)
    return posted


def batch_sizes(log: Path) -> list[int]:
    """The deliveries of each invocation of forward so far."""
    return [sum(line["messages"].values()) for line in log_lines(log.read_text(encoding="utf-8"), "ledger")]


def run(stack: Stack, log: Path, rate: float, seconds: float) -> Seen:
    before = len(batch_sizes(log)) if log.exists() else 0
    posted = post_steadily(stack, rate, seconds)
    stack.wait_until_settled(300)
    sql = "SELECT eventdata.uid AS uid, metadata.ingestiontime AS at "
    sql += f"FROM {store_id(stack.event_data_store_arn)} WHERE eventdata.uid LIKE 'rate-{rate:g}-%'"
    arrived = {row["uid"]: row["at"] for row in query_lake(stack.client("cloudtrail"), sql)}
    assert arrived.keys() == posted.keys(), f"{len(posted)} posted, {len(arrived)} arrived"
    latencies = [
        datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() - posted[uid] for uid, at in arrived.items()
    ]
    return Seen(batch_sizes(log)[before:], latencies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rates", type=float, nargs="+", default=[2, 10, 40])
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    table = Table(title=f"Model and local stack, {arguments.seconds:g} s each, window of 5 s, one poller")
    columns = ("deliveries/s", "deliveries a batch: model", "seen", "POST to Lake, mean: model", "seen", "longest seen")
    for column in columns:
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory(prefix="trailhook-capacity-") as name:
        state = Path(name)
        with Stack(["github"], state=state, template=ROOT / "template.yaml") as stack:
            log = state / "logs" / "trailhook-github-forward.log"
            for rate in arguments.rates:
                seen = run(stack, log, rate, arguments.seconds)
                flow = Flow(Load(rate), Trigger(pollers=1, memory_mb=1769))
                table.add_row(
                    f"{rate:g}",
                    f"{flow.fill:.0f}",
                    f"{seen.fill:.0f}",
                    f"{flow.mean_latency:.1f} s",
                    f"{fmean(seen.latencies):.1f} s",
                    f"{max(seen.latencies):.1f} s",
                )
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
