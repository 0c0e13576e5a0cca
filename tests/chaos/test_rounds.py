"""Small rounds under every fault alone, under all of them at once, and that a broken law would be noticed."""

import json
from pathlib import Path
from random import Random

import pytest

from trailhook_local.chaos.account import Account, Fate, Tally
from trailhook_local.chaos.faults import FAULTS, UnknownFaultError, faults_of_round, parse_faults
from trailhook_local.chaos.round import Round
from trailhook_local.chaos.run import Plan
from trailhook_local.chaos.settings import read_settings
from trailhook_local.chaos.traffic import serials_in

SETTINGS = read_settings(Path(__file__).parents[2] / "template.yaml")
EVENTS = 400
SEED = 11


def run(*names: str, index: int = 0, events: int = EVENTS) -> Tally:
    return Round(SEED, index, events, frozenset(names), SETTINGS).run()


@pytest.mark.parametrize("name", FAULTS)
def test_every_event_is_accounted_for_whatever_fails(name: str) -> None:
    tally = run(name)
    assert tally.holds, tally.broken
    assert tally.lost == tally.unaccounted == tally.innocent_in_quarantine == tally.unexplained_duplicates == 0
    assert tally.received >= EVENTS or tally.counts["deliveries given up by the partner"]
    assert tally.delivered > 0


@pytest.mark.parametrize("index", range(3))
def test_every_event_is_accounted_for_when_everything_fails_at_once(index: int) -> None:
    tally = run(*FAULTS, index=index)
    assert tally.holds, tally.broken
    assert len(tally.faults) > len(FAULTS) / 2, "most of them took place"


def test_a_failure_repeats() -> None:
    assert run(*FAULTS, index=1).to_json() == run(*FAULTS, index=1).to_json()


@pytest.mark.parametrize("index", range(4))
def test_without_faults_each_event_is_delivered_once_in_full_requests(index: int) -> None:
    tally = run(index=index, events=3_000)
    assert tally.holds, tally.broken
    assert tally.delivered + tally.filtered == 3_000
    assert not tally.duplicates
    assert tally.counts["receives"] == tally.counts["messages finished"]
    assert tally.counts["entries"] == tally.delivered


def test_poison_is_quarantined_at_the_first_attempt_and_nothing_else_is() -> None:
    tally = run("poison", index=2, events=3_000)
    assert tally.holds, tally.broken
    assert sum(tally.quarantined.values()) > 10
    assert not tally.duplicates
    assert tally.counts["receives"] == tally.counts["messages finished"], "nothing came back or was handed back"


@pytest.mark.parametrize("name", ["channel-gone", "permission-lost", "unsubscribed"])
def test_a_configuration_fault_heals_by_itself_and_doubles_nothing(name: str) -> None:
    tally = run(name, events=3_000)
    assert tally.holds, tally.broken
    assert tally.counts["messages returned"] > 0
    assert not tally.duplicates
    assert tally.delivered + tally.filtered == 3_000


@pytest.mark.parametrize("index", range(3))
def test_a_killer_takes_only_itself_to_the_dead_letters(index: int) -> None:
    tally = run("killer", index=index, events=3_000)
    assert tally.holds, tally.broken
    assert tally.faults["killer"] == SETTINGS.max_receives
    assert tally.waiting == 1
    assert tally.delivered + tally.filtered == 3_000


def test_what_is_lost_altered_forged_or_doubled_breaks_the_law() -> None:
    account = Account()
    account.fates = dict.fromkeys(range(6), Fate())
    account.queue(range(6))
    account.take(1, 10)
    account.take(1, 10)
    account.take(2, 20)
    account.take(2, 21)
    account.explain("answer lost", [2])
    account.take(99, 1)
    account.take(4, 40)
    kept = b'{"code": "InvalidData", "body": "{\\"serial\\":\\"5\\"}"}\n'
    tally = account.settle([kept], {3}, serials_in)
    assert not tally.holds
    assert (tally.lost, tally.unaccounted, tally.innocent_in_quarantine) == (1, 1, 1)
    assert tally.unexplained_duplicates == 1
    assert tally.duplicates == {"answer lost": 1}
    assert tally.broken == [
        "event 0 is lost",
        "event 3 is not done, though nothing is wrong any more",
        "event 5 is no poison and in quarantine as InvalidData",
        "event 1 was delivered 1 times more than anything explains",
        "1 events that nobody sent",
        "1 events came again with another id or content",
    ]


def test_what_ends_otherwise_than_it_should_breaks_the_law() -> None:
    account = Account()
    poison = [Fate(code="NotJson", original=b'{"serial":"%d"}' % serial) for serial in range(4)]
    account.fates = dict(enumerate([*poison, Fate(filtered=True), Fate()]))
    account.queue(range(5))
    for serial in (1, 4, 5):
        account.take(serial, serial)
    lines = [(0, "NotJson", ""), (2, "NotJson", " "), (3, "MissingField", ""), (99, "NotJson", "")]
    kept = [
        json.dumps({"code": code, "body": f'{{"serial":"{serial}"}}{altered}'}).encode()
        for serial, code, altered in lines
    ]
    tally = account.settle(kept, set(), serials_in)
    assert not tally.holds
    assert tally.broken == [
        "event 5 arrived and was never received",
        "event 1 was delivered and should not have been",
        "event 2 is in quarantine otherwise than it came: NotJson",
        "event 3 is in quarantine otherwise than it came: MissingField",
        "event 4 was delivered and should not have been",
        "1 events that nobody sent",
    ]


def test_a_run_is_the_same_rounds_whatever_its_length() -> None:
    assert Plan(12_000, 1).rounds() == [(0, 5_000), (1, 5_000), (2, 2_000)]
    assert Plan(12_000, 1, only=1).rounds() == [(1, 5_000)]


def test_faults_take_turns_until_each_was_alone() -> None:
    rng = Random(1)  # noqa: S311 - a seed makes it repeatable
    alone = {name for index in range(0, 3 * len(FAULTS), 3) for name in faults_of_round(index, rng)}
    assert alone == set(FAULTS)
    assert faults_of_round(2, rng) == set(FAULTS)


def test_faults_are_chosen_by_name() -> None:
    assert parse_faults("throttled, killed") == {"throttled", "killed"}
    assert parse_faults("all") == set(FAULTS)
    assert not parse_faults("none")
    with pytest.raises(UnknownFaultError, match="There is no fault bored; say all or none, or some of: throttled"):
        parse_faults("throttled,bored")
