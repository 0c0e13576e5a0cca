"""Header smuggling: twice, in another case, folded, under a name that only looks alike. None of it proves anything."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.contract.test_contract_table import BODY, OTHER_BODY, OTHER_SECRET, SECRET, Row, every_row
from tests.contract.test_registry import KEY, PARTNERS, receiver
from tests.contract.test_registry import SECRET as STANDARD_SECRET
from tests.receive.senders import NOW, api_gateway_event, standard_webhooks_headers

from trailhook.delivery import Delivery
from trailhook.envelope import decode_envelope
from trailhook.gateway import Request

LOOKALIKES = {"k": "\N{KELVIN SIGN}", "s": "\N{LATIN SMALL LETTER LONG S}", "i": "\N{LATIN SMALL LETTER DOTLESS I}"}


def event(headers: Mapping[str, str], path: str = "/webhook") -> dict[str, Any]:
    """An event whose header names are as they are given here, in any case and order."""
    return api_gateway_event(BODY, {}, path=path) | {"headers": dict(headers)}


def queued(
    name: str, headers: Mapping[str, str], *, path: str = "/webhook", secret: str = STANDARD_SECRET
) -> Delivery | None:
    """What receive queues of such a request; None where it refuses."""
    receive, sender = receiver(name, secret)
    answer = receive.answer(event(headers, path)).response
    assert (answer.status == 401) == (sender.messages == []), answer
    return decode_envelope(sender.messages[0]).delivery if sender.messages else None


def proves(row: Row, headers: Mapping[str, str]) -> bool:
    return queued(row.partner, headers, path=row.path, secret=SECRET) is not None


@every_row
def test_a_header_that_is_there_twice_proves_nothing_whichever_comes_first(row: Row) -> None:
    genuine, forged = row.genuine(), row.genuine(secret=OTHER_SECRET, now=NOW - 1)
    for header, value in genuine.items():
        if header == row.header and row.separator == ",":
            continue  # a list while the secret is changed: any entry may be the valid one
        rest = {name: given for name, given in genuine.items() if name != header}
        for first, second in ((header.title(), header), (header, header.upper())):
            other = forged[header] if forged[header] != value else "msg_2"
            assert not proves(row, {**rest, first: value, second: other})
            assert not proves(row, {**rest, first: other, second: value})


@every_row
def test_a_folded_or_padded_value_proves_nothing(row: Row) -> None:
    genuine = row.genuine()
    for header, value in genuine.items():
        half = len(value) // 2
        for fold in ("\r\n ", "\n\t", "\r", "\x00", "\x0b", "\u2028", "\ufeff", "\u200b", " "):
            assert not proves(row, {**genuine, header: value[:half] + fold + value[half:]}), repr(fold)
        for padded in (f"{value}\r\nx-other: 1", f"\ufeff{value}", f"{value}\x00", f"{value};", f"{value},"):
            if not (header == row.header and row.separator):
                assert not proves(row, {**genuine, header: padded}), repr(padded)


@every_row
def test_a_name_that_only_looks_alike_is_another_header(row: Row) -> None:
    genuine = row.genuine()
    for header, value in genuine.items():
        rest = {name: given for name, given in genuine.items() if name != header}
        wrong = {header.replace("-", "_"), f"{header} ", f" {header}", f"{header}:", f"{header}\x00", f"\ufeff{header}"}
        wrong |= {header.replace(letter, alike, 1) for letter, alike in LOOKALIKES.items()}
        for lookalike in wrong - {header}:
            assert not proves(row, {**rest, lookalike: value}), repr(lookalike)


@pytest.mark.parametrize("name", PARTNERS)
def test_a_lookalike_beside_the_genuine_header_reaches_no_mapping(name: str) -> None:
    signed = standard_webhooks_headers(KEY, BODY)
    smuggled = {"webhoo\N{KELVIN SIGN}-id": "msg_forged", "x-g\N{LATIN SMALL LETTER DOTLESS I}thub-event": "forged"}
    delivery = queued(name, {**smuggled, **signed})
    assert delivery
    assert delivery.header("webhook-id") == "msg_1"
    assert "forged" not in str(delivery.headers)


@every_row
def test_a_header_that_the_proof_does_not_cover_is_never_called_signed(row: Row) -> None:
    unsigned = {
        "svix-id": "msg_1",
        "content-type": "application/json",
        "x-github-event": "push",
        "content-encoding": "",
    }
    delivery = queued(row.partner, {**unsigned, **row.genuine()}, path=row.path, secret=SECRET)
    assert delivery
    if row.genuine() != row.genuine(OTHER_BODY):
        covered = {"svix-id"} if row.header == "webhook-signature" else set()
        assert delivery.signed & unsigned.keys() <= covered


def test_what_stands_twice_is_read_as_api_gateway_joins_it() -> None:
    request = Request.from_api_gateway(event({"X-Name": "a", "x-name": "b", "X-NAME": "c"}))
    assert request.header("x-name") == "a,b,c"
