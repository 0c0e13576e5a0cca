"""Every member of every fixture and of every real payload, taken out or replaced: all of it is mapped or refused.

`make nightly` tries each of them; otherwise a few are picked, always the same.
"""

import copy
import json
import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from tests.partners.cases import SAMPLES, cases, delivery, outcomes
from tests.partners.test_properties import assert_an_end, places
from tests.partners.test_truth import PARTNERS

from trailhook.delivery import Delivery
from trailhook.partners import REGISTRY

ONE_OF = {"nightly": 1, "quick": 2_003}.get(os.environ.get("TRAILHOOK_SEARCH", ""), 401)
"""Of so many mutations one is tried. A prime, so that no member and no replacement is always the one left out."""

REPLACEMENTS: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    " ",
    "-",
    "0001-01-01T00:00:00Z",
    "灯" * 400,
    "x" * 120_000,
    "\ud83d",
    [],
    {},
    [None, {"name": "password", "value": "fake"}],
    {"id": {"id": 1}, "time": [], "": ""},
]
TAKEN_OUT = object()


def deliveries(partner: str) -> Iterator[Delivery]:
    """What the partner's fixtures hold and, where they lie beside the repository, its real payloads."""
    for case in cases():
        if case.partner == partner:
            yield case.delivery()
    for folder in (folder for folder, name in PARTNERS.items() if name == partner):
        for path in sorted(SAMPLES.glob(f"{folder}/*.ndjson")):
            if ".truth." not in path.name and "index" not in path.name:
                yield from (delivery(partner, line) for line in path.read_bytes().splitlines())
    if partner == "github":
        for path in sorted(SAMPLES.glob("github/webhooks/*.json")):
            headers = {"x-github-event": path.name.partition(".")[0], "x-github-delivery": path.name}
            yield delivery(partner, path.read_bytes(), headers)


def mutations(sent: Delivery) -> Iterator[tuple[Delivery, int, Any]]:
    """Which place to change, and what to put there."""
    try:
        total = sum(1 for _ in places(json.loads(sent.body)))
    except ValueError:
        return
    for number in range(total):
        for replacement in (TAKEN_OUT, *REPLACEMENTS):
            yield sent, number, replacement


def mutated(sent: Delivery, number: int, replacement: Any) -> Delivery:
    body = json.loads(sent.body)
    container, key = next(islice(places(body), number, None))
    if replacement is TAKEN_OUT:
        del container[key]
    else:
        container[key] = copy.deepcopy(replacement)
    return delivery(sent.partner, json.dumps(body).encode(), sent.headers, sent.proof)


@pytest.mark.parametrize("partner", sorted(REGISTRY))
def test_whatever_stands_in_one_place_an_event_is_mapped_within_the_limits_or_refused(partner: str) -> None:
    every = (mutation for sent in deliveries(partner) for mutation in mutations(sent))
    tried = 0
    for sent, number, replacement in islice(every, 0, None, ONE_OF):
        try:
            assert_an_end(outcomes(mutated(sent, number, replacement)))
        except Exception as error:
            error.add_note(f"with {replacement!r:.100} at place {number} of {sent.body!r:.300}")
            raise
        tried += 1
    assert tried
