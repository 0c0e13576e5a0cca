"""Reading members of a partner's JSON, where any of them may be absent, null, or of another kind than usual."""

from collections.abc import Mapping
from typing import Any


def object_at(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at `path`, or an empty one."""
    found = value_at(value, *path)
    return found if isinstance(found, Mapping) else {}


def text_at(value: Any, *path: str) -> str | None:
    """The string or whole number at `path` as text; None if there is none, or an empty one."""
    found = value_at(value, *path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found) or None


def value_at(value: Any, *path: str) -> Any:
    """Whatever is at `path`, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
