"""API Gateway's HTTP API, payload format 2.0: its event as a request, our response as its answer.

AWS page: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway".
"""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from msgspec import Struct, field

from trailhook.errors import BadRequest
from trailhook.timestamps import LAST_MILLISECOND

_FIRST_MILLISECOND = 100_000_000_000
"""In 1973. As seconds the same number would lie beyond the year 5138."""


class Request(Struct, frozen=True):
    """One HTTP request: header names in lower case, the body's bytes and the query as they were sent, milliseconds
    since 1970.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    received_at: int
    request_id: str
    query: str = ""

    def header(self, name: str) -> str:
        """The header's value, or the empty string."""
        return self.headers.get(name, "")

    @classmethod
    def from_api_gateway(cls, event: Mapping[str, Any]) -> "Request":
        """Read an API Gateway event. Raises BadRequest for anything that cannot be one."""
        try:
            context = event["requestContext"]
            http = context["http"]
            return cls(
                method=_text(http["method"]).upper(),
                path=_text(event["rawPath"]),
                headers=_headers(event.get("headers") or {}),
                body=_body(event),
                source_ip=_text(http.get("sourceIp") or ""),
                received_at=_milliseconds(context["timeEpoch"]),
                request_id=_text(context["requestId"]),
                query=_text(event.get("rawQueryString") or ""),
            )
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise BadRequest("The request does not have the form that API Gateway documents") from error


class Response(Struct, frozen=True):
    """An HTTP answer. The body is text; most are JSON, built with `Response.json`."""

    status: HTTPStatus
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: HTTPStatus, document: Mapping[str, Any]) -> "Response":
        return cls(status, json.dumps(document), {"content-type": "application/json"})

    def to_api_gateway(self) -> dict[str, Any]:
        return {
            "statusCode": int(self.status),
            "headers": dict(self.headers),
            "body": self.body,
            "isBase64Encoded": False,
        }


def request_id_of(event: Any) -> str:
    """The request's id, or the empty string, of an event that may be anything."""
    context = event.get("requestContext") if isinstance(event, Mapping) else None
    request_id = context.get("requestId") if isinstance(context, Mapping) else None
    return request_id if isinstance(request_id, str) else ""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} where API Gateway has text")
    return value


def _headers(given: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers, their names in lower case. One that stands there twice is joined by a comma, as API Gateway does.

    So whatever checks a header and whatever reads it later see the same value. Only ASCII has a lower case here:
    elsewhere a letter such as the Kelvin sign would turn into one that a proof or a mapping looks for.
    """
    headers: dict[str, str] = {}
    for name, value in given.items():
        known = name.lower() if name.isascii() else name
        headers[known] = f"{headers[known]},{_text(value)}" if known in headers else _text(value)
    return headers


def _milliseconds(value: Any) -> int:
    moment = int(value)
    if moment < _FIRST_MILLISECOND:
        moment *= 1000  # `sam local start-api` gives seconds
    if not 0 <= moment <= LAST_MILLISECOND:
        raise ValueError("timeEpoch")
    return moment


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not event.get("isBase64Encoded"):
        return _text(body).encode()
    try:
        return base64.b64decode(_text(body), validate=True)
    except ValueError as error:
        raise BadRequest("The request body is not valid base64") from error
