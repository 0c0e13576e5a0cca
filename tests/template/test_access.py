"""What each function may do: a closed list of actions, each on one exactly named resource."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.template.conftest import CHANNEL_ARN, SECRET_ARN

from trailhook.integration import control_plane
from trailhook_local.stack.template import Template

HERE = "arn:aws:cloudtrail:eu-central-1:111122223333"
CONNECT_AND_TAG = {
    "cloudtrail:CreateChannel",
    "cloudtrail:UpdateChannel",
    "cloudtrail:ListTags",
    "cloudtrail:AddTags",
    "cloudtrail:RemoveTags",
}
GRANTS = {
    "ReceiveRole": {
        SECRET_ARN: {"secretsmanager:GetSecretValue"},
        "arn:aws:sqs:eu-central-1:111122223333:delivery": {"sqs:SendMessage"},
        "arn:aws:logs:eu-central-1:111122223333:log-group:Receive:*": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "ForwardRole": {
        "arn:aws:sqs:eu-central-1:111122223333:delivery": {
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueAttributes",
            "sqs:SendMessage",
        },
        "arn:aws:sqs:eu-central-1:111122223333:dead-letters": {"sqs:SendMessage"},
        CHANNEL_ARN: {"cloudtrail-data:PutAuditEvents"},
        "arn:aws:s3:::quarantine-bucket/quarantine/*": {"s3:PutObject"},
        "arn:aws:logs:eu-central-1:111122223333:log-group:Forward:*": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "IntegrationRole": {
        "*": {"cloudtrail:ListChannels", "cloudtrail:ListEventDataStores"},
        f"{HERE}:channel/*": CONNECT_AND_TAG
        | {
            "cloudtrail:GetChannel",
            "cloudtrail:DeleteChannel",
            "cloudtrail:GetResourcePolicy",
            "cloudtrail:PutResourcePolicy",
            "cloudtrail:DeleteResourcePolicy",
        },
        f"{HERE}:eventdatastore/*": CONNECT_AND_TAG
        | {
            "cloudtrail:CreateEventDataStore",
            "cloudtrail:GetEventDataStore",
            "cloudtrail:UpdateEventDataStore",
            "cloudtrail:RestoreEventDataStore",
            "cloudtrail:DeleteEventDataStore",
        },
        "arn:aws:logs:eu-central-1:111122223333:log-group:Integration:*": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
}

TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def grants(template: Template, role: str) -> dict[str, set[str]]:
    """What a role allows by its own policies: resource -> actions."""
    found: dict[str, set[str]] = {}
    for policy in template.resolve(template.document["Resources"][role]["Properties"]["Policies"]):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            assert set(statement) - {"Condition"} == {"Sid", "Effect", "Action", "Resource"}
            for resource in listed(statement["Resource"]):
                found.setdefault(resource, set()).update(listed(statement["Action"]))
    return found


def without_conditions(statements: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Every statement, also those that a condition can leave out."""
    for statement in statements:
        yield from statement["Fn::If"][1:2] if "Fn::If" in statement else [statement]


def allowing_statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        policies = properties.get("Policies", []) if resource["Type"] == "AWS::IAM::Role" else [properties]
        for policy in policies:
            for statement in without_conditions(policy.get("PolicyDocument", {}).get("Statement", [])):
                if statement["Effect"] == "Allow":
                    yield name, statement


@pytest.mark.parametrize("role", GRANTS)
def test_a_role_allows_exactly_what_its_function_does(deploy: Callable[..., Template], role: str) -> None:
    assert grants(deploy(), role) == GRANTS[role]


@pytest.mark.parametrize("role", GRANTS)
def test_what_an_arn_names_without_its_account_has_to_be_this_accounts(
    deploy: Callable[..., Template], resources: Mapping[str, Any], role: str
) -> None:
    """Whoever takes the name of a bucket that was deleted must get nothing that is meant for it."""
    template = deploy()
    for policy in template.resolve(resources[role]["Properties"]["Policies"]):
        for statement in policy["PolicyDocument"]["Statement"]:
            named = listed(statement["Resource"])
            nobodys = any(re.match(r"arn:aws:[a-z0-9-]+:[^:]*::", resource) for resource in named)
            condition = {"StringEquals": {"aws:ResourceAccount": "111122223333"}} if nobodys else None
            assert statement.get("Condition") == condition


def test_nobody_but_forward_writes_what_may_be_sent_back(
    deploy: Callable[..., Template], resources: Mapping[str, Any]
) -> None:
    template = deploy()
    policy = template.resolve(resources["QuarantineBucketPolicy"]["Properties"]["PolicyDocument"])
    (refusal,) = [one for one in policy["Statement"] if one["Sid"] == "LetForwardAloneWriteEvidence"]
    assert (refusal["Effect"], refusal["Principal"]) == ("Deny", "*")
    assert {"s3:PutObject", "s3:ReplicateObject"} == set(refusal["Action"])
    # What forward may write, and nothing else: notes below redriven/ are the operators'.
    (written,) = [resource for resource, actions in GRANTS["ForwardRole"].items() if "s3:PutObject" in actions]
    assert refusal["Resource"] == written
    # Of a session the key holds the role's own ARN. A caller without one is refused as well: the operator is negated.
    forward = template.resolve({"Fn::GetAtt": ["ForwardRole", "Arn"]})
    assert refusal["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": forward}}


def test_a_secret_that_the_operator_names_is_the_only_one_that_receive_reads(deploy: Callable[..., Template]) -> None:
    own = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:partner/okta-a1B2c3"
    allowed = grants(deploy(WebhookSecretArn=own), "ReceiveRole")
    assert allowed[own] == GRANTS["ReceiveRole"][SECRET_ARN]
    assert SECRET_ARN not in allowed


def test_no_secret_is_generated_beside_the_operators_own(deploy: Callable[..., Template]) -> None:
    own = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:partner/okta-a1B2c3"
    assert deploy().resources_of_type("AWS::SecretsManager::Secret")
    assert not deploy(WebhookSecretArn=own).resources_of_type("AWS::SecretsManager::Secret")


def test_integration_may_call_exactly_what_its_code_calls() -> None:
    calls = re.findall(r'self\._(?:call|must|pages)\(\s*"(\w+)"', inspect.getsource(control_plane))
    actions = {f"cloudtrail:{operation.title().replace('_', '')}" for operation in calls}
    granted = {action for actions in GRANTS["IntegrationRole"].values() for action in actions}
    assert actions == {action for action in granted if action.startswith("cloudtrail:")}


def test_integration_may_use_a_kms_key_only_where_one_is_given_and_only_that_one(
    deploy: Callable[..., Template],
) -> None:
    key = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d"
    allowed = grants(deploy(EventDataStoreKmsKeyArn=key), "IntegrationRole")
    assert allowed == {**GRANTS["IntegrationRole"], key: {"kms:GenerateDataKey", "kms:Decrypt"}}


@pytest.mark.parametrize("role", ["ReceiveRole", "ForwardRole"])
def test_ones_own_key_is_the_only_one_that_the_endpoint_may_use(deploy: Callable[..., Template], role: str) -> None:
    key = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d"
    assert grants(deploy(KmsKeyArn=key), role) == {**GRANTS[role], key: {"kms:GenerateDataKey", "kms:Decrypt"}}


@pytest.mark.parametrize("role", GRANTS)
def test_a_permissions_boundary_holds_every_role(
    deploy: Callable[..., Template], resources: Mapping[str, Any], role: str
) -> None:
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    bound, free = deploy(PermissionsBoundaryArn=boundary), deploy()
    assert bound.resolve(resources[role]["Properties"])["PermissionsBoundary"] == boundary
    assert "PermissionsBoundary" not in free.resolve(resources[role]["Properties"])


def test_nothing_is_allowed_on_everything_but_what_has_no_resources_to_name(
    resources: Mapping[str, Any],
) -> None:
    on_everything = {
        (name, action)
        for name, statement in allowing_statements(resources)
        if "*" in listed(statement["Resource"] if isinstance(statement["Resource"], (str, list)) else "")
        for action in listed(statement["Action"])
    }
    assert on_everything == {
        ("IntegrationRole", "cloudtrail:ListChannels"),
        ("IntegrationRole", "cloudtrail:ListEventDataStores"),
        *((role, action) for role in GRANTS for action in TRACES),
    }


def test_no_action_is_a_pattern(resources: Mapping[str, Any]) -> None:
    actions = [action for _, statement in allowing_statements(resources) for action in listed(statement["Action"])]
    assert actions
    assert not [action for action in actions if "*" in action]


@pytest.mark.parametrize("role", GRANTS)
def test_traces_are_allowed_only_where_they_are_asked_for(deploy: Callable[..., Template], role: str) -> None:
    everything = GRANTS[role].get("*", set())
    assert grants(deploy(), role).get("*", set()) == everything
    assert grants(deploy(Tracing="Active"), role)["*"] == everything | TRACES


def test_a_function_is_made_when_its_role_has_all_its_policies(resources: Mapping[str, Any]) -> None:
    """Lambda looks as it makes a function: a policy beside the role may come too late."""
    beside = {"AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy"}
    assert not [name for name, resource in resources.items() if resource["Type"] in beside]


@pytest.mark.parametrize("function", ["Receive", "Forward", "Integration"])
def test_a_function_has_its_own_role_so_that_sam_adds_no_managed_policy(
    resources: Mapping[str, Any], function: str
) -> None:
    assert resources[f"{function}Function"]["Properties"]["Role"] == {"Fn::GetAtt": [f"{function}Role", "Arn"]}
    role = resources[f"{function}Role"]["Properties"]
    assert "ManagedPolicyArns" not in role
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "lambda.amazonaws.com"}
