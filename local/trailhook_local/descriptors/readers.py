"""Readers of YAML nodes that check what they read, say where it is wrong and what is allowed, and go on reading.

A reader takes a node and the dotted name of its field, and returns the compiled value; what is wrong is added to a list
of problems, so that an author sees all of them at once.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

import yaml

Reader = Callable[[yaml.Node, str, "Problems"], Any]

_AS_IN_JSON = re.compile(r"(?i:true|false)|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a file, where, and what to do."""

    line: int
    field: str
    message: str


@dataclass(slots=True)
class Problems:
    """What was found wrong so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, node: yaml.Node, name: str, message: str) -> None:
        self.found.append(Problem(node.start_mark.line + 1, name or "(file)", message))


def scalar(node: yaml.Node) -> Any:
    """The node's value by YAML's own rules; None for a list or a mapping."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    constructor = yaml.constructor.SafeConstructor()
    try:
        return constructor.construct_object(node)
    except (yaml.YAMLError, ValueError):
        return node.value


def text(pattern: str = r"(?s).+", hint: str = "a text") -> Reader:
    """A text of that pattern; `hint` says in words what is allowed."""
    expected = re.compile(pattern)

    def read(node: yaml.Node, name: str, problems: Problems) -> str:
        value = scalar(node)
        if isinstance(value, int | float | date) and not isinstance(value, bool):
            # As it is written: 1.10 is not 1.1 then, nor 010 eight.
            value = node.value
        if not isinstance(value, str) or not expected.fullmatch(value):
            shown = f"{_shown(node)} is not" if isinstance(node, yaml.ScalarNode) else "a list or mapping is not"
            problems.add(node, name, f"{shown} {hint}")
            return ""
        return value

    return read


def _shown(node: yaml.Node) -> str:
    """A value as it is written; where YAML reads no, off or null as no text, with what to do."""
    is_text = isinstance(scalar(node), str) or not node.value
    return repr(node.value) if is_text else f"{node.value} without quotes"


def choice(*allowed: Any) -> Reader:
    """One of these values."""

    def read(node: yaml.Node, name: str, problems: Problems) -> Any:
        value = scalar(node)
        if not any(value == one and type(value) is type(one) for one in allowed):
            shown = repr(value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"
            problems.add(node, name, f"{shown} is not one of: {', '.join(map(str, allowed))}")
        return value

    return read


def checked(reader: Reader, check: Callable[[Any], str | None]) -> Reader:
    """What `reader` reads, if `check` finds nothing to say against it."""

    def read(node: yaml.Node, name: str, problems: Problems) -> Any:
        before = len(problems.found)
        value = reader(node, name, problems)
        if len(problems.found) == before and (message := check(value)):
            problems.add(node, name, message)
        return value

    return read


def any_scalar(node: yaml.Node, name: str, problems: Problems) -> Any:
    """A text, a number, or true or false, as JSON writes them: to YAML off is false, and 010 is eight."""
    value = scalar(node)
    if not isinstance(value, str | int | float):
        problems.add(node, name, "a text, a number, true or false belongs here (quote what looks like a date)")
    elif not isinstance(value, str) and not _AS_IN_JSON.fullmatch(node.value):
        problems.add(node, name, f"{node.value} is {json.dumps(value)} to YAML: write that, or quote it as a text")
    elif isinstance(value, str) and _is_plain(node) and _AS_IN_JSON.fullmatch(value):
        problems.add(node, name, f"{value} is a text to YAML: write {float(value)}, or quote it")
    return value


def _is_plain(node: yaml.Node) -> bool:
    """Whether it stands without quotes."""
    return isinstance(node, yaml.ScalarNode) and node.style is None


def number(node: yaml.Node, name: str, problems: Problems) -> Any:
    """A number as JSON writes it: to YAML .nan is one too, and 0400 is 256."""
    value = scalar(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add(node, name, "a number belongs here")
    elif not _AS_IN_JSON.fullmatch(node.value):
        problems.add(node, name, f"{node.value} is {json.dumps(value)} to YAML: write a number as JSON has it")
    return value


def list_of(reader: Reader) -> Reader:
    """A list, or one thing alone, which stands for a list of it."""

    def read(node: yaml.Node, name: str, problems: Problems) -> list[Any]:
        if not isinstance(node, yaml.SequenceNode):
            return [reader(node, name, problems)]
        if not node.value:
            problems.add(node, name, "is empty: name at least one, or leave out what is not required")
        return [reader(item, f"{name}[{index}]", problems) for index, item in enumerate(node.value)]

    return read


def mapping_of(reader: Reader) -> Reader:
    """A mapping with any keys."""

    def read(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
        return {
            key.value: reader(value, f"{name}.{key.value}", problems) for key, value in _pairs(node, name, problems)
        }

    return read


def fields(readers: Mapping[str, Reader], required: Iterable[str] = ()) -> Reader:
    """A mapping with these fields and no others."""

    def read(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in _pairs(node, name, problems):
            below = f"{name}.{key.value}" if name else key.value
            if key.value in readers:
                values[key.value] = readers[key.value](value, below, problems)
            elif key.value == "<<":
                problems.add(key, below, "nothing is merged here: write these fields again")
            else:
                problems.add(key, below, f"is not known; allowed here: {', '.join(readers)}")
        if isinstance(node, yaml.MappingNode):
            for missing in [one for one in required if one not in values]:
                problems.add(node, f"{name}.{missing}" if name else missing, "is missing")
        return values

    return read


def _pairs(node: yaml.Node, name: str, problems: Problems) -> Iterable[tuple[yaml.ScalarNode, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        problems.add(node, name, "a mapping (name: value) belongs here")
        return
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.add(key, name, "a name belongs before the colon")
        elif key.value in seen:
            problems.add(key, f"{name}.{key.value}" if name else key.value, "stands here twice")
        else:
            seen.add(key.value)
            yield key, value


def one_of(kinds: Mapping[str, Reader], more: Mapping[str, Reader] = MappingProxyType({})) -> Reader:
    """A mapping with exactly one of `kinds`, which says what it is, and any of `more`."""
    whole = fields({**kinds, **more})

    def read(node: yaml.Node, name: str, problems: Problems) -> Any:
        values = whole(node, name, problems)
        if isinstance(node, yaml.MappingNode) and len(values.keys() & kinds.keys()) != 1:
            problems.add(node, name, f"exactly one of these belongs here: {', '.join(kinds)}")
        return values

    return read
