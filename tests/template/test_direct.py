"""A partner that delivers by itself gets channel, policy and tags, and nothing to be paid or secured."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from trailhook_local.stack.template import Template

KEPT = {"Integration", "IntegrationFunction", "IntegrationLogGroup", "IntegrationRole", "TrailhookLayer"}
DOMAIN = {
    "DomainName": "audit.example.com",
    "CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d",
}
DIRECT = {"Partner": "clumio", "PrincipalAccountIds": "444455556666", "ExternalId": "fake-external-id"}


def made(template: Template) -> set[str]:
    types = {resource["Type"] for resource in template.document["Resources"].values()}
    return set(template.resources_of_type(*types))


def referenced(value: Any) -> set[str]:
    """Logical ids that a resolved-by-hand value needs: the targets of Ref, GetAtt and Sub."""
    if isinstance(value, list):
        return {name for item in value for name in referenced(item)}
    if not isinstance(value, dict):
        return set()
    if "Ref" in value:
        return {str(value["Ref"])}
    if "Fn::GetAtt" in value:
        return {value["Fn::GetAtt"][0]}
    return {name for item in value.values() for name in referenced(item)}


@pytest.mark.parametrize("changes", [{}, {"AlarmEmail": "audit@example.com", "SilenceHours": "72"}, DOMAIN])
def test_nothing_but_the_integration_is_made(deploy: Callable[..., Template], changes: Mapping[str, str]) -> None:
    assert made(deploy(**DIRECT, **changes)) == KEPT


def test_a_webhook_gets_all_the_rest(deploy: Callable[..., Template]) -> None:
    optional = {"AlarmSubscription", "SilenceAlarm", "HostName", "HostNameMapping"}
    template = deploy()
    assert set(template.document["Resources"]) - made(template) == optional


def test_what_stays_needs_nothing_of_what_is_left_out(
    deploy: Callable[..., Template], resources: Mapping[str, Any]
) -> None:
    template = deploy(**DIRECT)
    gone = set(resources) - made(template)
    assert not {name for kept in KEPT for name in referenced(resources[kept]["Properties"])} & gone


def test_the_outputs_are_the_channel_and_its_event_data_store(
    deploy: Callable[..., Template], document: Mapping[str, Any]
) -> None:
    template = deploy(**DIRECT)
    shown = {
        name: template.resolve(output["Value"])
        for name, output in document["Outputs"].items()
        if "Condition" not in output or template.condition(output["Condition"])
    }
    assert set(shown) == {
        "InThePartnersConsole",
        "ChannelArn",
        "EventDataStoreArns",
        "IntegrationReport",
        "QueryCommand",
        "IntegrationLogGroupName",
    }
    assert "ChannelArn" in shown["InThePartnersConsole"]


def test_the_page_names_every_output_and_where_it_is(
    deploy: Callable[..., Template], document: Mapping[str, Any], root: Path
) -> None:
    section = (root / "docs" / "operations.md").read_text(encoding="utf-8").split("## Outputs\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| .* \|( yes)? \|$", section, re.MULTILINE)
    named = {name: bool(without) for names, without in rows for name in re.findall(r"\w+", names)}
    template = deploy(**DIRECT)
    assert named == {
        name: "Condition" not in output or template.condition(output["Condition"])
        for name, output in document["Outputs"].items()
    }


def test_every_partner_is_told_what_to_paste(document: Mapping[str, Any]) -> None:
    said = document["Mappings"]["PartnersConsole"]
    assert set(said) == set(document["Parameters"]["Partner"]["AllowedValues"])
    for partner, lines in said.items():
        named = {word.strip(".,;=") for word in lines["Paste"].split()} & set(document["Outputs"])
        assert named, f"{partner} is told of no output"


def test_a_topics_arn_is_not_told_to_be_a_secret_by_itself(document: Mapping[str, Any]) -> None:
    assert "a # and a random key" in document["Mappings"]["PartnersConsole"]["cloudstoragesecurity"]["Paste"]
