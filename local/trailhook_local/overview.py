"""An integration at a glance: what waits, what failed, what rings, and what a day brought. Nothing is changed."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trailhook.quarantine import FOLDER
from trailhook_local.place import Place
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
class Overview:
    """All of it. On a laptop nothing watches, so there are no alarms, no `day` and no `trigger`."""

    deliveries: QueueCounts
    dead_letters: QueueCounts
    quarantined: Quarantined
    alarms: Alarms | None = None
    day: Mapping[str, int] | None = None
    trigger: str | None = None
    """The state of what hands forward its messages, in Lambda's words, such as Enabled."""

    @property
    def calm(self) -> bool:
        """Whether nothing asks for somebody. What is in quarantine has rung, and stays there."""
        watch = self.alarms and (self.alarms.ringing or self.alarms.deleted)
        return not (self.dead_letters.total or self.stands_still or watch)

    @property
    def stands_still(self) -> bool:
        """Whether somebody has switched forward off."""
        return self.trigger in {"Disabled", "Disabling"}


def look(place: Place) -> Overview:
    """Ask AWS, or the servers of this laptop. Raises boto3's errors."""
    with closing(place.client("sqs")) as sqs, closing(place.client("s3")) as s3:
        deliveries = count_messages(sqs, place.queue_url)
        dead_letters = count_messages(sqs, place.dead_letter_queue_url)
        quarantined = _quarantined(s3, place.bucket)
    if not place.stack:
        return Overview(deliveries, dead_letters, quarantined)
    with closing(place.client("cloudwatch")) as cloudwatch:
        alarms, day = _alarms(cloudwatch, place.alarms), _day(cloudwatch, place.stack)
    trigger = None
    if place.trigger:
        with closing(place.client("lambda")) as functions:
            trigger = functions.get_event_source_mapping(UUID=place.trigger)["State"]
    return Overview(deliveries, dead_letters, quarantined, alarms, day, trigger)


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


def _day(cloudwatch: Any, stack: str) -> Mapping[str, int] | None:
    """The metrics of the last 24 hours, of all partners that the stack has had; None where CloudWatch cannot say."""
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
                return None
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
