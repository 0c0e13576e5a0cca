"""How many messages a queue has, as near as SQS counts them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Messages that are visible, in flight (received and not deleted, or hidden for a while), and delayed."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight + self.delayed


def count_messages(sqs: Any, url: str | None) -> QueueCounts:
    """Ask SQS. Raises boto3's errors."""
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return QueueCounts(*(int(counts[name]) for name in names))
