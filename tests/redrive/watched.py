"""A stack in AWS on loopback that `trailhook status` can be asked of: what it keeps, and what watches it."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from tests.redrive.conftest import Place
from tests.redrive.stacks import cloudformation, function, resources_of, sns, trigger

PAGER = "arn:aws:sns:us-east-1:111122223333:pager"
TOPIC = "arn:aws:sns:us-east-1:111122223333:alarms"


class Watched:
    """A stack whose alarms are made as the template names them."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.name = f"audit-{uuid.uuid4().hex[:8]}"
        self.cloudwatch: Any = place.endpoints.client("cloudwatch")
        self.resources = resources_of(place) | {
            "ForwardFunction": function(),
            "ForwardFunctionDeliveries": trigger("Enabled"),
            "AlarmTopic": TOPIC,
        }
        self.subscriptions = [("https", "https://events.example/key", f"{TOPIC}:1")]
        for kind in ("dead-letters", "quarantine", "silence"):
            self.resources[f"{kind.title().replace('-', '')}Alarm"] = f"{self.name}-{kind}"
            self.alarm(f"{self.name}-{kind}")

    def alarm(
        self, name: str, *, actions: bool = True, topics: Sequence[str] = (PAGER,), description: str = ""
    ) -> None:
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            AlarmDescription=description or f"See docs/operations.md for {name}.",
            ActionsEnabled=actions,
            AlarmActions=topics,
            Namespace="Trailhook",
            MetricName="any",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=0,
            ComparisonOperator="GreaterThanThreshold",
        )

    def ring(self, name: str) -> None:
        self.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="as a test wants it")

    def count(self, metric: str, value: int, *, service: str = "", partner: str = "github", ago: float = 0) -> None:
        dimensions = [{"Name": "Partner", "Value": partner}, {"Name": "service", "Value": service or self.name}]
        at = datetime.now(UTC) - timedelta(hours=ago)
        self.cloudwatch.put_metric_data(
            Namespace="Trailhook",
            MetricData=[{"MetricName": metric, "Dimensions": dimensions, "Value": value, "Timestamp": at}],
        )

    def age(self, seconds: int, *, dead: bool = False, ago: int = 0) -> None:
        """What SQS told CloudWatch, so many minutes ago, of the age of a queue's oldest message."""
        resources = self.place.resources
        url = resources.dead_letter_queue_url if dead else resources.queue_url
        queue = {"Name": "QueueName", "Value": url.rpartition("/")[2]}
        metric: Any = {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [queue], "Value": seconds}
        metric["Timestamp"] = datetime.now(UTC) - timedelta(minutes=ago)
        self.cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[metric])

    def status(self, *options: str) -> Result:
        return self.place.run("status", "--stack", self.name, "--region", "us-east-1", *options)


@contextmanager
def watch(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    stack = Watched(place)
    names = (stack.name, f"arn:aws:cloudformation:us-east-1:111122223333:stack/{stack.name}/0000")
    with cloudformation(dict.fromkeys(names, stack.resources)) as (url, _), sns(stack.subscriptions) as topics:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", topics)
        for service in ("CLOUDFORMATION", "LAMBDA"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        yield stack
