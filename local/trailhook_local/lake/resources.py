"""Channels and event data stores: what they are, how they are found, and that they outlive the process."""

import dataclasses
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trailhook_local.lake import errors
from trailhook_local.lake.warehouse import Warehouse

SECONDS_A_DAY = 86_400
PENDING_DELETION_DAYS = 7
Document = dict[str, Any]
"""What an operation is asked with, or answers."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(slots=True)
class Channel:
    arn: str
    name: str
    source: str
    destinations: list[str]
    tags: dict[str, str]
    policy: str | None = None
    ingestion: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class EventDataStore:
    """`starts_at` is the moment from which a store that was asked to ingest is ENABLED; times are epoch seconds."""

    arn: str
    name: str
    selectors: list[dict[str, Any]]
    multi_region: bool
    organization: bool
    retention: int
    billing: str
    protected: bool
    ingesting: bool
    created: float
    updated: float
    starts_at: float
    tags: dict[str, str]
    kms_key: str | None = None
    deleted: float | None = None

    @property
    def id(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def categories(self) -> set[str]:
        """The values of `eventCategory` over all selectors."""
        return {
            value
            for selector in self.selectors
            for condition in selector["FieldSelectors"]
            if condition["Field"] == "eventCategory"
            for value in condition["Equals"]
        }

    def status(self, now: float) -> str:
        if self.deleted is not None:
            return "PENDING_DELETION"
        if not self.ingesting:
            return "STOPPED_INGESTION"
        return "ENABLED" if now >= self.starts_at else "CREATED"


def timestamp(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Registry:
    """All resources of the one account and Region, kept in memory and written through to the warehouse.

    `lock` is held by whoever reads and then changes. `clock` gives epoch seconds.
    """

    def __init__(self, account: str, region: str, warehouse: Warehouse, clock: Callable[[], float]) -> None:
        self.account = account
        self.region = region
        self.clock = clock
        self.lock = threading.RLock()
        self._warehouse = warehouse
        self.channels = {d["arn"]: Channel(**d) for d in warehouse.load("channel")}
        self._stores = {d["arn"]: EventDataStore(**d) for d in warehouse.load("eventdatastore")}

    def new_arn(self, kind: str) -> str:
        return f"arn:aws:cloudtrail:{self.region}:{self.account}:{kind}/{uuid.uuid4()}"

    def save(self, resource: Channel | EventDataStore) -> None:
        if isinstance(resource, Channel):
            self.channels[resource.arn] = resource
            self._warehouse.save("channel", resource.arn, dataclasses.asdict(resource))
        else:
            if resource.arn not in self._stores:
                self._warehouse.create_store(resource.id)
            self._stores[resource.arn] = resource
            self._warehouse.save("eventdatastore", resource.arn, dataclasses.asdict(resource))

    def remove_channel(self, channel: Channel) -> None:
        del self.channels[channel.arn]
        self._warehouse.remove("channel", channel.arn)

    @property
    def stores(self) -> dict[str, EventDataStore]:
        """The event data stores by ARN, without those whose seven days of pending deletion are over."""
        oldest = self.clock() - PENDING_DELETION_DAYS * SECONDS_A_DAY
        for store in [s for s in self._stores.values() if s.deleted is not None and s.deleted < oldest]:
            del self._stores[store.arn]
            self._warehouse.remove("eventdatastore", store.arn)
            self._warehouse.drop_store(store.id)
        return self._stores

    def channel(self, arn_or_id: str) -> Channel:
        """Raises ChannelARNInvalidException, ChannelNotFoundException."""
        arn = self._arn(arn_or_id, "channel")
        if arn is None:
            raise errors.ChannelARNInvalidException(f"{arn_or_id} is neither the ARN nor the id of a channel.")
        if arn not in self.channels:
            raise errors.ChannelNotFoundException(f"There is no channel {arn} in this account and Region.")
        return self.channels[arn]

    def store(self, arn_or_id: str) -> EventDataStore:
        """Raises EventDataStoreARNInvalidException, EventDataStoreNotFoundException."""
        arn = self._arn(arn_or_id, "eventdatastore")
        if arn is None:
            raise errors.EventDataStoreARNInvalidException(
                f"{arn_or_id} is neither the ARN nor the id of an event data store of this account."
            )
        if arn not in self.stores:
            raise errors.EventDataStoreNotFoundException(f"There is no event data store {arn} in this Region.")
        return self.stores[arn]

    def active_store(self, arn_or_id: str) -> EventDataStore:
        """Like `store`; raises InactiveEventDataStoreException for one that is pending deletion."""
        store = self.store(arn_or_id)
        if store.deleted is not None:
            raise errors.InactiveEventDataStoreException(f"The event data store {store.arn} is pending deletion.")
        return store

    def status(self, store: EventDataStore) -> str:
        return store.status(self.clock())

    def _arn(self, arn_or_id: str, kind: str) -> str | None:
        """The full ARN of `kind`, or None when the text can be neither its ARN nor its id."""
        prefix, _, suffix = arn_or_id.rpartition("/")
        if not _UUID.fullmatch(suffix):
            return None
        if prefix == "" or re.fullmatch(rf"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:{self.account}:{kind}", prefix):
            return arn_or_id if prefix else f"arn:aws:cloudtrail:{self.region}:{self.account}:{kind}/{suffix}"
        return None
