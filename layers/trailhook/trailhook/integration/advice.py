"""What CloudTrail's refusals mean, and what the operator can do about each: a sentence before the raw answer."""

from collections.abc import Mapping
from types import MappingProxyType

from trailhook.errors import CallRefused, LakeClosed

_NO_NEW_CUSTOMERS = (
    "CloudTrail Lake took its last new customers on 2026-05-31 and does not take this account: deploy into an account "
    "and Region that used CloudTrail Lake before that day."
)
_KMS = (
    "The KMS key cannot be used: its policy must let cloudtrail.amazonaws.com and this function's role encrypt and "
    "decrypt with it, and it must be enabled and in this Region."
)
_CLOSED = frozenset({"UnsupportedOperationException", "OperationNotPermittedException"})
_ASK_WHETHER_CLOSED = frozenset({"create_event_data_store", "list_event_data_stores", "list_channels"})

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "AccessDeniedException": "This function's role may not do that: allow the action in its policy, and look for "
        "a service control policy or permissions boundary that denies it.",
        "ChannelMaxLimitExceededException": "The account has all 25 channels that a Region allows: delete one that is "
        "no longer used.",
        "EventDataStoreMaxLimitExceededException": "The account has all 10 event data stores that a Region allows, for "
        "those pending deletion count: name an existing one in EventDataStoreArns, or wait until one is gone.",
        "EventDataStoreAlreadyExistsException": "Another event data store has that name: choose another "
        "EventDataStore.Name, or name the existing one in EventDataStoreArns.",
        "ChannelAlreadyExistsException": "Another channel has that name or that source: choose another ChannelName, or "
        "name the existing channel in ChannelArn.",
        "InvalidSourceException": "This Region's CloudTrail does not know the partner's source: deploy in another "
        "Region.",
        "ResourcePolicyNotValidException": "CloudTrail refuses a policy with these accounts: correct "
        "PrincipalAccountIds.",
        "TagsLimitExceededException": "A resource has at most 50 tags, those of other integrations on a shared channel "
        "included: remove some.",
        "InsufficientEncryptionPolicyException": _KMS,
        "InvalidKmsKeyIdException": _KMS,
        "KmsException": _KMS,
        "KmsKeyNotFoundException": _KMS,
        "EventDataStoreFederationEnabledException": "Disable the event data store's federation first.",
        "EventDataStoreHasOngoingImportException": "Wait for the import into the event data store, or stop it.",
    }
)


def refusal(operation: str, code: str, message: str) -> CallRefused:
    """The error for CloudTrail's answer to `operation`: one sentence on what to do, and the answer behind it."""
    raw = f"CloudTrail refused {api_name(operation)}: {code}: {message}"
    # The reports of this refusal hold its message but not its code, so both are recognised.
    closed = operation in _ASK_WHETHER_CLOSED and code in _CLOSED
    if closed or code == "AccountNotSubscribed" or "no longer accepting new customers" in message:
        return LakeClosed(f"{_NO_NEW_CUSTOMERS} {raw}", code)
    return CallRefused(f"{_ADVICE[code]} {raw}" if code in _ADVICE else raw, code)


def api_name(operation: str) -> str:
    """The operation's name in CloudTrail's API reference, from boto3's."""
    return operation.title().replace("_", "")
