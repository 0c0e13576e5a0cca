"""Forwards queued deliveries to CloudTrail Lake: an SQS event in, the messages that are not done out."""

import os
from functools import partial
from typing import Any

from trailhook.assembly import prepare
from trailhook.assembly.forward import forwarder
from trailhook.deadline import Context, Deadline
from trailhook.settings import ForwardSettings
from trailhook.telemetry import report_ledger

prepare(lambda: forwarder(ForwardSettings.from_environ(os.environ)), os.environ)


def handler(event: dict[str, Any], context: Context | None) -> dict[str, Any]:
    """Process a batch. What it raises brings the whole batch back, which is what a fault of ours should do."""
    settings = ForwardSettings.from_environ(os.environ)
    report = partial(report_ledger, settings.partner)
    unfinished, ledger = forwarder(settings).forward(event["Records"], Deadline.of(context), report)
    report(ledger)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in unfinished]}
