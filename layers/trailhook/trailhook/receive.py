"""The receive function's work: prove the sender over the raw bytes, answer handshakes, and queue the delivery.

2xx means that SQS has the delivery. Nothing is parsed before its sender is proven (except SNS's messages, whose
signature covers members of the body), and an authenticated body that makes no sense is still accepted: forward keeps it
in quarantine, where a 4xx would make some partners drop it.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from trailhook.delivery import Delivery
from trailhook.envelope import Envelope, encode_envelope
from trailhook.errors import (
    BadRequest,
    EnvelopeTooLarge,
    MethodNotAllowed,
    NotFound,
    QueueError,
    Refused,
    SecretStoreError,
    TooLarge,
    TrailhookError,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from trailhook.gateway import Request, Response, request_id_of
from trailhook.partner import Partner
from trailhook.proofs import Proof
from trailhook.queue import Sender
from trailhook.source_ranges import EVERYWHERE, SourceRanges
from trailhook.webhook_secret import WebhookSecret

WEBHOOK_PATH = "/webhook"
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "application/gzip"})
_MEDIA_SUFFIXES = ("json", "ndjson", "jsonl", "json-seq", "json-lines", "jsonlines")
_MEDIA_TYPES = frozenset(
    {"", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "application/gzip"}
)

_GZIP_READ_AS_TEXT = "\x1f\N{REPLACEMENT CHARACTER}".encode()
"""How gzip begins once somebody took it for text: its second byte is no UTF-8, as many others, which are lost."""
_GZIP_DESTROYED = "The gzip body was destroyed on the way, as text: send it as Content-Type application/octet-stream"


class LoggedResponse(Struct, frozen=True):
    """The response, and what the one log line of the request says."""

    response: Response
    log: dict[str, Any]


class Receiver:
    """Receives one partner's requests, from the addresses in `allowed`."""

    def __init__(
        self, partner: Partner, secret: WebhookSecret, queue: Sender, allowed: SourceRanges = EVERYWHERE
    ) -> None:
        self._partner = partner
        self._secret = secret
        self._queue = queue
        self._allowed = allowed

    def answer(self, event: Mapping[str, Any]) -> LoggedResponse:
        """Answer an event of API Gateway, also one that is no request; every refusal is an answer too."""
        try:
            request = Request.from_api_gateway(event)
        except Refused as error:
            return refused(error, event, self._partner.name)
        log: dict[str, Any] = {
            "request_id": request.request_id,
            "partner": self._partner.name,
            "method": request.method[:20],
            "path": request.path[:200],
            "source_ip": request.source_ip,
            "bytes": len(request.body),
        }
        try:
            response = self._respond(request, log)
        except Refused as error:
            return _refusal(error, log)
        return LoggedResponse(response, {**log, "status": int(response.status)})

    def _respond(self, request: Request, log: dict[str, Any]) -> Response:
        partner = self._partner
        path = request.path.rstrip("/")
        # A stage's name may stand before it.
        if not path.endswith(WEBHOOK_PATH) and path not in partner.paths:
            raise NotFound(f"Deliveries go to POST {WEBHOOK_PATH}")
        if request.method not in partner.methods:
            raise MethodNotAllowed("Deliveries are POSTed", headers={"allow": ", ".join(sorted(partner.methods))})
        # Only now: a 401 for each path that scanners try would ring an alarm, and tell that there is a fence.
        if not self._allowed.hold(request.source_ip):
            raise Unauthenticated("The source address is outside of ALLOWED_SOURCE_RANGES")
        if answer := partner.open_handshake(request):
            log["handshake"] = True
            return answer
        proof, secret = self._prove(request)
        log["proof"] = proof.name
        if answer := partner.handshake(request, secret):
            log["handshake"] = True
            return answer
        _check_form(request)
        delivery = self._delivery(request, proof)
        log["delivery_id"] = delivery.id
        try:
            self._queue.send(encode_envelope(Envelope(delivery)))
        except EnvelopeTooLarge as error:
            raise TooLarge(str(error)) from error
        except QueueError as error:
            raise Unavailable(str(error)) from error
        log["queued"] = True
        return partner.acknowledge(delivery)

    def _prove(self, request: Request) -> tuple[Proof, str]:
        """The proof that holds, and the secret that it holds under. If none does, the likeliest one tells why."""
        refused: TrailhookError | None = None
        try:
            for secret in self._secret.candidates():
                try:
                    return self._verify(request, secret), secret
                except (Unauthenticated, SecretStoreError) as error:
                    refused = refused or error
            raise refused or Unauthenticated("There is no secret that could prove a sender")
        except SecretStoreError as error:
            raise Unavailable(str(error)) from error

    def _verify(self, request: Request, secret: str) -> Proof:
        reasons = []
        for proof in self._partner.proofs:
            try:
                proof.verify(request, secret)
            except Unauthenticated as error:
                reasons.append(f"{proof.name}: {error.reason}")
            else:
                return proof
        if request.body.startswith(_GZIP_READ_AS_TEXT):
            reasons.append(_GZIP_DESTROYED)
        raise Unauthenticated("; ".join(reasons))

    def _delivery(self, request: Request, proof: Proof) -> Delivery:
        partner = self._partner
        headers = partner.kept_headers(request.headers)
        signed = frozenset(headers) if proof.signed_headers is None else proof.signed_headers & frozenset(headers)
        return Delivery(
            partner=partner.name,
            id=(request.header(partner.delivery_id) or request.header("webhook-id") or request.request_id)[:256],
            request_id=request.request_id,
            received_at=request.received_at,
            source_ip=request.source_ip,
            proof=proof.name,
            headers=headers,
            signed=signed,
            body=request.body,
        )


def refused(error: Refused, event: Mapping[str, Any], partner: str) -> LoggedResponse:
    """The answer to an event that never became a request."""
    return _refusal(error, {"request_id": request_id_of(event), "partner": partner})


def _refusal(error: Refused, log: dict[str, Any]) -> LoggedResponse:
    """The partner is told what to do, and the id under which the log says why."""
    response = Response.json(error.http_status, {"message": error.message, "request_id": log["request_id"]})
    response = replace(response, headers={**response.headers, **error.headers})
    return LoggedResponse(response, {**log, "refused": error.reason, "status": int(response.status)})


def _check_form(request: Request) -> None:
    """Refuse what no mapping could read. The sender is proven by now, so the answer may say what to change."""
    if not request.body:
        raise BadRequest("The body is empty")
    if request.body.startswith(_GZIP_READ_AS_TEXT):
        # A token proves it all the same. Acknowledged it would be lost: what quarantine could keep, nobody can open.
        raise UnsupportedMediaType(_GZIP_DESTROYED)
    encoding = request.header("content-encoding").strip().lower()
    if encoding not in _ENCODINGS:
        raise UnsupportedMediaType("Send the body uncompressed or as gzip", headers={"accept-encoding": "gzip"})
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    subtype = media_type.partition("/")[2].rpartition("+")[2].removeprefix("x-")
    if media_type not in _MEDIA_TYPES and subtype not in _MEDIA_SUFFIXES:
        raise UnsupportedMediaType("Send JSON, NDJSON, or a form where the partner does")
