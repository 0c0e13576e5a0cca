"""Partners as the receiver sees them: API Gateway events, and signatures computed without the code under test."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

RECEIVED_AT = 1_700_000_000_123
"""The receipt time of every event made here, in milliseconds since 1970."""

NOW = RECEIVED_AT // 1000
REQUEST_ID = "AbCdEfGhIjEMPL0="


def api_gateway_event(
    body: bytes | str | None,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    path: str = "/webhook",
    received_at: int = RECEIVED_AT,
    request_id: str = REQUEST_ID,
) -> dict[str, Any]:
    """An event of payload format 2.0. Bytes arrive as base64, text as text, as API Gateway has it."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abcde12345",
            "domainName": "abcde12345.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.10",
                "userAgent": "example-sender/1.0",
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": received_at,
        },
        "isBase64Encoded": isinstance(body, bytes),
    }
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return event


def hex_hmac(secret: str, body: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), body, algorithm).hexdigest()


def github_headers(secret: str, body: bytes, event: str = "member") -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": "11111111-aaaa-4aaa-8aaa-111111111111",
        "x-hub-signature-256": f"sha256={hex_hmac(secret, body)}",
    }


def standard_webhooks_signature(key: bytes, body: bytes, message_id: str, timestamp: str) -> str:
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def standard_webhooks_headers(
    key: bytes, body: bytes, *, message_id: str = "msg_1", timestamp: str = str(NOW), family: str = "webhook"
) -> dict[str, str]:
    return {
        "content-type": "application/json",
        f"{family}-id": message_id,
        f"{family}-timestamp": timestamp,
        f"{family}-signature": standard_webhooks_signature(key, body, message_id, timestamp),
    }
