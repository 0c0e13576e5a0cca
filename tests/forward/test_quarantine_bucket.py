"""A 200 of S3 that does not name what it keeps is no confirmation: what is acknowledged then would be nowhere."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import boto3
import pytest
from botocore.config import Config
from tests.loopback import Exchange, listening

from trailhook.errors import QuarantineError
from trailhook.quarantine_bucket import QuarantineBucket


@contextmanager
def answering(status: int, headers: Mapping[str, str], body: bytes) -> Iterator[QuarantineBucket]:
    """A bucket whose every request is answered like this."""

    def respond(exchange: Exchange) -> None:
        exchange.body()
        exchange.answer(status, body, headers)

    session = boto3.Session(aws_access_key_id="fake", aws_secret_access_key="fake", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    with listening(respond) as url, closing(session.client("s3", endpoint_url=url, config=once)) as client:
        yield QuarantineBucket(lambda: client, "a-bucket", "https://sqs.example/queue")


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"content-type": "text/html"}, b"<html><body>Sign in</body></html>"),
        (200, {}, b""),
        (200, {"etag": ""}, b""),
        (202, {}, b"{}"),
        (204, {}, b""),
    ],
)
def test_an_answer_without_an_etag_is_no_confirmation(status: int, headers: Mapping[str, str], body: bytes) -> None:
    with answering(status, headers, body) as bucket, pytest.raises(QuarantineError, match="a-bucket"):
        bucket.keep("quarantine/github/a.ndjson", b"{}\n")


def test_a_line_whose_answer_is_a_failure_is_not_said_to_be_nowhere() -> None:
    with (
        answering(500, {}, b"") as bucket,
        pytest.raises(QuarantineError, match=r"^S3 did not confirm s3://a-bucket/q"),
    ):
        bucket.keep("quarantine/github/a.ndjson", b"{}\n")


def test_an_etag_is_one() -> None:
    with answering(200, {"etag": '"d41d8cd98f00b204e9800998ecf8427e"'}, b"") as bucket:
        bucket.keep("quarantine/github/a.ndjson", b"{}\n")
