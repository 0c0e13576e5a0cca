"""What the name of a member says of its value: whether that is a secret, and how much of it.

A label is a name, too: `{"name": "client_secret", "value": "..."}` says the same of the value as that name would.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import Any


class Secret(IntEnum):
    """How much of a member is secret, by its name."""

    NOTHING = 0
    TEXT = 1  # a text, or a list of them; of an object, which is about the secret, only its `value` or the like
    WITHIN = 2  # also the texts within an object
    NUMBER = 3  # also numbers
    ALL = 4  # whatever it holds: an operator's or a partner's list names it


_PASSWORDS = frozenset(["password", "passwords", "passwd", "pwd", "passcode", "passphrase"])
"""Secrets that are numbers, too, and that a hash of them helps to guess."""

_HASHES = frozenset(["hash", "hashes", "hashed", "digest", "digests", "sha", "md", "bcrypt"])
"""A hash of a secret tells it from others, and is no secret itself, unless it is that of a password."""

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

TELLING = frozenset(
    ["id", "ids", "uuid", "jti", "kid", "name", "type", "kind", "scope", "scopes", "provider", "status", "mode", "at"]
)
"""Members that may stay within an object of secrets: they say which one it was, as the id of a JWT (`jti`) and of its
key (`kid`) do.
"""

_LEVELS = frozenset(
    [
        *("none", "read", "write", "admin", "full", "all", "view", "list", "create", "edit", "update", "delete"),
        *("manage", "use", "only", "readonly", "readwrite", "allow", "allowed", "deny", "denied", "granted"),
    ]
)
"""What somebody may do with a thing. Below a permission, names are things, and values of such words alone stay:
`{"permissions_added": {"organization": {"secrets": "read"}}}`."""

LABELS = frozenset(
    [
        *("name", "key", "field", "fieldname", "field_name", "label", "displayname", "display_name", "header"),
        *("parameter", "property", "propertyname", "property_name", "attribute", "variable", "setting"),
    ]
)
"""Members that say what the values beside them are."""

LABELLED = frozenset(["value", "values", "string", "before", "after", "old", "new", "to", "from"])
"""These values, by their last word; a `string` by the word before, too."""

LONGEST_NAME = 64
"""Of a longer name only the end counts, and no more of it is remembered."""

_LEVEL = re.compile(r"[A-Za-z]+([ ,_:/&-]+[A-Za-z]+)*")
_WORD = re.compile(r"(?i:pass[_-]?(?:words?|wd|code|phrase))(?![a-z])|[A-Z]+s?(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
"""Some take a password for two words, and leave the plural's letter small behind capitals (`TOKENs`)."""


def judge_name(name: str) -> tuple[Secret, str]:
    """What a name says, and its last word."""
    return _judged(name[-LONGEST_NAME:])


def judge_label(text: Any) -> Secret:
    """What a label says. A sentence is none."""
    if not isinstance(text, str) or (len(text) > LONGEST_NAME and " " in text):
        return Secret.NOTHING
    secret, _ = judge_name(text)
    return secret


def is_value(name: str) -> bool:
    """Whether a member below a token is the token: `value`, `new_value` or `from`, but not `valid_from`."""
    return len(name) <= LONGEST_NAME and _holds(name)


def is_labelled(name: str) -> bool:
    """Whether a label beside it says what the member holds: `value`, `changedTo` or `ValueString`, but not
    `SHA256String`. The hash of malware is no secret, whatever the malware is called.
    """
    return _takes_label(name[-LONGEST_NAME:])


def is_permission(name: str) -> bool:
    """Whether what is below says what somebody may do."""
    return _permits(name[-LONGEST_NAME:])


def is_level(value: Any) -> bool:
    """Whether it is a text of words for permissions and nothing else: with a digit in it, it may be anything."""
    if not isinstance(value, str) or len(value) > LONGEST_NAME or not _LEVEL.fullmatch(value):
        return False
    return _LEVELS.issuperset(_words(value))


@lru_cache(maxsize=4096)
def _judged(name: str) -> tuple[Secret, str]:
    words = _without_number(_words(name))
    if not words:
        return Secret.NOTHING, ""
    last = words[-1]
    while len(words) > 1 and words[-1] in _FORMS:
        words = _without_number(words[:-1]) or words[:1]
    return _by_words(words), last


def _without_number(words: list[str]) -> list[str]:
    """The second password, or the second version of one (`v2`), is one as well."""
    while words and words[-1].isdigit():
        words = words[: -2 if words[-2:-1] == ["v"] else -1]
    return words


def _by_words(words: Sequence[str]) -> Secret:
    *others, last = words
    before = others[-1] if others else ""
    password = _is_password(last) or (last in _HASHES and _is_password(before)) or last.endswith(_HASHED_IN_ONE_WORD)
    hashed = last in _HASHES or "hashed" in others
    names = last == "secrets" and before == "accessed"  # those of what somebody read, in Auth0's log
    if names or not _HARMLESS.isdisjoint(words) or (hashed and not password):
        return Secret.NOTHING
    if password:
        return Secret.NUMBER
    if last.endswith(_WITHIN_IN_ONE_WORD):
        return Secret.WITHIN
    if last.endswith(("token", "tokens")):
        return Secret.NOTHING if (last.removesuffix("s").removesuffix("token") or before) in _PAGING else Secret.TEXT
    key = last in {"key", "keys"} and not _KEYS.isdisjoint(others)
    if key or last in _TEXTS or last.endswith("jwt") or "".join(words).endswith(_IN_ONE_WORD):
        return Secret.TEXT
    return Secret.NOTHING


def _is_password(word: str) -> bool:
    return word.endswith(_PASSWORDS_IN_ONE_WORD)


@lru_cache(maxsize=4096)
def _holds(name: str) -> bool:
    words = _without_number(_words(name))
    return bool(words) and (LABELLED | _FORMS).issuperset(words)


@lru_cache(maxsize=4096)
def _takes_label(name: str) -> bool:
    words = _without_number(_words(name))
    deciding = words[-2:] if words[-1:] == ["string"] else words[-1:]
    return bool(deciding) and LABELLED.issuperset(deciding)


@lru_cache(maxsize=4096)
def _permits(name: str) -> bool:
    return not {"permission", "permissions"}.isdisjoint(_words(name))


def _words(name: str) -> list[str]:
    """`clientSecret`, `client-secret` and `CLIENT_SECRET` are all two words, `passPhrase` is one."""
    return [word.lower().replace("_", "").replace("-", "") for word in _WORD.findall(name)]
