"""The account that one invocation of forward gives of its events."""

from collections import Counter
from typing import Any

from msgspec import Struct, field

from trailhook.destination import Disposition, Outcome

_NAMES = {
    Disposition.DELIVERED: "delivered",
    Disposition.QUARANTINE: "quarantined",
    Disposition.FILTERED: "filtered",
}
_LONGEST_WORDS = 300


class Ledger(Struct):
    """Events by what became of them and why, messages, and faults that no event is to blame for."""

    events: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    words: dict[str, str] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    configuration_faults: int = 0
    """How many events wait for an operator: what the alarm rings on."""

    def enter(self, outcome: Outcome, events: int = 1) -> None:
        """Count that many events with this outcome."""
        if not events:
            return
        self.events[_NAMES.get(outcome.disposition, "waiting")] += events
        if outcome.disposition is Disposition.DELIVERED:
            return
        reason = f"{outcome.disposition.value}:{outcome.code}"
        self.reasons[reason] += events
        if not outcome.disposition.settled:
            # The destination's own words, once for each code: they name the permission or the quota.
            self.words.setdefault(reason, outcome.reason[:_LONGEST_WORDS])
        if outcome.disposition.for_operator:
            self.configuration_faults += events

    def to_log(self) -> dict[str, Any]:
        """The members of the log line; of the faults the first twenty."""
        return {
            "events": dict(self.events),
            "reasons": dict(self.reasons),
            "words": self.words,
            "messages": dict(self.messages),
            "faults": self.faults[:20],
        }
