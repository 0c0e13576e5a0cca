"""The event data stores behind a channel: given ones are verified, the one that is described is found or to be made.

Here it is only read and refused; nothing is touched before everything is known to fit.
"""

from collections.abc import Iterator

from trailhook.errors import InTheWay, OwnershipUnknown
from trailhook.integration.control_plane import ControlPlane
from trailhook.integration.inventory import ENABLED, PENDING_DELETION, Channel, EventDataStore
from trailhook.integration.ownership import KMS_ALIAS
from trailhook.integration.properties import EXTENDABLE, LONGEST_RETENTION_DAYS, Integration, NewStore, store_member
from trailhook.integration.request import Request


class StoreFinder:
    """Finds out what there is, for one request."""

    def __init__(self, plane: ControlPlane, request: Request) -> None:
        self._plane = plane
        self._owner = request.owner
        self._place = request.place
        self._former = request.old_properties

    def find(self, wanted: Integration, current: Channel | None) -> EventDataStore | None:
        """The wanted store where it is there already. Raises InTheWay with a sentence for each fault."""
        found = None
        if wanted.store is None:
            faults = [fault for arn in wanted.store_arns for fault in self._faults_of_given(arn)]
        else:
            found = self._named(wanted.store.name) or self._current(current)
            faults = [*found.faults(), *self._unchangeable(found, wanted.store)] if found else []
        if faults:
            raise InTheWay(" ".join(faults))
        return found

    def _faults_of_given(self, arn: str) -> Iterator[str]:
        store = self._plane.store(arn)
        if store is None:
            yield f"EventDataStoreArns: there is no event data store {arn}."
            return
        if store.status != ENABLED:
            yield f"EventDataStoreArns: {arn} is {store.status}, and a channel needs it to be ENABLED."
        yield from store.faults()

    def _named(self, name: str) -> EventDataStore | None:
        """Our own store of that name, also from before. Raises InTheWay for one that is not provably ours."""
        named = (arn for arn, its_name in self._plane.store_arns().items() if its_name == name)
        arn = next(filter(self._place.holds, named), None)
        store = self._plane.store(arn) if arn else None
        if store is None:
            return None
        try:
            tags = self._plane.tags(store.arn)
        except OwnershipUnknown as error:
            raise InTheWay(_pending_stranger(store, "CloudTrail does not tell whose it is")) from error
        if self._owner.made(tags):
            return store
        if store.status == PENDING_DELETION:
            raise InTheWay(_pending_stranger(store, "this stack did not make it"))
        raise InTheWay(
            f"The event data store {name} exists and is not this stack's: set EventDataStoreArns to {store.arn} to use "
            "it, or choose another EventDataStore.Name."
        )

    def _current(self, channel: Channel | None) -> EventDataStore | None:
        """Our own store behind the channel: a new EventDataStore.Name renames it."""
        for arn in channel.stores if channel else ():
            if self._owner.made(self._plane.tags(arn)):
                return self._plane.store(arn)
        return None

    def _unchangeable(self, store: EventDataStore, wanted: NewStore) -> Iterator[str]:
        command = f"aws cloudtrail update-event-data-store --event-data-store {store.arn}"
        here = f"The event data store {store.name}"
        if not self._asked_before("KmsKeyId", wanted.kms_key) and not self._has_key(store, wanted):
            if store.kms_key:
                yield (
                    f"{here} is encrypted with {store.kms_key}, and CloudTrail never changes or removes its key: set "
                    "EventDataStore.KmsKeyId to that key."
                )
            else:
                yield (
                    f"{here} has no KMS key, and a rollback could not take one away again: run `{command} "
                    f"--kms-key-id {wanted.kms_key}`, set EventDataStore.KmsKeyId to the key in its answer and "
                    "deploy again, or leave EventDataStore.KmsKeyId empty."
                )
        if not self._asked_before("BillingMode", wanted.billing_mode) and wanted.billing_mode != store.billing_mode:
            if store.billing_mode == EXTENDABLE:
                yield (
                    f"{here} has {store.billing_mode}, which CloudTrail never changes back: set "
                    f"EventDataStore.BillingMode to {store.billing_mode}."
                )
            else:
                yield (
                    f"{here} has {store.billing_mode}, and a rollback could not undo the change: run `{command} "
                    f"--billing-mode {wanted.billing_mode}` and deploy again, or set EventDataStore.BillingMode to "
                    f"{store.billing_mode}."
                )
        longest = LONGEST_RETENTION_DAYS.get(store.billing_mode, LONGEST_RETENTION_DAYS[EXTENDABLE])
        if (wanted.retention_days or 0) > longest:
            yield f"EventDataStore.RetentionPeriodDays must be 7 to {longest} days under {store.billing_mode}."

    def _asked_before(self, member: str, value: str | None) -> bool:
        """Whether the former properties asked for the same: then this asks for no change, and none is refused."""
        return store_member(self._former, "Name") is not None and store_member(self._former, member) == value

    def _has_key(self, store: EventDataStore, wanted: NewStore) -> bool:
        """Whether that is the store's key already. Behind an alias it is the one that the store was made with."""
        asked, there = self._key_arn(wanted.kms_key), self._key_arn(store.kms_key)
        if not wanted.kms_alias or there is None or ":alias/" in there:
            return asked == there
        return asked == self._key_arn(self._plane.tags(store.arn).get(KMS_ALIAS))

    def _key_arn(self, key: str | None) -> str | None:
        """The form in which CloudTrail tells a key, so that an id equals its ARN."""
        if key is None or key.startswith("arn:"):
            return key
        return self._place.arn("kms", key if key.startswith("alias/") else f"key/{key}")


def _pending_stranger(store: EventDataStore, because: str) -> str:
    return (
        f"The event data store {store.name} ({store.arn}) is pending deletion, and is not restored because "
        f"{because}: choose another EventDataStore.Name, or run `aws cloudtrail restore-event-data-store "
        f"--event-data-store {store.arn}` and set EventDataStoreArns to it."
    )
