"""The way back to the queue: what is left of a message as a message of its own, or the whole of it after a wait."""

from trailhook.deadline import Deadline
from trailhook.envelope import Pending, decode_envelope, encode_envelope
from trailhook.errors import EnvelopeError, QueueError
from trailhook.ledger import Ledger
from trailhook.portions import Message
from trailhook.queue import DeliveryQueue

MAX_HANDBACKS = 12
"""Nothing else ends the loop of forward and its own queue: the template has Lambda allow it."""

HANDBACK_TRIES = 3
"""If none of them succeeds, the message comes back whole, and the events that are done are delivered again."""

_LONGEST_DELAY_SECONDS = 900
_LONGEST_CONFIGURATION_WAIT_SECONDS = 3600
_FIRST_WAIT_SECONDS = 30


def hand_back(message: Message, queue: DeliveryQueue, deadline: Deadline, ledger: Ledger) -> bool:
    """Send what is left as a message of its own, so that what is done is not done again; False if that failed.

    Where it fails the whole message comes back: an event twice, with equal id, is better than an event lost.
    """
    if not message.waiting or not message.progress:
        return False
    envelope = decode_envelope(message.body).handed_back(Pending(message.total, frozenset(message.waiting)))
    parks = envelope.attempt > MAX_HANDBACKS
    try:
        text = encode_envelope(envelope.parked() if parks else envelope)
    except EnvelopeError as error:
        ledger.faults.append(f"{message.id}: not handed back: {error}")
        return False
    tries = 0
    while tries < HANDBACK_TRIES and not deadline.closed:
        tries += 1
        try:
            if parks:
                queue.park(text)
            else:
                queue.send(text, min(_LONGEST_DELAY_SECONDS, 2**envelope.attempt))
        except QueueError as error:
            ledger.faults.append(f"{message.id}: not handed back: {error}")
        else:
            ledger.messages["parked" if parks else "handed back"] += 1
            return True
    return False


def wait_seconds(message: Message) -> int:
    """How long a message that comes back stays hidden: twice as long each time, up to a limit."""
    longest = _LONGEST_CONFIGURATION_WAIT_SECONDS if message.configuration else _LONGEST_DELAY_SECONDS
    return min(longest, _FIRST_WAIT_SECONDS << min(message.receive_count - 1, 10))
