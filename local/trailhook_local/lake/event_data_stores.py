"""The operations on event data stores: creation, retention and pricing, deletion with its seven days, restoring."""

from typing import Final

from trailhook_local.lake import errors, paging, tags
from trailhook_local.lake.resources import Document, EventDataStore, Registry, timestamp
from trailhook_local.lake.warehouse import Warehouse

MAX_STORES: Final = 10
MAX_SELECTORS: Final = 5
EXTENDABLE: Final = "EXTENDABLE_RETENTION_PRICING"
FIXED: Final = "FIXED_RETENTION_PRICING"
_DEFAULT_DAYS: Final = {EXTENDABLE: 366, FIXED: 2_557}
_MAX_DAYS: Final = {EXTENDABLE: 3_653, FIXED: 2_557}
_CATEGORIES: Final = frozenset(
    {"Management", "Data", "NetworkActivity", "ConfigurationItem", "Evidence", "ActivityAuditLog", "Insight"}
)
_DEFAULT_SELECTORS: Final = [
    {"Name": "Default management events", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
]
# Ingestion can be stopped and started for AWS's own events only; a channel's events have no such switch.
_STOPPABLE: Final = frozenset({"Management", "Data", "NetworkActivity", "ConfigurationItem"})


class EventDataStores:
    """`start_seconds` is how long a new store stays CREATED before it is ENABLED."""

    def __init__(self, registry: Registry, warehouse: Warehouse) -> None:
        self._registry = registry
        self._warehouse = warehouse
        self.start_seconds = 0.0

    def create_event_data_store(self, request: Document) -> Document:
        self._refuse_taken_name(request["Name"])
        if len(self._registry.stores) >= MAX_STORES:
            raise errors.EventDataStoreMaxLimitExceededException(
                f"The maximum number of event data stores is {MAX_STORES}; those pending deletion count."
            )
        billing = request.get("BillingMode", EXTENDABLE)
        now = self._registry.clock()
        store = EventDataStore(
            arn=self._registry.new_arn("eventdatastore"),
            name=request["Name"],
            selectors=_checked_selectors(request.get("AdvancedEventSelectors") or _DEFAULT_SELECTORS),
            multi_region=request.get("MultiRegionEnabled", True),
            organization=request.get("OrganizationEnabled", False),
            retention=_checked_retention(request.get("RetentionPeriod", _DEFAULT_DAYS[billing]), billing),
            billing=billing,
            protected=request.get("TerminationProtectionEnabled", True),
            ingesting=request.get("StartIngestion", True),
            created=now,
            updated=now,
            starts_at=now + self.start_seconds,
            tags=tags.merged({}, request.get("TagsList", [])),
            kms_key=self._kms_key(request["KmsKeyId"]) if "KmsKeyId" in request else None,
        )
        self._registry.save(store)
        return {**self._described(store), "Status": "CREATED", "TagsList": tags.listed(store.tags)}

    def get_event_data_store(self, request: Document) -> Document:
        return self._described(self._registry.store(request["EventDataStore"]))

    def list_event_data_stores(self, request: Document) -> Document:
        stores = [self._described(store) for store in self._registry.stores.values()]
        for store in stores:
            store.pop("BillingMode")
            store.pop("KmsKeyId", None)
        return paging.page("EventDataStores", stores, request, default=1_000, scope="ListEventDataStores")

    def update_event_data_store(self, request: Document) -> Document:
        store = self._registry.active_store(request["EventDataStore"])
        name = request.get("Name", store.name)
        if name != store.name:
            self._refuse_taken_name(name)
        billing = request.get("BillingMode", store.billing)
        if (store.billing, billing) == (EXTENDABLE, FIXED):
            raise errors.InvalidParameterException("Extendable retention pricing cannot be changed to fixed.")
        retention = _checked_retention(request.get("RetentionPeriod", store.retention), billing)
        selectors = _checked_selectors(request.get("AdvancedEventSelectors", store.selectors))
        kms_key = self._kms_key(request["KmsKeyId"]) if "KmsKeyId" in request else store.kms_key
        if store.kms_key and kms_key != store.kms_key:
            raise errors.InvalidParameterException("The KMS key of an event data store cannot be removed or changed.")
        in_use = any(store.arn in channel.destinations for channel in self._registry.channels.values())
        multi_region = request.get("MultiRegionEnabled", store.multi_region)
        organization = request.get("OrganizationEnabled", store.organization)
        if in_use and (multi_region or organization or selectors != store.selectors):
            raise errors.InvalidParameterException(
                "A channel delivers to this store: it stays as integrations need it."
            )
        shorter = retention < store.retention
        store.name, store.billing, store.retention = name, billing, retention
        store.selectors, store.kms_key = selectors, kms_key
        store.multi_region, store.organization = multi_region, organization
        store.protected = request.get("TerminationProtectionEnabled", store.protected)
        store.updated = self._registry.clock()
        self._registry.save(store)
        if shorter:
            self._warehouse.expire(store.id, days=retention, now=store.updated)
        return self._described(store)

    def delete_event_data_store(self, request: Document) -> Document:
        store = self._registry.active_store(request["EventDataStore"])
        if store.protected:
            raise errors.EventDataStoreTerminationProtectedException(f"{store.arn} is protected from termination.")
        users = [c.name for c in self._registry.channels.values() if store.arn in c.destinations]
        if users:
            raise errors.ChannelExistsForEDSException(f"{store.arn} is the destination of {', '.join(users)}.")
        store.deleted = store.updated = self._registry.clock()
        self._registry.save(store)
        return {}

    def restore_event_data_store(self, request: Document) -> Document:
        store = self._registry.store(request["EventDataStore"])
        if store.deleted is None:
            raise errors.InvalidEventDataStoreStatusException(f"{store.arn} is not pending deletion.")
        store.deleted = None
        store.updated = self._registry.clock()
        self._registry.save(store)
        return self._described(store)

    def start_event_data_store_ingestion(self, request: Document) -> Document:
        return self._switch(request, ingesting=True)

    def stop_event_data_store_ingestion(self, request: Document) -> Document:
        return self._switch(request, ingesting=False)

    def _switch(self, request: Document, *, ingesting: bool) -> Document:
        store = self._registry.store(request["EventDataStore"])
        if not store.categories <= _STOPPABLE:
            raise errors.InvalidEventDataStoreCategoryException(
                "Ingestion of these events can be neither stopped nor started."
            )
        if store.deleted is not None or store.ingesting == ingesting:
            raise errors.InvalidEventDataStoreStatusException(f"{store.arn} is {self._registry.status(store)}.")
        store.ingesting = ingesting
        self._registry.save(store)
        return {}

    def _refuse_taken_name(self, name: str) -> None:
        if any(store.name == name for store in self._registry.stores.values()):
            raise errors.EventDataStoreAlreadyExistsException(f"An event data store named {name} already exists.")

    def _kms_key(self, key: str) -> str:
        """The key as an ARN, which is the form that CloudTrail answers with."""
        prefix = f"arn:aws:kms:{self._registry.region}:"
        if key.startswith("arn:"):
            if not key.startswith(prefix):
                raise errors.InvalidKmsKeyIdException(f"The KMS key must be of the Region {self._registry.region}.")
            return key
        return f"{prefix}{self._registry.account}:{key if key.startswith('alias/') else 'key/' + key}"

    def _described(self, store: EventDataStore) -> Document:
        return {
            "EventDataStoreArn": store.arn,
            "Name": store.name,
            "Status": self._registry.status(store),
            "AdvancedEventSelectors": store.selectors,
            "MultiRegionEnabled": store.multi_region,
            "OrganizationEnabled": store.organization,
            "RetentionPeriod": store.retention,
            "TerminationProtectionEnabled": store.protected,
            "CreatedTimestamp": timestamp(store.created),
            "UpdatedTimestamp": timestamp(store.updated),
            "BillingMode": store.billing,
            **({"KmsKeyId": store.kms_key} if store.kms_key else {}),
        }


def _checked_retention(days: int, billing: str) -> int:
    if days > _MAX_DAYS[billing]:
        raise errors.InvalidParameterException(
            f"The retention period under {billing} is 7 to {_MAX_DAYS[billing]} days."
        )
    return days


def _checked_selectors(selectors: list[Document]) -> list[Document]:
    if not 1 <= len(selectors) <= MAX_SELECTORS:
        raise errors.InvalidEventSelectorsException(f"Give 1 to {MAX_SELECTORS} advanced event selectors.")
    for selector in selectors:
        conditions = {condition["Field"]: condition for condition in selector["FieldSelectors"]}
        category = conditions.get("eventCategory", {})
        if set(category) != {"Field", "Equals"} or not set(category["Equals"]) <= _CATEGORIES:
            raise errors.InvalidEventSelectorsException(
                f"Each selector needs eventCategory with Equals out of {', '.join(sorted(_CATEGORIES))}."
            )
        if category["Equals"] == ["ActivityAuditLog"] and len(conditions) > 1:
            raise errors.InvalidEventSelectorsException("ActivityAuditLog takes no field besides eventCategory.")
    return selectors
