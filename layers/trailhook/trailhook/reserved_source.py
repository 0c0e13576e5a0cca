"""Which event sources no custom sender may claim: AWS's own, and those of the partners.

Queries tell by its source whose an event is. Whoever could write under a partner's source, or under one that a reader
takes for it, could write that partner's history.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from string import punctuation
from types import MappingProxyType

from trailhook.known_partners import PARTNERS as BUILT_IN

AWS = "AWS"
PARTNERS: Mapping[str, str] = MappingProxyType(
    {partner.event_source: name for name, partner in BUILT_IN.items() if partner.event_source}
)
"""The partners by the event source of their events."""

_AWS = re.compile(r"(^|[^a-z0-9-])(amazonaws\.com|aws\.amazon\.com)|^aws([.:/]|$)|^arn:aws")
_ALIKE = str.maketrans("0i1|!5,", "olllls.")


def is_plain(source: str) -> bool:
    """Whether it is printable ASCII. Beyond, every letter has more look-alikes than a list would hold, and some
    characters are not seen at all.
    """
    return source.isascii() and source.isprintable()


@lru_cache(maxsize=256)
def owner_of(source: str) -> str | None:
    """AWS, or the partner, whose event source a plain one is, or reads like; None where it is anybody's."""
    written = source.lower()
    unbroken = written.replace(" ", "")
    if any(_AWS.search(reading) for reading in (written.strip(), unbroken, _read(unbroken))):
        return AWS
    return _OWNERS.get(_read(unbroken.strip(punctuation)))


def _read(source: str) -> str:
    """The source with one letter for all that are taken for it at a glance."""
    return source.translate(_ALIKE).replace("rn", "m").replace("vv", "w").replace("cl", "d")


_OWNERS: Mapping[str, str] = MappingProxyType({_read(source): partner for source, partner in PARTNERS.items()})
