"""A stack of CloudFormation's, the integration function, and a local Lake: the whole custom resource over the wire."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from tests.integration.cloudformation import Bucket, CloudFormation, Handler, serving_bucket

from trailhook_local.lake import LakeServer, errors
from trailhook_local.lake.faults import Faults
from trailhook_local.stack.worker import load_handler

if TYPE_CHECKING:
    from types_boto3_cloudtrail import CloudTrailClient

ROOT = Path(__file__).parents[2]
SESSION = boto3.Session(aws_access_key_id="AKIAEXAMPLEFAKEOWNER", aws_secret_access_key="fake", region_name="us-east-1")


DENIED = {
    "kind": "error",
    "code": "AccessDeniedException",
    "message": "The role is not authorized to do that, with an explicit deny in a service control policy.",
}
"""A fault of the Lake that no waiting helps against."""

NO_NEW_CUSTOMERS = {
    "kind": "error",
    "operations": ["CreateEventDataStore"],
    "code": "UnsupportedOperationException",
    "message": "CloudTrail Lake is no longer accepting new customers. "
    "Existing customers can continue to use their event data stores.",
}
"""What an account is told that CloudTrail Lake does not take."""


HANDLER = cast("Handler", load_handler(ROOT / "functions/integration/app.py", "handler"))
NewStack = Callable[..., CloudFormation]


def denied(*operations: str, **members: float) -> dict[str, Any]:
    """DENIED for these operations alone, or for all; `members` are others of a rule, `count` or `probability`."""
    return {**DENIED, "operations": list(operations) or None, **members}


def store_of(properties: dict[str, Any], **members: str) -> dict[str, Any]:
    """The properties with these members of the event data store changed."""
    return {**properties, "EventDataStore": {**properties["EventDataStore"], **members}}


class Account:
    """The account as its operator sees it: what there is, and a client to add what the integration finds."""

    def __init__(self, url: str) -> None:
        self.cloudtrail: CloudTrailClient = SESSION.client("cloudtrail", endpoint_url=url)

    def store(self, name: str = "existing", category: str = "ActivityAuditLog", **changes: Any) -> str:
        selectors: Any = [{"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}]}]
        changes = {"MultiRegionEnabled": False, "TerminationProtectionEnabled": True, **changes}
        made = self.cloudtrail.create_event_data_store(Name=name, AdvancedEventSelectors=selectors, **changes)
        return made["EventDataStoreArn"]

    def channel(self, store: str, name: str = "theirs", source: str = "GitHub", **changes: Any) -> str:
        destinations: Any = [{"Type": "EVENT_DATA_STORE", "Location": store}]
        made = self.cloudtrail.create_channel(Name=name, Source=source, Destinations=destinations, **changes)
        return made["ChannelArn"]

    def stores(self) -> dict[str, str]:
        """ARN → status."""
        pages = self._pages(self.cloudtrail.list_event_data_stores)
        return {store["EventDataStoreArn"]: store["Status"] for page in pages for store in page["EventDataStores"]}

    def living_stores(self) -> list[str]:
        return [arn for arn, status in self.stores().items() if status != "PENDING_DELETION"]

    def channels(self) -> list[str]:
        pages = self._pages(self.cloudtrail.list_channels)
        return [channel["ChannelArn"] for page in pages for channel in page["Channels"]]

    def _pages(self, operation: Callable[..., Any]) -> Iterator[Any]:
        page = operation()
        yield page
        while "NextToken" in page:
            page = operation(NextToken=page["NextToken"])
            yield page

    def tags(self, arn: str) -> dict[str, str]:
        listed = self.cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"]
        return {tag["Key"]: tag.get("Value", "") for tag in listed}

    def policy(self, arn: str) -> str | None:
        try:
            return self.cloudtrail.get_resource_policy(ResourceArn=arn)["ResourcePolicy"]
        except self.cloudtrail.exceptions.ResourcePolicyNotFoundException:
            return None

    def snapshot(self) -> dict[str, Any]:
        """All there is, in detail, without stores pending deletion and moments in time."""
        channels: dict[str, Any] = {}
        for arn in self.channels():
            channel = self.cloudtrail.get_channel(Channel=arn)
            channels[arn] = (channel["Name"], channel["Destinations"], self.policy(arn), self.tags(arn))
        stores: dict[str, Any] = {}
        for arn in self.living_stores():
            store: dict[str, Any] = dict(self.cloudtrail.get_event_data_store(EventDataStore=arn))
            for name in ("UpdatedTimestamp", "ResponseMetadata"):
                store.pop(name)
            stores[arn] = (store, self.tags(arn))
        return {**channels, **stores}


class Meanwhile(Faults):
    """The Lake's faults, and something that happens once, just before it takes `operation`."""

    def __init__(self, operation: str, happens: Callable[[], object]) -> None:
        super().__init__()
        self._operation = operation
        self._happens: Callable[[], object] | None = happens

    def before(self, operation: str) -> None:
        if operation == self._operation and self._happens:
            happens, self._happens = self._happens, None
            happens()
        super().before(operation)


class Dying(Faults):
    """The function's process dies after so many `changes`: nothing that it does after that reaches CloudTrail."""

    def __init__(self, changes: int) -> None:
        super().__init__()
        self._changes = changes
        self.died = False

    def before(self, operation: str) -> None:
        if not operation.startswith(("Get", "List")):
            self._changes -= 1
        if self._changes < 0:
            self.died = True
            raise errors.AccessDeniedException(str(DENIED["message"]))


@pytest.fixture
def lake() -> Iterator[LakeServer]:
    with LakeServer(account="111122223333", region="us-east-1") as server:
        yield server


@pytest.fixture
def telling_lake(lake: LakeServer) -> LakeServer:
    """A CloudTrail that tells the tags of a store pending deletion, which the real one may or may not do."""
    registry, whole = lake.lake.registry, lake.lake.operations["ListTags"]

    def list_tags(request: dict[str, Any]) -> dict[str, Any]:
        arn = request["ResourceIdList"][0]
        if arn not in registry.stores:
            return whole(request)
        tags = [{"Key": key, "Value": value} for key, value in registry.stores[arn].tags.items()]
        return {"ResourceTagList": [{"ResourceId": arn, "TagsList": tags}]}

    lake.lake.operations["ListTags"] = list_tags
    return lake


@pytest.fixture
def account(lake: LakeServer) -> Iterator[Account]:
    owner = Account(lake.url)
    yield owner
    owner.cloudtrail.close()


@pytest.fixture(scope="session")
def shared_bucket() -> Iterator[Bucket]:
    with serving_bucket() as bucket:
        yield bucket


@pytest.fixture
def bucket(shared_bucket: Bucket) -> Bucket:
    """The URL for answers, with nothing in it and nothing wrong with it."""
    shared_bucket.answers.clear()
    shared_bucket.attempts, shared_bucket.delay, shared_bucket.statuses, shared_bucket.drips = 0, 0.0, [], 0
    return shared_bucket


@pytest.fixture
def new_stack(lake: LakeServer, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> NewStack:
    """Makes stacks: `new_stack(name=…, logical_id=…)`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", lake.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEFAKEOWNER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def make(**named: str) -> CloudFormation:
        return CloudFormation(HANDLER, bucket, **named)

    return make


@pytest.fixture
def stack(new_stack: NewStack) -> CloudFormation:
    return new_stack()


@pytest.fixture
def github() -> dict[str, Any]:
    """Properties as a template hands them over: everything there, most of it empty."""
    return {
        "Partner": "github",
        "Mode": "",
        "ChannelName": "github",
        "ChannelArn": "",
        "EventDataStoreArns": [""],
        "EventDataStore": {
            "Name": "audit",
            "BillingMode": "EXTENDABLE_RETENTION_PRICING",
            "RetentionPeriodDays": "400",
            "KmsKeyId": "",
        },
        "PrincipalAccountIds": [""],
        "ExternalId": "",
        "Tags": [""],
        "OnDelete": "retain",
        "ShortenRetention": "false",
    }
