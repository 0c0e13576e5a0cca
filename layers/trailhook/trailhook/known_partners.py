"""Which partners there are: the built-in ones, a line each, and an operator's own, compiled descriptors in a folder.

A line says what has to be known of a partner before its own file is read: to read all of these takes long.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from trailhook.errors import SettingsError

OWN = Path(__file__).parent / "partners" / "own"

WEBHOOK = "webhook"
"""Mode: the partner posts to our endpoint, and Trailhook delivers."""
DIRECT = "direct"
"""Mode: no endpoint; the partner, or its own application, delivers to the channel."""


class BuiltIn(Struct, frozen=True):
    """A partner's modes, the usual one first, each with the source that its channel has in CloudTrail.

    `event_source` is that of its events; none where no event of it comes to the endpoint, or each names its own.
    """

    sources: Mapping[str, str]
    event_source: str = ""


PARTNERS: Mapping[str, BuiltIn] = MappingProxyType(
    {
        "atlassian": BuiltIn({WEBHOOK: "Custom"}, "atlassian.com"),
        "auth0": BuiltIn({WEBHOOK: "Custom"}, "auth0.com"),
        "cloudflare": BuiltIn({WEBHOOK: "Custom"}, "cloudflare.com"),
        "cloudstoragesecurity": BuiltIn({WEBHOOK: "CloudStorageSecurityConsole"}, "cloudstoragesec.com"),
        "clumio": BuiltIn({DIRECT: "Clumio"}),
        "crowdstrike": BuiltIn({WEBHOOK: "CrowdStrike"}, "crowdstrike.com"),
        "custom": BuiltIn({WEBHOOK: "Custom"}),
        "cyberark": BuiltIn({WEBHOOK: "CyberArk"}, "cyberark.com"),
        "github": BuiltIn({WEBHOOK: "GitHub"}, "github.com"),
        "gitlab": BuiltIn({WEBHOOK: "Custom"}, "gitlab.com"),
        "ibm": BuiltIn({DIRECT: "IBMMulticloud"}),
        "kong": BuiltIn({WEBHOOK: "KongGatewayEnterprise"}, "konghq.com"),
        "launchdarkly": BuiltIn({WEBHOOK: "Custom", DIRECT: "LaunchDarkly"}, "launchdarkly.com"),
        "montycloud": BuiltIn({DIRECT: "MontyCloud"}),
        "netskope": BuiltIn({WEBHOOK: "NetskopeCloudExchange"}, "netskope.com"),
        "okta": BuiltIn({WEBHOOK: "OktaSystemLogEvents"}, "okta.com"),
        "onelogin": BuiltIn({WEBHOOK: "OneLogin"}, "onelogin.com"),
        "onepassword": BuiltIn({WEBHOOK: "Custom"}, "1password.com"),
        "pagerduty": BuiltIn({WEBHOOK: "Custom"}, "pagerduty.com"),
        "shoreline": BuiltIn({DIRECT: "Shoreline"}),
        "slack": BuiltIn({WEBHOOK: "Custom"}, "slack.com"),
        "snyk": BuiltIn({WEBHOOK: "Custom", DIRECT: "Snyk"}, "snyk.io"),
        "terraform": BuiltIn({WEBHOOK: "Custom"}, "terraform.io"),
        "wiz": BuiltIn({WEBHOOK: "WizAuditLogs"}, "wiz.io"),
        "zoom": BuiltIn({WEBHOOK: "Custom"}, "zoom.us"),
    }
)
"""The built-in partners by name. One that CloudTrail's catalogue does not have shares the source Custom."""


def channel_sources(partner: str, own: Path = OWN) -> Mapping[str, str]:
    """By mode, the source of the partner's channel; empty if there is no such partner. Raises SettingsError."""
    if partner in PARTNERS:
        return PARTNERS[partner].sources
    file = own_files(own).get(partner)
    try:
        return {WEBHOOK: str(json.loads(file.read_text(encoding="utf-8"))["source"])} if file else {}
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{partner}.json is not a compiled descriptor: run `trailhook compile` again") from error


def own_files(folder: Path) -> Mapping[str, Path]:
    """The compiled descriptors of the operator's own partners, by name."""
    return {file.stem: file for file in sorted(folder.glob("*.json"))}
