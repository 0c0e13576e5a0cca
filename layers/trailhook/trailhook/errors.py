"""Every error Trailhook raises on purpose, and on its class what to do about it.

TrailhookError
├── SettingsError               a function's environment is incomplete or contradicts itself
├── Refused                     receive answers the request with `http_status`; nothing is queued
│   ├── BadRequest              400
│   ├── Unauthenticated         401  the answer never says why; the log does
│   ├── NotFound                404
│   ├── MethodNotAllowed        405
│   ├── TooLarge                413
│   ├── UnsupportedMediaType    415
│   └── Unavailable             503  our fault or AWS's: the partner shall send again
├── EnvelopeError               a queue message this version cannot read: it goes back to the queue
│   └── EnvelopeTooLarge        a delivery that fits no queue message
├── Undeliverable               what CloudTrail will never take: kept whole in quarantine
│   ├── MalformedDelivery       the delivery cannot be taken apart into events
│   └── UnmappableEvent         one event lacks what CloudTrail's schema requires, or breaks it
├── SecretStoreError            the secret cannot be read, or was put by mistake: nobody is proven, nor called a forger
├── NoAnswer                    no answer came to a request: nobody knows whether it arrived
├── FetchError                  another host did not answer: what depends on it is neither proven nor forged
├── QueueError                  SQS did not confirm: what was to be sent may or may not be there
├── QuarantineError             a line was not confirmed, so its message must not be acknowledged; or one cannot be read
└── IntegrationError            the custom resource fails; the message is the reason that CloudFormation shows
    ├── PropertiesRefused       the properties break rules: one sentence for each
    ├── InTheWay                what is there already does not fit, or is not ours to change
    ├── CallRefused             CloudTrail said no
    │   └── LakeClosed          CloudTrail Lake does not take this account
    ├── AnswerLost              nobody knows whether CloudTrail did it
    ├── OutOfTime               the invocation's time was over first
    └── OwnershipUnknown        CloudTrail does not tell the tags of what is pending deletion
"""

import traceback
from http import HTTPStatus
from typing import ClassVar, Self


class TrailhookError(Exception):
    """The root of this tree."""


class SettingsError(TrailhookError):
    """A function's environment is incomplete or contradicts itself; the message names the variable."""


class Refused(TrailhookError):
    """A request that receive does not take.

    `reason` goes to the log; the partner sees `message`, which by default is the reason too.
    """

    http_status: ClassVar[HTTPStatus]

    def __init__(self, reason: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.headers = headers or {}

    @property
    def message(self) -> str:
        return self.reason


class BadRequest(Refused):
    http_status = HTTPStatus.BAD_REQUEST


class Unauthenticated(Refused):
    """The sender is not proven. The reason is for the log alone: an answer that told it would help a forger."""

    http_status = HTTPStatus.UNAUTHORIZED

    @property
    def message(self) -> str:
        return "Unauthorized"


class NotFound(Refused):
    http_status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(Refused):
    http_status = HTTPStatus.METHOD_NOT_ALLOWED


class TooLarge(Refused):
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UnsupportedMediaType(Refused):
    http_status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class Unavailable(Refused):
    """Ours or AWS's fault. `Retry-After` asks the partner to send again."""

    http_status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, reason: str) -> None:
        super().__init__(reason, headers={"retry-after": "5"})

    @property
    def message(self) -> str:
        return "Service unavailable, please send again"


class EnvelopeError(TrailhookError):
    """A queue message that this version cannot read. It is not ours to judge, so it goes back to the queue."""


class EnvelopeTooLarge(EnvelopeError):
    """A delivery that does not fit a queue message, even compressed."""


class Undeliverable(TrailhookError):
    """What CloudTrail will never take. `code` is stable and made for filters; `reason` is for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason

    def without_traceback(self) -> Self:
        """The same error to be kept with its event: a traceback would hold all that was there when it was raised."""
        return type(self)(self.code, self.reason)


class MalformedDelivery(Undeliverable):
    """A delivery that cannot be taken apart into events."""


class UnmappableEvent(Undeliverable):
    """An event that lacks what CloudTrail's schema requires, or breaks it."""


class SecretStoreError(TrailhookError):
    """The secret store did not answer, has no such secret, or holds one that nobody can have meant."""


class NoAnswer(TrailhookError):
    """No answer came to a request, so it may have arrived or not."""


class FetchError(TrailhookError):
    """Another host did not answer in time, or said that it cannot."""


class QueueError(TrailhookError):
    """SQS did not confirm. What was to be sent may or may not be there."""


class QuarantineError(TrailhookError):
    """The quarantine bucket did not confirm a line, or holds one that cannot be read."""


class IntegrationError(TrailhookError):
    """The custom resource fails. The message is what CloudFormation shows, so it says what to do."""


class PropertiesRefused(IntegrationError):
    """The properties break rules: one plain sentence for each."""


class InTheWay(IntegrationError):
    """What is there already does not fit, or is not ours to change."""


class CallRefused(IntegrationError):
    """CloudTrail said no. `code` is the service's own."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class LakeClosed(CallRefused):
    """CloudTrail Lake does not take this account, so nothing of ours can be in it."""


class AnswerLost(IntegrationError):
    """The call may have taken effect, or not."""


class OutOfTime(IntegrationError):
    """The invocation's time was over before CloudTrail took the call."""


class OwnershipUnknown(IntegrationError):
    """CloudTrail does not tell the tags of an event data store that is pending deletion."""


def place_of(error: Exception) -> str:
    """The kind of an unforeseen error and its place in the code; if that code is not ours, also the last place that is.

    No more than that: the error's text may quote an event, and no event belongs in a log.
    """
    innermost = ours = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        innermost = f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}"
        if str(frame.f_globals.get("__name__")).startswith("trailhook"):
            ours = innermost
    called_from = f", called from {ours}" if ours not in ("", innermost) else ""
    return f"{type(error).__name__} at {innermost}{called_from}"
