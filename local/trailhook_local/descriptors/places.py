"""What a descriptor may say about where a value stands, and about what it holds there."""

import re
from typing import Any

import jmespath
import yaml
from jmespath.exceptions import JMESPathError

from trailhook_local.descriptors.readers import (
    Problems,
    Reader,
    any_scalar,
    checked,
    choice,
    list_of,
    mapping_of,
    number,
    one_of,
    text,
)

_SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "x-gitlab-token", "x-gitlab-event-streaming-token", "cf-webhook-auth", "x-api-key"}
)


def _path_problem(expression: str) -> str | None:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        return f"{expression!r} is not a JMESPath: {str(error).splitlines()[0]}"
    return None


def _word_problem(word: str) -> str | None:
    """A type that looks like a path would otherwise be the type of every actor, and nobody be told."""
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", word):
        return f"a text stands for itself here; for what the event holds, write {{at: {word}}}"
    return None


def _pattern_problem(pattern: str) -> str | None:
    try:
        re.compile(pattern)
    except re.error as error:
        return f"{pattern!r} is not a regular expression: {error}"
    return None


def _kept_header_problem(name: str) -> str | None:
    return f"{name} holds a secret, and what is kept of a delivery must not" if name in _SECRET_HEADERS else None


PATH = checked(text(hint="a JMESPath"), _path_problem)
HEADER = text(r"[a-z0-9][a-z0-9-]*", "a header's name in lower case")
KEPT_HEADER = checked(HEADER, _kept_header_problem)
_CONSTANT = text(r"[^\n]+", "a text on one line")
_WORD = checked(_CONSTANT, _word_problem)

CHANGES: dict[str, Reader] = {
    "map": mapping_of(_CONSTANT),
    "except": list_of(_CONSTANT),
    "before": text(r".{1,10}", "one to ten characters"),
}
"""What may become of a value on the way: another name for it, nothing, or the part before a sign."""

_TESTS: dict[str, Reader] = {
    "in": list_of(any_scalar),
    "not_in": list_of(any_scalar),
    "matches": checked(text(hint="a regular expression"), _pattern_problem),
    "at_least": number,
    "present": choice(True, False),
}


def _place(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    """A JMESPath as a text; or a mapping that says what it is."""
    if isinstance(node, yaml.ScalarNode):
        return {"at": PATH(node, name, problems)}
    values: dict[str, Any] = _PLACE(node, name, problems)
    return values


def _type(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    """The same, but a plain text stands for itself: `type: User`."""
    if isinstance(node, yaml.ScalarNode):
        return {"constant": _WORD(node, name, problems)}
    return _place(node, name, problems)


def CONDITION(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:  # noqa: N802 - a reader like the others
    """A JMESPath alone, which must lead to something; or a place and at most one test of what it holds."""
    if isinstance(node, yaml.ScalarNode):
        return {"at": PATH(node, name, problems)}
    values: dict[str, Any] = _CONDITION(node, name, problems)
    if len(values.keys() & _TESTS.keys()) > 1:
        problems.add(node, name, f"at most one of these belongs here: {', '.join(_TESTS)}")
    return values


PLACES = list_of(_place)
TYPES = list_of(_type)
_PLACE = one_of(
    {"at": PATH, "header": KEPT_HEADER, "constant": _CONSTANT, "join": PLACES, "receipt": choice(True)},
    {**CHANGES, "with": text(r".{0,10}", "up to ten characters")},
)
_CONDITION = one_of({"at": PATH, "header": KEPT_HEADER}, {**CHANGES, **_TESTS})
