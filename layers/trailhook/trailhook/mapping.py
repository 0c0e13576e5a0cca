"""From a queued delivery to its events as forward handles them: mapped, excluded by the operator, or refused."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from trailhook.audit_event import AuditEvent
from trailhook.batch import Entry
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.destination import Disposition, Outcome
from trailhook.errors import MalformedDelivery, Undeliverable, place_of
from trailhook.partner import Partner

MAX_EVENTS = 50_000
"""More events than this in one delivery are no partner's; what forward keeps of each has to fit its memory."""

_HELD_BYTES = 4_000_000
"""Events of a delivery that are held while it is not yet known whether all of it can be taken apart. A larger one is
read twice, so that memory does not grow with it."""


class Item(Struct):
    """One event on its way, at its position in the delivery; `outcome` is None until something became of it.

    `audit_event`, with its `id` and `uid`, is what it was mapped to, and `entry` what of that goes into a request.
    """

    position: int
    event: PartnerEvent
    audit_event: AuditEvent | None = None
    id: str | None = None
    uid: str | None = None
    entry: Entry | None = None
    outcome: Outcome | None = None
    fault: str | None = None


class Mapper:
    """Takes deliveries apart and maps their events, as their partners say."""

    def __init__(self, partners: Mapping[str, Partner], exclude_events: Sequence[str] = ()) -> None:
        self._partners = partners
        self._exclude_events = exclude_events

    def knows(self, partner: str) -> bool:
        return partner in self._partners

    def uid(self, event: PartnerEvent) -> str | None:
        """The partner's own id of an event that could not be mapped."""
        return self._partners[event.delivery.partner].uid(event)

    def take_apart(self, delivery: Delivery) -> tuple[int, Iterable[Item], int]:
        """How many events the delivery holds, each of them mapped in an order that is always the same, and their bytes.

        A delivery that cannot be taken apart to its end is one item, the whole of it.
        """
        partner = self._partners[delivery.partner]
        try:
            total, events, size = _to_the_end(partner, delivery)
        except Undeliverable as error:
            return 1, iter([_refused(0, _whole(delivery), error)]), len(delivery.body)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - what takes it apart is pure, too: the next receive would end the same
            return 1, iter([_unforeseen(0, _whole(delivery), error)]), len(delivery.body)
        return total, (self._map(position, partner, event) for position, event in enumerate(events)), size

    def _map(self, position: int, partner: Partner, event: PartnerEvent) -> Item:
        if event.fault:
            return _refused(position, event, event.fault)
        try:
            audit_event = partner.to_audit_event(event)
        except Undeliverable as error:
            return _refused(position, event, error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - mappings are pure: what failed once fails always, and only this event
            return _unforeseen(position, event, error)
        item = Item(position, event, audit_event, audit_event.id, audit_event.uid)
        if self._exclude_events and any(fnmatchcase(audit_event.name, pattern) for pattern in self._exclude_events):
            item.outcome = Outcome(Disposition.FILTERED, "ExcludeEvents", audit_event.name)
        return item


def _whole(delivery: Delivery) -> PartnerEvent:
    return PartnerEvent(delivery, None, delivery.body)


def _to_the_end(partner: Partner, delivery: Delivery) -> tuple[int, Iterable[PartnerEvent], int]:
    """All events of a delivery. Raises Undeliverable before the first if there would be trouble with the last."""
    held: list[PartnerEvent] = []
    held_bytes = count = 0
    for count, event in enumerate(partner.events(delivery), 1):
        if count > MAX_EVENTS:
            raise MalformedDelivery("TooManyEvents", f"One delivery holds more than {MAX_EVENTS:,} events")
        held_bytes += len(event.original)
        if held_bytes <= _HELD_BYTES:
            held.append(event)
        else:
            held.clear()
    return count, held if held_bytes <= _HELD_BYTES else partner.events(delivery), held_bytes


def _refused(position: int, event: PartnerEvent, error: Undeliverable) -> Item:
    return Item(position, event, outcome=Outcome(Disposition.QUARANTINE, error.code, error.reason))


def _unforeseen(position: int, event: PartnerEvent, error: Exception) -> Item:
    item = _refused(position, event, Undeliverable("MappingFailed", "The mapping did not foresee this form"))
    item.fault = f"{event.delivery.id}: {event.delivery.partner} mapping failed: {place_of(error)}"
    return item
