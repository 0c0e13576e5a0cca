"""Which event sources no custom sender may claim: AWS's own, and those of the partners.

Queries tell by the source whose events they are, so whoever may write under it writes that history.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
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


@lru_cache(maxsize=256)
def owner_of(source: str) -> str | None:
    """AWS, or the partner, whose event source it is, or reads like; None where it is anybody's.

    Letters of another width and characters that nobody sees do not hide it. Takes the square of the text's length.
    """
    readings = _readings(source)
    if any(_AWS.search(reading) for reading in readings):
        return AWS
    return next((PARTNERS[reading] for reading in readings if reading in PARTNERS), None)


def _readings(text: str) -> tuple[str, ...]:
    """How the text may be read, in lower case."""
    written = unicodedata.normalize("NFKC", text).casefold().replace("\u3002", ".")
    # What is not seen hides a letter's neighbour, or ends a word; white space that controls lines does both.
    hidden = "".join(
        letter if _is_seen(letter) else " " if letter.isspace() or letter == "\u2800" else "\0" for letter in written
    )
    readings = (hidden.replace("\0", ""), hidden.replace("\0", " "), hidden.replace("\0", "").replace(" ", ""))
    return tuple(reading.strip() for reading in readings)


def _is_seen(character: str) -> bool:
    """Not: controls, formats, what Unicode has not assigned, marks (variation selectors are some), Hangul's fillers and
    Braille's blank.
    """
    return unicodedata.category(character)[0] not in "CM" and character not in "\u115f\u1160\u2800"
