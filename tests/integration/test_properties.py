"""Every rule that can be checked before the first AWS call, each with its plain sentence."""

from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation

from trailhook.errors import PropertiesRefused
from trailhook.integration.properties import parse_properties
from trailhook.integration.request import Place
from trailhook_local.lake import LakeServer

HERE = Place("aws", "us-east-1", "111122223333")
STORE = "arn:aws:cloudtrail:us-east-1:111122223333:eventdatastore/11111111-2222-3333-4444-555555555555"
CHANNEL = "arn:aws:cloudtrail:us-east-1:111122223333:channel/11111111-2222-3333-4444-555555555555"
GITHUB = {"Partner": "github", "ChannelName": "github", "EventDataStoreArns": [STORE]}
CLUMIO = {**GITHUB, "Partner": "clumio", "PrincipalAccountIds": ["444455556666"], "ExternalId": "fake-id"}
NEW = {"Partner": "github", "ChannelName": "github"}


def store(**members: Any) -> dict[str, Any]:
    return {**NEW, "EventDataStore": {"Name": "audit", **members}}


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({**GITHUB, "Patner": "x", "Colour": "red"}, "There is no property Colour, Patner"),
        ({**GITHUB, "Partner": ""}, "Partner must be one of"),
        ({**GITHUB, "Partner": "GitHub"}, "not 'GitHub'"),
        ({**GITHUB, "Mode": "direct"}, "Mode of github can only be webhook, not 'direct'."),
        (
            {**GITHUB, "ChannelName": ""},
            "ChannelName must have 3 to 128 letters, digits, '.', '_' or '-'; it is missing.",
        ),
        ({**GITHUB, "ChannelName": "ab"}, "it is 'ab'."),
        ({**GITHUB, "ChannelName": "a" * 129}, "ChannelName must have"),
        ({**GITHUB, "ChannelName": "git hub"}, "ChannelName must have"),
        ({**GITHUB, "ChannelName": "github\n"}, "ChannelName must have"),
        (NEW, "Name either existing event data stores in EventDataStoreArns or a new one in EventDataStore"),
        ({**store(), "EventDataStoreArns": [STORE]}, "and not both"),
        ({**GITHUB, "EventDataStoreArns": ["audit"]}, "EventDataStoreArns must be of the form arn:aws:cloudtrail"),
        ({**GITHUB, "EventDataStoreArns": [CHANNEL]}, "EventDataStoreArns must be of the form"),
        (
            {**GITHUB, "EventDataStoreArns": [STORE.replace("us-east-1", "eu-central-1")]},
            "account 111122223333 and Region",
        ),
        ({**GITHUB, "EventDataStoreArns": [STORE.replace("1111222", "9999222")]}, "EventDataStoreArns must be in this"),
        ({**GITHUB, "EventDataStoreArns": [STORE, STORE]}, "names an event data store twice"),
        ({**GITHUB, "EventDataStoreArns": [f"{STORE[:-1]}{n:x}" for n in range(11)]}, "names more than the 10 stores"),
        ({**GITHUB, "EventDataStoreArns": {"arn": STORE}}, "EventDataStoreArns must be a list of texts."),
        ({**GITHUB, "PrincipalAccountIds": [["444455556666"]]}, "PrincipalAccountIds must be a list of texts."),
        ({**GITHUB, "ExternalId": ["fake-id"]}, "ExternalId must be a text, not list."),
        ({**GITHUB, "ExternalId": "fake-id"}, "ExternalId is a condition of a policy"),
        ({**CLUMIO, "ExternalId": "x"}, "ExternalId must have 2 to 1224"),
        ({**CLUMIO, "ExternalId": "naïve"}, "ExternalId must have 2 to 1224"),
        ({**CLUMIO, "ExternalId": ""}, "Clumio delivers by itself: ExternalId must be"),
        ({**CLUMIO, "PrincipalAccountIds": [""]}, "Clumio delivers by itself: PrincipalAccountIds must name"),
        ({**CLUMIO, "PrincipalAccountIds": ["44445555666"]}, "account ids of 12 digits, not '44445555666'"),
        ({**CLUMIO, "PrincipalAccountIds": [f"{n:012}" for n in range(51)]}, "names more than 50 accounts"),
        ({**CLUMIO, "PrincipalAccountIds": ["444455556666"] * 2}, "names an account twice"),
        (store(Name="a/b"), "EventDataStore.Name must have"),
        (store(Name=""), "Name either existing"),
        (store(Name="", KmsKeyId="alias/fake"), "EventDataStore.Name must have 3 to 128"),
        (store(Retention="7"), "EventDataStore has no member Retention"),
        (store(RetentionPeriodDays=366), "EventDataStore.RetentionPeriodDays must be a text, not int."),
        ({**NEW, "EventDataStore": "audit"}, "EventDataStore must be a map of BillingMode, KmsKeyId, Name, Retention"),
        (store(BillingMode="CHEAP"), "EventDataStore.BillingMode must be EXTENDABLE_RETENTION_PRICING or FIXED"),
        (store(RetentionPeriodDays="6"), "RetentionPeriodDays must be 7 to 3653 days"),
        (store(RetentionPeriodDays="3654"), "RetentionPeriodDays must be 7 to 3653 days"),
        (store(RetentionPeriodDays="one year"), "not 'one year'"),
        (store(RetentionPeriodDays="2558", BillingMode="FIXED_RETENTION_PRICING"), "7 to 2557 days under FIXED"),
        (store(KmsKeyId="my key"), "EventDataStore.KmsKeyId must be"),
        ({**GITHUB, "Tags": ["team"]}, "Tags must be a map of texts, or a list of key=value, unlike 'team'"),
        ({**GITHUB, "Tags": {"team": ["audit"]}}, "Tags must be a map of texts, or a list of key=value, unlike 'team'"),
        ({**GITHUB, "Tags": ["=audit"]}, "Tags must be a map of texts, or a list of key=value, unlike 'audit'"),
        ({**GITHUB, "Tags": {"k" * 129: "v"}}, "a key has up to 128"),
        ({**GITHUB, "Tags": {"key": "v" * 257}}, "a value up to 256"),
        ({**GITHUB, "Tags": {"key": "a;b"}}, "characters out of _.:/=+-@"),
        ({**GITHUB, "Tags": {"a;b": "value"}}, "characters out of _.:/=+-@"),
        ({**GITHUB, "Tags": {"aws:key": "v"}}, "'aws:key' is reserved"),
        ({**GITHUB, "Tags": {"AWS:key": "v"}}, "'AWS:key' is reserved"),
        ({**GITHUB, "Tags": {"trailhook:stack-id": "v"}}, "'trailhook:stack-id' is reserved"),
        ({**GITHUB, "Tags": ["a=1", "a=2"]}, "Tags names a key twice"),
        ({**GITHUB, "Tags": {f"k{n}": "v" for n in range(48)}}, "Tags can hold 47, not 48"),
        ({**store(KmsKeyId="alias/fake"), "Tags": {f"k{n}": "v" for n in range(47)}}, "Tags can hold 46, not 47"),
        ({**GITHUB, "OnDelete": "destroy"}, "OnDelete must be retain or delete, not 'destroy'"),
        ({**GITHUB, "ShortenRetention": "yes"}, "ShortenRetention must be true or false"),
        ({"Partner": "slack", "ChannelArn": CHANNEL, "ChannelName": "x"}, "ChannelArn stands alone"),
        ({"Partner": "slack", "ChannelArn": CHANNEL, "ExternalId": "fake"}, "so remove ExternalId"),
        ({"Partner": "slack", "ChannelArn": STORE}, "ChannelArn must be of the form"),
        (
            {"Partner": "slack", "ChannelArn": CHANNEL.replace("us-east-1", "eu-west-1")},
            "ChannelArn must be in this stack's",
        ),
    ],
)
def test_a_broken_rule_is_refused_with_its_sentence(properties: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PropertiesRefused) as refused:
        parse_properties(properties, HERE)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("properties", "source"),
    [
        ({"Partner": "launchdarkly"}, "Custom"),
        ({"Partner": "launchdarkly", "Mode": "webhook"}, "Custom"),
        ({"Partner": "snyk", "Mode": "direct", "PrincipalAccountIds": "444455556666", "ExternalId": "fake"}, "Snyk"),
        ({"Partner": "gitlab"}, "Custom"),
        ({"Partner": "kong", "ServiceToken": "arn", "ServiceTimeout": "300", "Version": "2"}, "KongGatewayEnterprise"),
    ],
)
def test_the_partner_and_its_mode_decide_the_source(properties: dict[str, Any], source: str) -> None:
    assert parse_properties({**GITHUB, **properties}, HERE).source.name == source


def test_forty_seven_tags_and_the_longest_of_all_are_taken() -> None:
    tags = {f"{n:0128}": "v" * 256 for n in range(47)}
    assert parse_properties({**GITHUB, "Tags": tags}, HERE).tags == tags
    assert parse_properties({**GITHUB, "Tags": ["team=audit=eu", ""]}, HERE).tags == {"team": "audit=eu"}


@pytest.mark.parametrize("tags", ["team=audit", ["team=audit"], [" team = audit "], {"team": "audit"}])
def test_a_tag_is_the_same_in_every_form(tags: Any) -> None:
    assert parse_properties({**GITHUB, "Tags": tags}, HERE).tags == {"team": "audit"}


def test_all_broken_rules_are_told_at_once_before_the_first_call(stack: CloudFormation, lake: LakeServer) -> None:
    answer = stack.send("Create", {"Partner": "okta", "ChannelName": "x", "OnDelete": "perhaps"})
    assert not answer.succeeded
    for sentence in ("ChannelName must", "Name either existing", "OnDelete must"):
        assert sentence in answer.reason
    assert lake.lake.stats()["requests"] == {}
    assert answer.physical_id == f"failed/Integration/{stack.last_event['RequestId']}"
