"""A line of the quarantine holds all that its event needs to become the same event later."""

import pytest
from msgspec.structs import replace
from tests.partners.cases import Case, cases, outcomes
from tests.redrive.faults import faulty

from trailhook.mapping import Mapper, Withheld
from trailhook.quarantine import QuarantinedEvent

CASES = {case.name: case for case in cases()}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_line_holds_all_that_mapping_its_event_again_needs(case: Case) -> None:
    """Whatever any partner sends: the lines of a delivery, taken as deliveries, end as the delivery's events did."""
    whole = case.delivery()
    partners = faulty(case.partner)
    ends = []
    mapper = Mapper(partners)
    for event in mapper.take_apart(whole)[1]:
        refused = mapper.map(event)
        assert isinstance(refused, Withheld)
        kept = QuarantinedEvent(whole, refused.outcome.code, refused.outcome.reason, event.original)
        back = QuarantinedEvent.from_line(kept.to_line("the way back"))
        assert (back.code, back.reason, back.original) == (kept.code, kept.reason, kept.original)
        assert back.delivery == replace(whole, body=event.original)
        ends += [end.get("id") for end in outcomes(back.delivery)]
    assert ends == [end.get("id") for end in outcomes(whole)]
