"""Signing a body as a partner would: the senders' side of the proofs, written apart from the product's."""

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Callable, Mapping

Signer = Callable[[str, bytes], Mapping[str, str]]


def sign_github(secret: str, body: bytes) -> Mapping[str, str]:
    """GitHub, "Validating webhook deliveries"."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def sign_okta(secret: str, _body: bytes) -> Mapping[str, str]:
    """Okta signs nothing: it sends the secret that the administrator chose."""
    return {"Authorization": secret}


def sign_standard_webhooks(
    secret: str, body: bytes, *, message_id: str | None = None, timestamp: int | None = None
) -> Mapping[str, str]:
    """Standard Webhooks v1, the generic proof of every endpoint.

    The key is `secret` in base64, after an optional `whsec_`; a secret that is not base64 is the key as it stands.
    """
    message_id = message_id or f"msg_{uuid.uuid4().hex}"
    sent_at = str(int(time.time()) if timestamp is None else timestamp)
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    shortest = 16 if secret.startswith("whsec_") else 24
    key = key if shortest <= len(key) <= 64 else secret.encode()
    digest = hmac.new(key, f"{message_id}.{sent_at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": sent_at,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


SIGNERS: Mapping[str, Signer] = {
    "github": sign_github,
    "okta": sign_okta,
    "custom": sign_standard_webhooks,
}
"""How these partners prove themselves; for all others there is Standard Webhooks."""
