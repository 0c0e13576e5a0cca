"""What each answer of PutAuditEvents means, asked of a server that really gives it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)
from tests.forward.ports import event_data

from trailhook.batch import Entry
from trailhook.cloudtrail_lake import CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer, Halt
from trailhook.destination import DELIVERED, Disposition
from trailhook.put_audit_events import HttpAnswer, SignedPutAuditEvents
from trailhook_local.lake import LakeServer

ACCOUNT = "111122223333"
SESSION = boto3.Session(aws_access_key_id="AKIAFAKE", aws_secret_access_key="fake", region_name="us-east-1")


@dataclass
class Channel:
    """One channel of a running Lake, and a destination that leads to it."""

    server: LakeServer
    arn: str

    def destination(
        self, *, external_id: str | None = None, arn: str | None = None, read_timeout: float = 30
    ) -> CloudTrailLake:
        client = SESSION.client(
            "cloudtrail-data",
            endpoint_url=self.server.url,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout),
        )
        return CloudTrailLake(SignedPutAuditEvents(client, arn or self.arn, external_id))

    def fail(self, **rule: Any) -> None:
        self.server.lake.faults.set([{"operations": ["PutAuditEvents"], **rule}])


@pytest.fixture
def channel() -> Iterator[Channel]:
    with LakeServer(account=ACCOUNT) as server:
        client = SESSION.client("cloudtrail", endpoint_url=server.url)
        store = client.create_event_data_store(
            Name="audit",
            MultiRegionEnabled=False,
            AdvancedEventSelectors=[{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ActivityAuditLog"]}]}],
        )["EventDataStoreArn"]
        arn = client.create_channel(
            Name="github", Source="GitHub", Destinations=[{"Type": "EVENT_DATA_STORE", "Location": store}]
        )["ChannelArn"]
        yield Channel(server, arn)


def entry(uid: str, **members: Any) -> Entry:
    event = {
        "version": "1",
        "userIdentity": {"type": "User", "principalId": "mona"},
        "eventSource": "github.com",
        "eventName": "push",
        "eventTime": "2024-01-02T03:04:05Z",
        "UID": uid,
        "recipientAccountId": ACCOUNT,
    }
    return Entry.of(uid, json.dumps(event | members).encode())


def test_a_hundred_events_go_in_one_request(channel: Channel) -> None:
    outcomes = channel.destination().put([entry(f"e{number}") for number in range(100)])
    assert outcomes == [DELIVERED] * 100
    assert sum(channel.server.lake.stats()["requests"]["PutAuditEvents"].values()) == 1


def test_one_refused_entry_does_not_stand_for_its_neighbours(channel: Channel) -> None:
    outcomes = channel.destination().put([entry("a"), entry("b", eventTime="yesterday"), entry("c")])
    assert [outcome.disposition for outcome in outcomes] == [
        Disposition.DELIVERED,
        Disposition.QUARANTINE,
        Disposition.DELIVERED,
    ]
    assert outcomes[1].code == "InvalidData"
    assert outcomes[1].reason


OF_AN_ENTRY = {
    "FieldTooLong": Disposition.QUARANTINE,
    "FieldNotFound": Disposition.QUARANTINE,
    "InvalidChecksum": Disposition.QUARANTINE,
    "InvalidData": Disposition.QUARANTINE,
    "InvalidRecipient": Disposition.QUARANTINE,
    "InvalidEventSource": Disposition.QUARANTINE,
    "AccountNotSubscribed": Disposition.CONFIGURATION,
    "Throttling": Disposition.RETRY,
    "InternalFailure": Disposition.RETRY,
}


@pytest.mark.parametrize(("code", "disposition"), OF_AN_ENTRY.items())
def test_every_documented_code_of_an_entry_has_its_disposition(
    channel: Channel, code: str, disposition: Disposition
) -> None:
    channel.fail(kind="reject_entry", code=code, id_contains="b")
    outcomes = channel.destination().put([entry("a"), entry("b")])
    assert [(one.disposition, one.code) for one in outcomes] == [(Disposition.DELIVERED, ""), (disposition, code)]


@pytest.mark.parametrize(
    ("code", "disposition"),
    [
        ("ThrottlingException", Disposition.RETRY),
        ("InternalFailure", Disposition.RETRY),
        ("ServiceUnavailable", Disposition.RETRY),
        ("ChannelNotFound", Disposition.CONFIGURATION),
        ("ChannelInsufficientPermission", Disposition.CONFIGURATION),
        ("InvalidChannelARN", Disposition.CONFIGURATION),
        ("ChannelUnsupportedSchema", Disposition.CONFIGURATION),
        ("UnsupportedOperationException", Disposition.CONFIGURATION),
        ("AccessDeniedException", Disposition.CONFIGURATION),
    ],
)
def test_a_refused_request_says_the_same_of_each_entry(channel: Channel, code: str, disposition: Disposition) -> None:
    channel.fail(kind="error", code=code)
    outcomes = channel.destination().put([entry("a"), entry("b")])
    assert {outcome.disposition for outcome in outcomes} == {disposition}


@pytest.mark.parametrize(
    "fault", [{"kind": "drop_after"}, {"kind": "drop_before"}, {"kind": "delay", "milliseconds": 900}]
)
def test_without_an_answer_nothing_is_known_so_the_batch_goes_again(channel: Channel, fault: dict[str, Any]) -> None:
    channel.fail(**fault)
    outcomes = channel.destination(read_timeout=0.3).put([entry("a")])
    assert [outcome.disposition for outcome in outcomes] == [Disposition.RETRY]


def test_a_request_that_is_refused_for_one_entry_is_halved_until_that_one_is_found(channel: Channel) -> None:
    bad = Entry.of("not an id!", event_data(entry("x")).encode())
    good = [entry(f"e{number}") for number in range(9)]
    outcomes = Deliverer(channel.destination()).deliver([*good, bad], Deadline.of(None), Halt())
    assert {outcome.disposition for one, outcome in outcomes.items() if one != bad} == {Disposition.DELIVERED}
    assert outcomes[bad].disposition is Disposition.QUARANTINE


def test_a_checksum_goes_along_and_is_the_one_the_lake_computes(channel: Channel) -> None:
    event = entry("u", UID="ünïcode 😀", requestParameters={"line": "\u2028"})
    assert channel.destination().put([event]) == [DELIVERED]


def test_a_channel_of_another_account_is_a_configuration_fault(channel: Channel) -> None:
    elsewhere = "arn:aws:cloudtrail:us-east-1:999988887777:channel/00000000-0000-4000-8000-000000000000"
    (outcome,) = channel.destination(arn=elsewhere).put([entry("a")])
    assert outcome.disposition is Disposition.CONFIGURATION


def test_no_server_at_all_is_worth_another_try(channel: Channel) -> None:
    destination = channel.destination()
    channel.server.close()
    (outcome,) = destination.put([entry("a")])
    assert outcome.disposition is Disposition.RETRY


@dataclass
class Answering:
    """A service that gives one and the same answer."""

    status: int
    body: bytes

    def post(self, body: bytes) -> HttpAnswer:  # noqa: ARG002 - whatever it is asked
        return HttpAnswer(self.status, {}, self.body)


@pytest.mark.parametrize(
    ("status", "body", "disposition"),
    [
        pytest.param(200, b"<html>", Disposition.RETRY, id="no JSON"),
        pytest.param(204, b"", Disposition.RETRY, id="nothing"),
        pytest.param(200, b"{}", Disposition.RETRY, id="no mention of the event"),
        pytest.param(200, b'{"successful":[{"id":"other"}]}', Disposition.RETRY, id="another event"),
        pytest.param(200, b'{"successful":[{"id":"a"}],"failed":[{"id":"a"}]}', Disposition.RETRY, id="taken and not"),
        pytest.param(200, b'{"failed":[{"id":"a","errorCode":"New"}]}', Disposition.RETRY, id="refused anew"),
        pytest.param(202, b'{"successful":[{"id":"a"}]}', Disposition.DELIVERED, id="taken"),
        pytest.param(301, b"", Disposition.UNDOCUMENTED, id="elsewhere"),
        pytest.param(418, b"", Disposition.UNDOCUMENTED, id="an undocumented refusal"),
        pytest.param(413, b"", Disposition.QUARANTINE, id="too large"),
        pytest.param(503, b"<html>", Disposition.RETRY, id="down"),
        pytest.param(408, b"<html>", Disposition.RETRY, id="a request that took too long"),
        pytest.param(429, b"<html>", Disposition.RETRY, id="too many requests"),
        pytest.param(403, b"Zugriff verweigert: gesch\xfctzt", Disposition.CONFIGURATION, id="a proxy's own words"),
        pytest.param(401, b"[]", Disposition.CONFIGURATION, id="a refusal without members"),
        pytest.param(400, b'{"__type":7}', Disposition.UNDOCUMENTED, id="a code that is no text"),
        pytest.param(400, b'{"__type":"LimitExceededException"}', Disposition.RETRY, id="a quota by another name"),
    ],
)
def test_an_event_is_delivered_only_if_an_answer_says_so(status: int, body: bytes, disposition: Disposition) -> None:
    (outcome,) = CloudTrailLake(Answering(status, body)).put([entry("a")])
    assert outcome.disposition is disposition


OF_THE_CALLER = """
    ChannelInsufficientPermission ChannelNotFound InvalidChannelARN ChannelUnsupportedSchema
    UnsupportedOperationException AccountNotSubscribed AccessDenied AccessDeniedException ExpiredToken
    ExpiredTokenException IncompleteSignature IncompleteSignatureException InvalidClientTokenId
    InvalidSignatureException MissingAuthenticationToken MissingAuthenticationTokenException NotAuthorized OptInRequired
    RequestExpired SignatureDoesNotMatch UnrecognizedClientException
"""
OF_THE_REQUEST = """
    DuplicatedAuditEventId InvalidParameterValue RequestEntityTooLargeException SerializationException
    ValidationException
"""


@pytest.mark.parametrize(
    ("code", "alone", "among_others"),
    [
        *((code, Disposition.CONFIGURATION, Disposition.CONFIGURATION) for code in OF_THE_CALLER.split()),
        *((code, Disposition.QUARANTINE, Disposition.SPLIT) for code in OF_THE_REQUEST.split()),
        ("BrandNew", Disposition.UNDOCUMENTED, Disposition.SPLIT),
    ],
)
def test_no_event_has_to_answer_for_what_a_refusal_says_of_the_caller(
    code: str, alone: Disposition, among_others: Disposition
) -> None:
    destination = CloudTrailLake(Answering(400, json.dumps({"__type": code}).encode()))
    for batch, disposition in (["a"], alone), (["a", "b"], among_others):
        outcomes = destination.put([entry(uid) for uid in batch])
        assert [(one.disposition, one.code) for one in outcomes] == [(disposition, code)] * len(batch)


@dataclass
class NotSigned:
    """A service that no request can be signed for."""

    error: BotoCoreError

    def post(self, body: bytes) -> HttpAnswer:  # noqa: ARG002 - whatever it is asked
        raise self.error


@pytest.mark.parametrize(
    ("error", "disposition"),
    [
        (NoCredentialsError(), Disposition.CONFIGURATION),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), Disposition.CONFIGURATION),
        (CredentialRetrievalError(provider="container-role", error_msg="no answer"), Disposition.RETRY),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BotoCoreError) else "",
)
def test_without_credentials_events_wait_for_an_operator_and_for_those_that_are_late_by_themselves(
    error: BotoCoreError, disposition: Disposition
) -> None:
    outcomes = CloudTrailLake(NotSigned(error)).put([entry("a"), entry("b")])
    assert [(one.disposition, one.code) for one in outcomes] == [(disposition, type(error).__name__)] * 2
