"""A sender for every kind of proof. A new kind joins by one line in `SENDERS` and inherits all of test_every_proof."""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.receive.senders import NOW, RECEIVED_AT, hex_hmac, standard_webhooks_headers

from trailhook.errors import Unauthenticated
from trailhook.gateway import Request
from trailhook.proofs import HmacProof, Proof, StandardWebhooksProof, TimestampedHmacProof, TokenProof, base64_text

BODY = b'{"b": 1.0, "a": "\xc3\xa9\\u00e9"}'
FIRST_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECOND_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def public(key: Ed25519PrivateKey) -> str:
    return "whpk_" + base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def ed25519_headers(secret: str, body: bytes) -> dict[str, str]:
    key = {public(FIRST_KEY): FIRST_KEY, public(SECOND_KEY): SECOND_KEY}[secret]
    signature = base64.b64encode(key.sign(f"msg_1.{NOW}.".encode() + body)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(NOW), "webhook-signature": f"v1a,{signature}"}


def whsec_headers(secret: str, body: bytes) -> dict[str, str]:
    return standard_webhooks_headers(base64.b64decode(secret.removeprefix("whsec_")), body)


@dataclass(frozen=True)
class Sender:
    """A sender under one kind of proof: the header that proves it, and how it computes it on its own."""

    proof: Proof
    header: str
    sign: Callable[[str, bytes], Mapping[str, str]]
    prefix: str = ""
    signs_body: bool = True
    listed: bool = False
    secret: str = "It's a fake secret"
    other_secret: str = "It's another fake secret"


def timed_after(secret: str, body: bytes, moment: str) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body + moment.encode(), "sha256").digest()
    return {"x-signature": base64.b64encode(digest).decode(), "x-time": moment}


WHSEC = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER_WHSEC = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
SENDERS = {
    "hex with a prefix": Sender(
        HmacProof("p", "x-signature", prefix="sha256="),
        "x-signature",
        lambda secret, body: {"x-signature": "sha256=" + hex_hmac(secret, body)},
        prefix="sha256=",
    ),
    "bare hex": Sender(
        HmacProof("p", "x-signature"), "x-signature", lambda secret, body: {"x-signature": hex_hmac(secret, body)}
    ),
    "hex of SHA-1": Sender(
        HmacProof("p", "x-signature", prefix="sha1=", algorithm="sha1"),
        "x-signature",
        lambda secret, body: {"x-signature": "sha1=" + hex_hmac(secret, body, "sha1")},
        prefix="sha1=",
    ),
    "hex of SHA-512": Sender(
        HmacProof("p", "x-signature", algorithm="sha512"),
        "x-signature",
        lambda secret, body: {"x-signature": hex_hmac(secret, body, "sha512")},
    ),
    "base64": Sender(
        HmacProof("p", "x-signature", encode=lambda digest: base64.b64encode(digest).decode()),
        "x-signature",
        lambda secret, body: {
            "x-signature": base64.b64encode(hmac.new(secret.encode(), body, "sha256").digest()).decode()
        },
    ),
    "hex in a list": Sender(
        HmacProof("p", "x-signature", prefix="v1=", listed=True),
        "x-signature",
        lambda secret, body: {"x-signature": "v1=" + hex_hmac(secret, body)},
        prefix="v1=",
        listed=True,
    ),
    "hex over a word and the body": Sender(
        HmacProof("p", "x-signature", message="POST{body}"),
        "x-signature",
        lambda secret, body: {"x-signature": hex_hmac(secret, b"POST" + body)},
    ),
    "base64 of SHA-1 over the body and a URL": Sender(
        HmacProof(
            "p", "x-signature", algorithm="sha1", encode=base64_text, message="{body}https://example.com/webhook"
        ),
        "x-signature",
        lambda secret, body: {
            "x-signature": base64_text(hmac.digest(secret.encode(), body + b"https://example.com/webhook", "sha1"))
        },
    ),
    "hex over a time and the body": Sender(
        TimestampedHmacProof("p", "x-signature", "v0:{timestamp}:{body}", "x-time", prefix="v0="),
        "x-signature",
        lambda secret, body: {
            "x-signature": "v0=" + hex_hmac(secret, f"v0:{NOW}:".encode() + body),
            "x-time": str(NOW),
        },
        prefix="v0=",
    ),
    "base64 over the body and a time": Sender(
        TimestampedHmacProof("p", "x-signature", "{body}{timestamp}", "x-time", encode=base64_text, any_time=True),
        "x-signature",
        lambda secret, body: timed_after(secret, body, "2023-11-14T22:13:20Z"),
    ),
    "hex behind the time in one header": Sender(
        TimestampedHmacProof("p", "x-signature", "{timestamp}.{body}", timestamp_prefix="t=", prefix="v1="),
        "x-signature",
        lambda secret, body: {"x-signature": f"t={NOW},v1={hex_hmac(secret, f'{NOW}.'.encode() + body)}"},
        prefix=f"t={NOW},v1=",
        listed=True,
    ),
    "Standard Webhooks": Sender(
        StandardWebhooksProof(),
        "webhook-signature",
        whsec_headers,
        prefix="v1,",
        secret=WHSEC,
        other_secret=OTHER_WHSEC,
    ),
    "Standard Webhooks under Svix's names": Sender(
        StandardWebhooksProof(),
        "svix-signature",
        lambda secret, body: standard_webhooks_headers(secret.encode(), body, family="svix"),
        prefix="v1,",
    ),
    "Standard Webhooks with Ed25519": Sender(
        StandardWebhooksProof(),
        "webhook-signature",
        ed25519_headers,
        prefix="v1a,",
        secret=public(FIRST_KEY),
        other_secret=public(SECOND_KEY),
    ),
    "token": Sender(TokenProof("p"), "authorization", lambda secret, _: {"authorization": secret}, signs_body=False),
    "token with a prefix": Sender(
        TokenProof("p", prefix="Bearer "),
        "authorization",
        lambda secret, _: {"authorization": f"Bearer {secret}"},
        prefix="Bearer ",
        signs_body=False,
    ),
}


def request(
    headers: Mapping[str, str], body: bytes = BODY, path: str = "/webhook", received_at: int = RECEIVED_AT
) -> Request:
    return Request("POST", path, headers, body, "192.0.2.1", received_at, "request-1")


def refuses(sender: Sender, headers: Mapping[str, str], body: bytes = BODY, secret: str | None = None) -> bool:
    try:
        sender.proof.verify(request(headers, body), sender.secret if secret is None else secret)
    except Unauthenticated:
        return True
    return False
