"""CloudTrail's control plane, as the steps of an integration need it: calls that wait out what passes, or say why not.

Every call that is not a read has a rate of one a second for the whole account and Region, so throttles are the rule.
Throttles, ConflictException and faults of the service are waited out with backoff and jitter until the deadline;
denials, for as long as IAM may not know the function's role everywhere, which CloudFormation made or changed a moment
before. A call that must not run twice raises AnswerLost where nobody knows whether it did.
"""

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004
from botocore.parsers import ResponseParserError

from trailhook.deadline import Deadline
from trailhook.errors import AnswerLost, CallRefused, OutOfTime, OwnershipUnknown
from trailhook.integration.advice import api_name, refusal
from trailhook.integration.inventory import PENDING_DELETION, Channel, EventDataStore

if TYPE_CHECKING:
    # The stubs are for development and not in the layer.
    from types_boto3_cloudtrail.client import CloudTrailClient

Result = TypeVar("Result")

_FIRST_PAUSE_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 8.0
_LAST_ATTEMPT_SECONDS = 0.1
_TAGGED_RESOURCES_A_CALL = 20
LOOKS = 4
"""How often to look for what CloudTrail may not tell of yet: its lists and states lag behind its changes."""

CHANNEL_GONE = frozenset({"ChannelNotFoundException", "ResourceNotFoundException"})
# According to its API reference the last one says that a resource does not exist, or that its ARN is malformed.
_POLICY_GONE = CHANNEL_GONE | {"ResourcePolicyNotFoundException", "ResourceARNNotValidException"}
STORE_GONE = frozenset({"EventDataStoreNotFoundException", "ResourceNotFoundException"})
INACTIVE = "InactiveEventDataStoreException"
DENIALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InsufficientEncryptionPolicyException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }
)


class ControlPlane:
    """One account and Region. No call begins after `deadline`; until `denials` a denial is waited out."""

    def __init__(self, client: "CloudTrailClient", deadline: Deadline, denials: Deadline) -> None:
        self._client = client
        self._deadline = deadline
        self._denials = denials

    def until(self, deadline: Deadline) -> "ControlPlane":
        """The same control plane with another deadline."""
        return ControlPlane(self._client, deadline, self._denials)

    def pause(self, attempt: int, waiting_for: str, denial: CallRefused | None = None) -> None:
        """Sleep before the next attempt: longer each time, never the same, and at last until just before the deadline.

        Raises OutOfTime when there is no time for another attempt; it tells the `denial` that was waited out.
        """
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
        seconds = longest * random.uniform(0.6, 1.2)  # noqa: S311 - jitter, not a secret
        left = self._deadline.remaining - _LAST_ATTEMPT_SECONDS
        if left <= 0:
            raise _out_of_time(f"while it waited for {waiting_for}", denial)
        time.sleep(min(seconds, left))

    def retried(self, call: Callable[[], Result], codes: Collection[str], times: int, waiting_for: str) -> Result:
        """What `call` returns. While it is refused with one of these codes it is made again, up to so many `times`."""
        for attempt in range(times):
            try:
                return call()
            except CallRefused as error:
                if error.code not in codes:
                    raise
            self.pause(attempt, waiting_for)
        return call()

    # channels

    def channel_arns(self) -> list[str]:
        """Without the channels that AWS services made for themselves, which are nobody's to tag."""
        arns = [str(channel["ChannelArn"]) for channel in self._pages("list_channels", "Channels")]
        return [arn for arn in arns if ":channel/aws-service-channel/" not in arn]

    def channel(self, arn: str) -> Channel | None:
        found = self._call("get_channel", absent=CHANNEL_GONE, Channel=arn)
        return Channel.of(found) if found else None

    def create_channel(self, **parameters: Any) -> str:
        """The new channel's ARN. Raises AnswerLost."""
        return str(self._must("create_channel", once=True, **parameters)["ChannelArn"])

    def update_channel(self, arn: str, **changes: Any) -> None:
        self._must("update_channel", Channel=arn, **changes)

    def delete_channel(self, arn: str) -> None:
        self._call("delete_channel", absent=CHANNEL_GONE, Channel=arn)

    # resource policies

    def policy(self, channel_arn: str) -> str | None:
        found = self._call("get_resource_policy", absent=_POLICY_GONE, ResourceArn=channel_arn)
        return found.get("ResourcePolicy") if found else None

    def put_policy(self, channel_arn: str, policy: str) -> None:
        self._must("put_resource_policy", ResourceArn=channel_arn, ResourcePolicy=policy)

    def delete_policy(self, channel_arn: str) -> None:
        self._call("delete_resource_policy", absent=_POLICY_GONE, ResourceArn=channel_arn)

    # event data stores

    def store_arns(self) -> Mapping[str, str]:
        """ARN → name; CloudTrail promises no more of a listed event data store."""
        stores = self._pages("list_event_data_stores", "EventDataStores")
        return {store["EventDataStoreArn"]: store.get("Name", "") for store in stores}

    def store(self, arn: str) -> EventDataStore | None:
        found = self._call("get_event_data_store", absent=STORE_GONE, EventDataStore=arn)
        return EventDataStore.of(found) if found else None

    def active_store(self, arn: str) -> EventDataStore | None:
        """The same, but None also for one that is pending deletion already."""
        found = self.store(arn)
        return None if found is None or found.status == PENDING_DELETION else found

    def create_store(self, **parameters: Any) -> str:
        """The new event data store's ARN. Raises AnswerLost."""
        return str(self._must("create_event_data_store", once=True, **parameters)["EventDataStoreArn"])

    def update_store(self, arn: str, **changes: Any) -> None:
        self._must("update_event_data_store", EventDataStore=arn, **changes)

    def protect_store(self, arn: str, *, on: bool, **changes: Any) -> bool:
        """Switch termination protection. Returns False where the store is gone, or pending deletion, already."""
        absent = STORE_GONE | {INACTIVE}
        changes["TerminationProtectionEnabled"] = on
        return self._call("update_event_data_store", absent=absent, EventDataStore=arn, **changes) is not None

    def delete_store(self, arn: str) -> None:
        """It stays for seven days, pending deletion, and can be restored in that time."""
        self._call("delete_event_data_store", absent=STORE_GONE | {INACTIVE}, EventDataStore=arn)

    def restore_store(self, arn: str) -> None:
        # After a lost answer the store is not pending deletion any more; whoever waits for ENABLED sees what it is.
        absent = frozenset({"InvalidEventDataStoreStatusException"})
        self._call("restore_event_data_store", absent=absent, EventDataStore=arn)

    # tags

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of one resource, none where it is gone. Raises OwnershipUnknown for a store pending deletion."""
        try:
            return (self._tags([arn]) or {}).get(arn, {})
        except CallRefused as error:
            if error.code == INACTIVE:
                raise OwnershipUnknown(f"CloudTrail does not tell the tags of {arn}.") from error
            raise

    def channel_tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """ARN → tags of those channels that still exist."""
        result: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), _TAGGED_RESOURCES_A_CALL):
            some = arns[start : start + _TAGGED_RESOURCES_A_CALL]
            found = self._tags(some)
            if found is None:  # one of them was deleted meanwhile, and the answer does not say which
                found = {}
                for arn in some:
                    found |= self._tags([arn]) or {}
            result |= found
        return result

    def _tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]] | None:
        """ARN → tags, None where one of them is gone."""
        # A resource that the answer leaves out has no tags, but it is there.
        result: dict[str, dict[str, str]] = {arn: {} for arn in arns}
        try:
            for resource in self._pages("list_tags", "ResourceTagList", ResourceIdList=list(arns)):
                tags = result.setdefault(resource["ResourceId"], {})
                tags |= {tag["Key"]: tag.get("Value", "") for tag in resource.get("TagsList") or ()}
        except CallRefused as error:
            if error.code in CHANNEL_GONE | STORE_GONE:
                return None
            raise
        return result

    def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        self._must("add_tags", ResourceId=arn, TagsList=as_list(tags))

    def remove_tags(self, arn: str, keys: Sequence[str]) -> None:
        tags = [{"Key": key} for key in keys]
        self._call("remove_tags", absent=CHANNEL_GONE | STORE_GONE | {INACTIVE}, ResourceId=arn, TagsList=tags)

    # the wire

    def _pages(self, operation: str, member: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """What stands in the list `member` of each page."""
        token: dict[str, Any] = {}
        while True:
            page = self._must(operation, **parameters, **token)
            yield from page.get(member) or ()
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _must(self, operation: str, *, once: bool = False, **parameters: Any) -> Mapping[str, Any]:
        return self._call(operation, once=once, **parameters) or {}

    def _call(
        self, operation: str, *, once: bool = False, absent: frozenset[str] = frozenset(), **parameters: Any
    ) -> Mapping[str, Any] | None:
        """One operation, waited for. Returns None for an error code in `absent`.

        Raises CallRefused, OutOfTime, and with `once` AnswerLost.
        """
        attempt = 0
        last = "its answer"
        denial: CallRefused | None = None
        while True:
            if self._deadline.passed:
                raise _out_of_time(f"before CloudTrail took {api_name(operation)} ({last})", denial)
            try:
                answer: Mapping[str, Any] = getattr(self._client, operation)(**parameters)
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", ""))
                if code in absent:
                    return None
                message = str(error.response.get("Error", {}).get("Message", ""))
                if not (_passes(error, code) or self._may_be_new_role(code, message)):
                    raise refusal(operation, code, message) from error
                # A denial is reported with what to do about it, even if nothing more was heard after it.
                denied = code in DENIALS
                denial = refusal(operation, code, message) if denied else None
                last = code if denied else f"{code}: {message}"
                if once and _may_have_run(error):
                    raise AnswerLost(f"CloudTrail failed to answer {api_name(operation)} ({last}).") from error
            except (ConnectionError, HTTPClientError, ResponseParserError) as error:
                last = type(error).__name__
                if once:
                    raise AnswerLost(f"CloudTrail did not answer {api_name(operation)} ({last}).") from error
            except BotoCoreError as error:
                raise CallRefused(f"{api_name(operation)} could not be sent: {error}", type(error).__name__) from error
            else:
                return answer
            self.pause(attempt, f"CloudTrail to take {api_name(operation)} ({last})", denial)
            attempt += 1

    def _may_be_new_role(self, code: str, message: str) -> bool:
        """Whether IAM may yet allow it. What a policy denies in so many words stays denied."""
        return code in DENIALS and "explicit deny" not in message and not self._denials.passed


def _out_of_time(when: str, denial: CallRefused | None) -> OutOfTime:
    return OutOfTime(f"The function's time was over {when}.{f' {denial}' if denial else ''}")


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the form of CloudTrail's API."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _passes(error: ClientError, code: str) -> bool:
    """Whether waiting helps: throttles, another operation under way, a fault of the service."""
    if "Throttl" in code or code in {"ConflictException", "RequestLimitExceeded", "TooManyRequestsException"}:
        return True
    return _may_have_run(error)


def _may_have_run(error: ClientError) -> bool:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)) >= 500
