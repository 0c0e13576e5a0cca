"""The same account of the whole local stack: real processes killed, a real queue, and a Lake that fails on the wire."""

import json
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import urllib3
from rich.console import Console
from rich.progress import Progress

from trailhook_local.chaos.account import Account, Tally
from trailhook_local.chaos.faults import Faults
from trailhook_local.chaos.traffic import EVENTS, EXCLUDED, POISON_CODES, Parcel, Traffic, serials_in
from trailhook_local.demo.counting import quarantined
from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.post import post
from trailhook_local.stack.errors import NotSettledError
from trailhook_local.stack.integration import Plan
from trailhook_local.stack.killing import killing
from trailhook_local.stack.stack import Stack

FAULTS = frozenset({"poison", "resent", "colliding"})
"""The faults of a round that a partner makes. In place of the others stand the rules below, and kills."""

KINDS = ("unmapped", "ambiguous", *POISON_CODES)
"""The kinds of poison that the Lake's rules can make: no rule refuses a whole request for one event in it."""

SENDERS = 6
SETTLE_SECONDS = 600
KILL_AFTER_REQUESTS = (2, 25)
"""A process is killed after so many further requests have reached PutAuditEvents: by progress, not by the clock, so
that a slow machine gets on as well."""

LOOK_SECONDS = 0.02
RULES: Sequence[Mapping[str, Any]] = [
    {"kind": "error", "code": "ThrottlingException", "probability": 0.2},
    {"kind": "error", "code": "InternalFailure", "probability": 0.05},
    {"kind": "error", "code": "ServiceUnavailable", "probability": 0.05},
    {"kind": "error", "code": "ChannelNotFound", "count": 20},
    {"kind": "error", "code": "ChannelInsufficientPermission", "count": 20},
    {"kind": "reject_entry", "code": "Throttling", "probability": 0.04},
    {"kind": "reject_entry", "code": "InternalFailure", "probability": 0.01},
    {"kind": "drop_before", "probability": 0.02},
    {"kind": "drop_after", "probability": 0.02},
    {"kind": "delay", "milliseconds": 500, "probability": 0.1},
    *({"kind": "reject_entry", "code": code, "uid_contains": f"{code}-"} for code in POISON_CODES),
]


def run_in_stack(*, events: int, seed: int, console: Console) -> bool:
    """Send `events` of one partner through the local stack; True if the law holds. Raises StackError."""
    rng = random.Random(seed)  # noqa: S311 - a seed makes a run repeatable, but for the moments of the kills
    account = Account()
    faults = Faults(FAULTS, rng, 0, 0)
    partner = rng.choice(sorted(EVENTS))
    with tempfile.TemporaryDirectory(prefix="trailhook-chaos-") as folder:
        plan = Plan(partner, parameters={"ExcludeEvents": EXCLUDED})
        with (
            console.status("Starting the local stack"),
            Stack([plan], state=Path(folder), retry_seconds=2, window_seconds=0.5) as stack,
        ):
            _break(stack, seed)
            traffic = Traffic(
                partner, faults, account, events=events, start=0, secret=stack[partner].secret, kinds=KINDS
            )
            with _killing(stack, partner, rng.getrandbits(32)) as kills:
                _send(stack, partner, traffic, account, console)
                settled = _settled(stack)
            tally = _tally(stack, partner, account, kills)
    if not settled:
        tally.broken.append(f"messages still wait after {SETTLE_SECONDS} s")
    tally.faults = faults.happened
    command = f"trailhook chaos --stack --events {events} --seed {seed}"
    document = {"law": tally.holds, "seed": seed, "command": command, **tally.to_json(), "broken": tally.broken[:20]}
    console.file.write(json.dumps(document) + "\n")
    return tally.holds


def _break(stack: Stack, seed: int) -> None:
    rules = [{"operations": ["PutAuditEvents"], **rule} for rule in RULES]
    body = json.dumps({"seed": seed, "rules": rules})
    answer = _pool().request("PUT", f"{stack.endpoints.cloudtrail}/_local/faults", body=body)
    if answer.status != 200:
        raise AssertionError(f"The Lake takes no such faults: {answer.data!r}")


def _send(stack: Stack, partner: str, traffic: Traffic, account: Account, console: Console) -> None:
    """POST everything, as a partner that sends again what was not acknowledged, and some of what was."""
    pool = urllib3.PoolManager(maxsize=SENDERS)

    def deliver(parcel: Parcel) -> tuple[Parcel, int]:
        headers = traffic.signed(parcel, time.time())
        return parcel, post(pool, f"{stack[partner].url}/webhook", parcel.body, headers).status

    with Progress(console=console, transient=True) as progress, ThreadPoolExecutor(SENDERS) as threads:
        bar = progress.add_task("Sending deliveries", total=None)
        while parcels := list(traffic.due(float("inf"))):
            for parcel, status in threads.map(deliver, parcels):
                account.counts[f"answered {status}"] += 1
                acknowledged = 200 <= status < 300
                if acknowledged:
                    account.queue(parcel.serials)
                traffic.answered(parcel, acknowledged=acknowledged, now=0)
                progress.advance(bar)


def _killing(stack: Stack, partner: str, seed: int) -> AbstractContextManager[list[int]]:
    """Kill a process of receive or forward every so many requests."""
    rng = random.Random(seed)  # noqa: S311 - a seed makes a run repeatable
    next_at = rng.randint(*KILL_AFTER_REQUESTS)

    def wait(over: threading.Event) -> bool:
        nonlocal next_at
        while not over.wait(LOOK_SECONDS):
            if (so_far := _requests(stack).total()) >= next_at:
                next_at = so_far + rng.randint(*KILL_AFTER_REQUESTS)
                return True
        return False

    def choose() -> Sequence[int]:
        running = stack.running(partner)
        return (running.forward if rng.random() < 0.7 else running.receive).pids()

    return killing(wait, choose, rng)


def _settled(stack: Stack) -> bool:
    try:
        stack.wait_until_settled(SETTLE_SECONDS)
    except NotSettledError:
        return False
    return True


def _tally(stack: Stack, partner: str, account: Account, kills: Sequence[int]) -> Tally:
    """What SQL finds in the Lake and S3 in the bucket; what is in neither, though SQS had it, is lost.

    Every process killed and every answer lost explains one more copy of an event, and no more than one.
    """
    requests = _requests(stack)
    occasions = len(kills) + requests["dropped"]
    lines = [json.dumps(line).encode() for line in quarantined(stack, partner)]
    arrived = {serial for line in lines for serial in serials_in(json.loads(line)["body"].encode())}
    for content, (serial, times) in enumerate(_in_the_lake(stack)):
        arrived.add(serial)
        for _ in range(times):
            account.take(serial, content)
        account.explain("answer or process lost", [serial] * min(times - 1, occasions))
    # receive may have been killed between SQS's confirmation and its own.
    account.received |= arrived & account.fates.keys()
    tally = account.settle(lines, set(), serials_in)
    counts = stack.counts()[partner]
    if counts.total:
        tally.broken.append(f"the queues are not empty: {counts}")
    tally.counts.update(kills=len(kills))
    tally.counts.update({f"requests {name}": number for name, number in requests.items()})
    return tally


def _requests(stack: Stack) -> Counter[str]:
    """How the Lake answered PutAuditEvents so far."""
    stats = json.loads(_pool().request("GET", f"{stack.endpoints.cloudtrail}/_local/stats").data)
    return Counter(stats["requests"].get("PutAuditEvents", {}))


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager()


def _in_the_lake(stack: Stack) -> Iterator[tuple[int, int]]:
    """Serial number and times of every distinct event: one that came again otherwise has two rows."""
    store = store_id(stack.event_data_store_arn)
    rows = f"SELECT eventdata, count(*) AS times FROM {store} GROUP BY 1"  # noqa: S608 - our own id
    sql = f"SELECT element_at(eventdata.requestparameters, 'serial') AS serial, times FROM ({rows})"  # noqa: S608
    for row in query_lake(stack.client("cloudtrail"), sql):
        yield int(row["serial"]), int(float(row["times"]))
