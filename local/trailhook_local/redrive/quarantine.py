"""Sends quarantined events to the delivery queue again, each once, and leaves the evidence untouched.

A line goes back as the delivery that it came with, its body now this one event (or the whole body, where it could not
be taken apart): headers, receipt time and what the proof covered are as they were, and so is the event's id.

What was sent is noted in an object of its own below `redriven/`, named after the line and the version of its object.
Nothing in the bucket is ever changed, moved or deleted, so no crash can lose a line: one between sending and noting
sends an event twice, with equal id and content. An event that is refused again is written to the bucket anew, and that
new version has no note. What forward had to write again, and stands in two objects, is sent once in a run.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from trailhook.envelope import Envelope, decode_envelope, encode_envelope
from trailhook.errors import QuarantineError, TrailhookError
from trailhook.quarantine import FOLDER, QuarantinedEvent
from trailhook.queue import Sender

NOTES = "redriven/"
OBJECTS_AT_ONCE = 8
IN_MEMORY_BYTES = 8_000_000
"""Of one object; a larger one is read from a temporary file. Forward writes hardly any that is larger."""

_OF_ONE_OBJECT = frozenset({"InvalidObjectState", "InvalidRequest", "NoSuchKey"})
"""Refusals that are about one object: archived, encrypted with a key of its writer's, or gone since it was listed."""

_NOTED_ALREADY = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""By another run, before this one or at the same moment; or by this one, if S3's first answer was lost."""


class Fate(Enum):
    """What became of a line."""

    SENT = "sent"
    SENT_TWICE = "sent, maybe twice"
    UNNOTED = "sent, not noted"
    SENT_BEFORE = "sent before"
    EQUAL = "equal to another"
    PASSED_OVER = "not asked for"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which lines are asked for; what is empty does not choose. `again` includes those that were sent before."""

    partners: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    reason_contains: str = ""
    uid: str = ""
    key: str = ""
    line: int | None = None
    again: bool = False

    def may_be_in(self, key: str) -> bool:
        """By partner and day of receipt, which stand in the name."""
        if self.key:
            return key == self.key
        partner, _, day = key.removeprefix(FOLDER).rpartition("/")[0].partition("/")
        return (
            (not self.partners or partner in self.partners)
            and (self.since is None or day >= _day(self.since))
            and (self.until is None or day <= _day(self.until))
        )

    def takes(self, number: int, event: QuarantinedEvent) -> bool:
        received = datetime.fromtimestamp(event.delivery.received_at / 1000, UTC)
        return (
            (not self.partners or event.delivery.partner in self.partners)
            and (not self.codes or event.code in self.codes)
            and (self.since is None or received >= self.since)
            and (self.until is None or received < self.until)
            and self.reason_contains.casefold() in event.reason.casefold()
            and (not self.uid or event.uid == self.uid)
            and (self.line is None or number == self.line)
        )


def _day(moment: datetime) -> str:
    """The day in UTC, as it stands in an object's name."""
    return f"{moment.astimezone(UTC):%Y/%m/%d}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an object, and of which version; `event` is None where it cannot be read, and `fault` says why.

    Line 0 stands for all of an object that S3 does not hand out.
    """

    key: str
    version: str
    number: int
    event: QuarantinedEvent | None
    fault: str = ""

    @property
    def place(self) -> str:
        return f"{self.key}, line {self.number}" if self.number else self.key

    @property
    def note(self) -> str:
        return f"{NOTES}{self.key.removeprefix(FOLDER)}/{self.version}/{self.number}.json"


Tell = Callable[[Line, Fate], None]


class QuarantineRedrive:
    """One bucket, and the queue that its events go back to."""

    def __init__(self, s3: Any, bucket: str, queue: Sender) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._queue = queue

    def keys(self, choice: Choice) -> list[str]:
        """The objects in which there may be a line that is asked for."""
        prefix = choice.key or FOLDER + (f"{next(iter(choice.partners))}/" if len(choice.partners) == 1 else "")
        return [key for key in self._list(prefix) if choice.may_be_in(key)]

    def redrive(
        self, keys: list[str], choice: Choice, *, dry_run: bool, tell: Tell, next_object: Callable[[], None]
    ) -> None:
        """Send what is asked for and was not sent before. `tell` is called for every line, `next_object` for each key.

        Stops at the first error (QueueError, boto3's own); what was sent by then is noted.
        """
        over = threading.Event()
        lock = threading.Lock()
        send_once = _Once(_pass_over if dry_run else self._queue.send)

        def tell_alone(line: Line, fate: Fate) -> None:
            with lock:
                tell(line, fate)

        def work(key: str) -> None:
            before = self._sent_before(key)
            for line in self._lines(key):
                if over.is_set():
                    return
                fate = self._fate_unsent(line, choice, before)
                if fate is None:
                    fate = Fate.SENT if send_once(_message(line)) else Fate.EQUAL
                    if not dry_run:
                        fate = self._noted(line, fate, choice, tell_alone)
                tell_alone(line, fate)
            with lock:
                next_object()

        pool = ThreadPoolExecutor(OBJECTS_AT_ONCE)
        try:
            for done in [pool.submit(work, key) for key in keys]:
                done.result()
        finally:
            over.set()
            pool.shutdown(cancel_futures=True)

    def _fate_unsent(self, line: Line, choice: Choice, before: frozenset[str]) -> Fate | None:
        """Why a line is not to be sent; None where it is. `before`: the notes that were there before this run."""
        if line.event is None:
            return Fate.UNREADABLE
        if not choice.takes(line.number, line.event):
            return Fate.PASSED_OVER
        return Fate.SENT_BEFORE if line.note in before and not choice.again else None

    def _noted(self, line: Line, fate: Fate, choice: Choice, tell: Tell) -> Fate:
        """Note a line that was just sent, or equals one that was. Returns its `fate`, or SENT_TWICE where another run
        has noted it meanwhile.

        Sent first, then noted: a crash between the two sends an event twice, and in the other order not at all.
        """
        try:
            first = self._note(line, again=choice.again)
        except Exception:
            # The next run sends it again, and whoever starts that should know.
            tell(line, Fate.UNNOTED if fate is Fate.SENT else fate)
            raise
        return fate if first or fate is not Fate.SENT else Fate.SENT_TWICE

    def _note(self, line: Line, *, again: bool) -> bool:
        """Write the note; False where another run has written it since this one began."""
        event = _event(line)
        note = {"key": line.key, "version": line.version, "line": line.number, "uid": event.uid, "code": event.code}
        note["sent_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        where = {"Bucket": self._bucket, "Key": line.note} | ({} if again else {"IfNoneMatch": "*"})
        try:
            self._s3.put_object(**where, Body=json.dumps(note), ContentType="application/json")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOTED_ALREADY:
                raise
            return False
        return True

    def _lines(self, key: str) -> Iterator[Line]:
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _OF_ONE_OBJECT:
                raise
            yield Line(key, "", 0, None, str(error))
            return
        with closing(found["Body"]) as body, SpooledTemporaryFile(IN_MEMORY_BYTES) as content:
            version = found.get("VersionId")
            if not version or version == "null":
                raise QuarantineError(
                    f"s3://{self._bucket} keeps no versions, so nobody could tell a new refusal of an event from the "
                    "former one: switch versioning on and write the object anew"
                )
            _copy(key, body, content)
            for number, text in enumerate(content, 1):
                yield _line(key, version, number, text)

    def _sent_before(self, key: str) -> frozenset[str]:
        return frozenset(self._list(f"{NOTES}{key.removeprefix(FOLDER)}/"))

    def _list(self, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))


def _copy(key: str, body: IO[bytes], content: IO[bytes]) -> None:
    """All of it before a line of it goes: S3 does not wait for whoever reads as slowly as SQS takes events."""
    try:
        copyfileobj(body, content)
        content.seek(0)  # Which writes the last of it.
    except BotoCoreError as error:  # Of which some are OSErrors as well.
        raise QuarantineError(f"S3 did not send all of {key}: {error}") from error
    except OSError as error:
        raise QuarantineError(
            f"{key} does not fit into {gettempdir()} ({error.strerror}): name a folder with more room in TMPDIR"
        ) from error


def _line(key: str, version: str, number: int, text: bytes) -> Line:
    try:
        event = QuarantinedEvent.from_line(text)
        # Read as forward will read it: what it would not take must not be noted as sent.
        decode_envelope(encode_envelope(Envelope(event.delivery)))
    except TrailhookError as error:
        return Line(key, version, number, None, str(error))
    return Line(key, version, number, event)


def _event(line: Line) -> QuarantinedEvent:
    assert line.event is not None  # noqa: S101 - what cannot be read is not sent
    return line.event


def _message(line: Line) -> str:
    return encode_envelope(Envelope(_event(line).delivery))


def _pass_over(_message: str) -> None:
    """What a dry run does with a message."""


class _Once:
    """Sends each message once, and says whether it did. Threads may share it."""

    _SENT: Future[None] = Future()
    _SENT.set_result(None)

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._sent: dict[bytes, Future[None]] = {}

    def __call__(self, message: str) -> bool:
        """Raises what sending it raises, also where another thread does that."""
        digest, sending = hashlib.sha256(message.encode()).digest(), Future[None]()
        if (first := self._sent.setdefault(digest, sending)) is not sending:
            first.result()
            return False
        try:
            self._send(message)
        except BaseException as error:
            sending.set_exception(error)
            raise
        sending.set_result(None)
        self._sent[digest] = self._SENT  # One for all of them: a year of quarantine may be sent in a run.
        return True
