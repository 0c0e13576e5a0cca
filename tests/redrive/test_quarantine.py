"""Quarantined events go back once each, as the events they were, whatever happens on the way."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace
from tests.forward.ports import event_data
from tests.partners.cases import cases, delivery
from tests.redrive.conftest import Place
from tests.redrive.faults import faulty
from tests.redrive.quarantined import FailingQueue, deny, entry, github, quarantine, redrive

from trailhook.errors import QuarantineError, QueueError
from trailhook.quarantine import QuarantinedEvent
from trailhook_local.redrive.bucket import Bucket, Line

pytestmark = pytest.mark.stack
DAY = 86_400_000
CASES = {case.name: case for case in cases()}
MENDED = [
    "atlassian/organisation-audit",
    "auth0/login.array",
    "custom/put-audit-events",
    "custom/webhook.array",
    "github/audit-log.array-with-a-bad-entry",
    "okta/event-hook.two-events-one-malformed",
    "pagerduty/webhook.beside-the-event",
    "zoom/operation-report",
]


def delivered(place: Place) -> list[str]:
    return [entry.id for entry in place.destination.taken]


@pytest.mark.usefixtures("taken_over")
def test_what_stands_in_a_strangers_bucket_of_the_same_name_is_never_sent(place: Place) -> None:
    """A bucket's name is anybody's once it is deleted, and a line is believed to have been proven."""
    forged = QuarantinedEvent(github(entry(1)), "X", "forged", github(entry(1)).body)
    key = "quarantine/github/2026/01/01/a.ndjson"
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=forged.to_line(""))
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert "AccessDenied" in result.stderr
    assert place.waiting() == 0
    bucket, line = Bucket(place.s3, place.resources.bucket, "123456789012"), Line(key, "v", 1, forged)
    for call in (
        lambda: list(bucket.keys("quarantine/")),
        lambda: list(bucket.lines(key)),
        lambda: [bucket.note(line, forged, again=False)],
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_events_that_a_mended_mapping_takes_are_those_of_the_golden_files(place: Place) -> None:
    golden: dict[str, Any] = {}
    for name in MENDED:
        case = CASES[name]
        ends = json.loads(case.expected_path.read_text(encoding="utf-8"))
        golden |= {end["id"]: end["eventData"] for end in ends if "id" in end}
        place.queue(case.delivery())
        place.forward(faulty(case.partner))
    assert place.destination.taken == []
    quarantined = len(place.lines())
    assert place.redrive("quarantine").exit_code == 0
    assert place.waiting() == quarantined
    assert place.forward()["delivered"] == len(golden) > len(MENDED)
    assert {entry.id: json.loads(event_data(entry)) for entry in place.destination.taken} == golden


@pytest.mark.parametrize("body", [b"\xff not UTF-8", b"not JSON", b"\x1f\x8b not gzip", b'[{"a":1}, \xff]'])
def test_a_delivery_that_could_not_be_taken_apart_goes_back_whole(place: Place, body: bytes) -> None:
    sent = replace(delivery("github", body, {"x-github-delivery": "guid"}), id="guid")
    quarantine(place, sent)
    assert place.redrive("quarantine").exit_code == 0
    place.forward()
    [first] = place.lines()
    assert QuarantinedEvent.from_line(json.dumps(first).encode()).delivery == sent


def test_what_was_sent_is_not_sent_again_and_the_evidence_stays(place: Place) -> None:
    quarantine(place, github(entry(1, actor=None, action=None), entry(2, action=None)))
    before = place.lines()
    first, second = place.redrive("quarantine"), place.redrive("quarantine")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "2 of 2 quarantined events sent" in first.stdout
    assert "0 of 2 quarantined events sent" in second.stdout
    assert "sent before" in second.stdout
    assert place.waiting() == 2
    assert place.lines() == before
    assert "2 of 2" in place.redrive("quarantine", "--again").stdout


def test_the_note_of_a_line_that_was_sent_is_named_after_it_and_says_which_event_it_was(place: Place) -> None:
    """Who asks later what became of the evidence finds it there; and other versions of the command know the name."""
    quarantine(place, github(entry(1, action=None), entry(2, action=None)))
    [key] = place.keys("quarantine")
    version = place.s3.head_object(Bucket=place.resources.bucket, Key=key)["VersionId"]
    begins = datetime.now(UTC).replace(microsecond=0)
    assert place.redrive("quarantine").exit_code == 0
    notes = place.keys("redriven")
    assert notes == [f"redriven/{key.removeprefix('quarantine/')}/{version}/{line}.json" for line in (1, 2)]
    note = json.loads(place.s3.get_object(Bucket=place.resources.bucket, Key=notes[1])["Body"].read())
    assert begins <= datetime.fromisoformat(note.pop("sent_at")) <= datetime.now(UTC)
    assert note == {"key": key, "version": version, "line": 2, "uid": "doc-2", "code": "MissingField"}


def test_an_event_that_is_refused_again_waits_for_the_next_time(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    for _ in range(2):
        assert "1 of 1 quarantined events sent" in place.redrive("quarantine").stdout
        assert place.forward() == {"quarantined": 1}
        assert len(place.lines()) == 1


def test_a_dry_run_counts_by_partner_and_code_and_sends_nothing(place: Place) -> None:
    quarantine(place, github(entry(1, action=None), entry(2, action=None)), delivery("okta", b"not JSON"))
    shown = place.redrive("quarantine", "--dry-run")
    assert shown.exit_code == 0
    assert [line.split() for line in shown.stdout.splitlines() if "MissingField" in line] == [
        ["│", "github", "│", "MissingField", "│", "would", "be", "sent", "│", "2", "│"]
    ]
    assert "3 of 3 quarantined events would be sent" in shown.stdout
    assert place.waiting() == 0
    assert place.keys("redriven") == []


FILTERS = {
    "--partner okta": ["okta"],
    "--partner okta --partner github": ["okta", "doc-1", "doc-2", "doc-3"],
    "--code BadTime": ["doc-2"],
    "--code BadTime --code NotJson": ["okta", "doc-2"],
    "--reason-contains 'HAS AN ACTION'": ["doc-1", "doc-3"],
    "--uid doc-3": ["doc-3"],
    "--uid doc-3 --code BadTime": [],
    "--since 2023-11-15": ["doc-3"],
    "--until 2023-11-15": ["okta", "doc-1", "doc-2"],
    "--since 2023-11-14T22:13:20Z --until 2023-11-14T22:13:21": ["okta", "doc-1", "doc-2"],
    "--since 2023-11-14T22:13:21+00:00": ["doc-3"],
    # The day where the operator is may be the next one, or the one before.
    "--since 2023-11-15T00:13:20+02:00": ["okta", "doc-1", "doc-2", "doc-3"],
    "--until 2023-11-14T23:13:21-23:00": ["okta", "doc-1", "doc-2", "doc-3"],
    "--until 2023-11-14T22:13:20": [],
    "--partner nobody": [],
}


@pytest.fixture(scope="module")
def filled(make_place: Callable[[], Place]) -> Place:
    """Four events with different reasons to be here."""
    place = make_place()
    okta = replace(delivery("okta", b"not JSON"), received_at=1_700_000_000_000)
    later = github(entry(3, action=None), received_at=1_700_000_000_000 + DAY)
    quarantine(place, github(entry(1, action=None), entry(2, **{"@timestamp": "soon"})), later, okta)
    return place


@pytest.mark.parametrize(("options", "expected"), FILTERS.items(), ids=FILTERS.keys())
def test_only_what_is_asked_for_goes_back(filled: Place, options: str, expected: list[str]) -> None:
    assert filled.redrive("quarantine", "--again", *shlex.split(options)).exit_code == 0
    lines = [QuarantinedEvent.from_line(json.dumps(line).encode()) for line in filled.lines()]
    names = {line.original: line.uid or line.delivery.partner for line in lines}
    bodies = [json.loads(message["body"])["body"].encode() for message in filled.take(filled.resources.queue_url)]
    assert sorted(names[body] for body in bodies) == sorted(expected)


@pytest.mark.usefixtures("nine_hours_ahead")
def test_a_moment_without_a_zone_is_utc_wherever_the_operator_is(filled: Place) -> None:
    result = filled.redrive("quarantine", "--dry-run", "--again", "--since", "2023-11-14T22:13:21")
    assert "1 of 4 quarantined events would be sent" in result.stdout


def test_a_filter_beside_the_key_of_an_object_counts_too(filled: Place) -> None:
    [key] = [key for key in filled.keys("quarantine") if key.startswith("quarantine/okta/")]
    told = [
        filled.redrive("quarantine", "--dry-run", "--again", "--key", key, "--partner", partner).stdout.splitlines()[-1]
        for partner in ("okta", "github")
    ]
    assert told == [f"{count} of 1 quarantined events would be sent to the delivery queue" for count in (1, 0)]


@pytest.mark.parametrize("options", ["--partner nobody", "--since 2100-01-01", "--uid doc-3 --code BadTime"])
def test_filters_that_fit_nothing_are_said_to_and_a_script_goes_on(filled: Place, options: str) -> None:
    result = filled.redrive("quarantine", *shlex.split(options))
    assert result.exit_code == 0
    assert result.stderr.strip() == "nothing there matches these filters; --dry-run without them shows what there is"


def test_what_was_sent_before_fits_its_filters(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    results = [place.redrive("quarantine", "--code", "MissingField") for _ in range(2)]
    assert [(result.exit_code, result.stderr.strip()) for result in results] == [(0, ""), (0, "")]


def test_an_object_or_a_line_that_is_not_there_is_a_failure(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    [key] = place.keys("quarantine")
    for options, told in [
        (["--key", "quarantine/github/gone.ndjson"], "no object quarantine/github/gone.ndjson: give its whole key"),
        (["--key", key.removesuffix("son")], "give its whole key, from quarantine/ on"),
        (["--key", key, "--line", "7"], "has no line 7, only 1 in all"),
    ]:
        result = place.redrive("quarantine", *options)
        assert result.exit_code == 1
        assert told in result.stderr
        assert "shown above" not in result.stderr
    assert place.waiting() == 0


def test_a_line_names_the_command_that_sends_its_event_and_no_other(place: Place) -> None:
    quarantine(place, github(entry(1, action=None), entry(2, action=None), entry(3, action=None)))
    command = shlex.split(place.lines()[1]["way_back"])
    assert command[0] == "trailhook"
    assert "1 of 3 quarantined events sent" in place.run(*command[1:]).stdout
    [message] = place.take(place.resources.queue_url)
    assert "doc-2" in message["body"]
    assert "2 of 3" in place.redrive("quarantine").stdout


@pytest.mark.parametrize("error", [QueueError("SQS did not confirm the message"), KeyboardInterrupt()], ids=repr)
def test_a_run_that_breaks_off_is_taken_up_where_it_ended(place: Place, error: BaseException) -> None:
    quarantine(place, *(github(entry(n, action=None), request_id=f"r-{n}") for n in range(5)))
    queue = FailingQueue(2, error)
    with pytest.raises(type(error)):
        redrive(place.s3, place, queue)
    assert place.redrive("quarantine").exit_code == 0
    rest = [message["body"] for message in place.take(place.resources.queue_url)]
    assert len(queue.messages) == 2
    assert {json.loads(one)["body"] for one in [*queue.messages, *rest]} == {line["body"] for line in place.lines()}
    assert len(rest) == 3, "nothing that was noted is sent again"


def test_a_crash_between_sending_and_noting_sends_twice_with_equal_ids(place: Place) -> None:
    quarantine(place, github(entry(1, **{"@timestamp": "soon"})))

    class Unnoted:
        """S3, from which the process is gone at the first write."""

        def __getattr__(self, name: str) -> Any:
            if name == "put_object":
                raise SystemExit
            return getattr(place.s3, name)

    queue = FailingQueue(9, SystemExit())
    with pytest.raises(SystemExit):
        redrive(Unnoted(), place, queue)
    assert place.redrive("quarantine").exit_code == 0
    [again] = place.take(place.resources.queue_url)
    assert queue.messages == [again["body"]]


def test_an_event_that_was_sent_and_could_not_be_noted_is_told(place: Place) -> None:
    """As to an operator who may not write to the bucket: the next run sends it again."""
    quarantine(place, github(entry(1, action=None)))
    deny(place, "s3:PutObject", "redriven/*")
    result = place.redrive("quarantine")
    assert place.waiting() == 1
    assert result.exit_code == 1
    assert "sent, not noted" in result.stdout
    assert "PutObject" in result.stderr
    assert "run the command again" in result.stderr


def redriven_onto_a_full_disk(place: Place, stream: str) -> "subprocess.CompletedProcess[str]":
    """The command on one quarantined event; `stream`, stdout or stderr, takes nothing."""
    quarantine(place, github(entry(1, action=None)))
    named = ["--queue-url", place.resources.queue_url, "--bucket", place.resources.bucket]
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            [sys.executable, "-m", "trailhook_local.cli", "redrive", "quarantine", *named],
            env={**os.environ, **place.endpoints.environment()},
            stdout=full if stream == "stdout" else subprocess.PIPE,
            stderr=full if stream == "stderr" else subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_what_was_sent_is_told_where_nobody_can_see_the_progress(place: Place) -> None:
    ended = redriven_onto_a_full_disk(place, "stderr")
    assert ended.returncode == 0
    assert ended.stdout.endswith("1 of 1 quarantined events sent to the delivery queue\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_where_nobody_can_see_what_was_sent_that_is_said(place: Place) -> None:
    ended = redriven_onto_a_full_disk(place, "stdout")
    assert (ended.returncode, ended.stderr) == (1, "Error: cannot write the output (No space left on device)\n")


def test_a_bucket_without_versions_is_refused(place: Place) -> None:
    bucket = f"unversioned-{place.resources.bucket}"
    place.s3.create_bucket(Bucket=bucket)
    place.s3.put_object(Bucket=bucket, Key="quarantine/github/2023/11/14/a.ndjson", Body=b"{}\n")
    named = ["--queue-url", place.resources.queue_url, "--bucket", bucket]
    result = place.redrive("quarantine", named=named)
    assert result.exit_code == 1
    assert "keeps no versions" in result.stderr


class Suspended:
    """S3 whose versioning was switched off again: what is written since has the version "null"."""

    def __init__(self, place: Place) -> None:
        self._s3 = place.s3

    def get_object(self, **request: Any) -> Any:
        return {**self._s3.get_object(**request), "VersionId": "null"}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)


def test_a_bucket_that_keeps_no_versions_any_more_is_refused_too(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    queue = FailingQueue(9, SystemExit())
    with pytest.raises(QuarantineError, match="keeps no versions"):
        redrive(Suspended(place), place, queue)
    assert queue.messages == []


def test_nothing_in_quarantine_is_fine(place: Place) -> None:
    result = place.redrive("quarantine")
    assert (result.exit_code, result.stdout) == (0, "0 of 0 quarantined events sent to the delivery queue\n")


def test_a_queue_that_is_not_there_is_said_without_a_traceback(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    named = ["--queue-url", f"{place.endpoints.aws}/111122223333/gone", "--bucket", place.resources.bucket]
    result = place.redrive("quarantine", named=named)
    assert result.exit_code == 1
    assert "SQS did not confirm the message" in result.stderr
    assert "shown above" not in result.stderr, "nothing was sent yet"
    assert "Traceback" not in result.output
    assert place.keys("redriven") == []


def test_a_bucket_that_is_not_there_is_said_and_nothing_else(place: Place) -> None:
    result = place.redrive("quarantine", named=["--queue-url", place.resources.queue_url, "--bucket", "nosuch"])
    assert result.exit_code == 1
    assert "NoSuchBucket" in result.stderr
    assert "shown above" not in result.stderr


def test_a_run_that_ends_midway_tells_what_was_sent_and_how_to_go_on(place: Place) -> None:
    quarantine(place, github(entry(1, action=None)))
    place.s3.put_bucket_versioning(Bucket=place.resources.bucket, VersioningConfiguration={"Status": "Suspended"})
    quarantine(place, github(entry(2, action=None), received_at=1_700_000_000_000 + DAY))
    result = place.redrive("quarantine")
    assert result.exit_code == 1
    assert "keeps no versions" in result.stderr
    assert "What was sent is shown above; run the command again to go on" in result.stderr
    assert "sent" in result.stdout
