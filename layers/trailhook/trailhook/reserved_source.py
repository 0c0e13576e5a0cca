"""Which event sources no custom sender may claim: AWS's own, and those of the partners.

Queries tell by the source whose events they are, so whoever may write under it writes that history. So does whoever
may write what a reader takes for it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from string import punctuation
from types import MappingProxyType

AWS = "AWS"
PARTNERS: Mapping[str, str] = MappingProxyType(
    {
        "1password.com": "onepassword",
        "atlassian.com": "atlassian",
        "auth0.com": "auth0",
        "cloudflare.com": "cloudflare",
        "cloudstoragesec.com": "cloudstoragesecurity",
        "crowdstrike.com": "crowdstrike",
        "cyberark.com": "cyberark",
        "github.com": "github",
        "gitlab.com": "gitlab",
        "konghq.com": "kong",
        "launchdarkly.com": "launchdarkly",
        "netskope.com": "netskope",
        "okta.com": "okta",
        "onelogin.com": "onelogin",
        "pagerduty.com": "pagerduty",
        "slack.com": "slack",
        "snyk.io": "snyk",
        "terraform.io": "terraform",
        "wiz.io": "wiz",
        "zoom.us": "zoom",
    }
)
"""The event source of each partner's events. Written down, for reading all of their files takes long."""

_AWS = re.compile(r"(^|[^a-z0-9-])(amazonaws\.com|aws\.amazon\.com)|^aws([.:/]|$)|^arn:aws")
_ALIKE = str.maketrans("0i1|", "olll")


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
