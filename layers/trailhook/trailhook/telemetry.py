"""Structured log lines and a few metrics: what operators search, and what alarms ring on."""

import json
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

if TYPE_CHECKING:
    # Each function imports its own; none should import the others' for a name.
    from trailhook.integration.request import Request
    from trailhook.integration.response import Answer
    from trailhook.ledger import Ledger
    from trailhook.receive import LoggedResponse

NAMESPACE = "Trailhook"
_REFUSALS = {
    401: "DeliveriesUnauthenticated",
    413: "DeliveriesTooLarge",
    415: "DeliveriesUnsupported",
    503: "DeliveriesUnavailable",
}


@cache
def logger(function: str) -> Logger:
    """The function's logger: JSON to standard output, so that nothing in a request can break out of its field.

    In ASCII: half a surrogate pair in a header could not be written otherwise, and the line would be lost.
    """
    return Logger(service=function, json_serializer=partial(json.dumps, default=str, separators=(",", ":")))


def report_request(answer: "LoggedResponse") -> None:
    """Log one request and count it by its fate."""
    status = answer.log["status"]
    log = logger("receive")
    (log.error if status >= 500 else log.warning if status >= 400 else log.info)("request", extra=answer.log)
    counts = {"DeliveriesQueued": 1} if answer.log.get("queued") else {}
    if status >= 400:
        counts["DeliveriesRefused"] = 1
        if name := _REFUSALS.get(status):
            counts[name] = 1
    if status == HTTPStatus.UNAUTHORIZED:
        # The alarm on their share needs a datapoint of both metrics, also if nothing at all is queued.
        counts["DeliveriesQueued"] = 0
    _emit(str(answer.log["partner"]), counts)


def report_ledger(partner: str, ledger: "Ledger") -> None:
    """Log an account of forward's and emit its counts; an invocation may give several."""
    log = logger("forward")
    (log.error if ledger.faults or ledger.configuration_faults else log.info)("ledger", extra=ledger.to_log())
    counts = {f"Events{name.capitalize()}": count for name, count in ledger.events.items()}
    if ledger.configuration_faults:
        counts["ConfigurationFaults"] = ledger.configuration_faults
    for name, message in (("MessagesParked", "parked"), ("MessagesUnreadable", "unreadable")):
        if ledger.messages[message]:
            counts[name] = ledger.messages[message]
    _emit(partner, counts)


def report_integration(request: "Request", answer: "Answer", undelivered: str | None) -> None:
    """Log what became of a custom resource request. The response URL is a secret and not part of it."""
    log = logger("integration")
    fields = {
        "request_type": request.type,
        "request_id": request.request_id,
        "stack_id": request.stack_id,
        "logical_id": request.logical_id,
        "physical_id": answer.physical_id,
        "status": "SUCCESS" if answer.succeeded else "FAILED",
        "reason": request.without_url(answer.reason),
    }
    (log.info if answer.succeeded else log.error)("integration", extra=fields)
    if undelivered:
        log.error("CloudFormation could not be answered", extra={"request_id": request.request_id, "why": undelivered})


def _emit(partner: str, counts: dict[str, int]) -> None:
    if not counts:
        return
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_dimension(name="Partner", value=partner or "not set")
    for name, count in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    metrics.flush_metrics()
