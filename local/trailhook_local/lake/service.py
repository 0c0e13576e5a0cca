"""The Lake itself, without the wire: one account and Region, its operations by name, its faults and its counts."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from botocore import xform_name

from trailhook_local.lake import errors, model
from trailhook_local.lake.channels import Channels
from trailhook_local.lake.event_data_stores import EventDataStores
from trailhook_local.lake.faults import Faults
from trailhook_local.lake.ingestion import Ingestion
from trailhook_local.lake.policies import ResourcePolicies
from trailhook_local.lake.queries import Queries
from trailhook_local.lake.rates import RateLimits
from trailhook_local.lake.resources import Document, Registry
from trailhook_local.lake.tags import Tags
from trailhook_local.lake.warehouse import Warehouse

Operation = Callable[[Document], Document]

PUT: Final = "PutAuditEvents"
_OPERATIONS: Final[Mapping[type, tuple[str, ...]]] = {
    Channels: ("CreateChannel", "GetChannel", "ListChannels", "UpdateChannel", "DeleteChannel"),
    EventDataStores: (
        "CreateEventDataStore",
        "GetEventDataStore",
        "ListEventDataStores",
        "UpdateEventDataStore",
        "DeleteEventDataStore",
        "RestoreEventDataStore",
        "StartEventDataStoreIngestion",
        "StopEventDataStoreIngestion",
    ),
    ResourcePolicies: ("PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy"),
    Tags: ("AddTags", "ListTags", "RemoveTags"),
    Queries: ("StartQuery", "DescribeQuery", "GetQueryResults", "CancelQuery", "ListQueries"),
}


class Lake:
    """`directory` None keeps everything in memory. `clock` gives epoch seconds.

    Where the documentation leaves an answer open, any of the `operations` can be replaced, to answer in another way.
    """

    def __init__(
        self,
        *,
        account: str,
        region: str,
        directory: Path | None,
        clock: Callable[[], float],
    ) -> None:
        self.account = account
        self.region = region
        self.faults = Faults([PUT, *(name for names in _OPERATIONS.values() for name in names)])
        self.rates = RateLimits(clock)
        self._counts: dict[str, Counter[str]] = {}
        self._counting = threading.Lock()
        self._warehouse = Warehouse(directory)
        self.registry = Registry(account, region, self._warehouse, clock)
        self.event_data_stores = EventDataStores(self.registry, self._warehouse)
        self._queries = Queries(self.registry, self._warehouse)
        self._ingestion = Ingestion(
            self.registry, self._warehouse, self.faults, lambda outcomes: self.count("entries", *outcomes)
        )
        subjects = (
            Channels(self.registry),
            self.event_data_stores,
            ResourcePolicies(self.registry),
            Tags(self.registry),
            self._queries,
        )
        self.operations: dict[str, Operation] = {
            name: getattr(subject, xform_name(name)) for subject in subjects for name in _OPERATIONS[type(subject)]
        }

    def close(self) -> None:
        self._queries.close()
        self._warehouse.close()

    def call(self, service: str, operation: str, parameters: Document, caller: str) -> Document:
        """Run one operation for the account `caller`; raises LakeError, or ConnectionDroppedError for a fault."""
        self.rates.take(operation)
        self.faults.before(operation)
        model.validate(service, operation, parameters)
        given = {name: value for name, value in parameters.items() if value is not None}
        answer = self._run(operation, given, caller)
        self.faults.after(operation)
        return answer

    def stats(self) -> Document:
        """`{"requests": {operation: {outcome: n}}, "entries": {outcome: n}, "stores": {id: events ever written}}`."""
        with self._counting:
            counts = {name: dict(counter) for name, counter in self._counts.items()}
        with self.registry.lock:
            stores = {store.id: self._warehouse.volume([store.id])[0] for store in self.registry.stores.values()}
        return {"entries": counts.pop("entries", {}), "requests": counts, "stores": stores}

    def _run(self, operation: str, parameters: Document, caller: str) -> Document:
        if operation == PUT:
            return self._ingestion.put_audit_events(parameters, caller)
        if caller != self.account:
            raise errors.AccessDeniedException(f"Account {caller} may not perform cloudtrail:{operation} here.")
        if operation not in self.operations:
            raise errors.UnsupportedOperationException(f"This Lake has no {operation}.")
        with self.registry.lock:
            return self.operations[operation](parameters)

    def count(self, name: str, *outcomes: str) -> None:
        """Add outcomes to what `stats` tells: of an operation by its name, or of "entries"."""
        with self._counting:
            self._counts.setdefault(name, Counter()).update(outcomes)
