"""Resource policies: what CloudTrail takes as one, and whom a channel then lets in."""

import json
from typing import Any

import pytest
from tests.lake.conftest import PARTNER, Account, Event, Refused


def statement(channel: str, *principals: str, external_id: str | None = None, **changes: Any) -> dict[str, Any]:
    rightful = {
        "Effect": "Allow",
        "Principal": {"AWS": list(principals or [PARTNER])},
        "Action": "cloudtrail-data:PutAuditEvents",
        "Resource": channel,
        **({"Condition": {"StringEquals": {"cloudtrail:ExternalId": external_id}}} if external_id else {}),
    }
    return {key: value for key, value in {**rightful, **changes}.items() if value is not None}


def attach(account: Account, channel: str, *statements: dict[str, Any]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    account.cloudtrail.put_resource_policy(ResourceArn=channel, ResourcePolicy=policy)


def test_a_policy_is_kept_to_the_letter_until_it_is_deleted(account: Account, refused: Refused) -> None:
    channel = account.channel()
    get, delete = account.cloudtrail.get_resource_policy, account.cloudtrail.delete_resource_policy
    assert refused(get, ResourceArn=channel) == "ResourcePolicyNotFoundException"
    assert refused(delete, ResourceArn=channel) == "ResourcePolicyNotFoundException"
    text = json.dumps({"Statement": statement(channel), "Version": "2012-10-17"}, indent=3)
    account.cloudtrail.put_resource_policy(ResourceArn=channel, ResourcePolicy=text)
    assert get(ResourceArn=channel)["ResourcePolicy"] == text
    delete(ResourceArn=channel)
    assert refused(get, ResourceArn=channel) == "ResourcePolicyNotFoundException"


@pytest.mark.parametrize("count", [1, 20])
def test_a_policy_has_1_to_20_statements(account: Account, count: int) -> None:
    channel = account.channel()
    attach(account, channel, *[statement(channel)] * count)


@pytest.mark.parametrize("count", [0, 21])
def test_no_or_21_statements_are_refused(account: Account, refused: Refused, count: int) -> None:
    channel = account.channel()
    assert refused(attach, account, channel, *[statement(channel)] * count) == "ResourcePolicyNotValidException"


def test_a_statement_has_up_to_50_principals(account: Account, refused: Refused) -> None:
    channel = account.channel()
    principals = [f"{n:012d}" for n in range(51)]
    attach(account, channel, statement(channel, *principals[:50]))
    refusal = refused(attach, account, channel, statement(channel, *principals))
    assert refusal == "ResourcePolicyNotValidException"


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"AWS": []}},
        {"Principal": {"AWS": "*"}},
        {"Principal": "*"},
        {"Principal": {"Service": "github.com"}},
        {"Principal": {"AWS": "1234"}},
        {"Principal": {"AWS": "arn:aws:iam::1234:root"}},
        {"Principal": None},
        {"Action": "cloudtrail-data:*"},
        {"Action": ["cloudtrail-data:PutAuditEvents", "cloudtrail:GetChannel"]},
        {"Resource": "*"},
        {"Resource": "arn:aws:cloudtrail:us-east-1:111122223333:channel/01234567-89ab-cdef-0123-456789abcdef"},
        {"Effect": "allow"},
        {"NotPrincipal": {"AWS": PARTNER}},
        {"Condition": {"StringLike": {"cloudtrail:ExternalId": "x*"}}},
        {"Condition": {"StringEquals": {"sts:ExternalId": "partner-1"}}},
        {"Condition": {"StringEquals": {"cloudtrail:ExternalId": "x"}}},
        {"Condition": {"StringEquals": {"cloudtrail:ExternalId": "with space"}}},
    ],
    ids=json.dumps,
)
def test_a_statement_outside_the_rules_is_refused(account: Account, refused: Refused, changes: dict[str, Any]) -> None:
    channel = account.channel()
    refusal = refused(attach, account, channel, statement(channel, **changes))
    assert refusal == "ResourcePolicyNotValidException"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Statement": [], "Statement": []}', "x" * 8193])
def test_a_policy_that_is_no_policy_is_refused(account: Account, refused: Refused, text: str) -> None:
    put = account.cloudtrail.put_resource_policy
    refusal = refused(put, ResourceArn=account.channel(), ResourcePolicy=text)
    assert refusal == "ResourcePolicyNotValidException"


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("channel-name", "ResourceARNNotValidException"),
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/mine", "ResourceTypeNotSupportedException"),
        ("arn:aws:cloudtrail:us-east-1:111122223333:channel/nope", "ResourceARNNotValidException"),
        (
            "arn:aws:cloudtrail:us-east-1:111122223333:channel/01234567-89ab-cdef-0123-456789abcdef",
            "ResourceNotFoundException",
        ),
    ],
)
def test_policies_belong_to_channels(account: Account, refused: Refused, resource: str, code: str) -> None:
    assert refused(account.cloudtrail.get_resource_policy, ResourceArn=resource) == code


def test_without_a_policy_only_the_owner_may_put_events(
    account: Account, partner: Account, refused: Refused, event: Event
) -> None:
    channel = account.channel()
    assert refused(partner.put, channel, event()) == "ChannelInsufficientPermission"
    assert account.put(channel, event())["failed"] == []


@pytest.mark.parametrize(
    "principal", [PARTNER, f"arn:aws:iam::{PARTNER}:root", f"arn:aws:iam::{PARTNER}:role/service/forwarder"]
)
def test_a_principal_may_put_events_and_the_owner_still_may(
    account: Account, partner: Account, refused: Refused, event: Event, principal: str
) -> None:
    channel = account.channel()
    attach(account, channel, statement(channel, principal))
    for caller in (partner, account):
        assert caller.put(channel, event())["failed"] == []
        assert caller.put(channel, event(), externalId="not-asked-for")["failed"] == []
    attach(account, channel, statement(channel, "999900001111"))
    assert refused(partner.put, channel, event()) == "ChannelInsufficientPermission"


def test_an_external_id_that_the_policy_names_is_asked_of_everybody(
    account: Account, partner: Account, refused: Refused, event: Event
) -> None:
    channel = account.channel()
    attach(account, channel, statement(channel, external_id="partner-1"))
    for caller in (partner, account):
        assert caller.put(channel, event(), externalId="partner-1")["failed"] == []
        assert refused(caller.put, channel, event()) == "ChannelInsufficientPermission"
        assert refused(caller.put, channel, event(), externalId="partner-2") == "ChannelInsufficientPermission"


@pytest.mark.parametrize("external_id", ["x", "x" * 1225, "with space", "semi;colon"])
def test_an_external_id_has_a_form(account: Account, refused: Refused, event: Event, external_id: str) -> None:
    assert refused(account.put, account.channel(), event(), externalId=external_id) == "ValidationException"


def test_a_denial_outweighs_an_allowance(account: Account, partner: Account, refused: Refused, event: Event) -> None:
    channel = account.channel()
    attach(account, channel, statement(channel), statement(channel, Effect="Deny"))
    assert refused(partner.put, channel, event()) == "ChannelInsufficientPermission"


def test_another_account_sees_nothing_of_the_owners_resources(
    account: Account, partner: Account, refused: Refused
) -> None:
    channel = account.channel()
    assert refused(partner.cloudtrail.get_channel, Channel=channel) == "AccessDeniedException"
    assert refused(partner.cloudtrail.list_event_data_stores) == "AccessDeniedException"
