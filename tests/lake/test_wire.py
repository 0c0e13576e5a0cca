"""The wire itself: signatures, bodies that no SDK would send, unknown operations, and the AWS CLI."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.lake.conftest import Account, Event, Refused

from trailhook_local.lake import LakeServer

TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"
CHANNEL = "arn:aws:cloudtrail:us-east-1:111122223333:channel/01234567-89ab-cdef-0123-456789abcdef"


def send(
    lake: LakeServer,
    path: str,
    body: bytes,
    *,
    service: str,
    region: str = "us-east-1",
    headers: dict[str, str] | None = None,
) -> tuple[int, str, dict[str, Any]]:
    """(status, error code, JSON) of one signed request."""
    request = AWSRequest("POST", lake.url + path, headers=headers, data=body)
    SigV4Auth(Credentials("AKIAEXAMPLE", "fake"), service, region).add_auth(request)
    signed = dict(request.headers.items())
    return post(lake, path, body, signed)


def post(lake: LakeServer, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, dict[str, Any]]:
    with urllib3.PoolManager() as http:
        answer = http.request("POST", lake.url + path, body=body, headers=headers)
        return answer.status, answer.headers.get("x-amzn-errortype", ""), answer.json()


def test_an_unsigned_request_is_not_let_in(lake: LakeServer) -> None:
    status, code, body = post(lake, f"/PutAuditEvents?channelArn={CHANNEL}", b"{}", {})
    assert (status, code, body["__type"]) == (403, "MissingAuthenticationTokenException", code)
    assert post(lake, "/", b"{}", {"X-Amz-Target": f"{TARGET}.ListChannels"})[:2] == (403, code)


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer token",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/cloudtrail/aws4_request, SignedHeaders=host",
        f"AWS4-HMAC-SHA256 Credential=AKIA, SignedHeaders=host, Signature={'0' * 64}",
        "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/cloudtrail/aws4_request, SignedHeaders=host, Signature=0",
        f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/cloudtrail/aws4_request, SignedHeaders=x, "
        f"Signature={'0' * 64}",
    ],
)
def test_half_a_signature_is_incomplete(lake: LakeServer, authorization: str) -> None:
    headers = {"Authorization": authorization, "X-Amz-Date": "20260101T000000Z"}
    assert post(lake, "/", b"{}", headers)[:2] == (400, "IncompleteSignatureException")


@pytest.mark.parametrize(("service", "region"), [("cloudtrail", "us-east-1"), ("cloudtrail-data", "eu-west-1")])
def test_a_signature_for_another_service_or_region_is_invalid(lake: LakeServer, service: str, region: str) -> None:
    answer = send(lake, f"/PutAuditEvents?channelArn={CHANNEL}", b"{}", service=service, region=region)
    assert answer[:2] == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"auditEvents": NaN}',
        b'{"auditEvents": [], "auditEvents": []}',
        b'{"auditEvents": [{"id": "a", "eventData": "\xff"}]}',
        rb'{"auditEvents": [{"id": "a", "eventData": "\ud800"}]}',
    ],
)
def test_a_body_that_is_not_strict_json_cannot_be_read(lake: LakeServer, body: bytes) -> None:
    answer = send(lake, f"/PutAuditEvents?channelArn={CHANNEL}", body, service="cloudtrail-data")
    assert answer[:2] == (400, "SerializationException")


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "a"},
        {"eventData": "{}"},
        {"id": 1, "eventData": "{}"},
        {"id": "a", "eventData": {"version": "1"}},
        "text",
    ],
)
def test_an_entry_of_the_wrong_shape_fails_the_request(lake: LakeServer, entry: Any) -> None:
    body = json.dumps({"auditEvents": [entry]}).encode()
    answer = send(lake, f"/PutAuditEvents?channelArn={CHANNEL}", body, service="cloudtrail-data")
    assert answer[:2] == (400, "ValidationException")


def test_the_channel_is_taken_from_the_address_only(lake: LakeServer) -> None:
    body = json.dumps({"channelArn": CHANNEL, "auditEvents": []}).encode()
    answer = send(lake, "/PutAuditEvents", body, service="cloudtrail-data")
    assert answer[1] == "InvalidChannelARN"


@pytest.mark.parametrize("target", [f"{TARGET}.MakeCoffee", "CloudTrail.ListChannels", "", "ListChannels"])
def test_what_is_no_operation_is_unknown(lake: LakeServer, target: str) -> None:
    answer = send(lake, "/", b"{}", service="cloudtrail", headers={"X-Amz-Target": target})
    assert answer[:2] == (400, "UnknownOperationException")


@pytest.mark.parametrize("path", ["/PutAuditEvent", "/channels/x"])
def test_a_path_that_no_operation_has_is_unknown(lake: LakeServer, path: str) -> None:
    assert send(lake, path, b"{}", service="cloudtrail-data")[:2] == (404, "UnknownOperationException")


def test_operations_outside_integrations_are_not_supported(account: Account, refused: Refused) -> None:
    assert refused(account.cloudtrail.create_trail, Name="trail", S3BucketName="b") == "UnsupportedOperationException"


def test_modelled_exceptions_are_raised_as_such(account: Account, event: Event) -> None:
    with pytest.raises(account.data.exceptions.DuplicatedAuditEventId) as caught:
        account.put(account.channel(), event("a"), event("a"))
    assert "same event ID" in caught.value.response["Error"]["Message"]
    with pytest.raises(account.cloudtrail.exceptions.ChannelARNInvalidException):
        account.cloudtrail.get_channel(Channel="spa ce")


def test_another_region_is_another_lake(new_account: Callable[..., Account], refused: Refused, event: Event) -> None:
    with LakeServer(account="222233334444", region="eu-central-1") as lake:
        account = new_account(lake.url, region="eu-central-1")
        channel = account.channel()
        assert channel.startswith("arn:aws:cloudtrail:eu-central-1:222233334444:channel/")
        assert account.put(channel, event(recipientAccountId="222233334444"))["failed"] == []


def test_the_aws_cli_puts_and_queries(lake: LakeServer, account: Account, event: Event) -> None:
    command = shutil.which("aws")
    if command is None:
        pytest.skip("the AWS CLI is not on PATH")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": lake.url,
        "AWS_ENDPOINT_URL_CLOUDTRAIL_DATA": lake.url,
    }

    def aws(*arguments: str) -> Any:
        run = subprocess.run(
            [command, *arguments, "--output", "json"], env=environment, capture_output=True, timeout=60, check=False
        )
        assert run.returncode == 0, run.stderr.decode()
        return json.loads(run.stdout)

    store = account.store()
    channel = account.channel(store)
    answer = aws(
        "cloudtrail-data", "put-audit-events", "--channel-arn", channel, "--audit-events", json.dumps([event("cli")])
    )
    assert [entry["id"] for entry in answer["successful"]] == ["cli"]
    assert aws("cloudtrail", "list-channels")["Channels"] == [{"ChannelArn": channel, "Name": "github"}]
    assert account.rows("SELECT eventid FROM {eds}", store) == [{"eventid": answer["successful"][0]["eventID"]}]
