"""CloudTrail Lake as a destination: PutAuditEvents, and what each of its answers means.

AWS page: "PutAuditEvents", CloudTrail Data Service API Reference. HTTP 200 may still carry failures.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from trailhook.batch import Entry
from trailhook.destination import DELIVERED, Disposition, Outcome

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_cloudtrail_data.client import CloudTrailDataServiceClient

ENTRY_CODES: Mapping[str, Disposition] = MappingProxyType(
    {
        "FieldTooLong": Disposition.QUARANTINE,
        "FieldNotFound": Disposition.QUARANTINE,
        "InvalidChecksum": Disposition.QUARANTINE,
        "InvalidData": Disposition.QUARANTINE,
        "InvalidRecipient": Disposition.QUARANTINE,
        "InvalidEventSource": Disposition.QUARANTINE,
        "AccountNotSubscribed": Disposition.CONFIGURATION,
        "Throttling": Disposition.RETRY,
        "InternalFailure": Disposition.RETRY,
    }
)
REQUEST_CODES: Mapping[str, Disposition] = MappingProxyType(
    {
        "ChannelInsufficientPermission": Disposition.CONFIGURATION,
        "ChannelNotFound": Disposition.CONFIGURATION,
        "InvalidChannelARN": Disposition.CONFIGURATION,
        "ChannelUnsupportedSchema": Disposition.CONFIGURATION,
        "UnsupportedOperationException": Disposition.CONFIGURATION,
        "AccountNotSubscribed": Disposition.CONFIGURATION,
    }
)
"""Codes of a whole request. Any other one from a 4xx answer that is no throttle and no refusal of the caller means that
something in the batch is not taken: the batch is halved until it is known what."""

_REQUEST_FAULTS = frozenset(
    {"DuplicatedAuditEventId", "ValidationException", "InvalidParameterValue", "SerializationException", "413"}
)


class CloudTrailLake:
    """One channel. `external_id` goes along where the channel's policy asks for one."""

    def __init__(self, client: "CloudTrailDataServiceClient", channel_arn: str, external_id: str | None = None) -> None:
        self._client = client
        self._target = {"channelArn": channel_arn} | ({"externalId": external_id} if external_id else {})

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        """Send one batch of at most 100 events and 1 MB; one outcome per entry, in order."""
        events = [
            {"id": entry.id, "eventData": entry.event_data, "eventDataChecksum": entry.checksum} for entry in batch
        ]
        try:
            answer = self._client.put_audit_events(auditEvents=events, **self._target)  # type: ignore[arg-type]
        except (NoCredentialsError, PartialCredentialsError) as error:
            return [Outcome(Disposition.CONFIGURATION, type(error).__name__, str(error))] * len(batch)
        except ClientError as error:
            return self._refused(batch, error)
        except BotoCoreError as error:
            # A timeout or a dropped connection: the batch may have arrived. We prefer a duplicate to a loss.
            return [Outcome(Disposition.RETRY, type(error).__name__, "No answer from PutAuditEvents")] * len(batch)
        return _outcomes(batch, answer)

    def _refused(self, batch: Sequence[Entry], error: ClientError) -> Sequence[Outcome]:
        code = str(error.response.get("Error", {}).get("Code", ""))
        message = str(error.response.get("Error", {}).get("Message", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        if code in REQUEST_CODES:
            return [Outcome(REQUEST_CODES[code], code, message)] * len(batch)
        if code in _REQUEST_FAULTS or status == 413:
            if len(batch) == 1:
                return [Outcome(Disposition.QUARANTINE, code, message)]
            middle = len(batch) // 2
            return [*self.put(batch[:middle]), *self.put(batch[middle:])]
        if status >= 500 or "Throttl" in code or code in {"TooManyRequestsException", "RequestTimeout", "SlowDown"}:
            return [Outcome(Disposition.RETRY, code, message)] * len(batch)
        # What is left are refusals of the caller (AccessDenied, an expired token, a clock that is off) and codes that
        # do not exist yet. Neither is the events' fault, so they wait.
        return [Outcome(Disposition.CONFIGURATION, code, message)] * len(batch)


def _outcomes(batch: Sequence[Entry], answer: Mapping[str, Any]) -> Sequence[Outcome]:
    successful = {str(entry.get("id")) for entry in answer.get("successful") or ()}
    failed = {str(entry.get("id")): entry for entry in answer.get("failed") or ()}
    return [_outcome(entry.id, successful, failed) for entry in batch]


def _outcome(entry_id: str, successful: set[str], failed: Mapping[str, Mapping[str, Any]]) -> Outcome:
    if entry_id in failed:
        code = str(failed[entry_id].get("errorCode", ""))
        # A code that is not documented must not cost an event: retries end in the dead-letter queue, not in nothing.
        disposition = ENTRY_CODES.get(code, Disposition.RETRY)
        return Outcome(disposition, code, str(failed[entry_id].get("errorMessage", "")))
    if entry_id in successful:
        return DELIVERED
    return Outcome(Disposition.RETRY, "NotAnswered", "PutAuditEvents' answer does not mention this event")
