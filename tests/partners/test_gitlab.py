"""GitLab's audit events of before event names: the member that says what was done is part of the name."""

from typing import Any

import pytest
from tests.partners.cases import compact, delivery, event_data, outcomes

EVENT = {"author_id": 3, "entity_id": 2, "entity_type": "Project", "created_at": "2025-11-05T08:30:00Z"}


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("deed", ["change", "add", "remove", "with", "failed_login"])
def test_the_name_is_of_the_deed_and_of_what_it_was_done_to(deed: str, within: bool) -> None:
    said = {deed: "visibility"}
    assert event_data("gitlab", EVENT | ({"details": said} if within else said))["eventName"] == f"{deed}:visibility"


@pytest.mark.parametrize("nothing", [False, {}, ["visibility"], {"visibility": "public"}])
def test_a_deed_that_is_no_text_gives_no_name(nothing: Any) -> None:
    event = EVENT | {"change": nothing, "details": {}}
    assert event_data("gitlab", event | {"add": "user"})["eventName"] == "add:user"
    [outcome] = outcomes(delivery("gitlab", compact(event).encode()))
    assert outcome["reason"] == "The audit event has no event name"
