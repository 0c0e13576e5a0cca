"""IP addresses as partners write them."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

_LONGEST = 100
"""An address has at most 45 characters; there may be blanks around it, and behind it a zone."""


def address(text: str | None) -> str | None:
    """The address if it is one; partners also write "", "-", 0.0.0.0 or a list of proxies, and absent is absent.

    An IPv6 zone means nothing elsewhere, and an IPv4 address in IPv6 form is written differently by Python's versions.
    IPv4 has no zones: what has one is no address.
    """
    return _parsed(text) if text and len(text) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _parsed(text: str) -> str | None:
    number, percent, _ = text.strip().partition("%")
    try:
        found = ip_address(number)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    elif percent:
        return None
    return None if found.is_unspecified else str(found)
