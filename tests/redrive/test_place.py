"""Where to look is read from the stack, in AWS or on this laptop, or named; and named once."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from tests.loopback import Exchange, listening
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.stacks import OF_AWS, answering, cloudformation, keep_status, page, refusing, resources_of

from trailhook_local.place import PlaceError, account_of, region_of

TRAILHOOK = Path(sys.executable).with_name("trailhook")
pytestmark = pytest.mark.stack


def test_queues_and_bucket_are_looked_up_in_the_cloudformation_stack(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    place.queue(delivery("github", b"dead"), dead=True)
    with cloudformation({"audit": resources_of(place)}) as (url, tokens):
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        for what in ("quarantine", "dead-letters"):
            result = place.redrive(what, named=["--stack", "audit", "--region", "us-east-1"])
            assert result.exit_code == 0, result.output
    assert place.waiting() == 2
    assert tokens == ["0", "1", "2", "3"] * 2


@pytest.mark.parametrize(
    ("bucket", "kept_bucket"), [("DELETE_COMPLETE!gone", ""), ("DELETE_FAILED!full", ", full"), ("DELETE_FAILED!", "")]
)
def test_queues_that_nothing_reads_any_more_are_named_and_nothing_is_sent_to_them(
    place: Place, monkeypatch: pytest.MonkeyPatch, bucket: str, kept_bucket: str
) -> None:
    """A stack whose creation failed goes by its name, a deleted one by its id for 90 days."""
    place.queue(delivery("github", b"dead"), dead=True)
    kept = {name: f"DELETE_SKIPPED!{physical_id}" for name, physical_id in resources_of(place).items()}
    with cloudformation({"audit": {**kept, "QuarantineBucket": bucket}}) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        result = place.redrive("dead-letters", named=["--stack", "audit", "--region", "us-east-1"])
    assert result.exit_code == 1
    queues = f"{place.resources.queue_url}, {place.resources.dead_letter_queue_url}"
    assert f"--queue-url and the like. It kept {queues}{kept_bucket}\n" in result.stderr
    assert (place.waiting(), place.waiting(dead=True)) == (0, 1)


@pytest.mark.parametrize(
    ("stack", "message"),
    [
        ("direct", "has no DeliveryQueue"),
        ("failed", "has no DeliveryQueue"),
        ("nothing", "Stack with id nothing does not exist: is that its name, and us-east-1 its Region?"),
        ("proxy", "what answered is not AWS"),
    ],
)
def test_a_stack_that_has_no_queues_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch, stack: str, message: str
) -> None:
    failed = dict.fromkeys(resources_of(place), "CREATE_FAILED!")
    with cloudformation({"direct": {"Integration": "arn:x"}, "failed": failed}) as (url, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        result = place.redrive("quarantine", named=["--stack", stack])
    assert result.exit_code == 1
    assert message in result.stderr
    assert "shown above" not in result.stderr, "nothing was sent yet"
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("service", "what", "named"),
    [
        ("S3", "quarantine", None),
        ("SQS", "dead-letters", None),
        ("CLOUDFORMATION", "quarantine", ["--stack", "audit"]),
    ],
)
def test_a_page_that_is_no_answer_of_aws_is_not_taken_for_an_empty_quarantine(
    place: Place, monkeypatch: pytest.MonkeyPatch, service: str, what: str, named: list[str] | None
) -> None:
    with page() as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        result = place.redrive(what, named=named)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: what answered is not AWS: is AWS_ENDPOINT_URL set")


@pytest.mark.parametrize("header", ["x-amz-request-id", "x-amzn-RequestId"])
def test_an_answer_is_awss_by_a_request_id_of_either_name(
    place: Place, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    """S3's own is the first; the local stack's answers have both."""
    with answering(b"<ListBucketResult/>", {header: "fake"}) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        result = place.redrive("quarantine")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environment", "message"),
    [({}, "name the stack's with --region"), ({"AWS_REGION": "eu-west-1"}, "set them as for the AWS CLI")],
)
def test_what_is_not_configured_is_said(tmp_path: Path, environment: Mapping[str, str], message: str) -> None:
    nothing = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    told = subprocess.run(
        [TRAILHOOK, "redrive", "quarantine", "--stack", "audit"],
        env={**nothing, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 1
    assert message in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("service", "code", "command", "named"),
    [
        ("CLOUDFORMATION", "ExpiredToken", "quarantine", ["--stack", "audit"]),
        ("S3", "InvalidAccessKeyId", "quarantine", None),
        ("SQS", "InvalidClientTokenId", "dead-letters", None),
        ("SQS", "UnrecognizedClientException", "dead-letters", None),
        ("S3", "InvalidToken", "quarantine", None),
    ],
)
def test_a_session_that_is_over_is_said_with_what_to_do(
    place: Place, monkeypatch: pytest.MonkeyPatch, service: str, code: str, command: str, named: list[str] | None
) -> None:
    with refusing(code) as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        result = place.redrive(command, named=named)
    assert result.exit_code == 1
    assert f"An error occurred ({code})" in result.stderr
    assert "its Region?" not in result.stderr
    assert result.stderr.endswith("\nSign in again, and run it again\n")


def test_a_session_that_ends_while_events_are_sent_is_said_with_what_to_do(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    with refusing("ExpiredTokenException") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert "\nSign in again, and run it again\n" in result.stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SignatureDoesNotMatch", "Signature expired: 20261130T080000Z is now earlier than 20261130T081500Z"),
        ("InvalidSignatureException", "Signature not yet current: 20261130T084000Z is still later than"),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
    ],
)
@pytest.mark.parametrize("service", ["CLOUDFORMATION", "SQS"])
def test_a_clock_that_is_wrong_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch, code: str, message: str, service: str
) -> None:
    """*Expired* reads as if one had to sign in again."""
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    with cloudformation({"audit": resources_of(place)}) as (url, _), refusing(code, message) as refused:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", refused)
        result = place.redrive("quarantine", named=["--stack", "audit", "--region", "us-east-1"])
    assert result.exit_code == 1
    assert "\nSet this machine's clock, and run it again\n" in result.stderr


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("/nowhere/vault", "a program or file that supplies the credentials cannot be used ("),
        ("echo sign in first", "what supplies the credentials makes no sense ("),
    ],
)
def test_a_program_for_the_credentials_that_tells_none_is_said(tmp_path: Path, program: str, said: str) -> None:
    config = tmp_path / "config"
    config.write_text(f"[default]\nregion = eu-west-1\ncredential_process = {program}\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_CONFIG_FILE": str(config)}
    for command, status in ((["redrive", "quarantine"], 1), (["status"], 3)):
        told = subprocess.run(
            [TRAILHOOK, *command, "--stack", "audit"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (told.returncode, told.stdout) == (status, "")
        assert told.stderr.startswith(f"Error: {said}")
        assert "look at credential_process" in told.stderr
        assert "in the profile of your AWS configuration" in told.stderr


def test_a_token_that_is_not_there_is_no_program(tmp_path: Path) -> None:
    """As in a job whose token was not mounted."""
    token = tmp_path / "token"
    role = {"AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/audit", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    told = subprocess.run(
        [TRAILHOOK, "status", "--stack", "audit", "--region", "eu-west-1"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **role},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (told.returncode, told.stdout) == (3, "")
    assert f"cannot be used ([Errno 2] No such file or directory: '{token}')" in told.stderr
    assert "and at AWS_…_TOKEN_FILE in the environment" in told.stderr


ROLE = """
[profile role]
region = us-east-1
role_arn = arn:aws:iam::111122223333:role/audit
source_profile = own
[profile own]
aws_access_key_id = fake
aws_secret_access_key = fake
"""


@pytest.mark.parametrize(
    ("more", "environment", "said"),
    [
        ("", {"HTTPS_PROXY": "http://127.0.0.1:9"}, "Failed to connect to proxy URL"),
        ("", {"AWS_MAX_ATTEMPTS": "nonsense"}, "at AWS_ENDPOINT_URL, whether AWS_MAX_ATTEMPTS and"),
        ("", {"AWS_METADATA_SERVICE_TIMEOUT": "nonsense"}, "and AWS_METADATA_SERVICE_… are numbers, and"),
        ("mfa_serial = arn:aws:iam::111122223333:mfa/mona\n", {}, "a code that nobody is here to type"),
    ],
    ids=["proxy", "setting", "metadata", "code"],
)
def test_a_role_that_cannot_be_assumed_is_said(
    tmp_path: Path, more: str, environment: Mapping[str, str], said: str
) -> None:
    config = tmp_path / "config"
    plain = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    config.write_text(ROLE.replace("[profile role]\n", f"[profile role]\n{more}"))
    told = subprocess.run(
        [TRAILHOOK, "redrive", "quarantine", "--stack", "audit"],
        env={**plain, "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "role", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 1
    [error] = [line for line in told.stderr.splitlines() if "Error: " in line]
    assert said in error
    assert "program" not in error
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("command", [["dead-letters"], ["dead-letters", "--one-by-one"]], ids=" ".join)
def test_an_answer_of_aws_that_nobody_foresaw_is_said_without_a_traceback(
    place: Place, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    with answering(b"{}") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        result = place.redrive(*command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.match(
        r"Error: this was not foreseen \(KeyError at [a-z_]+.py:\d+\): run it again; if it happens again, "
        r"please report it\n$",
        result.stderr,
    )


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("AWS_ENDPOINT_URL_CLOUDFORMATION", "Invalid endpoint: nonsense: in the environment or the profile, "),
        ("AWS_MAX_ATTEMPTS", "'nonsense': in the environment or the profile, "),
    ],
)
def test_a_setting_that_is_none_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str, said: str
) -> None:
    monkeypatch.setenv(variable, "nonsense")
    result = place.redrive("quarantine", named=["--stack", "audit"])
    assert result.exit_code == 1
    ask = "is AWS_ENDPOINT_URL a whole URL, like https://…, and AWS_MAX_ATTEMPTS a number?\n"
    assert result.stderr.endswith(f"{said}{ask}")


def test_a_region_that_is_none_is_said(place: Place) -> None:
    result = place.redrive("quarantine", named=["--stack", "audit", "--region", "bad region"])
    assert result.exit_code == 1
    assert "region_name 'bad region' doesn't match" in result.stderr
    assert "AWS_ENDPOINT_URL" not in result.stderr


def test_an_integration_that_runs_on_this_laptop_goes_by_its_name(place: Place, tmp_path: Path) -> None:
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    keep_status(place, tmp_path)
    named = ["--local", "github", "--state", str(tmp_path)]
    assert "1 of 1 quarantined events sent" in place.redrive("quarantine", named=named).stdout
    assert place.waiting() == 1
    elsewhere = place.redrive("quarantine", named=["--local", "okta", "--state", str(tmp_path)])
    assert (elsewhere.exit_code, "there is: github" in elsewhere.stderr) == (1, True)
    nowhere = place.redrive("quarantine", named=["--local", "okta", "--state", str(tmp_path / "none")])
    assert (nowhere.exit_code, "no stack runs" in nowhere.stderr) == (1, True)


@pytest.mark.parametrize(
    "command",
    [
        ["query", "SELECT count(*) FROM EDS"],
        ["redrive", "quarantine", "--local", "github"],
        ["redrive", "dead-letters", "--local", "github"],
    ],
    ids=["query", "quarantine", "dead-letters"],
)
def test_a_server_of_this_laptop_that_has_ended_is_started_again(
    place: Place, tmp_path: Path, command: list[str]
) -> None:
    down = "http://127.0.0.1:9"
    keep_status(replace(place, endpoints=replace(place.endpoints, aws=down, cloudtrail=down)), tmp_path)
    result = place.run(*command, "--state", str(tmp_path))
    assert result.exit_code == 1
    assert f'Could not connect to the endpoint URL: "{down}' in result.stderr
    assert "look at the logs of `trailhook serve`, and start it again\n" in result.stderr


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ([], "name one place"),
        (["--stack", "a", "--local", "b"], "name one place"),
        (["--stack", "a", "--queue-url", "q"], "name one place"),
        (["--queue-url", "q"], "--bucket is missing"),
        (["--bucket", "b"], "--queue-url is missing"),
        (["--queue-url", "q", "--bucket", "b", "--line", "2"], "--line needs --key"),
        (["--queue-url", "q", "--bucket", "b", "--since", "yesterday"], "not a moment"),
        (
            ["--queue-url", "q", "--bucket", "b", "--since", "2026-11-25", "--until", "2026-11-25"],
            "--since is not before --until",
        ),
        (["--local", "github", "--region", "eu-west-1"], "--region does not go with --local"),
        (["--stack", "a", "--state", "folder"], "--state goes with --local only"),
        (["--queue-url", "q", "--bucket", "b", "--state", "folder"], "--state goes with --local only"),
    ],
)
def test_a_place_is_named_once_and_completely(place: Place, named: list[str], message: str) -> None:
    result = place.redrive("quarantine", named=named)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("queue_url", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/111122223333/q", "eu-central-1"),
        ("https://sqs.us-gov-west-1.amazonaws.com/111122223333/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", "cn-north-1"),
        ("https://sqs.eusc-de-east-1.amazonaws.eu/111122223333/q", "eusc-de-east-1"),
        ("http://127.0.0.1:4566/111122223333/q", None),
        ("https://sqs.eu-central-1.amazonaws.com.example.com/111122223333/q", None),
        ("", None),
    ],
)
def test_a_queues_url_says_its_region(queue_url: str, region: str | None) -> None:
    assert region_of(queue_url) == region


def test_a_queues_url_says_whose_its_bucket_is() -> None:
    for url in ("https://sqs.eu-central-1.amazonaws.com/111122223333/q", "http://127.0.0.1:4566/111122223333/q"):
        assert account_of(url) == "111122223333"
    for url in ("", "q", "https://sqs.eu-central-1.amazonaws.com/", "https://queue.example.com/q"):
        with pytest.raises(PlaceError, match="no queue's URL"):
            account_of(url)


def test_the_region_in_a_queues_url_goes_before_the_one_in_the_environment(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator's shell may name another, where queue and bucket are not found."""
    signed: list[str] = []

    def respond(exchange: Exchange) -> None:
        signed.append(exchange.headers["authorization"])
        exchange.answer(403, b"<Error><Code>AccessDenied</Code></Error>", OF_AWS)

    with listening(respond) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        queue = "https://sqs.eu-central-1.amazonaws.com/111122223333/q"
        assert place.redrive("quarantine", named=["--bucket", "b", "--queue-url", queue]).exit_code == 1
    assert place.endpoints.region == "us-east-1"
    assert "/eu-central-1/s3/" in signed[0]


def test_the_way_back_needs_no_region_beside_the_queues_url() -> None:
    environ = {"PATH": "/usr/bin:/bin", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_CONFIG_FILE": "/nowhere"}
    keys = {"AWS_ACCESS_KEY_ID": "fake", "AWS_SECRET_ACCESS_KEY": "fake", "AWS_MAX_ATTEMPTS": "1"}
    command = [str(TRAILHOOK), "redrive", "quarantine", "--bucket", "b", "--queue-url"]
    told = {}
    for host in ("sqs.eu-central-1.amazonaws.com", "queue.example.com"):
        url = f"https://{host}/111122223333/q"
        done = subprocess.run([*command, url], env=environ | keys, capture_output=True, text=True, check=False)
        told[host] = done.stderr
    assert "Could not connect" in told["sqs.eu-central-1.amazonaws.com"]
    assert "no Region is configured" in told["queue.example.com"]
