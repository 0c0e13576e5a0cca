"""A line of the quarantine holds all that its event needs to become the same event later."""

from codecs import BOM_UTF8
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace
from tests.partners.cases import SCHEMA_EVENT, Case, cases, compact, delivery, outcomes
from tests.redrive.faults import faulty

from trailhook.delivery import Delivery
from trailhook.envelope import Envelope, decode_envelope, encode_envelope
from trailhook.errors import MalformedDelivery, QuarantineError
from trailhook.mapping import Mapper, Withheld
from trailhook.partner import Options
from trailhook.partners import load_partner
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
        among_others = event.original not in (whole.body, whole.body.strip(b" \t\r\n"))
        assert back.delivery == replace(whole, body=event.original, element=among_others)
        assert decode_envelope(encode_envelope(Envelope(back.delivery))).delivery == back.delivery
        ends += [end.get("id") for end in outcomes(back.delivery)]
    assert ends == [end.get("id") for end in outcomes(whole)]


LOGIN = {"id": "9", "action": "user_login", "date_create": 1_762_331_400, "actor": {"user": {"id": "U1"}}}
HOOK = {"uuid": "1", "eventType": "user.session.start", "published": "2025-11-05T08:30:00Z"}
QUOTING = {
    "an unknown form": ("slack", {"entries": [{"kind": "new", "entries": [LOGIN]}]}),
    "an array in the array": ("slack", {"entries": [[LOGIN]]}),
    "an array in an array": ("custom", [[SCHEMA_EVENT]]),
    "a request in a request": ("custom", {"auditEvents": [{"auditEvents": [{"id": "1", "eventData": SCHEMA_EVENT}]}]}),
    "a hook in a hook": ("okta", {"data": {"events": [{"eventType": "a", "data": {"events": [HOOK]}}]}}),
    "a text of lines": ("okta", {"data": {"events": ["{}\n{}"]}}),
}


@pytest.mark.parametrize(("partner", "body"), QUOTING.values(), ids=QUOTING.keys())
def test_what_a_quarantined_event_quotes_is_no_event_when_it_goes_back_alone(partner: str, body: Any) -> None:
    whole = delivery(partner, compact(body).encode())
    [refused] = outcomes(whole)
    [event] = load_partner(partner, Options()).events(whole)
    for _ in range(2):
        kept = QuarantinedEvent(whole, refused["refused"], refused["reason"], event.original)
        whole = QuarantinedEvent.from_line(kept.to_line("the way back")).delivery
        assert whole.element
        assert outcomes(whole) == [refused]


ENTRY = {"action": "repo.create", "@timestamp": 1_762_331_400_123, "actor": "mona", "_document_id": "1"}


@pytest.mark.parametrize("line", [b"payload=" + quote(compact(ENTRY)).encode(), BOM_UTF8 + compact(ENTRY).encode()])
def test_a_broken_line_is_no_event_when_it_goes_back_alone(line: bytes) -> None:
    whole = delivery("github", compact(ENTRY).encode() + b"\n" + line)
    [_, broken] = load_partner("github", Options()).events(whole)
    kept = QuarantinedEvent(whole, "NotJson", "broken", broken.original)
    back = QuarantinedEvent.from_line(kept.to_line("the way back")).delivery
    with pytest.raises(MalformedDelivery, match="NotJson"):
        list(load_partner("github", Options()).events(back))


@pytest.mark.parametrize("blank", [b"", b"\n", b" \r\n", b"\n\x0b"])
def test_a_delivery_that_was_kept_whole_is_taken_apart_when_it_goes_back(blank: bytes) -> None:
    whole = delivery("custom", compact([SCHEMA_EVENT, SCHEMA_EVENT]).encode() + blank)
    for original in (whole.body, whole.body.strip(b" \t\r\n")):
        kept = QuarantinedEvent(whole, "TooManyEvents", "as it was once", original)
        back = QuarantinedEvent.from_line(kept.to_line("the way back")).delivery
        assert not back.element
        assert outcomes(back) == outcomes(whole)


LINE = """{"version":1,"partner":"github","id":%s,"uid":"u1","code":"InvalidData","reason":"no \\u00e9",\
"received_at":1700000000123,"delivery_id":"d-1","encoding":%s,%s"headers":{"x-github-event":"push"},\
"signed":["content-type","webhook-id"],"proof":"github-signature","request_id":"AbC=","source_ip":"192.0.2.1"%s}"""
TEXT = '"utf-8","body":"{\\"a\\":\\"\\u00e9\\"}"'
BYTES = '"base64","body":"eyJhIjoi/yJ9"'
LINES = {
    "the first": (LINE % ('"9f3cKq"', TEXT, "", ""), '{"a":"é"}'.encode(), False),
    "of bytes": (LINE % ("null", BYTES, "", ""), b'{"a":"\xff"}', False),
    "with a way back": (LINE % ('"9f3cKq"', TEXT, "", ',"way_back":"trailhook redrive"'), '{"a":"é"}'.encode(), False),
    "of one of several events": (
        LINE % ('"9f3cKq"', TEXT, '"element":true,', ',"way_back":"x"'),
        '{"a":"é"}'.encode(),
        True,
    ),
}


@pytest.mark.parametrize(("line", "original", "element"), LINES.values(), ids=LINES)
def test_a_line_of_version_1_stays_readable_for_ever(line: str, original: bytes, element: bool) -> None:
    """It is in the bucket for as long as its operator wants."""
    whole = Delivery(
        partner="github",
        id="d-1",
        request_id="AbC=",
        received_at=1_700_000_000_123,
        source_ip="192.0.2.1",
        proof="github-signature",
        headers={"x-github-event": "push"},
        signed=frozenset({"content-type", "webhook-id"}),
        body=original,
        element=element,
    )
    identity = None if '"id":null' in line else "9f3cKq"
    read = QuarantinedEvent.from_line(line.encode())
    assert read == QuarantinedEvent(whole, "InvalidData", "no é", original, identity, "u1")


@pytest.mark.parametrize("line", [b"[" * 100_000, b"{}", b"[]", b"\xff"], ids=["deep", "empty", "a list", "no text"])
def test_what_is_no_line_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(QuarantineError, match="not a line of the quarantine"):
        QuarantinedEvent.from_line(line)
