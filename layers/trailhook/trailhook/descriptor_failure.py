"""What failed, and why, as a descriptor tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from trailhook.audit_event import NO_REASON, Failure
from trailhook.selection import Condition, Places, Subject, condition, first_text, places, text_in, unsigned_fields

FAILURE_FIELDS: Sequence[str] = ("errorCode", "errorMessage")
"""The fields of an audit event that a failure fills."""


class FailureRule(Struct, frozen=True):
    """What marks a failure, and where its code and message stand."""

    when: Condition
    code: Places
    message: Places

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "FailureRule":
        return cls(condition(spec["when"]), places(spec["code"]), places(spec.get("message", ())))

    def failure(self, subject: Subject) -> tuple[Failure | None, Sequence[str]]:
        """The failure, or None if this rule sees none; and the fields in which an unsigned header has a say."""
        unsigned = FAILURE_FIELDS if self.when.unsigned(subject) else ()
        if not self.when.holds(subject):
            return None, unsigned
        code, message = first_text(self.code, subject), first_text(self.message, subject)
        unsigned = unsigned or unsigned_fields(
            subject, ("errorCode", self.code, code), ("errorMessage", self.message, message)
        )
        return Failure(text_in(code) or "Failed", text_in(message) or NO_REASON), unsigned
