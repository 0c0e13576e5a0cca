"""A partner that needs no code: a compiled descriptor (JSON, made from YAML by `trailhook compile`) as a `Partner`.

Nothing that an event says is cut or altered here: each member stays in requestParameters, also one that is copied into
a field of CloudTrail's, unless the descriptor moves it. What is compiled has been checked, so nothing is checked again.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from msgspec import Struct

from trailhook.audit_event import AuditEvent
from trailhook.body import form_field, open_body
from trailhook.delivery import Delivery, PartnerEvent
from trailhook.descriptor_kind import Kind, kinds_of
from trailhook.errors import SettingsError, UnmappableEvent
from trailhook.exact_json import Record, canonical
from trailhook.gateway import Response
from trailhook.handshakes import HANDSHAKES, get_challenge, head_request
from trailhook.json_text import JsonText, elements_or_itself
from trailhook.members import value_at
from trailhook.partner import Options, Partner, accepted
from trailhook.proofs import HmacProof, Proof, StandardWebhooksProof, TimestampedHmacProof, TokenProof, base64_text
from trailhook.redaction import Redaction
from trailhook.selection import Subject

FORMAT = 1
"""The version of the compiled form. Compile again after an update that counts it up."""

_FORM = re.compile(rb"[\w.%+-]+=")
"""How a form begins, and JSON never does."""

_ENCODINGS: Mapping[str, Callable[[bytes], str]] = {"hex": bytes.hex, "base64": base64_text}
_PROOFS: Mapping[str, Callable[..., Proof]] = {
    "token": TokenProof,
    "hmac": HmacProof,
    "timestamped_hmac": TimestampedHmacProof,
}
"""Proofs by their kind. Their other settings have the same names and defaults in a descriptor as here."""


class Descriptor(Struct, frozen=True):
    """A compiled descriptor, ready to map events."""

    spec: Mapping[str, Any]
    kinds: Sequence[Kind]
    arrays: Sequence[Sequence[str]]

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "Descriptor":
        """From what `trailhook compile` wrote; anything else raises whatever it meets."""
        kinds = kinds_of(spec["name"], spec["event_source"], spec["kinds"])
        return cls(spec, kinds, [array.split(".") for array in spec.get("array", ())])

    @staticmethod
    @cache
    def read(file: Path) -> "Descriptor":
        """The descriptor in a compiled file, which does not change while a process lives.

        Raises SettingsError for a file that another version has compiled, or that is none.
        """
        try:
            spec = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise SettingsError(
                f"{file.name} is not a compiled descriptor ({error}): run `trailhook compile` on its YAML"
            ) from error
        if not isinstance(spec, dict) or spec.get("format") != FORMAT:
            raise SettingsError(f"{file.name} was not compiled by this version: run `trailhook compile` on its YAML")
        return Descriptor.of(spec)

    def partner(self, options: Options) -> Partner:
        """The partner, as the operator has set it up."""
        spec = self.spec
        return Partner(
            name=spec["name"],
            source=spec["source"],
            proofs=[*map(_proof, spec["proofs"]), StandardWebhooksProof()],
            events=self.events,
            to_audit_event=partial(self.to_audit_event, redaction=Redaction.of(spec.get("redact", ()), options.redact)),
            uid=self.uid,
            headers=frozenset(spec["headers"]),
            delivery_id=spec.get("delivery_id", "webhook-id"),
            acknowledge=partial(_empty, HTTPStatus(spec["acknowledge"])) if "acknowledge" in spec else accepted,
            **_handshake(spec.get("handshake")),
        )

    def events(self, delivery: Delivery) -> Iterator[PartnerEvent]:
        """The body's events: one object, an array or NDJSON, or the elements of the array that the descriptor names.

        Where the descriptor names the field of a form, all of that may stand in it. What is kept of an event is then
        the text of that field, not the form.
        """
        body, field = open_body(delivery), self.spec.get("form")
        if field and not delivery.element and _FORM.match(body):
            body = form_field(body, field)
        for record in JsonText(body, element=delivery.element).records():
            for entry in self._elements(record, delivery):
                yield PartnerEvent(delivery, entry.value, entry.original, entry.fault)

    def uid(self, event: PartnerEvent) -> str | None:
        kind, subject = self.kind_of(event.value, event.delivery)
        return kind.own_id(subject) if kind else None

    def kind_of(self, value: Any, delivery: Delivery) -> tuple[Kind | None, Subject]:
        """The first kind whose conditions hold, and the event without the object that wraps it."""
        inner, beside = _unwrapped(value, self.spec.get("inside"))
        subject = Subject(inner, delivery, beside)
        return next((kind for kind in self.kinds if kind.fits(subject)), None), subject

    def to_audit_event(self, event: PartnerEvent, *, redaction: Redaction) -> AuditEvent:
        if not isinstance(event.value, Mapping):
            raise UnmappableEvent("NotAnObject", "An event is a JSON object")
        try:
            kind, subject = self.kind_of(event.value, event.delivery)
            if kind is None:
                known = ", ".join(kind.name for kind in self.kinds)
                raise UnmappableEvent(
                    "UnknownForm", f"{self.spec['title']} sends these forms, and this is none of them: {known}"
                )
            return kind.to_audit_event(event, subject, redaction)
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error

    def _elements(self, record: Record, delivery: Delivery) -> Sequence[Record]:
        """The elements of all arrays that are there, or the record where it is an event itself: it fits a kind with a
        `when`, or has an id or a time and nothing in the arrays fits.
        """
        arrays = [path for path in self.arrays if isinstance(value_at(record.value, *path), list)]
        if not arrays or delivery.element:
            return [record]
        # An event may have a member of that name, too. Taken apart, it would lose all the rest.
        kind, subject = self.kind_of(record.value, delivery)
        if kind and kind.when:
            return [record]
        elements = [element for path in arrays for element in elements_or_itself(record, *path)]
        if any(element is record for element in elements):
            return [record]
        if any(isinstance(element.value, Mapping) and self.kind_of(element.value, delivery)[0] for element in elements):
            return elements
        # An object that only wraps events has neither an id nor a time. If it has one, and there is no event among the
        # elements, it is an event itself, of a form that is not known yet.
        subjects = (subject, Subject(record.value, delivery))
        is_event = any(kind.has_id_or_time(one) for kind in self.kinds for one in subjects)
        return [record] if is_event else elements


def _unwrapped(value: Any, member: str | None) -> tuple[Any, Mapping[str, Any]]:
    """The object under `member`, and the members beside it that it does not repeat itself."""
    inner = value_at(value, member) if member else None
    if not isinstance(inner, Mapping):
        return value, {}
    missing = object()
    return inner, {k: v for k, v in value.items() if k != member and not _is_same(inner.get(k, missing), v)}


def _is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON; to Python true is 1, and 1 is 1.0."""
    return one == other and (isinstance(one, str) or canonical(one) == canonical(other))


def _proof(spec: Mapping[str, Any]) -> Proof:
    settings = {name: value for name, value in spec.items() if name not in {"kind", "encoding"}}
    if "encoding" in spec:
        settings["encode"] = _ENCODINGS[spec["encoding"]]
    return _PROOFS[spec["kind"]](**settings)


def _handshake(spec: Any) -> dict[str, Any]:
    """What a partner answers besides deliveries: the members of a Partner that say so."""
    if spec is None:
        return {}
    if spec == "head":
        return {"methods": frozenset({"POST", "HEAD"}), "open_handshake": head_request}
    if isinstance(spec, Mapping):
        return {
            "methods": frozenset({"POST", "GET"}),
            "open_handshake": partial(get_challenge, parameter=spec["challenge"]),
        }
    return {"handshake": HANDSHAKES[spec]}


def _empty(status: HTTPStatus, _delivery: Delivery) -> Response:
    return Response(status)
