"""template.yaml as the tests of this folder read it: as plain data, and with names filled in as a deployment would."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from trailhook_local.stack.template import Template, load_document

CHANNEL_ARN = "arn:aws:cloudtrail:eu-central-1:111122223333:channel/01234567-89ab-cdef-0123-456789abcdef"
EVENT_DATA_STORE_ARN = "arn:aws:cloudtrail:eu-central-1:111122223333:eventdatastore/0a1b2c3d"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:generated-a1B2c3"
STACK_UNIQUE_ID = "fedcba98-7654-3210-fedc-ba9876543210"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": f"arn:aws:cloudformation:eu-central-1:111122223333:stack/trailhook-okta/{STACK_UNIQUE_ID}",
    "AWS::StackName": "trailhook-okta",
    "AWS::URLSuffix": "amazonaws.com",
}
PHYSICAL_VALUES: Mapping[str, Mapping[str, Any]] = {
    "DeliveryQueue": {
        "Ref": "https://sqs.example/delivery",
        "QueueName": "delivery",
        "Arn": "arn:aws:sqs:eu-central-1:111122223333:delivery",
    },
    "DeliveryDeadLetterQueue": {
        "Ref": "https://sqs.example/dead-letters",
        "QueueName": "dead-letters",
        "Arn": "arn:aws:sqs:eu-central-1:111122223333:dead-letters",
    },
    "QuarantineBucket": {"Ref": "quarantine-bucket", "Arn": "arn:aws:s3:::quarantine-bucket"},
    "WebhookSecret": {"Ref": SECRET_ARN},
    "ReceiveFunction": {"Ref": "receive"},
    "ForwardFunction": {"Ref": "forward"},
    "AlarmTopic": {"Ref": "arn:aws:sns:eu-central-1:111122223333:alarms"},
    "HostName": {"Ref": "audit.example.com", "RegionalDomainName": "d-0a1b2c3d.execute-api.eu-central-1.amazonaws.com"},
    "HttpApi": {"Ref": "abcde12345"},
    "Integration": {
        "Ref": CHANNEL_ARN,
        "ChannelArn": CHANNEL_ARN,
        "EventDataStoreArns": [EVENT_DATA_STORE_ARN],
        "Report": "",
    },
    "IntegrationFunction": {"Arn": "arn:aws:lambda:eu-central-1:111122223333:function:integration"},
    **{
        f"{name}LogGroup": {"Ref": name.lower(), "Arn": f"arn:aws:logs:eu-central-1:111122223333:log-group:{name}:*"}
        for name in ("Receive", "Forward", "Integration", "Access")
    },
    **{
        f"{name}Role": {"Ref": name, "Arn": f"arn:aws:iam::111122223333:role/{name}"}
        for name in ("Receive", "Forward", "Integration")
    },
}


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def document(root: Path) -> Mapping[str, Any]:
    """The template with intrinsic functions in their long form."""
    return load_document(root / "template.yaml")


@pytest.fixture(scope="session")
def resources(document: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document["Resources"]
    return found


@pytest.fixture(scope="session")
def deploy(document: Mapping[str, Any]) -> Callable[..., Template]:
    """The template under the given parameters, with made-up physical names for its resources."""

    def deployed(**parameters: str) -> Template:
        template = Template(document, {"Partner": "okta", **parameters}, PSEUDO_PARAMETERS)
        template.fill(PHYSICAL_VALUES)
        return template

    return deployed
