"""API Gateway's HTTP API, payload format 2.0, as pure functions: a request becomes an event, an answer a response.

Follows "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway". What that page leaves open follows what
others measured on AWS: bodies are text only for `text/*` and `application/json|xml|javascript`, `rawPath` arrives
decoded, and the cookie header is gone.
"""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

Headers = Sequence[tuple[str, str]]

TEXT_APPLICATION_TYPES = frozenset({"application/json", "application/xml", "application/javascript"})
# They belong to one connection, so a proxy uses them up ("RFC 9110", section 7.6.1).
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)

_REFUSALS = {
    400: "Bad Request",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""What API Gateway says with a status of its own."""


@dataclass(frozen=True)
class Api:
    """The API's own identity, as it shows in every event."""

    account_id: str
    api_id: str


def new_request_id() -> str:
    """An id as API Gateway gives one to every request."""
    return secrets.token_urlsafe(11) + "="


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came over the wire. `target` is path and query, still percent-encoded."""

    method: str
    target: str
    protocol: str
    headers: Headers
    body: bytes
    source_ip: str
    received_ms: int
    id: str = field(default_factory=new_request_id)


@dataclass(frozen=True)
class Response:
    """What goes back over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class MalformedAnswerError(ValueError):
    """The function answered something that API Gateway cannot turn into a response."""


def arrives_as_text(content_type: str) -> bool:
    """Whether API Gateway hands over a body of this content type as text; everything else comes in base64."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in TEXT_APPLICATION_TYPES


def request_event(request: Request, api: Api) -> dict[str, Any]:
    """The event that API Gateway hands to the function, payload format 2.0."""
    headers = _fold(request.headers)
    cookies = headers.pop("cookie", None)
    raw_path, _, raw_query = request.target.partition("?")
    path = unquote(raw_path) or "/"
    domain = headers.get("host", "").partition(":")[0]
    trace = f"Root=1-{request.received_ms // 1000:08x}-{secrets.token_hex(12)}"
    headers.setdefault("x-amzn-trace-id", trace)
    headers["x-forwarded-for"] = ", ".join(filter(None, (headers.get("x-forwarded-for"), request.source_ip)))
    headers["x-forwarded-port"] = headers.get("host", "").partition(":")[2] or "80"
    headers["x-forwarded-proto"] = "http"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": api.account_id,
            "apiId": api.api_id,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request.id,
            "routeKey": "$default",
            "stage": "$default",
            "time": datetime.fromtimestamp(request.received_ms / 1000, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": request.received_ms,
        },
        "isBase64Encoded": False,
    }
    if cookies is not None:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";") if cookie.strip()]
    if raw_query:
        event["queryStringParameters"] = _fold(parse_qsl(raw_query, keep_blank_values=True), lower=False)
    if request.body and arrives_as_text(headers.get("content-type", "")):
        # Bytes that are no UTF-8 are lost here, as they probably are on AWS: promise no more than AWS keeps.
        event["body"] = request.body.decode("utf-8", errors="replace")
    elif request.body:
        event["body"] = base64.b64encode(request.body).decode("ascii")
        event["isBase64Encoded"] = True
    return event


def _fold(pairs: Headers, *, lower: bool = True) -> dict[str, str]:
    """Pairs as one mapping, what comes twice joined by a comma (cookies by a semicolon, as RFC 6265 has them)."""
    folded: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower() if lower else name
        if lower and key in HOP_BY_HOP:
            continue
        separator = "; " if lower and key == "cookie" else ","
        folded[key] = f"{folded[key]}{separator}{value}" if key in folded else value
    return folded


def response_of(answer: Any) -> Response:
    """The HTTP response for what the function returned. Raises `MalformedAnswerError`.

    An answer without `statusCode` is the body of a 200: JSON, or the bare string.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        inferred = answer if isinstance(answer, str) else json.dumps(answer)
        return Response(200, (("content-type", "application/json"),), inferred.encode())
    status = answer["statusCode"]
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise MalformedAnswerError(f"statusCode must be an HTTP status as a number, not {status!r}")
    headers = _response_headers(answer.get("headers") or {})
    cookies = answer.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedAnswerError("cookies must be a list of strings")
    body = _response_body(answer.get("body"), is_base64=answer.get("isBase64Encoded") or False)
    if body and "content-type" not in headers:
        headers["content-type"] = "text/plain;charset=utf-8"
    return Response(status, (*headers.items(), *(("set-cookie", cookie) for cookie in cookies)), body)


def _response_headers(headers: Any) -> dict[str, str]:
    if not isinstance(headers, dict) or not all(isinstance(value, str | int | float) for value in headers.values()):
        raise MalformedAnswerError("headers must map names to strings")
    return {
        str(name).lower(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in headers.items()
    }


def _response_body(body: Any, *, is_base64: Any) -> bytes:
    if body is None:
        return b""
    if not isinstance(body, str) or not isinstance(is_base64, bool):
        raise MalformedAnswerError("body must be a string and isBase64Encoded true or false")
    if not is_base64:
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise MalformedAnswerError("isBase64Encoded is true, but the body is not base64") from error


def refusal(status: int) -> Response:
    """An answer of API Gateway's own, such as 413 `{"message":"Request Entity Too Large"}`."""
    body = json.dumps({"message": _REFUSALS[status]}, separators=(",", ":")).encode()
    return Response(status, (("content-type", "application/json"),), body)
