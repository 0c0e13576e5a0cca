"""Keeping secrets out of a store that nobody can delete from: values are replaced by a mark, and where is listed.

What a member is called decides, whoever sent it; a partner's file and the operator's own list add to that. The text of
values is never searched: a rule that guesses would sometimes remove evidence, and nobody would notice.
"""

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct

from trailhook.errors import UnmappableEvent

REDACTED = "[redacted by trailhook]"

_NUMBERS_TOO = frozenset(["password", "passwords", "passwd", "pwd", "passcode", "passphrase"])
_WITHIN = frozenset(["secret", "secrets", "cookie", "cookies", "credential", "credentials"])
_TEXTS = frozenset(["token", "tokens", "jwt", "authorization"])
_KEYS = frozenset(["api", "private", "access", "secret", "signing", "shared"])
"""What makes a secret of a key: `private_key` and `apiKey`, but not `entity_key` or `primary_key`."""

_HARMLESS = frozenset(
    ["hashed", "hash", "truncated", "masked", "public", "next", "page", "pagination", "continuation", "sync"]
)
"""What makes something else of it: `hashed_token` tells tokens apart without being one, `next_token` is for paging."""

_TELLING = frozenset(["id", "ids", "uuid", "name", "type", "kind", "scope", "scopes", "provider", "status", "at"])
"""Members that may stay within an object of secrets: they say which one it was."""

_LEVELS = frozenset(["permission", "permissions"])
"""Below these, at any depth, a name is a thing that somebody may read or write: `{"permissions_added": {"organization":
{"secrets": "read"}}}`."""

_LABELS = frozenset({"name", "key", "field", "fieldname", "field_name"})
_LABELLED = frozenset(["value", "values", "string", "before", "after", "old", "new", "to", "from"])
_LONGEST_NAME = 64
_MOST_NAMES = 4096
_TELLS_NOTHING: set[str] = set()
"""Names of members that were looked at before. An event of nothing else costs one comparison of sets."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NONE: frozenset[str] = frozenset()
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class _Secret(IntEnum):
    """How much of a member is secret, by its name."""

    NOTHING = 0
    TEXT = 1  # a text, or a list of them; an object or a number under the same name is about the secret
    WITHIN = 2  # also the texts within an object
    NUMBER = 3  # also numbers


class Redaction(Struct, frozen=True):
    """What is taken out beside the defaults: members by the last parts of their path, in lower case.

    Raises UnmappableEvent for what is nested too deeply to be looked through.
    """

    paths: frozenset[tuple[str, ...]] = frozenset()

    @classmethod
    def of(cls, *lists: Iterable[str]) -> "Redaction":
        """From texts such as `ssn` (that member, wherever it stands) or `request.body` (that one below `request`)."""
        return cls(frozenset(tuple(text.strip().lower().split(".")) for texts in lists for text in texts))

    def apply(self, name: str, members: Mapping[str, Any], removed: list[str]) -> Mapping[str, Any]:
        """The members without secrets; the path of each secret is added to `removed`, beginning with `name`."""
        return self._walked(members, (name,), removed)

    def shown(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of which parts are put to where their path is another one, which no rule would recognise."""
        return self._walked(event, (), [])

    def _walked(self, members: Mapping[str, Any], path: tuple[str, ...], removed: list[str]) -> Mapping[str, Any]:
        last_parts = frozenset(path[-1] for path in self.paths) if self.paths else _NONE
        try:
            if not _may_hold(members, last_parts):
                return members
            return _Walk(self.paths, last_parts, removed).members(members, path, _Secret.NOTHING)
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error


BY_NAME = Redaction()
"""The defaults alone."""


class _Walk(Struct, frozen=True):
    paths: frozenset[tuple[str, ...]]
    last_parts: frozenset[str]
    removed: list[str]

    def members(self, value: Mapping[str, Any], path: tuple[str, ...], around: _Secret) -> dict[str, Any]:
        label = _label(value)
        return {
            name: self.value(member, (*path, name), self._secret(name, path, around, label))
            for name, member in value.items()
        }

    def value(self, value: Any, path: tuple[str, ...], secret: _Secret | None) -> Any:
        """The value, or the mark in its place; `secret` is None for what a list names: that goes whole."""
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        if secret is None or value is REDACTED:
            return self._remove(path)
        if isinstance(value, Mapping):
            return self.members(value, path, secret)
        if isinstance(value, list):
            return [self.value(item, (*path, str(number)), secret) for number, item in enumerate(value)]
        if secret >= (_Secret.TEXT if isinstance(value, str) else _Secret.NUMBER):
            return self._remove(path)
        return value

    def _secret(self, name: str, path: tuple[str, ...], around: _Secret, label: _Secret) -> _Secret | None:
        if name.lower() in self.last_parts:
            lowered = tuple(part.lower() for part in (*path, name))
            if any(lowered[-len(listed) :] == listed for listed in self.paths):
                return None
        if any(_LEVELS & set(_words(part)) for part in path):
            return _Secret.NOTHING
        own = _by_name(name)
        last = _last_word(name)
        if label and last in _LABELLED:
            own = max(own, label)
        if around >= _Secret.WITHIN and last not in _TELLING:
            own = max(own, around)
        return own

    def _remove(self, path: tuple[str, ...]) -> str:
        self.removed.append(".".join(path))
        return REDACTED


def _may_hold(value: Any, listed: frozenset[str]) -> bool:
    """Whether there is anything to look at more closely. Most events hold nothing, and this is all that they cost."""
    # A dictionary nearly always; asking for that first spares the abstract class's slow check.
    if value.__class__ is dict or isinstance(value, Mapping):
        if not _TELLS_NOTHING.issuperset(value) and _any_tells(value):
            return True
        if listed and not listed.isdisjoint(map(str.lower, value)):
            return True
        value = value.values()
    elif not isinstance(value, list):
        return False
    for member in value:  # noqa: SIM110 - a generator would take twice as long, for each event
        if member.__class__ not in _SCALARS and _may_hold(member, listed):
            return True
    return False


def _any_tells(value: Mapping[str, Any]) -> bool:
    return any(_tells(name, member) for name, member in value.items())


def _tells(name: str, member: Any) -> bool:
    """Whether a member is called a secret, or is a label that says so. Other names are remembered, within bounds."""
    if _by_name(name):
        return True
    if name.lower() in _LABELS:
        return isinstance(member, str) and bool(_by_name(member))
    if len(name) <= _LONGEST_NAME:
        if len(_TELLS_NOTHING) >= _MOST_NAMES:
            _TELLS_NOTHING.clear()
        _TELLS_NOTHING.add(name)
    return False


def _label(value: Mapping[str, Any]) -> _Secret:
    """What {"name": "client_secret", "value": "..."} says of the values beside the label."""
    labels = (text for name, text in value.items() if name.lower() in _LABELS and isinstance(text, str))
    return max(map(_by_name, labels), default=_Secret.NOTHING)


@lru_cache(maxsize=4096)
def _by_name(name: str) -> _Secret:
    words = _words(name)
    if not words or _HARMLESS & set(words):
        return _Secret.NOTHING
    last = words[-1]
    if last in _NUMBERS_TOO or last.endswith("password"):
        return _Secret.NUMBER
    if last in _WITHIN or last.endswith("secret"):
        return _Secret.WITHIN
    key = last in {"key", "keys"} and bool(_KEYS & set(words[:-1]))
    if key or last in _TEXTS or last.endswith(("token", "apikey", "privatekey", "accesskey")):
        return _Secret.TEXT
    return _Secret.NOTHING


@lru_cache(maxsize=4096)
def _last_word(name: str) -> str:
    return next(reversed(_words(name)), "")


def _words(name: str) -> list[str]:
    """`clientSecret`, `client-secret` and `CLIENT_SECRET` are all two words; what is longer than a name has none."""
    return [word.lower() for word in _WORD.findall(name)] if len(name) <= _LONGEST_NAME else []
