"""template.yaml as the stack reads it: the project's own, and the forms that CloudFormation allows."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from trailhook_local.stack.errors import TemplateError
from trailhook_local.stack.settings import DEAD_LETTER_QUEUE, DELIVERY_QUEUE, read_queue, read_settings
from trailhook_local.stack.template import Template, load_document

ROOT = Path(__file__).parents[2]

PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:111122223333:stack/trailhook/1234",
    "AWS::StackName": "trailhook",
    "AWS::URLSuffix": "amazonaws.com",
}
RESOURCES = {
    "Queue": {"Ref": "http://127.0.0.1:9/queue", "Arn": "arn:aws:sqs:eu-central-1:111122223333:queue"},
    "Channel": {"Ref": "channel", "ChannelArn": "arn:channel"},
}
HEAD = """
Parameters:
  Partner: {Type: String, AllowedValues: [github, okta]}
  Mode: {Type: String, Default: ""}
  Names: {Type: CommaDelimitedList, Default: "a,b"}
Conditions:
  IsGitHub: !Equals [!Ref Partner, github]
  HasMode: !Not [!Equals [!Ref Mode, ""]]
  Both: !And [!Condition IsGitHub, !Condition HasMode]
Mappings:
  Sources: {github: {source: GitHub}}
Resources:
  Queue: {Type: AWS::SQS::Queue}
"""


def resolve(text: str, tmp_path: Path, **parameters: str) -> Any:
    """What the property `text` stands for."""
    path = tmp_path / "template.yaml"
    path.write_text(f"{HEAD}  Other:\n    Type: Custom::Other\n    Properties:\n      Value: {text}\n")
    template = Template(load_document(path), {"Partner": "github", **parameters}, PSEUDO)
    template.fill(RESOURCES)
    return template.resolve(template.document["Resources"]["Other"]["Properties"]["Value"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("!Ref Partner", "github"),
        ("!Ref Queue", "http://127.0.0.1:9/queue"),
        ("!Ref AWS::Region", "eu-central-1"),
        ("!Ref Names", ["a", "b"]),
        ("!GetAtt Queue.Arn", "arn:aws:sqs:eu-central-1:111122223333:queue"),
        ("{Fn::GetAtt: [Queue, Arn]}", "arn:aws:sqs:eu-central-1:111122223333:queue"),
        (
            "!Sub '${AWS::StackName}-${Partner}-${!literal}-${Queue.Arn}'",
            "trailhook-github-${literal}-" + RESOURCES["Queue"]["Arn"],
        ),
        ("!Sub ['${Id}', {Id: !Select [2, !Split [/, !Ref AWS::StackId]]}]", "1234"),
        ("!If [IsGitHub, yes please, !Ref Nonsense]", "yes please"),
        ("!If [HasMode, !Ref Nonsense, 3]", 3),
        ("!If [Both, one, other]", "other"),
        ("[a, !If [HasMode, b, !Ref AWS::NoValue]]", ["a"]),
        ("{a: !Ref AWS::NoValue, b: !Join ['-', [x, !Ref Mode, y]]}", {"b": "x--y"}),
        ("!FindInMap [Sources, !Ref Partner, source]", "GitHub"),
    ],
)
def test_values(text: str, expected: Any, tmp_path: Path) -> None:
    assert resolve(text, tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!Ref Nonsense", "!Ref Nonsense"),
        ("!GetAtt Queue.Colour", "!GetAtt Queue.Colour"),
        ("!ImportValue other", "Fn::ImportValue"),
        ("!If [IsNothing, 1, 2]", "condition IsNothing"),
        ("!FindInMap [Sources, okta, source]", "okta.source"),
    ],
)
def test_what_cannot_be_resolved_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=message):
        resolve(text, tmp_path)


def test_parameters_are_checked(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no parameter Colour"):
        resolve("x", tmp_path, Colour="red")
    with pytest.raises(TemplateError, match=r"one of github, okta, not 'gitlab'; what is new .* AllowedValues"):
        resolve("x", tmp_path, Partner="gitlab")


def test_a_file_that_is_no_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot read the template"):
        load_document(tmp_path / "missing.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(TemplateError, match="is no template"):
        load_document(tmp_path / "list.yaml")


def test_the_projects_template_gives_every_setting() -> None:
    document = load_document(ROOT / "template.yaml")
    parameters = {"Partner": "okta", "ChannelArn": "arn:channel", "MaximumConcurrency": "3"}
    parameters = {name: value for name, value in parameters.items() if name in document["Parameters"]}
    template = Template(document, parameters, PSEUDO)
    template.fill(
        {
            DELIVERY_QUEUE: {"Ref": "http://127.0.0.1:9/deliveries", "Arn": "arn:deliveries"},
            DEAD_LETTER_QUEUE: {"Ref": "http://127.0.0.1:9/dead", "Arn": "arn:dead"},
            "QuarantineBucket": {"Ref": "quarantine", "Arn": "arn:aws:s3:::quarantine"},
        }
    )
    for kind, value in (
        ("AWS::SecretsManager::Secret", "arn:secret"),
        ("Custom::CloudTrailIntegration", "arn:channel"),
    ):
        for logical_id in template.resources_of_type(kind):
            template.fill({logical_id: {"Ref": value, "ChannelArn": value, "RecipientAccountId": "111122223333"}})
    settings = read_settings(template, ROOT)
    assert settings.receive.path == ROOT / "functions/receive/app.py"
    assert settings.forward.handler == "handler"
    assert settings.receive.environment["WEBHOOK_SECRET_ARN"] == "arn:secret"
    assert settings.receive.environment["PARTNER"] == "okta"
    assert settings.forward.environment["CHANNEL_ARN"] == "arn:channel"
    assert settings.forward.environment["QUARANTINE_BUCKET"] == "quarantine"
    assert settings.mapping.report_batch_item_failures
    assert settings.mapping.maximum_concurrency == 3
    assert settings.throttle is not None
    queue, dead = (read_queue(template, one) for one in (DELIVERY_QUEUE, DEAD_LETTER_QUEUE))
    assert queue.max_receive_count
    assert int(queue.attributes["VisibilityTimeout"]) >= 6 * settings.forward.timeout_seconds
    assert (
        int(queue.attributes["MessageRetentionPeriod"]) == int(dead.attributes["MessageRetentionPeriod"]) == 14 * 86400
    )
    assert dead.max_receive_count is None


def test_the_same_document_as_long_forms() -> None:
    document = load_document(ROOT / "template.yaml")
    assert "!" not in yaml.safe_dump(document["Resources"]["DeliveryQueue"]["Properties"]["QueueName"])
