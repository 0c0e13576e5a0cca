"""The catalogue says what CloudTrail says, and the partners' endpoints agree with it."""

import pytest

from trailhook.integration.catalogue import SOURCES
from trailhook.known_partners import PARTNERS
from trailhook.partner import Options
from trailhook.partners import REGISTRY, load_partner

# The CloudTrail User Guide's table: console name, source, type.
TABLE = """
My custom integration | Custom | solution
Cloud Storage Security | CloudStorageSecurityConsole | solution
Clumio | Clumio | direct
CrowdStrike | CrowdStrike | solution
CyberArk | CyberArk | solution
GitHub | GitHub | solution
Kong Inc | KongGatewayEnterprise | solution
LaunchDarkly | LaunchDarkly | direct
Netskope | NetskopeCloudExchange | solution
Nordcloud, an IBM company | IBMMulticloud | direct
MontyCloud | MontyCloud | direct
Okta | OktaSystemLogEvents | solution
One Identity | OneLogin | solution
Shoreline.io | Shoreline | solution
Snyk | Snyk | direct
Wiz | WizAuditLogs | solution
"""


def test_the_sixteen_sources() -> None:
    assert [f"{s.console_name} | {s.name} | {s.type}" for s in SOURCES.values()] == TABLE.strip().splitlines()


def test_every_source_has_a_partner_and_every_partner_a_source() -> None:
    assert {source for partner in PARTNERS.values() for source in partner.sources.values()} == SOURCES.keys()


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_partner_with_an_endpoint_delivers_to_the_source_that_its_channel_gets(name: str) -> None:
    assert load_partner(name, Options()).source == next(iter(PARTNERS[name].sources.values()))
