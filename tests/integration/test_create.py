"""Create: an event data store, a channel, a policy, and an answer."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account

from trailhook_local.lake import LakeServer, errors


def test_makes_store_and_channel_and_answers_with_the_channel(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    answer = stack.create(github)

    assert answer.succeeded, answer.reason
    assert answer.physical_id == answer.data["ChannelArn"]
    assert answer.data["Source"] == "GitHub"
    assert answer.data["IntegrationType"] == "solution"
    assert answer.data["RecipientAccountId"] == "111122223333"
    channel = account.cloudtrail.get_channel(Channel=answer.physical_id)
    assert channel["Name"] == "github"
    assert [d["Location"] for d in channel["Destinations"]] == answer.data["EventDataStoreArns"]
    store = account.cloudtrail.get_event_data_store(EventDataStore=answer.data["EventDataStoreArns"][0])
    assert store["Name"] == "audit"
    assert store["RetentionPeriod"] == 400
    assert store["TerminationProtectionEnabled"]
    assert not store["MultiRegionEnabled"]
    assert account.policy(answer.physical_id) is None
    tags, request = {stack.stack_id, "Integration"}, stack.last_event["RequestId"]
    assert set(account.tags(answer.physical_id).values()) == {*tags, request}
    assert set(account.tags(store["EventDataStoreArn"]).values()) == tags


def test_waits_out_the_real_rates(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.rates.set({"read": 10.0, "other": 1.0})
    answer = stack.create({**github, "PrincipalAccountIds": ["444455556666"], "ExternalId": "fake-external-id"})
    assert answer.succeeded, answer.reason
    lake.lake.rates.set({})
    statement = json.loads(account.policy(answer.physical_id) or "")["Statement"][0]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::444455556666:root"]}


@pytest.mark.parametrize(
    ("properties", "source", "kind"),
    [
        ({"Partner": "clumio"}, "Clumio", "direct"),
        ({"Partner": "launchdarkly", "Mode": "direct"}, "LaunchDarkly", "direct"),
        ({"Partner": "launchdarkly"}, "Custom", "solution"),
        ({"Partner": "wiz"}, "WizAuditLogs", "solution"),
    ],
)
def test_the_policy_lets_the_principals_in_and_asks_for_the_external_id(
    stack: CloudFormation, account: Account, github: dict[str, Any], properties: dict[str, str], source: str, kind: str
) -> None:
    principals = ["444455556666", "777788889999"]
    answer = stack.create({**github, **properties, "PrincipalAccountIds": principals, "ExternalId": "fake-id"})
    assert (answer.data["Source"], answer.data["IntegrationType"]) == (source, kind)
    assert json.loads(account.policy(answer.physical_id) or "") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DeliverEventsThroughChannel",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"]},
                "Action": "cloudtrail-data:PutAuditEvents",
                "Resource": answer.physical_id,
                "Condition": {"StringEquals": {"cloudtrail:ExternalId": "fake-id"}},
            }
        ],
    }


def test_a_policy_without_an_external_id_has_no_condition(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    answer = stack.create({**github, "PrincipalAccountIds": ["444455556666"]})
    assert "Condition" not in json.loads(account.policy(answer.physical_id) or "")["Statement"][0]


def test_pricing_key_and_tags_are_set_as_the_store_is_created(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    members = {"Name": "audit", "BillingMode": "FIXED_RETENTION_PRICING", "KmsKeyId": "alias/fake"}
    answer = stack.create({**github, "EventDataStore": members, "Tags": {"team": "audit"}})
    store = account.cloudtrail.get_event_data_store(EventDataStore=answer.data["EventDataStoreArns"][0])
    assert (store["BillingMode"], store["RetentionPeriod"]) == ("FIXED_RETENTION_PRICING", 2557)
    assert store["KmsKeyId"].endswith("alias/fake")
    for arn in (answer.physical_id, store["EventDataStoreArn"]):
        assert account.tags(arn)["team"] == "audit"


def test_a_store_that_starts_slowly_is_waited_for(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.event_data_stores.start_seconds = 1.0
    assert stack.create(github).succeeded


def tell_states(lake: LakeServer, states: Iterator[str]) -> None:
    """CloudTrail tells these first of an event data store, one a call; `gone` is that there is none."""
    whole = lake.lake.operations["GetEventDataStore"]

    def get_store(request: dict[str, Any]) -> dict[str, Any]:
        state = next(states, "")
        if state == "gone":
            raise errors.EventDataStoreNotFoundException("The event data store does not exist.")
        return {**whole(request), **({"Status": state} if state else {})}

    lake.lake.operations["GetEventDataStore"] = get_store


@pytest.mark.parametrize("states", [["STARTING_INGESTION"] * 6, ["gone", "PENDING_DELETION", "CREATED"]])
def test_a_store_on_its_way_is_waited_for_and_one_that_cloudtrail_is_behind_with_for_a_while(
    stack: CloudFormation, lake: LakeServer, github: dict[str, Any], monkeypatch: pytest.MonkeyPatch, states: list[str]
) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.01)  # pauses without their length
    tell_states(lake, iter(states))
    answer = stack.create(github)
    assert answer.succeeded, answer.reason


def test_a_store_that_will_not_come_is_not_waited_for_until_the_end(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.01)
    tell_states(lake, itertools.repeat("STOPPED_INGESTION", 5))
    assert "is STOPPED_INGESTION and not ENABLED." in stack.create(github).reason
    assert account.snapshot() == {}


def test_delete_takes_back_the_channel_and_keeps_the_store(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    stack.create(github)
    assert stack.delete().succeeded
    assert account.channels() == []
    assert len(account.living_stores()) == 1
