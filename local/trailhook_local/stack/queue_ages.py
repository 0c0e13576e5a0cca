"""How old a queue's oldest message is, as SQS tells CloudWatch: what was received three times is left out."""

from datetime import timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchMetricProvider, MetricDatum
from moto.core.utils import unix_time_millis, utcnow
from moto.sqs.models import sqs_backends

RECEIVED_TOO_OFTEN = 3
"""From so many receives on a message is left out ("Available CloudWatch metrics for Amazon SQS")."""


class QueueAges(CloudWatchMetricProvider):  # type: ignore[misc] # moto has no annotations here
    """moto's CloudWatch asks every class of this kind that there is."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[Any]:
        queues = sqs_backends[account_id][region].queues
        ages = {name: _oldest_seconds(queue) for name, queue in queues.items()}
        return [_datum(name, age) for name, age in ages.items() if age is not None]


def _datum(queue: str, age: int) -> Any:
    # Of the last whole minute: it is over, whenever the asker looked at its clock.
    minute = utcnow().replace(second=0, microsecond=0) - timedelta(minutes=1)
    dimensions = [{"Name": "QueueName", "Value": queue}]
    return MetricDatum("AWS/SQS", "ApproximateAgeOfOldestMessage", age, dimensions, minute, "Seconds")


def _oldest_seconds(queue: Any) -> int | None:
    with queue._messages_lock:
        there = [_since(message) for message in queue._messages]
    since = [moment for moment, received in there if received < RECEIVED_TOO_OFTEN]
    return int((unix_time_millis() - min(since)) // 1000) if since else None


def _since(message: Any) -> tuple[float, int]:
    """When it came to this queue, in milliseconds since 1970, and how often it was received since."""
    moved, received = getattr(message, "moved", (message.sent_timestamp, 0))
    return moved, message.approximate_receive_count - received
