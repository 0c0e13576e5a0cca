"""What the probes work on: an event data store and a channel of their own, under names and tags of this run."""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from trailhook_local.lake_query import Row, query_lake, store_id

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_cloudtrail_data import CloudTrailDataServiceClient
    from types_boto3_sqs import SQSClient

SOURCES = ("Shoreline", "MontyCloud", "Clumio", "IBMMulticloud", "CloudStorageSecurityConsole", "NetskopeCloudExchange")
"""Sources to borrow, the least used first: CloudTrail allows one channel for each."""

TAG = "trailhook-verify"
ACCEPTED = "accepted"
SAYS_NOTHING = frozenset(
    {"AccessDeniedException", "AccountNotSubscribed", "InternalFailure", "Throttling", "ThrottlingException"}
)
"""Refusals that are about the caller or the moment, and answer no question."""

SELECTORS = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ActivityAuditLog"]}]}]


class CannotVerifyError(Exception):
    """The probes have nothing to work on; the message says what to do."""


def error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


class Workbench:
    """A context manager: makes store and channel, and takes back whatever was made, in reverse.

    `pause` is how long to wait between two looks at something that takes time, `patience` how long in all; both in
    seconds. `left` names, after the end, what could not be taken back.
    """

    def __init__(self, session: boto3.Session, *, pause: float, patience: float) -> None:
        calm = Config(retries={"mode": "standard", "max_attempts": 10})
        self.cloudtrail: CloudTrailClient = session.client("cloudtrail", config=calm)
        again: Any = self._wait_out_conflict  # the stubs know of no handler that answers
        self.cloudtrail.meta.events.register("needs-retry.cloudtrail", again)
        self.data: CloudTrailDataServiceClient = session.client("cloudtrail-data", config=calm)
        self.sqs: SQSClient = session.client("sqs", config=calm)
        self.run = uuid.uuid4().hex[:8]
        self.name = f"trailhook-verify-{self.run}"
        self.tags = [{"Key": TAG, "Value": self.run}]
        self.pause = pause
        self.patience = patience
        self.left: list[str] = []
        self.store = self.channel = self.source = ""
        self._exit = ExitStack()

    @property
    def is_stand_in(self) -> bool:
        """Whether a local server answers instead of AWS."""
        return "amazonaws." not in self.cloudtrail.meta.endpoint_url

    @property
    def account_id(self) -> str:
        return self.channel.split(":")[4]

    def free_sources(self) -> list[str]:
        """Those of the sources to borrow that no channel has."""
        # Twenty-five channels is the most that there can be.
        listed = self.cloudtrail.list_channels(MaxResults=100)["Channels"]
        taken = {self.cloudtrail.get_channel(Channel=channel["ChannelArn"])["Source"] for channel in listed}
        return [source for source in SOURCES if source not in taken]

    def __enter__(self) -> Self:
        free = self.free_sources()
        if len(free) < 2:
            raise CannotVerifyError(f"Two of these sources must be without a channel: {', '.join(SOURCES)}")
        self.source = free[0]
        try:
            self._make()
        except BaseException:
            self._exit.close()
            raise
        return self

    def _make(self) -> None:
        made = self.cloudtrail.create_event_data_store(
            Name=self.name,
            AdvancedEventSelectors=SELECTORS,  # type: ignore[arg-type] # a literal that mypy widens
            MultiRegionEnabled=False,
            OrganizationEnabled=False,
            TerminationProtectionEnabled=True,
            RetentionPeriod=7,
            TagsList=self.tags,  # type: ignore[arg-type] # dictionaries of text
        )
        self.store = made["EventDataStoreArn"]
        self.undo(f"the event data store {self.store}", self.delete_store)
        self.until(lambda: self.cloudtrail.get_event_data_store(EventDataStore=self.store)["Status"] == "ENABLED")
        self.channel = self.make_channel(self.name, self.source)
        if not self.until(lambda: self.put([self.event()]) == ACCEPTED):
            raise CannotVerifyError(f"The new channel takes no event: {self.put([self.event()])}")

    def make_channel(self, name: str, source: str) -> str:
        """A channel to our event data store, which is taken back at the end."""
        made = self.cloudtrail.create_channel(
            Name=name,
            Source=source,
            Destinations=[{"Type": "EVENT_DATA_STORE", "Location": self.store}],
            Tags=self.tags,  # type: ignore[arg-type] # the same
        )
        arn = made["ChannelArn"]
        self.undo(f"the channel {arn}", lambda: self.cloudtrail.delete_channel(Channel=arn))
        return arn

    def make_queue(self, name: str) -> str:
        """The URL of a queue, which is taken back at the end."""
        url = self.sqs.create_queue(QueueName=name, tags={TAG: self.run})["QueueUrl"]
        self.undo(f"the queue {name}", lambda: self.sqs.delete_queue(QueueUrl=url))
        return url

    def delete_store(self) -> float:
        """Delete our event data store; how many seconds passed until CloudTrail took it."""
        found = self.cloudtrail.get_event_data_store(EventDataStore=self.store)
        if found["Status"] == "PENDING_DELETION":
            return 0.0
        self.cloudtrail.update_event_data_store(EventDataStore=self.store, TerminationProtectionEnabled=False)
        began = time.monotonic()
        while True:
            try:
                self.cloudtrail.delete_event_data_store(EventDataStore=self.store)
                return time.monotonic() - began
            except ClientError as error:
                late = time.monotonic() - began > self.patience
                if error_code(error) != "ChannelExistsForEDSException" or late:
                    raise
                time.sleep(self.pause)

    def undo(self, what: str, action: Callable[[], object]) -> None:
        """Do this at the end; what is gone by then is fine."""

        def act() -> None:
            try:
                action()
            except ClientError as error:
                if "NotFound" not in error_code(error) and "NonExistent" not in error_code(error):
                    self.left.append(f"{what}: {error}")
            except BotoCoreError as error:
                self.left.append(f"{what}: {error}")

        self._exit.callback(act)

    def _wait_out_conflict(self, response: Any, attempts: int, **_: Any) -> float | None:
        """Have botocore try again after ConflictException, which CloudTrail answers while a resource is being changed.

        By itself botocore does not. It waits as many seconds as a handler of its event `needs-retry` returns.
        """
        code = response[1].get("Error", {}).get("Code") if response else None
        return self.pause if code == "ConflictException" and attempts * self.pause <= self.patience else None

    def until(self, condition: Callable[[], bool]) -> bool:
        """Whether the condition came true before our patience was over."""
        deadline = time.monotonic() + self.patience
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(self.pause)
        return True

    def put(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        ids: Sequence[str] = (),
        external_id: str = "",
    ) -> str:
        """PutAuditEvents: "accepted", or the error code of the request, else of the first entry that was refused.

        Raises CannotVerifyError where the code is no answer to anything.
        """
        entries = [
            {"id": own or uuid.uuid4().hex, "eventData": json.dumps(one, ensure_ascii=False)}
            for own, one in zip(ids or [""] * len(events), events, strict=True)
        ]
        more: dict[str, Any] = {"externalId": external_id} if external_id else {}
        try:
            answer = self.data.put_audit_events(
                channelArn=self.channel,
                auditEvents=entries,  # type: ignore[arg-type] # the same
                **more,
            )
        except ClientError as error:
            code, said = error_code(error), str(error)
        else:
            first = answer["failed"][0] if answer["failed"] else {"errorCode": ACCEPTED, "errorMessage": ""}
            code, said = first["errorCode"], first["errorMessage"]
        if code in SAYS_NOTHING:
            raise CannotVerifyError(f"PutAuditEvents: {code}: {said}")
        return code

    def event(self, **changes: Any) -> dict[str, Any]:
        """The least that the integrations' event schema asks for, made now, for the channel's owner."""
        return {
            "version": "1",
            "userIdentity": {"type": "Service", "principalId": "trailhook-verify"},
            "eventSource": "verify.trailhook.example",
            "eventName": "Probe",
            "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "UID": uuid.uuid4().hex,
            "recipientAccountId": self.account_id,
            **changes,
        }

    def query(self, sql: str) -> Sequence[Row]:
        """The rows of a SELECT; STORE stands for our event data store."""
        return query_lake(self.cloudtrail, sql.replace("STORE", store_id(self.store)), timeout=max(60, self.patience))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()
