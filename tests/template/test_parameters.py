"""What an operator is asked: little, with an example and its consequence, and refused early when it cannot work."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.template.conftest import PHYSICAL_VALUES, PSEUDO_PARAMETERS

from trailhook.external_id import EXTERNAL_ID
from trailhook.known_partners import DIRECT as DIRECT_MODE
from trailhook.known_partners import PARTNERS, WEBHOOK
from trailhook.partners import REGISTRY
from trailhook.source_ranges import SourceRanges
from trailhook_local.stack.template import Template, load_document

ACCEPTED = {
    "ChannelName": ["", "okta-audit", "a.b", "x" * 128],
    "EventDataStoreName": ["", "audit", "a.b", "x" * 128],
    "EventDataStoreArns": [
        "",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/0a1b2c3d,"
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/4e5f6a7b",
        "arn:aws-eusc:cloudtrail:eusc-de-east-1:111122223333:eventdatastore/0a1b2c3d",
    ],
    "EventDataStoreKmsKeyArn": [
        "",
        "arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
        "arn:aws:kms:eu-central-1:111122223333:key/mrk-0123456789abcdef0123456789abcdef",
        "arn:aws-eusc:kms:eusc-de-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
    ],
    "PrincipalAccountIds": ["", "444455556666", "444455556666,777788889999"],
    "KmsKeyArn": [
        "",
        "arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
        "arn:aws-eusc:kms:eusc-de-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef",
    ],
    "PermissionsBoundaryArn": [
        "",
        "arn:aws:iam::111122223333:policy/boundary",
        "arn:aws:iam::111122223333:policy/team/a_b+c=d,e.f@g-h",
        "arn:aws:iam::aws:policy/PowerUserAccess",
    ],
    "DomainName": ["", "audit.example.com", "a.b-c.example"],
    "CertificateArn": [
        "",
        "arn:aws:acm:eu-central-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",
        "arn:aws-eusc:acm:eusc-de-east-1:111122223333:certificate/01234567-89ab-cdef-0123-456789abcdef",
    ],
    "AlarmEmail": ["", "audit@example.com", "a.b+c@sub.example.com"],
    "Tags": ["", "team=security", "team=security,cost-center=4711", "empty=", "a b=c d=e"],
    "ChannelArn": [
        "",
        "arn:aws:cloudtrail:us-east-1:111122223333:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE",
        "arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:channel/0a1b2c3d",
        "arn:aws-cn:cloudtrail:cn-north-1:111122223333:channel/0a1b2c3d",
        "arn:aws-eusc:cloudtrail:eusc-de-east-1:111122223333:channel/0a1b2c3d",
    ],
    "ExternalId": ["", "trailhook-4711", "a_b+c=d,e.f@g:h/i-j", "x" * 1224],
    "WebhookSecretArn": [
        "",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:partner/okta-a1B2c3",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:x_+=.@-y-Zz9Zz9",
    ],
    "AllowedSourceRanges": [
        "",
        "192.0.2.0/24",
        "0.0.0.0/0,::/0",
        "140.82.112.0/20,2a0a:a440::/29,2606:50c0::/32",
        "255.255.255.255/32,2001:DB8::1/128",
        "::ffff:c000:200/120,1:2:3:4:5:6:7:8/128,1:2:3:4:5:6:7::/112,::2:3:4:5:6:7:8/128",
    ],
    "EventSource": ["", "payroll.example.com", "github:audit/log", "awsome.example.com"],
    "ExcludeEvents": ["", "push", "push,workflow_*", "user.session.*,app:[ab]?"],
    "Redact": ["", "ssn", "ssn,actor.email,x-api_key", "items.0.ssn"],
    "IntegrationVersion": ["1", "2026-11-29", "a.b_c", "x" * 64],
}
REFUSED = {
    "IntegrationVersion": ["", "with space", "x" * 65],
    "ChannelName": ["ab", "with space", "x" * 129, "okta/audit"],
    "EventDataStoreName": ["ab", "with space", "x" * 129],
    "EventDataStoreArns": [
        "0a1b2c3d",
        ",",
        "arn:aws:cloudtrail:us-east-1:111122223333:channel/0a1b2c3d",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/0a1b2c3d,",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/0a1b2c3d"
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/4e5f6a7b",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/*",
    ],
    "EventDataStoreKmsKeyArn": ["alias/audit", "arn:aws:kms:eu-central-1:111122223333:alias/audit", "*"],
    "AlarmEmail": ["audit", "audit@example", "a b@example.com", "a@b@example.com"],
    "KmsKeyArn": ["alias/audit", "arn:aws:kms:eu-central-1:111122223333:key/*"],
    "PermissionsBoundaryArn": ["boundary", "arn:aws:iam::111122223333:role/boundary", "arn:aws:iam::1111:policy/x"],
    "DomainName": ["https://audit.example.com", "audit", "Audit.example.com", "audit.example.com/", "-a.example.com"],
    "CertificateArn": ["01234567", "arn:aws:iam::111122223333:server-certificate/x"],
    "PrincipalAccountIds": ["1111", "444455556666,", "444455556666, 777788889999", "*"],
    "Tags": ["team", "=security", "team=security,", "a=b,,c=d", "a=b;"],
    "ChannelArn": [
        "0a1b2c3d",
        "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/0a1b2c3d",
        "arn:aws:cloudtrail:us-east-1:1111:channel/0a1b2c3d",
        "arn:aws:cloudtrail:us-east-1:111122223333:channel/*",
        "arn:aws:cloudtrail:*:111122223333:channel/0a1b2c3d",
    ],
    "ExternalId": ["x", "x" * 1225, "with space"],
    "WebhookSecretArn": [
        "partner/okta",
        "a-secret-value-pasted-by-mistake",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:partner/okta",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:*",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:partner/okta-??????",
    ],
    "AllowedSourceRanges": [
        "192.0.2.10",
        "192.0.2.0/33",
        "256.0.2.0/24",
        "192.0.2/24",
        "192.0.2.0/24,",
        "192.0.2.0/24, 198.51.100.0/24",
        "2001:db8::/129",
        "2001:db8:/32",
        "2001::db8::/32",
        "2001:db8:::/48",
        "12345::/16",
        ":/0",
        "1:2:3:4:5:6:7/112",
        "1:2:3:4:5:6:7::8/128",
        "010.0.0.0/8",
        "hooks.example.com",
        "*",
    ],
    "EventSource": ["with space", "x" * 257, "aws.payroll", "AWS:s3", "s3.amazonaws.com"],
    "ExcludeEvents": [",", "push,", "push,,fork", "push, fork"],
    "Redact": [",", "ssn,", "a,,b", "a, b", "actor[0]", ".", "a..b", ".a", "a.", "ssn,a.,b", "ssn,.a"],
}


def pairs(table: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


@pytest.fixture(scope="module")
def parameters(document: Mapping[str, Any]) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = document["Parameters"]
    return declared


def test_the_partner_is_all_that_has_to_be_given(parameters: Mapping[str, Any]) -> None:
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} == {"Partner"}


def test_every_parameter_is_described_by_an_example_and_its_consequence(parameters: Mapping[str, Any]) -> None:
    for name, parameter in parameters.items():
        description = parameter.get("Description", "")
        examples = re.findall(r"for example (\S+)", description) or parameter.get("AllowedValues", [])
        assert examples, f"{name} gives no example"
        assert any(str(example) in description for example in examples), f"{name} explains none of its values"
        assert len(re.findall(r"[.:](?:\s|$)", description)) >= 2, (
            f"{name} says what it is but not what follows from it"
        )


def test_every_restricted_parameter_says_in_words_what_it_takes(parameters: Mapping[str, Any]) -> None:
    restrictions = {"AllowedPattern", "AllowedValues", "MinValue", "MaxValue", "MaxLength"}
    for name, parameter in parameters.items():
        assert restrictions & set(parameter), f"{name} takes anything"
        assert parameter.get("ConstraintDescription", "").startswith("must be "), name


def test_every_parameter_is_grouped_and_labelled_once(document: Mapping[str, Any]) -> None:
    interface = document["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(document["Parameters"])
    assert set(interface["ParameterLabels"]) == set(document["Parameters"])


def test_every_default_is_a_value_that_the_parameter_takes(parameters: Mapping[str, Any]) -> None:
    for name, parameter in parameters.items():
        if "Default" not in parameter:
            continue
        default = parameter["Default"]
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), str(default)), name
        assert default in parameter.get("AllowedValues", [default]), name
        assert parameter.get("MinValue", default) <= default <= parameter.get("MaxValue", default), name


@pytest.mark.parametrize(("name", "value"), pairs(ACCEPTED))
def test_a_pattern_takes_what_aws_takes(parameters: Mapping[str, Any], name: str, value: str) -> None:
    assert re.fullmatch(parameters[name]["AllowedPattern"], value)


@pytest.mark.parametrize(("name", "value"), pairs(REFUSED))
def test_a_pattern_refuses_what_would_fail_only_after_the_deployment(
    parameters: Mapping[str, Any], name: str, value: str
) -> None:
    assert not re.fullmatch(parameters[name]["AllowedPattern"], value)


def test_ranges_that_the_parameter_takes_are_none_that_receive_refuses() -> None:
    for value in ACCEPTED["AllowedSourceRanges"]:
        words = tuple(value.split(",")) if value else ()
        assert len(SourceRanges.parse(words).networks) == len(words)


def test_an_external_id_has_the_form_that_the_integration_and_forward_take(parameters: Mapping[str, Any]) -> None:
    assert parameters["ExternalId"]["AllowedPattern"] == f"^({EXTERNAL_ID.pattern})?$"


def test_every_pattern_is_tried_both_ways(parameters: Mapping[str, Any]) -> None:
    patterned = {name for name, parameter in parameters.items() if "AllowedPattern" in parameter}
    assert patterned == set(ACCEPTED) == set(REFUSED)


def test_the_operator_is_told_that_cloudtrail_lake_takes_no_new_customers(parameters: Mapping[str, Any]) -> None:
    assert "2026-05-31" in parameters["EventDataStoreName"]["Description"]


def fails(document: Mapping[str, Any], **given: str) -> list[str]:
    """What CloudFormation says to these parameters before it creates anything."""
    template = Template(document, {"Partner": "okta", **given})
    return [
        assertion["AssertDescription"]
        for rule in document["Rules"].values()
        if "RuleCondition" not in rule or template.resolve(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not template.resolve(assertion["Assert"])
    ]


def test_the_defaults_break_no_rule(document: Mapping[str, Any]) -> None:
    assert not fails(document)


DIRECT = {"PrincipalAccountIds": "444455556666", "ExternalId": "trailhook-4711"}
CERTIFICATE, SECRET = ACCEPTED["CertificateArn"][1], ACCEPTED["WebhookSecretArn"][1]
CHANNEL, STORE = ACCEPTED["ChannelArn"][1], ACCEPTED["EventDataStoreArns"][1]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"AcceptHec": "true"}, "Partner=github"),
        ({"ChannelArn": CHANNEL, "ChannelName": "okta"}, "ChannelName"),
        ({"ChannelArn": CHANNEL, "EventDataStoreArns": STORE}, "EventDataStoreArns"),
        ({"ChannelArn": CHANNEL, "EventDataStoreName": "audit"}, "EventDataStoreName"),
        ({"ChannelArn": CHANNEL, "PrincipalAccountIds": "444455556666"}, "PrincipalAccountIds"),
        ({"ChannelArn": CHANNEL, "Tags": "team=security"}, "Tags"),
        ({"EventDataStoreArns": STORE, "EventDataStoreName": "audit"}, "EventDataStoreName"),
        ({"ExternalId": "trailhook-4711"}, "PrincipalAccountIds"),
        ({"DomainName": "audit.example.com"}, "CertificateArn"),
        ({"CertificateArn": CERTIFICATE}, "DomainName"),
        ({"Mode": "direct"}, "posts webhooks"),
        ({"Partner": "clumio", "Mode": "webhook", **DIRECT}, "by itself"),
        ({"Partner": "clumio", "PrincipalAccountIds": "444455556666"}, "ExternalId"),
        ({"Partner": "snyk", "Mode": "direct", "PrincipalAccountIds": "444455556666"}, "ExternalId"),
        ({"EventSource": "payroll.example.com"}, "Partner=custom"),
        ({"Partner": "clumio", **DIRECT, "Redact": "ssn"}, "redacted"),
        ({"Partner": "snyk", "Mode": "direct", **DIRECT, "ExcludeEvents": "push"}, "left out"),
        ({"Partner": "shoreline", "SilenceHours": "72"}, "SilenceHours"),
        ({"Partner": "shoreline", "AlarmEmail": "audit@example.com"}, "AlarmEmail"),
        ({"Partner": "shoreline", "AllowedSourceRanges": "192.0.2.0/24"}, "AllowedSourceRanges"),
        ({"Partner": "shoreline", "WebhookSecretArn": SECRET}, "WebhookSecretArn"),
        ({"Partner": "shoreline", "DomainName": "audit.example.com", "CertificateArn": CERTIFICATE}, "DomainName"),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_made(
    document: Mapping[str, Any], given: Mapping[str, str], named: str
) -> None:
    (said,) = fails(document, **given)
    assert named in said


@pytest.mark.parametrize(
    "given",
    [
        {"Partner": "github", "AcceptHec": "true"},
        {"ChannelArn": CHANNEL, "ExternalId": "trailhook-4711"},
        {"ExternalId": "trailhook-4711", "PrincipalAccountIds": "444455556666"},
        {"EventDataStoreArns": STORE, "ChannelName": "okta", "Tags": "team=security"},
        {"Mode": "webhook"},
        {"DomainName": "audit.example.com", "CertificateArn": CERTIFICATE},
        {"Partner": "clumio", **DIRECT},
        {"Partner": "clumio", "Mode": "direct", **DIRECT},
        {"Partner": "launchdarkly", "Mode": "direct", **DIRECT},
        {"Partner": "shoreline"},
        {"Partner": "custom", "EventSource": "payroll.example.com"},
        {"Partner": "snyk", "Redact": "ssn", "SilenceHours": "72"},
    ],
)
def test_what_goes_together_is_let_through(document: Mapping[str, Any], given: Mapping[str, str]) -> None:
    assert not fails(document, **given)


def test_a_stack_can_be_made_for_every_partner_that_there_is(parameters: Mapping[str, Any]) -> None:
    direct = {name for name, partner in PARTNERS.items() if DIRECT_MODE in partner.sources}
    assert set(parameters["Partner"]["AllowedValues"]) == set(REGISTRY) | direct


def test_a_partner_of_ones_own_is_added_as_its_page_says(root: Path) -> None:
    page = (root / "docs" / "partners" / "your-own.md").read_text(encoding="utf-8")
    entry = next(text for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "Mappings:" in text)
    document = load_document(root / "template.yaml")
    document["Parameters"]["Partner"]["AllowedValues"].append("lampworks")
    document["Mappings"]["PartnersConsole"] |= yaml.safe_load(entry)["Mappings"]["PartnersConsole"]
    template = Template(document, {"Partner": "lampworks"}, PSEUDO_PARAMETERS)
    template.fill(PHYSICAL_VALUES)
    shown = {
        name: template.resolve(output["Value"])
        for name, output in document["Outputs"].items()
        if "Condition" not in output or template.condition(output["Condition"])
    }
    assert shown["InThePartnersConsole"].startswith("In Lampworks' settings")
    assert "WebhookUrl" in shown
    assert fails(document, Partner="lampworks", Mode=DIRECT_MODE, **DIRECT), "it has no way to deliver by itself"


@pytest.mark.parametrize("partner", sorted(PARTNERS))
@pytest.mark.parametrize("mode", ["", WEBHOOK, DIRECT_MODE])
def test_the_rules_let_a_mode_through_where_the_partner_has_it_and_the_endpoint_follows_it(
    document: Mapping[str, Any], parameters: Mapping[str, Any], partner: str, mode: str
) -> None:
    if partner not in parameters["Partner"]["AllowedValues"]:
        return
    given = {"Partner": partner, "Mode": mode, **DIRECT}
    actual = mode or next(iter(PARTNERS[partner].sources))
    possible = actual in PARTNERS[partner].sources and (actual == DIRECT_MODE or partner in REGISTRY)
    assert possible is not bool(fails(document, **given))
    if possible:
        assert Template(document, given).condition("Webhook") is (actual == WEBHOOK)


def test_the_page_names_every_parameter(parameters: Mapping[str, Any], root: Path) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.split("## Parameters\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z]\w+)`", section)) == set(parameters)
