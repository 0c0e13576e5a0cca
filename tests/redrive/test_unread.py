"""What of a stack `trailhook status` cannot read is said, with what to do, and keeps nothing else back."""

import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from click.testing import CliRunner
from tests.loopback import Exchange, listening
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.stacks import answering, cloudformation, keep_status, page, refusing, resources_of
from tests.redrive.watched import Watched, watch

from trailhook_local import patience
from trailhook_local.cli.main import main
from trailhook_local.place import Place as Stack
from trailhook_local.status import overview

pytestmark = pytest.mark.stack


OR_A_STRANGERS = "; if that is allowed, the bucket is another account's (docs/operations.md, At a glance)"


@pytest.fixture
def watched(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    with watch(place, monkeypatch) as stack:
        yield stack


@pytest.mark.parametrize(("code", "said"), [("InternalError", None), ("Forbidden", None), ("Complete", 3)])
def test_what_cloudwatch_cannot_say_is_not_taken_for_nothing(place: Place, code: str, said: int | None) -> None:
    kept = place.resources
    dimensions = [{"Name": "Partner", "Value": "github"}, {"Name": "service", "Value": "audit"}]
    ages: dict[str, Any] = {"Id": "m1", "StatusCode": code, "Values": [7.0], "Timestamps": [datetime.now(UTC)]}
    sums = {"Id": "m0", "StatusCode": code, "Values": [1.0, 2.0], "Timestamps": [datetime.now(UTC)] * 2}
    # One client after another asks for the ages, the day, and no alarms.
    oldest, day, alarms = (place.endpoints.client("cloudwatch") for _ in range(3))
    clients = iter((oldest, day, alarms))
    with Stubber(oldest) as told_ages, Stubber(day) as told_day:
        told_ages.add_response("get_metric_data", {"MetricDataResults": [ages]})
        told_day.add_response("list_metrics", {"Metrics": [{"Dimensions": dimensions}]})
        for _ in ("sums", "waiting"):
            told_day.add_response("get_metric_data", {"MetricDataResults": [sums]})
        told = overview.look(
            Stack(
                lambda service: next(clients) if service == "cloudwatch" else place.endpoints.client(service),
                kept.queue_url,
                kept.dead_letter_queue_url,
                kept.bucket,
                "audit",
            )
        )
    assert (told.day and told.day.counted["DeliveriesQueued"]) == said
    assert (told.oldest and told.oldest.dead_letters) == (7 if said else None)
    unread = [] if said else ["oldest", "24 hours"]
    assert [(one.part, one.reason) for one in told.unread] == [(part, f"CloudWatch answered {code}") for part in unread]


@pytest.mark.parametrize(
    ("service", "code", "named"),
    [
        (
            "SQS",
            "AccessDeniedException",
            {"deliveries": "sqs:GetQueueAttributes", "dead letters": "sqs:GetQueueAttributes"},
        ),
        ("S3", "AccessDenied", {"quarantine": "s3:ListBucket"}),
        (
            "LAMBDA",
            "AccessDeniedException",
            {"trigger": "lambda:GetEventSourceMapping", "forward": "lambda:GetFunctionConcurrency"},
        ),
        ("SNS", "AuthorizationError", {"topic": "sns:ListSubscriptionsByTopic"}),
    ],
    ids=["SQS", "S3", "LAMBDA", "SNS"],
)
def test_a_part_that_cannot_be_read_keeps_none_of_the_others_back(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, service: str, code: str, named: Mapping[str, str]
) -> None:
    """Each service has a code of its own for what the caller is not allowed."""
    calm = watched.status().stdout.splitlines()
    with refusing(code) as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        result = watched.status()
        told = json.loads(watched.status("--json").stdout)
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0] == f"not known: {', '.join(named)} could not be read; nothing else needs attention"
    for part, action in named.items():
        at = next(number for number, line in enumerate(lines) if line.startswith(f"{part:<14}not read: "))
        assert code in lines[at]
        more = OR_A_STRANGERS if service == "S3" else ""
        assert lines[at + 1].strip() == f"allow {action}: see docs/operations.md, The command line{more}"
    assert [line for line in calm[1:] if not line.startswith(tuple(named))] == [
        line for line in lines[1:] if "not read: " not in line and not line.strip().startswith("allow ")
    ]
    assert (told["calm"], told["asks"], [one["part"] for one in told["unread"]]) == (None, [], list(named))


def test_a_service_that_cannot_even_be_asked_keeps_none_of_the_others_back(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.place.queue(delivery("github", b"dead"), dead=True)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", "no-url")
    result = watched.status()
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "needs attention: dead letters (not read: topic)")
    assert "topic         not read: Invalid endpoint: no-url" in result.stdout


@pytest.mark.usefixtures("taken_over")
def test_what_stands_in_a_strangers_bucket_of_the_same_name_is_not_counted(watched: Watched) -> None:
    """An empty one would say that nothing is in quarantine. S3 says the same of it as where a permission is missing."""
    result = watched.status()
    assert (result.exit_code, result.stdout.partition(";")[0]) == (3, "not known: quarantine could not be read")
    assert OR_A_STRANGERS in result.stdout


def test_a_missing_permission_is_named_as_that_of_the_call_that_was_refused(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.place.queue(delivery("github", b"dead"), dead=True)
    with refusing("AccessDenied") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", url)
        result = watched.status()
    # What can be read needs attention, whatever the rest would say.
    assert result.exit_code == 1
    assert "needs attention: dead letters (not read: oldest, 24 hours, alarms)\n" in result.stdout
    for action in ("cloudwatch:DescribeAlarms", "cloudwatch:ListMetrics"):
        assert f"              allow {action}: see docs/operations.md, The command line\n" in result.stdout


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ExpiredTokenException", "sign in again, and run it again"),
        ("RequestTimeTooSkewed", "set this machine's clock, and run it again"),
        ("InternalError", "run it again; if it happens again, look at AWS Health and at this machine's network"),
    ],
)
def test_what_is_no_matter_of_permissions_has_advice_of_its_own(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, code: str, advice: str
) -> None:
    with refusing(code) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", url)
        result = watched.status()
    assert result.exit_code == 3
    assert f"              {advice}\n" in result.stdout


@pytest.mark.parametrize(
    ("service", "named"),
    [
        ("SQS", ["deliveries", "dead letters"]),
        ("S3", ["quarantine"]),
        ("LAMBDA", ["trigger", "forward"]),
        ("SNS", ["topic"]),
        ("CLOUDWATCH", ["oldest", "24 hours", "alarms"]),
    ],
)
def test_what_is_no_answer_of_aws_is_not_taken_for_nothing(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, service: str, named: list[str]
) -> None:
    with page() as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        result = watched.status()
    assert result.exit_code == 3
    for part in named:
        assert f"{part:<14}not read: what answered is not AWS" in result.stdout


@pytest.mark.parametrize(
    ("service", "named"),
    [
        ("SQS", ["deliveries", "dead letters"]),
        ("LAMBDA", ["trigger"]),
        ("CLOUDWATCH", ["oldest", "24 hours", "alarms"]),
    ],
)
def test_an_answer_that_nobody_foresaw_keeps_none_of_the_others_back_and_is_no_call(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, service: str, named: list[str]
) -> None:
    with answering(b"{}") as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        result = watched.status()
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[0] == f"not known: {', '.join(named)} could not be read; nothing else needs attention"
    for part in named:
        at = next(number for number, line in enumerate(lines) if line.startswith(f"{part:<14}not read: "))
        assert re.search(r"its answer makes no sense \(KeyError at [a-z_]+\.py:[0-9]+\)$", lines[at])
        assert lines[at + 1].strip() == "run it again; if it happens again, please report it"


def test_a_stack_that_is_told_as_nobody_foresaw_is_said_and_is_no_call(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(b"<ListStackResourcesResponse/>") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        result = watched.status()
    assert (result.exit_code, result.stdout) == (3, "")
    assert re.match(
        r"Error: this was not foreseen \(KeyError at parsers\.py:\d+, called from place\.py:\d+\): run it again; if it "
        r"happens again, please report it\n$",
        result.stderr,
    )


def test_a_part_that_somebody_deleted_asks_for_somebody(watched: Watched) -> None:
    """Nobody has to be allowed anything: it is not there."""
    watched.place.s3.delete_bucket(Bucket=watched.place.resources.bucket)
    watched.place.sqs.delete_queue(QueueUrl=watched.place.resources.dead_letter_queue_url)
    result = watched.status()
    assert result.exit_code == 1
    assert "needs attention: dead-letter queue gone, quarantine bucket gone\n" in result.stdout
    assert result.stdout.count("somebody deleted it: make it again as template.yaml has it, or move") == 2


def test_a_server_that_is_down_is_one_of_this_laptop(place: Place, tmp_path: Path) -> None:
    down = replace(place.endpoints, aws="http://127.0.0.1:9")
    keep_status(replace(place, endpoints=down), tmp_path)
    result = place.run("status", "--local", "github", "--state", str(tmp_path))
    assert result.exit_code == 3
    assert "not known: deliveries, dead letters, oldest, quarantine could not be read" in result.stdout
    assert result.stdout.count("look at the logs of `trailhook serve`, and start it again") == 4


def test_a_service_that_does_not_answer_is_waited_for_no_longer_than_somebody_waits(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SECONDS", 6)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for service in ("LAMBDA", "SNS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        began = time.monotonic()
        result = watched.status()
        took = time.monotonic() - began
    assert result.exit_code == 3
    assert "not known: trigger, forward, topic could not be read; nothing else needs attention\n" in result.stdout
    advice = "run it again; if it happens again, look at AWS Health and at this machine's network"
    assert f"topic         not read: no answer within 6 seconds\n              {advice}\n" in result.stdout
    # Together, where one after the other would take twice as long.
    assert took < 12


def test_a_cloudformation_that_does_not_answer_is_waited_for_no_longer_either(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        result = watched.status()
        took = time.monotonic() - began
    assert (result.exit_code, result.stdout) == (3, "")
    assert "CloudFormation did not answer within 1 seconds: look at AWS Health" in result.stderr
    # One try of boto3's would wait for twenty.
    assert took < 12


def test_to_sign_in_may_take_longer(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have to look for a code. It is asked for while a role is assumed."""
    profiles = "[profile audit]\nrole_arn = arn:aws:iam::111122223333:role/audit\nsource_profile = own\n[profile own]\n"
    config = tmp_path / "config"
    config.write_text(profiles + "aws_access_key_id = fake\naws_secret_access_key = fake\n")

    def answer(exchange: Exchange) -> None:
        exchange.body()
        # Whatever was waited for until now is late.
        monkeypatch.setattr(patience, "SECONDS", 60)
        expires = datetime.now(UTC) + timedelta(hours=1)
        body = (
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>fake</AccessKeyId>"
            "<SecretAccessKey>fake</SecretAccessKey><SessionToken>fake</SessionToken>"
            f"<Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )
        exchange.answer(200, body.encode(), {"content-type": "text/xml"})

    monkeypatch.setattr(patience, "SECONDS", 0)
    with cloudformation({"audit": resources_of(place)}) as (url, _), listening(answer) as sts:
        environment: dict[str, str | None] = {
            **place.endpoints.environment(),
            "AWS_ENDPOINT_URL_CLOUDFORMATION": url,
            "AWS_ENDPOINT_URL_STS": sts,
            "AWS_CONFIG_FILE": str(config),
            "AWS_PROFILE": "audit",
            "AWS_ACCESS_KEY_ID": None,
            "AWS_SECRET_ACCESS_KEY": None,
        }
        # A Region of its own, for a session and its credentials are kept.
        command = ["status", "--stack", "audit", "--region", "eu-north-1"]
        result = CliRunner().invoke(main, command, env=environment)
    # That moto's queues are in another Region is another matter.
    assert (result.stderr, "alarms        0 of 0 ring\n" in result.stdout) == ("", True)


def test_where_nothing_can_be_asked_the_status_is_neither_calm_nor_a_call(watched: Watched) -> None:
    watched.name = "no-such-stack"
    result = watched.status()
    assert (result.exit_code, result.stdout) == (3, "")
    assert "no-such-stack does not exist" in result.stderr
