"""An event that stands in two places, or that two runs come to at once: what is sent, noted and said of it is true."""

import json
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.loopback import Exchange, listening
from tests.redrive.conftest import Place
from tests.redrive.quarantined import FailingQueue, entry, github, quarantine, redrive
from tests.redrive.stacks import OF_AWS

from trailhook.errors import QueueError
from trailhook_local.redrive.quarantine import Choice, Fate

pytestmark = pytest.mark.stack


def test_an_event_that_had_to_be_written_again_goes_back_once(place: Place) -> None:
    """A delivery that comes back whole is quarantined in other company than before, so in another object."""
    twice, beside = github(entry(1, action=None)), github(entry(2, action=None), request_id="request-2")
    quarantine(place, twice, beside)
    quarantine(place, twice)
    assert len(place.keys("quarantine")) == 2
    looked = place.redrive("quarantine", "--dry-run")
    assert "2 of 3 quarantined events would be sent" in looked.stdout
    first, second = place.redrive("quarantine"), place.redrive("quarantine")
    assert "2 of 3 quarantined events sent" in first.stdout
    for result in (looked, first):
        assert "equal to another" in result.stdout
        assert "sent before" not in result.stdout, "nothing was, before this run"
    assert "0 of 3 quarantined events sent" in second.stdout
    assert place.waiting() == 2


def test_an_event_that_could_not_be_sent_from_one_place_is_not_noted_as_sent_in_the_other(place: Place) -> None:
    twice = github(entry(1, action=None))
    quarantine(place, twice, github(entry(2, action=None), request_id="request-2"))
    quarantine(place, twice)

    class Slow(FailingQueue):
        """Fails when the other thread has come to the same event."""

        def send(self, message: str, delay_seconds: int = 0) -> None:
            time.sleep(1)
            super().send(message, delay_seconds)

    with pytest.raises(QueueError, match="SQS is down"):
        redrive(place.s3, place, Slow(0, QueueError("SQS is down")))
    assert place.keys("redriven") == []


def test_where_one_thread_fails_the_others_begin_no_further_line(place: Place) -> None:
    quarantine(place, github(entry(0, action=None)))
    quarantine(place, github(*(entry(n, action=None) for n in range(1, 9)), received_at=1_800_000_000_000))
    failed = threading.Event()

    class Failing(FailingQueue):
        """Fails for the one line of the first object, while the other object's first line is on its way."""

        def send(self, message: str, delay_seconds: int = 0) -> None:
            if "doc-0" in message:
                failed.set()
                raise self.error
            failed.wait(30)
            time.sleep(0.3)
            super().send(message, delay_seconds)

    queue = Failing(9, QueueError("SQS is down"))
    with pytest.raises(QueueError, match="SQS is down"):
        redrive(place.s3, place, queue)
    assert len(place.keys("redriven")) == len(queue.messages) < 8


class Noting:
    """S3, which refuses with `code` to write the note of that number, counted from 1."""

    def __init__(self, place: Place, code: str, number: int) -> None:
        self._place, self._code, self._left = place, code, number

    def put_object(self, **request: Any) -> Any:
        self._left -= 1
        if not self._left:
            raise ClientError({"Error": {"Code": self._code}}, "PutObject")
        return self._place.s3.put_object(**request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place.s3, name)


@pytest.mark.parametrize(
    ("code", "ends"),
    [("AccessDenied", pytest.raises(ClientError)), ("PreconditionFailed", nullcontext())],
    ids=["cannot be noted", "was noted by another run"],
)
def test_an_event_that_was_sent_once_is_not_said_to_have_gone_twice_whatever_becomes_of_its_second_note(
    place: Place, code: str, ends: AbstractContextManager[object]
) -> None:
    quarantine(place, github(entry(1, action=None)))
    [key], [line] = place.keys("quarantine"), place.lines()
    place.s3.put_object(Bucket=place.resources.bucket, Key=key, Body=f"{json.dumps(line)}\n".encode() * 2)
    queue, fates = FailingQueue(9, SystemExit()), Counter[Fate]()
    with ends:
        redrive(Noting(place, code, 2), place, queue, fates=fates)
    assert len(queue.messages) == 1
    assert fates == {Fate.SENT: 1, Fate.EQUAL: 1}


def test_what_another_run_sends_meanwhile_is_said_to_go_twice(place: Place) -> None:
    quarantine(place, *(github(entry(n, action=None), request_id=f"r-{n}") for n in range(3)))
    other: Counter[Fate] = Counter()

    class OtherRun(FailingQueue):
        """The delivery queue of a run in whose midst another one runs from its beginning to its end."""

        def send(self, message: str, delay_seconds: int = 0) -> None:
            if not self.messages:
                redrive(place.s3, place, FailingQueue(9, SystemExit()), fates=other)
            super().send(message, delay_seconds)

    queue = OtherRun(9, SystemExit())
    assert redrive(place.s3, place, queue) == {Fate.SENT_TWICE: 3}
    assert redrive(place.s3, place, queue, Choice(again=True)) == {Fate.SENT: 3}
    assert other == {Fate.SENT: 3}


def test_what_another_run_notes_at_the_same_moment_is_said_to_go_twice(place: Place) -> None:
    """S3 refuses one of two that write the same object at once with a code of its own."""
    quarantine(place, github(entry(1, action=None)))
    conflict = Noting(place, "ConditionalRequestConflict", 1)
    assert redrive(conflict, place, FailingQueue(9, SystemExit())) == {Fate.SENT_TWICE: 1}


def test_what_may_arrive_twice_counts_as_sent_and_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantine(place, github(entry(1, action=None), entry(2, action=None)))
    assert place.redrive("quarantine").exit_code == 0
    notes = place.keys("redriven")
    for note in notes:
        place.s3.delete_object(Bucket=place.resources.bucket, Key=note)

    def respond(exchange: Exchange) -> None:
        """SQS, which takes a message just when another run has sent all of them and noted that."""
        exchange.body()
        for note in notes:
            place.s3.put_object(Bucket=place.resources.bucket, Key=note, Body=b"{}")
        exchange.answer(200, b'{"MessageId":"sent"}', OF_AWS)

    with listening(respond) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        result = place.redrive("quarantine")
    assert result.exit_code == 0
    assert "2 of 2 quarantined events sent to the delivery queue" in result.stdout
    assert result.stderr == "another run sends the same: 2 of them may arrive twice, with equal id and content\n"
