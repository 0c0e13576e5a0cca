"""Receives a partner's webhooks: API Gateway's payload format 2.0 in, its answer out."""

import os
from typing import Any

from trailhook.assembly import prepare
from trailhook.assembly.receive import receiver
from trailhook.errors import Unavailable
from trailhook.gateway import request_id_of
from trailhook.receive import refused
from trailhook.settings import ReceiveSettings
from trailhook.telemetry import logger, report_request

prepare(lambda: receiver(ReceiveSettings.from_environ(os.environ)), os.environ)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one request, whatever it is."""
    try:
        answer = receiver(ReceiveSettings.from_environ(os.environ)).answer(event)
        report_request(answer)
    except Exception:  # noqa: BLE001 - the one broad catch: the fault is ours, so it is logged and the partner sends again
        logger("receive").exception("receive failed", extra={"request_id": request_id_of(event)})
        answer = refused(Unavailable("receive failed"), event, os.environ.get("PARTNER", ""))
        report_request(answer)
    return answer.response.to_api_gateway()
