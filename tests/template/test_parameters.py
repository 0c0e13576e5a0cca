"""What an operator is asked: little, with an example and its consequence, and refused early when it cannot work."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

ACCEPTED = {
    "ChannelArn": [
        "arn:aws:cloudtrail:us-east-1:111122223333:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE",
        "arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:channel/0a1b2c3d",
        "arn:aws-cn:cloudtrail:cn-north-1:111122223333:channel/0a1b2c3d",
    ],
    "ExternalId": ["", "trailhook-4711", "a_b+c=d,e.f@g:h/i-j", "x" * 1224],
    "WebhookSecretArn": [
        "",
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:partner/okta-a1B2c3",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:x_+=.@-y-Zz9Zz9",
    ],
    "EventSource": ["", "payroll.example.com", "github:audit/log"],
    "ExcludeEvents": ["", "push", "push,workflow_*", "user.session.*,app:[ab]?"],
    "Redact": ["", "ssn", "ssn,actor.email,x-api_key"],
}
REFUSED = {
    "ChannelArn": [
        "",
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
    "EventSource": ["with space", "x" * 257],
    "ExcludeEvents": [",", "push,", "push,,fork", "push, fork"],
    "Redact": [",", "ssn,", "a,,b", "a, b", "actor[0]"],
}


def pairs(table: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


@pytest.fixture(scope="module")
def parameters(document: Mapping[str, Any]) -> Mapping[str, Any]:
    declared: Mapping[str, Any] = document["Parameters"]
    return declared


def test_at_most_five_parameters_have_to_be_given(parameters: Mapping[str, Any]) -> None:
    assert {name for name, parameter in parameters.items() if "Default" not in parameter} == {"Partner", "ChannelArn"}


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


def test_every_pattern_is_tried_both_ways(parameters: Mapping[str, Any]) -> None:
    patterned = {name for name, parameter in parameters.items() if "AllowedPattern" in parameter}
    assert patterned == set(ACCEPTED) == set(REFUSED)


def test_the_operator_is_told_that_cloudtrail_lake_takes_no_new_customers(parameters: Mapping[str, Any]) -> None:
    assert "2026-05-31" in parameters["ChannelArn"]["Description"]


def test_hec_is_refused_for_a_partner_that_does_not_stream_it(document: Mapping[str, Any]) -> None:
    rule = document["Rules"]["HecIsGitHubs"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "AcceptHec"}, "true"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "Partner"}, "github"]}
    assert "Partner=github" in assertion["AssertDescription"]
