"""CloudTrail's catalogue of event sources outside AWS.

AWS page: "Create an integration with an event source outside of AWS", CloudTrail User Guide. A channel's source can
never be changed afterwards, and an account and Region have one channel per source: everybody outside the catalogue
shares `Custom`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct


class IntegrationType(StrEnum):
    """Who calls PutAuditEvents: the partner from its own account, or an application in the customer's."""

    DIRECT = "direct"
    SOLUTION = "solution"


class Source(Struct, frozen=True):
    """One line of the catalogue: what the console calls it, what CreateChannel calls it, and its type."""

    console_name: str
    name: str
    type: IntegrationType


_DIRECT, _SOLUTION = IntegrationType.DIRECT, IntegrationType.SOLUTION

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in (
            Source("My custom integration", "Custom", _SOLUTION),
            Source("Cloud Storage Security", "CloudStorageSecurityConsole", _SOLUTION),
            Source("Clumio", "Clumio", _DIRECT),
            Source("CrowdStrike", "CrowdStrike", _SOLUTION),
            Source("CyberArk", "CyberArk", _SOLUTION),
            Source("GitHub", "GitHub", _SOLUTION),
            Source("Kong Inc", "KongGatewayEnterprise", _SOLUTION),
            Source("LaunchDarkly", "LaunchDarkly", _DIRECT),
            Source("Netskope", "NetskopeCloudExchange", _SOLUTION),
            Source("Nordcloud, an IBM company", "IBMMulticloud", _DIRECT),
            Source("MontyCloud", "MontyCloud", _DIRECT),
            Source("Okta", "OktaSystemLogEvents", _SOLUTION),
            Source("One Identity", "OneLogin", _SOLUTION),
            Source("Shoreline.io", "Shoreline", _SOLUTION),
            Source("Snyk", "Snyk", _DIRECT),
            Source("Wiz", "WizAuditLogs", _SOLUTION),
        )
    }
)
