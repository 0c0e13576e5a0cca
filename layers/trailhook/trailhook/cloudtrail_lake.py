"""CloudTrail Lake as a destination: PutAuditEvents, and what each of its answers means.

AWS page: "PutAuditEvents", CloudTrail Data Service API Reference. HTTP 200 may still carry failures.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from botocore.exceptions import BotoCoreError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import create_parser

from trailhook.batch import Entry, request_body
from trailhook.destination import DELIVERED, Disposition, Outcome
from trailhook.errors import NoAnswer
from trailhook.exact_json import decode
from trailhook.put_audit_events import HttpAnswer, PutAuditEvents

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
"""The caller is refused, or the channel: no event is at fault, so all of them wait for an operator."""

REFUSED_CODES = frozenset(
    {
        "DuplicatedAuditEventId",
        "InvalidParameterValue",
        "RequestEntityTooLargeException",
        "SerializationException",
        "ValidationException",
    }
)
"""The request is refused for what is in it. Any other code of a 4xx may mean that too, so in both cases the batch is
halved until it is known which event is at fault. With one of these codes that event is quarantined, with any other it
waits."""

_NO_SHAPE: Any = None
"""A refusal's members are the same for every operation, so botocore's parser needs no shape of them."""
_NOT_ANSWERED = Outcome(Disposition.RETRY, "NotAnswered", "PutAuditEvents' answer does not mention this event")
_NOT_JSON = Outcome(Disposition.RETRY, "NotJson", "PutAuditEvents' answer is no JSON")
_AGAIN_STATUSES = frozenset({408, 429})
_CALLER_STATUSES = frozenset({401, 403})


class CloudTrailLake:
    """The channel that requests are sent to."""

    def __init__(self, requests: PutAuditEvents) -> None:
        self._requests = requests
        self._parser = create_parser("rest-json")

    def put(self, batch: Sequence[Entry]) -> Sequence[Outcome]:
        """Send one batch of at most 100 events and 1 MB; one outcome per entry, in order."""
        try:
            answer = self._requests.post(request_body(batch))
        except NoAnswer as error:
            # The batch may have arrived. We prefer a duplicate to a loss.
            return [Outcome(Disposition.RETRY, str(error), "No answer from PutAuditEvents")] * len(batch)
        except (NoCredentialsError, PartialCredentialsError) as error:
            return [Outcome(Disposition.CONFIGURATION, type(error).__name__, str(error))] * len(batch)
        except BotoCoreError as error:
            return [Outcome(Disposition.RETRY, type(error).__name__, "The request could not be signed")] * len(batch)
        if answer.status >= 300:
            return [self._refusal(answer, alone=len(batch) == 1)] * len(batch)
        try:
            told = decode(answer.body)
        except ValueError:
            return [_NOT_JSON] * len(batch)
        return _outcomes(batch, told)

    def _refusal(self, answer: HttpAnswer, *, alone: bool) -> Outcome:
        """What the refusal of a whole request means for each entry in it."""
        response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        try:
            error = self._parser.parse(response, _NO_SHAPE).get("Error", {})
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - the parser raises anything for a proxy's page; the status says enough
            error = {"Code": answer.status}
        code, message = str(error.get("Code", "")), str(error.get("Message", ""))
        if code in CALLER_CODES or answer.status in _CALLER_STATUSES:
            return Outcome(Disposition.CONFIGURATION, code, message)
        if answer.status >= 500 or answer.status in _AGAIN_STATUSES or "Throttl" in code or "LimitExceeded" in code:
            return Outcome(Disposition.RETRY, code, message)
        if not alone:
            return Outcome(Disposition.SPLIT, code, message)
        refused = code in REFUSED_CODES or answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return Outcome(Disposition.QUARANTINE if refused else Disposition.UNDOCUMENTED, code, message)


def _outcomes(batch: Sequence[Entry], answer: Mapping[str, Any]) -> Sequence[Outcome]:
    outcomes = {str(entry.get("id")): DELIVERED for entry in answer.get("successful") or ()}
    # What stands in both lists has failed: an event twice is better than an event lost.
    outcomes |= {str(entry.get("id")): _failure(entry) for entry in answer.get("failed") or ()}
    return [outcomes.get(entry.id, _NOT_ANSWERED) for entry in batch]


def _failure(entry: Mapping[str, Any]) -> Outcome:
    code = str(entry.get("errorCode", ""))
    # A code that is not documented must not cost an event: retries end in the dead-letter queue, not in nothing.
    return Outcome(ENTRY_CODES.get(code, Disposition.RETRY), code, str(entry.get("errorMessage", "")))
