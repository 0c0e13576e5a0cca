"""What `sam deploy` over a stack that is there must leave in its place.

What has another logical id, another type or another value of the properties below CloudFormation makes anew: an empty
queue, a secret that no partner has, another URL. That each is found in the template does not tell, so what a stack may
hold, or somebody else may know, is written down here.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.template.conftest import STACK_UNIQUE_ID

from trailhook_local.stack.template import Template

MADE_ANEW_FOR: Mapping[str, frozenset[str]] = {
    "AWS::ApiGatewayV2::DomainName": frozenset({"DomainName"}),
    "AWS::Logs::LogGroup": frozenset({"LogGroupName"}),
    "AWS::S3::Bucket": frozenset({"BucketName"}),
    "AWS::SNS::Topic": frozenset({"TopicName", "FifoTopic"}),
    "AWS::SQS::Queue": frozenset({"QueueName", "FifoQueue"}),
    # The secret itself stays, but gets another value.
    "AWS::SecretsManager::Secret": frozenset({"Name", "GenerateSecretString", "SecretString"}),
    # Of the functions only the one counts whose ARN is a ServiceToken, which CloudFormation lets nobody change.
    "AWS::Serverless::Function": frozenset({"FunctionName"}),
    # The name of a stage but $default is in the URL.
    "AWS::Serverless::HttpApi": frozenset({"StageName"}),
    "Custom::CloudTrailIntegration": frozenset({"ServiceToken"}),
}
"""Type → the properties whose change is a replacement by CloudFormation's reference, or comes to as much."""

INTEGRATION = "arn:aws:lambda:eu-central-1:111122223333:function:integration"
STAYS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "DeliveryQueue": ("AWS::SQS::Queue", {"QueueName": f"trailhook-delivery-{STACK_UNIQUE_ID}"}),
    "DeliveryDeadLetterQueue": (
        "AWS::SQS::Queue",
        {"QueueName": f"trailhook-delivery-dead-letters-{STACK_UNIQUE_ID}"},
    ),
    "QuarantineBucket": ("AWS::S3::Bucket", {}),
    "WebhookSecret": (
        "AWS::SecretsManager::Secret",
        {"GenerateSecretString": {"PasswordLength": 44, "ExcludePunctuation": True}},
    ),
    "HttpApi": ("AWS::Serverless::HttpApi", {"StageName": "$default"}),
    "HostName": ("AWS::ApiGatewayV2::DomainName", {"DomainName": "audit.example.com"}),
    "AlarmTopic": ("AWS::SNS::Topic", {}),
    "Integration": ("Custom::CloudTrailIntegration", {"ServiceToken": INTEGRATION}),
    "IntegrationFunction": ("AWS::Serverless::Function", {}),
    "ReceiveLogGroup": ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/lambda/trailhook-okta/receive"}),
    "ForwardLogGroup": ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/lambda/trailhook-okta/forward"}),
    "IntegrationLogGroup": ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/lambda/trailhook-okta/integration"}),
    "AccessLogGroup": ("AWS::Logs::LogGroup", {"LogGroupName": "/aws/vendedlogs/apigateway/trailhook-okta"}),
}

OWN_DOMAIN = {
    "DomainName": "audit.example.com",
    "CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/1",
}
CHANGES = [
    {},
    {"KmsKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d"},
    {"ChannelArn": "arn:aws:cloudtrail:eu-central-1:111122223333:channel/0a1b2c3d"},
    {"Partner": "slack", "AcceptHec": "false", "IntegrationVersion": "2", "OnDelete": "delete"},
]

PARAMETERS = {
    "AcceptHec",
    "AlarmEmail",
    "AllowedSourceRanges",
    "Architecture",
    "BillingMode",
    "CertificateArn",
    "ChannelArn",
    "ChannelName",
    "DomainName",
    "EventDataStoreArns",
    "EventDataStoreKmsKeyArn",
    "EventDataStoreName",
    "EventSource",
    "ExcludeEvents",
    "ExternalId",
    "IntegrationVersion",
    "KmsKeyArn",
    "LogRetentionDays",
    "MaximumConcurrency",
    "Mode",
    "OnDelete",
    "Partner",
    "PermissionsBoundaryArn",
    "PrincipalAccountIds",
    "Redact",
    "RequestRate",
    "RetentionPeriodDays",
    "RotationGraceHours",
    "ShortenRetention",
    "SilenceHours",
    "Tags",
    "ThrottleBurst",
    "ThrottleRate",
    "Tracing",
    "WebhookSecretArn",
}


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("name", STAYS)
def test_a_deployment_over_a_stack_makes_nothing_anew_that_holds_something(
    deploy: Callable[..., Template], name: str, change: Mapping[str, str]
) -> None:
    kind, deciding = STAYS[name]
    template = deploy(**OWN_DOMAIN, **change)
    properties = template.resources_of_type(kind)[name]
    found = {key: template.resolve(properties[key]) for key in MADE_ANEW_FOR[kind] & properties.keys()}
    assert found == deciding


def test_every_parameter_that_a_stack_was_deployed_with_is_still_read(document: Mapping[str, Any]) -> None:
    """`sam deploy` passes over what the template does not know: a setting that has another name is lost in silence."""
    assert set(document["Parameters"]) >= PARAMETERS


def test_all_queues_buckets_secrets_and_entrances_stay(document: Mapping[str, Any]) -> None:
    kinds = MADE_ANEW_FOR.keys() - {"AWS::Serverless::Function"}
    assert {name for name, one in document["Resources"].items() if one["Type"] in kinds} <= STAYS.keys()
