"""`trailhook chaos` as it is run: a ledger for a person, one for a program, and a status."""

import json

import pytest
from click.testing import CliRunner

from trailhook_local.chaos import account
from trailhook_local.chaos.faults import FAULTS
from trailhook_local.cli.main import main


def test_a_run_ends_with_its_ledger_and_what_repeats_it() -> None:
    done = CliRunner().invoke(main, ["chaos", "--events", "300", "--seed", "5", "--faults", "throttled,dropped"])
    assert done.exit_code == 0, done.output
    ledger = json.loads(done.output.splitlines()[-1])
    assert ledger["law"] is True
    assert ledger["received"] == 300 == ledger["delivered"] + ledger["filtered"]
    assert ledger["command"] == "trailhook chaos --events 300 --seed 5 --faults dropped,throttled"


def test_a_run_that_breaks_the_law_fails_and_says_what_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing explains here why events come again whose answer was lost."""
    monkeypatch.setattr(account, "CAUSES", ())
    done = CliRunner().invoke(main, ["chaos", "--events", "1000", "--seed", "5", "--faults", "dropped"])
    assert done.exit_code == 1
    ledger = json.loads(done.output.splitlines()[-1])
    assert (ledger["law"], ledger["unexplained_duplicates"] > 0) == (False, True)
    [broken] = ledger["broken"]
    assert broken["command"] == f"{ledger['command']} --round {broken['round']}"
    assert "times more than anything explains" in broken["what"][0]
    again = CliRunner().invoke(main, broken["command"].split()[1:])
    assert (again.exit_code, json.loads(again.output.splitlines()[-1])["broken"]) == (1, [broken])


def test_the_help_explains_every_fault() -> None:
    shown = " ".join(CliRunner().invoke(main, ["chaos", "--help"]).output.split())
    for name, what in FAULTS.items():
        assert f"{name} {what}" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--faults", "bored"], "There is no fault bored"),
        (["--faults", ""], "There is no fault ''"),
        (["--faults", "none,killed"], "There is no fault none; say all or none, or some of: throttled"),
        (["--stack", "--faults", "all"], "faults of its own"),
        (["--stack", "--faults", ""], "faults of its own"),
        (["--stack", "--processes", "2"], "no --faults, --round, --processes"),
        (["--events", "1000", "--seed", "1", "--round", "9"], "there is no round 9"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: list[str], told: str) -> None:
    done = CliRunner().invoke(main, ["chaos", *arguments])
    assert done.exit_code == 2
    assert told in done.output
