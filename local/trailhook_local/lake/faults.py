"""Faults on demand: what can go wrong between a caller and CloudTrail, switched on by rules and repeatable by a seed.

A rule is a JSON object:

    kind          "error" | "delay" | "drop_before" | "drop_after" | "reject_entry"
    operations    list of the Lake's operations it applies to; all when absent (reject_entry: always PutAuditEvents)
    probability   0 to 1, 1 when absent
    count         the next `count` matching calls (or entries) only; no limit when absent
    code          error: any service error code (ThrottlingException, InternalFailure, ServiceUnavailable,
                  ChannelNotFound, ChannelInsufficientPermission, …); reject_entry: a documented entry error code
    message       the error's message
    milliseconds  delay: how long to wait before the operation runs
    id_contains, uid_contains   reject_entry: only entries whose id, or UID, contains this text

drop_before closes the connection before the operation runs, drop_after when its effects are durable but the caller has
not heard of them.
"""

import random
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from trailhook_local.lake import errors

KINDS: Final = ("error", "delay", "drop_before", "drop_after", "reject_entry")
ENTRY_CODES: Final = (
    "FieldTooLong",
    "FieldNotFound",
    "InvalidChecksum",
    "InvalidData",
    "InvalidRecipient",
    "InvalidEventSource",
    "AccountNotSubscribed",
    "Throttling",
    "InternalFailure",
)


_MEMBERS: Final[Mapping[str, Sequence[str]]] = {
    "code": ("error", "reject_entry"),
    "message": ("error", "reject_entry"),
    "milliseconds": ("delay",),
    "id_contains": ("reject_entry",),
    "uid_contains": ("reject_entry",),
}
"""The kinds that have a member; beside another it would do nothing, or keep the rule from ever applying."""


class InvalidFaultRuleError(ValueError):
    """The rule cannot be understood; the message says what to change."""


class Rule(Struct, forbid_unknown_fields=True):
    """Raises ValueError for a kind that does not exist, a member or code that the kind does not have, and for what
    would never apply.
    """

    kind: str
    operations: list[str] | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    count: Annotated[int, Meta(ge=0)] | None = None
    code: str | None = None
    message: str | None = None
    milliseconds: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    id_contains: str = ""
    uid_contains: str = ""

    def __post_init__(self) -> None:
        codes: Mapping[str, Sequence[str]] = {"error": list(errors.BY_CODE), "reject_entry": ENTRY_CODES}
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.kind in codes and self.code not in codes[self.kind]:
            raise ValueError(f"code of {self.kind} must be one of {', '.join(codes[self.kind])}")
        for member, kinds in _MEMBERS.items():
            if getattr(self, member) and self.kind not in kinds:
                raise ValueError(f"{member} belongs to {' and '.join(kinds)}, not to {self.kind}")
        if self.kind == "delay" and not self.milliseconds:
            raise ValueError("delay needs milliseconds above 0")
        if self.kind == "reject_entry" and self.operations and "PutAuditEvents" not in self.operations:
            raise ValueError("operations of reject_entry are PutAuditEvents alone")


class Faults:
    """The rules in force. Thread-safe; draws come from one generator, so that sequential runs repeat.

    A rule for an operation that is none of `operations` would never apply, and is refused; where these are empty, any
    name is taken.
    """

    def __init__(self, operations: Collection[str] = ()) -> None:
        self._operations = operations
        self._lock = threading.Lock()
        self._random = random.Random(0)  # noqa: S311 - chance for tests, not for secrets
        self._rules: list[Rule] = []

    def set(self, rules: Sequence[Mapping[str, Any]], seed: int = 0) -> None:
        """Replace all rules; raises InvalidFaultRuleError and changes nothing when one is not understood."""
        try:
            parsed = msgspec.convert(rules, list[Rule])
        except msgspec.ValidationError as error:
            raise InvalidFaultRuleError(f"rules: {error}") from error
        named = {name for rule in parsed for name in rule.operations or ()}
        if self._operations and (unknown := sorted(named.difference(self._operations))):
            raise InvalidFaultRuleError(
                f"operations: the Lake has no {', '.join(unknown)}; it has {', '.join(sorted(self._operations))}"
            )
        with self._lock:
            self._rules = parsed
            self._random = random.Random(seed)  # noqa: S311 - chance for tests, not for secrets

    def described(self) -> list[dict[str, Any]]:
        """The rules with what is left of their counts."""
        with self._lock:
            return [msgspec.structs.asdict(rule) for rule in self._rules]

    def before(self, operation: str) -> None:
        """Delay, drop or refuse the call; raises LakeError or ConnectionDroppedError."""
        for rule in self._drawn("delay", operation):
            time.sleep(rule.milliseconds / 1_000)
        for _ in self._drawn("drop_before", operation):
            raise errors.ConnectionDroppedError
        for rule in self._drawn("error", operation):
            raise errors.BY_CODE[rule.code or ""](rule.message or "Injected by a fault rule.")

    def after(self, operation: str) -> None:
        """Drop the connection although the call has taken effect; raises ConnectionDroppedError."""
        for _ in self._drawn("drop_after", operation):
            raise errors.ConnectionDroppedError

    def reject_entry(self, entry_id: str, uid: str) -> None:
        """Refuse one audit event; raises EntryRejectedError."""
        for rule in self._drawn("reject_entry", "PutAuditEvents", entry_id, uid):
            raise errors.EntryRejectedError(rule.code or "", rule.message or "Injected by a fault rule.")

    def _drawn(self, kind: str, operation: str, entry_id: str = "", uid: str = "") -> Iterator[Rule]:
        """The rules of `kind` that match and whose chance came up; a rule is used up only when it is drawn."""
        for rule in list(self._rules):
            with self._lock:
                matches = (
                    rule.kind == kind
                    and rule.count != 0
                    and (not rule.operations or operation in rule.operations)
                    and rule.id_contains in entry_id
                    and rule.uid_contains in uid
                )
                if not matches or (rule.probability < 1 and self._random.random() >= rule.probability):
                    continue
                if rule.count is not None:
                    rule.count -= 1
            yield rule
