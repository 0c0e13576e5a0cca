"""An integration at a glance: what waits, what failed, what rings, and what a day brought. Nothing is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trailhook.quarantine import FOLDER
from trailhook_local.place import Place, account_of
from trailhook_local.queue_counts import QueueCounts, count_messages
from trailhook_local.redrive.bucket import NOTES
from trailhook_local.status.alarms import Alarms, Listeners, describe_alarms, list_listeners
from trailhook_local.status.metrics import Day, Oldest, oldest_messages, sum_up_day
from trailhook_local.status.parts import Parts, Unread

MOST_OBJECTS = 10_000
"""At most so many objects of the bucket are counted: it keeps them for ever."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Objects in quarantine. Where there are `more` than were counted, `latest` is the latest of the counted ones.

    `not_redriven` are those of which no line was sent again since they were written; None where not all objects or
    notes were counted.
    """

    objects: int
    latest: datetime | None
    not_redriven: int | None
    more: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """All parts; None where a part is `unread`.

    For an integration on a laptop nobody makes alarms or metrics, and there is no Lambda: `alarms`, `listeners`, `day`,
    `trigger` and `throttled` are None.
    """

    deliveries: QueueCounts | None
    dead_letters: QueueCounts | None
    oldest: Oldest | None
    quarantined: Quarantined | None
    alarms: Alarms | None = None
    listeners: Listeners | None = None
    day: Day | None = None
    trigger: str | None = None
    """The state of what hands forward its messages, in Lambda's words, such as Enabled."""
    throttled: bool | None = None
    """Whether forward's reserved concurrency is 0, so that it never runs: what *Throttle* in Lambda's console sets."""
    unread: Sequence[Unread] = ()

    @property
    def calm(self) -> bool | None:
        """Whether nothing needs attention; None if nothing that could be read does, but something could not be read."""
        if self.asks:
            return False
        return None if self.unread else True

    @property
    def asks(self) -> Sequence[str]:
        """What needs attention. Not the quarantine: its alarm has rung, and its objects stay for ever."""
        asks = [f"{_CALLED.get(one.part, one.part)} gone" for one in self.unread if one.gone]
        if self.dead_letters and self.dead_letters.total:
            asks.append("dead letters")
        if self.switched_off or self.throttled:
            asks.append("forward switched off")
        if self.alarms and self.alarms.ringing:
            asks.append("alarms ringing")
        if self.alarms and self.alarms.deleted:
            asks.append("alarms deleted")
        return asks

    @property
    def switched_off(self) -> bool:
        """Whether somebody has switched off what hands forward its messages."""
        return self.trigger in {"Disabled", "Disabling"}


DELIVERIES, DEAD_LETTERS, QUARANTINE = "deliveries", "dead letters", "quarantine"
OLDEST, DAY, TRIGGER, FORWARD, ALARMS, TOPIC = "oldest", "24 hours", "trigger", "forward", "alarms", "topic"
"""The parts, as the screen calls them."""

_CALLED = {DELIVERIES: "delivery queue", DEAD_LETTERS: "dead-letter queue", QUARANTINE: "quarantine bucket"}
"""What is gone, where the part is called after what that holds."""


def look(place: Place) -> Overview:
    """Ask AWS, or the servers of this laptop. A part that cannot be read keeps none of the others back."""
    parts = Parts(place)
    deliveries = parts.ask(DELIVERIES, "sqs", lambda sqs: count_messages(sqs, place.queue_url))
    dead_letters = parts.ask(DEAD_LETTERS, "sqs", lambda sqs: count_messages(sqs, place.dead_letter_queue_url))
    queues = place.queue_url, place.dead_letter_queue_url
    oldest = parts.ask(OLDEST, "cloudwatch", lambda cloudwatch: oldest_messages(cloudwatch, *queues))
    quarantined = parts.ask(QUARANTINE, "s3", lambda s3: _quarantined(s3, place))
    if not place.stack:
        return Overview(deliveries(), dead_letters(), oldest(), quarantined(), unread=parts.unread)
    stack, forward, trigger, topic = place.stack, place.forward, place.trigger, place.topic
    day = parts.ask(DAY, "cloudwatch", lambda cloudwatch: sum_up_day(cloudwatch, stack))
    state = parts.ask(TRIGGER, "lambda", lambda functions: _state(functions, trigger)) if trigger else _nothing
    throttled = parts.ask(FORWARD, "lambda", lambda functions: _throttled(functions, forward)) if forward else _nothing
    listeners = parts.ask(TOPIC, "sns", lambda sns: list_listeners(sns, topic)) if topic else _nothing
    alarms = parts.ask(ALARMS, "cloudwatch", lambda cloudwatch: describe_alarms(cloudwatch, place.alarms))
    return Overview(
        deliveries(),
        dead_letters(),
        oldest(),
        quarantined(),
        day=day(),
        trigger=state(),
        throttled=throttled(),
        listeners=listeners(),
        alarms=alarms(),
        unread=parts.unread,
    )


def _nothing() -> None:
    """The answer where the stack has no such part to ask of."""


def _state(functions: Any, mapping: str) -> str:
    state: str = functions.get_event_source_mapping(UUID=mapping)["State"]
    return state


def _throttled(functions: Any, forward: str) -> bool:
    """A function without a concurrency of its own, as the template has it, has no such member."""
    reserved: int | None = functions.get_function_concurrency(FunctionName=forward).get("ReservedConcurrentExecutions")
    return reserved == 0


def _quarantined(s3: Any, place: Place) -> Quarantined:
    written, more = _list(s3, place, FOLDER)
    if not written:
        return Quarantined(0, None, not_redriven=0, more=False)
    notes, more_notes = _list(s3, place, NOTES)
    # A note lies below the name of the object that its line stands in, and below that object's version.
    noted: dict[str, datetime] = {}
    for key, moment in notes.items():
        of = FOLDER + key.removeprefix(NOTES).rsplit("/", 2)[0]
        noted[of] = max(noted.get(of, moment), moment)
    # What was refused once more was written anew, after the note of the former version: forward waits some seconds.
    waiting = sum(key not in noted or noted[key] < moment for key, moment in written.items())
    return Quarantined(len(written), max(written.values()), None if more or more_notes else waiting, more)


def _list(s3: Any, place: Place, folder: str) -> tuple[Mapping[str, datetime], bool]:
    """When each object of a folder was written, and whether there are more than are counted."""
    found: dict[str, datetime] = {}
    where = {"Bucket": place.bucket, "ExpectedBucketOwner": account_of(place.queue_url or "")}
    for page in s3.get_paginator("list_objects_v2").paginate(**where, Prefix=folder):
        for each in page.get("Contents", ()):
            if len(found) == MOST_OBJECTS:
                return found, True
            found[each["Key"]] = each["LastModified"]
    return found, False
