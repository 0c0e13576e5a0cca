"""Reading members of a partner's JSON, where any of them may be absent, null, or of another kind than usual."""

from collections.abc import Mapping
from typing import Any

_EXACT_BELOW = 2**53
"""From here on a double no longer holds every whole number, so it may not be the one that was meant."""


def object_at(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at `path`, or an empty one."""
    found = value_at(value, *path)
    return found if isinstance(found, dict) else {}


def text_at(value: Any, *path: str) -> str | None:
    """The string or whole number at `path` as text, unchanged; None if there is none, or a blank one."""
    return text_of(value_at(value, *path))


def text_of(found: Any) -> str | None:
    """A string or whole number as text, unchanged; None for a blank string and for everything else.

    Whatever wrote 51111 as 51111.0 on its way here (many log shippers do) named the same id.
    """
    if found is None or isinstance(found, str):
        return found if found and not found.isspace() else None
    if isinstance(found, float) and found.is_integer() and abs(found) < _EXACT_BELOW:
        found = int(found)
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else None


def value_at(value: Any, *path: str) -> Any:
    """Whatever is at `path`, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
