"""The port through which events leave: a batch in, an outcome for each of its events out."""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from msgspec import Struct

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
    UNDOCUMENTED = "undocumented"
    """Refused alone, with a code that is not documented: it waits for an operator, whether or not it is at fault."""
    SPLIT = "split"
    """Something in the batch is not taken, and the answer does not say what: send it in halves."""

    def __init__(self, word: str) -> None:
        self.for_operator = word in {"configuration", "undocumented"}
        """Whether the event waits until an operator has looked at it."""
        self.settled = word in {"delivered", "quarantine", "filtered"}
        """Whether nothing is left to be done for the event."""


class Outcome(Struct, frozen=True, gc=False):
    """What became of one event; `code` is the destination's own word, `reason` is for people."""

    disposition: Disposition
    code: str = ""
    reason: str = ""


DELIVERED = Outcome(Disposition.DELIVERED)


class Destination(Protocol):
    """Where events go."""

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        """Send one batch; one outcome per entry, in order. Faults of the destination are outcomes, not exceptions.

        SPLIT stands for all of a batch of two or more, or for none of it.
        """
