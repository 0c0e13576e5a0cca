"""One kind of event in a descriptor: how it is recognised, and where each of CloudTrail's fields comes from."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from msgspec import Struct

from trailhook.address import address
from trailhook.audit_event import AuditEvent, UserIdentity
from trailhook.delivery import PartnerEvent
from trailhook.descriptor_actor import ACTOR_FIELDS, Actor
from trailhook.descriptor_failure import FAILURE_FIELDS, FailureRule
from trailhook.errors import UnmappableEvent
from trailhook.event_id import content_digest
from trailhook.event_path import path
from trailhook.fitting import fit_audit_event
from trailhook.redaction import Redaction
from trailhook.selection import (
    Condition,
    Found,
    Places,
    Subject,
    all_hold,
    any_unsigned,
    condition,
    first,
    first_text,
    places,
    text_in,
    unsigned_fields,
)
from trailhook.timestamps import parse_formatted_time, parse_time

Result = TypeVar("Result")

_FIELDS_OF: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "uid": ("UID",),
        "digest": ("UID",),
        "time": ("eventTime",),
        "time_format": ("eventTime",),
        "version": ("version",),
        "user_agent": ("userAgent",),
        "source_ip": ("sourceIPAddress",),
        "actors": ACTOR_FIELDS,
        "failures": FAILURE_FIELDS,
        "response": ("requestParameters", "responseElements"),
    }
)
"""The fields of an audit event that each part of a kind fills; every kind fills its name as well."""

SERVICE = "Service"
"""The type of the actor where an event names none: then it is the sending service itself."""


class Kind(Struct, frozen=True):
    """A kind of event; everything that it needs to make an AuditEvent of one."""

    partner: str
    event_source: str
    name: str
    when: Sequence[Condition]
    before: Sequence["Kind"]
    """The kinds before it whose conditions look at a header: with other headers, its events might be of these."""
    decided: Sequence[str]
    """The fields that are unsigned where an unsigned header has a say in whether an event is of this kind."""
    uid: Places
    tenant: Places
    uid_repeats: bool
    digest: Sequence[Callable[[Any], Any]]
    event_name: Places
    time: Places
    time_format: str | None
    actors: Sequence[Actor]
    source_ip: Places
    user_agent: Places
    version: Places
    failures: Sequence[FailureRule]
    response: Sequence[str]

    @classmethod
    def of(
        cls,
        partner: str,
        event_source: str,
        spec: Mapping[str, Any],
        *,
        before: Sequence["Kind"],
        decided: Sequence[str],
    ) -> "Kind":
        return cls(
            partner=partner,
            event_source=event_source,
            name=spec["name"],
            when=[condition(entry) for entry in spec.get("when", ())],
            before=before,
            decided=decided,
            uid=places(spec.get("uid", ())),
            tenant=places(spec.get("tenant", ())),
            uid_repeats=spec.get("uid_repeats", False),
            digest=[path(entry) for entry in spec.get("digest", ())],
            event_name=places(spec["event_name"]),
            time=places(spec["time"]),
            time_format=spec.get("time_format"),
            actors=[Actor.of(entry) for entry in spec.get("actors", ())],
            source_ip=places(spec.get("source_ip", ())),
            user_agent=places(spec.get("user_agent", ())),
            version=places(spec.get("version", ())),
            failures=[FailureRule.of(entry) for entry in spec.get("failures", ())],
            response=spec.get("response", ()),
        )

    def fits(self, subject: Subject) -> bool:
        return all_hold(self.when, subject)

    def might_fit(self, subject: Subject) -> bool:
        """Whether it fits, or would with other values in headers that the sender's proof does not cover."""
        return all(condition.unsigned(subject) or condition.holds(subject) for condition in self.when)

    def own_id(self, subject: Subject) -> str | None:
        return text_in(first_text(self.uid, subject))

    def has_id_or_time(self, subject: Subject) -> bool:
        """Whether an id or a time stands in the event itself. One in a header belongs to the whole delivery."""
        found = (first_text(self.uid, subject), first(self.time, subject))
        return any(one is not None and not one.header and not one.receipt for one in found)

    def source_address(self, subject: Subject) -> Found | None:
        """The first place that holds an address: some hold a name, a list of proxies, "-", or 0.0.0.0 for none."""
        for candidate in self.source_ip.candidates:
            found = candidate(subject)
            if found and address(found.text):
                return found
        return None

    def to_audit_event(self, event: PartnerEvent, subject: Subject, redaction: Redaction) -> AuditEvent:
        uid = first_text(self.uid, subject)
        name = first_text(self.event_name, subject)
        event_name = text_in(name)
        if event_name is None:
            raise UnmappableEvent("MissingField", f"The {self.name} has no event name")
        time = first(self.time, subject)
        moment = self._moment(time)
        own_id, parts = self._identify(event, subject, uid)
        version, user_agent = first_text(self.version, subject), first_text(self.user_agent, subject)
        source_ip = self.source_address(subject)
        chosen = any_unsigned(self.when, subject) or any(kind.might_fit(subject) for kind in self.before)
        shown = redaction.shown(subject.event)
        # Of what is shown: a label and its value may part here, and the value would be no secret by itself.
        response = {member: shown[member] for member in self.response if shown.get(member) is not None}
        identity, unsigned_of_actors = _first_result(actor.identity(subject, shown) for actor in self.actors)
        failure, unsigned_of_failures = _first_result(rule.failure(subject) for rule in self.failures)
        unsigned = [
            *(self.decided if chosen else ()),
            *unsigned_fields(
                subject,
                ("UID", self.uid, uid),
                ("eventName", self.event_name, name),
                ("eventTime", self.time, time),
                ("version", self.version, version),
                ("userAgent", self.user_agent, user_agent),
                ("sourceIPAddress", self.source_ip, source_ip),
            ),
            *unsigned_of_actors,
            *unsigned_of_failures,
        ]
        return fit_audit_event(
            event,
            key=(self.partner, self.name, *parts),
            uid=own_id,
            name=event_name,
            source=self.event_source,
            version=text_in(version) or "1",
            time=moment,
            identity=identity or UserIdentity(SERVICE, self.event_source),
            user_agent=text_in(user_agent),
            source_ip=text_in(source_ip),
            failure=failure,
            request_parameters={key: value for key, value in shown.items() if key not in response},
            response_elements=response or None,
            unsigned=list(dict.fromkeys(unsigned)),
            notes={"envelope": subject.beside} if subject.beside else None,
            redaction=redaction,
        )

    def _identify(self, event: PartnerEvent, subject: Subject, uid: Found | None) -> tuple[str, list[str]]:
        """The UID, and what the id is made of.

        So that no event hides another, the event itself becomes part of its identity wherever several events may have
        the same UID. One in a header may stand over several events, or be copied. One in the event may name a thing
        that several events are about (`uid_repeats`). And if a part of it, or of the tenant, is missing, others may
        have the rest.
        """
        tenant = first_text(self.tenant, subject)
        within = text_in(tenant) or ""
        if uid is None or uid.text is None:
            members = [at(subject.event) for at in self.digest]
            digest = content_digest(members if any(member is not None for member in members) else event.value)
            return digest, [within, digest]
        parts = [within, uid.text]
        if uid.header:
            parts.append(hashlib.sha256(event.original).hexdigest())
        if self.uid_repeats or uid.incomplete or (tenant and tenant.incomplete):
            parts.append(content_digest(event.value))
        return uid.text, parts

    def _moment(self, found: Found | None) -> datetime | None:
        """When it happened; None where the descriptor says that the time of receipt counts."""
        if found is None:
            raise UnmappableEvent("MissingTime", f"The {self.name} has no time")
        if found.receipt:
            return None
        if self.time_format is None:
            return parse_time(found.value, found.where)
        return parse_formatted_time(found.text or "", self.time_format, found.where)


def kinds_of(partner: str, event_source: str, specs: Sequence[Mapping[str, Any]]) -> list[Kind]:
    """A descriptor's kinds, in their order. Each knows which others its events might be of with other headers."""
    kinds: list[Kind] = []
    for position, spec in enumerate(specs):
        before = [kind for kind, other in zip(kinds, specs, strict=False) if _looks_at_headers(other)]
        decided = _decided(specs[:position], spec, specs[position + 1 :])
        kinds.append(Kind.of(partner, event_source, spec, before=before, decided=decided))
    return kinds


def _decided(
    before: Sequence[Mapping[str, Any]], spec: Mapping[str, Any], after: Sequence[Mapping[str, Any]]
) -> list[str]:
    """The fields that would differ if headers had chosen another kind: the event's name, and whatever a kind that they
    could have chosen fills from other places.
    """
    others = [*filter(_looks_at_headers, before), *(after if _looks_at_headers(spec) else ())]
    fields = ["eventName"]
    for part, filled in _FIELDS_OF.items():
        if any(other.get(part) != spec.get(part) for other in others):
            fields += filled
    return fields


def _looks_at_headers(spec: Mapping[str, Any]) -> bool:
    """Whether a header has a say in whether an event is of that kind."""
    return any("header" in entry for entry in spec.get("when", ()))


def _first_result(candidates: Iterable[tuple[Result | None, Sequence[str]]]) -> tuple[Result | None, Sequence[str]]:
    """The first result that there is, and the unsigned fields of all candidates up to there."""
    unsigned: list[str] = []
    for result, fields in candidates:
        unsigned += fields
        if result is not None:
            return result, unsigned
    return None, unsigned
