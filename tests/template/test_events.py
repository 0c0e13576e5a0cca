"""The recorded events: complete, signed with the fake secret that their README.md names, and all of them used."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import MemorySecretStore, MemorySender

from trailhook.envelope import decode_envelope
from trailhook.gateway import Request
from trailhook.partner import Options
from trailhook.partners import load_partner
from trailhook.receive import Receiver
from trailhook.settings import ForwardSettings, ReceiveSettings
from trailhook.signed_time import TIMESTAMP_TOLERANCE_SECONDS
from trailhook.webhook_secret import WebhookSecret
from trailhook_local.stack.template import Template

READ_SETTINGS: Mapping[str, Callable[[Mapping[str, str]], ReceiveSettings | ForwardSettings]] = {
    "ReceiveFunction": ReceiveSettings.from_environ,
    "ForwardFunction": ForwardSettings.from_environ,
}
ENVIRONMENTS = {"env.json": "github", "env-okta.json": "okta"}
REQUESTS = {"receive-github-webhook.json", "receive-okta-verification.json", "receive-custom-standard-webhook.json"}
BATCHES = {"forward-deliveries.json"}
STACK_REQUESTS = {f"integration-{kind}.json" for kind in ("create", "update", "delete")}


@pytest.fixture(scope="module")
def events(root: Path) -> Path:
    return root / "events"


@pytest.fixture(scope="module")
def secret(events: Path) -> str:
    found = re.search(r"`(\w*Fake\w*)`", (events / "README.md").read_text(encoding="utf-8"))
    assert found, "events/README.md names no fake secret"
    return found[1]


def recorded(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event


def test_every_recorded_file_is_used_here_and_explained_in_the_readme(events: Path) -> None:
    files = {path.name for path in events.iterdir()} - {"README.md"}
    assert files == REQUESTS | BATCHES | STACK_REQUESTS | set(ENVIRONMENTS)
    readme = (events / "README.md").read_text(encoding="utf-8")
    assert not [name for name in files if name not in readme]


def test_the_fake_secret_looks_like_a_generated_one(secret: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9]{44}", secret)


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_request_has_the_form_that_api_gateway_documents(events: Path, name: str) -> None:
    event = recorded(events / name)
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "$default"
    assert list(event["headers"]) == sorted(key.lower() for key in event["headers"])
    assert event["headers"].get("content-length", "0") == str(len(event.get("body", "").encode()))
    request = Request.from_api_gateway(event)
    assert request.method == event["requestContext"]["http"]["method"]
    assert request.path == "/webhook"


def test_the_github_webhook_is_signed(events: Path, secret: str) -> None:
    event = recorded(events / "receive-github-webhook.json")
    digest = hmac.new(secret.encode(), event["body"].encode(), hashlib.sha256).hexdigest()
    assert event["headers"]["x-hub-signature-256"] == f"sha256={digest}"
    assert {"x-github-event", "x-github-delivery"} <= set(event["headers"])


def test_the_okta_verification_carries_the_secret_and_the_documented_challenge(events: Path, secret: str) -> None:
    event = recorded(events / "receive-okta-verification.json")
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["headers"]["authorization"] == secret
    assert event["headers"]["x-okta-verification-challenge"] == "Me_rShK8JHsTnbyYrWXCEoMGbM_zsZ6k0hLPZ_Pg"


def test_the_standard_webhook_is_signed_and_was_received_in_time(events: Path, secret: str) -> None:
    event = recorded(events / "receive-custom-standard-webhook.json")
    headers = event["headers"]
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{event['body']}".encode()
    digest = hmac.new(base64.b64decode(secret, validate=True), message, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    age = event["requestContext"]["timeEpoch"] // 1000 - int(headers["webhook-timestamp"])
    assert abs(age) <= TIMESTAMP_TOLERANCE_SECONDS


@pytest.mark.parametrize(
    ("name", "partner", "status"),
    [
        ("receive-github-webhook.json", "github", 202),
        ("receive-okta-verification.json", "okta", 200),
        ("receive-custom-standard-webhook.json", "custom", 202),
        ("receive-custom-standard-webhook.json", "github", 202),
    ],
)
def test_receive_answers_a_recorded_request(events: Path, secret: str, name: str, partner: str, status: int) -> None:
    queue, store = MemorySender(), MemorySecretStore()
    store.put(secret, at=0)
    receiver = Receiver(load_partner(partner, Options()), WebhookSecret(store, grace_hours=24), queue)
    answer = receiver.answer(recorded(events / name))
    assert answer.response.status == status
    assert len(queue.messages) == (0 if "verification" in name else 1)


def test_the_queued_deliveries_are_those_of_an_earlier_version_that_forward_must_still_read(events: Path) -> None:
    records = recorded(events / "forward-deliveries.json")["Records"]
    deliveries = [decode_envelope(record["body"]).delivery for record in records]
    assert [delivery.header("x-github-event") for delivery in deliveries] == ["member", "repository"]
    assert all(json.loads(delivery.body)["action"] for delivery in deliveries)
    assert len({record["messageId"] for record in records}) == len(records)


def test_the_queued_batch_has_the_form_that_lambda_hands_over(events: Path) -> None:
    for record in recorded(events / "forward-deliveries.json")["Records"]:
        assert record["eventSource"] == "aws:sqs"
        assert record["attributes"]["ApproximateReceiveCount"] == "1"
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_sets_only_what_the_template_declares(
    events: Path, document: Mapping[str, Any], name: str
) -> None:
    shared = document["Globals"]["Function"]["Environment"]["Variables"]
    for function, variables in recorded(events / name).items():
        own = document["Resources"][function]["Properties"]["Environment"]["Variables"]
        assert set(variables) <= set(own) | set(shared), "sam local drops names that the template does not declare"


@pytest.mark.parametrize(("name", "partner"), ENVIRONMENTS.items())
def test_an_environment_is_complete_and_points_at_the_host(events: Path, name: str, partner: str) -> None:
    environment = recorded(events / name)
    assert set(environment) == {*READ_SETTINGS, "IntegrationFunction"}
    for function, read_settings in READ_SETTINGS.items():
        assert read_settings(environment[function]).partner == partner
    for function in environment:
        endpoints = [value for key, value in environment[function].items() if key.startswith("AWS_ENDPOINT_URL")]
        assert endpoints
        assert all(endpoint.startswith("http://host.docker.internal:") for endpoint in endpoints)


@pytest.mark.parametrize("name", sorted(STACK_REQUESTS))
def test_a_stack_request_has_the_form_that_cloudformation_documents(events: Path, name: str) -> None:
    event = recorded(events / name)
    documented = {"RequestType", "ServiceToken", "ResponseURL", "StackId", "RequestId", "LogicalResourceId"}
    documented |= {"ResourceType", "ResourceProperties"}
    documented |= {"PhysicalResourceId"} if event["RequestType"] != "Create" else set()
    documented |= {"OldResourceProperties"} if event["RequestType"] == "Update" else set()
    assert set(event) == documented
    assert name == f"integration-{event['RequestType'].lower()}.json"
    assert event["ResponseURL"].startswith("http://host.docker.internal:")


CHANGES = {"RetentionPeriodDays": "731", "Tags": "team=security,cost-center=4711"}


@pytest.mark.parametrize(
    ("name", "member", "parameters"),
    [
        ("integration-create.json", "ResourceProperties", {}),
        ("integration-update.json", "OldResourceProperties", {}),
        ("integration-update.json", "ResourceProperties", CHANGES),
        ("integration-delete.json", "ResourceProperties", CHANGES),
    ],
)
def test_a_stack_request_asks_for_what_the_template_asks_for(
    events: Path, deploy: Callable[..., Template], name: str, member: str, parameters: Mapping[str, str]
) -> None:
    template = deploy(**parameters)
    event = recorded(events / name)
    resource = template.document["Resources"][event["LogicalResourceId"]]
    asked = template.resolve(resource["Properties"])
    assert resource["Type"] == event["ResourceType"]
    assert {**event[member], "ServiceToken": asked["ServiceToken"]} == {
        **asked,
        "ServiceTimeout": str(asked["ServiceTimeout"]),
    }
