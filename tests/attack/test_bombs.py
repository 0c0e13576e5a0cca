"""Nothing that a sender can put into one request takes the memory or the time of a function."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.attack.bomb import BOMBS

pytestmark = pytest.mark.timeout(1_000)
"""A minute of CPU; only what hangs takes that long."""
ROOT = Path(__file__).parents[2]
RECEIVE_BYTES = 256_000_000
FORWARD_BYTES = 768_000_000
"""Both functions have 1,024 MB."""
MOST_ANCHORS = {"receive": 3, "forward": 50}
"""Times as long as it takes to parse an object of a million members, some 0.6 seconds. The functions have 10 and 60."""


@pytest.fixture(scope="module")
def reports() -> dict[tuple[str, str], dict[str, Any]]:
    """What became of each bomb in receive and forward, one after the other in one process."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.attack.bomb"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
    )
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return {(line["name"], line["function"]): line for line in lines}


def test_each_is_accepted_or_does_not_fit_a_message(reports: dict[tuple[str, str], dict[str, Any]]) -> None:
    statuses = {name: reports[name, "receive"]["status"] for name in BOMBS}
    assert {name for name, status in statuses.items() if status == 413} == {"noise", "as many keys as fit"}
    assert set(statuses.values()) == {202, 413}
    for name, status in statuses.items():
        assert (status == 202) == ((name, "forward") in reports)


REFUSED = {
    "gzip that grows to gigabytes": "TooLargeOpened",
    "gzip in gzip": "NotUtf8",
    "gzip to just what is opened": "TooManyValues",
    "more values than are read": "TooManyValues",
    "as many values as are read": "TooManyEvents",
    "numbers on a line": "TooManyEvents",
    "gzip of one deep value": "TooManyValues",
    "empty gzip members": "EmptyBody",
    "100,000 levels": "TooDeep",
    "100,000 levels of objects": "TooDeep",
    "levels without an end": "TooManyValues",
    "one key again and again": "AmbiguousJson",
    "one huge number": "AmbiguousJson",
    "many small events": "TooManyEvents",
    "broken lines": "NotJson",
}


@pytest.mark.parametrize(("name", "code"), REFUSED.items(), ids=REFUSED.keys())
def test_each_is_kept_whole_with_the_reason(
    reports: dict[tuple[str, str], dict[str, Any]], name: str, code: str
) -> None:
    assert reports[name, "forward"]["ends"] == {code: 1}


def test_what_stands_beside_an_event_of_a_million_levels_is_mapped(
    reports: dict[tuple[str, str], dict[str, Any]],
) -> None:
    assert reports["levels beside an event", "forward"]["ends"] == {"mapped": 2, "TooDeep": 1}


def test_memory_stays_well_below_what_the_functions_have(reports: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Measured: up to 175 and 550 MB, the making of the bodies included (`python -m tests.attack.bomb`)."""
    peaks = {
        function: max(one["peak"] for (_, kind), one in reports.items() if kind == function)
        for function in ("receive", "forward")
    }
    assert peaks["receive"] < RECEIVE_BYTES
    assert peaks["forward"] < FORWARD_BYTES


def test_none_takes_long(reports: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Measured: a third of an anchor in receive; in forward up to seven, but 10 for as many keys as are read, and 16 to
    19 if their values are numbers that take a closer look.
    """
    assert [one for (_, function), one in reports.items() if one["anchors"] > MOST_ANCHORS[function]] == []
