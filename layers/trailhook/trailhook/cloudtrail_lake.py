"""CloudTrail Lake as a destination: PutAuditEvents, and what each of its answers means.

AWS page: "PutAuditEvents", CloudTrail Data Service API Reference. HTTP 200 may still carry failures.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from trailhook.batch import Entry, request_body
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.exact_json import decode

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
CALLER_CODES = frozenset(
    {
        "ChannelInsufficientPermission",
        "ChannelNotFound",
        "InvalidChannelARN",
        "ChannelUnsupportedSchema",
        "UnsupportedOperationException",
        "AccountNotSubscribed",
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""A request is refused for who asks or where: no event is at fault, so all of them wait for an operator."""

REFUSED_CODES = frozenset(
    {
        "DuplicatedAuditEventId",
        "InvalidParameterValue",
        "RequestEntityTooLargeException",
        "SerializationException",
        "ValidationException",
    }
)
"""A request is refused for what is in it. Any other code of a 4xx may mean that too, so such a batch is halved as well
until it is known which event; but only with one of these is that event quarantined, with an unknown one it waits."""

_BODY = "trailhook-put-audit-events-body"
_AGAIN_STATUSES = frozenset({408, 429})
_CALLER_STATUSES = frozenset({401, 403})


class CloudTrailLake:
    """One channel, and a client that is used for nothing else.

    `external_id` goes along where the channel's policy asks for one.
    """

    def __init__(self, client: "CloudTrailDataServiceClient", channel_arn: str, external_id: str | None = None) -> None:
        self._client = client
        events = client.meta.events
        events.register("provide-client-params.cloudtrail-data.PutAuditEvents", _first_event)  # type: ignore[arg-type] # the stubs foresee no result
        events.register("before-call.cloudtrail-data.PutAuditEvents", _whole_body)
        events.register("before-parse.cloudtrail-data.PutAuditEvents", _read_answer)
        self._target = {"channelArn": channel_arn} | ({"externalId": external_id} if external_id else {})

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        """Send one batch of at most 100 events and 1 MB; one outcome per entry, in order."""
        try:
            answer = self._client.put_audit_events(auditEvents=batch, **self._target)  # type: ignore[arg-type] # see _first_event
        except (NoCredentialsError, PartialCredentialsError, ParamValidationError) as error:
            return [Outcome(Disposition.CONFIGURATION, type(error).__name__, str(error))] * len(batch)
        except ClientError as error:
            return [_refusal(error, alone=len(batch) == 1)] * len(batch)
        except BotoCoreError as error:
            # A timeout or a dropped connection: the batch may have arrived. We prefer a duplicate to a loss.
            return [Outcome(Disposition.RETRY, type(error).__name__, "No answer from PutAuditEvents")] * len(batch)
        return _outcomes(batch, answer)


def _first_event(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> Mapping[str, Any]:
    """Let botocore check and encode one event only: all are encoded already, and within CloudTrail's limits.

    Should a later botocore not ask `_whole_body`, that one event is sent and answered, and the others wait.
    """
    batch: Sequence[Entry] = params["auditEvents"]
    context[_BODY] = request_body(batch)
    return {**params, "auditEvents": [{"id": batch[0].id, "eventData": batch[0].event_data}]}


def _whole_body(params: dict[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    """Put the whole request in the place of what botocore has encoded; it signs and sends that."""
    params["body"] = context[_BODY]


def _read_answer(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Read the answer to a request that was taken: botocore would look at each entry's members one by one.

    What is no answer is left to botocore, which says so; so is a refusal.
    """
    if response_dict["status_code"] != HTTPStatus.OK:
        return
    try:
        answer = decode(response_dict["body"])
    except ValueError:
        return
    if isinstance(answer, dict):
        customized_response_dict |= {name: answer.get(name) for name in ("successful", "failed")}
        response_dict["body"] = b""


def _refusal(error: ClientError, *, alone: bool) -> Outcome:
    """What the refusal of a whole request means for each entry in it."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
    if code in CALLER_CODES or status in _CALLER_STATUSES:
        return Outcome(Disposition.CONFIGURATION, code, message)
    if status >= 500 or status in _AGAIN_STATUSES or "Throttl" in code or "LimitExceeded" in code:
        return Outcome(Disposition.RETRY, code, message)
    if not alone:
        return Outcome(Disposition.SPLIT, code, message)
    refused = code in REFUSED_CODES or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Outcome(Disposition.QUARANTINE if refused else Disposition.PUZZLING, code, message)


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
