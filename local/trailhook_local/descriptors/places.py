"""What a descriptor may say about where a value stands, and about what it holds there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
import yaml
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

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


_FUNCTIONS: Mapping[str, Any] = Functions.FUNCTION_TABLE
"""JMESPath's own functions, with what each takes."""
_OF_BOOLEANS = frozenset({"contains", "ends_with", "starts_with"})


def _path_problem(expression: str) -> str | None:
    try:
        parsed = jmespath.compile(expression).parsed
    except JMESPathError as error:
        told = str(error).splitlines()[0].removesuffix(" for expression:").rstrip(":,")
        if expression.startswith("$"):
            told += "; it begins with a member's name: leave out the $"
        elif "Unknown token" in told or "Unexpected token" in told:
            told += "; join names with dots, and quote those of more than letters, digits and _: 'actor.\"user-id\"'"
        return f"{expression!r} is not a JMESPath: {told}"
    return next(_call_problems(parsed), None)


def _call_problems(node: Mapping[str, Any]) -> Iterator[str]:
    """Calls that would fail for every event, and nobody would be told: a path that fails finds nothing."""
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        if name not in _FUNCTIONS:
            yield f"JMESPath has no function {name}; it has {', '.join(sorted(_FUNCTIONS))}"
        else:
            takes = _FUNCTIONS[name]["signature"]
            variadic = any(one.get("variadic") for one in takes)
            if given < len(takes) or (given > len(takes) and not variadic):
                yield f"{name} takes {len(takes)}{' or more' if variadic else ''} in its brackets, not {given}"
    if node["type"] != "slice":  # That has numbers in place of nodes.
        for child in node["children"]:
            yield from _call_problems(child)


def _may_be_false(node: Mapping[str, Any]) -> bool:
    """Whether an expression compares something at its end, so that it is false where it does not hold."""
    children = node["children"]
    match node["type"]:
        case "comparator" | "not_expression":
            return True
        case "function_expression":
            return node["value"] in _OF_BOOLEANS
        case "and_expression":
            return any(map(_may_be_false, children))
        case "or_expression" | "pipe":
            return _may_be_false(children[-1])
        case _:
            return False


def _alone_problem(expression: str) -> str | None:
    """A condition without a test holds wherever there is a value, and false is one."""
    if _path_problem(expression) is None and _may_be_false(jmespath.compile(expression).parsed):
        return (
            f"{expression!r} may be false, which counts as something; write {{at: …, in: [true]}}, or end it with "
            "|| `null`"
        )
    return None


def _word_problem(word: str) -> str | None:
    """A type that looks like a path would otherwise be the type of every actor, and nobody would be told."""
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", word):
        return f"a text stands for itself here; for what the event holds, write {{at: {word}}}"
    return None


def _is_constant(place: Mapping[str, Any]) -> bool:
    return all(map(_is_constant, place["join"])) if "join" in place else "constant" in place


def _id_problem(place: Mapping[str, Any]) -> str | None:
    if _is_constant(place):
        return "is the same for every event, so it tells none from another; if you leave it out, a digest is the id"
    return None


def _moment_problem(place: Mapping[str, Any]) -> str | None:
    """Every event would have that time, and one without a time would no longer be refused."""
    if _is_constant(place):
        return "is the same for every event; for an event that tells no time of its own write {receipt: true}"
    return None


def _setting_problem(place: Mapping[str, Any]) -> str | None:
    """A setting that would do nothing beside what the place is, and nobody would be told."""
    changes = [name for name in CHANGES if name in place]
    if changes and not place.keys() & {"at", "header"}:
        return f"{changes[0]} changes a path or a header alone; in a join, write it beside one of the parts"
    if "with" in place and "join" not in place:
        return "with stands between the parts of a join, and here is none"
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
_PATH_ALONE = checked(PATH, _alone_problem)
HEADER = text(r"[a-z0-9][a-z0-9-]*", "a header's name in lower case")
KEPT_HEADER = checked(HEADER, _kept_header_problem)
_CONSTANT = text(r"[^\n]+", "a text on one line")
_WORD = checked(_CONSTANT, _word_problem)

CHANGES: dict[str, Reader] = {
    "map": mapping_of(_CONSTANT),
    "except": list_of(_CONSTANT),
    "after": text(r".{1,40}", "one to forty characters"),
    "before": text(r".{1,10}", "one to ten characters"),
}
"""What may become of a value on the way: another name for it, nothing, or the part after a text or before a sign."""

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


def _time(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    """A place, or the time of receipt, which no other field may be: it differs each time the event is sent."""
    if isinstance(node, yaml.ScalarNode):
        return _place(node, name, problems)
    values: dict[str, Any] = _TIME(node, name, problems)
    return values


def _type(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    """A place, but a plain text stands for itself: `type: User`."""
    if isinstance(node, yaml.ScalarNode):
        return {"constant": _WORD(node, name, problems)}
    return _place(node, name, problems)


def _condition(ways: Mapping[str, Reader]) -> Reader:
    """A JMESPath alone, which must lead to something; or a place in one of these ways, and at most one test of it."""
    whole = one_of(ways, {**CHANGES, **_TESTS})

    def read(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
        if isinstance(node, yaml.ScalarNode):
            return {"at": _PATH_ALONE(node, name, problems)}
        values: dict[str, Any] = whole(node, name, problems)
        if len(values.keys() & _TESTS.keys()) > 1:
            problems.add(node, name, f"at most one of these belongs here: {', '.join(_TESTS)}")
        alone = "at" in values and not values.keys() & _TESTS.keys() - {"present"}
        if alone and (message := _alone_problem(values["at"])):
            problems.add(node, f"{name}.at", message)
        return values

    return read


CONDITION = _condition({"at": PATH, "header": KEPT_HEADER})
_OF_THE_EVENT = _condition({"at": PATH})
"""A condition under which a place counts. No header: one that no signature covers would decide without being listed."""

PLACES = list_of(_place)
IDS = list_of(checked(_place, _id_problem))
TIMES = list_of(checked(_time, _moment_problem))
TYPES = list_of(_type)
_KINDS: dict[str, Reader] = {"at": PATH, "header": KEPT_HEADER, "constant": _CONSTANT, "join": PLACES}
_MORE: dict[str, Reader] = {
    **CHANGES,
    "with": text(r".{0,10}", "up to ten characters"),
    "when": list_of(_OF_THE_EVENT),
}
_PLACE = checked(one_of(_KINDS, _MORE), _setting_problem)
_TIME = checked(one_of({**_KINDS, "receipt": choice(True)}, _MORE), _setting_problem)
