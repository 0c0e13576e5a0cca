"""Reading the quarantine: what cannot be read is named, and keeps nothing else back; what is large takes no memory."""

import json
import os
import tempfile
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.loopback import Exchange, listening
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.quarantined import FailingQueue, deny, entry, github, quarantine, redrive

from trailhook.errors import QuarantineError
from trailhook_local.redrive.bucket import IN_MEMORY_BYTES
from trailhook_local.redrive.quarantine import Fate

pytestmark = pytest.mark.stack

DAMAGE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another version": lambda line: line | {"version": 2},
    "a member missing": lambda line: {name: member for name, member in line.items() if name != "headers"},
    "not base64": lambda line: line | {"encoding": "base64", "body": "%"},
    "an encoding nobody knows": lambda line: line | {"encoding": "zip"},
    "a header that is no text": lambda line: line | {"headers": {"x-github-event": 1}},
    "a time that is none": lambda line: line | {"received_at": "soon"},
    "a time after all years": lambda line: line | {"received_at": 10**18},
    "a reason that is none": lambda line: line | {"reason": None},
    "a code that is no text": lambda line: line | {"code": ["MissingField"]},
    "an id that is no text": lambda line: line | {"uid": 7},
    "a word for true": lambda line: line | {"element": "true"},
    "signed by a word": lambda line: line | {"signed": "x-github-event"},
    "more than a message takes": lambda line: line | {"encoding": "utf-8", "body": os.urandom(1_200_000).hex()},
    "not a line": lambda _line: [1],
}


def test_lines_that_cannot_be_read_are_named_and_the_others_go_back(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    [key], [line] = place.keys("quarantine"), place.lines()
    content = "".join(f"{json.dumps(one)}\n" for one in [*(damage(line) for damage in DAMAGE.values()), line])
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=content.encode())
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    for number in range(1, len(DAMAGE) + 1):
        assert f"{key}, line {number}: " in result.stderr
    assert f"1 of {len(DAMAGE) + 1} quarantined events sent" in result.stdout
    assert [message["body"] for message in place.take(place.resources.queue_url)] != []


def test_of_many_lines_that_cannot_be_read_it_is_said_how_many_are_not_named(place: Place) -> None:
    key = "quarantine/github/2023/11/14/damaged.ndjson"
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=b"{}\n" * 23)
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert result.stderr.count(f"{key}, line ") == 20
    assert result.stderr.endswith("\n… and 3 more\n")


def test_what_stands_in_the_bucket_cannot_steer_the_terminal(place: Place) -> None:
    """Whoever may write there alone must not reach the operator who runs the command."""
    quarantine(place, github(entry(1, action=None)))
    steering = "\x1b]52;c;AAAA\x07\x9b2J\u202e"
    [line] = place.lines()
    content = "".join(f"{json.dumps(line | {name: value})}\n" for name, value in (("code", steering), (steering, 1)))
    content += json.dumps(line | {"encoding": steering}) + "\n" + json.dumps(line | {"version": steering})
    key = f"quarantine/github/2023/11/14/{steering}.ndjson"
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=content.encode())
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert "line 4: " in result.stderr
    assert all(character.isprintable() for character in result.output.replace("\n", ""))


def test_an_object_that_s3_does_not_hand_out_keeps_none_of_the_others_back(place: Place) -> None:
    """One that a lifecycle archived, or that somebody wrote under a key of their own."""
    quarantine(place, github(entry(1, action=None)), delivery("okta", b"not JSON"))
    key = "quarantine/github/2023/11/14/archived.ndjson"
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=b"{}\n", StorageClass="GLACIER")
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert f"{key}: " in result.stderr
    assert "InvalidObjectState" in result.stderr
    assert "2 of 3 quarantined events sent" in result.stdout
    assert place.waiting() == 2


@pytest.mark.parametrize("code", ["NoSuchKey", "InvalidRequest"], ids=["gone since it was listed", "under another key"])
def test_what_s3_says_of_one_object_alone_keeps_none_of_the_others_back_either(place: Place, code: str) -> None:
    quarantine(place, github(entry(1, action=None)), delivery("okta", b"not JSON"))

    class Refusing:
        """S3, which does not hand out Okta's object."""

        def get_object(self, **request: Any) -> Any:
            if "okta" in request["Key"]:
                raise ClientError({"Error": {"Code": code}}, "GetObject")
            return place.s3.get_object(**request)

        def __getattr__(self, name: str) -> Any:
            return getattr(place.s3, name)

    fates = redrive(Refusing(), place, FailingQueue(9, SystemExit()))
    assert fates == {Fate.SENT: 1, Fate.UNREADABLE: 1}


def test_an_operator_who_may_read_none_of_them_is_told_so_and_not_that_they_cannot_be_read(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    deny(place, "s3:GetObject", "quarantine/*")
    result = place.redrive("quarantine")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: An error occurred (")
    assert "GetObject" in result.stderr


def test_an_object_takes_no_more_memory_the_larger_it_is(place: Place) -> None:
    """Somebody may have joined a year of them."""
    quarantine(place, github(entry(1, action=None)))
    [key], [line] = place.keys("quarantine"), place.lines()
    text = json.dumps(line | {"body": json.dumps({"pad": "x" * 500_000})}).encode()
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=b"\n".join([text] * 128))
    tracemalloc.start()
    try:
        fates = redrive(place.s3, place, FailingQueue(0, SystemExit()), dry_run=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fates == {Fate.SENT: 1, Fate.EQUAL: 127}
    assert peak < len(text) * 64


def test_a_full_disk_for_temporary_files_is_said_with_the_way_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine(place, github(entry(1, action=None)))
    [key] = place.keys("quarantine")
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=b"x" * (IN_MEMORY_BYTES + 1))
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/full")
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert f"{key} does not fit into /dev/null/full" in result.stderr
    assert "TMPDIR" in result.stderr


def test_an_object_that_s3_stops_sending_is_not_taken_for_a_full_disk(place: Place) -> None:
    over = threading.Event()

    def respond(exchange: Exchange) -> None:
        if "list-type" in exchange.path:
            listed = "" if "redriven" in exchange.path else "<Contents><Key>quarantine/a</Key></Contents>"
            exchange.answer(200, f"<ListBucketResult>{listed}</ListBucketResult>".encode())
            return
        exchange.send_response(200)
        exchange.send_header("content-length", "1000")
        exchange.send_header("x-amz-version-id", "1")
        exchange.end_headers()
        exchange.wfile.write(b"half of")
        exchange.wfile.flush()
        over.wait(10)

    with listening(respond) as url:
        config = Config(read_timeout=0.5, s3={"addressing_style": "path"})
        session = boto3.Session("id", "key", region_name="us-east-1")
        s3 = session.client("s3", endpoint_url=url, config=config)
        try:
            with pytest.raises(QuarantineError, match="S3 did not send all of quarantine/a: Read timeout"):
                redrive(s3, place, FailingQueue(0, SystemExit()), dry_run=True)
        finally:
            over.set()
