"""Why an event becomes what it becomes: its kind, and the place in it that each of CloudTrail's fields comes from."""

from collections.abc import Iterator, Mapping
from typing import Any

from trailhook.delivery import PartnerEvent
from trailhook.descriptor import Descriptor
from trailhook.descriptor_kind import Kind
from trailhook.selection import Found, Subject, first, first_text


def explanation(descriptor: Descriptor, event: PartnerEvent) -> dict[str, Any]:
    """The kind of the event, and where its fields come `from`; empty for an event that cannot be read.

    For an event of no kind, what is `unmet`: the first condition of each kind that does not hold.
    """
    if event.fault or not isinstance(event.value, Mapping):
        return {}
    kind, subject = descriptor.kind_of(event.value, event.delivery)
    if kind is None:
        return {"unmet": dict(_unmet(descriptor, subject))}
    return {"kind": kind.name, "from": {field: _place(found) for field, found in _found(kind, subject) if found}}


def _unmet(descriptor: Descriptor, subject: Subject) -> Iterator[tuple[str, Any]]:
    for kind, spec in zip(descriptor.kinds, descriptor.spec["kinds"], strict=True):
        conditions = zip(kind.when, spec.get("when", ()), strict=True)
        yield kind.name, next(written for condition, written in conditions if not condition.holds(subject))


def _found(kind: Kind, subject: Subject) -> Iterator[tuple[str, Found | None]]:
    """What the kind's places hold, by the field that it becomes."""
    yield "UID", first_text(kind.uid, subject)
    yield "eventName", first_text(kind.event_name, subject)
    yield "eventTime", first(kind.time, subject)
    yield "version", first_text(kind.version, subject)
    for actor in kind.actors:
        identity, _ = actor.identity(subject, {})
        if identity:
            yield "userIdentity.type", first_text(actor.type, subject)
            yield "userIdentity.principalId", first_text(actor.id, subject)
            break
    yield "sourceIPAddress", kind.source_address(subject)
    yield "userAgent", first_text(kind.user_agent, subject)
    for rule in kind.failures:
        failure, _ = rule.failure(subject)
        if failure:
            yield "errorCode", first_text(rule.code, subject)
            yield "errorMessage", first_text(rule.message, subject)
            break


def _place(found: Found) -> str:
    return f"{found.where} (header)" if found.header else found.where
