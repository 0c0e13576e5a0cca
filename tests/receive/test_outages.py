"""When AWS fails, the partner is told to send again within its patience; and rotating the secret needs no gap."""

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.loopback import Answer, Exchange, Service, listening, refusing, serving
from tests.receive.conftest import SECRET, ReceiveFunction
from tests.receive.senders import REQUEST_ID, api_gateway_event, github_headers, standard_webhooks_headers

from trailhook.assembly.receive import closed_seconds, receive_limits, receiver
from trailhook.partner import Options
from trailhook.partners import load_partner
from trailhook.receive import Receiver
from trailhook.webhook_secret import WebhookSecret

BODY = b'{"type":"x"}'
HASTE = {"PATIENCE_SECONDS": "0.5"}
"""So that the tests of what hangs do not wait for long; the rest give a busy machine its time."""


def signed(secret: str = SECRET) -> dict[str, Any]:
    return api_gateway_event(BODY, standard_webhooks_headers(base64.b64decode(secret), BODY))


def assert_asked_to_send_again(function: ReceiveFunction, event: dict[str, Any]) -> None:
    status, body, headers = function(event)
    assert (status, body["request_id"]) == (503, REQUEST_ID)
    assert int(headers["retry-after"]) > 0
    line = function.log_lines()[-1]
    assert (line["level"], line["request_id"]) == ("ERROR", REQUEST_ID)


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address that refuses connections for as long as the test runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def services() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


SERVICES = ["SQS", "SECRETS_MANAGER"]
FAULTS: dict[str, Answer | None] = {
    "hangs": None,
    "fails": refusing(500, "InternalFailure"),
    "throttles": refusing(400, "ThrottlingException"),
    "denies": refusing(400, "AccessDeniedException"),
    "answers nonsense": lambda _: (200, b"<html>"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_cannot_be_reached_is_a_503(function: ReceiveFunction, closed_port: str, service: str) -> None:
    function.configure(**{f"AWS_ENDPOINT_URL_{service}": closed_port})
    assert_asked_to_send_again(function, signed())
    assert function.queued() == []


@pytest.mark.parametrize(
    ("service", "fault"),
    [pytest.param(service, fault, id=f"{service} {name}") for service in SERVICES for name, fault in FAULTS.items()],
)
def test_a_service_that_does_not_do_its_work_is_a_503_after_one_attempt(
    function: ReceiveFunction, services: ExitStack, service: str, fault: Answer | None
) -> None:
    failing = services.enter_context(serving(fault))
    function.configure(**{f"AWS_ENDPOINT_URL_{service}": failing.url}, **(HASTE if fault is None else {}))
    assert_asked_to_send_again(function, signed())
    assert len(failing.requests) == 1


def test_a_delivery_whose_answer_is_lost_is_not_said_to_be_nowhere(
    function: ReceiveFunction, services: ExitStack
) -> None:
    function.configure(AWS_ENDPOINT_URL_SQS=services.enter_context(serving(None)).url, **HASTE)
    assert_asked_to_send_again(function, signed())
    assert function.log_lines()[-1]["refused"].startswith("SQS did not confirm the message: Read timeout")


def test_the_503_ends_with_the_outage(function: ReceiveFunction, services: ExitStack) -> None:
    sqs = services.enter_context(serving(refusing(500, "InternalFailure")))
    function.configure(AWS_ENDPOINT_URL_SQS=sqs.url)
    assert function(signed())[0] == 503
    function.environ.delenv("AWS_ENDPOINT_URL_SQS")
    receiver.cache_clear()
    assert function(signed())[0] == 202
    assert len(function.queued()) == 1


def secrets_manager(**versions: str) -> Answer:
    """Answers GetSecretValue with versions made long ago but for the current one, made just now."""

    def answer(request: Mapping[str, Any]) -> tuple[int, bytes]:
        stage = request["VersionStage"]
        if stage not in versions:
            return refusing(400, "ResourceNotFoundException")(request)
        created = datetime.now(UTC) - timedelta(hours=0 if stage == "AWSCURRENT" else 100)
        return 200, json.dumps({"SecretString": versions[stage], "CreatedDate": created.timestamp()}).encode()

    return answer


def test_the_longest_way_of_all_reads_the_secret_twice_and_sends_once(
    function: ReceiveFunction, services: ExitStack
) -> None:
    """A cold function, two reads of the secret because the former one signed, and an SQS that fails."""
    versions = secrets_manager(AWSCURRENT=base64.b64encode(b"k" * 32).decode(), AWSPREVIOUS=SECRET)
    store = services.enter_context(serving(versions))
    sqs = services.enter_context(serving(refusing(500, "InternalFailure")))
    function.configure(AWS_ENDPOINT_URL_SECRETS_MANAGER=store.url, AWS_ENDPOINT_URL_SQS=sqs.url)
    assert_asked_to_send_again(function, signed())
    assert len(store.requests) == 2
    assert len(sqs.requests) == 1


def test_the_longest_way_of_all_takes_no_longer_than_receives_patience() -> None:
    secret, queue = (
        limits.connect_timeout + limits.read_timeout  # type: ignore[attr-defined] # botocore sets its options late
        for limits in receive_limits(2)
    )
    assert 2 * secret + queue + 3 * closed_seconds(2) == pytest.approx(2)
    assert [limits.retries for limits in receive_limits(2)] == [{"total_max_attempts": 1}] * 2  # type: ignore[attr-defined]


def closing(answer: Answer, requests: list[str], after_seconds: float = 0) -> Callable[[Exchange], None]:
    """Answers once on each connection, keeps it open, and closes it so long after the next request."""

    def respond(exchange: Exchange) -> None:
        document = json.loads(exchange.body())
        used = exchange.protocol_version == "HTTP/1.1"
        requests.append("closed" if used else "answered")
        if used:
            time.sleep(after_seconds)
            exchange.close_connection = True
            return
        exchange.protocol_version = "HTTP/1.1"
        exchange.answer(*answer(document), {"content-type": "application/x-amz-json-1.1"})
        exchange.close_connection = False

    return respond


def test_a_connection_to_sqs_that_was_closed_between_two_deliveries_costs_none(
    function: ReceiveFunction, services: ExitStack
) -> None:
    """GitHub sends nothing again by itself."""
    requests: list[str] = []
    url = services.enter_context(listening(closing(lambda _: (200, b'{"MessageId": "m"}'), requests)))
    function.configure(AWS_ENDPOINT_URL_SQS=url)
    assert [function(signed())[0] for _ in range(3)] == [202, 202, 202]
    assert requests == ["answered", "closed", "answered", "closed", "answered"]


def test_a_connection_to_secrets_manager_that_was_closed_since_costs_no_delivery_under_a_new_secret(
    function: ReceiveFunction, services: ExitStack
) -> None:
    rotated = base64.b64encode(b"another key of thirty-two bytes!").decode()
    versions = {"AWSCURRENT": SECRET}
    requests: list[str] = []

    def answer(request: Mapping[str, Any]) -> tuple[int, bytes]:
        return secrets_manager(**versions)(request)

    store = closing(answer, requests)
    function.configure(AWS_ENDPOINT_URL_SECRETS_MANAGER=services.enter_context(listening(store)))
    assert function(signed())[0] == 202
    versions |= {"AWSCURRENT": rotated, "AWSPREVIOUS": SECRET}
    assert function(signed(rotated))[0] == 202
    assert requests == ["answered", "closed", "answered"]


def test_what_is_closed_late_may_have_been_heard_and_is_not_asked_again(
    function: ReceiveFunction, services: ExitStack
) -> None:
    requests: list[str] = []
    sqs = closing(lambda _: (200, b'{"MessageId": "m"}'), requests, after_seconds=2 * closed_seconds(8))
    function.configure(AWS_ENDPOINT_URL_SQS=services.enter_context(listening(sqs)), PATIENCE_SECONDS="8")
    assert function(signed())[0] == 202
    assert_asked_to_send_again(function, signed())
    assert requests == ["answered", "closed"]


@pytest.fixture
def secret_store(function: ReceiveFunction, services: ExitStack) -> Service:
    """Secrets Manager, of which the function has already read the current version."""
    service = services.enter_context(serving(secrets_manager(AWSCURRENT=SECRET)))
    function.configure(AWS_ENDPOINT_URL_SECRETS_MANAGER=service.url)
    assert function(signed())[0] == 202
    return service


def test_a_warm_function_works_on_while_secrets_manager_is_down(
    function: ReceiveFunction, secret_store: Service
) -> None:
    secret_store.answer = refusing(500, "InternalServiceError")
    assert function(signed())[0] == 202


def test_a_delivery_that_may_be_genuine_is_not_called_forged_while_secrets_manager_is_down(
    function: ReceiveFunction, secret_store: Service
) -> None:
    """Okta sends again after a 503, and never after a 401."""
    secret_store.answer = refusing(500, "InternalServiceError")
    rotated = base64.b64encode(b"another key of thirty-two bytes!").decode()
    assert_asked_to_send_again(function, signed(rotated))
    secret_store.answer = secrets_manager(AWSCURRENT=rotated, AWSPREVIOUS=SECRET)
    assert function(signed(rotated))[0] == 202


def test_requests_read_the_secret_once_while_they_are_genuine(function: ReceiveFunction, secret_store: Service) -> None:
    for _ in range(5):
        assert function(signed())[0] == 202
    assert [request["VersionStage"] for request in secret_store.requests] == ["AWSCURRENT"]


def test_a_rotation_needs_no_gap(function: ReceiveFunction) -> None:
    """The former secret counts within the grace period; the new one from its first delivery on."""
    rotated = base64.b64encode(b"another key of thirty-two bytes!").decode()
    assert function(signed())[0] == 202
    assert function(signed(rotated))[0] == 401
    function.put_secret(rotated)
    assert [function(signed(secret))[0] for secret in (rotated, SECRET, rotated)] == [202, 202, 202]
    third = base64.b64encode(b"a third key, of thirty-two bytes").decode()
    function.put_secret(third)
    assert [function(signed(secret))[0] for secret in (third, rotated, SECRET)] == [202, 202, 401]


def test_without_a_grace_period_the_former_secret_ends_with_the_rotation(function: ReceiveFunction) -> None:
    function.configure(ROTATION_GRACE_HOURS="0")
    rotated = base64.b64encode(b"another key of thirty-two bytes!").decode()
    function.put_secret(rotated)
    assert [function(signed(secret))[0] for secret in (rotated, SECRET)] == [202, 401]


@pytest.mark.parametrize("hours", [23.9, 24.1])
def test_the_former_secret_ends_with_the_grace_period(hours: float) -> None:
    clock, store, sender = MemoryClock(), MemorySecretStore(), MemorySender()
    for value in ("former", "current"):
        store.put(value, at=clock.time)
    clock.time += hours * 3600
    github = Receiver(load_partner("github", Options()), WebhookSecret(store, grace_hours=24, now=clock.now), sender)
    former, current = (
        github.answer(api_gateway_event(BODY, github_headers(secret, BODY))) for secret in ("former", "current")
    )
    assert current.response.status == 202
    assert former.response.status == (202 if hours < 24 else 401)
    assert len(sender.messages) == (2 if hours < 24 else 1)


def test_a_secret_of_the_wrong_kind_refuses_every_request(function: ReceiveFunction) -> None:
    function.secrets_manager.put_secret_value(SecretId=function.secret_arn, SecretBinary=b"binary")
    assert_asked_to_send_again(function, signed())
    function.configure(WEBHOOK_SECRET_ARN=function.secret_arn.replace("secret:", "secret:gone-"))
    assert_asked_to_send_again(function, signed())


def test_a_secret_that_is_a_json_object_is_a_fault_of_ours(function: ReceiveFunction) -> None:
    """As key/value pairs of Secrets Manager's console are."""
    stored = json.dumps({"webhook_secret": SECRET})
    function.put_secret(stored)
    assert function(signed())[0] == 202, "the previous version counts"
    function.put_secret(stored)
    receiver.cache_clear()
    assert_asked_to_send_again(function, signed())
    line = function.log_lines()[-1]
    assert "JSON object" in line["refused"]
    assert "SetWebhookSecretCommand" in line["refused"]
    assert SECRET not in json.dumps(function.log_lines())
    under_the_object = api_gateway_event(BODY, standard_webhooks_headers(stored.encode(), BODY))
    assert function(under_the_object)[0] == 202
    function.put_secret(SECRET)
    assert function(signed())[0] == 202


def test_the_newline_of_the_file_that_a_secret_was_put_from_is_not_part_of_it(function: ReceiveFunction) -> None:
    function.configure(ROTATION_GRACE_HOURS="0")
    function.put_secret(f"{SECRET}\n")
    assert function(signed())[0] == 202


@pytest.mark.parametrize("environ", [{"PARTNER": "nobody"}, {"PARTNER": ""}, {"ROTATION_GRACE_HOURS": "long"}])
def test_a_function_that_is_set_up_wrong_says_which_variable_and_asks_to_send_again(
    function: ReceiveFunction, environ: dict[str, str]
) -> None:
    function.configure(**environ)
    assert_asked_to_send_again(function, signed())
    fault, request = (json.dumps(line) for line in function.log_lines()[-2:])
    assert "SettingsError" in fault
    assert next(iter(environ)) in fault
    assert '"status": 503' in request


def test_an_answer_says_nothing_of_a_fault_of_ours(function: ReceiveFunction) -> None:
    function.configure(PARTNER="nobody")
    assert function(signed())[1] == {"message": "Service unavailable, please send again", "request_id": REQUEST_ID}
