"""The answer: once, before the deadline, small enough, and never a word of the URL it goes to."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation, serving_bucket
from tests.integration.conftest import Account

from trailhook.integration.request import Request
from trailhook.integration.response import Answer
from trailhook_local.lake import LakeServer

SECRET = "FakeSignatureOfTheUrl"


@pytest.fixture
def everything_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fails the test when the URL's signature shows up on any logger, at any level, or on any output."""
    caplog.set_level(logging.DEBUG)
    # The function's logger keeps to an output that is closed by now, and logging would quote each line as it says so.
    monkeypatch.setattr(logging, "raiseExceptions", False)
    yield
    # By now caplog's text is that of the teardown. The fields beside a message are members of its record.
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.get_records("call"))
    output = capfd.readouterr()
    assert "'message': 'integration'" in logged
    assert SECRET not in logged + output.out + output.err


@pytest.mark.parametrize("statuses", [[403], [500, 503], [307]])
@pytest.mark.usefixtures("everything_logged")
def test_a_refused_answer_is_given_again(
    stack: CloudFormation, account: Account, github: dict[str, Any], statuses: list[int]
) -> None:
    stack.bucket.statuses = [*statuses]
    assert stack.create(github).succeeded
    assert stack.bucket.attempts == len(statuses) + 1


@pytest.mark.usefixtures("everything_logged")
def test_a_slow_url_is_waited_for_and_answered_once(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    stack.bucket.delay = 1.0
    assert stack.create(github).succeeded
    assert stack.bucket.attempts == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/dead", "", "http://[", "ftp://127.0.0.1/x"])
@pytest.mark.usefixtures("everything_logged")
def test_a_dead_url_ends_before_the_deadline(
    stack: CloudFormation, account: Account, github: dict[str, Any], url: str
) -> None:
    stack.send("Create", github)
    stack.last_event["ResponseURL"] = f"{url}?Signature={SECRET}%3D" if url else ""
    stack.replay(seconds=5)


@pytest.mark.usefixtures("everything_logged")
def test_a_url_that_never_takes_the_answer_ends_before_the_deadline(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    stack.send("Create", github)
    stack.bucket.statuses = [403] * 1000
    stack.replay(seconds=5)
    assert stack.bucket.attempts > 2


@pytest.mark.usefixtures("everything_logged")
def test_a_url_that_answers_byte_by_byte_is_given_up_and_tried_again(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    stack.seconds = 5
    stack.bucket.drips = 1
    assert stack.create(github).succeeded
    assert stack.bucket.attempts == 2
    stack.bucket.drips = 1000
    stack.replay(seconds=5)
    assert stack.bucket.attempts > 2


def test_a_failure_says_where_the_log_is(stack: CloudFormation, account: Account, github: dict[str, Any]) -> None:
    answer = stack.create({**github, "Partner": "nobody"})
    assert answer.reason.endswith("(log: /aws/lambda/trailhook-integration/2026/11/22/[$LATEST]0123456789abcdef)")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("letter", ["x", "é", "\U0001f4be", '"'])
def test_a_long_reason_is_cut_and_the_log_is_still_named(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], letter: str
) -> None:
    lake.lake.faults.set(
        [
            {
                "kind": "error",
                "operations": ["CreateChannel"],
                "code": "InvalidParameterException",
                "message": letter * 9000,
            }
        ]
    )
    answer = stack.create(github)
    assert 3900 < answer.size <= 4096
    assert answer.reason.endswith("0123456789abcdef)")


@pytest.mark.usefixtures("everything_logged")
def test_a_fault_of_our_own_is_answered(stack: CloudFormation, account: Account, github: dict[str, Any]) -> None:
    stack.send("Create", github)
    # No request of CloudFormation's looks like this; what it breaks is our code.
    stack.last_event["ResourceProperties"] = [stack.last_event["ResponseURL"]]
    stack.replay()
    assert stack.bucket.answers[-1].body["Status"] == "FAILED"
    assert "A fault of Trailhook's own" in stack.bucket.answers[-1].reason


@pytest.mark.usefixtures("everything_logged")
def test_a_trace_that_quotes_the_url_is_logged_without_it(
    stack: CloudFormation, lake: LakeServer, github: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    whole = lake.lake.operations["GetEventDataStore"]

    def quote_the_url(request: dict[str, Any]) -> dict[str, Any]:
        return {**whole(request), "RetentionPeriod": stack.last_event["ResponseURL"].partition("?")[2]}

    lake.lake.operations["GetEventDataStore"] = quote_the_url
    answer = stack.send("Create", github)
    assert "A fault of Trailhook's own, ValueError: invalid literal for int()" in answer.reason
    assert SECRET not in answer.reason
    assert "in _wait_until_enabled" in caplog.text


def test_cloudformation_is_answered_before_it_gives_up(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.faults.set([{"kind": "error", "operations": ["CreateChannel"], "code": "ConflictException"}])
    answer = stack.create({**github, "ServiceTimeout": "8"})
    assert not answer.succeeded
    assert answer.seconds < 8


def test_cloudformation_is_answered_while_cloudtrail_answers_byte_by_byte(
    stack: CloudFormation, github: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.seconds = 4
    with serving_bucket() as dripping:
        dripping.drips = 1000
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", dripping.server)
        answer = stack.send("Create", github)
    assert "time was over" in answer.reason
    assert dripping.attempts == 1


@pytest.mark.parametrize("kind", ["", "Read"])
def test_an_unknown_request_is_answered_too(stack: CloudFormation, kind: str) -> None:
    answer = stack.send("Create", {}) if not kind else stack.send(kind, {}, physical_id="x")
    assert not answer.succeeded


def test_no_quotation_of_the_url_survives_in_a_reason() -> None:
    url = f"https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn%3Aaws?X=1&Signature={SECRET}"
    request = Request.from_event({"ResponseURL": url})
    for quotation in (url, url.removeprefix("https://"), f"/arn%3Aaws?X=1&Signature={SECRET}", f"Signature={SECRET}"):
        body = Answer(succeeded=False, physical_id="x", reason=f"Max retries exceeded: {quotation}").to_json(
            request, ""
        )
        assert SECRET.encode() not in body
    assert SECRET not in repr(request) + repr(list(request.__rich_repr__()))
