"""The capacity model: that it says what the template sets, agrees with a simulation, and is what the page shows."""

import random
import re
from dataclasses import replace
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest
from benchmarks.capacity import TABLES
from benchmarks.cost import METRICS, WATCHED, Cost
from benchmarks.queueing import Flow, Load, Trigger

from trailhook.batch import MAX_BYTES, MAX_EVENTS
from trailhook.deliver import PARALLEL_REQUESTS
from trailhook_local.stack.template import load_document

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TEMPLATE = load_document(ROOT / "template.yaml")


def gathered(load: Load, trigger: Trigger, batches: int = 4_000) -> tuple[float, float]:
    """One poller, simulated delivery by delivery: the mean size of a batch, and the mean wait of a delivery in it."""
    draw = random.Random(4711)  # noqa: S311 - a simulation
    sizes, waits = [], []
    for _ in range(batches):
        arrivals = [0.0]
        while len(arrivals) < trigger.batch_size:
            following = arrivals[-1] + draw.expovariate(load.deliveries_per_second)
            if following > trigger.window_seconds:
                break
            arrivals.append(following)
        closes = trigger.window_seconds if len(arrivals) < trigger.batch_size else arrivals[-1]
        sizes.append(len(arrivals))
        waits += [closes - arrival for arrival in arrivals]
    return fmean(sizes), fmean(waits)


@pytest.mark.parametrize("rate", [0.05, 1, 20, 300])
def test_gathering_agrees_with_a_simulation(rate: float) -> None:
    trigger = Trigger(pollers=1)
    flow = Flow(Load(rate), trigger)
    size, wait = gathered(flow.load, trigger, 400 if rate > 10 else 4_000)
    assert flow.fill == pytest.approx(size, rel=0.05)
    assert flow.mean_gather == pytest.approx(wait, rel=0.05)


def passed(flow: Flow, deliveries: int = 60_000) -> float:
    """Pollers and forwarders, simulated: the mean time of a delivery from its 2xx to CloudTrail."""
    draw, trigger = random.Random(4711), flow.trigger  # noqa: S311 - a simulation
    arrival, batches = 0.0, []
    gathering: list[list[float]] = [[] for _ in range(trigger.pollers)]
    for _ in range(deliveries):
        arrival += draw.expovariate(flow.load.deliveries_per_second)
        poller = draw.randrange(trigger.pollers)
        batch = gathering[poller]
        if batch and arrival > batch[0] + trigger.window_seconds:
            batches.append((batch[0] + trigger.window_seconds, batch))
            batch = gathering[poller] = []
        batch.append(arrival)
        if len(batch) == flow.largest_fill:
            batches.append((arrival, batch))
            gathering[poller] = []
    free, took = [0.0] * trigger.maximum_concurrency, []
    for gathered_at, batch in sorted(batches):
        done = max(gathered_at, heappop(free)) + flow.service_at(len(batch))
        heappush(free, done)
        took += [done - arrival for arrival in batch]
    return fmean(took)


@pytest.mark.parametrize("rate", [12, 100, 278, 1_157])
def test_the_whole_way_agrees_with_a_simulation(rate: float) -> None:
    flow = Flow(Load(rate), Trigger())
    assert flow.mean_latency - flow.receive == pytest.approx(passed(flow), rel=0.05)


@pytest.mark.parametrize(("rate", "forwarders"), [(3_600, 2), (5_000, 4), (8_000, 8)])
def test_near_the_most_that_the_forwarders_take_the_model_says_no_less_than_a_simulation(
    rate: float, forwarders: int
) -> None:
    flow = Flow(Load(rate), Trigger(maximum_concurrency=forwarders))
    assert passed(flow) < flow.mean_latency - flow.receive < float("inf")


def test_the_model_has_the_templates_settings() -> None:
    resources, parameters = TEMPLATE["Resources"], TEMPLATE["Parameters"]
    forward = resources["ForwardFunction"]["Properties"]
    deliveries = forward["Events"]["Deliveries"]["Properties"]
    assert Trigger() == Trigger(
        batch_size=deliveries["BatchSize"],
        window_seconds=deliveries["MaximumBatchingWindowInSeconds"],
        maximum_concurrency=parameters["MaximumConcurrency"]["Default"],
        memory_mb=TEMPLATE["Globals"]["Function"]["MemorySize"],
        timeout_seconds=forward["Timeout"],
        parallel_requests=PARALLEL_REQUESTS,
        requests_per_second=parameters["RequestRate"]["Default"],
    )
    assert resources["DeliveryQueue"]["Properties"]["VisibilityTimeout"] >= Trigger().visibility_timeout


def test_the_model_has_the_products_limits_of_a_request() -> None:
    full = Flow(Load(1_000, event_bytes=100), Trigger())
    assert full.events_per_request == MAX_EVENTS
    large = Flow(Load(1_000, event_bytes=100_000), Trigger())
    assert large.events_per_request * 100_000 == MAX_BYTES


@pytest.mark.parametrize("concurrency", [2, 8])
def test_the_fullest_batch_is_done_well_within_the_timeout(concurrency: int) -> None:
    for events in (1, 100):
        load = Load(10_000, events, 2_000 * events)
        flow = Flow(load, Trigger(maximum_concurrency=concurrency))
        assert flow.service_at(flow.largest_fill) < Trigger().timeout_seconds / 4


def test_no_setting_delivers_more_than_the_account_may() -> None:
    rates = [Flow(Load(10_000), Trigger(maximum_concurrency=number)).most_events_per_second for number in range(2, 9)]
    assert all(less < more for less, more in pairwise(rates))
    assert rates[-1] < 100 * MAX_EVENTS


def test_more_than_the_forwarders_can_take_waits_for_ever() -> None:
    assert Flow(Load(10_000), Trigger(maximum_concurrency=8)).mean_latency == float("inf")


def test_a_lone_delivery_waits_for_the_whole_window() -> None:
    assert Flow(Load(0.001), Trigger()).mean_gather == pytest.approx(5, rel=0.01)


def test_a_backlog_fills_every_batch() -> None:
    flow = Flow(Load(5_000), Trigger(window_seconds=0.01))
    assert flow.fill == flow.largest_fill == 500


def test_lambdas_six_megabytes_bound_a_batch_of_large_deliveries() -> None:
    assert Flow(Load(100, 1, 600_000), Trigger()).largest_fill == 9


def test_a_months_cost_is_its_webhooks_and_what_the_stack_costs_idle() -> None:
    cost = Cost(Flow(Load(1e6 / 2_592_000), Trigger()))
    always = cost.idle_month() + cost.metrics_month()
    assert cost.month() == pytest.approx(always + sum(cost.parts().values()))


def test_every_alarm_and_metric_is_paid_for() -> None:
    alarms = [one["Properties"] for one in TEMPLATE["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    assert sum(sum("MetricStat" in query for query in one.get("Metrics", ())) or 1 for one in alarms) == WATCHED
    sections = re.split(r"^## ", OPERATIONS, flags=re.MULTILINE)[1:]
    (metrics,) = (text for text in sections if text.startswith("Metrics"))
    assert len(set(re.findall(r"`((?:Deliveries|Events|Messages|Configuration|Gateway)\w+)`", metrics))) == METRICS


def test_a_fuller_batch_costs_less() -> None:
    short, long = (Cost(Flow(Load(10), replace(Trigger(), window_seconds=window))) for window in (1, 10))
    assert long.parts()["forward"] < short.parts()["forward"]


@pytest.mark.parametrize("title", TABLES)
def test_the_page_shows_what_the_model_says(title: str) -> None:
    """Run `python -m benchmarks.capacity` and copy its tables where this fails."""
    assert TABLES[title](Trigger()) in PAGE


def test_the_page_says_what_an_idle_stack_costs() -> None:
    cost = Cost(Flow(Load(1), Trigger()))
    assert f"nothing costs ${cost.idle_month():.2f} a month" in PAGE
    assert f"at most ${cost.metrics_month():.2f}" in PAGE
