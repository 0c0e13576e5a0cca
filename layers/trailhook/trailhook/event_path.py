"""Where a descriptor points into an event: a JMESPath as a function.

Plain paths and choices between them (`a.b[0] || c`), which most are, are followed without JMESPath: they are evaluated
for every event, and the library takes its time.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from trailhook.members import value_at

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_STEP = re.compile(rf"{_NAME}|\d+")
_STEPS = rf"{_NAME}(\[\d+\])*(\.{_NAME}(\[\d+\])*)*"
_PLAIN = re.compile(_STEPS)
_EITHER = re.compile(rf"{_STEPS}( \|\| {_STEPS})+")


def path(expression: str) -> Callable[[Any], Any]:
    """A JMESPath as a function. What an expression cannot be applied to holds nothing."""
    if _PLAIN.fullmatch(expression):
        names = _STEP.findall(expression)
        if "[" in expression:
            return partial(_walk, [int(name) if name.isdecimal() else name for name in names])
        return partial(_follow, names) if len(names) > 1 else partial(_member, expression)
    if _EITHER.fullmatch(expression):
        return partial(_either, [path(choice) for choice in expression.split(" || ")])
    return partial(_search, jmespath.compile(expression))


def _member(name: str, value: Any) -> Any:
    return value_at(value, name)


def _follow(names: Sequence[str], value: Any) -> Any:
    return value_at(value, *names)


def _walk(steps: Sequence[str | int], value: Any) -> Any:
    """Like `_follow`, with elements of lists on the way."""
    for step in steps:
        if isinstance(step, str):
            value = value_at(value, step)
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


def _either(choices: Sequence[Callable[[Any], Any]], value: Any) -> Any:
    """The first of the paths that holds what is true to JMESPath, else what the last holds."""
    found = None
    for at in choices:
        found = at(value)
        if found is not None and found is not False and found not in ("", [], {}):
            break
    return found


def _search(expression: Any, value: Any) -> Any:
    try:
        return expression.search(value)
    except JMESPathError:
        # A function got a null or a number where it takes a text, so there is no text to find.
        return None
