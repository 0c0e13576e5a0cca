"""The queueing model behind the SQS trigger's settings, and what they cost: prints the tables of docs/capacity.md.

    .venv/bin/python -m benchmarks.capacity

What was measured here, is documented by AWS, or is assumed stands in `Measured` and `Prices`, one figure a line; the
rest is arithmetic. `benchmarks/capacity_check.py` holds the model against the local stack.
"""

from dataclasses import dataclass, field, replace
from math import ceil, sqrt

from rich.console import Console
from rich.markdown import Markdown

VCPU_MEMORY_MB = 1769
"""Memory at which Lambda gives a whole virtual processor ("Configure Lambda function memory")."""

PAYLOAD_BYTES = 6_000_000
"""At which Lambda stops gathering ("Using Lambda with Amazon SQS")."""

REQUEST_EVENTS, REQUEST_BYTES = 100, 1_000_000
"""What one PutAuditEvents request takes."""

MONTH_DAYS, DAY = 30, 86_400


@dataclass(frozen=True)
class Measured:
    """CPU in seconds of one whole processor, from the benchmarks beside this file; sizes in bytes."""

    receive_cpu: float = 0.0016
    """A warm invocation of receive: benchmarks/cold_start.py."""
    invocation_cpu: float = 0.002
    """An invocation of forward with next to no events: the same."""
    event_cpu: float = 120e-6
    """An event in forward, its part of the request included: benchmarks/forward.py."""
    cold_start_cpu: float = 0.21
    """Init and first invocation: benchmarks/cold_start.py."""
    record_bytes: int = 1_300
    """What envelope and Lambda's record add to a body in forward's event: 475 and 530, and quotes that are escaped."""
    log_bytes: int = 1_600
    """A webhook's: 600 for receive's two lines, measured; 1,000 for Lambda's own and the access log, estimated."""
    forward_log_bytes: int = 1_000
    """An invocation's of forward: 460 measured, the rest Lambda's own."""
    put_seconds: float = 0.08
    """An answer of PutAuditEvents. Assumed: nobody measured it yet."""
    send_seconds: float = 0.01
    """An answer of SendMessage. Assumed."""


@dataclass(frozen=True)
class Load:
    """What arrives. `body_bytes` is a delivery's body on the queue, `event_bytes` an event in a request."""

    deliveries_per_second: float
    events_per_delivery: float = 1
    body_bytes: int = 2_000
    event_bytes: int = 2_000


@dataclass(frozen=True)
class Trigger:
    """The settings of template.yaml. `pollers` gather batches side by side: Lambda begins with five connections."""

    batch_size: int = 500
    window_seconds: float = 5
    maximum_concurrency: int = 2
    memory_mb: int = 1024
    timeout_seconds: float = 60
    parallel_requests: int = 20
    requests_per_second: float = 100
    pollers: int = 5

    @property
    def processor(self) -> float:
        """The share of a processor; Python uses no more than one."""
        return min(1.0, self.memory_mb / VCPU_MEMORY_MB)

    @property
    def visibility_timeout(self) -> float:
        """The least that Lambda asks for: six timeouts and the window."""
        return 6 * self.timeout_seconds + self.window_seconds


@dataclass(frozen=True)
class Flow:
    """What a load makes of a trigger, in the long run. Times in seconds."""

    load: Load
    trigger: Trigger
    measured: Measured = field(default_factory=Measured)

    @property
    def largest_fill(self) -> float:
        """Deliveries that an invocation takes at most: the batch size, or Lambda's 6 MB."""
        record = self.load.body_bytes + self.measured.record_bytes
        return max(1.0, min(self.trigger.batch_size, PAYLOAD_BYTES // record))

    @property
    def fill(self) -> float:
        """Deliveries an invocation. The first one opens the window, and what comes while it is open joins it.

        Where the forwarders cannot keep up, a backlog fills every batch.
        """
        gathered = 1 + self.load.deliveries_per_second / self.trigger.pollers * self.trigger.window_seconds
        fill = min(self.largest_fill, gathered)
        return fill if self.utilization_at(fill) < 1 else self.largest_fill

    @property
    def events(self) -> float:
        """Events an invocation."""
        return self.fill * self.load.events_per_delivery

    def requests_at(self, fill: float) -> float:
        """Requests that so many deliveries make, on average: full ones, and a last one that seldom is."""
        events = fill * self.load.events_per_delivery
        full = events / min(REQUEST_EVENTS, REQUEST_BYTES // self.load.event_bytes)
        return full if full.is_integer() else max(1.0, full + 0.5)

    @property
    def events_per_request(self) -> float:
        return self.events / self.requests_at(self.fill)

    @property
    def invocations_per_second(self) -> float:
        return self.load.deliveries_per_second / self.fill

    def service_at(self, fill: float) -> float:
        """How long an invocation with so many deliveries takes.

        Its CPU on its share of a processor; then its requests, begun at this forwarder's part of the rate and under way
        together; then the last answer. Of several portions CPU and requests overlap, so this is an upper bound.
        """
        events, requests = fill * self.load.events_per_delivery, self.requests_at(fill)
        cpu = self.measured.invocation_cpu + events * self.measured.event_cpu
        pace = self.trigger.requests_per_second / self.trigger.maximum_concurrency
        rounds = ceil(requests / self.trigger.parallel_requests)
        return cpu / self.trigger.processor + (requests - 1) / pace + rounds * self.measured.put_seconds

    @property
    def service(self) -> float:
        return self.service_at(self.fill)

    def utilization_at(self, fill: float) -> float:
        busy = self.load.deliveries_per_second / fill * self.service_at(fill)
        return busy / self.trigger.maximum_concurrency

    @property
    def utilization(self) -> float:
        """The share of the forwarders' time that the load takes; from 1 on the queue grows."""
        return self.utilization_at(self.fill)

    @property
    def most_events_per_second(self) -> float:
        """What the trigger can deliver with full batches. The rate of requests bounds it within `service_at`."""
        full = self.largest_fill * self.load.events_per_delivery
        return self.trigger.maximum_concurrency * full / self.service_at(self.largest_fill)

    @property
    def gather(self) -> float:
        """How long a batch is gathered: until the window ends or it is full."""
        if self.utilization >= 1:
            return 0.0
        per_poller = self.load.deliveries_per_second / self.trigger.pollers
        return min(self.trigger.window_seconds, (self.largest_fill - 1) / per_poller)

    @property
    def mean_gather(self) -> float:
        """How long a delivery waits in its batch: the first one all the time, the others half of it on average."""
        return self.gather * (self.fill + 1) / (2 * self.fill)

    @property
    def queueing(self) -> float:
        """The mean wait for a free forwarder: an M/M/c queue after Sakasegawa, halved, as service varies little."""
        load, servers = self.utilization, self.trigger.maximum_concurrency
        if load >= 1:
            return float("inf")
        waiting: float = load ** (sqrt(2 * (servers + 1)) - 1) / (servers * (1 - load)) / 2
        return waiting * self.service

    @property
    def receive(self) -> float:
        """From POST to 2xx, warm, without API Gateway's own time and the network."""
        return self.measured.receive_cpu / self.trigger.processor + self.measured.send_seconds

    @property
    def mean_latency(self) -> float:
        """From POST until CloudTrail has the event. What CloudTrail takes to make it queryable comes on top."""
        return self.receive + self.mean_gather + self.queueing + self.service

    @property
    def receive_concurrency(self) -> float:
        return self.load.deliveries_per_second * self.receive


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


METRICS, ALARMS = 10, 10
POLL_SECONDS = 20
"""What an idle poller's receive waits."""


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

    def fixed_month(self) -> float:
        """What a stack costs without a single webhook: metrics, alarms, the secret, and Lambda's polling."""
        prices = self.prices
        polls = self.flow.trigger.pollers * MONTH_DAYS * DAY / POLL_SECONDS
        fixed = METRICS * prices.metric_month + ALARMS * prices.alarm_month + prices.secret_month
        return fixed + polls / 1e6 * prices.sqs_million

    def month(self) -> float:
        return self.fixed_month() + self.millions_a_month() * sum(self.parts().values())

    def millions_a_month(self) -> float:
        return self.flow.load.deliveries_per_second * MONTH_DAYS * DAY / 1e6


def seconds(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def latency_table(trigger: Trigger) -> str:
    rows = []
    for rate, concurrency in ((1, 2), (100, 2), (1_000, 2), (5_000, 4), (10_000, 8)):
        flow = Flow(Load(rate), replace(trigger, maximum_concurrency=concurrency))
        rows.append([
            f"{rate:,}", f"{concurrency}", f"{flow.fill:.0f}", f"{flow.events_per_request:.0f}",
            f"{flow.invocations_per_second:.1f}", f"{flow.service * 1e3:.0f} ms", f"{flow.utilization:.0%}",
            f"{flow.most_events_per_second:,.0f}", seconds(flow.mean_gather), seconds(flow.queueing),
            seconds(flow.mean_latency),
        ])  # fmt: skip
    columns = ["events/s", "forwarders", "deliveries a batch", "events a request", "batches/s", "a run takes", "used"]
    return table([*columns, "most events/s", "gathering", "queueing", "POST to CloudTrail, mean"], rows)


def window_table(trigger: Trigger) -> str:
    rows = []
    for window in (1, 2, 5, 10, 30):
        row = [f"{window} s"]
        for rate in (1, 10, 100):
            flow = Flow(Load(rate), replace(trigger, window_seconds=window))
            forward = Cost(flow).parts()["forward"]
            row += [f"{flow.events_per_request:.0f}", seconds(flow.mean_latency), f"${forward:.2f}"]
        rows.append(row)
    columns = ["window"]
    for rate in (1, 10, 100):
        columns += [f"{rate}/s: events a request", "latency", "forward, a million"]
    return table(columns, rows)


def memory_table(trigger: Trigger) -> str:
    rows = []
    for memory in (256, 512, 1024, 1769):
        flow = Flow(Load(100), replace(trigger, memory_mb=memory))
        parts = Cost(flow).parts()
        cold = flow.measured.cold_start_cpu
        rows.append([
            f"{memory:,} MB", seconds(flow.receive), seconds(flow.service), f"{flow.most_events_per_second:,.0f}",
            f"${parts['receive']:.2f}", f"${parts['forward']:.3f}",
            seconds(cold), seconds(cold / flow.trigger.processor),
        ])  # fmt: skip
    columns = [
        "memory",
        "receive",
        "forward, 101 deliveries",
        "most events/s",
        "receive, a million",
        "forward, a million",
    ]
    return table([*columns, "cold start, boosted", "cold start, not boosted"], rows)


def cost_table(trigger: Trigger) -> str:
    loads = {
        "1 event of 2 kB, 1/s": Load(1),
        "1 event of 2 kB, 100/s": Load(100),
        "10 events of 2 kB, 100/s": Load(100, 10, 20_000),
        "100 events of 2 kB, 10/s": Load(10, 100, 200_000),
    }
    rows = []
    for name, load in loads.items():
        parts = Cost(Flow(load, trigger)).parts()
        rows.append([name, *(f"${part:.2f}" for part in parts.values()), f"**${sum(parts.values()):.2f}**"])
    return table(["a webhook is", *Cost(Flow(Load(1), trigger)).parts(), "a million webhooks"], rows)


OPERATORS = {
    "1 million events a day, one a webhook": (Load(1e6 / DAY), 2),
    "the same, all of it within an hour": (Load(1e6 / 3600), 2),
    "100 million events a day, one a webhook": (Load(1e8 / DAY), 2),
    "the same, in a peak of four times the rate": (Load(4e8 / DAY), 4),
    "100 million events a day, 100 a webhook": (Load(1e6 / DAY, 100, 200_000), 2),
}


def operator_table(trigger: Trigger) -> str:
    rows = []
    for name, (load, concurrency) in OPERATORS.items():
        flow = Flow(load, replace(trigger, maximum_concurrency=concurrency))
        rows.append([
            name, f"{load.deliveries_per_second:,.0f}", f"{concurrency}", f"{flow.utilization:.0%}",
            f"{flow.most_events_per_second:,.0f}", seconds(flow.mean_latency), f"{ceil(flow.receive_concurrency)}",
        ])  # fmt: skip
    columns = ["load", "webhooks/s", "`MaximumConcurrency`", "used", "most events/s", "POST to CloudTrail, mean"]
    return table([*columns, "receive at once"], rows)


def month_table(trigger: Trigger) -> str:
    rows = []
    for name in ("1 million events a day, one a webhook", "100 million events a day, one a webhook",
                 "100 million events a day, 100 a webhook"):  # fmt: skip
        cost = Cost(Flow(OPERATORS[name][0], trigger))
        lake = cost.parts()["CloudTrail Lake"] * cost.millions_a_month()
        rows.append([name, f"${cost.month() - lake:,.0f}", f"${lake:,.0f}", f"${cost.month():,.0f}"])
    return table(["load", "Trailhook, a month", "CloudTrail Lake's ingestion", "together"], rows)


TABLES = {
    "Latency": latency_table,
    "Window": window_table,
    "Memory": memory_table,
    "Cost of a million webhooks": cost_table,
    "What operators set": operator_table,
    "Cost of a month": month_table,
}


def main() -> None:
    trigger = Trigger()
    for title, make in TABLES.items():
        Console(width=160).print(Markdown(f"## {title}"))
        print(make(trigger))
        print()
    cost = Cost(Flow(Load(1), trigger))
    print(f"A stack that receives nothing costs ${cost.fixed_month():.2f} a month.")


if __name__ == "__main__":
    main()
