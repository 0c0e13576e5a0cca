"""What webhooks cost, by the queueing model and AWS's list prices."""

from dataclasses import dataclass, field
from math import ceil

from benchmarks.queueing import Flow

MONTH_DAYS, DAY = 30, 86_400


@dataclass(frozen=True)
class Prices:
    """US East (N. Virginia), in dollars, without free tiers and volume discounts; docs/capacity.md has the sources."""

    http_api_million: float = 1.00
    lambda_million: float = 0.20
    lambda_gb_second: float = 0.0000133334
    sqs_million: float = 0.40
    logs_gb: float = 0.50
    lake_gb: float = 0.50
    metric_month: float = 0.30
    alarm_month: float = 0.10
    secret_month: float = 0.40


METRICS, WATCHED = 14, 15
"""The most that there can be. A metric is charged for the hours in which something was counted, an alarm always, for
each metric that it watches."""

POLL_SECONDS = 20
"""How long an idle poller's receive waits."""


@dataclass(frozen=True)
class Cost:
    """Dollars for a million webhooks, by what they are paid for."""

    flow: Flow
    prices: Prices = field(default_factory=Prices)

    def parts(self) -> dict[str, float]:
        flow, prices, memory = self.flow, self.prices, self.flow.trigger.memory_mb / 1024
        tens = max(1.0, min(10.0, flow.fill))
        chunks = ceil(flow.load.body_bytes / 65_536)
        ten_chunks = ceil(tens * flow.load.body_bytes / 65_536)
        measured = flow.measured
        logs = measured.log_bytes + measured.forward_log_bytes / flow.fill
        return {
            "HTTP API": prices.http_api_million * ceil(flow.load.body_bytes / 524_288),
            "receive": prices.lambda_million + 1e6 * flow.receive * memory * prices.lambda_gb_second,
            "SQS": prices.sqs_million * (chunks + (ten_chunks + 1) / tens),
            "forward": (prices.lambda_million + 1e6 * flow.service * memory * prices.lambda_gb_second) / flow.fill,
            "logs": prices.logs_gb * logs * 1e6 / 1e9,
            "CloudTrail Lake": prices.lake_gb * flow.load.events_per_delivery * flow.load.event_bytes * 1e6 / 1e9,
        }

    def idle_month(self) -> float:
        """What a stack costs without a single webhook: alarms, the secret, and Lambda's polling."""
        polls = self.flow.trigger.pollers * MONTH_DAYS * DAY / POLL_SECONDS
        alarms = WATCHED * self.prices.alarm_month
        return alarms + self.prices.secret_month + polls / 1e6 * self.prices.sqs_million

    def metrics_month(self) -> float:
        """At most: every metric counts something every hour."""
        return METRICS * self.prices.metric_month

    def month(self) -> float:
        return self.idle_month() + self.metrics_month() + self.millions_a_month() * sum(self.parts().values())

    def millions_a_month(self) -> float:
        return self.flow.load.deliveries_per_second * MONTH_DAYS * DAY / 1e6
