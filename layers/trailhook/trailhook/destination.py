"""The port through which events leave: a batch in, an outcome for each of its events out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from trailhook.batch import Entry


class Disposition(Enum):
    """What an outcome means for the event."""

    DELIVERED = "delivered"
    RETRY = "retry"
    """Throttled, failed there, or the answer was lost: send it again."""
    QUARANTINE = "quarantine"
    """It will never be taken."""
    FILTERED = "filtered"
    """The operator does not want it (`ExcludeEvents`)."""
    CONFIGURATION = "configuration"
    """Channel, permission or account: nobody's event is at fault, so it waits until an operator has mended that."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event; `code` is the destination's own word, `reason` is for people."""

    disposition: Disposition
    code: str = ""
    reason: str = ""


DELIVERED = Outcome(Disposition.DELIVERED)


class Destination(Protocol):
    """Where events go."""

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        """Send one batch; one outcome per entry, in order. Faults of the destination are outcomes, not exceptions."""
