"""Who acted, as a descriptor tells it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from trailhook.audit_event import UserIdentity
from trailhook.event_path import path
from trailhook.selection import (
    Condition,
    Places,
    Subject,
    all_hold,
    any_unsigned,
    condition,
    first_text,
    places,
    text_in,
    unsigned_fields,
)

ACTOR_FIELDS: Sequence[str] = ("userIdentity.type", "userIdentity.principalId")
"""The fields of an audit event that an actor fills."""


class Actor(Struct, frozen=True):
    """Somebody who may have acted. Of a kind's actors it is the first whose conditions (`when`) hold and whose id is
    there.
    """

    when: Sequence[Condition]
    id: Places
    type: Places
    details: Sequence[tuple[str | None, Callable[[Any], Any]]]

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "Actor":
        when = [condition(entry) for entry in spec.get("when", ())]
        details = [(entry.get("as"), path(entry["at"])) for entry in spec.get("details", ())]
        return cls(when, places(spec["id"]), places(spec["type"]), details)

    def identity(self, subject: Subject, shown: Mapping[str, Any]) -> tuple[UserIdentity | None, Sequence[str]]:
        """Who acted, or None if it was not this actor; and the fields in which an unsigned header has a say.

        Details come from `shown`, the event without secrets.
        """
        holds, chosen = all_hold(self.when, subject), any_unsigned(self.when, subject)
        if not holds and not chosen:
            return None, ()
        found = first_text(self.id, subject)
        principal = text_in(found)
        # With other headers, or with one taken away, this actor could have been chosen, or the next instead.
        decided = self.id.unsigned(subject, found) or (chosen and principal is not None)
        unsigned = ACTOR_FIELDS if decided else ()
        if not holds or principal is None:
            return None, unsigned
        kind = first_text(self.type, subject)
        unsigned = unsigned or unsigned_fields(subject, ("userIdentity.type", self.type, kind))
        return UserIdentity(text_in(kind) or "User", principal, self._details(shown)), unsigned

    def _details(self, shown: Mapping[str, Any]) -> Mapping[str, Any]:
        details: dict[str, Any] = {}
        for name, at in self.details:
            value = at(shown)
            if name is None and isinstance(value, Mapping):
                details |= {key: member for key, member in value.items() if member is not None}
            elif name is not None and value is not None and value != "":
                details[name] = value
        return details
