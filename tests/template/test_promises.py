"""The promises on loss that are kept by settings: how long things wait, what survives the stack, who may see them."""

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from trailhook.envelope import MAX_MESSAGE_BYTES
from trailhook_local.stack.template import Template

DAY = 86_400
LONGEST_POSTPONEMENT = 3_600
"""Seconds that forward hides a message at most while it waits for a configuration fault to be healed."""

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d"

QUEUES = ["DeliveryQueue", "DeliveryDeadLetterQueue"]
LOG_GROUPS = ["ReceiveLogGroup", "ForwardLogGroup", "IntegrationLogGroup", "AccessLogGroup"]
KEPT = [*QUEUES, "DeliveryQueuePolicy", "DeliveryDeadLetterQueuePolicy", "QuarantineBucketPolicy"]
KEPT_UNLESS_IN_VAIN = ["QuarantineBucket", "WebhookSecret"]


@pytest.fixture
def deliveries(resources: Mapping[str, Any]) -> Mapping[str, Any]:
    """The event source mapping from the delivery queue to forward."""
    (event,) = resources["ForwardFunction"]["Properties"]["Events"].values()
    assert event["Type"] == "SQS"
    properties: Mapping[str, Any] = event["Properties"]
    return properties


@pytest.mark.parametrize("queue", QUEUES)
def test_both_queues_keep_a_message_for_14_days(resources: Mapping[str, Any], queue: str) -> None:
    assert resources[queue]["Properties"]["MessageRetentionPeriod"] == 14 * DAY


def test_retries_spend_at_most_4_of_the_14_days(resources: Mapping[str, Any]) -> None:
    queue = resources["DeliveryQueue"]["Properties"]
    run = resources["ForwardFunction"]["Properties"]["Timeout"]
    longest_between_receives = max(queue["VisibilityTimeout"], run + LONGEST_POSTPONEMENT)
    assert queue["RedrivePolicy"]["maxReceiveCount"] * longest_between_receives <= 4 * DAY


def test_a_configuration_fault_may_last_a_weekend_before_messages_are_dead_letters(
    resources: Mapping[str, Any],
) -> None:
    assert resources["DeliveryQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] * LONGEST_POSTPONEMENT > 3 * DAY


def test_a_message_stays_hidden_while_lambda_may_still_work_on_it(
    resources: Mapping[str, Any], deliveries: Mapping[str, Any]
) -> None:
    timeout = resources["ForwardFunction"]["Properties"]["Timeout"]
    window = deliveries["MaximumBatchingWindowInSeconds"]
    assert resources["DeliveryQueue"]["Properties"]["VisibilityTimeout"] >= 6 * timeout + window


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_takes_the_largest_envelope(resources: Mapping[str, Any], queue: str) -> None:
    assert resources[queue]["Properties"]["MaximumMessageSize"] == MAX_MESSAGE_BYTES


def test_only_the_delivery_queue_may_move_messages_to_the_dead_letters(
    document: Mapping[str, Any], deploy: Callable[..., Template]
) -> None:
    template, queues = deploy(), document["Resources"]
    name = template.resolve(queues["DeliveryQueue"]["Properties"]["QueueName"])
    allowed = template.resolve(queues["DeliveryDeadLetterQueue"]["Properties"]["RedriveAllowPolicy"])
    assert allowed == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"arn:aws:sqs:eu-central-1:111122223333:{name}"],
    }
    target = template.resolve(queues["DeliveryQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
    assert target == template.resolve({"Fn::GetAtt": ["DeliveryDeadLetterQueue", "Arn"]})


def test_no_queue_may_move_its_dead_letters_to_the_delivery_queue(resources: Mapping[str, Any]) -> None:
    """Whoever may set up a queue of their own could put unproven deliveries there, without sqs:SendMessage."""
    assert resources["DeliveryQueue"]["Properties"]["RedriveAllowPolicy"] == {"redrivePermission": "denyAll"}


@pytest.mark.parametrize("queue", QUEUES)
def test_a_kept_queue_does_not_stand_in_the_way_of_the_next_stack(
    resources: Mapping[str, Any], deploy: Callable[..., Template], queue: str
) -> None:
    template = deploy()
    name = template.resolve(resources[queue]["Properties"]["QueueName"])
    assert template.resolve({"Ref": "AWS::StackId"}).rpartition("/")[2] in name
    assert len(name) <= 80


def test_forward_reports_single_messages_and_is_bounded_at_the_mapping(deliveries: Mapping[str, Any]) -> None:
    assert deliveries["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert deliveries["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrency"}}
    assert "FilterCriteria" not in deliveries, "a filter deletes what it does not match"


def test_lambda_lets_forward_hand_back_to_its_own_queue(resources: Mapping[str, Any]) -> None:
    assert resources["ForwardFunction"]["Properties"]["RecursiveLoop"] == "Allow"


def test_a_batch_can_fill_requests_of_100_events(deliveries: Mapping[str, Any]) -> None:
    assert deliveries["BatchSize"] % 100 == 0
    assert deliveries["MaximumBatchingWindowInSeconds"] >= 1, "Lambda asks for it above 10 messages"


def test_no_function_reserves_concurrency(resources: Mapping[str, Any]) -> None:
    assert not [name for name, r in resources.items() if "ReservedConcurrentExecutions" in r.get("Properties", {})]


@pytest.mark.parametrize("name", KEPT)
def test_what_holds_evidence_survives_the_stack(resources: Mapping[str, Any], name: str) -> None:
    # SQS deletes a queue with all that waits in it, and deliveries can come before the last resource is made or fails.
    assert resources[name]["DeletionPolicy"] == resources[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", KEPT_UNLESS_IN_VAIN)
def test_a_failed_creation_leaves_nothing_that_cannot_hold_evidence(resources: Mapping[str, Any], name: str) -> None:
    assert resources[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resources[name]["UpdateReplacePolicy"] == "Retain", "it knows no other way to keep"


@pytest.mark.parametrize("name", LOG_GROUPS)
def test_logs_are_kept_as_long_as_the_operator_says(resources: Mapping[str, Any], name: str) -> None:
    assert resources[name]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("function", ["Receive", "Forward", "Integration"])
def test_a_function_logs_json_to_its_own_group(document: Mapping[str, Any], function: str) -> None:
    properties = document["Resources"][f"{function}Function"]["Properties"]
    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": f"{function}LogGroup"}}
    assert document["Globals"]["Function"]["LoggingConfig"] == {"LogFormat": "JSON"}


def test_every_log_group_is_one_whose_retention_is_checked(resources: Mapping[str, Any]) -> None:
    found = {name for name, resource in resources.items() if resource["Type"] == "AWS::Logs::LogGroup"}
    assert found == set(LOG_GROUPS)


@pytest.mark.parametrize("queue", QUEUES)
def test_queues_are_encrypted_with_one_key_or_the_other(
    resources: Mapping[str, Any], deploy: Callable[..., Template], queue: str
) -> None:
    queues = [deploy(**given).resolve(resources[queue]["Properties"]) for given in ({}, {"KmsKeyArn": KEY})]
    assert [(one.get("SqsManagedSseEnabled"), one.get("KmsMasterKeyId")) for one in queues] == [
        (True, None),
        (None, KEY),
    ]


def test_the_quarantine_is_private_versioned_and_encrypted(resources: Mapping[str, Any]) -> None:
    bucket = resources["QuarantineBucket"]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert "BucketEncryption" in bucket
    assert "LifecycleConfiguration" not in bucket, "how long evidence is kept is the operator's decision"


@pytest.mark.parametrize(
    ("policy", "resource"),
    [
        ("DeliveryQueuePolicy", "arn:aws:sqs:eu-central-1:111122223333:delivery"),
        ("DeliveryDeadLetterQueuePolicy", "arn:aws:sqs:eu-central-1:111122223333:dead-letters"),
        ("QuarantineBucketPolicy", ["arn:aws:s3:::quarantine-bucket", "arn:aws:s3:::quarantine-bucket/*"]),
    ],
)
def test_nothing_is_read_or_written_without_tls(
    resources: Mapping[str, Any], deploy: Callable[..., Template], policy: str, resource: object
) -> None:
    statement, *_ = deploy().resolve(resources[policy]["Properties"]["PolicyDocument"])["Statement"]
    service = "s3" if "Bucket" in policy else "sqs"
    assert {key: value for key, value in statement.items() if key != "Sid"} == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def test_the_api_hands_every_method_and_path_to_receive(resources: Mapping[str, Any]) -> None:
    (event,) = resources["ReceiveFunction"]["Properties"]["Events"].values()
    assert event == {"Type": "HttpApi", "Properties": {"ApiId": {"Ref": "HttpApi"}, "PayloadFormatVersion": "2.0"}}
    api = resources["HttpApi"]["Properties"]
    assert api["StageName"] == "$default", "GitHub's audit log streaming takes no path"
    assert "CorsConfiguration" not in api, "API Gateway would swallow OPTIONS handshakes"


def test_the_api_is_throttled_and_logs_json_without_headers_or_query(
    resources: Mapping[str, Any], deploy: Callable[..., Template]
) -> None:
    api = deploy().resolve(resources["HttpApi"]["Properties"])
    assert api["DefaultRouteSettings"] == {"ThrottlingRateLimit": "100", "ThrottlingBurstLimit": "200"}
    assert api["AccessLogSettings"]["DestinationArn"].startswith("arn:aws:logs:")
    fields = json.loads(api["AccessLogSettings"]["Format"])
    assert {"requestId", "status", "sourceIp", "integrationError"} <= set(fields)
    fixed = {name: fields.pop(name) for name in ("partner", "service")}
    assert fixed == {"partner": "okta", "service": "trailhook-okta"}
    assert all(value.startswith("$context.") for value in fields.values())


def test_ones_own_key_encrypts_logs_bucket_and_secret_too(
    resources: Mapping[str, Any], deploy: Callable[..., Template]
) -> None:
    template = deploy(KmsKeyArn=KEY)

    def properties(name: str) -> Mapping[str, Any]:
        resolved: Mapping[str, Any] = template.resolve(resources[name]["Properties"])
        return resolved

    assert {name: properties(name)["KmsKeyId"] for name in LOG_GROUPS} == dict.fromkeys(LOG_GROUPS, KEY)
    assert properties("WebhookSecret")["KmsKeyId"] == KEY
    (rule,) = properties("QuarantineBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}


def test_the_key_policy_of_the_page_covers_every_log_group(
    resources: Mapping[str, Any], deploy: Callable[..., Template], root: Path
) -> None:
    page = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.split("## A KMS key of your own\n")[1].split("\n## ")[0]
    logs, _ = json.loads(section.split("```json\n")[1].split("```")[0])
    allowed = logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    for name in LOG_GROUPS:
        group = deploy().resolve(resources[name]["Properties"]["LogGroupName"])
        arn = f"arn:aws:logs:eu-central-1:111122223333:log-group:{group}"
        assert any(fnmatchcase(arn, pattern) for pattern in allowed), name


def test_without_a_key_of_ones_own_nothing_names_one(
    resources: Mapping[str, Any], deploy: Callable[..., Template]
) -> None:
    template = deploy()
    for name in (*LOG_GROUPS, "WebhookSecret", *QUEUES):
        assert not {"KmsKeyId", "KmsMasterKeyId"} & set(template.resolve(resources[name]["Properties"]))


def test_ones_own_domain_stands_in_the_url(document: Mapping[str, Any], deploy: Callable[..., Template]) -> None:
    certificate = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d"
    template = deploy(DomainName="audit.example.com", CertificateArn=certificate)
    values = {name: template.resolve(output["Value"]) for name, output in document["Outputs"].items()}
    assert values["WebhookUrl"] == "https://audit.example.com/webhook"
    assert values["HecBaseUrl"] == "https://audit.example.com"
    assert values["DomainTarget"] == "d-0a1b2c3d.execute-api.eu-central-1.amazonaws.com"
    (name,) = template.resources_of_type("AWS::ApiGatewayV2::DomainName").values()
    (configuration,) = template.resolve(name)["DomainNameConfigurations"]
    assert configuration == {
        "CertificateArn": certificate,
        "EndpointType": "REGIONAL",
        "SecurityPolicy": "TLS_1_2",
    }
    assert not deploy().resources_of_type("AWS::ApiGatewayV2::DomainName", "AWS::ApiGatewayV2::ApiMapping")


def test_a_generated_secret_has_44_characters_without_punctuation(resources: Mapping[str, Any]) -> None:
    assert resources["WebhookSecret"]["Properties"].keys() == {"Description", "GenerateSecretString", "KmsKeyId"}
    generated = resources["WebhookSecret"]["Properties"]["GenerateSecretString"]
    assert generated == {"PasswordLength": 44, "ExcludePunctuation": True}


def test_outputs_name_what_an_operator_needs_and_never_the_secret_itself(
    document: Mapping[str, Any], deploy: Callable[..., Template]
) -> None:
    template = deploy()
    values = {name: template.resolve(output["Value"]) for name, output in document["Outputs"].items()}
    assert all(output["Description"] for output in document["Outputs"].values())
    assert values["WebhookUrl"] == "https://abcde12345.execute-api.eu-central-1.amazonaws.com/webhook"
    assert values["HecBaseUrl"] == "https://abcde12345.execute-api.eu-central-1.amazonaws.com"
    assert f"--secret-id '{values['WebhookSecretArn']}'" in values["ShowWebhookSecretCommand"]
    assert f"--secret-id '{values['WebhookSecretArn']}'" in values["SetWebhookSecretCommand"]
    assert "--secret-string file:///dev/stdin" in values["SetWebhookSecretCommand"], "a shell's history keeps no secret"
    assert values["EventDataStoreArns"] == "arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/0a1b2c3d"
    assert {"ChannelArn", "DeliveryQueueUrl", "DeliveryDeadLetterQueueUrl", "QuarantineBucketName"} <= set(values)
    assert "{{resolve:" not in json.dumps(document), "a dynamic reference would write the secret's value into the stack"


def test_every_suppressed_check_gives_its_reason(resources: Mapping[str, Any]) -> None:
    skipped = [s for r in resources.values() for s in r.get("Metadata", {}).get("checkov", {}).get("skip", [])]
    assert skipped
    assert all(len(skip["comment"]) > 40 for skip in skipped)


def test_cloudformation_waits_a_little_longer_than_the_function_runs(resources: Mapping[str, Any]) -> None:
    runs = resources["IntegrationFunction"]["Properties"]["Timeout"]
    assert runs < resources["Integration"]["Properties"]["ServiceTimeout"] <= runs + 60


def test_a_request_of_cloudformation_is_never_handed_over_after_it_gave_up(resources: Mapping[str, Any]) -> None:
    properties = resources["IntegrationFunction"]["Properties"]
    asynchronous = properties["EventInvokeConfig"]
    assert asynchronous["MaximumRetryAttempts"] == 0
    latest_end = asynchronous["MaximumEventAgeInSeconds"] + properties["Timeout"]
    assert latest_end <= resources["Integration"]["Properties"]["ServiceTimeout"]
    # Before the first request, and until after the last.
    assert resources["Integration"]["DependsOn"] == "IntegrationFunctionEventInvokeConfig"
