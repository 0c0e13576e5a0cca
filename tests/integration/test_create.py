"""Create: an event data store, a channel, a policy, and an answer."""

import json
from typing import Any

from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account

from trailhook_local.lake import LakeServer


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
    for arn in (answer.physical_id, store["EventDataStoreArn"]):
        assert set(account.tags(arn).values()) == {stack.stack_id, "Integration"}


def test_waits_out_the_real_rates(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    lake.lake.rates.set({"read": 10.0, "other": 1.0})
    answer = stack.create({**github, "PrincipalAccountIds": ["444455556666"], "ExternalId": "fake-external-id"})
    assert answer.succeeded, answer.reason
    lake.lake.rates.set({})
    statement = json.loads(account.policy(answer.physical_id) or "")["Statement"][0]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::444455556666:root"]}


def test_delete_takes_back_the_channel_and_keeps_the_store(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    stack.create(github)
    assert stack.delete().succeeded
    assert account.channels() == []
    assert len(account.living_stores()) == 1
