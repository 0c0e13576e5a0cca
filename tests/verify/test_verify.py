"""`make verify-aws` from its question to its table, with the local stack where AWS would be."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
import pytest
import urllib3
from tests.loopback import Exchange, listening
from verify import control, endpoint, ingestion
from verify.probe import Fit, Probe
from verify.workbench import Workbench

from trailhook_local.lake import LakeServer
from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.stack.stack import Stack

ROOT = Path(__file__).parents[2]
PROBES: list[Probe[Any]] = [*endpoint.PROBES, *ingestion.PROBES, *control.PROBES]
pytestmark = pytest.mark.timeout(280)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(["custom"], state=tmp_path_factory.mktemp("stack"), template=ROOT / "template.yaml") as running:
        yield running


@pytest.fixture(scope="module")
def cloudformation(stack: Stack) -> Iterator[str]:
    """CloudFormation with one stack that has an endpoint; any other is one that delivers by itself."""
    with_endpoint = {"WebhookUrl": f"{stack['custom'].url}/webhook", "WebhookSecretArn": stack["custom"].secret_arn}

    def respond(exchange: Exchange) -> None:
        asked = parse_qs(exchange.body().decode())
        outputs = with_endpoint if asked["StackName"] == ["trailhook-custom"] else {"ChannelArn": "arn"}
        members = "".join(
            f"<member><OutputKey>{name}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
            for name, value in outputs.items()
        )
        answer = (
            '<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>'
            f"<Stacks><member><StackName>trailhook-custom</StackName><Outputs>{members}</Outputs></member></Stacks>"
            "</DescribeStacksResult></DescribeStacksResponse>"
        )
        exchange.answer(200, answer.encode())

    with listening(respond) as url:
        yield url


def verify(stack: Stack, cloudformation: str, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        **stack.endpoints.environment(),
        "AWS_ENDPOINT_URL_CLOUDFORMATION": cloudformation,
    }
    return subprocess.run(
        [sys.executable, "-m", "verify", "--pause", "0.2", "--patience", "20", *arguments],
        cwd=ROOT,
        env=environment,
        input=said,
        capture_output=True,
        text=True,
        check=False,
    )


def what_there_is(stack: Stack) -> tuple[set[str], set[str], set[str]]:
    cloudtrail, sqs = stack.client("cloudtrail"), stack.client("sqs")
    stores = cloudtrail.list_event_data_stores()["EventDataStores"]
    living = (one for one in stores if _status(stack, one["EventDataStoreArn"]) != "PENDING_DELETION")
    return (
        {channel["ChannelArn"] for channel in cloudtrail.list_channels()["Channels"]},
        {store["EventDataStoreArn"] for store in living},
        set(sqs.list_queues()["QueueUrls"]),
    )


def _status(stack: Stack, arn: str) -> str:
    return str(stack.client("cloudtrail").get_event_data_store(EventDataStore=arn)["Status"])


@pytest.mark.stack
def test_every_question_is_asked_and_nothing_is_left_behind(stack: Stack, cloudformation: str) -> None:
    before = what_there_is(stack)
    done = verify(stack, cloudformation, "--stack", "trailhook-custom", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {
        cells[1].strip(): cells[3:6]
        for line in done.stdout.splitlines()
        if (cells := re.split("[│┃]", line))[1:2] and len(cells) == 7
    }
    for probe in PROBES:
        says, _, fits = rows[probe.name]
        assert fits.strip() in ({Fit.OPEN} if probe.needs_aws else {Fit.ASSUMED, Fit.SAFE}), (probe.name, says)
        assert ("only on AWS" in says) is probe.needs_aws
    stack.wait_until_settled(20)
    assert what_there_is(stack) == before
    sql = f"SELECT count(*) AS events FROM {store_id(stack.event_data_store_arn)}"  # noqa: S608 - our own id
    assert query_lake(stack.client("cloudtrail"), sql) == [{"events": "0"}]
    assert stack.counts()["custom"].total == 0


@pytest.mark.stack
def test_a_question_that_fails_passes_for_no_answer_and_leaves_nothing_behind(
    stack: Stack, cloudformation: str
) -> None:
    before = what_there_is(stack)
    faults = f"{stack.endpoints.cloudtrail}/_local/faults"
    denied = {"kind": "error", "operations": ["PutResourcePolicy"], "code": "AccessDeniedException"}
    pool = urllib3.PoolManager()
    try:
        assert pool.request("PUT", faults, json={"rules": [denied]}).status == 200
        done = verify(stack, cloudformation, "--yes")
    finally:
        pool.request("PUT", faults, json={})
    assert done.returncode == 1
    (row,) = (line for line in done.stdout.splitlines() if "external-id" in line)
    assert "AccessDeniedException" in row
    assert Fit.FAILED in row
    assert what_there_is(stack) == before


CONFLICTING = ["CreateChannel", "DeleteChannel", "UpdateEventDataStore", "DeleteEventDataStore"]


@pytest.mark.stack
def test_a_cloudtrail_that_is_not_ready_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run that dies of it leaves an event data store among the ten of the Region."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEFAKEOWNER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    conflict = {"kind": "error", "code": "ConflictException", "count": 2}
    with LakeServer() as server:
        for service in ("CLOUDTRAIL", "CLOUDTRAIL_DATA", "SQS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", server.url)
        server.lake.faults.set([{**conflict, "operations": [operation]} for operation in CONFLICTING])
        bench = Workbench(boto3.Session(region_name="us-east-1"), pause=0.05, patience=5)
        with bench:
            assert bench.channel in server.lake.registry.channels
        assert bench.left == []
        assert not server.lake.registry.channels
        assert all(store.deleted for store in server.lake.registry.stores.values())


@pytest.mark.stack
def test_a_no_makes_nothing_and_sends_nothing(stack: Stack, cloudformation: str) -> None:
    before = what_there_is(stack)
    done = verify(stack, cloudformation, said="n\n")
    assert done.returncode == 1
    assert "a few US cents" in done.stdout
    assert what_there_is(stack) == before


@pytest.mark.stack
def test_a_stack_without_an_endpoint_is_told_as_such(stack: Stack, cloudformation: str) -> None:
    before = what_there_is(stack)
    done = verify(stack, cloudformation, "--stack", "trailhook-clumio", "--yes")
    assert done.returncode == 1
    assert "name one with an endpoint" in done.stderr
    assert what_there_is(stack) == before


@pytest.mark.stack
def test_a_gateway_that_is_otherwise_than_assumed_is_told_as_such() -> None:
    def respond(exchange: Exchange) -> None:
        """As receive does behind a gateway that hands every body over as it came."""
        exchange.body()
        exchange.answer(
            415 if exchange.headers["content-type"] in {"application/xml", "application/javascript"} else 413
        )

    with listening(respond) as url:
        answer = endpoint.encoding_by_content_type(endpoint.Endpoint(url, "fake-secret", urllib3.PoolManager()))
    assert (answer.says, answer.fit) == ("as text: none; the rest as base64", Fit.SAFE)


@pytest.mark.stack
def test_the_secret_is_read_as_receive_reads_it(
    stack: Stack, cloudformation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put with `file://` from Windows, it ends in a newline of two characters."""
    secret = stack["custom"].secret
    stack.client("secretsmanager").put_secret_value(SecretId=stack["custom"].secret_arn, SecretString=f"{secret}\r\n")
    for name, value in {**stack.endpoints.environment(), "AWS_ENDPOINT_URL_CLOUDFORMATION": cloudformation}.items():
        monkeypatch.setenv(name, value)
    assert endpoint.Endpoint.of_stack(boto3.Session(), "trailhook-custom").secret == secret


def test_the_page_lists_every_probe_and_no_other() -> None:
    page = (ROOT / "docs" / "unverified.md").read_text(encoding="utf-8")
    section = page.split("## What can be asked of AWS\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE) == [probe.name for probe in PROBES]


def test_without_a_region_nothing_is_planned(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "verify"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout) == (2, "")
    assert "name it with --region, or in AWS_REGION" in told.stderr
