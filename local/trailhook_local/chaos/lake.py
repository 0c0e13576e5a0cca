"""PutAuditEvents in memory, as strict as the local Lake, whose rules it runs, and with every way to fail."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trailhook.errors import NoAnswer
from trailhook.put_audit_events import HttpAnswer
from trailhook_local.chaos.account import Account
from trailhook_local.chaos.process import Process
from trailhook_local.lake import errors, model
from trailhook_local.lake.faults import Faults as LakeFaults
from trailhook_local.lake.ingestion import Ingestion
from trailhook_local.lake.resources import Channel, Registry
from trailhook_local.lake.warehouse import Warehouse

ACCOUNT_ID, REGION = "111122223333", "us-east-1"
STRANGER_ID = "999988887777"
CHANNEL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT_ID}:channel/00000000-0000-4000-8000-000000000000"
MAX_BYTES = 1_000_000
REQUEST_SECONDS = 0.1
READ_TIMEOUT_SECONDS = 10.0
UNDOCUMENTED, REFUSED = "undocumented", "InvalidParameterValue"
_UNKNOWN = "SomethingNewException"
NONSENSE = (
    b"",
    b"<html>",
    b"\xff",
    b"null",
    b"7",
    b"[]",
    b'{"successful":"all"}',
    b'{"successful":[null]}',
    b'{"successful":1,"failed":2}',
    b'{"failed":["x"]}',
)
"""Bodies of a 200 that make no sense."""
Row = Mapping[str, Any]


class Rows(Warehouse):
    """A warehouse that hands on what is written instead of keeping it."""

    def __init__(self) -> None:
        super().__init__(None)
        self.rows: list[Row] = []

    def append(self, store_ids: Sequence[str], rows: Sequence[Row], size: int) -> None:  # noqa: ARG002 - the parent's
        self.rows = list(rows)

    def save(self, kind: str, arn: str, document: Mapping[str, Any]) -> None:
        """Nothing outlives a round."""


class EntryFaults(LakeFaults):
    """Refuses entries: for good by what their UID begins with; at random or for a while, to be sent again."""

    def __init__(self, poison_codes: Sequence[str]) -> None:
        super().__init__()
        self._poison_codes = frozenset(poison_codes)
        self.process: Process | None = None

    def reject_entry(self, entry_id: str, uid: str) -> None:  # noqa: ARG002 - the parent's
        assert self.process  # noqa: S101 - set by whoever calls
        faults = self.process.faults
        if (code := uid.partition("-")[0]) in self._poison_codes:
            raise errors.EntryRejectedError(code, "Injected for good.")
        if faults.happens("entries", 0.05):
            code = faults.rng.choice(["Throttling", "InternalFailure", "SomethingNew"])
            raise errors.EntryRejectedError(code, "Injected for once.")
        if faults.lasts("unsubscribed", self.process.clock.now()):
            raise errors.EntryRejectedError("AccountNotSubscribed", "Injected for a while.")


class MemoryLake:
    """One channel, open to its owner alone."""

    def __init__(self, clock: Callable[[], float], account: Account, poison_codes: Sequence[str]) -> None:
        self._warehouse = Rows()
        self._registry = Registry(ACCOUNT_ID, REGION, self._warehouse, clock)
        self._channel = Channel(CHANNEL_ARN, "chaos", "Custom", ["arn:x/store"], {})
        self._registry.save(self._channel)
        self._faults = EntryFaults(poison_codes)
        self._ingestion = Ingestion(self._registry, self._warehouse, self._faults, lambda _outcomes: None)
        self._account = account

    def close(self) -> None:
        self._warehouse.close()

    def put(self, process: Process, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Run the request by the local Lake's rules. Raises LakeError."""
        faults, now = process.faults, process.clock.now()
        entries = parameters["auditEvents"]
        model.validate("cloudtrail-data", "PutAuditEvents", dict(parameters))
        self._registry.channels = {} if faults.lasts("channel-gone", now) else {CHANNEL_ARN: self._channel}
        caller = STRANGER_ID if faults.lasts("permission-lost", now) else ACCOUNT_ID
        self._warehouse.rows, self._faults.process = [], process
        answer = self._ingestion.put_audit_events(dict(parameters), caller)
        texts = {entry["id"]: entry["eventData"] for entry in entries}
        for row, taken in zip(self._warehouse.rows, answer["successful"], strict=True):
            serial = int(row["eventdata"]["requestparameters"]["serial"])
            self._account.take(serial, hash((taken["id"], texts[taken["id"]])))
        return answer


class MemoryPutAuditEvents:
    """The way to the channel for one process: what of a request arrives, and what of the answer comes back."""

    def __init__(self, process: Process, lake: MemoryLake, account: Account) -> None:
        self._process = process
        self._lake = lake
        self._account = account

    def post(self, body: bytes) -> HttpAnswer:
        return self._process.call(lambda: self._put(body))

    def _put(self, body: bytes) -> HttpAnswer:
        process, faults = self._process, self._process.faults
        parameters = {"channelArn": CHANNEL_ARN, **json.loads(body)}
        self._account.begin_call(len(parameters["auditEvents"]))
        process.spend(REQUEST_SECONDS)
        if faults.happens("slow", 0.1):
            process.spend(faults.rng.uniform(0.5, 9))
        if faults.happens("throttled", 0.2):
            return _refusal(400, "ThrottlingException")
        if faults.happens("server-errors", 0.1):
            return _refusal(*faults.rng.choice([(500, "InternalFailure"), (503, "ServiceUnavailable")]))
        timed_out = faults.happens("timeouts", 0.02)
        if timed_out and faults.rng.random() < 0.5:
            process.spend(READ_TIMEOUT_SECONDS)
            raise NoAnswer("ConnectTimeoutError")
        if len(body) > MAX_BYTES:
            return _refusal(413, "RequestEntityTooLargeException")
        if code := self._code_by_content(parameters["auditEvents"]):
            return _refusal(400, code)
        try:
            answer = self._lake.put(process, parameters)
        except errors.LakeError as error:
            return _refusal(error.http_status, error.code, error.message)
        return self._answer(answer, timed_out=timed_out)

    def _code_by_content(self, entries: Sequence[Mapping[str, str]]) -> str | None:
        """Refuse the whole request for one event in it: for good with a documented code, for a while with another."""
        texts = [entry["eventData"] for entry in entries]
        if any(f'"UID":"{REFUSED}-' in text for text in texts):
            return REFUSED
        if any(f'"UID":"{UNDOCUMENTED}-' in text for text in texts) and self._process.faults.lasts(
            UNDOCUMENTED, self._process.clock.now()
        ):
            return _UNKNOWN
        return None

    def _answer(self, answer: dict[str, Any], *, timed_out: bool) -> HttpAnswer:
        process, faults = self._process, self._process.faults
        if timed_out:
            self._account.lose_answer()
            process.spend(READ_TIMEOUT_SECONDS)
            raise NoAnswer("ReadTimeoutError")
        if faults.happens("dropped", 0.02):
            self._account.lose_answer()
            raise NoAnswer("ProtocolError")
        if faults.happens("nonsense", 0.02):
            self._account.lose_answer()
            return HttpAnswer(200, {}, faults.rng.choice(NONSENSE))
        return HttpAnswer(200, {}, json.dumps(answer).encode())


def _refusal(status: int, code: str, message: str = "Injected.") -> HttpAnswer:
    return HttpAnswer(status, {"x-amzn-errortype": code}, json.dumps({"message": message}).encode())
