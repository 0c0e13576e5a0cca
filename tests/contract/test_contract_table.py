"""What proves each partner's sender under the webhook secret: the table of proofs, held against the endpoints."""

import base64
import gzip
import hmac
from collections.abc import Callable, Mapping

import pytest
from tests.contract.test_registry import ENDPOINTS, OPTIONS, receiver
from tests.receive.senders import NOW, api_gateway_event, hex_hmac

from trailhook.partners import load_partner
from trailhook.proofs import StandardWebhooksProof

SECRET = "fakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake"
BODY = b'{"a": "caf\xc3\xa9"}'
Sign = Callable[[str, bytes, int], Mapping[str, str]]


def token(header: str, prefix: str = "") -> Sign:
    return lambda secret, _body, _now: {header: prefix + secret}


def hexadecimal(header: str, prefix: str = "", algorithm: str = "sha256") -> Sign:
    return lambda secret, body, _now: {header: prefix + hex_hmac(secret, body, algorithm)}


def v0(header: str, timestamp_header: str) -> Sign:
    return lambda secret, body, now: {
        timestamp_header: str(now),
        header: "v0=" + hex_hmac(secret, f"v0:{now}:".encode() + body),
    }


def crowdstrike(secret: str, body: bytes, now: int) -> Mapping[str, str]:
    digest = hmac.new(secret.encode(), body + str(now).encode(), "sha256").digest()
    return {"x-cs-delivery-timestamp": str(now), "x-cs-primary-signature": base64.b64encode(digest).decode()}


TABLE: dict[str, list[Sign]] = {
    "github": [hexadecimal("x-hub-signature-256", "sha256=")],
    "okta": [token("authorization")],
    "onelogin": [token("authorization")],
    "auth0": [token("authorization")],
    "kong": [token("authorization"), hexadecimal("x-kong-signature", "sha1=", "sha1")],
    "crowdstrike": [crowdstrike],
    "wiz": [token("authorization", "Bearer ")],
    "launchdarkly": [hexadecimal("x-ld-signature")],
    "snyk": [hexadecimal("x-hub-signature", "sha256=")],
    "gitlab": [token("x-gitlab-token"), token("x-gitlab-event-streaming-token")],
    "slack": [v0("x-slack-signature", "x-slack-request-timestamp")],
    "zoom": [v0("x-zm-signature", "x-zm-request-timestamp")],
    "atlassian": [hexadecimal("x-hub-signature", "sha256=")],
    "pagerduty": [hexadecimal("x-pagerduty-signature", "v1=")],
    "terraform": [hexadecimal("x-tfe-notification-signature", "", "sha512")],
    "cloudflare": [token("cf-webhook-auth")],
}
"""Beside Standard Webhooks, which every endpoint takes."""
PAIRS = [(name, sign) for name, signs in TABLE.items() for sign in signs]
SIGNED = [(name, sign) for name, sign in PAIRS if sign(SECRET, BODY, NOW) != sign(SECRET, b"other", NOW)]
every_proof = pytest.mark.parametrize(("name", "sign"), PAIRS, ids=[name for name, _ in PAIRS])


def status(name: str, headers: Mapping[str, str], body: bytes = BODY, secret: str = SECRET) -> int:
    """The answer's status; what is refused must not have been queued."""
    receive, sender = receiver(name, secret)
    answered = receive.answer(api_gateway_event(body, {"content-type": "application/json", **headers})).response
    assert len(sender.messages) == (1 if 200 <= answered.status < 300 else 0)
    return int(answered.status)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_proof_of_an_endpoint_stands_in_the_table(name: str) -> None:
    own = [p for p in load_partner(name, OPTIONS).proofs if not isinstance(p, StandardWebhooksProof)]
    elsewhere = {"github": 1, "cloudstoragesecurity": 1}.get(name, 0)
    assert len(own) - elsewhere == len(TABLE.get(name, []))


@every_proof
def test_a_genuine_delivery_is_taken_in_every_form_of_body(name: str, sign: Sign) -> None:
    for body in (BODY, gzip.compress(BODY), b"payload=%7B%7D", BODY + b"\n" + BODY, b"\xff"):
        assert 200 <= status(name, sign(SECRET, body, NOW), body) < 300


@every_proof
def test_a_delivery_up_to_five_minutes_old_is_taken_and_none_that_is_older(name: str, sign: Sign) -> None:
    assert 200 <= status(name, sign(SECRET, BODY, NOW - 240)) < 300
    if sign(SECRET, BODY, NOW) != sign(SECRET, BODY, NOW - 1):
        for far in (NOW - 301, NOW + 301):
            assert status(name, sign(SECRET, BODY, far)) == 401


@every_proof
def test_another_secret_a_cut_value_and_a_missing_header_are_refused(name: str, sign: Sign) -> None:
    genuine = sign(SECRET, BODY, NOW)
    assert status(name, sign("another fake secret", BODY, NOW)) == 401
    for header, value in genuine.items():
        assert status(name, {k: v for k, v in genuine.items() if k != header}) == 401
        for altered in ("", value[:-1], value.swapcase(), f"x{value}", f"SHA256={value}", f"{value}x"):
            if altered != value:
                assert status(name, {**genuine, header: altered}) == 401, altered


@pytest.mark.parametrize(("name", "sign"), SIGNED, ids=[name for name, _ in SIGNED])
def test_a_signature_holds_for_its_own_bytes_alone(name: str, sign: Sign) -> None:
    for other in (BODY + b"\n", BODY.replace(b" ", b""), b"{}"):
        assert status(name, sign(SECRET, BODY, NOW), other) == 401


def test_gitlabs_token_does_not_make_a_broken_signature_good() -> None:
    assert status("gitlab", {"x-gitlab-token": SECRET, "webhook-signature": "v1,AAAA"}) == 401
