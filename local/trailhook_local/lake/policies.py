"""Resource policies of channels: what CloudTrail accepts as one, and whom it lets in.

Rules of the CloudTrail User Guide, "AWS CloudTrail resource-based policy examples". Local convention: a caller is known
by its account alone, so a principal that names a role or user of an account admits that account.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from trailhook_local.lake import errors, strict_json
from trailhook_local.lake.resources import Channel, Document, Registry

ACTION: Final = "cloudtrail-data:PutAuditEvents"
EXTERNAL_ID_KEY: Final = "cloudtrail:ExternalId"
MAX_STATEMENTS: Final = 20
MAX_PRINCIPALS: Final = 50
_VERSIONS: Final = ("2012-10-17", "2008-10-17")
_PRINCIPAL: Final = re.compile(
    r"(?:arn:aws[a-z-]*:iam::(?P<of>\d{12}):(?:root|(?:role|user)/[\w+=,.@/-]+)|(?P<account>\d{12}))"
)
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_MEMBERS: Final = frozenset({"Sid", "Effect", "Principal", "Action", "Resource", "Condition"})


@dataclass(frozen=True, slots=True)
class Statement:
    allows: bool
    accounts: frozenset[str]
    external_ids: frozenset[str]

    def covers(self, account: str, external_id: str | None) -> bool:
        return account in self.accounts and (not self.external_ids or external_id in self.external_ids)


def parse(text: str, channel_arn: str) -> list[Statement]:
    """The statements of a policy for that channel; raises ResourcePolicyNotValidException with the reason."""
    try:
        policy = strict_json.parse(text)
    except strict_json.NotJSONError as error:
        raise errors.ResourcePolicyNotValidException(f"The policy is not valid JSON: {error}") from error
    if not isinstance(policy, dict) or not policy.keys() <= {"Version", "Id", "Statement"}:
        raise _refusal("The policy must be an object of Version, Id and Statement")
    if policy.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise _refusal(f"Version must be one of {', '.join(_VERSIONS)}")
    statements = _as_list(policy.get("Statement", []))
    if not 1 <= len(statements) <= MAX_STATEMENTS:
        raise _refusal(f"A policy has 1 to {MAX_STATEMENTS} statements, not {len(statements)}")
    return [_statement(statement, channel_arn) for statement in statements]


def admit(channel: Channel, *, owner: str, caller: str, external_id: str | None) -> None:
    """Raise ChannelInsufficientPermission unless the channel's policy, or owning it, lets the caller put events."""
    statements = parse(channel.policy, channel.arn) if channel.policy else []
    named = frozenset[str]().union(*(statement.external_ids for statement in statements))
    covering = [statement for statement in statements if statement.covers(caller, external_id)]
    allowed = caller == owner or any(statement.allows for statement in covering)
    denied = any(not statement.allows for statement in covering)
    if denied or not allowed:
        raise errors.ChannelInsufficientPermission(f"Account {caller} may not put audit events on {channel.arn}.")
    # The owner, too, carries the external ID once the policy names one.
    if named and external_id not in named:
        raise errors.ChannelInsufficientPermission("The external ID is missing or is not the one the policy names.")


class ResourcePolicies:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def put_resource_policy(self, request: Document) -> Document:
        channel = self._channel(request["ResourceArn"])
        parse(request["ResourcePolicy"], channel.arn)
        channel.policy = request["ResourcePolicy"]
        self._registry.save(channel)
        return {"ResourceArn": channel.arn, "ResourcePolicy": channel.policy}

    def get_resource_policy(self, request: Document) -> Document:
        channel = self._channel(request["ResourceArn"])
        if channel.policy is None:
            raise errors.ResourcePolicyNotFoundException(f"{channel.arn} has no resource policy.")
        return {"ResourceArn": channel.arn, "ResourcePolicy": channel.policy}

    def delete_resource_policy(self, request: Document) -> Document:
        channel = self._channel(request["ResourceArn"])
        if channel.policy is None:
            raise errors.ResourcePolicyNotFoundException(f"{channel.arn} has no resource policy.")
        channel.policy = None
        self._registry.save(channel)
        return {}

    def _channel(self, arn: str) -> Channel:
        if not arn.startswith("arn:"):
            raise errors.ResourceARNNotValidException(f"{arn} is not an ARN.")
        if ":channel/" not in arn:
            raise errors.ResourceTypeNotSupportedException("This Lake keeps resource policies of channels only.")
        try:
            return self._registry.channel(arn)
        except errors.ChannelARNInvalidException as error:
            raise errors.ResourceARNNotValidException(str(error)) from error
        except errors.ChannelNotFoundException as error:
            raise errors.ResourceNotFoundException(str(error)) from error


def _refusal(reason: str) -> errors.ResourcePolicyNotValidException:
    return errors.ResourcePolicyNotValidException(f"{reason}.")


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statement(statement: object, channel_arn: str) -> Statement:
    if not isinstance(statement, dict) or not statement.keys() <= _MEMBERS:
        raise _refusal(f"A statement has the members {', '.join(sorted(_MEMBERS))} and no other")
    if statement.get("Effect") not in {"Allow", "Deny"}:
        raise _refusal("Effect must be Allow or Deny")
    if _as_list(statement.get("Action")) != [ACTION]:
        raise _refusal(f"The only action is {ACTION}")
    if _as_list(statement.get("Resource")) != [channel_arn]:
        raise _refusal(f"Resource must be the channel's own ARN, {channel_arn}")
    return Statement(
        allows=statement["Effect"] == "Allow",
        accounts=frozenset(_accounts(statement.get("Principal"))),
        external_ids=_external_ids(statement.get("Condition", {})),
    )


def _accounts(principal: object) -> Iterator[str]:
    if not isinstance(principal, dict) or set(principal) != {"AWS"}:
        raise _refusal("Principal must be an object with the single member AWS")
    principals = _as_list(principal["AWS"])
    if not 1 <= len(principals) <= MAX_PRINCIPALS:
        raise _refusal(f"A statement has 1 to {MAX_PRINCIPALS} principals, not {len(principals)}")
    for one in principals:
        match = _PRINCIPAL.fullmatch(one) if isinstance(one, str) else None
        if match is None:
            raise _refusal(
                f"{one} is not a principal: give an account id, or the ARN of an account's root, role or user"
            )
        yield match["of"] or match["account"]


def _external_ids(condition: object) -> frozenset[str]:
    if not condition:
        return frozenset()
    if not isinstance(condition, dict) or set(condition) != {"StringEquals"}:
        raise _refusal("The only condition operator is StringEquals")
    if not isinstance(condition["StringEquals"], dict) or set(condition["StringEquals"]) != {EXTERNAL_ID_KEY}:
        raise _refusal(f"The only condition key is {EXTERNAL_ID_KEY}")
    ids = _as_list(condition["StringEquals"][EXTERNAL_ID_KEY])
    if not ids or not all(isinstance(one, str) and _EXTERNAL_ID.fullmatch(one) for one in ids):
        raise _refusal("An external ID has 2 to 1224 characters out of letters, digits and _+=,.@:/-")
    return frozenset(ids)
