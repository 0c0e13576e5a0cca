"""Sends quarantined events to the delivery queue again, each once, and leaves the evidence untouched.

A line goes back as the delivery that it came with, its body now this one event (or the whole body, where it could not
be taken apart): headers, receipt time and what the proof covered are as they were, and so is the event's id.

What was sent is noted in an object of its own below `redriven/`, named after the line and the version of its object.
Nothing in the bucket is ever changed, moved or deleted, so no crash can lose a line: one between sending and noting
sends an event twice, with equal id and content. An event that is refused again is written to the bucket anew, and that
new version has no note. What forward had to write twice stands in two objects, and is sent once in a run.
"""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from trailhook.envelope import Envelope, encode_envelope
from trailhook.quarantine import FOLDER, QuarantinedEvent
from trailhook.queue import Sender
from trailhook_local.redrive.bucket import Bucket, Line

OBJECTS_AT_ONCE = 8


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
        """Whether a line that is asked for may be in this object, by the partner and the day of receipt in its key."""
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


Tell = Callable[[Line, Fate], None]


class QuarantineRedrive:
    """One bucket of the account `owner`, and the queue that its events go back to."""

    def __init__(self, s3: Any, bucket: str, owner: str, queue: Sender) -> None:
        self._bucket = Bucket(s3, bucket, owner)
        self._queue = queue

    def keys(self, choice: Choice) -> list[str]:
        """The objects in which there may be a line that is asked for."""
        prefix = choice.key or FOLDER + (f"{next(iter(choice.partners))}/" if len(choice.partners) == 1 else "")
        return [key for key in self._bucket.keys(prefix) if choice.may_be_in(key)]

    def redrive(
        self, keys: list[str], choice: Choice, *, dry_run: bool, tell: Tell, next_object: Callable[[], None]
    ) -> None:
        """Send what is asked for and was not sent before. `tell` is called for every line, `next_object` for each key.

        Stops at the first error (QueueError, boto3's own); what was sent by then is noted.
        """
        run = _Run(self._bucket, None if dry_run else self._queue, choice, tell, next_object)
        pool = ThreadPoolExecutor(OBJECTS_AT_ONCE)
        try:
            for done in [pool.submit(run.redrive_object, key) for key in keys]:
                done.result()
        finally:
            run.stop()
            pool.shutdown(cancel_futures=True)


class _Run:
    """One run through objects of a bucket; without a `queue` nothing is sent, nor noted.

    Threads share it, an object each; `tell` and `next_object` are called by one of them at a time.
    """

    def __init__(
        self, bucket: Bucket, queue: Sender | None, choice: Choice, tell: Tell, next_object: Callable[[], None]
    ) -> None:
        self._bucket = bucket
        self._choice = choice
        self._tell = tell
        self._next_object = next_object
        self._is_dry = queue is None
        self._send_once = _Once(queue.send if queue else _pass_over)
        self._telling = threading.Lock()
        self._over = threading.Event()

    def stop(self) -> None:
        """Let no further line be begun."""
        self._over.set()

    def redrive_object(self, key: str) -> None:
        sent_before = self._bucket.notes(key)
        for line in self._bucket.lines(key):
            if self._over.is_set():
                return
            fate = self._redrive(line, sent_before)
            with self._telling:
                self._tell(line, fate)
        with self._telling:
            self._next_object()

    def _redrive(self, line: Line, sent_before: frozenset[str]) -> Fate:
        """Send the line, if it is to be, and note that. `sent_before`: the notes that were there before this run."""
        if line.event is None:
            return Fate.UNREADABLE
        if not self._choice.takes(line.number, line.event):
            return Fate.PASSED_OVER
        if line.note in sent_before and not self._choice.again:
            return Fate.SENT_BEFORE
        message = encode_envelope(Envelope(line.event.delivery))
        fate = Fate.SENT if self._send_once(message) else Fate.EQUAL
        return fate if self._is_dry else self._noted(line, line.event, fate)

    def _noted(self, line: Line, event: QuarantinedEvent, fate: Fate) -> Fate:
        """Note a line that was just sent, or equals one that was. Returns its `fate`, or SENT_TWICE where another run
        has noted it meanwhile.

        Sent first, then noted: a crash between the two sends an event twice, and in the other order not at all.
        """
        try:
            first = self._bucket.note(line, event, again=self._choice.again)
        except Exception:
            # The next run sends it again, and whoever starts that should know.
            with self._telling:
                self._tell(line, Fate.UNNOTED if fate is Fate.SENT else fate)
            raise
        return fate if first or fate is not Fate.SENT else Fate.SENT_TWICE


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
