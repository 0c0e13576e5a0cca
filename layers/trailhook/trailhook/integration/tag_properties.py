"""The tags that an operator asks for: a map, or a list of `key=value` as a template's list parameter gives it.

AWS page: "Tag", CloudTrail API Reference. A resource has at most 50 tags, and ours count: two that prove ownership, one
for a moment in an event data store's life, and one for the alias where its KMS key is given by one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trailhook.integration.ownership import OUR_PREFIX

MAX_TAGS = 50
OUR_TAGS = 3
_TEXT = re.compile(r"[\w\s.:/=+@-]*")

Pair = tuple[str, str | None]


def tag_pairs(tags: Any) -> list[Pair]:
    """Keys and values as they stand; the value is None where there is none, or it is no text."""
    if isinstance(tags, Mapping):
        return [(str(key), value if isinstance(value, str) else None) for key, value in tags.items()]
    entries = tags if isinstance(tags, list) else [] if tags is None else [tags]
    return [_pair(str(entry)) for entry in entries]


def _pair(entry: str) -> Pair:
    key, equals, value = entry.partition("=")
    return key.strip(), value.strip() if equals else None


def tag_faults(pairs: Sequence[Pair], ours: int) -> Iterator[str]:
    """One sentence for each broken rule; `ours` is how many tags the integration itself needs."""
    for key, value in pairs:
        if not key or value is None:
            yield f"Tags must be a map of texts, or a list of key=value, unlike {key or value!r}."
        elif len(key) > 128 or len(value) > 256 or not (_TEXT.fullmatch(key) and _TEXT.fullmatch(value)):
            yield (
                f"The tag {key[:128]!r} breaks a rule: a key has up to 128 and a value up to 256 letters, digits, "
                "spaces or characters out of _.:/=+-@."
            )
        elif key.lower().startswith(("aws:", OUR_PREFIX)):
            yield f"The tag {key!r} is reserved: choose a key without that prefix."
    if len({key for key, _ in pairs}) < len(pairs):
        yield "Tags names a key twice."
    if len(pairs) > MAX_TAGS - ours:
        yield (
            f"A resource has at most {MAX_TAGS} tags, and the integration needs {ours} for itself: Tags can hold "
            f"{MAX_TAGS - ours}, not {len(pairs)}."
        )
