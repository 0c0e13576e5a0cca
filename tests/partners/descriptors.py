"""Descriptors to try things on: the smallest that compiles, and the example on the page of a partner of one's own."""

import json
import re
from pathlib import Path
from typing import Any

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery
from trailhook.descriptor import Descriptor
from trailhook.partner import Options
from trailhook_local.descriptors.compiler import compile_descriptor

PAGE = (Path(__file__).parents[2] / "docs" / "partners" / "your-own.md").read_text()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE.split("## An example\n")[1], re.DOTALL)[0]
SENT = {
    "entry_id": "e-1",
    "action": "lit",
    "at": "2025-11-05T08:30:00Z",
    "object": {"type": "lamp"},
    "actor": {"id": "u-1", "email": "mira@example.com"},
    "ip": "-",
    "context": {"ip": "192.0.2.1"},
    "outcome": "refused",
    "reason": "no oil",
    "ssn": "000-00-0000",
}
MINIMAL = """\
name: lamps
title: Lamps
source: Custom
event_source: lamps.example.com
kinds:
  - name: event
    event_name: type
    time: at
"""


def mapped(
    text: str, body: Any, headers: dict[str, str] | None = None, signed: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The fields of the one event in a body; raises UnmappableEvent."""
    return dict(audit_event(text, body, headers, signed).fields)


def audit_event(
    text: str, body: Any, headers: dict[str, str] | None = None, signed: frozenset[str] = frozenset()
) -> AuditEvent:
    partner = Descriptor.of(compile_descriptor(text, "lamps.yaml")).partner(Options())
    raw = json.dumps(body).encode()
    sent = Delivery("lamps", "d", "r", 1_762_331_405_000, "192.0.2.1", "p", headers or {}, signed, raw)
    [event] = partner.events(sent)
    return partner.to_audit_event(event)


def with_kind(lines: str) -> str:
    return MINIMAL + "".join(f"    {line}\n" for line in lines.splitlines())
