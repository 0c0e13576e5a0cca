"""Whoever can repeat a delivery can alter what its proof does not cover, headers and of Amazon SNS's messages members,
and leave it out. Whatever that changes of an event is listed as unsigned, or the event goes to quarantine.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from msgspec.structs import replace
from tests.contract.test_registry import PARTNERS
from tests.partners.cases import OPTIONS, Case, cases, outcomes

from trailhook.delivery import Delivery
from trailhook.partner import COMMON_HEADERS
from trailhook.partners import load_partner
from trailhook.proofs import Proof


def said(outcome: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What an event says, member by member, and what of it is unsigned."""
    told = dict(outcome["eventData"])
    unsigned = told.pop("additionalEventData", {}).get("unsigned", [])
    told |= {f"userIdentity.{name}": value for name, value in told.pop("userIdentity").items()}
    return {name: json.dumps(value, sort_keys=True) for name, value in told.items()}, unsigned


def altered(sent: Delivery, proof: Proof, headers: frozenset[str]) -> Iterator[Delivery]:
    """The delivery with one of the headers altered or left out."""
    for name in sorted((headers | COMMON_HEADERS) - (proof.signed_headers or frozenset())):
        for value in ("", "1700000001"):
            kept = {other: text for other, text in sent.headers.items() if other != name} | {name: value}
            kept = {other: text for other, text in kept.items() if text}
            yield replace(sent, headers=kept, signed=sent.signed & frozenset(kept))


@pytest.mark.parametrize("name", PARTNERS)
def test_what_an_unsigned_header_changes_is_listed(name: str) -> None:
    partner = load_partner(name, OPTIONS)
    for case in (case for case in cases() if case.partner == name):
        for proof in (one for one in partner.proofs if one.signed_headers is not None):
            sent = case.delivery()
            sent = replace(
                sent, proof=proof.name, signed=(proof.signed_headers or frozenset()) & frozenset(sent.headers)
            )
            genuine = outcomes(sent)
            for forged in altered(sent, proof, partner.headers):
                for before, after in zip(genuine, outcomes(forged), strict=True):
                    if "eventData" in before and "eventData" in after:
                        (was, _), (told, unsigned) = said(before), said(after)
                        changed = {member for member in was | told if was.get(member) != told.get(member)}
                        assert changed <= {*unsigned}, (case.name, proof.name, forged.headers)


ATTRIBUTES: tuple[Mapping[str, str], ...] = (
    {},
    {"notificationType": "scanResult", "scanResult": "Clean"},
    {"notificationType": "scanResult", "scanResult": "Infected"},
    {"scanResult": "Error"},
    {"notificationType": "bucketProtection"},
)
SNS_MESSAGES = [
    case for case in cases() if case.partner == "cloudstoragesecurity" and case.delivery().body.startswith(b'{"Type"')
]


@pytest.mark.parametrize("case", SNS_MESSAGES, ids=lambda case: case.name)
def test_what_attributes_change_of_a_message_of_sns_is_listed(case: Case) -> None:
    """Whoever has once ended a subscription of their own has a signed message of the topic that says so."""
    sent = replace(case.delivery(), proof="sns")
    (genuine,) = outcomes(sent)
    for forged in ATTRIBUTES:
        attributes = {name: {"Type": "String", "Value": value} for name, value in forged.items()}
        body = json.loads(sent.body) | {"MessageAttributes": attributes}
        (altered,) = outcomes(replace(sent, body=json.dumps(body).encode()))
        if "eventData" in genuine:
            (was, _), (told, unsigned) = said(genuine), said(altered)
            changed = {member for member in was | told if was.get(member) != told.get(member)}
            # The message tells no reason of a failure, so what is listed for the code is all that there is to it.
            assert changed - {"errorMessage"} <= {name.partition(".")[0] for name in unsigned}, forged


def test_members_added_to_a_message_of_sns_cannot_keep_an_altered_one_off_the_list() -> None:
    sent = next(case for case in cases() if case.name == "cloudstoragesecurity/scan-result.infected").delivery()
    forged: dict[str, Any] = {f"A{number}": number for number in range(100)} | json.loads(sent.body)
    forged["MessageAttributes"]["scanResult"]["Value"] = "Clean"
    (told,) = outcomes(replace(sent, proof="sns", body=json.dumps(forged).encode()))
    assert told["eventData"]["eventName"] == "scanResult:Clean"
    unsigned = told["eventData"]["additionalEventData"]["unsigned"]
    assert unsigned[:3] == ["eventName", "errorCode", "requestParameters.MessageAttributes"]
    assert unsigned[-1] == "and 73 more"
