"""What became of every event: looked for by its identity where it can be, in the Lake, in the bucket, in the queues."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from trailhook.envelope import decode_envelope
from trailhook_local.demo.corpus import Post, SentEvent
from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.stack.stack import Stack


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was found where events end: `names` are what may identify it, the likeliest first.

    `times` is how often it is there, each time the same; `code` is why it is in quarantine.
    """

    names: Sequence[str]
    times: int = 1
    code: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """All that was found of one integration, by place."""

    lake: Sequence[Found] = ()
    bucket: Sequence[Found] = ()
    queues: Sequence[Found] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """One integration's events by where they are now, and whatever contradicts that each of them is in one place.

    `delivered` counts each event once, `duplicates` how often one came again. `missing` are the events that are
    nowhere, `foreign` what nobody sent, and `twice` the events that ended in two ways.
    """

    delivered: int
    duplicates: int
    quarantined: Mapping[str, int]
    filtered: int
    waiting: int
    missing: Sequence[str]
    foreign: Sequence[str]
    twice: Sequence[str]

    @property
    def exact(self) -> bool:
        """Whether every event that was sent is in one place, and nothing else is anywhere."""
        return not (self.missing or self.foreign or self.twice)


def account_for(events: Sequence[SentEvent], places: Places, excluded: Sequence[str] = ()) -> Account:
    """Hold what was found against what was sent. `excluded` are the patterns of names that ExcludeEvents filters."""
    index = {name: event for event in events for name in (event.text, event.id) if name is not None}
    ends: Counter[SentEvent] = Counter()
    foreign: list[str] = []
    for place in (places.lake, places.bucket, places.queues):
        for found in place:
            event = next((index[name] for name in found.names if name in index), None)
            if event is None or (place is places.lake and _matches(event, excluded)):
                foreign.append(_short(found.names))
            else:
                ends[event] += 1
    nowhere = [event for event in events if not ends[event]]
    filtered = [event for event in nowhere if _matches(event, excluded)]
    return Account(
        delivered=len(places.lake),
        duplicates=sum(found.times - 1 for found in places.lake),
        quarantined=Counter(found.code for found in places.bucket),
        filtered=len(filtered),
        waiting=len(places.queues),
        missing=[_short([event.id or event.text]) for event in nowhere if not _matches(event, excluded)],
        foreign=foreign,
        twice=[_short([event.id or event.text]) for event, times in ends.items() if times > 1],
    )


def _matches(event: SentEvent, excluded: Sequence[str]) -> bool:
    return any(fnmatchcase(event.name, pattern) for pattern in excluded)


def _short(names: Sequence[str]) -> str:
    return f"{names[0]:.80}" if names else "without a name"


def look_everywhere(stack: Stack, name: str, posts: Iterable[Post]) -> Places:
    """Find what there is of one integration. A queued delivery is known by the body of one of the `posts`."""
    sent = {post.body: post for post in posts}
    return Places(
        lake=list(_in_the_lake(stack, stack[name].channel_arn)),
        bucket=list(_in_the_bucket(stack, name)),
        queues=list(_in_the_queues(stack, name, sent)),
    )


def count_in_logs(name: str, logs: Path) -> tuple[int, int]:
    """What only the functions' logs tell: how many deliveries were queued, and how many events were filtered."""
    receive, forward = (
        (logs / f"trailhook-{name}-{function}.log").read_text(encoding="utf-8", errors="replace")
        for function in ("receive", "forward")
    )
    queued, ledgers = log_lines(receive, "request"), log_lines(forward, "ledger")
    return sum(bool(line.get("queued")) for line in queued), sum(line["events"].get("filtered", 0) for line in ledgers)


def _in_the_lake(stack: Stack, channel_arn: str) -> Iterator[Found]:
    """A row for each distinct event. Plain webhooks of one array share their UID, and each has an id of its own."""
    store = store_id(stack.event_data_store_arn)
    rows = f"SELECT eventdata, count(*) AS times FROM {store} WHERE metadata.channelarn = '{channel_arn}' GROUP BY 1"  # noqa: S608 - our own ids
    sql = f"SELECT eventdata.uid, element_at(eventdata.requestparameters, 'id') AS id, times FROM ({rows})"  # noqa: S608
    for row in query_lake(stack.client("cloudtrail"), sql):
        names = [row[column] for column in ("uid", "id") if row.get(column)]
        yield Found(names, times=int(float(row["times"])))


def _in_the_bucket(stack: Stack, name: str) -> Iterator[Found]:
    """A line each; what had to be written again stands in two objects, and is one event all the same.

    By the sender's id first: one text can have been sent under several.
    """
    lines = {(line["request_id"], line["body"]): line for line in quarantined(stack, name)}
    for line in lines.values():
        yield Found([text for text in (line["uid"], line["body"]) if text], code=line["code"])


def quarantined(stack: Stack, name: str) -> Iterator[Mapping[str, Any]]:
    """Every line in the integration's quarantine bucket."""
    s3 = stack.client("s3")
    bucket = stack[name].bucket
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="quarantine/"):
        for found in page.get("Contents", []):
            content = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            yield from (json.loads(line) for line in content.splitlines())


def _in_the_queues(stack: Stack, name: str, sent: Mapping[bytes, Post]) -> Iterator[Found]:
    """The events of messages that can be seen; what a function has in hand cannot."""
    sqs = stack.client("sqs")
    for url in (stack[name].queue_url, stack[name].dead_letter_queue_url):
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                envelope = decode_envelope(message["Body"])
                post = sent.get(envelope.delivery.body)
                events = post.events if post else []
                pending = envelope.pending.positions if envelope.pending else range(len(events) or 1)
                for position in sorted(pending):
                    known = position < len(events)
                    yield Found([events[position].id or events[position].text] if known else [envelope.delivery.id])


def log_lines(text: str, message: str) -> Iterator[Mapping[str, Any]]:
    """The JSON lines of a log with that message.

    Several processes write to one log, and what one prints and its newline are two writes: a line can hold two.
    """
    decoder = json.JSONDecoder()
    for line in text.splitlines():
        position = 0
        while position < len(line):
            try:
                entry, position = decoder.raw_decode(line, position)
            except ValueError:
                break
            if isinstance(entry, dict) and entry.get("message") == message:
                yield entry
