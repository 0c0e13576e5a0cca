"""Picking values out of an event as a descriptor says: the first of several places that holds something.

A place is a JMESPath into the event, a header of its delivery, a constant, or several of these joined; it may count
under conditions alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from trailhook.delivery import Delivery
from trailhook.event_path import path
from trailhook.members import text_of


class Subject(Struct, frozen=True, gc=False):
    """What places point into: an event, and the delivery that it came with. If an object wraps the event, `beside` has
    the other members of that.
    """

    event: Any
    delivery: Delivery
    beside: Mapping[str, Any] = field(default_factory=dict)


class Found(Struct, frozen=True, gc=False):
    """A value, and `where` it stood: a path, the name of a header, `constant` or `receipt`.

    `header`: at least a part of it stood in a header. `unsigned`: a header that the sender's proof does not cover has a
    say in it. `receipt`: it is the time of receipt. `incomplete`: it is joined of parts, and one was missing.
    """

    value: Any
    where: str
    header: bool = False
    unsigned: bool = False
    receipt: bool = False
    incomplete: bool = False

    @property
    def text(self) -> str | None:
        """The value as text, if it is a text or a whole number."""
        return text_of(self.value)


Place = Callable[[Subject], Found | None]


def place(spec: Mapping[str, Any]) -> Place:
    """A place of a compiled descriptor."""
    if "when" in spec:
        unconditional = {name: value for name, value in spec.items() if name != "when"}
        return partial(_under, [condition(entry) for entry in spec["when"]], place(unconditional))
    if "constant" in spec:
        return partial(_constant, Found(spec["constant"], "constant"))
    if "receipt" in spec:
        return _receipt
    if "join" in spec:
        parts = [place(part) for part in spec["join"]]
        return partial(_joined, parts, spec.get("with", "."), deciding_headers(spec["join"]))
    change = _Change(spec.get("map", {}), frozenset(spec.get("except", ())), spec.get("after"), spec.get("before"))
    if "header" in spec:
        return partial(_at_header, spec["header"], change)
    at = path(spec["at"])
    # Most are not changed, and are looked for in every event.
    changed = partial(_changed, change, at) if change.changes else at
    return partial(_at_path, spec["at"], changed)


class Places(Struct, frozen=True):
    """Places of which the first that holds something counts, and the `headers` that some of them need."""

    candidates: Sequence[Place]
    headers: Sequence[str]

    def unsigned(self, subject: Subject, found: Found | None) -> bool:
        """Whether a header that the sender's proof does not cover has a say in what was `found` there, or in that
        nothing was.
        """
        return found.unsigned if found else not all(map(subject.delivery.vouches_for, self.headers))


def places(specs: Sequence[Mapping[str, Any]]) -> Places:
    """Places of a compiled descriptor.

    A place after a header counts only if the header is missing. Whoever forwards a delivery can take away a header that
    its proof does not cover, so what such a place holds is unsigned.
    """
    found = []
    for index, spec in enumerate(specs):
        headers = deciding_headers(specs[:index])
        found.append(partial(_behind, headers, place(spec)) if headers else place(spec))
    return Places(found, deciding_headers(specs))


def deciding_headers(specs: Iterable[Mapping[str, Any]]) -> list[str]:
    """The headers without which some of these places hold nothing."""
    headers: list[str] = []
    for spec in specs:
        headers += deciding_headers(spec["join"][:1]) if "join" in spec else []
        headers += [spec["header"]] if "header" in spec else []
    return headers


def _behind(headers: Iterable[str], at: Place, subject: Subject) -> Found | None:
    """What a place holds that counts only without these headers; unsigned, unless the proof covers their absence."""
    found = at(subject)
    if found is None or all(map(subject.delivery.vouches_for, headers)):
        return found
    return replace(found, unsigned=True)


def _under(conditions: Sequence["Condition"], at: Place, subject: Subject) -> Found | None:
    """What a place holds where these conditions hold; they look at the event alone, never at a header."""
    return at(subject) if all_hold(conditions, subject) else None


def first(among: Places, subject: Subject) -> Found | None:
    """What the first place that holds something holds."""
    for candidate in among.candidates:
        if found := candidate(subject):
            return found
    return None


def first_text(among: Places, subject: Subject) -> Found | None:
    """The same for texts and whole numbers: what is something else does not count."""
    for candidate in among.candidates:
        found = candidate(subject)
        if found and found.text is not None:
            return found
    return None


def text_in(found: Found | None) -> str | None:
    """What was found as text; None if nothing was."""
    return found.text if found else None


def unsigned_fields(subject: Subject, *fields: tuple[str, Places, Found | None]) -> list[str]:
    """The fields in which a header has a say that the sender's proof does not cover."""
    return [field for field, among, found in fields if among.unsigned(subject, found)]


class Condition(Struct, frozen=True):
    """A condition of a descriptor: something stands at a place and passes a test, or, where `present` is false, nothing
    stands there.
    """

    place: Place
    test: Callable[[Any], bool]
    present: bool
    header: str | None
    """The header that it looks at."""

    def holds(self, subject: Subject) -> bool:
        found = self.place(subject)
        if not self.present:
            return found is None
        return found is not None and self.test(found.value)

    def unsigned(self, subject: Subject) -> bool:
        """Whether it looks at a header that the sender's proof does not cover, which can be taken away as well."""
        return self.header is not None and not subject.delivery.vouches_for(self.header)


def all_hold(conditions: Iterable[Condition], subject: Subject) -> bool:
    return all(condition.holds(subject) for condition in conditions)


def any_unsigned(conditions: Sequence[Condition], subject: Subject) -> bool:
    """Whether a header that the sender's proof does not cover has a say in whether they hold."""
    return any(condition.unsigned(subject) for condition in conditions)


def condition(spec: Mapping[str, Any]) -> Condition:
    """A condition of a compiled descriptor: a place, and one test of what it holds."""
    return Condition(place(spec), _test(spec), present=spec.get("present", True), header=spec.get("header"))


def _test(spec: Mapping[str, Any]) -> Callable[[Any], bool]:
    if "in" in spec:
        return partial(_is_one_of, frozenset(map(_exactly, spec["in"])))
    if "not_in" in spec:
        return partial(_is_none_of, frozenset(map(_exactly, spec["not_in"])))
    if "matches" in spec:
        return partial(_matches, re.compile(spec["matches"]))
    if "at_least" in spec:
        return partial(_is_at_least, spec["at_least"])
    return _is_there


class _Change(Struct, frozen=True):
    """What becomes of a value on the way: another name for it, nothing, or the part after a text or before a sign."""

    names: Mapping[str, str]
    nothing: frozenset[str]
    after: str | None
    before: str | None

    @property
    def changes(self) -> bool:
        """Whether anything becomes of any value."""
        return bool(self.names or self.nothing or self.after or self.before)

    def __call__(self, value: Any) -> Any:
        if self.nothing and text_of(value) in self.nothing:
            return None
        if self.after:
            value = value.partition(self.after)[2] if isinstance(value, str) else None
        if self.before and isinstance(value, str):
            value = value.partition(self.before)[0]
        if self.names and (text := text_of(value)) is not None:
            return self.names.get(text, self.names.get("*", value))
        return value


def _changed(change: _Change, at: Callable[[Any], Any], value: Any) -> Any:
    return change(at(value))


def _constant(found: Found, _subject: Subject) -> Found:
    return found


def _receipt(subject: Subject) -> Found:
    return Found(subject.delivery.received_at, "receipt", receipt=True)


def _at_path(where: str, at: Callable[[Any], Any], subject: Subject) -> Found | None:
    value = at(subject.event)
    return Found(value, where) if _is_something(value) else None


def _at_header(name: str, change: _Change, subject: Subject) -> Found | None:
    value = change(subject.delivery.header(name))
    return (
        Found(value, name, header=True, unsigned=name not in subject.delivery.signed) if _is_something(value) else None
    )


def _joined(parts: Sequence[Place], separator: str, headers: Sequence[str], subject: Subject) -> Found | None:
    """The texts of those parts that are there, some of them in `headers`; nothing, if the first part is missing."""
    found = [part(subject) for part in parts]
    if not found[0] or found[0].text is None:
        return None
    hits = [hit for hit in found if hit]
    texts = [hit.text for hit in hits if hit.text]
    return Found(
        separator.join(texts),
        " + ".join(hit.where for hit in hits),
        header=any(hit.header for hit in hits),
        unsigned=any(hit.unsigned for hit in hits) or not all(map(subject.delivery.vouches_for, headers)),
        incomplete=len(texts) < len(parts) or any(hit.incomplete for hit in hits),
    )


def _is_something(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return value is not None and value not in ([], {})


def _exactly(value: Any) -> tuple[type, Any] | None:
    """A text, a number, true or false with its type, so that true equals neither 1 nor "1". All numbers have one type,
    for log shippers write 1 as 1.0. None for anything else.
    """
    if not isinstance(value, str | int | float):
        return None
    kind = value.__class__
    return (float if kind is int else kind, value)


def _is_one_of(values: frozenset[tuple[type, Any] | None], value: Any) -> bool:
    return _exactly(value) in values


def _is_none_of(values: frozenset[tuple[type, Any] | None], value: Any) -> bool:
    return _exactly(value) not in values


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    text = text_of(value)
    return text is not None and bool(pattern.search(text))


def _is_at_least(limit: float, value: Any) -> bool:
    try:
        return not isinstance(value, bool) and float(value) >= limit
    except (TypeError, ValueError, OverflowError):
        return False


def _is_there(_value: Any) -> bool:
    return True
