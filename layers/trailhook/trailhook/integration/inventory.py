"""A channel and an event data store, made from what CloudTrail tells of them.

AWS pages: "GetChannel", "GetEventDataStore", CloudTrail API Reference.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

ACTIVITY = "ActivityAuditLog"
ENABLED = "ENABLED"
PENDING_DELETION = "PENDING_DELETION"
_LEFTOVER_FOR = timedelta(hours=2)
"""CloudFormation waits an hour at most for an answer, and then rolls back. What it rolls back is not older than that;
what is older may have been used by others meanwhile."""


class Channel(Struct, frozen=True):
    """A channel; `stores` are the ARNs of its destinations, `ingestion` tells the last events' moments and ids."""

    arn: str
    name: str
    source: str
    stores: tuple[str, ...]
    ingestion: Mapping[str, Any]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Channel":
        """The channel of GetChannel's answer."""
        stores = tuple(destination["Location"] for destination in found.get("Destinations") or ())
        return cls(found["ChannelArn"], found["Name"], found["Source"], stores, found.get("IngestionStatus") or {})

    @property
    def ingested(self) -> datetime | None:
        """When somebody last put events, or tried to; None: never."""
        moments = map(self.ingestion.get, ("LatestIngestionSuccessTime", "LatestIngestionAttemptTime"))
        return max((moment for moment in moments if moment), default=None)


class EventDataStore(Struct, frozen=True):
    """An event data store. `categories` are the values of eventCategory that its selectors let in."""

    arn: str
    name: str
    status: str
    categories: frozenset[str]
    multi_region: bool
    organization: bool
    retention_days: int
    billing_mode: str
    kms_key: str | None
    protected: bool
    created: datetime | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "EventDataStore":
        """The event data store of GetEventDataStore's answer."""
        categories = {
            category
            for selector in found.get("AdvancedEventSelectors") or ()
            for field in selector["FieldSelectors"]
            if field["Field"] == "eventCategory"
            for category in field.get("Equals") or ()
        }
        return cls(
            arn=found["EventDataStoreArn"],
            name=found["Name"],
            status=found["Status"],
            categories=frozenset(categories),
            multi_region=bool(found.get("MultiRegionEnabled")),
            organization=bool(found.get("OrganizationEnabled")),
            retention_days=int(found.get("RetentionPeriod") or 0),
            billing_mode=str(found.get("BillingMode") or ""),
            kms_key=found.get("KmsKeyId") or None,
            protected=bool(found.get("TerminationProtectionEnabled")),
            created=found.get("CreatedTimestamp"),
        )

    def faults(self) -> Iterator[str]:
        """One sentence for each reason why no channel can deliver to it."""
        if self.categories != {ACTIVITY}:
            collects = ", ".join(sorted(self.categories)) or "nothing"
            yield f"{self.arn} collects {collects}; it must collect eventCategory {ACTIVITY} and nothing else."
        if self.multi_region:
            yield f"{self.arn} is multi-Region; a channel needs a single-Region event data store."
        if self.organization:
            yield f"{self.arn} belongs to an organization; a channel needs one of this account alone."

    def why_it_stays(self, user: str | None, channels: Iterable[Channel] | None, now: datetime) -> str | None:
        """What keeps it from being deleted, as the end of a sentence; None if it may go.

        `user` is a channel that delivers to it, if one does. It stays, too, if it may hold events of these channels;
        where they are None it goes, whatever it holds.
        """
        if user:
            return f"the channel {user} delivers to it"
        if channels is not None and self.may_hold_events_of(channels, now):
            return "events may have come to it"
        return None

    def may_hold_events_of(self, channels: Iterable[Channel], now: datetime) -> bool:
        """Whether events may have come to it: one of the channels took some since the store was made, or it is so old
        that a channel that did may be gone. CloudTrail may tell times in whole seconds.
        """
        moments = [channel.ingested for channel in channels if channel.ingested]
        if self.created is None:
            return bool(moments)
        second = self.created.replace(microsecond=0)
        return now - self.created > _LEFTOVER_FOR or any(moment >= second for moment in moments)
