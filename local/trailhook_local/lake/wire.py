"""HTTP in, HTTP out: AWS JSON 1.1 for `cloudtrail` and REST-JSON for `cloudtrail-data` on one port, and `/_local/`.

The only place where errors become responses, in the form from which botocore raises its modelled exceptions.
"""

import json
import logging
import socket
import uuid
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from flask import Flask, Response, g, jsonify, request
from msgspec import Meta, Struct

from trailhook_local.lake import errors, model, signature, strict_json
from trailhook_local.lake.faults import InvalidFaultRuleError
from trailhook_local.lake.rates import REAL_RATES
from trailhook_local.lake.service import Lake

MAX_PUT_BYTES: Final = 1_000_000
_log = logging.getLogger(__name__)


class Settings(Struct, forbid_unknown_fields=True):
    """What `PUT /_local/faults` takes; whatever is left out is as at the start."""

    seed: int = 0
    rules: list[dict[str, Any]] = []
    rates: Literal["real"] | dict[str, Annotated[float, Meta(ge=0)]] = {}
    event_data_store_start_seconds: Annotated[float, Meta(ge=0)] = 0.0


def create_app(lake: Lake) -> Flask:
    app = Flask("trailhook-lake")

    @app.post("/")
    def cloudtrail() -> Response:
        prefix, _, operation = request.headers.get("X-Amz-Target", "").rpartition(".")
        service = model.service_model("cloudtrail")
        g.operation = operation or "unknown"
        caller = signature.caller_account(request.headers, service="cloudtrail", region=lake.region, owner=lake.account)
        if prefix != service.metadata["targetPrefix"] or operation not in service.operation_names:
            raise errors.UnknownOperationException(f"X-Amz-Target names no operation of CloudTrail: {operation!r}.")
        return _answer(lake.call("cloudtrail", operation, _json_object(request.get_data()), caller))

    @app.post("/PutAuditEvents")
    def put_audit_events() -> Response:
        g.operation = "PutAuditEvents"
        body = request.get_data()
        caller = signature.caller_account(
            request.headers, service="cloudtrail-data", region=lake.region, owner=lake.account
        )
        if len(body) > MAX_PUT_BYTES:
            raise errors.RequestEntityTooLargeException(
                f"The request body has {len(body)} bytes, the limit is {MAX_PUT_BYTES}."
            )
        parameters = _json_object(body)
        for name in ("channelArn", "externalId"):
            parameters.pop(name, None)
            if name in request.args:
                parameters[name] = request.args[name]
        return _answer(lake.call("cloudtrail-data", "PutAuditEvents", parameters, caller))

    _add_local_routes(app, lake)
    _add_error_handlers(app)
    _count_outcomes(app, lake)
    return app


def _add_local_routes(app: Flask, lake: Lake) -> None:
    """The admin endpoints: faults, rates and start-up time of event data stores, and the counts."""

    @app.put("/_local/faults")
    def put_faults() -> Response:
        try:
            settings = msgspec.convert(_json_object(request.get_data()), Settings)
        except msgspec.ValidationError as error:
            raise InvalidFaultRuleError(str(error)) from error
        rates = REAL_RATES if settings.rates == "real" else settings.rates
        if not rates.keys() <= REAL_RATES.keys():
            raise InvalidFaultRuleError(f'rates is "real", or calls a second of {", ".join(REAL_RATES)}')
        lake.faults.set(settings.rules, settings.seed)
        lake.rates.set(rates)
        lake.event_data_stores.start_seconds = settings.event_data_store_start_seconds
        return get_faults()

    @app.get("/_local/faults")
    def get_faults() -> Response:
        return jsonify(
            rules=lake.faults.described(),
            rates=lake.rates.rates,
            event_data_store_start_seconds=lake.event_data_stores.start_seconds,
        )

    @app.get("/_local/stats")
    def get_stats() -> Response:
        return jsonify(lake.stats())

    @app.errorhandler(InvalidFaultRuleError)
    def refuse_rule(error: InvalidFaultRuleError) -> tuple[Response, int]:
        return jsonify(message=str(error)), 400


def _count_outcomes(app: Flask, lake: Lake) -> None:
    @app.after_request
    def count(response: Response) -> Response:
        if "operation" in g:
            lake.count(g.operation, response.headers.get("x-amzn-errortype") or g.get("outcome", "ok"))
        return response


def _add_error_handlers(app: Flask) -> None:
    @app.errorhandler(errors.LakeError)
    def refuse(error: errors.LakeError) -> Response:
        return _refusal(error)

    @app.errorhandler(errors.ConnectionDroppedError)
    def drop(_: errors.ConnectionDroppedError) -> Response:
        g.outcome = "dropped"
        connection: socket.socket = request.environ["werkzeug.socket"]
        connection.shutdown(socket.SHUT_RDWR)
        return Response(status=500)  # goes nowhere: the server notices the closed socket and is quiet about it

    @app.errorhandler(404)
    @app.errorhandler(405)
    def unknown_path(_: Exception) -> Response:
        return _refusal(errors.UnknownPathException(f"No operation has {request.method} {request.path}."))

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        _log.exception("The Lake failed on %s %s", request.method, request.path, exc_info=error)
        return _refusal(errors.InternalFailure("The local Lake failed; its log has the reason."))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = strict_json.parse(body or b"{}")
    except strict_json.NotJSONError as error:
        raise errors.SerializationException(f"The request body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise errors.SerializationException("The request body must be a JSON object.")
    return value


def _answer(body: dict[str, Any]) -> Response:
    content_type = "application/x-amz-json-1.1" if request.path == "/" else "application/json"
    response = Response(json.dumps(body, default=_epoch_seconds), content_type=content_type)
    response.headers["x-amzn-requestid"] = str(uuid.uuid4())
    return response


def _epoch_seconds(value: object) -> float:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _refusal(error: errors.LakeError) -> Response:
    response = _answer({"__type": error.code, "message": error.message})
    response.status_code = error.http_status
    response.headers["x-amzn-errortype"] = error.code
    return response
