"""Signatures that partners publish, each a literal with its source: none is computed here."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.partners.descriptors import MINIMAL

from trailhook.descriptor import Descriptor
from trailhook.errors import Unauthenticated
from trailhook.gateway import Request
from trailhook.partner import Options
from trailhook.partners import REGISTRY, load_partner
from trailhook.proofs import Proof, StandardWebhooksProof, TokenProof
from trailhook_local.descriptors.compiler import compile_descriptor

STANDARD_KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
STANDARD_TIMESTAMP = "1614265330"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
ED25519_SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def request(headers: dict[str, str], body: bytes, received_at: int = 1_700_000_000_000) -> Request:
    return Request("POST", "/webhook", headers, body, "192.0.2.1", received_at, "request-1")


@dataclass(frozen=True)
class Vector:
    """A published Standard Webhooks signature."""

    secret: str
    id: str
    timestamp: str
    body: bytes
    signature: str
    family: str = "webhook"

    def request(self, **changes: str) -> Request:
        headers = {"id": self.id, "timestamp": self.timestamp, "signature": self.signature} | changes
        named = {f"{self.family}-{name}": value for name, value in headers.items()}
        return request(named, self.body, received_at=int(self.timestamp) * 1000)


VECTORS = {
    "standard-webhooks libraries, sign test": Vector(
        STANDARD_KEY, STANDARD_ID, STANDARD_TIMESTAMP, STANDARD_BODY, STANDARD_SIGNATURE
    ),
    "standard-webhooks libraries/rust test_sign": Vector(
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        "1649367553",
        b'{"email":"test@example.com","username":"test_user"}',
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    ),
    "docs.svix.com verifying-payloads/how-manual, whose key has 18 bytes": Vector(
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        "1731705121",
        b'{"event_type":"ping","data":{"success":true}}',
        "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        family="svix",
    ),
    "svix-webhooks csharp tests, 262,143 bytes": Vector(
        STANDARD_KEY,
        STANDARD_ID,
        STANDARD_TIMESTAMP,
        b"a" * 262_143,
        "v1,NTItnqyWMoFhk2Bbe5V/BMdcFRWgcSQaTgqLHX7FC7c=",
        family="svix",
    ),
    "svix-webhooks csharp tests, 262,144 bytes": Vector(
        STANDARD_KEY,
        STANDARD_ID,
        STANDARD_TIMESTAMP,
        b"a" * 262_144,
        "v1,Mw4Pe2WgApuT7NSqnSq0PQPV9gbLdggCl9B865x5Xh0=",
        family="svix",
    ),
    "svix-webhooks csharp tests, 1,048,576 bytes": Vector(
        STANDARD_KEY,
        STANDARD_ID,
        STANDARD_TIMESTAMP,
        b"a" * 1_048_576,
        "v1,txpEUxqWZJ5nteTnymUVa+7C4NHpBeXJ6CsBAW0c3/A=",
        family="svix",
    ),
    "svix-server worker.rs test_asymmetric_key_signing": Vector(
        PUBLIC_KEY, STANDARD_ID, STANDARD_TIMESTAMP, STANDARD_BODY, ED25519_SIGNATURE
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_a_published_standard_webhooks_signature_is_accepted(vector: Vector) -> None:
    StandardWebhooksProof().verify(vector.request(), vector.secret)


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
def test_a_published_signature_proves_no_other_id_timestamp_or_body(vector: Vector) -> None:
    later = str(int(vector.timestamp) + 1)
    longer = Vector(vector.secret, vector.id, vector.timestamp, vector.body + b"\n", vector.signature, vector.family)
    for altered in (vector.request(id="msg_other"), vector.request(timestamp=later), longer.request()):
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(altered, vector.secret)


STANDARD = VECTORS["standard-webhooks libraries, sign test"]
OTHER = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="


def test_the_library_tests_multi_signature_list_passes_because_of_its_one_valid_entry() -> None:
    listed = f"v1,{OTHER} v2,{OTHER} {STANDARD_SIGNATURE} v1,{OTHER}"
    StandardWebhooksProof().verify(STANDARD.request(signature=listed), STANDARD_KEY)
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(
            STANDARD.request(signature=listed.replace(STANDARD_SIGNATURE, f"v1,{OTHER}")), STANDARD_KEY
        )


@pytest.mark.parametrize("last", ["A=", "F="], ids=["library test", "not canonical, the same 32 bytes"])
def test_the_signature_is_compared_to_its_last_character(last: str) -> None:
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(STANDARD.request(signature=STANDARD_SIGNATURE[:-2] + last), STANDARD_KEY)


def test_an_ed25519_signature_is_canonical_base64() -> None:
    ed25519 = VECTORS["svix-server worker.rs test_asymmetric_key_signing"]
    for altered in (
        ED25519_SIGNATURE.replace("Ag==", "Ah=="),
        ED25519_SIGNATURE.removesuffix("=="),
        "v1a,",
        "v1a,AA==",
    ):
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(ed25519.request(signature=altered), PUBLIC_KEY)


def test_a_signature_listed_as_another_version_counts_for_nothing() -> None:
    value = STANDARD_SIGNATURE.removeprefix("v1,")
    for entry in (f"v2,{value}", f"v1a,{value}", f"V1,{value}", f"v1 {value}", f"v1,,{value}", value, f",{value}"):
        with pytest.raises(Unauthenticated):
            StandardWebhooksProof().verify(STANDARD.request(signature=entry), STANDARD_KEY)


@pytest.mark.parametrize(
    ("secret", "body", "signature"),
    [
        pytest.param(
            "It's a Secret to Everybody",
            b"Hello, World!",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            id="docs.github.com, validating webhook deliveries",
        ),
        pytest.param(
            "mysecret",
            b'{"foo":"bar"}',
            "sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3",
            id="octokit/webhooks-methods.js test/sign.test.ts",
        ),
    ],
)
def test_github_accepts_its_published_signatures(secret: str, body: bytes, signature: str) -> None:
    github = load_partner("github", Options()).proofs[0]
    github.verify(request({"x-hub-signature-256": signature}, body), secret)
    with pytest.raises(Unauthenticated):
        github.verify(request({"x-hub-signature-256": signature}, body + b"\n"), secret)


PARTNERS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))
"""Of partners that are descriptors: the partner's own where there is one, else computed apart from this code."""
PAGERDUTY_MUST_FAIL = "v1=7020c8a7ec668a9b7012bc3dd82e483394b038f4230acc6785efbf2a7d8bcaf5"


def own_proofs_accept(vector: dict[str, Any], **changes: Any) -> bool:
    """Whether one of the partner's proofs, Standard Webhooks apart, takes the request."""
    vector = vector | changes
    sent = request(vector["headers"], vector["body"].encode(), vector.get("time", 1_700_000_000) * 1000)
    for proof in load_partner(vector["partner"], Options()).proofs:
        if not isinstance(proof, StandardWebhooksProof):
            try:
                proof.verify(sent, vector["secret"])
            except Unauthenticated:
                continue
            return True
    return False


@pytest.mark.parametrize("vector", PARTNERS, ids=lambda vector: f"{vector['partner']}: {vector['source']}")
def test_a_partner_accepts_its_vector_and_nothing_near_it(vector: dict[str, Any]) -> None:
    assert own_proofs_accept(vector)
    assert not own_proofs_accept(vector, body=vector["body"] + "\n")
    assert not own_proofs_accept(vector, secret=vector["secret"] + "x")
    for name, value in vector["headers"].items():
        for altered in ("", value[:-1], value.upper(), f" {value}x"):
            if altered != value:
                assert not own_proofs_accept(vector, headers=vector["headers"] | {name: altered})
    if "time" in vector:
        for seconds in (-301, 301, 86_400):
            assert not own_proofs_accept(vector, time=vector["time"] + seconds)
        assert own_proofs_accept(vector, time=vector["time"] + 240)


def test_pagerduty_takes_the_valid_one_of_a_list_and_refuses_the_published_mismatch() -> None:
    [vector] = [vector for vector in PARTNERS if vector["partner"] == "pagerduty"]
    valid = vector["headers"]["x-pagerduty-signature"]
    assert own_proofs_accept(vector, headers={"x-pagerduty-signature": f"{PAGERDUTY_MUST_FAIL},{valid}"})
    for listed in (PAGERDUTY_MUST_FAIL, f"v2{valid[2:]}", f"{PAGERDUTY_MUST_FAIL},v0{valid[2:]}", ","):
        assert not own_proofs_accept(vector, headers={"x-pagerduty-signature": listed})


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_signature_of_a_partner_has_a_vector(name: str) -> None:
    """GitHub's stand above as literals; SNS's lie beside its own tests."""
    own = [p for p in load_partner(name, Options()).proofs if not isinstance(p, StandardWebhooksProof)]
    signatures = [proof for proof in own if not isinstance(proof, TokenProof)]
    vectors = [vector for vector in PARTNERS if vector["partner"] == name]
    assert len(vectors) >= len(signatures) or name in {"github", "cloudstoragesecurity"}


@pytest.mark.parametrize(
    ("proof", "secret", "headers", "body", "time"),
    [
        pytest.param(
            "{header: paddle-signature, timestamp_prefix: ts=, message: '{timestamp}:{body}', prefix: h1=}",
            "pdl_ntf_01hbpjmytsa32fhr36nqgc3kgb_WvRO0eL4Bj9rgYYIBZY6wZhG4EHy9jzh",
            {
                "paddle-signature": "ts=1696195954;h1=dummy;"
                "h1=d96299976a6eb066f484d7fde011ac56fc32b38fc9940bc419d6e537fdc6ef02"
            },
            b"hello-world",
            1_696_195_954,
            id="paddle-python-sdk tests/Unit/Notification/test_verifier.py",
        ),
        pytest.param(
            "{header: box-signature-secondary, timestamp_header: box-delivery-timestamp, message: '{body}{timestamp}', "
            "encoding: base64, any_time: true}",
            "SampleSecondaryKey",
            {
                "box-delivery-timestamp": "2020-01-01T00:00:00-07:00",
                "box-signature-primary": "6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI=",
                "box-signature-secondary": "v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo=",
            },
            b'{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED",'
            b'"source":{"id":"1234567890","type":"file","name":"Test.txt"}}',
            1_577_862_000,
            id="box-node-sdk tests/lib/managers/webhooks-test.js",
        ),
    ],
)
def test_a_descriptor_says_what_senders_outside_the_catalogue_publish(
    proof: str, secret: str, headers: dict[str, str], body: bytes, time: int
) -> None:
    text = f"{MINIMAL}proofs:\n  - timestamped_hmac: {proof}\n"
    own = Descriptor.of(compile_descriptor(text, "lamps.yaml")).partner(Options()).proofs[0]
    own.verify(request(headers, body, time * 1000), secret)
    for other_body, other_time, other_secret in (
        (body + b"\n", time, secret),
        (body, time + 301, secret),
        (body, time, f"{secret}x"),
    ):
        with pytest.raises(Unauthenticated):
            own.verify(request(headers, other_body, other_time * 1000), other_secret)


@pytest.mark.parametrize(
    ("url", "body", "signature", "secret"),
    [
        pytest.param(
            "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
            b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification",'
            b'"event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z",'
            b'"data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}',
            "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=",
            "Ibxx_5AKakO-3qeNVR61Dw",
            id="square-python-sdk tests, a test notification",
        ),
        pytest.param(
            "https://webhook.site/webhooks",
            b'{"data":{"type":"webhooks","id":">id<"}}',
            "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
            "signature-key",
            id="square-python-sdk tests, signs that some programs escape",
        ),
    ],
)
def test_a_descriptor_says_what_a_sender_publishes_that_signs_its_url(
    url: str, body: bytes, signature: str, secret: str
) -> None:
    def proof(message: str) -> Proof:
        said = f"{{header: x-square-hmacsha256-signature, encoding: base64, message: '{message}'}}"
        text = f"{MINIMAL}proofs:\n  - hmac: {said}\n"
        return Descriptor.of(compile_descriptor(text, "lamps.yaml")).partner(Options()).proofs[0]

    headers = {"x-square-hmacsha256-signature": signature}
    proof(url + "{body}").verify(request(headers, body), secret)
    for message, other_body, other_secret in (
        (url + "{body}", body + b"\n", secret),
        (url + "{body}", body, f"{secret}x"),
        (url + "/{body}", body, secret),
        ("{body}" + url, body, secret),
        ("{body}", url.encode() + body[:-1], secret),
    ):
        with pytest.raises(Unauthenticated):
            proof(message).verify(request(headers, other_body), other_secret)
