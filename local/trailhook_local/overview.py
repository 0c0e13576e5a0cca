"""An integration at a glance: what waits, what failed, what rings, and what a day brought. Nothing is changed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from trailhook.quarantine import FOLDER
from trailhook_local.place import REFUSALS, Place, explain
from trailhook_local.queue_counts import QueueCounts, count_messages

NAMESPACE = "Trailhook"
COUNTED = (
    *("DeliveriesQueued", "DeliveriesRefused", "GatewayRefusals"),
    *("EventsDelivered", "EventsQuarantined", "EventsFiltered"),
)
"""The metrics whose sum means something: what waits is counted at each try."""

MOST_OBJECTS = 10_000
"""So many objects of the bucket are counted; it keeps them for ever."""

_ALARMS_A_CALL = 100
_NOT_SAID = frozenset({"InternalError", "Forbidden"})
_HOUR = timedelta(hours=1)

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"})
_GONE = frozenset(
    {
        *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NoSuchBucket"),
        *("ResourceNotFoundException", "NotFound"),
    }
)
"""How services say of a part that there is none, in the order of SQS (its two protocols), S3, Lambda and SNS."""

_ACTIONS = {"ListObjectsV2": "s3:ListBucket"}
"""Permissions that are not called as their operation is."""

Part = TypeVar("Part")


class NotSaidError(Exception):
    """A service answered, but not what it was asked."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Objects in quarantine, redriven or not. Where there are `more`, `latest` is that of those that were counted."""

    objects: int
    latest: datetime | None
    more: bool


@dataclass(frozen=True, slots=True)
class Ringing:
    """An alarm that rings."""

    name: str
    since: datetime
    description: str


@dataclass(frozen=True, slots=True)
class Alarms:
    """A stack's alarms: how many it made, those that ring, and the names of those that would tell nobody."""

    count: int
    ringing: Sequence[Ringing]
    switched_off: Sequence[str]
    deleted: Sequence[str]


@dataclass(frozen=True, slots=True)
class Unread:
    """A part that could not be read, why, and what to do; it may be `gone`: no permission is missing, but the part."""

    part: str
    reason: str
    advice: str
    gone: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it; None where a part is `unread`. On a laptop nothing watches, so there are no alarms, no `day` and no
    `trigger`.
    """

    deliveries: QueueCounts | None
    dead_letters: QueueCounts | None
    quarantined: Quarantined | None
    alarms: Alarms | None = None
    day: Mapping[str, int] | None = None
    trigger: str | None = None
    """The state of what hands forward its messages, in Lambda's words, such as Enabled."""
    unread: Sequence[Unread] = ()

    @property
    def calm(self) -> bool | None:
        """Whether nothing asks for somebody; None where nothing that could be read does."""
        if self.asks:
            return False
        return None if self.unread else True

    @property
    def asks(self) -> Sequence[str]:
        """What asks for somebody. What is in quarantine has rung, and stays there."""
        asks = [f"{one.part} gone" for one in self.unread if one.gone]
        if self.dead_letters and self.dead_letters.total:
            asks.append("dead letters")
        if self.stands_still:
            asks.append("forward switched off")
        if self.alarms and self.alarms.ringing:
            asks.append("alarms ringing")
        if self.alarms and self.alarms.deleted:
            asks.append("alarms deleted")
        return asks

    @property
    def stands_still(self) -> bool:
        """Whether somebody has switched forward off."""
        return self.trigger in {"Disabled", "Disabling"}


DELIVERIES, DEAD_LETTERS, QUARANTINE = "deliveries", "dead letters", "quarantine"
ALARMS, DAY, TRIGGER = "alarms", "24 hours", "trigger"
"""The parts, as the screen calls them."""


def look(place: Place) -> Overview:
    """Ask AWS, or the servers of this laptop. A part that cannot be read keeps none of the others back."""
    parts = _Parts(place)
    deliveries = parts.read(DELIVERIES, "sqs", lambda sqs: count_messages(sqs, place.queue_url))
    dead_letters = parts.read(DEAD_LETTERS, "sqs", lambda sqs: count_messages(sqs, place.dead_letter_queue_url))
    quarantined = parts.read(QUARANTINE, "s3", lambda s3: _quarantined(s3, place.bucket))
    alarms, day, trigger = None, None, None
    if stack := place.stack:
        alarms = parts.read(ALARMS, "cloudwatch", lambda cloudwatch: _alarms(cloudwatch, place.alarms))
        day = parts.read(DAY, "cloudwatch", lambda cloudwatch: _day(cloudwatch, stack))
    if place.trigger:
        trigger = parts.read(TRIGGER, "lambda", lambda functions: _trigger(functions, place.trigger))
    return Overview(deliveries, dead_letters, quarantined, alarms, day, trigger, parts.unread)


class _Parts:
    """Reads the parts of a place, each by itself, and keeps which could not be read."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.unread: list[Unread] = []

    def read(self, part: str, service: str, ask: Callable[[Any], Part]) -> Part | None:
        try:
            with closing(self._place.client(service)) as client:
                return ask(client)
        except (*REFUSALS, NotSaidError) as error:
            self.unread.append(_unread(part, service, error, on_laptop=not self._place.stack))
            return None


def _unread(part: str, service: str, error: Exception, *, on_laptop: bool) -> Unread:
    code, operation = "", ""
    if isinstance(error, ClientError):
        code, operation = error.response["Error"]["Code"], error.operation_name
    advice = "run it again; if it stays, look at AWS Health and at this machine's network"
    if on_laptop:
        advice = "look at the logs of `trailhook serve`, and start it again"
    elif code in _GONE:
        advice = "somebody deleted it: see docs/operations.md, What a deleted stack leaves, on moving to another stack"
    elif code in _DENIED:
        advice = f"allow {_ACTIONS.get(operation, f'{service}:{operation}')}: see docs/operations.md, The command line"
    elif code in _EXPIRED:
        advice = "sign in again, and run it again"
    return Unread(part, explain(error), advice, code in _GONE)


def _trigger(functions: Any, mapping: str | None) -> str:
    state: str = functions.get_event_source_mapping(UUID=mapping)["State"]
    return state


def _quarantined(s3: Any, bucket: str | None) -> Quarantined:
    count, latest = 0, None
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=FOLDER):
        for found in page.get("Contents", ()):
            if count == MOST_OBJECTS:
                return Quarantined(count, latest, more=True)
            count += 1
            latest = max(latest or found["LastModified"], found["LastModified"])
    return Quarantined(count, latest, more=False)


def _alarms(cloudwatch: Any, names: Sequence[str]) -> Alarms:
    found = {}
    for start in range(0, len(names), _ALARMS_A_CALL):
        asked = names[start : start + _ALARMS_A_CALL]
        for alarm in cloudwatch.describe_alarms(AlarmNames=asked, MaxRecords=_ALARMS_A_CALL)["MetricAlarms"]:
            found[alarm["AlarmName"]] = alarm
    ringing = [
        Ringing(name, _rings_since(alarm), alarm.get("AlarmDescription", ""))
        for name, alarm in found.items()
        if alarm["StateValue"] == "ALARM"
    ]
    off = [name for name, alarm in found.items() if not (alarm["ActionsEnabled"] and alarm["AlarmActions"])]
    deleted = sorted(set(names) - found.keys())
    return Alarms(len(names), sorted(ringing, key=lambda one: one.since), sorted(off), deleted)


def _rings_since(alarm: Mapping[str, Any]) -> datetime:
    """When its state changed. The time of update moves with more than that, but no server leaves it out."""
    since: datetime = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return since


def _day(cloudwatch: Any, stack: str) -> Mapping[str, int]:
    """The metrics of the last 24 hours, of all partners that the stack has had. Raises NotSaidError."""
    day = dict.fromkeys(COUNTED, 0)
    partners = [{"Name": "Partner", "Value": partner} for partner in _partners(cloudwatch, stack)]
    metrics: list[dict[str, Any]] = [
        {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": [partner, _service(stack)]}
        for partner in partners
        for name in COUNTED
    ]
    if not metrics:
        return day
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": _HOUR.seconds, "Stat": "Sum"}}
        for number, metric in enumerate(metrics)
    ]
    # Hours begin on the hour, whatever one asks for.
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + _HOUR
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=end - 24 * _HOUR, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            if result["StatusCode"] in _NOT_SAID:
                raise NotSaidError(f"CloudWatch answered {result['StatusCode']}")
            day[metrics[int(result["Id"][1:])]["MetricName"]] += int(sum(result["Values"]))
    return day


def _partners(cloudwatch: Any, stack: str) -> Sequence[str]:
    """The partners whose metrics there are, each once.

    Of each all metrics are asked for, listed or not: the first refusal in weeks is listed up to 15 minutes late.
    """
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, Dimensions=[_service(stack)])
    dimensions = (one for page in pages for metric in page["Metrics"] for one in metric["Dimensions"])
    return sorted({one["Value"] for one in dimensions if one["Name"] == "Partner"})


def _service(stack: str) -> dict[str, str]:
    return {"Name": "service", "Value": stack}
