"""Every refusal the Lake can answer with, one class per service error code.

    LakeError                       carries `code` and `http_status`; one place in `wire` turns it into a response
    ├── protocol errors             signature, body, unknown operation, throttling, faults of the service itself
    ├── cloudtrail                  the exceptions of service model 2013-11-01 that this Lake raises
    └── cloudtrail-data             the exceptions of service model 2021-08-11
    EntryRejectedError              one entry of PutAuditEvents; travels inside an HTTP 200, never as a response
    ConnectionDroppedError          no answer at all: the injected fault that closes the socket

`code` is the class's own name unless it says otherwise. Statuses are those of the "Common Errors" page.
"""

from typing import ClassVar


class LakeError(Exception):
    """A request refused as a whole. `code` is the wire's error code, `http_status` its status."""

    code: ClassVar[str] = ""
    http_status: ClassVar[int] = 400

    def __init_subclass__(cls) -> None:
        if "code" not in vars(cls):
            cls.code = cls.__name__

    @property
    def message(self) -> str:
        return str(self)


class EntryRejectedError(Exception):
    """One audit event refused, with the `errorCode` that PutAuditEvents documents for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConnectionDroppedError(Exception):
    """The connection is to be closed without an answer."""


# protocol
class MissingAuthenticationTokenException(LakeError):
    http_status = 403


class IncompleteSignatureException(LakeError):
    pass


class InvalidSignatureException(LakeError):
    http_status = 403


class AccessDeniedException(LakeError):
    pass


class UnknownOperationException(LakeError):
    pass


class UnknownPathException(UnknownOperationException):
    """REST-JSON's form of the same answer: a path that no operation has."""

    code = "UnknownOperationException"
    http_status = 404


class SerializationException(LakeError):
    pass


class ValidationException(LakeError):
    pass


class RequestEntityTooLargeException(LakeError):
    http_status = 413


class ThrottlingException(LakeError):
    pass


class InternalFailure(LakeError):
    http_status = 500


class ServiceUnavailable(LakeError):
    http_status = 503


# cloudtrail and cloudtrail-data
class UnsupportedOperationException(LakeError):
    pass


class OperationNotPermittedException(LakeError):
    pass


class InvalidParameterException(LakeError):
    pass


class ConflictException(LakeError):
    pass


class InvalidNextTokenException(LakeError):
    pass


class InvalidMaxResultsException(LakeError):
    pass


class ChannelARNInvalidException(LakeError):
    pass


class ChannelNotFoundException(LakeError):
    pass


class ChannelAlreadyExistsException(LakeError):
    pass


class ChannelMaxLimitExceededException(LakeError):
    pass


class ChannelExistsForEDSException(LakeError):
    pass


class InvalidSourceException(LakeError):
    pass


class EventDataStoreARNInvalidException(LakeError):
    pass


class EventDataStoreNotFoundException(LakeError):
    pass


class EventDataStoreAlreadyExistsException(LakeError):
    pass


class EventDataStoreMaxLimitExceededException(LakeError):
    pass


class EventDataStoreTerminationProtectedException(LakeError):
    pass


class InactiveEventDataStoreException(LakeError):
    pass


class InvalidEventDataStoreCategoryException(LakeError):
    pass


class InvalidEventDataStoreStatusException(LakeError):
    pass


class InvalidEventSelectorsException(LakeError):
    pass


class InvalidKmsKeyIdException(LakeError):
    pass


class InvalidTagParameterException(LakeError):
    pass


class TagsLimitExceededException(LakeError):
    pass


class CloudTrailARNInvalidException(LakeError):
    pass


class ResourceARNNotValidException(LakeError):
    pass


class ResourceNotFoundException(LakeError):
    pass


class ResourcePolicyNotFoundException(LakeError):
    pass


class ResourcePolicyNotValidException(LakeError):
    pass


class ResourceTypeNotSupportedException(LakeError):
    pass


class InvalidQueryStatementException(LakeError):
    pass


class InvalidQueryStatusException(LakeError):
    pass


class InvalidDateRangeException(LakeError):
    pass


class QueryIdNotFoundException(LakeError):
    pass


class InactiveQueryException(LakeError):
    pass


class MaxConcurrentQueriesException(LakeError):
    pass


class ChannelNotFound(LakeError):
    pass


class ChannelInsufficientPermission(LakeError):
    pass


class InvalidChannelARN(LakeError):
    pass


class ChannelUnsupportedSchema(LakeError):
    pass


class DuplicatedAuditEventId(LakeError):
    pass


BY_CODE: dict[str, type[LakeError]] = {error.code: error for error in LakeError.__subclasses__()}
