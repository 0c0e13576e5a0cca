"""Counting what became of every event where it is: in the Lake by SQL, in the bucket, in the queues, in the logs."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class Account:
    """One integration's events by where they are now. `delivered` counts each event once, however often it came."""

    delivered: int
    duplicates: int
    quarantined: Mapping[str, int]
    filtered: int
    waiting_messages: int
    dead_letters: int
    queued_deliveries: int

    @property
    def settled(self) -> int:
        return self.delivered + sum(self.quarantined.values()) + self.filtered


def take_account(stack: Stack, name: str, logs: Path) -> Account:
    """Count one integration's events. Nothing here is remembered from sending them."""
    integration = stack[name]
    rows, distinct = _in_the_lake(stack, integration.channel_arn)
    counts = stack.counts()[name]
    return Account(
        delivered=distinct,
        duplicates=rows - distinct,
        # What had to be written again stands in two objects, and is one event all the same.
        quarantined=Counter(
            {(line["request_id"], line["body"]): line["code"] for line in quarantined(stack, name)}.values()
        ),
        filtered=sum(
            line["events"].get("filtered", 0) for line in _log_lines(logs / f"trailhook-{name}-forward.log", "ledger")
        ),
        waiting_messages=counts.waiting,
        dead_letters=counts.dead_letters,
        queued_deliveries=sum(
            bool(line.get("queued")) for line in _log_lines(logs / f"trailhook-{name}-receive.log", "request")
        ),
    )


def quarantined(stack: Stack, name: str) -> Iterator[Mapping[str, Any]]:
    """Every line in the integration's quarantine bucket."""
    s3 = stack.client("s3")
    bucket = stack[name].bucket
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="quarantine/"):
        for found in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            yield from (json.loads(line) for line in content.splitlines())


def _in_the_lake(stack: Stack, channel_arn: str) -> tuple[int, int]:
    store = store_id(stack.event_data_store_arn)
    sql = (
        f"SELECT sum(times) AS seen, count(*) AS events FROM (SELECT eventdata, count(*) AS times FROM {store} "  # noqa: S608 - our own ids
        f"WHERE metadata.channelarn = '{channel_arn}' GROUP BY eventdata)"
    )
    (row,) = query_lake(stack.client("cloudtrail"), sql).rows
    return int(float(row["seen"] or 0)), int(row["events"])


def _log_lines(path: Path, message: str) -> Iterator[Mapping[str, Any]]:
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and line.get("message") == message:
            yield line
