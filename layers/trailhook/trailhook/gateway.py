"""API Gateway's HTTP API, payload format 2.0: its event as a request, our response as its answer.

AWS page: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway".
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from trailhook.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: header names in lower case, the body's bytes as they were sent, milliseconds since 1970."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    source_ip: str
    received_at: int
    request_id: str

    def header(self, name: str) -> str:
        """The header's value, or the empty string."""
        return self.headers.get(name, "")

    @classmethod
    def from_api_gateway(cls, event: Mapping[str, Any]) -> "Request":
        """Read an API Gateway event. Raises BadRequest for anything that cannot be one."""
        try:
            context = event["requestContext"]
            http = context["http"]
            headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
            return cls(
                method=str(http["method"]).upper(),
                path=str(event["rawPath"]),
                headers=headers,
                body=_body(event),
                source_ip=str(http.get("sourceIp") or ""),
                received_at=int(context["timeEpoch"]),
                request_id=str(context["requestId"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise BadRequest("The request does not have the form that API Gateway documents") from error


@dataclass(frozen=True, slots=True)
class Response:
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


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError("body")
    if not event.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("The request body is not valid base64") from error
