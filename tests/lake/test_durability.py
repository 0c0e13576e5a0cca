"""What was acknowledged survives: a restart, a killed process; and the command that starts the Lake."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.lake.conftest import Account, Event

from trailhook_local.lake import LakeServer

NewAccount = Callable[..., Account]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], str]]]:
    """Starts `python -m trailhook_local.lake` on this test's directory; returns the process and its URL."""
    processes: list[subprocess.Popen[bytes]] = []

    def run() -> tuple[subprocess.Popen[bytes], str]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "trailhook_local.lake", "--data", str(tmp_path / "lake")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())["url"]

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_everything_acknowledged_outlives_the_process(
    start: Callable[[], tuple[subprocess.Popen[bytes], str]],
    new_account: NewAccount,
    event: Event,
    number: signal.Signals,
) -> None:
    process, url = start()
    account = new_account(url)
    store = account.store()
    channel = account.channel(store)
    account.put(channel, *(event(f"e{n}") for n in range(100)))
    process.send_signal(number)
    _, complaints = process.communicate(timeout=60)
    assert complaints == b""
    assert process.returncode == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    _, url = start()
    account = new_account(url)
    assert account.count(store) == 100
    assert account.put(channel, event())["failed"] == []
    assert account.count(store) == 101
    assert account.cloudtrail.get_channel(Channel=channel)["IngestionStatus"]["LatestIngestionSuccessEventID"]


def test_the_lake_ends_in_silence_while_a_client_keeps_its_connection(
    start: Callable[[], tuple[subprocess.Popen[bytes], str]], new_account: NewAccount
) -> None:
    process, url = start()
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)):
        new_account(url).store()  # connections are taken in turn, so the Lake has that one by now
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, b"")


def test_resources_survive_with_policies_tags_and_deletions(tmp_path: Path, new_account: NewAccount) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": "cloudtrail-data:PutAuditEvents",
        },
    }
    with LakeServer(directory=tmp_path) as lake:
        account = new_account(lake.url)
        doomed = account.store("doomed", TerminationProtectionEnabled=False)
        account.cloudtrail.delete_event_data_store(EventDataStore=doomed)
        channel = account.channel(account.store(), Tags=[{"Key": "k", "Value": "v"}])
        policy["Statement"]["Resource"] = channel  # type: ignore[index] # a document in the making
        account.cloudtrail.put_resource_policy(ResourceArn=channel, ResourcePolicy=json.dumps(policy))
    with LakeServer(directory=tmp_path) as lake:
        account = new_account(lake.url)
        assert account.cloudtrail.get_event_data_store(EventDataStore=doomed)["Status"] == "PENDING_DELETION"
        assert account.cloudtrail.get_resource_policy(ResourceArn=channel)["ResourcePolicy"] == json.dumps(policy)
        tags = account.cloudtrail.list_tags(ResourceIdList=[channel])["ResourceTagList"][0]["TagsList"]
        assert tags == [{"Key": "k", "Value": "v"}]


def test_a_query_sees_whatever_was_acknowledged_before_it(account: Account, event: Event) -> None:
    store = account.store()
    channel = account.channel(store)
    acknowledged: list[str] = []

    def put(batch: int) -> None:
        answer = account.put(channel, *(event(f"b{batch}-{n}") for n in range(20)))
        acknowledged.extend(entry["eventID"] for entry in answer["successful"])

    with ThreadPoolExecutor(4) as pool:
        batches = [pool.submit(put, batch) for batch in range(20)]
        while not all(batch.done() for batch in batches):
            before = set(acknowledged)
            seen = {row["eventid"] for row in account.rows("SELECT eventid FROM {eds}", store)}
            assert before <= seen
        for batch in batches:
            batch.result()
    assert account.count(store) == len(set(acknowledged)) == 400
