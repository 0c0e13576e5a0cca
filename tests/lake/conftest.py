"""A Lake on loopback and a real boto3 beside it: these tests say over the wire what CloudTrail Lake documents."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from trailhook_local.lake import LakeServer

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient
    from types_boto3_cloudtrail_data import CloudTrailDataServiceClient

Event = Callable[..., dict[str, Any]]
Refused = Callable[..., str]

OWNER = "111122223333"
PARTNER = "444455556666"
COMMON_ERRORS = {
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
}
# One session: its loaded service models are most of a client's cost.
SESSION = boto3.Session(aws_access_key_id="AKIAEXAMPLEFAKEOWNER", aws_secret_access_key="fake", region_name="us-east-1")


@dataclass
class Account:
    """One account's way to a Lake: its two clients, and the steps that most tests begin with."""

    url: str
    access_key: str = "AKIAEXAMPLEFAKEOWNER"
    region: str = "us-east-1"
    # Off, so that what the service has to refuse reaches it.
    config: Config = field(
        default_factory=lambda: Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=10)
    )

    def __post_init__(self) -> None:
        named: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": self.region,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": "fake",
            "config": self.config,
        }
        self.cloudtrail: CloudTrailClient = SESSION.client("cloudtrail", **named)
        self.data: CloudTrailDataServiceClient = SESSION.client("cloudtrail-data", **named)
        for client in (self.cloudtrail, self.data):
            client.meta.events.register("after-call.*", _check_error_is_declared)

    def close(self) -> None:
        self.cloudtrail.close()
        self.data.close()

    def store(self, name: str = "audit", category: str = "ActivityAuditLog", **changes: Any) -> str:
        """The ARN of a new event data store fit for a channel, but for `changes`."""
        selectors: Any = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}]}]
        answer = self.cloudtrail.create_event_data_store(
            **{"Name": name, "AdvancedEventSelectors": selectors, "MultiRegionEnabled": False, **changes}
        )
        return answer["EventDataStoreArn"]

    def channel(self, *stores: str, name: str = "github", source: str = "GitHub", **changes: Any) -> str:
        destinations: Any = [{"Type": "EVENT_DATA_STORE", "Location": arn} for arn in stores or [self.store()]]
        return self.cloudtrail.create_channel(Name=name, Source=source, Destinations=destinations, **changes)[
            "ChannelArn"
        ]

    def put(self, channel: str, *entries: dict[str, Any], **changes: Any) -> Any:
        audit_events: Any = list(entries)
        return self.data.put_audit_events(channelArn=channel, auditEvents=audit_events, **changes)

    def start(self, sql: str, store: str, **values: str) -> str:
        """The id of a query in which {eds} stands for the store's id."""
        statement = sql.format(eds=store.rpartition("/")[2], **values)
        return self.cloudtrail.start_query(QueryStatement=statement)["QueryId"]

    def finished(self, query: str) -> str:
        """The status in which the query ended."""
        while (status := self.cloudtrail.describe_query(QueryId=query)["QueryStatus"]) in {"QUEUED", "RUNNING"}:
            time.sleep(0.005)
        return status

    def rows(self, sql: str, store: str, **values: str) -> list[dict[str, str]]:
        query = self.start(sql, store, **values)
        self.finished(query)
        answer = self.cloudtrail.get_query_results(QueryId=query)
        assert answer["QueryStatus"] == "FINISHED", answer
        return [{k: v for column in row for k, v in column.items()} for row in answer["QueryResultRows"]]

    def count(self, store: str) -> int:
        return int(self.rows("SELECT count(*) AS n FROM {eds}", store)[0]["n"])


def _check_error_is_declared(parsed: dict[str, Any], model: Any, http_response: AWSResponse, **_: Any) -> None:
    """No operation may answer with an error that its service model does not know."""
    if http_response.status_code >= 300:
        code = parsed["Error"]["Code"]
        assert code in COMMON_ERRORS | {shape.name for shape in model.error_shapes}, f"{model.name} answered {code}"
        assert http_response.headers["x-amzn-errortype"] == code
    assert http_response.headers["x-amzn-requestid"]


@pytest.fixture
def lake() -> Iterator[LakeServer]:
    with LakeServer(account=OWNER) as server:
        yield server


@pytest.fixture
def account(lake: LakeServer) -> Iterator[Account]:
    owner = Account(lake.url)
    yield owner
    owner.close()


@pytest.fixture
def partner(lake: LakeServer) -> Iterator[Account]:
    """Another account: the twelve digits as access key id say which."""
    other = Account(lake.url, access_key=PARTNER)
    yield other
    other.close()


@pytest.fixture(scope="session")
def event() -> Event:
    """An entry of PutAuditEvents that CloudTrail takes; `changes` replace fields of eventData, None leaves one out."""

    def build(id_: str = "e-1", **changes: Any) -> dict[str, Any]:
        data = {
            "version": "1.0",
            "userIdentity": {"type": "User", "principalId": "octocat"},
            "eventSource": "github.com",
            "eventName": "repo.create",
            "eventTime": "2026-01-02T03:04:05Z",
            "UID": f"uid-{id_}",
            "recipientAccountId": OWNER,
            **changes,
        }
        return {
            "id": id_,
            "eventData": json.dumps({k: v for k, v in data.items() if v is not None}, ensure_ascii=False),
        }

    return build


@pytest.fixture
def refused() -> Refused:
    """Calls, and returns the error code the service answered with; fails when it did not refuse."""

    def call(operation: Callable[..., Any], *arguments: Any, **named: Any) -> str:
        with pytest.raises(ClientError) as caught:
            operation(*arguments, **named)
        return caught.value.response["Error"]["Code"]

    return call


@pytest.fixture(scope="session")
def new_account() -> Iterator[Callable[..., Account]]:
    """Makes accounts for Lakes that a test starts itself: `new_account(url, access_key=…, region=…, config=…)`."""
    accounts: list[Account] = []

    def make(url: str, **named: Any) -> Account:
        accounts.append(Account(url, **named))
        return accounts[-1]

    yield make
    for account in accounts:
        account.close()
