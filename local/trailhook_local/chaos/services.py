"""The SDK's clients of the services around the functions, in memory: they answer, refuse and get lost as faults say.

Each has the methods that the product calls, returns what botocore would return, and raises what botocore would raise.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from trailhook_local.chaos.account import Account
from trailhook_local.chaos.process import Process
from trailhook_local.chaos.queue import MemoryQueue

Result = TypeVar("Result")
CALL_SECONDS = 0.02
NONSENSE: Sequence[Any] = ({}, {"Failed": "yes"}, {"Failed": 7}, {"MessageId": ["m"]}, [], "<html>", None)
"""Answers of another type than the service's."""

SerialsOf = Callable[[str], tuple[Sequence[int], Sequence[int]]]
"""The serial numbers in a queue message: those of the whole delivery, and those still pending."""


def nonsense(process: Process) -> Any:
    """A 200 that makes no sense: the parser raises something, or hands on something else."""
    answer = process.faults.rng.choice([ResponseParserError("not JSON"), AttributeError("no 'get'"), *NONSENSE])
    if isinstance(answer, Exception):
        raise answer
    return answer


class SqsClient:
    """SQS for one process. `serials_of` tells which events a message carries."""

    def __init__(self, process: Process, queue: MemoryQueue, account: Account, serials_of: SerialsOf) -> None:
        self._process = process
        self._queue = queue
        self._account = account
        self._serials_of = serials_of

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> Any:  # noqa: N803 - the SDK's names
        def send() -> Any:
            faults, now = self._process.faults, self._process.clock.now()
            lost = faults.happens("sqs-send", 0.05)
            nonsensical = faults.happens("nonsense", 0.02)
            if self._is_down() or ((lost or nonsensical) and faults.rng.random() < 0.5):
                self._sent(MessageBody, arrived=False)
                if nonsensical:
                    return nonsense(self._process)
                raise EndpointConnectionError(endpoint_url=QueueUrl)
            message_id = (
                self._queue.park(MessageBody, now)
                if QueueUrl.endswith("dead-letters")
                else self._queue.send(MessageBody, now, DelaySeconds)
            )
            self._sent(MessageBody, arrived=True, known=not (lost or nonsensical))
            if nonsensical:
                return nonsense(self._process)
            if lost:
                raise ReadTimeoutError(endpoint_url=QueueUrl)
            return {"MessageId": message_id}

        return self._process.call(send)

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        def delete(entry: Mapping[str, Any]) -> None:
            self._queue.delete(entry["ReceiptHandle"])

        return self._each(QueueUrl, Entries, delete)

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        def change(entry: Mapping[str, Any]) -> None:
            until = self._process.clock.now() + entry["VisibilityTimeout"]
            self._queue.change_visibility(entry["ReceiptHandle"], until)

        return self._each(QueueUrl, Entries, change)

    def _each(self, url: str, entries: Sequence[Mapping[str, Any]], effect: Callable[[Mapping[str, Any]], None]) -> Any:
        """A batch of which each entry is done, or refused inside a 200, or whose answer is lost."""

        def run() -> Any:
            faults = self._process.faults
            if self._is_down():
                raise EndpointConnectionError(endpoint_url=url)
            failed = []
            for entry in entries:
                if faults.happens("sqs-delete", 0.05):
                    failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                else:
                    effect(entry)
            if faults.happens("nonsense", 0.02):
                return nonsense(self._process)
            if faults.happens("sqs-delete", 0.02):
                raise ConnectionClosedError(endpoint_url=url)
            return {"Successful": [], "Failed": failed}

        return self._process.call(run)

    def _is_down(self) -> bool:
        self._process.spend(CALL_SECONDS)
        if not self._process.faults.lasts("sqs-down", self._process.clock.now()):
            return False
        self._process.spend(0.5)
        return True

    def _sent(self, body: str, *, arrived: bool, known: bool = True) -> None:
        whole, rest = self._serials_of(body)
        if not self._account.in_receive:
            if arrived and known:
                self._account.hand_back(rest)
            else:
                self._account.lose_hand_back(whole, rest, arrived=arrived)
        elif arrived:
            self._account.queue(whole)


class S3Client:
    """The quarantine bucket for one process."""

    def __init__(self, process: Process, objects: dict[str, bytes]) -> None:
        self._process = process
        self._objects = objects

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> Any:  # noqa: N803, ARG002 - the SDK's names
        def put() -> Any:
            faults = self._process.faults
            self._process.spend(CALL_SECONDS)
            if faults.lasts("s3-down", self._process.clock.now()):
                self._process.spend(1)
                raise ClientError({"Error": {"Code": "SlowDown", "Message": "Injected."}}, "PutObject")
            self._objects[Key] = Body
            return nonsense(self._process) if faults.happens("nonsense", 0.02) else {"ETag": '"1"'}

        return self._process.call(put)


class SecretsManagerClient:
    """One webhook secret that was never rotated."""

    class exceptions:  # noqa: N801 - the SDK's name
        """The modelled errors, as attributes of the client."""

        class ResourceNotFoundException(Exception):
            """There is no such version."""

    def __init__(self, process: Process, secret: str) -> None:
        self._process = process
        self._secret = secret

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> Any:  # noqa: N803
        def get() -> Any:
            self._process.spend(CALL_SECONDS)
            if self._process.faults.lasts("secrets-down", self._process.clock.now()):
                raise EndpointConnectionError(endpoint_url=SecretId)
            if VersionStage != "AWSCURRENT":
                raise self.exceptions.ResourceNotFoundException
            return {"SecretString": self._secret, "CreatedDate": datetime(2023, 1, 1, tzinfo=UTC)}

        return self._process.call(get)
