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


class _Mark(str):
    """A text that no sender's can be taken for."""

    __slots__ = ()


REDACTED = _Mark("[redacted by trailhook]")

MOST_TOLD = 30
LONGEST_TOLD = 100
"""So many places of what was taken out are told, of so many characters; of the others, only that there are."""

_PASSWORDS = frozenset(["password", "passwords", "passwd", "pwd", "passcode", "passphrase"])
"""Secrets that are numbers, too, and that a hash of them helps to guess."""

_HASHES = frozenset(["hash", "hashes", "hashed", "digest", "digests", "sha", "md", "bcrypt"])
"""What tells secrets apart without being one, unless it is that of a password."""

_PASSWORDS_IN_ONE_WORD = tuple(sorted(_PASSWORDS))
_HASHED_IN_ONE_WORD = tuple(f"{word}{of_it}" for word in sorted(_PASSWORDS) for of_it in sorted(_HASHES))

_WITHIN = frozenset(["secret", "secrets", "cookie", "cookies", "credential", "credentials"])
"""Secrets that may be objects, which then hold it."""

_WITHIN_IN_ONE_WORD = tuple(sorted(_WITHIN))

_TEXTS = frozenset(["jwt", "authorization"])
"""Secrets that are texts, beside tokens and keys."""

_KEYS = frozenset(["api", "private", "access", "secret", "signing", "shared"])
"""What makes a secret of a key: `private_key` and `apiKey`, but not `entity_key` or `primary_key`."""

_IN_ONE_WORD = (
    *(f"{kind}key{plural}" for kind in sorted(_KEYS) for plural in ("", "s")),
    *("connectionstring", "connectionstrings", "secretstring", "secretbinary"),
)
"""More secrets that are texts: how their names end once the words are written together."""

_HARMLESS = frozenset(["truncated", "masked", "public"])
"""What makes something else of any secret."""

_FORMS = frozenset(["value", "values", "pem"])
"""Last words as in `secret_value` and `private_key_pem`: whether it is a secret, the words before them say."""

_PAGING = frozenset(["next", "page", "pagination", "continuation", "sync"])
"""Right before `token` they make a position in a list of it."""

_TELLING = frozenset(
    ["id", "ids", "uuid", "name", "type", "kind", "scope", "scopes", "provider", "status", "mode", "at"]
)
"""Members that may stay within an object of secrets: they say which one it was."""

_LEVELS = frozenset(
    [
        *("none", "read", "write", "admin", "full", "all", "view", "list", "create", "edit", "update", "delete"),
        *("manage", "use", "only", "readonly", "readwrite", "allow", "allowed", "deny", "denied", "granted"),
    ]
)
"""What somebody may do with a thing. Below a permission, names are things, and values of such words alone stay:
`{"permissions_added": {"organization": {"secrets": "read"}}}`."""

_LABELS = frozenset(
    [
        *("name", "key", "field", "fieldname", "field_name", "label", "displayname", "display_name", "header"),
        *("parameter", "property", "propertyname", "property_name", "attribute", "variable", "setting"),
    ]
)
"""Members that say what the values beside them are."""

_LABELLED = frozenset(["value", "values", "string", "before", "after", "old", "new", "to", "from"])
"""These values, by their last word."""

_LONGEST_NAME = 64
"""Of a longer name only the end counts."""

_MOST_NAMES = 4096
_TELLS_NOTHING: set[str] = set()
"""Names of members that were looked at before. An event of nothing else costs one comparison of sets."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NONE: frozenset[str] = frozenset()
_BOOLEANS = frozenset(["true", "false", "True", "False"])
"""Texts that hide no more than true and false do: whether there is a password is evidence."""
_LEVEL = re.compile(r"[A-Za-z]+([ ,_:/&-]+[A-Za-z]+)*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


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


class _Secret(IntEnum):
    """How much of a member is secret, by its name."""

    NOTHING = 0
    TEXT = 1  # a text, or a list of them; an object of that name is about the secret, and only its `value` or so is it
    WITHIN = 2  # also the texts within an object
    NUMBER = 3  # also numbers
    ALL = 4  # whatever it holds: an operator's or a partner's list names it


class Redaction(Struct, frozen=True):
    """What is taken out beside the defaults: members by the last parts of their path, in lower case.

    Raises UnmappableEvent for what is nested too deeply to be looked through.
    """

    paths: frozenset[tuple[str, ...]] = frozenset()
    last_parts: frozenset[str] = frozenset()
    longest: int = 0
    """Parts of the longest path: of where a member stands, no more than so many count."""

    @classmethod
    def of(cls, *lists: Iterable[str]) -> "Redaction":
        """From texts such as `ssn` (that member, wherever it stands) or `request.body` (that one below `request`)."""
        paths = frozenset(tuple(text.strip().lower().split(".")) for texts in lists for text in texts)
        return cls(paths, frozenset(path[-1] for path in paths), max(map(len, paths), default=0))

    def apply(self, name: str, members: Mapping[str, Any], removed: list[str]) -> Mapping[str, Any]:
        """The members without secrets. `removed` gets an element for each of these: its path, beginning with `name`,
        or nothing where it has enough to tell.
        """
        listed = bool(self.paths) and self.lists(self.end((), name))
        try:
            if not listed and not _may_hold(members, self.last_parts):
                return members
            at = _At(None, name, self.end((), name), _Secret.ALL if listed else _Secret.NOTHING)
            return _Walk(self, removed).members(members, at)
        except RecursionError as error:
            raise UnmappableEvent("TooDeep", "The event is nested too deeply") from error

    def shown(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event of which parts are put to where their path is another one, which no rule would recognise."""
        return self.apply("", event, [])

    def lists(self, path: tuple[str, ...]) -> bool:
        """Whether one of the paths is the end of this one."""
        return any(path[-len(end) :] == end for end in self.paths)

    def end(self, parts: tuple[str, ...], name: str) -> tuple[str, ...]:
        """The end of a path below those parts. A member's own name may have dots: `{"actor.email": "..."}`."""
        if not self.longest:
            return ()
        return (*parts, *name.lower().rsplit(".", self.longest)[-self.longest :])[-self.longest :]


BY_NAME = Redaction()
"""The defaults alone."""


class _At(Struct, frozen=True):
    """Where a walk is: the name there, the end of the path as lists have it, and what that says of all below."""

    above: "_At | None"
    name: str
    end: tuple[str, ...]
    secret: _Secret
    levels: frozenset[str] = _NONE

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

    def _elements(self, value: list[Any], secret: _Secret, at: _At) -> list[Any]:
        removed = len(self.removed)
        names = map(str, range(len(value)))
        kept = [
            self._value(item, name, _Secret.ALL if self._is_listed(name, at) else secret, at)
            for name, item in zip(names, value, strict=True)
        ]
        return kept if len(self.removed) > removed else value

    def _value(self, value: Any, name: str, secret: _Secret, at: _At) -> Any:
        """The value, or the mark in its place."""
        if not secret and value.__class__ in _SCALARS:
            return value
        if value is None or isinstance(value, bool) or value in ("", [], {}):
            return value
        if secret is _Secret.ALL or value is REDACTED:
            return self._remove(name, at)
        if isinstance(value, Mapping):
            return self.members(value, self._within(at, name, secret))
        if isinstance(value, list):
            return self._elements(value, secret, self._within(at, name, secret))
        least = _Secret.TEXT if isinstance(value, str) else _Secret.NUMBER
        hides = secret >= least and value not in _BOOLEANS and not _is_level(value, at.levels)
        return self._remove(name, at) if hides else value

    def _within(self, at: _At, name: str, secret: _Secret) -> _At:
        levels = at.levels or (_LEVELS if _is_permission(name[-_LONGEST_NAME:]) else _NONE)
        return _At(at, name, self.redaction.end(at.end, name), secret, levels)

    def _is_listed(self, name: str, at: _At) -> bool:
        redaction = self.redaction
        return _last_part(name) in redaction.last_parts and redaction.lists(redaction.end(at.end, name))

    def _secret(self, name: str, at: _At, label: _Secret) -> _Secret:
        if at.secret is _Secret.ALL or self._is_listed(name, at):
            return _Secret.ALL
        own, last = _judge(name)
        if label and last in _LABELLED:
            own = max(own, label)
        if (at.secret >= _Secret.WITHIN and last not in _TELLING) or (at.secret and _is_value(name)):
            own = max(own, at.secret)
        return own

    def _label(self, value: Mapping[str, Any], at: _At) -> _Secret:
        """What {"name": "client_secret", "value": "..."} says of the values beside the label."""
        labels = [text for name, text in value.items() if name.lower() in _LABELS and isinstance(text, str)]
        if any(self._is_listed(text, at) for text in labels):
            return _Secret.ALL
        return max(map(_by_label, labels), default=_Secret.NOTHING)

    def _remove(self, name: str, at: _At) -> str:
        self.removed.append(at.path(name) if len(self.removed) < MOST_TOLD else "")
        return REDACTED


def _may_hold(value: Any, listed: frozenset[str]) -> bool:
    """Whether there is anything to look at more closely. Most events hold nothing, and this is all that they cost."""
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
        isinstance(member, str) and name.lower() in _LABELS and _last_part(member) in listed
    )


def _any_tells(value: Mapping[str, Any]) -> bool:
    return any(name not in _TELLS_NOTHING and _tells(name, member) for name, member in value.items())


def _tells(name: str, member: Any) -> bool:
    """Whether a member is called a secret, or is a label that says so. Other names are remembered, within bounds."""
    secret, _ = _judge(name)
    if secret:
        return True
    if name.lower() in _LABELS:
        return bool(_by_label(member))
    if len(name) <= _LONGEST_NAME:
        if len(_TELLS_NOTHING) >= _MOST_NAMES:
            _TELLS_NOTHING.clear()
        _TELLS_NOTHING.add(name)
    return False


def _by_label(text: Any) -> _Secret:
    """What a label says. A sentence is none."""
    if not isinstance(text, str) or (len(text) > _LONGEST_NAME and " " in text):
        return _Secret.NOTHING
    secret, _ = _judge(text)
    return secret


def _judge(name: str) -> tuple[_Secret, str]:
    """What a name says, and its last word."""
    return _judged(name[-_LONGEST_NAME:])


@lru_cache(maxsize=4096)
def _judged(name: str) -> tuple[_Secret, str]:
    words = _without_number(_words(name))
    if not words:
        return _Secret.NOTHING, ""
    last = words[-1]
    while len(words) > 1 and words[-1] in _FORMS:
        words = _without_number(words[:-1]) or words[:1]
    return _by_words(words), last


def _without_number(words: list[str]) -> list[str]:
    """The second password is one as well."""
    while words and words[-1].isdigit():
        words = words[:-1]
    return words


def _by_words(words: Sequence[str]) -> _Secret:
    *others, last = words
    before = others[-1] if others else ""
    password = _is_password(last) or (last in _HASHES and _is_password(before)) or last.endswith(_HASHED_IN_ONE_WORD)
    hashed = last in _HASHES or "hashed" in others
    names = last == "secrets" and before == "accessed"  # those of what somebody read, in Auth0's log
    if names or not _HARMLESS.isdisjoint(words) or (hashed and not password):
        return _Secret.NOTHING
    if password:
        return _Secret.NUMBER
    if last.endswith(_WITHIN_IN_ONE_WORD):
        return _Secret.WITHIN
    if last.endswith(("token", "tokens")):
        return _Secret.NOTHING if (last.removesuffix("s").removesuffix("token") or before) in _PAGING else _Secret.TEXT
    key = last in {"key", "keys"} and not _KEYS.isdisjoint(others)
    if key or last in _TEXTS or last.endswith("jwt") or "".join(words).endswith(_IN_ONE_WORD):
        return _Secret.TEXT
    return _Secret.NOTHING


def _is_password(word: str) -> bool:
    return word.endswith(_PASSWORDS_IN_ONE_WORD)


@lru_cache(maxsize=4096)
def _is_value(name: str) -> bool:
    """Whether a member below a token is the token: `value`, `new_value` or `from`, but not `valid_from`."""
    words = _without_number(_words(name)) if len(name) <= _LONGEST_NAME else []
    return bool(words) and (_LABELLED | _FORMS).issuperset(words)


@lru_cache(maxsize=4096)
def _is_permission(name: str) -> bool:
    return not {"permission", "permissions"}.isdisjoint(_words(name))


def _is_level(value: Any, levels: frozenset[str]) -> bool:
    """Whether it is a text of such words and nothing else, for what is no letter is told by no word."""
    if not levels or not isinstance(value, str) or len(value) > _LONGEST_NAME or not _LEVEL.fullmatch(value):
        return False
    return levels.issuperset(_words(value))


def _words(name: str) -> list[str]:
    """`clientSecret`, `client-secret` and `CLIENT_SECRET` are all two words."""
    return [word.lower() for word in _WORD.findall(name)]


def _last_part(name: str) -> str:
    return name.lower().rpartition(".")[2]
