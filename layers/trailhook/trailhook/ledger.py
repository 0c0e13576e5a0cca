"""The account that one invocation of forward gives of its events."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trailhook.destination import Disposition, Outcome

_SETTLED = {
    Disposition.DELIVERED: "delivered",
    Disposition.QUARANTINE: "quarantined",
    Disposition.FILTERED: "filtered",
}


@dataclass(slots=True)
class Ledger:
    """Events by what became of them, why, and what could not even be read."""

    events: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def enter(self, outcome: Outcome) -> None:
        """Count one event."""
        self.events[_SETTLED.get(outcome.disposition, "waiting")] += 1
        if outcome.disposition is not Disposition.DELIVERED:
            self.reasons[f"{outcome.disposition.value}:{outcome.code}"] += 1

    @property
    def configuration_faults(self) -> int:
        """How many events wait for an operator: what the alarm rings on."""
        return sum(count for reason, count in self.reasons.items() if reason.startswith("configuration:"))

    def to_log(self) -> Mapping[str, Any]:
        return {
            "events": dict(self.events),
            "reasons": dict(self.reasons),
            "messages": dict(self.messages),
            "faults": self.faults[:20],
        }
