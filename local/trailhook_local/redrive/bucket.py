"""The quarantine bucket as the way back sees it: its lines, and the notes of those that were sent."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError

from trailhook.envelope import Envelope, decode_envelope, encode_envelope
from trailhook.errors import QuarantineError, TrailhookError
from trailhook.quarantine import FOLDER, QuarantinedEvent

NOTES = "redriven/"
IN_MEMORY_BYTES = 8_000_000
"""Of one object; a larger one is read from a temporary file. Forward writes hardly any that is larger."""

_OF_ONE_OBJECT = frozenset({"InvalidObjectState", "InvalidRequest", "NoSuchKey"})
"""Refusals that are about one object: archived, encrypted with a key of its writer's, or gone since it was listed."""

_NOTED_ALREADY = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""By another run, before this one or at the same moment; or by this one, if S3's first answer was lost."""


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


class Bucket:
    """One bucket of the account `owner`; boto3's errors go through.

    S3 refuses the calls where it is another's. Once a bucket is deleted, anybody may make one of its name, and the
    lines in it would be sent back as events that were proven.
    """

    def __init__(self, s3: Any, name: str, owner: str) -> None:
        self._s3 = s3
        self._name = name
        self._where = {"Bucket": name, "ExpectedBucketOwner": owner}

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(**self._where, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))

    def lines(self, key: str) -> Iterator[Line]:
        """The lines of an object, which is read to its end before the first of them. Raises QuarantineError."""
        try:
            found = self._s3.get_object(**self._where, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _OF_ONE_OBJECT:
                raise
            yield Line(key, "", 0, None, str(error))
            return
        with closing(found["Body"]) as body, SpooledTemporaryFile(IN_MEMORY_BYTES) as content:
            version = found.get("VersionId")
            if not version or version == "null":
                raise QuarantineError(
                    f"s3://{self._name} keeps no versions, so nobody could tell a new refusal of an event from the "
                    "former one: switch versioning on and write the object anew"
                )
            _copy(key, body, content)
            for number, text in enumerate(content, 1):
                yield _line(key, version, number, text)

    def notes(self, key: str) -> frozenset[str]:
        """The notes of an object's lines that were sent before, in any version of it."""
        return frozenset(self.keys(f"{NOTES}{key.removeprefix(FOLDER)}/"))

    def note(self, line: Line, event: QuarantinedEvent, *, again: bool) -> bool:
        """Note that a line was sent, and its event. False where that was noted before, unless it was to go `again`."""
        note = {"key": line.key, "version": line.version, "line": line.number, "uid": event.uid, "code": event.code}
        note["sent_at"] = datetime.now(UTC).isoformat(timespec="seconds")
        where = {**self._where, "Key": line.note} | ({} if again else {"IfNoneMatch": "*"})
        try:
            self._s3.put_object(**where, Body=json.dumps(note), ContentType="application/json")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOTED_ALREADY:
                raise
            return False
        return True


def _copy(key: str, body: IO[bytes], content: IO[bytes]) -> None:
    """Read all of it before a line of it is sent: S3 does not wait for a reader as slow as SQS is to take events."""
    try:
        copyfileobj(body, content)
        content.seek(0)  # Which writes the last of it.
    except BotoCoreError as error:  # Some are OSErrors as well.
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
