"""Makes, changes and takes back the integration: a CloudFormation request in, one answer to its URL out."""

import traceback
from contextlib import suppress
from typing import Any

from trailhook.assembly.integration import control_plane
from trailhook.deadline import Context
from trailhook.errors import IntegrationError
from trailhook.integration.budget import Budget, finish_by
from trailhook.integration.leftovers import confirm
from trailhook.integration.request import Request
from trailhook.integration.resource import failure, fulfil
from trailhook.integration.response import Answer, deliver_answer
from trailhook.telemetry import logger, report_integration


def handler(event: dict[str, Any], context: Context | None) -> None:
    """Answer CloudFormation, whatever happens: a stack that hears nothing hangs until its ServiceTimeout."""
    request = Request.from_event(event)
    budget = Budget.of(context, request.service_timeout)

    def work() -> Answer:
        with control_plane(budget, request.place.region) as plane:
            return fulfil(request, plane, budget)

    try:
        answer = finish_by(budget.hurry, work)
    except IntegrationError as error:
        answer = failure(request, error)
    except Exception as error:  # noqa: BLE001 - the one broad catch: the fault is ours, and CloudFormation is told
        logger("integration").error(request.without_url(traceback.format_exc()))
        answer = failure(request, error)
    where = "/".join(filter(None, (getattr(context, f"log_{part}_name", "") for part in ("group", "stream"))))
    undelivered = deliver_answer(answer.to_json(request, where), request.response_url, budget.answer)
    report_integration(request, answer, undelivered)
    if answer.unconfirmed and not undelivered:
        # Where that is denied, the Delete of a channel that is replaced confirms it instead, or fails.
        with suppress(IntegrationError), control_plane(budget, request.place.region) as plane:
            confirm(plane.until(budget.undo), answer.unconfirmed)
