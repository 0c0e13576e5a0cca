"""What CloudWatch has counted of a stack: its last 24 hours, and how old the oldest message of a queue is."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

NAMESPACE = "Trailhook"
COUNTED = (
    *("DeliveriesQueued", "DeliveriesRefused", "GatewayRefusals"),
    *("EventsDelivered", "EventsQuarantined", "EventsFiltered"),
)
"""The metrics whose sum means something. (What waits is counted again at each try.)"""

WAITING = "EventsWaiting"

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_LATE = 10 * _MINUTE
"""SQS tells CloudWatch every minute, some minutes late."""

APART = _HOUR + 10 * _MINUTE
"""The longest time between two tries of what waits: an hour, and the minutes until the second is counted."""

_NOT_SAID = frozenset({"InternalError", "Forbidden"})


class NotSaidError(Exception):
    """CloudWatch answered, but not what it was asked."""


@dataclass(frozen=True, slots=True)
class Oldest:
    """For how many seconds the oldest message has been in each queue; None where CloudWatch has no age of it.

    A dead letter's time counts from when it was moved there. The real age may be greater: SQS leaves out messages that
    were received three times and not deleted.
    """

    deliveries: int | None
    dead_letters: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """The sums of the 24 hours from `begins` on.

    `in_vain_since` is when the first of an unbroken row of tries ended with events back on the queue: no more than
    APART lies between each and the next, and between the last and now. None where there is no such row.
    """

    begins: datetime
    counted: Mapping[str, int]
    in_vain_since: datetime | None


def oldest_messages(cloudwatch: Any, queue_url: str | None, dead_letter_queue_url: str | None) -> Oldest:
    """Ask for both queues at once. Raises NotSaidError."""
    names = [(url or "").rpartition("/")[2] for url in (queue_url, dead_letter_queue_url)]
    metrics = [
        {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateAgeOfOldestMessage",
            "Dimensions": [{"Name": "QueueName", "Value": name}],
        }
        for name in names
    ]
    end = datetime.now(UTC).replace(second=0, microsecond=0) + _MINUTE
    ages: dict[str, int] = {}
    for metric, result in _results(cloudwatch, metrics, "Maximum", _MINUTE, end - _LATE, end):
        if result["Values"]:
            _, age = max(zip(result["Timestamps"], result["Values"], strict=True))
            ages[metric["Dimensions"][0]["Value"]] = int(age)
    return Oldest(*(ages.get(name) for name in names))


def sum_up_day(cloudwatch: Any, stack: str) -> Day:
    """The metrics of the last 24 hours, of all partners that the stack has had. Raises NotSaidError."""
    counted = dict.fromkeys(COUNTED, 0)
    in_vain: set[datetime] = set()
    partners = [{"Name": "Partner", "Value": partner} for partner in _partners(cloudwatch, stack)]

    def metrics(*names: str) -> list[dict[str, Any]]:
        return [
            {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": [partner, _service(stack)]}
            for partner in partners
            for name in names
        ]

    now = datetime.now(UTC)
    # Hours begin on the hour, whatever one asks for.
    ends = now.replace(minute=0, second=0, microsecond=0) + _HOUR
    begins = ends - 24 * _HOUR
    if partners:
        for metric, result in _results(cloudwatch, metrics(*COUNTED), "Sum", _HOUR, begins, ends):
            counted[metric["MetricName"]] += int(sum(result["Values"]))
        for _, result in _results(cloudwatch, metrics(WAITING), "Sum", 5 * _MINUTE, begins, ends):
            in_vain |= {at for at, value in zip(result["Timestamps"], result["Values"], strict=True) if value}
    return Day(begins, counted, _since(in_vain, now))


def _since(tries: Set[datetime], now: datetime) -> datetime | None:
    """The first of the row that leads up to now."""
    since = None
    for at in sorted(tries, reverse=True):
        if (since or now) - at > APART:
            break
        since = at
    return since


def _partners(cloudwatch: Any, stack: str) -> Sequence[str]:
    """The partners whose metrics there are, each once.

    All metrics of each are asked for, listed or not: the first refusal in weeks is listed up to 15 minutes late.
    """
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE, Dimensions=[_service(stack)])
    dimensions = (one for page in pages for metric in page["Metrics"] for one in metric["Dimensions"])
    return sorted({one["Value"] for one in dimensions if one["Name"] == "Partner"})


def _service(stack: str) -> dict[str, str]:
    return {"Name": "service", "Value": stack}


def _results(
    cloudwatch: Any,
    metrics: Sequence[Mapping[str, Any]],
    statistic: str,
    period: timedelta,
    start: datetime,
    end: datetime,
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each metric with one of its results: a long one comes in several."""
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": period.seconds, "Stat": statistic}}
        for number, metric in enumerate(metrics)
    ]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            if result["StatusCode"] in _NOT_SAID:
                raise NotSaidError(f"CloudWatch answered {result['StatusCode']}")
            yield metrics[int(result["Id"][1:])], result
