"""What only the custom partner has: an event source that the operator names."""

import pytest
from tests.partners.cases import compact, delivery

from trailhook.errors import SettingsError
from trailhook.partner import Options
from trailhook.partners import load_partner


def test_plain_webhooks_get_the_operators_event_source() -> None:
    partner = load_partner("custom", Options(event_source="lamps.example.com"))
    [event] = partner.events(delivery("custom", compact({"type": "lamp.lit"}).encode()))
    fields = partner.to_audit_event(event).fields
    assert fields["eventSource"] == "lamps.example.com"
    assert fields["userIdentity"] == {"type": "Service", "principalId": "lamps.example.com"}


@pytest.mark.parametrize(
    "name",
    [
        "s3.amazonaws.com",
        "aws.s3",
        "AWS",
        " arn:aws:iam::111122223333:root",
        "s3.amazon\u200baws.com",
        "s3.amazonaws\u3002com",
    ],
)
def test_an_event_source_of_aws_is_refused_before_any_event_is(name: str) -> None:
    with pytest.raises(SettingsError, match="EVENT_SOURCE"):
        load_partner("custom", Options(event_source=name))
