"""The operations on channels, by the rules of the CloudTrail User Guide and of "Quotas in AWS CloudTrail"."""

from typing import Final

from trailhook_local.lake import errors, paging, tags
from trailhook_local.lake.catalogue import SOURCES
from trailhook_local.lake.resources import Channel, Document, Registry, timestamp

MAX_CHANNELS: Final = 25


class Channels:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def create_channel(self, request: Document) -> Document:
        if request["Source"] not in SOURCES:
            raise errors.InvalidSourceException(
                f"{request['Source']} is not a source of the catalogue; use Custom for anything outside it."
            )
        channels = self._registry.channels.values()
        if any(channel.source == request["Source"] for channel in channels):
            raise errors.ChannelAlreadyExistsException(
                f"A channel with the source {request['Source']} already exists; one per source is allowed."
            )
        self._refuse_taken_name(request["Name"])
        if len(channels) >= MAX_CHANNELS:
            raise errors.ChannelMaxLimitExceededException(f"The maximum number of channels is {MAX_CHANNELS}.")
        destinations = self._destinations(request["Destinations"])
        channel = Channel(
            arn=self._registry.new_arn("channel"),
            name=request["Name"],
            source=request["Source"],
            destinations=destinations,
            tags=tags.merged({}, request.get("Tags", [])),
        )
        self._registry.save(channel)
        return {**_described(channel), "Tags": tags.listed(channel.tags)}

    def get_channel(self, request: Document) -> Document:
        channel = self._registry.channel(request["Channel"])
        status = {k: timestamp(v) if k.endswith("Time") else v for k, v in channel.ingestion.items()}
        return {
            **_described(channel),
            "SourceConfig": {"ApplyToAllRegions": False},
            "IngestionStatus": status,
        }

    def list_channels(self, request: Document) -> Document:
        channels = [{"ChannelArn": c.arn, "Name": c.name} for c in self._registry.channels.values()]
        return paging.page("Channels", channels, request, default=1_000, scope="ListChannels")

    def update_channel(self, request: Document) -> Document:
        channel = self._registry.channel(request["Channel"])
        name = request.get("Name", channel.name)
        if name != channel.name:
            self._refuse_taken_name(name)
        if "Destinations" in request:
            channel.destinations = self._destinations(request["Destinations"])
        channel.name = name
        self._registry.save(channel)
        return _described(channel)

    def delete_channel(self, request: Document) -> Document:
        self._registry.remove_channel(self._registry.channel(request["Channel"]))
        return {}

    def _refuse_taken_name(self, name: str) -> None:
        if any(channel.name == name for channel in self._registry.channels.values()):
            raise errors.ChannelAlreadyExistsException(f"A channel named {name} already exists.")

    def _destinations(self, destinations: list[Document]) -> list[str]:
        """The ARNs of event data stores that can take a channel's events; raises the reason why one cannot."""
        arns: list[str] = []
        for destination in destinations:
            if destination["Type"] != "EVENT_DATA_STORE":
                raise errors.InvalidParameterException("The destination of an integration is of type EVENT_DATA_STORE.")
            if not destination["Location"].startswith("arn:"):
                raise errors.EventDataStoreARNInvalidException("A destination is named by its ARN.")
            store = self._registry.active_store(destination["Location"])
            if store.categories != {"ActivityAuditLog"}:
                raise errors.InvalidEventDataStoreCategoryException(
                    f"{store.arn} must collect eventCategory ActivityAuditLog and nothing else."
                )
            if store.multi_region or store.organization:
                raise errors.InvalidParameterException(
                    f"{store.arn} must be a single-Region event data store of this account alone."
                )
            status = self._registry.status(store)
            if status != "ENABLED":
                raise errors.InactiveEventDataStoreException(f"{store.arn} is {status}; a destination must be ENABLED.")
            if store.arn in arns:
                raise errors.InvalidParameterException(f"{store.arn} is given twice.")
            arns.append(store.arn)
        return arns


def _described(channel: Channel) -> Document:
    return {
        "ChannelArn": channel.arn,
        "Name": channel.name,
        "Source": channel.source,
        "Destinations": [{"Type": "EVENT_DATA_STORE", "Location": arn} for arn in channel.destinations],
    }
