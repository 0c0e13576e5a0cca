"""A recorded delivery sent again adds nothing: it is refused as stale, or is the same events under the same ids."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace
from tests.contract.test_contract_table import SECRET, STANDARD, TABLE, Row, every_row
from tests.contract.test_registry import OPTIONS, receiver
from tests.partners.cases import cases
from tests.receive.senders import NOW, RECEIVED_AT, api_gateway_event, hex_hmac, standard_webhooks_headers

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery
from trailhook.envelope import decode_envelope
from trailhook.mapping import Mapper
from trailhook.partners import Partners

DAY = 86_400
CASES_EACH = 6
MAPPER = Mapper(Partners(OPTIONS))
SIGNED = [row for row in [*TABLE, *STANDARD] if row.signs]


def mapped(delivery: Delivery) -> list[str]:
    found = [MAPPER.map(event) for event in MAPPER.take_apart(delivery)[1]]
    return [one.id for one in found if isinstance(one, AuditEvent)]


def deliveries(row: Row) -> Iterator[Delivery]:
    """Some of the partner's own payloads with its own headers, but for those that prove: here the row's sender does."""
    own = [case for case in cases() if case.partner == row.partner]
    for case in own[:: len(own) // CASES_EACH + 1]:
        delivery = case.delivery()
        kept = {name: value for name, value in delivery.headers.items() if not name.startswith(("webhook-", "svix-"))}
        yield replace(delivery, headers={**kept, **row.genuine(delivery.body)})


@every_row
def test_the_same_request_again_makes_the_same_ids_or_none(row: Row) -> None:
    ids = 0
    for recorded in deliveries(row):
        receive, sender = receiver(row.partner, SECRET)
        for number, later in enumerate((0, 200, 301, DAY)):
            moment, request_id = RECEIVED_AT + later * 1000, f"request-{number}"
            receive.answer(
                api_gateway_event(
                    recorded.body, recorded.headers, path=row.path, received_at=moment, request_id=request_id
                )
            )
        queued = [decode_envelope(message).delivery for message in sender.messages]
        # A handshake is answered and never queued.
        assert len(queued) in {0, 2 if row.timestamp_header else 4}
        first, *others = [mapped(delivery) for delivery in queued] or [[]]
        assert all(other == first for other in others)
        ids += len(first)
    assert ids > 0


@pytest.mark.parametrize("row", SIGNED, ids=str)
def test_a_body_under_another_recorded_signature_is_no_replay_but_a_forgery(row: Row) -> None:
    first, *others = deliveries(row)
    other = others[0].body if others else first.body + b" "
    assert first.body != other
    receive, sender = receiver(row.partner, SECRET)
    headers = {**first.headers, **row.genuine(other, now=NOW)}
    answer = receive.answer(api_gateway_event(first.body, headers, path=row.path)).response
    assert (answer.status, sender.messages) == (401, [])


def test_a_recorded_delivery_of_crowdstrikes_does_not_count_again_when_the_end_of_its_time_is_a_time() -> None:
    """The time stands right behind the body, so its first digits could be the body's; 1800000123 is of January 2027."""
    signed, later = "1771800000123", "1800000123"
    recorded = next(case for case in cases() if case.name == "crowdstrike/workflow-webhook").delivery()
    digest = bytes.fromhex(hex_hmac(SECRET, recorded.body + signed.encode()))
    headers = {"x-cs-primary-signature": base64.b64encode(digest).decode(), "x-cs-delivery-timestamp": signed}
    receive, sender = receiver("crowdstrike", SECRET)
    genuine = api_gateway_event(recorded.body, headers, received_at=int(signed))
    assert receive.answer(genuine).response.status == 202
    again = api_gateway_event(
        recorded.body + b"177", headers | {"x-cs-delivery-timestamp": later}, received_at=int(later) * 1000
    )
    assert receive.answer(again).response.status == 401
    assert len(sender.messages) == 1


def push(branch: str) -> str:
    return json.dumps({"ref": f"refs/heads/{branch}", "before": "0000"})


AS_JSON = push(f"a.{NOW}.payload=%7B%22action%22:%22deleted%22%7D&x=")
AS_FORM = urlencode({"payload": push(f"a.{NOW}.1")})


@pytest.mark.parametrize("family", ["webhook", "svix"])
@pytest.mark.parametrize(
    ("name", "signed"),
    [
        ("github", AS_JSON),
        ("github", AS_FORM),
        ("slack", f"v0:{NOW}:{AS_JSON}"),
        ("slack", f"v0:{NOW}:{AS_FORM}"),
        ("zoom", f"v0:{NOW}:{AS_JSON}"),
    ],
)
def test_what_a_partner_signed_is_no_standard_webhooks_message(name: str, signed: str, family: str) -> None:
    """The key is the same where the secret is no base64, and whoever pushes a branch chooses its name."""
    secret = "it-is-no-base64"
    digest = bytes.fromhex(hex_hmac(secret, signed.encode()))
    message_id, timestamp, body = signed.split(".", 2)
    headers = {
        f"{family}-id": message_id,
        f"{family}-timestamp": timestamp,
        f"{family}-signature": f"v1,{base64.b64encode(digest).decode()}",
        "x-github-event": "repository",
    }
    receive, sender = receiver(name, secret)
    assert receive.answer(api_gateway_event(body.encode(), headers)).response.status == 401
    assert sender.messages == []


@pytest.mark.parametrize("family", ["webhook", "svix"])
def test_what_a_forwarder_signed_is_no_delivery_of_the_partners_own(family: str) -> None:
    """It would count for good, while Standard Webhooks' own signature counts for five minutes."""
    secret, body = "it-is-no-base64", b'{"action":"a"}\n{"action":"b"}'
    recorded = standard_webhooks_headers(secret.encode(), body, family=family)
    digest = base64.b64decode(recorded[f"{family}-signature"].removeprefix("v1,"))
    signed = f"{recorded[f'{family}-id']}.{recorded[f'{family}-timestamp']}.".encode() + body
    assert hex_hmac(secret, signed) == digest.hex()
    for name, header, prefix in (
        ("github", "x-hub-signature-256", "sha256="),
        ("launchdarkly", "x-ld-signature", ""),
        ("pagerduty", "x-pagerduty-signature", "v1="),
    ):
        receive, sender = receiver(name, secret)
        later = api_gateway_event(signed, {header: prefix + digest.hex()}, received_at=RECEIVED_AT + DAY * 1000)
        assert receive.answer(later).response.status == 401
        assert sender.messages == []
