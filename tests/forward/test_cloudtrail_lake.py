"""What each answer of PutAuditEvents means, asked of a server that really gives it."""

import base64
import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.config import Config

from trailhook.batch import Entry
from trailhook.cloudtrail_lake import ENTRY_CODES, CloudTrailLake
from trailhook.deadline import Deadline
from trailhook.deliver import Deliverer
from trailhook.destination import DELIVERED, Disposition
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
        return CloudTrailLake(client, arn or self.arn, external_id)

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
    return Entry(uid, json.dumps(event | members))


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


@pytest.mark.parametrize(("code", "disposition"), ENTRY_CODES.items())
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
    bad = Entry("not an id!", entry("x").event_data)
    good = [entry(f"e{number}") for number in range(9)]
    outcomes = Deliverer(channel.destination()).deliver([*good, bad], Deadline.of(None))
    assert {outcome.disposition for one, outcome in outcomes.items() if one != bad} == {Disposition.DELIVERED}
    assert outcomes[bad].disposition is Disposition.QUARANTINE


def test_a_checksum_goes_along_and_is_the_one_the_lake_computes(channel: Channel) -> None:
    event = entry("u", UID="ünïcode 😀", requestParameters={"line": "\u2028"})
    assert channel.destination().put([event]) == [DELIVERED]


def test_a_channel_of_another_account_is_a_configuration_fault(channel: Channel) -> None:
    elsewhere = "arn:aws:cloudtrail:us-east-1:999988887777:channel/00000000-0000-4000-8000-000000000000"
    (outcome,) = channel.destination(arn=elsewhere).put([entry("a")])
    assert outcome.disposition is Disposition.CONFIGURATION


def test_a_parameter_that_the_sdk_refuses_is_a_configuration_fault(channel: Channel) -> None:
    (outcome,) = channel.destination(external_id="x").put([entry("a")])
    assert (outcome.disposition, outcome.code) == (Disposition.CONFIGURATION, "ParamValidationError")


def test_no_server_at_all_is_worth_another_try(channel: Channel) -> None:
    destination = channel.destination()
    channel.server.close()
    (outcome,) = destination.put([entry("a")])
    assert outcome.disposition is Disposition.RETRY


@dataclass
class Sent:
    """A request as it leaves for the network."""

    url: str
    headers: dict[str, str]
    body: bytes


def sent(client: Any, send: Callable[[], object]) -> Sent:
    """The one request that a call makes; nobody answers it."""
    requests: list[Sent] = []

    def keep(request: AWSPreparedRequest, **_: object) -> None:
        assert isinstance(request.body, bytes)
        headers = {name: value if isinstance(value, str) else value.decode() for name, value in request.headers.items()}
        requests.append(Sent(request.url, headers, request.body))
        raise ConnectionRefusedError

    client.meta.events.register("before-send.cloudtrail-data.PutAuditEvents", keep)
    with contextlib.suppress(ConnectionRefusedError):
        send()
    [request] = requests
    return request


def test_the_request_is_the_one_that_botocore_would_have_made_and_its_signature_covers_the_body() -> None:
    arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:channel/00000000-0000-4000-8000-000000000000"
    batch = [entry("plain"), entry("ünïcode", requestParameters={"line": '\u2028"\\\x7f😀'}), Entry("id", "not JSON")]
    ours, plain = (SESSION.client("cloudtrail-data", endpoint_url="https://lake.example") for _ in range(2))
    request = sent(ours, lambda: CloudTrailLake(ours, arn, "external/id=1").put(batch))
    events: Any = [
        {
            "id": one.id,
            "eventData": one.event_data,
            "eventDataChecksum": base64.b64encode(hashlib.sha256(one.event_data.encode()).digest()).decode(),
        }
        for one in batch
    ]
    expected = sent(
        plain, lambda: plain.put_audit_events(channelArn=arn, externalId="external/id=1", auditEvents=events)
    )
    assert request.url == expected.url
    assert request.headers.keys() == expected.headers.keys()
    assert request.headers["Content-Type"] == expected.headers["Content-Type"]
    assert request.headers["Content-Length"] == str(len(request.body))
    assert request.body.isascii()
    assert json.loads(request.body) == json.loads(expected.body)

    authorization = request.headers["Authorization"]
    signed = re.search("SignedHeaders=([^,]*)", authorization)
    credentials = SESSION.get_credentials()
    assert signed
    assert credentials
    named = {name.lower(): value for name, value in request.headers.items()} | {"host": "lake.example"}
    again = AWSRequest("POST", request.url, {name: named[name] for name in signed[1].split(";")}, request.body)
    again.context["timestamp"] = named["x-amz-date"]
    signer = SigV4Auth(credentials.get_frozen_credentials(), "cloudtrail-data", "us-east-1")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert authorization.endswith(f"Signature={signature}")
