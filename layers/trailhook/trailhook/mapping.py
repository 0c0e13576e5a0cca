"""From a queued delivery to its events as forward handles them: mapped, excluded by the operator, or refused."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from trailhook.audit_event import AuditEvent
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.destination import Disposition, Outcome
from trailhook.errors import EnvelopeError, Undeliverable, place_of
from trailhook.json_scanner import MAX_EVENTS, too_many_events
from trailhook.partner import Partner
from trailhook.redaction import forget_names

_HELD_BYTES = 4_000_000
"""Events are held until it is known that the whole delivery can be taken apart, but no more bytes of them than this. A
larger delivery of several events is taken apart a second time instead, so that memory does not grow with it."""


class Withheld(Struct, frozen=True, gc=False):
    """An event that is not sent: its mapping refused it, or the operator excluded it.

    `uid` is the partner's own id of it, and `faults` what people should know of code of ours that failed.
    """

    outcome: Outcome
    uid: str | None
    faults: tuple[str, ...] = ()


class Mapper:
    """Takes deliveries apart and maps their events, as their partners say."""

    def __init__(self, partners: Mapping[str, Partner], exclude_events: Sequence[str] = ()) -> None:
        self._partners = partners
        self._exclude_events = exclude_events

    def take_apart(self, delivery: Delivery) -> tuple[int, Iterable[PartnerEvent]]:
        """How many events the delivery holds, and each of them, in an order that is always the same.

        A delivery that cannot be taken apart to its end is one event at fault, the whole of it. Raises EnvelopeError if
        this version does not know the partner.
        """
        if delivery.partner not in self._partners:
            raise EnvelopeError(f"Partner {delivery.partner!r:.40} is not known to this version")
        partner = self._partners[delivery.partner]
        try:
            return _to_the_end(partner, delivery)
        except Undeliverable as error:
            return _whole(delivery, error.without_traceback())
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - what takes it apart is pure, too: the next receive would end the same
            return _whole(delivery, _Unforeseen(error))

    def map(self, event: PartnerEvent) -> AuditEvent | Withheld:
        """What the event becomes in CloudTrail, or why it does not go there."""
        partner = self._partners[event.delivery.partner]
        if event.fault:
            return _refused(partner, event, event.fault)
        try:
            audit_event = partner.to_audit_event(event)
        except Undeliverable as error:
            return _refused(partner, event, error)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - mappings are pure: what failed once fails always, and only this event
            return _refused(partner, event, _Unforeseen(error))
        finally:
            forget_names()
        if self._exclude_events and any(fnmatchcase(audit_event.name, pattern) for pattern in self._exclude_events):
            return Withheld(Outcome(Disposition.FILTERED, "ExcludeEvents", audit_event.name), audit_event.uid)
        return audit_event


class _Unforeseen(Undeliverable):
    """An error of ours; `place` says where in the code."""

    def __init__(self, error: Exception) -> None:
        super().__init__("MappingFailed", "The mapping did not foresee this form")
        self.place = place_of(error)


def _whole(delivery: Delivery, error: Undeliverable) -> tuple[int, Iterable[PartnerEvent]]:
    return 1, [PartnerEvent(delivery, None, delivery.body, error)]


def _to_the_end(partner: Partner, delivery: Delivery) -> tuple[int, Iterable[PartnerEvent]]:
    """How many events a delivery holds, and these. If one of them cannot be taken out, raises Undeliverable before any
    is handed on.
    """
    held: list[PartnerEvent] = []
    held_bytes = count = 0
    for count, event in enumerate(partner.events(delivery), 1):
        if count > MAX_EVENTS:
            raise too_many_events()
        held_bytes += len(event.original)
        if count == 1 or held_bytes <= _HELD_BYTES:
            held.append(event)
        else:
            held.clear()
    return count, held if len(held) == count else partner.events(delivery)


def _refused(partner: Partner, event: PartnerEvent, error: Undeliverable) -> Withheld:
    faults: list[str] = []
    if isinstance(error, _Unforeseen):
        faults.append(f"{event.delivery.id}: {partner.name} mapping failed: {error.place}")
    uid = _uid(partner, event, faults)
    return Withheld(Outcome(Disposition.QUARANTINE, error.code, error.reason), uid, tuple(faults))


def _uid(partner: Partner, event: PartnerEvent, faults: list[str]) -> str | None:
    """The partner's own id of an event; None where it has none, or where looking for it failed, which is a fault.

    People look for an event by it, but without it the event is kept just as well.
    """
    try:
        return partner.uid(event)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - as mappings: what failed once fails always, and only for this event
        faults.append(f"{event.delivery.id}: {partner.name} uid failed: {place_of(error)}")
        return None
