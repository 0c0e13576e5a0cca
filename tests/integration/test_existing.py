"""What is there already: given stores are verified, our own is taken back, a stranger's is named and left alone."""

from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation
from tests.integration.conftest import Account, NewStack, denied, store_of

from trailhook_local.lake import LakeServer

FIXED = "FIXED_RETENTION_PRICING"
EXTENDABLE = "EXTENDABLE_RETENTION_PRICING"


def given(properties: dict[str, Any], *arns: str) -> dict[str, Any]:
    return {**properties, "EventDataStore": {"Name": "", "KmsKeyId": ""}, "EventDataStoreArns": list(arns)}


def test_existing_stores_are_used_and_never_touched(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    stores = [account.store("one"), account.store("two")]
    before = account.snapshot()
    answer = stack.create(given(github, *stores))
    assert answer.data["EventDataStoreArns"] == stores
    assert stack.delete(OnDelete="delete").succeeded
    assert account.snapshot() == before


def test_existing_stores_are_not_touched_either_where_events_came_to_them_from_a_create_that_nobody_heard_of(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """They hold evidence, but to mark it is for whoever made them."""
    existing = account.store()
    before = account.snapshot()
    made = stack.send("Create", given(github, existing))
    lake.lake.registry.channel(made.physical_id).ingestion["LatestIngestionSuccessTime"] = 4e9
    deleted = stack.send("Delete", given(github, existing), physical_id="audit-Integration-1A2B3C4D5E6F")
    assert (deleted.succeeded, deleted.reason) == (True, "")
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"category": "Management"}, "collects Management; it must collect eventCategory ActivityAuditLog"),
        ({"MultiRegionEnabled": True}, "is multi-Region"),
        ({"OrganizationEnabled": True}, "belongs to an organization"),
        ({"category": "Management", "StartIngestion": False}, "is STOPPED_INGESTION, and a channel needs it"),
    ],
)
def test_each_fault_of_an_existing_store_is_told(
    stack: CloudFormation, account: Account, github: dict[str, Any], changes: dict[str, Any], fault: str
) -> None:
    good, bad = account.store("good"), account.store("bad", **changes)
    before = account.snapshot()
    answer = stack.create(given(github, good, bad))
    assert not answer.succeeded
    assert bad in answer.reason
    assert fault in answer.reason
    assert account.snapshot() == before


def test_a_store_that_is_not_there_is_told(stack: CloudFormation, account: Account, github: dict[str, Any]) -> None:
    gone = account.store().rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000"
    assert f"there is no event data store {gone}" in stack.create(given(github, gone)).reason


def test_retain_then_redeploy_takes_our_store_back(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    first, again = new_stack(name="audit"), new_stack(name="audit")
    store = first.create(github).data["EventDataStoreArns"]
    assert first.delete().succeeded
    answer = again.create(store_of(github, RetentionPeriodDays="500"))
    assert answer.data["EventDataStoreArns"] == store
    assert account.cloudtrail.get_event_data_store(EventDataStore=store[0])["RetentionPeriod"] == 500
    assert again.delete(OnDelete="delete").succeeded
    assert account.living_stores() == []


def test_a_store_that_was_taken_back_survives_a_create_that_fails(
    new_stack: NewStack, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    first, again = new_stack(name="audit"), new_stack(name="audit")
    first.create(github)
    first.delete()
    for stack in (again, first):  # redeployed, or added again to the very same stack
        before = account.snapshot()
        lake.lake.faults.set([denied("CreateChannel")])
        assert not stack.create({**github, "Tags": ["team=audit"]}).succeeded
        lake.lake.faults.set([])
        assert account.snapshot() == before
        stack.create_that_times_out(github, seconds=30)
        assert account.living_stores() == [arn for arn in before if ":eventdatastore/" in arn]


def test_a_strangers_store_is_named_with_the_parameter_to_set(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    theirs = new_stack(name="other").create(github).data["EventDataStoreArns"][0]
    before = account.snapshot()
    answer = new_stack(name="audit").create({**github, "Partner": "okta", "ChannelName": "okta"})
    assert f"set EventDataStoreArns to {theirs}" in answer.reason
    assert account.snapshot() == before


@pytest.mark.parametrize(
    ("made", "asked", "advice"),
    [
        ({"BillingMode": FIXED}, {"BillingMode": EXTENDABLE}, "--billing-mode EXTENDABLE_RETENTION_PRICING"),
        ({"BillingMode": EXTENDABLE}, {"BillingMode": FIXED}, "set EventDataStore.BillingMode to EXTENDABLE"),
        ({"KmsKeyId": "fake-key"}, {"KmsKeyId": ""}, "set EventDataStore.KmsKeyId to that key"),
        ({"KmsKeyId": "fake-key"}, {"KmsKeyId": "other-key"}, "CloudTrail never changes or removes its key"),
        ({"KmsKeyId": ""}, {"KmsKeyId": "fake-key"}, "--kms-key-id fake-key"),
    ],
)
def test_our_store_that_does_not_match_is_refused_untouched(
    new_stack: NewStack,
    account: Account,
    github: dict[str, Any],
    made: dict[str, str],
    asked: dict[str, str],
    advice: str,
) -> None:
    first = new_stack()
    first.create(store_of(github, **made))
    first.delete()
    before = account.snapshot()
    answer = new_stack().create(store_of(github, **asked))
    assert not answer.succeeded
    assert advice in answer.reason
    assert account.snapshot() == before


def test_our_store_that_no_channel_can_deliver_to_any_more_is_refused_untouched(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    first = new_stack()
    [store] = first.create(github).data["EventDataStoreArns"]
    first.delete()
    account.cloudtrail.update_event_data_store(EventDataStore=store, MultiRegionEnabled=True)
    before = account.snapshot()
    assert f"{store} is multi-Region" in new_stack().create(github).reason
    assert account.snapshot() == before


def test_a_retention_longer_than_the_pricing_of_the_store_that_is_taken_allows_is_refused(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    """The properties ask for the same pricing as before, but of another store."""
    first, again = new_stack(), new_stack()
    first.create(store_of(github, Name="fixed", BillingMode=FIXED))
    first.delete()
    longest = store_of(github, RetentionPeriodDays="3653")
    assert again.create(longest).succeeded
    before = account.snapshot()
    refused = again.update(store_of(longest, Name="fixed"))
    assert "RetentionPeriodDays must be 7 to 2557 days under FIXED_RETENTION_PRICING." in refused.reason
    assert account.snapshot() == before


def test_the_same_key_in_another_form_matches(new_stack: NewStack, account: Account, github: dict[str, Any]) -> None:
    first = new_stack()
    first.create(store_of(github, KmsKeyId="fake-key"))
    first.delete()
    arn = "arn:aws:kms:us-east-1:111122223333:key/fake-key"
    assert new_stack().create(store_of(github, KmsKeyId=arn)).succeeded


def test_a_store_pending_deletion_is_not_restored_when_nobody_can_tell_whose_it_is(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    first = new_stack()
    store = first.create(github).data["EventDataStoreArns"][0]
    first.delete(OnDelete="delete")
    answer = new_stack().create(github)
    assert "CloudTrail does not tell whose it is" in answer.reason
    assert f"aws cloudtrail restore-event-data-store --event-data-store {store}" in answer.reason
    assert account.stores() == {store: "PENDING_DELETION"}


def test_a_store_pending_deletion_that_is_provably_ours_is_restored(
    new_stack: NewStack, telling_lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    first = new_stack()
    store = first.create(github).data["EventDataStoreArns"]
    first.delete(OnDelete="delete")
    telling_lake.lake.faults.set([denied("CreateChannel")])
    assert not new_stack().create(github).succeeded
    assert account.stores() == {store[0]: "PENDING_DELETION"}
    telling_lake.lake.faults.set([{"kind": "drop_after", "operations": ["RestoreEventDataStore"], "count": 1}])
    answer = new_stack().create(github)
    assert answer.data["EventDataStoreArns"] == store
    restored = account.cloudtrail.get_event_data_store(EventDataStore=store[0])
    assert restored["Status"] == "ENABLED"
    assert restored["TerminationProtectionEnabled"]


def test_a_strangers_store_pending_deletion_is_not_restored(
    new_stack: NewStack, telling_lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    other = new_stack(name="other")
    store = other.create(github).data["EventDataStoreArns"][0]
    other.delete(OnDelete="delete")
    assert "this stack did not make it" in new_stack().create(github).reason
    assert account.stores() == {store: "PENDING_DELETION"}


def test_the_channel_that_holds_the_source_is_named(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    theirs = account.channel(account.store())
    before = account.snapshot()
    answer = stack.create(github)
    assert "the channel theirs has the source GitHub already" in answer.reason
    assert f"set ChannelArn to {theirs}" in answer.reason
    assert account.snapshot() == before
    assert list(account.stores()) == [arn for arn in before if ":eventdatastore/" in arn], "a store was made in vain"


def test_the_channel_that_holds_the_name_is_named(
    stack: CloudFormation, account: Account, github: dict[str, Any]
) -> None:
    theirs = account.channel(account.store(), name="github", source="OneLogin")
    assert f"The name github is taken by the channel {theirs}" in stack.create(github).reason


def test_channels_and_stores_that_are_not_this_accounts_are_passed_over(
    stack: CloudFormation, lake: LakeServer, account: Account, github: dict[str, Any]
) -> None:
    """The Lake refuses every call on them, so an integration that asked about one would fail."""
    listed = {
        "ListChannels": ("Channels", "ChannelArn", "111122223333:channel/aws-service-channel/ssm/1"),
        "ListEventDataStores": ("EventDataStores", "EventDataStoreArn", "999988887777:eventdatastore/organization"),
    }

    def list_one_more(operation: str, member: str, arn: dict[str, str]) -> None:
        whole = lake.lake.operations[operation]
        lake.lake.operations[operation] = lambda request: {member: [*whole(request)[member], arn]}

    for operation, (member, name, resource) in listed.items():
        list_one_more(operation, member, {name: f"arn:aws:cloudtrail:us-east-1:{resource}", "Name": "audit"})
    assert stack.create(github).succeeded
    assert stack.update({**github, "Partner": "okta"}).data["Report"] == ""
    assert stack.log[-1] == ("Delete", "SUCCESS")
    assert stack.delete(OnDelete="delete").succeeded


@pytest.fixture(params=["the alias", "the key behind it"])
def lake_with_aliases(lake: LakeServer, request: pytest.FixtureRequest) -> LakeServer:
    """A CloudTrail that tells an alias as it was given, or the key behind it: nobody knows which."""
    whole = lake.lake.operations["GetEventDataStore"]

    def get_store(asked: dict[str, Any]) -> dict[str, Any]:
        answer = whole(asked)
        key = answer.get("KmsKeyId", "")
        return {**answer, "KmsKeyId": KEYS[key.rpartition("/")[2]]} if ":alias/" in key else answer

    if request.param == "the key behind it":
        lake.lake.operations["GetEventDataStore"] = get_store
    return lake


KEYS = {name: f"arn:aws:kms:us-east-1:111122223333:key/fake-{name}" for name in ("one", "two")}


@pytest.mark.usefixtures("lake_with_aliases")
@pytest.mark.parametrize("alias", ["alias/one", "arn:aws:kms:us-east-1:111122223333:alias/one"])
def test_a_store_made_with_a_kms_alias_is_ours_again(
    new_stack: NewStack, account: Account, github: dict[str, Any], alias: str
) -> None:
    first, again = new_stack(), new_stack()
    made = first.create(store_of(github, KmsKeyId=alias))
    first.replay()
    assert first.bucket.answers[-1].data == made.data
    assert first.update({**store_of(github, KmsKeyId=alias), "ChannelName": "renamed"}).succeeded
    assert first.delete().succeeded
    redeployed = again.create(store_of(github, KmsKeyId="alias/one"))
    assert redeployed.data["EventDataStoreArns"] == made.data["EventDataStoreArns"]


@pytest.mark.usefixtures("lake_with_aliases")
@pytest.mark.parametrize("key", ["alias/two", KEYS["two"], ""])
def test_another_key_than_the_aliass_is_refused_and_the_way_back_is_open(
    stack: CloudFormation, account: Account, github: dict[str, Any], key: str
) -> None:
    stack.create(store_of(github, KmsKeyId="alias/one"))
    before = account.snapshot()
    refused = stack.update({**store_of(github, KmsKeyId=key), "ChannelName": "renamed"})
    assert "CloudTrail never changes or removes its key" in refused.reason
    assert account.snapshot() == before


@pytest.mark.usefixtures("lake_with_aliases")
def test_a_store_that_got_its_key_later_is_ours_again_under_the_key_that_cloudtrail_tells(
    new_stack: NewStack, account: Account, github: dict[str, Any]
) -> None:
    """As the refusal advises. Nothing but that key says what the store has: it was made without one."""
    first, again = new_stack(), new_stack()
    (store,) = first.create(github).data["EventDataStoreArns"]
    assert first.delete().succeeded
    refused = again.create(store_of(github, KmsKeyId="alias/one"))
    assert "set EventDataStore.KmsKeyId to the key in its answer" in refused.reason
    account.cloudtrail.update_event_data_store(EventDataStore=store, KmsKeyId="alias/one")
    told = account.cloudtrail.get_event_data_store(EventDataStore=store)["KmsKeyId"]
    assert again.create(store_of(github, KmsKeyId=told)).data["EventDataStoreArns"] == [store]
