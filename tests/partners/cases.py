"""Golden pairs: what a partner sends, beside what becomes of it, and how to map one like the forward function does.

A case is `fixtures/<partner>/<name>.json`: `headers`, a `body` (JSON, sent compactly) or a `text` (sent as it stands),
and the `proof` by which it was accepted, where that is not the partner's first. Beside it `<name>.expected.json`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trailhook.delivery import Delivery, PartnerEvent
from trailhook.errors import MalformedDelivery, UnmappableEvent
from trailhook.partner import Options, Partner
from trailhook.partners import load_partner

FIXTURES = Path(__file__).parent / "fixtures"
SAMPLES = Path(__file__).parents[3] / "shared" / "samples"
RECEIVED_AT = 1_767_225_600_123
"""2026-01-01T00:00:00.123Z: every case is received then."""
ACCOUNT = "111122223333"
OPTIONS = Options(accept_hec=True)
SENT_BY_ALL: Mapping[str, str] = {"content-type": "application/json"}

SCHEMA_EVENT = {
    "eventSource": "lamps.example.com",
    "eventName": "LampLit",
    "eventTime": "2025-11-05T08:30:00Z",
    "UID": "1",
    "userIdentity": {"type": "Service", "principalId": "lampd"},
}
"""The least that CloudTrail's own schema asks of an event of the custom partner."""


@dataclass(frozen=True, slots=True)
class Case:
    """One file of a partner's fixtures."""

    partner: str
    path: Path

    @property
    def name(self) -> str:
        return f"{self.partner}/{self.path.stem}"

    @property
    def expected_path(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.expected.json")

    def delivery(self) -> Delivery:
        content = json.loads(self.path.read_text())
        text = content["text"] if "text" in content else compact(content["body"])
        return delivery(self.partner, text.encode(), content.get("headers"), content.get("proof"))


def cases() -> Iterator[Case]:
    """Every case of every partner, in a fixed order."""
    for path in sorted(FIXTURES.glob("*/*.json")):
        if not path.stem.endswith(".expected"):
            yield Case(path.parent.name, path)


def delivery(partner: str, body: bytes, headers: Mapping[str, str] | None = None, proof: str | None = None) -> Delivery:
    """A delivery as receive queues it: the headers that the partner keeps, and which of them its proof covers."""
    known = load_partner(partner, OPTIONS)
    proven = next(p for p in known.proofs if proof in {None, p.name})
    kept = known.kept_headers({name.lower(): value for name, value in (headers or {}).items()})
    signed = frozenset(kept) if proven.signed_headers is None else proven.signed_headers & frozenset(kept)
    return Delivery(partner, "d-1", "r-1", RECEIVED_AT, "192.0.2.1", proven.name, kept, signed, body)


def outcomes(sent: Delivery) -> list[dict[str, Any]]:
    """What becomes of each event of a delivery: the `id` and `eventData` of it, or the code of its refusal."""
    partner = load_partner(sent.partner, OPTIONS)
    try:
        return [_outcome(partner, event) for event in partner.events(sent)]
    except MalformedDelivery as error:
        return [{"refused": error.code, "reason": error.reason, "whole_delivery": True}]


def event_data(partner: str, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The `eventData` of a body that is one event."""
    [outcome] = outcomes(delivery(partner, compact(body).encode(), {**SENT_BY_ALL, **(headers or {})}))
    assert "eventData" in outcome, outcome
    return dict(outcome["eventData"])


def refusal(partner: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
    """The code with which a body that is one event is refused."""
    [outcome] = outcomes(delivery(partner, compact(body).encode(), {**SENT_BY_ALL, **(headers or {})}))
    assert "refused" in outcome, outcome
    return str(outcome["refused"])


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sample_files(*patterns: str) -> list[Path]:
    """Files of the collection of real payloads that may lie beside the repository; skips the test where it does not."""
    found = sorted(path for pattern in patterns for path in SAMPLES.glob(pattern))
    if not found:
        pytest.skip(
            f"the collection of real payloads is not at {SAMPLES.parent.name}/{SAMPLES.name} beside the repository"
        )
    return found


def _outcome(partner: Partner, event: PartnerEvent) -> dict[str, Any]:
    if event.fault:
        return {"refused": event.fault.code, "reason": event.fault.reason, "uid": partner.uid(event)}
    try:
        audit_event = partner.to_audit_event(event)
    except UnmappableEvent as error:
        return {"refused": error.code, "reason": error.reason, "uid": partner.uid(event)}
    return {"id": audit_event.id, "eventData": json.loads(audit_event.event_data(ACCOUNT))}
