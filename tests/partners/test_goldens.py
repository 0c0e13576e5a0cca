"""Every kind of event that a partner is known to send, and the awkward ones, with what exactly becomes of them.

After a deliberate change: `pytest tests/partners --regenerate-goldens`, then read the difference.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.partners.cases import FIXTURES, Case, cases, outcomes, sample_files

from trailhook.descriptor import Descriptor
from trailhook.errors import MalformedDelivery
from trailhook.members import object_at
from trailhook.partners import FOLDER, REGISTRY
from trailhook.selection import Subject

LARGEST_FIXTURE_BYTES = 2_000
PAGES = Path(__file__).parents[2] / "docs" / "partners"


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case.name)
def test_mapping_yields_the_golden_events(case: Case, regenerate_goldens: bool) -> None:
    actual = [_without_reason(outcome) for outcome in outcomes(case.delivery())]
    if regenerate_goldens:
        case.expected_path.write_text(json.dumps(actual, indent=2, ensure_ascii=False) + "\n")
    assert actual == json.loads(case.expected_path.read_text())


@pytest.mark.parametrize("partner", sorted(REGISTRY))
def test_partner_has_fixtures_and_a_page(partner: str) -> None:
    assert any(case.partner == partner for case in cases()), f"tests/partners/fixtures/{partner} has no case"
    page = PAGES / f"{partner}.md"
    assert page.is_file(), f"docs/partners/{partner}.md is missing"
    assert "quarantine" in page.read_text()


def descriptors() -> Iterator[tuple[str, str]]:
    """Each kind of event of each partner that is a descriptor."""
    for name in sorted(REGISTRY):
        if (file := FOLDER / f"{name}.json").is_file():
            yield from ((name, kind.name) for kind in Descriptor.read(file).kinds)


@pytest.mark.parametrize(("partner", "kind"), list(descriptors()), ids=str)
def test_every_kind_of_event_that_a_descriptor_knows_has_a_golden_pair(partner: str, kind: str) -> None:
    descriptor = Descriptor.read(FOLDER / f"{partner}.json")
    met: set[str | None] = set()
    for case in (case for case in cases() if case.partner == partner):
        with contextlib.suppress(MalformedDelivery):
            for event in descriptor.events(case.delivery()):
                inner = object_at(event.value, descriptor.spec.get("inside", "")) or event.value
                met |= {next((k.name for k in descriptor.kinds if k.fits(Subject(inner, event.delivery))), None)}
    assert kind in met, f"tests/partners/fixtures/{partner} has no {kind}"


def test_every_file_belongs_to_a_case() -> None:
    known = {path for case in cases() for path in (case.path, case.expected_path)}
    assert {path for path in FIXTURES.rglob("*") if path.is_file()} == known
    assert {case.partner for case in cases()} <= set(REGISTRY)


def test_fixtures_are_small() -> None:
    large = [case.name for case in cases() if case.path.stat().st_size > LARGEST_FIXTURE_BYTES]
    assert not large


def test_every_kind_of_github_webhook_has_a_fixture() -> None:
    [index] = sample_files("github/webhooks-index.ndjson")
    sent = {json.loads(line)["x_github_event"] for line in index.read_text().splitlines()}
    have = {case.delivery().header("x-github-event") for case in cases() if case.partner == "github"}
    assert sent <= have


def test_every_github_audit_log_action_has_a_fixture() -> None:
    sent = set()
    for path in sample_files("github/audit-*.ndjson", "github/git-*.ndjson"):
        if ".truth." not in path.name:
            sent |= {json.loads(line)["action"] for line in path.read_text().splitlines()}
    assert sent <= _event_names("github")


def test_every_okta_event_type_has_a_fixture() -> None:
    sent = set()
    for path in sample_files("okta/systemlog-*.ndjson"):
        if ".truth." not in path.name:
            events = [json.loads(line) for line in path.read_text().splitlines()]
            sent |= {event.get("eventType") or event["eventtype"] for event in events}
    assert sent <= _event_names("okta")


def _without_reason(outcome: dict[str, Any]) -> dict[str, Any]:
    """Reasons are for people, and some quote the JSON parser of the Python at hand; the code is what stays."""
    return {name: value for name, value in outcome.items() if name != "reason"}


def _event_names(partner: str) -> set[str]:
    return {
        outcome["eventData"]["eventName"]
        for case in cases()
        if case.partner == partner
        for outcome in outcomes(case.delivery())
        if "eventData" in outcome
    }
