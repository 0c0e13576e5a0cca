"""What the settings of the SQS trigger mean and cost: prints the tables of docs/capacity.md.

    .venv/bin/python -m benchmarks.capacity

What was measured here, is documented by AWS, or is assumed stands in `queueing.Measured` and `cost.Prices`.
"""

from dataclasses import replace
from math import ceil

from benchmarks.cost import DAY, Cost
from benchmarks.queueing import Flow, Load, Trigger
from rich.console import Console
from rich.markdown import Markdown


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
    print(
        f"A stack that receives nothing costs ${cost.idle_month():.2f} a month; metrics, ${cost.metrics_month():.2f}."
    )


if __name__ == "__main__":
    main()
