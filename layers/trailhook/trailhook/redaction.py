"""Keeping secrets out of a store that nobody can delete from: values are replaced by a mark, and where is listed.

What a member is called decides, whoever sent it; a partner's file and the operator's own list add to that. The text of
values is never searched: a rule that guesses would sometimes remove evidence, and nobody would notice.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct

from trailhook.errors import UnmappableEvent

REDACTED = "[redacted by trailhook]"

_PASSWORDS = frozenset(["password", "passwords", "passwd", "pwd", "passcode", "passphrase"])
_WITHIN = frozenset(["secret", "secrets", "cookie", "cookies", "credential", "credentials"])
_TEXTS = frozenset(["jwt", "authorization"])
_KEYS = frozenset(["api", "private", "access", "secret", "signing", "shared"])
"""What makes a secret of a key: `private_key` and `apiKey`, but not `entity_key` or `primary_key`."""

_HARMLESS = frozenset(["truncated", "masked", "public"])
"""What makes something else of any secret."""

_HASHED = frozenset(["hashed", "hash", "digest"])
"""What tells secrets apart without being one, unless it is that of a password: such a one can be guessed with it."""

_PAGING = frozenset(["next", "page", "pagination", "continuation", "sync"])
"""Right before `token` they make a position in a list of it."""

_TELLING = frozenset(["id", "ids", "uuid", "name", "type", "kind", "scope", "scopes", "provider", "status", "at"])
"""Members that may stay within an object of secrets: they say which one it was."""

_PERMISSIONS = frozenset(["permission", "permissions"])
"""Below these, at any depth, a name is a thing that somebody may read or write: `{"permissions_added": {"organization":
{"secrets": "read"}}}`."""

_LEVELS = frozenset(
    ["none", "read", "write", "admin", "full", "all", "view", "list", "create", "edit", "update", "delete", "manage"]
)
"""What somebody may do with it. Below a permission only these stay: a secret can stand there as anywhere."""

_LABELS = frozenset({"name", "key", "field", "fieldname", "field_name"})
_LABELLED = frozenset(["value", "values", "string", "before", "after", "old", "new", "to", "from"])
_LONGEST_NAME = 64
_MOST_NAMES = 4096
_TELLS_NOTHING: set[str] = set()
"""Names of members that were looked at before. An event of nothing else costs one comparison of sets."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def read_paths(text: str) -> tuple[str, ...]:
    """An operator's list: members or paths, separated by commas. Raises ValueError for one that no member can have.

    Left in, it would take nothing out, and nobody would notice before it is in the Lake.
    """
    paths = tuple(word.strip() for word in text.split(",") if word.strip())
    for path in paths:
        if not all(part.strip() for part in path.split(".")):
            raise ValueError(f"{path!r} has no name beside one of its dots")
    return paths


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
    last_parts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *lists: Iterable[str]) -> "Redaction":
        """From texts such as `ssn` (that member, wherever it stands) or `request.body` (that one below `request`)."""
        paths = frozenset(tuple(text.strip().lower().split(".")) for texts in lists for text in texts)
        return cls(paths, frozenset(path[-1] for path in paths))

    def apply(self, name: str, members: Mapping[str, Any], removed: list[str]) -> Mapping[str, Any]:
        """The members without secrets; the path of each secret is added to `removed`, beginning with `name`."""
        return self._walked(members, (name,), removed)

    def shown(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of which parts are put to where their path is another one, which no rule would recognise."""
        return self._walked(event, (), [])

    def _walked(self, members: Mapping[str, Any], path: tuple[str, ...], removed: list[str]) -> Mapping[str, Any]:
        try:
            if not _may_hold(members, self.last_parts):
                return members
            return _Walk(self, removed).members(members, path, _Secret.NOTHING)
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error


BY_NAME = Redaction()
"""The defaults alone."""


class _Walk(Struct, frozen=True):
    redaction: Redaction
    removed: list[str]

    def members(self, value: Mapping[str, Any], path: tuple[str, ...], around: _Secret) -> dict[str, Any]:
        label = _label(value)
        kept: dict[str, Any] = {}
        for name, member in value.items():
            secret = self._secret(name, path, around, label)
            stays = secret is _Secret.NOTHING and member.__class__ in _SCALARS and member is not REDACTED
            kept[name] = member if stays else self.value(member, (*path, name), secret)
        return kept

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
        if secret < (_Secret.TEXT if isinstance(value, str) else _Secret.NUMBER) or _is_level(value, path):
            return value
        return self._remove(path)

    def _secret(self, name: str, path: tuple[str, ...], around: _Secret, label: _Secret) -> _Secret | None:
        if name.lower() in self.redaction.last_parts:
            lowered = tuple(part.lower() for part in (*path, name))
            if any(lowered[-len(listed) :] == listed for listed in self.redaction.paths):
                return None
        own, last = _judged(name[-_LONGEST_NAME:])
        if label and last in _LABELLED:
            own = max(own, label)
        if around >= _Secret.WITHIN and last not in _TELLING:
            own = max(own, around)
        return own

    def _remove(self, path: tuple[str, ...]) -> str:
        self.removed.append(".".join(path))
        return REDACTED


def _is_level(value: Any, path: tuple[str, ...]) -> bool:
    return str(value).lower() in _LEVELS and any(not _PERMISSIONS.isdisjoint(_words(part)) for part in path[:-1])


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
    return any(name not in _TELLS_NOTHING and _tells(name, member) for name, member in value.items())


def _tells(name: str, member: Any) -> bool:
    """Whether a member is called a secret, or is a label that says so. Other names are remembered, within bounds."""
    if _by_name(name):
        return True
    if name.lower() in _LABELS:
        return bool(_by_label(member))
    if len(name) <= _LONGEST_NAME:
        if len(_TELLS_NOTHING) >= _MOST_NAMES:
            _TELLS_NOTHING.clear()
        _TELLS_NOTHING.add(name)
    return False


def _label(value: Mapping[str, Any]) -> _Secret:
    """What {"name": "client_secret", "value": "..."} says of the values beside the label."""
    return max((_by_label(text) for name, text in value.items() if name.lower() in _LABELS), default=_Secret.NOTHING)


def _by_label(text: Any) -> _Secret:
    """What a label says; what is longer than a name is none."""
    return _by_name(text) if isinstance(text, str) and len(text) <= _LONGEST_NAME else _Secret.NOTHING


def _by_name(name: str) -> _Secret:
    """Of a longer name than usual only the end counts."""
    secret, _ = _judged(name[-_LONGEST_NAME:])
    return secret


@lru_cache(maxsize=4096)
def _judged(name: str) -> tuple[_Secret, str]:
    """What a name says, and its last word."""
    words = _words(name)
    return (_by_words(words), words[-1]) if words else (_Secret.NOTHING, "")


def _by_words(words: Sequence[str]) -> _Secret:
    *others, last = words
    if not _HARMLESS.isdisjoint(words):
        return _Secret.NOTHING
    if _is_password(last) or (last in _HASHED and _is_password("".join(others[-1:]))):
        return _Secret.NUMBER
    if not _HASHED.isdisjoint(words):
        return _Secret.NOTHING
    if last in _WITHIN or last.endswith("secret"):
        return _Secret.WITHIN
    key = last in {"key", "keys"} and not _KEYS.isdisjoint(others)
    token = last.endswith(("token", "tokens")) and _PAGING.isdisjoint(others[-1:])
    if key or token or last in _TEXTS or last.endswith(("apikey", "privatekey", "accesskey")):
        return _Secret.TEXT
    return _Secret.NOTHING


def _is_password(word: str) -> bool:
    return word in _PASSWORDS or word.endswith("password")


def _words(name: str) -> Sequence[str]:
    """`clientSecret`, `client-secret` and `CLIENT_SECRET` are all two words."""
    return [word.lower() for word in _WORD.findall(name)]
