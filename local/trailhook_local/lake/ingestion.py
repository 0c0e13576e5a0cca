"""PutAuditEvents: a batch is admitted or refused as a whole, then each entry stands for itself."""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from trailhook_local.lake import audit_event, errors, policies
from trailhook_local.lake.faults import Faults
from trailhook_local.lake.resources import Channel, Document, Registry
from trailhook_local.lake.warehouse import Warehouse

_CHANNEL_ARN = re.compile(r"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:\d{12}:channel/[0-9a-f-]{36}")


class Ingestion:
    """`count_entries` hears of each batch: per entry "accepted", or its error code."""

    def __init__(
        self, registry: Registry, warehouse: Warehouse, faults: Faults, count_entries: Callable[[list[str]], None]
    ) -> None:
        self._registry = registry
        self._warehouse = warehouse
        self._faults = faults
        self._count_entries = count_entries

    def put_audit_events(self, request: Document, caller: str) -> Document:
        """`{successful: [{id, eventID}], failed: [{id, errorCode, errorMessage}]}`, durable once returned."""
        channel = self._channel(request["channelArn"])
        policies.admit(channel, owner=self._registry.account, caller=caller, external_id=request.get("externalId"))
        entries = request["auditEvents"]
        ids = [entry["id"] for entry in entries]
        if len(set(ids)) != len(ids):
            raise errors.DuplicatedAuditEventId("Two or more entries in the request have the same event ID.")
        now = self._registry.clock()
        rows: list[Document] = []
        successful: list[Document] = []
        failed: list[Document] = []
        status: Document = {"LatestIngestionAttemptTime": now}
        size = 0
        for entry in entries:
            # CloudTrail does not recognise an event that it has seen before: each acceptance is a new event.
            event_id = str(uuid.uuid4())
            status["LatestIngestionAttemptEventID"] = event_id
            try:
                rows.append(self._row(entry, event_id, channel, now))
            except errors.EntryRejectedError as error:
                failed.append({"id": entry["id"], "errorCode": error.code, "errorMessage": str(error)[:1_024]})
                status["LatestIngestionErrorCode"] = error.code
            else:
                successful.append({"id": entry["id"], "eventID": event_id})
                status |= {"LatestIngestionSuccessTime": now, "LatestIngestionSuccessEventID": event_id}
                size += len(entry["eventData"])
        with self._registry.lock:
            if channel.arn not in self._registry.channels:
                raise errors.ChannelNotFound("The channel was deleted meanwhile.")
            if rows:
                self._warehouse.append([arn.rpartition("/")[2] for arn in channel.destinations], rows, size)
            channel.ingestion |= status
            self._registry.save(channel)
        self._count_entries(["accepted"] * len(successful) + [entry["errorCode"] for entry in failed])
        return {"successful": successful, "failed": failed}

    def _channel(self, arn: str) -> Channel:
        if not _CHANNEL_ARN.fullmatch(arn):
            raise errors.InvalidChannelARN(f"{arn} is not a channel ARN.")
        with self._registry.lock:
            channel = self._registry.channels.get(arn)
        if channel is None:
            raise errors.ChannelNotFound(f"The channel {arn} could not be found.")
        return channel

    def _row(self, entry: Mapping[str, str], event_id: str, channel: Channel, now: float) -> Document:
        """The event wrapped as a query sees it; raises EntryRejectedError."""
        audit_event.check_size_and_checksum(entry["eventData"], entry.get("eventDataChecksum"))
        columns = audit_event.to_columns(entry["eventData"], owner=self._registry.account)
        self._faults.reject_entry(entry["id"], columns["uid"])
        return {
            "eventversion": "1.0",
            "eventcategory": "ActivityAuditLog",
            "eventtype": "ActivityLog",
            "eventid": event_id,
            "eventtime": columns["eventtime"],
            "awsregion": self._registry.region,
            "recipientaccountid": self._registry.account,
            "metadata": {
                "ingestiontime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
                "channelarn": channel.arn,
            },
            "eventdata": columns,
        }
