"""Keeping secrets out of a store that nobody can delete from: each value is replaced by a mark, and its place listed.

What a member is called decides, whoever sent it; a partner's file and the operator's own list add to that. The text of
values is never searched: a rule that guesses would sometimes remove evidence, and nobody would notice.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from trailhook.errors import UnmappableEvent
from trailhook.patch_path import names_on
from trailhook.secret_names import (
    LABELS,
    LONGEST_NAME,
    TELLING,
    Secret,
    is_labelled,
    is_level,
    is_permission,
    is_value,
    judge_label,
    judge_name,
)


class _Mark(str):
    """The type of the mark, which is recognised as this very object: a sender's equal text does not pass for it."""

    __slots__ = ()


REDACTED = _Mark("[redacted by trailhook]")

MOST_TOLD = 30
LONGEST_TOLD = 100
"""How many of the places where something was taken out are named, and in how many characters each. The others are only
counted."""

_MOST_NAMES = 4096
_TELLS_NOTHING: set[str] = set()
"""Names of members that were judged before and point to no secret. An event with no others costs one comparison of
sets. While an event is mapped all of its names stay here, however many: parts shown in two places are looked through
twice."""
_OPERATION = "op"
_PATCH = frozenset([_OPERATION, "path", "value"])
"""The members of an operation of a JSON Patch, or of SCIM's, that writes a value: `path` says where."""
_ELEMENTS = frozenset(["-", "*", ""])
"""Beside numbers, what stands on a path for the elements of a list."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_BOOLEANS = frozenset(["true", "false", "True", "False"])
"""Texts that hide no more than true and false do: whether there is a password is evidence."""


def forget_names() -> None:
    """Let go of the names that were looked at, where an event brought more than are worth remembering for the next."""
    if len(_TELLS_NOTHING) > _MOST_NAMES:
        _TELLS_NOTHING.clear()


def read_paths(text: str) -> tuple[str, ...]:
    """An operator's list: members or paths, separated by commas. Raises ValueError for one that no member can have.

    Left in, it would take nothing out, and nobody would notice before it is in the Lake.
    """
    paths = tuple(word.strip() for word in text.split(",") if word.strip())
    for path in paths:
        if not all(part and part == part.strip() for part in path.split(".")):
            raise ValueError(
                f"{path!r} has a blank, or no name, beside one of its dots; say members or paths separated by commas, "
                "like ssn,actor.email"
            )
    return paths


class Redaction(Struct, frozen=True):
    """What is taken out besides the defaults: members, named by the last parts of their path in lower case.

    Raises UnmappableEvent for what is nested too deeply to be looked through.
    """

    paths: frozenset[tuple[str, ...]]
    last_parts: frozenset[str]
    longest: int
    """How many parts the longest path has. No more of a member's own path is compared with it."""

    @classmethod
    def of(cls, *lists: Iterable[str]) -> "Redaction":
        """From texts such as `ssn` (that member, wherever it stands) or `request.body` (that one below `request`)."""
        paths = frozenset(tuple(text.strip().lower().split(".")) for texts in lists for text in texts)
        return cls(paths, frozenset(path[-1] for path in paths), max(map(len, paths), default=0))

    def apply(self, name: str, members: Mapping[str, Any], removed: list[str]) -> Mapping[str, Any]:
        """The members without secrets. `removed` gets the path of each of these, beginning with `name`; where it has
        MOST_TOLD already, an empty text, which only counts.
        """
        listed = bool(self.paths) and self.lists(self.end((), name))
        try:
            if not listed and not _may_hold(members, self.last_parts):
                return members
            at = _At(None, name, self.end((), name), Secret.ALL if listed else Secret.NOTHING)
            return _Walk(self, removed).members(members, at)
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error

    def shown(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event without secrets, for a mapping that moves parts of it: no rule knows them under another path."""
        return self.apply("", event, [])

    def lists(self, path: tuple[str, ...]) -> bool:
        """Whether one of the paths is the end of this one."""
        return any(path[-len(end) :] == end for end in self.paths)

    def end(self, parts: tuple[str, ...], name: str) -> tuple[str, ...]:
        """The end of a path below those parts. A member's own name may have dots: `{"actor.email": "..."}`."""
        if not self.longest:
            return ()
        return (*parts, *name.lower().rsplit(".", self.longest)[-self.longest :])[-self.longest :]


class _At(Struct, frozen=True):
    """Where in an event a walk is.

    `end` is the end of the path to there, in lower case, and no longer than any listed path. `secret` and
    `permission` are what the names on the way say of everything below.
    """

    above: "_At | None"
    name: str
    end: tuple[str, ...]
    secret: Secret
    permission: bool = False

    def path(self, name: str) -> str:
        """The dotted path of its member `name`, cut to LONGEST_TOLD characters."""
        names, at = [name], self
        while at.above:
            names.append(at.name)
            at = at.above
        if at.name:
            names.append(at.name)
        return ".".join(part[:LONGEST_TOLD] for part in reversed(names))[:LONGEST_TOLD]


class _Walk(Struct, frozen=True):
    redaction: Redaction
    removed: list[str]

    def members(self, value: Mapping[str, Any], at: _At) -> Mapping[str, Any]:
        """The members without secrets; the very same object where there is none, so that no large one is copied."""
        removed, label = len(self.removed), self._label(value, at)
        kept = {name: self._value(member, name, self._secret(name, at, label), at) for name, member in value.items()}
        return kept if len(self.removed) > removed else value

    def _elements(self, value: list[Any], secret: Secret, at: _At) -> list[Any]:
        removed = len(self.removed)
        names = map(str, range(len(value)))
        kept = [
            self._value(item, name, Secret.ALL if self._is_listed(name, at) else secret, at)
            for name, item in zip(names, value, strict=True)
        ]
        return kept if len(self.removed) > removed else value

    def _value(self, value: Any, name: str, secret: Secret, at: _At) -> Any:
        """The value, or the mark in its place."""
        if not secret and value.__class__ in _SCALARS:
            return value
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        if secret is Secret.ALL or value is REDACTED:
            return self._remove(name, at)
        if isinstance(value, Mapping):
            return self.members(value, self._within(at, name, secret))
        if isinstance(value, list):
            return self._elements(value, secret, self._within(at, name, secret))
        least = Secret.TEXT if isinstance(value, str) else Secret.NUMBER
        hides = secret >= least and value not in _BOOLEANS and not (at.permission and is_level(value))
        return self._remove(name, at) if hides else value

    def _within(self, at: _At, name: str, secret: Secret) -> _At:
        permission = at.permission or is_permission(name)
        return _At(at, name, self.redaction.end(at.end, name), secret, permission)

    def _is_listed(self, name: str, at: _At) -> bool:
        redaction = self.redaction
        return _last_part(name) in redaction.last_parts and redaction.lists(redaction.end(at.end, name))

    def _secret(self, name: str, at: _At, label: Secret) -> Secret:
        if at.secret is Secret.ALL or self._is_listed(name, at):
            return Secret.ALL
        if not label and not at.secret and name in _TELLS_NOTHING:
            return Secret.NOTHING
        own, last = judge_name(name)
        if not own:
            _remember(name)
        if label and is_labelled(name):
            own = max(own, label)
        if (at.secret >= Secret.WITHIN and last not in TELLING) or (at.secret and is_value(name)):
            own = max(own, at.secret)
        return own

    def _label(self, value: Mapping[str, Any], at: _At) -> Secret:
        """What {"name": "client_secret", "value": "..."} says of the values beside it, and so a patch's path."""
        labels = [text for name, text in value.items() if name.lower() in LABELS and isinstance(text, str)]
        if any(self._is_listed(text, at) for text in labels):
            return Secret.ALL
        patched = self._patched(value["path"], value["value"], at) if value.keys() >= _PATCH else Secret.NOTHING
        return max([patched, *map(judge_label, labels)])

    def _patched(self, path: Any, value: Any, at: _At) -> Secret:
        """What a path says of the value that a JSON Patch writes there: what the same members on the way to it say."""
        if not isinstance(path, str):
            return Secret.NOTHING
        names = names_on(path)
        for name in names:
            secret = self._secret(name, at, Secret.NOTHING)
            if name.isdecimal() or name in _ELEMENTS:
                secret = max(secret, at.secret)  # an element is what its list is
            at = _At(None, name, self.redaction.end(at.end, name), secret, at.permission)
        if not at.secret or at.secret is Secret.ALL or not is_level(value):
            return at.secret
        return Secret.NOTHING if at.permission or any(map(is_permission, names)) else at.secret

    def _remove(self, name: str, at: _At) -> str:
        self.removed.append(at.path(name) if len(self.removed) < MOST_TOLD else "")
        return REDACTED


def _may_hold(value: Any, listed: frozenset[str]) -> bool:
    """Whether an event has to be walked through. Most hold nothing to take out, and cost no more than this check."""
    # A dictionary nearly always; asking for that first spares the abstract class's slow check.
    if value.__class__ is dict or isinstance(value, Mapping):
        if not _TELLS_NOTHING.issuperset(value) and _any_tells(value):
            return True
        if listed and any(_may_be_listed(name, member, listed) for name, member in value.items()):
            return True
        value = value.values()
    elif not isinstance(value, list):
        return False
    elif listed and any(part.isdecimal() and int(part) < len(value) for part in listed):
        return True
    for member in value:
        if member.__class__ not in _SCALARS and (member is REDACTED or _may_hold(member, listed)):
            return True
    return False


def _may_be_listed(name: str, member: Any, listed: frozenset[str]) -> bool:
    """Whether a member, or what a label says of the others, may be on a list."""
    return _last_part(name) in listed or (
        isinstance(member, str) and name.lower() in LABELS and _last_part(member) in listed
    )


def _any_tells(value: Mapping[str, Any]) -> bool:
    return any(name not in _TELLS_NOTHING and _tells(name, member) for name, member in value.items())


def _tells(name: str, member: Any) -> bool:
    """Whether a member is called a secret, is a label that says so, or may be of a JSON Patch."""
    secret, _ = judge_name(name)
    if secret or name == _OPERATION:
        return True
    _remember(name)
    return name.lower() in LABELS and bool(judge_label(member))


def _remember(name: str) -> None:
    """Remember that a name tells nothing. Not of a label or an operation: these have to be looked at each time."""
    if len(name) <= LONGEST_NAME and name != _OPERATION and name.lower() not in LABELS:
        _TELLS_NOTHING.add(name)


def _last_part(name: str) -> str:
    return name.lower().rpartition(".")[2]
