"""Making the event data store of an integration, or taking our own one back, and waiting until it is ENABLED."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from trailhook.errors import InTheWay
from trailhook.integration.control_plane import LOOKS, ControlPlane, as_list
from trailhook.integration.creation import Creation
from trailhook.integration.inventory import ACTIVITY, ENABLED, PENDING_DELETION, EventDataStore
from trailhook.integration.ownership import KMS_ALIAS, MADE_BY_UPDATE, is_unconfirmed
from trailhook.integration.properties import DEFAULT_RETENTION_DAYS, Integration, NewStore, former_tags
from trailhook.integration.removal import discard_store
from trailhook.integration.request import Request
from trailhook.integration.tagging import converge_tags
from trailhook.integration.undo import Undo

_ON_THE_WAY = frozenset({"CREATED", "STARTING_INGESTION"})


class Stores(Struct, frozen=True):
    """The destinations; for a store of ours `retention_days`, and `new_retention` if it is still to be set.

    `unconfirmed`: it carries the mark of an Update of which CloudFormation has not heard.
    """

    arns: tuple[str, ...]
    retention_days: int | None = None
    new_retention: int | None = None
    unconfirmed: bool = False
    report: str = ""


class StoreBuilder:
    """Makes or takes the stores of one request, which asks for what is `wanted`.

    `events_came`: whether what is taken back may hold evidence.
    """

    def __init__(
        self,
        plane: ControlPlane,
        undo: Undo,
        request: Request,
        wanted: Integration,
        events_came: Callable[[ControlPlane], bool],
    ) -> None:
        self._plane = plane
        self._undo = undo
        self._owner = request.owner
        self._request = request
        self._wanted = wanted
        self._events_came = events_came

    def carry_out(self, found: EventDataStore | None) -> Stores:
        """`found`: the wanted store where it is there already."""
        store = self._wanted.store
        if store is None:
            return Stores(self._wanted.store_arns)
        return self._take(found, store) if found else self._create(store)

    def _create(self, store: NewStore) -> Stores:
        days = store.retention_days or DEFAULT_RETENTION_DAYS[store.billing_mode]

        def create() -> str:
            return self._plane.create_store(
                Name=store.name,
                AdvancedEventSelectors=[
                    {
                        "Name": "Activity events of the integration",
                        "FieldSelectors": [{"Field": "eventCategory", "Equals": [ACTIVITY]}],
                    }
                ],
                MultiRegionEnabled=False,
                OrganizationEnabled=False,
                BillingMode=store.billing_mode,
                RetentionPeriod=days,
                TerminationProtectionEnabled=True,
                TagsList=as_list({**self._wanted.tags, **self._owner.tags, **self._marks(store)}),
                **({"KmsKeyId": store.kms_key} if store.kms_key else {}),
            )

        def find(plane: ControlPlane) -> str | None:
            ours = (
                arn
                for arn, name in plane.store_arns().items()
                if name == store.name and self._owner.made_now(plane.tags(arn))
            )
            return next(ours, None)

        def discard(plane: ControlPlane, arn: str) -> None:
            self._discard(plane, arn, store.name)

        creation = Creation(create, find, discard)
        arn = creation.carry_out(self._plane, self._undo, f"the event data store {store.name}")
        self._wait_until_enabled(arn, store.name)
        return Stores((arn,), retention_days=days, unconfirmed=self._request.is_update)

    def _marks(self, store: NewStore) -> dict[str, str]:
        marks = {KMS_ALIAS: store.kms_alias} if store.kms_alias else {}
        return {**marks, MADE_BY_UPDATE: self._request.request_id} if self._request.is_update else marks

    def _take(self, found: EventDataStore, store: NewStore) -> Stores:
        """Make our own store what is wanted, but for its retention."""
        if found.status == PENDING_DELETION:
            self._undo.note(
                f"the restored event data store {store.name}",
                lambda late: self._discard(late, found.arn, found.name, keep_name=True),
            )
            self._plane.restore_store(found.arn)
        if found.status != ENABLED:
            self._wait_until_enabled(found.arn, store.name)
        changes: dict[str, object] = {}
        if store.name != found.name:
            changes["Name"] = store.name
            self._undo.note(
                f"the name of the event data store {found.name}",
                lambda late: late.update_store(found.arn, Name=found.name),
            )
        if not found.protected:
            changes["TerminationProtectionEnabled"] = True
        if changes:
            self._plane.update_store(found.arn, **changes)
        existing = self._plane.tags(found.arn)
        former = former_tags(self._request.old_properties)
        converge_tags(self._plane, self._undo, found.arn, existing=existing, wanted=self._wanted.tags, former=former)
        stores = Stores((found.arn,), retention_days=found.retention_days, unconfirmed=is_unconfirmed(existing))
        days = store.retention_days or found.retention_days
        if days == found.retention_days:
            return stores
        if days > found.retention_days or self._wanted.shorten_retention:
            return replace(stores, retention_days=days, new_retention=days)
        return replace(
            stores,
            report=f"The event data store {store.name} keeps its retention of {found.retention_days} days instead of "
            f"{days}, because a shorter one deletes older events at once: set ShortenRetention to true to allow that.",
        )

    def _discard(self, plane: ControlPlane, arn: str, name: str, *, keep_name: bool = False) -> None:
        """Raises InTheWay where the store stays, because events may have come to it meanwhile."""
        if self._events_came(plane):
            if self._request.type == "Create":  # whose Delete takes what has exactly this stack's tags
                plane.add_tags(arn, self._owner.retained_tags)
            raise InTheWay("events may have come to it")
        discard_store(plane, arn, name, keep_name=keep_name)

    def _wait_until_enabled(self, arn: str, name: str) -> None:
        """Raises InTheWay where the store will not become ENABLED by itself, OutOfTime where it takes too long."""
        attempt = 0
        while True:
            store = self._plane.store(arn)
            status = store.status if store else "gone"
            if status == ENABLED:
                return
            # What was created or restored a moment ago may still be shown with its former status, or not at all.
            if status not in _ON_THE_WAY and attempt >= LOOKS:
                raise InTheWay(f"The event data store {name} ({arn}) is {status} and not ENABLED.")
            self._plane.pause(attempt, f"the event data store {name} to be ENABLED; it is {status}")
            attempt += 1
