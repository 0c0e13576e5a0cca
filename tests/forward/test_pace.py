"""A forwarder keeps to its share of the account's requests by itself, and says no more than that there was no time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import MemoryClock
from tests.forward.ports import MemoryDestination, entries

from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer, Halt
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.errors import SettingsError
from trailhook.pace import Pace
from trailhook.settings import ForwardSettings

REQUIRED = {
    "PARTNER": "github",
    "DELIVERY_QUEUE_URL": "https://sqs.example/queue",
    "CHANNEL_ARN": "arn:aws:cloudtrail:us-east-1:111122223333:channel/1",
    "QUARANTINE_BUCKET": "bucket",
}
REFUSED = Outcome(Disposition.CONFIGURATION, "ChannelNotFound")


@given(st.floats(0.5, 200, allow_nan=False), st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=50))
def test_no_second_holds_more_turns_than_it_may(rate: float, idle: list[float]) -> None:
    pace, now, turns = Pace(rate), 0.0, []
    for seconds in idle:
        now += seconds
        pause = pace.turn(now, float("inf"))
        assert pause is not None
        turns.append(now + pause)
    for turn in turns:
        assert sum(turn <= other < turn + 1 - 1e-6 for other in turns) <= rate + 1


def test_requests_keep_their_distance_also_from_one_invocation_to_the_next() -> None:
    clock, destination = MemoryClock(0), MemoryDestination()
    deliverer = Deliverer(destination, parallel=1, pace=Pace(4), sleep=clock.sleep)
    for _ in range(2):
        outcomes = deliverer.deliver(entries(500), Deadline(60, clock.now), Halt())
        assert set(outcomes.values()) == {DELIVERED}
    assert len(destination.batches) == 10
    assert clock.time == 9 * 0.25


def test_what_has_no_turn_before_the_deadline_waits_unsent() -> None:
    clock, destination = MemoryClock(0), MemoryDestination()
    deliverer = Deliverer(destination, parallel=1, pace=Pace(1), sleep=clock.sleep)
    outcomes = deliverer.deliver(entries(500), Deadline(1.5, clock.now), Halt())
    assert len(destination.batches) == 2
    waiting = [outcome for outcome in outcomes.values() if outcome is not DELIVERED]
    assert {(outcome.disposition, outcome.code) for outcome in waiting} == {(Disposition.RETRY, "OutOfTime")}
    assert len(waiting) == 300
    assert clock.time < 1.5, "nor is that turn waited for"


def test_what_is_halted_while_it_waits_for_its_turn_is_not_sent() -> None:
    halt, destination = Halt(), MemoryDestination()
    deliverer = Deliverer(destination, parallel=1, pace=Pace(1), sleep=lambda _: halt.stop())
    outcomes = deliverer.deliver(entries(200), Deadline(60, MemoryClock(0).now), halt)
    assert len(destination.batches) == 1
    assert [outcome.code for outcome in outcomes.values()] == [""] * 100 + ["Halted"] * 100


def test_what_is_halted_before_its_turn_does_not_wait_for_that() -> None:
    """At a low rate an invocation whose caller is refused would last until its deadline."""
    clock, destination = MemoryClock(0), MemoryDestination(judge=lambda _entry: REFUSED)
    deliverer = Deliverer(destination, parallel=1, pace=Pace(1), sleep=clock.sleep)
    deliverer.deliver(entries(500), Deadline(60, clock.now), Halt())
    assert (len(destination.batches), clock.time) == (1, 0)


@pytest.mark.parametrize(
    ("given_environment", "share"),
    [
        ({}, None),
        ({"REQUEST_RATE": ""}, None),
        ({"REQUEST_RATE": "0", "MAXIMUM_CONCURRENCY": "2"}, None),
        ({"REQUEST_RATE": "30"}, 30),
        ({"REQUEST_RATE": "30", "MAXIMUM_CONCURRENCY": "4"}, 7.5),
    ],
)
def test_each_forwarder_takes_its_part_of_the_stacks_rate(
    given_environment: dict[str, str], share: float | None
) -> None:
    assert ForwardSettings.from_environ(REQUIRED | given_environment).requests_per_second == share


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("REQUEST_RATE", "fast", 0),
        ("REQUEST_RATE", "-1", 0),
        ("MAXIMUM_CONCURRENCY", "0", 1),
        ("MAXIMUM_CONCURRENCY", "inf", 1),
    ],
)
def test_a_rate_that_is_none_is_refused_by_name_with_what_is_allowed(name: str, value: str, least: int) -> None:
    with pytest.raises(SettingsError, match=rf"{name}='{value}' is .*; say (a number|one) from {least} on"):
        ForwardSettings.from_environ(REQUIRED | {name: value})
