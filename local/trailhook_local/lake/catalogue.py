"""The event sources outside AWS that CloudTrail Lake knows, as `Source` of CreateChannel takes them.

From the CloudTrail User Guide, "Create an integration with an event source outside of AWS". The table is the Lake's
own: it judges callers, so it shares nothing with them.
"""

from typing import Final

SOURCES: Final = frozenset(
    {
        "Custom",
        "CloudStorageSecurityConsole",
        "Clumio",
        "CrowdStrike",
        "CyberArk",
        "GitHub",
        "KongGatewayEnterprise",
        "LaunchDarkly",
        "NetskopeCloudExchange",
        "IBMMulticloud",
        "MontyCloud",
        "OktaSystemLogEvents",
        "OneLogin",
        "Shoreline",
        "Snyk",
        "WizAuditLogs",
    }
)
