"""What partners ask before or besides delivering.

A `Handshake` answers a POST that is proven like any other: it takes the request and the secret that proved it. An
`OpenHandshake` answers a request of another method, which nobody signs. Both return None for what is a delivery, and
raise BadRequest for a question that makes no sense.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from trailhook.errors import BadRequest
from trailhook.gateway import Request, Response

Handshake = Callable[[Request, str], Response | None]
OpenHandshake = Callable[[Request], Response | None]

_LONGEST_QUESTION = 4_096
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""Without the colons and dots of what is signed elsewhere: otherwise an answer could serve as another's signature."""
_CHALLENGE = re.compile(r"[A-Za-z0-9+/=._~-]{1,256}")
"""Letters, digits, and what else base64 or a URL has without an escape: nothing that a browser could run."""


def slack_url_verification(request: Request, _secret: str) -> Response | None:
    """Slack, "URL verification handshake": the challenge comes back."""
    question = _question(request, b"url_verification")
    if question.get("type") != "url_verification":
        return None
    challenge = question.get("challenge")
    if not isinstance(challenge, str) or not challenge:
        raise BadRequest("Slack's url_verification carries a challenge")
    return Response.json(HTTPStatus.OK, {"challenge": challenge})


def zoom_url_validation(request: Request, secret: str) -> Response | None:
    """Zoom, "Validate your webhook endpoint": the token comes back with its HMAC, again every few days."""
    question = _question(request, b"endpoint.url_validation")
    if question.get("event") != "endpoint.url_validation":
        return None
    payload = question.get("payload")
    token = payload.get("plainToken") if isinstance(payload, Mapping) else None
    if not isinstance(token, str) or not _PLAIN_TOKEN.fullmatch(token):
        raise BadRequest("Zoom's endpoint.url_validation carries payload.plainToken of letters, digits, - and _")
    encrypted = hmac.digest(secret.encode(), token.encode(), "sha256").hex()
    return Response.json(HTTPStatus.OK, {"plainToken": token, "encryptedToken": encrypted})


def head_request(request: Request) -> Response | None:
    """A HEAD asks whether the URL is there (Intercom, "Set up webhooks"; Trello, "Webhooks")."""
    return Response(HTTPStatus.OK) if request.method == "HEAD" else None


def get_challenge(request: Request, *, parameter: str) -> Response | None:
    """A GET wants that parameter of its query back, as plain text (Dropbox, "Webhooks"; Meta, "Webhooks").

    Anybody can ask this, so the answer takes no secret, and says nothing of us.
    """
    if request.method != "GET":
        return None
    pairs = [pair.partition("=") for pair in request.query.split("&")]
    values = [unquote(value) for name, _, value in pairs if unquote(name) == parameter]
    if len(values) != 1 or not _CHALLENGE.fullmatch(values[0]):
        raise BadRequest(f"A GET carries one {parameter} in its query, of up to 256 letters, digits and + / = . _ ~ -")
    return Response(HTTPStatus.OK, values[0], {"content-type": "text/plain", "x-content-type-options": "nosniff"})


HANDSHAKES: Mapping[str, Handshake] = MappingProxyType(
    {"slack-url-verification": slack_url_verification, "zoom-url-validation": zoom_url_validation}
)


def _question(request: Request, word: bytes) -> Mapping[str, Any]:
    """The body, if it may be the question: small, and with its name in it. Every other is left to the mapping."""
    if len(request.body) > _LONGEST_QUESTION or word not in request.body:
        return {}
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, Mapping) else {}
