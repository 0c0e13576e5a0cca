"""An operator's credentials need what docs/operations.md lists for each command, and no more."""

import re
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.watched import Watched, watch

pytestmark = pytest.mark.stack

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in row.split(" | ")]
    for row in re.findall(r"^\| (`[a-z0-9]+:[A-Z].*) \|$", PAGE.split("\n## The command line\n")[1], re.MULTILINE)
]

_CALLED_OTHERWISE = {"ListObjectsV2": "ListBucket"}
"""Calls that take an action of another name; a batch of SQS's takes that of the single call."""


def listed(command: str, *, dry_run: bool = False) -> Set[str]:
    """The actions that the page lists for a command of a stack; those on a key of one's own no API call shows."""
    return {
        action
        for actions, _, purpose in ROWS
        if {command, "--stack"} & set(re.findall(r"`([a-z-]+)`", purpose))
        and not (dry_run and "not for a dry run" in purpose)
        for action in re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", actions)
        if not action.startswith("kms:")
    }


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The actions of all calls that any client of boto3's makes from now on."""
    actions: set[str] = set()
    call: Callable[..., Any] = vars(BaseClient)["_make_api_call"]

    def record(client: Any, operation: str, parameters: Any) -> Any:
        action = _CALLED_OTHERWISE.get(operation, operation.removesuffix("Batch"))
        actions.add(f"{client.meta.service_model.service_name}:{action}")
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    return actions


@pytest.fixture
def watched(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    place.queue(*(delivery("okta", b"dead") for _ in range(2)), dead=True)
    with watch(place, monkeypatch) as stack:
        stack.count("DeliveriesQueued", 1)
        yield stack


def redrive(watched: Watched, what: str, *options: str) -> None:
    result = watched.place.redrive(what, *options, named=["--stack", watched.name, "--region", "us-east-1"])
    assert result.exit_code == 0, result.output


def test_status_takes_what_is_listed(watched: Watched, called: set[str]) -> None:
    called.clear()
    assert watched.status().exit_code == 1
    assert called == listed("status")


def test_the_way_back_of_quarantined_events_takes_what_is_listed(watched: Watched, called: set[str]) -> None:
    called.clear()
    redrive(watched, "quarantine", "--dry-run")
    assert called == listed("quarantine", dry_run=True)
    redrive(watched, "quarantine")
    assert called == listed("quarantine")


def test_the_way_back_of_dead_letters_takes_what_is_listed(watched: Watched, called: set[str]) -> None:
    called.clear()
    redrive(watched, "dead-letters", "--dry-run")
    assert called <= listed("dead-letters", dry_run=True)
    redrive(watched, "dead-letters", "--contains", "dead")
    watched.place.queue(delivery("okta", b"dead"), dead=True)
    redrive(watched, "dead-letters")
    assert called == listed("dead-letters")
