"""The whole: a signed webhook travels through every process into the local Lake, whatever is killed on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from tests.stack.conftest import closing_terminals_tell, eventually, is_alive

from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.signing import sign_github
from trailhook_local.stack.errors import (
    AlreadyRunningError,
    NotRunningError,
    NotSettledError,
    StartError,
    TemplateError,
)
from trailhook_local.stack.integration import Plan
from trailhook_local.stack.servers import Server
from trailhook_local.stack.stack import Stack
from trailhook_local.stack.status import Integration, read_status, written

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    state = tmp_path_factory.mktemp("stack")
    with Stack(
        ["github", "okta", "custom"], state=state, template=TEMPLATE, retry_seconds=1, window_seconds=0.3
    ) as running:
        yield running


def send_star(github: Integration, *, secret: str = "") -> tuple[int, str]:
    """POST a GitHub webhook signed with the stack's secret. Returns the status and the delivery's id."""
    delivery = str(uuid.uuid4())
    event = {
        "action": "created",
        "repository": {"full_name": "octo-org/hello"},
        "sender": {"login": "octocat", "id": 1},
    }
    body = json.dumps(event).encode()
    headers = {"Content-Type": "application/json", "X-GitHub-Event": "star", "X-GitHub-Delivery": delivery}
    headers |= sign_github(secret or github.secret, body)
    # Longer than urllib3's own three seconds: on a busy machine a function that was killed may start for as long.
    sent = urllib3.request("POST", f"{github.url}/webhook", body=body, headers=headers, timeout=30)
    return sent.status, delivery


def recorded(stack: Stack) -> set[str]:
    """The partner's own ids of everything in the Lake."""
    sql = f"SELECT eventdata.uid AS uid FROM {store_id(stack.event_data_store_arn)}"  # noqa: S608 - our own id
    return {row["uid"] for row in query_lake(stack.client("cloudtrail"), sql)}


def test_a_signed_webhook_arrives_in_the_lake(stack: Stack) -> None:
    status, delivery = send_star(stack["github"])
    assert status == 202
    stack.wait_until_settled(20)
    assert delivery in recorded(stack)


def test_a_forged_webhook_does_not(stack: Stack) -> None:
    status, delivery = send_star(stack["github"], secret="not the stack's secret")
    assert status == 401
    stack.wait_until_settled(20)
    assert delivery not in recorded(stack)


def test_what_forward_was_killed_over_still_arrives(stack: Stack) -> None:
    forward = stack.running("github").forward
    (pid,) = forward.pids()
    # A stopped process takes an invocation and never ends it.
    os.kill(pid, signal.SIGSTOP)
    deliveries = {delivery for status, delivery in (send_star(stack["github"]) for _ in range(20)) if status == 202}
    assert eventually(lambda: forward.in_flight > 0 and stack.counts()["github"].deliveries.in_flight > 0)
    os.kill(pid, signal.SIGKILL)
    stack.wait_until_settled(30)
    assert len(deliveries) == 20
    assert deliveries <= recorded(stack)
    assert stack.counts()["github"].total == 0
    assert pid not in forward.pids()


def test_forward_killed_again_and_again_loses_nothing(stack: Stack) -> None:
    forward = stack.running("github").forward
    deliveries = set()
    for number in range(40):
        status, delivery = send_star(stack["github"])
        assert status == 202
        deliveries.add(delivery)
        if number % 5 == 0:
            for pid in forward.pids():
                os.kill(pid, signal.SIGKILL)
    stack.wait_until_settled(30)
    assert deliveries <= recorded(stack)


def test_receive_survives_being_killed(stack: Stack) -> None:
    for pid in stack.running("github").receive.pids():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: send_star(stack["github"])[0] == 202)


def test_integrations_share_an_event_data_store_and_nothing_else(stack: Stack) -> None:
    github, custom = stack["github"], stack["custom"]
    assert github.event_data_store_arn == custom.event_data_store_arn
    for name in ("url", "secret", "secret_arn", "channel_arn", "queue_url", "dead_letter_queue_url", "bucket"):
        assert getattr(github, name) != getattr(custom, name)
    assert len(github.secret) == 44
    assert github.secret.isalnum()
    channel = stack.client("cloudtrail").get_channel(Channel=github.channel_arn)
    assert channel["Source"] == "GitHub"
    assert channel["Destinations"] == [{"Type": "EVENT_DATA_STORE", "Location": github.event_data_store_arn}]


def test_another_process_finds_the_running_stack(stack: Stack) -> None:
    state = Path(stack.state)
    status = read_status(state)
    assert status.pid == os.getpid()
    assert status.integrations == stack.integrations
    assert status.endpoints == stack.endpoints
    assert (state / "stack.json").stat().st_mode & 0o777 == 0o600
    # The folder around them may be one that everybody reads.
    assert {(state / name).stat().st_mode & 0o777 for name in ("lake", "logs")} == {0o700}
    with pytest.raises(AlreadyRunningError, match="already runs"), Stack(["okta"], state=state, template=TEMPLATE):
        pass
    assert read_status(state).pid == os.getpid()


def test_waiting_has_an_end(stack: Stack) -> None:
    sqs = stack.client("sqs")
    sqs.send_message(QueueUrl=stack["custom"].queue_url, MessageBody="later", DelaySeconds=600)
    with pytest.raises(NotSettledError, match="delayed=1"):
        stack.wait_until_settled(0.3)
    sqs.purge_queue(QueueUrl=stack["custom"].queue_url)
    stack.wait_until_settled(5)


def test_no_stack_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="no stack runs"):
        read_status(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"pid": 1}', '{"pid": 1, "endpoints": {"colour": "red"}}', "\udcff"])
def test_a_status_that_cannot_be_read_is_told_with_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(NotRunningError, match="start it again, or name another folder with --state"):
        read_status(tmp_path)


def test_a_status_that_nobody_may_read_is_not_told_as_another_versions(tmp_path: Path) -> None:
    """Of another user's stack; root may read that, but no folder."""
    (tmp_path / "stack.json").mkdir()
    with pytest.raises(NotRunningError, match="only whoever started a stack may read its secrets there"):
        read_status(tmp_path)


@pytest.mark.parametrize("pid", ["1", None, 0, -1, 10**30, True])
def test_a_status_of_no_process_is_told_so(stack: Stack, tmp_path: Path, pid: object) -> None:
    told = json.loads((stack.state / "stack.json").read_text())
    (tmp_path / "stack.json").write_text(json.dumps(told | {"pid": pid}))
    with pytest.raises(NotRunningError, match="start it again, or name another folder with --state"):
        read_status(tmp_path)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_no_process_outlives_its_stack(tmp_path: Path, ending: signal.Signals) -> None:
    with closing_terminals_tell():
        runner = subprocess.Popen(
            [sys.executable, "-m", "tests.stack.running", str(tmp_path / "state"), str(ROOT), "github"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
    with runner:
        assert runner.stdout is not None
        pids = [int(pid) for pid in runner.stdout.readline().split()]
        assert len(pids) >= 4
        assert all(map(is_alive, pids))
        runner.send_signal(ending)
        runner.wait(60)
    assert eventually(lambda: not any(map(is_alive, pids)))
    with pytest.raises(NotRunningError):
        read_status(tmp_path / "state")


def test_what_fails_to_start_leaves_nothing_behind(tmp_path: Path) -> None:
    stack = Stack([Plan("github", parameters={"Colour": "red"})], state=tmp_path, template=TEMPLATE)
    with pytest.raises(TemplateError, match="no parameter Colour"), stack:
        pass
    assert not any(map(is_alive, stack.pids()))
    with pytest.raises(StartError, match="nobody"), Stack(["nobody"], state=tmp_path, template=TEMPLATE):
        pass


@pytest.mark.parametrize(
    ("plans", "message"), [(["Git Hub"], "cannot name"), (["github", Plan("okta", name="github")], "two integrations")]
)
def test_names_are_checked_before_anything_starts(plans: list[str | Plan], message: str, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=message):
        Stack(plans, state=tmp_path, template=TEMPLATE)


def test_a_second_run_keeps_what_the_first_recorded(tmp_path: Path) -> None:
    with Stack(["github"], state=tmp_path, template=TEMPLATE, window_seconds=0) as first:
        _, delivery = send_star(first["github"])
        first.wait_until_settled(20)
    with Stack(["github"], state=tmp_path, template=TEMPLATE) as second:
        assert second["github"].channel_arn == first["github"].channel_arn
        assert second.event_data_store_arn == first.event_data_store_arn
        assert delivery in recorded(second)


def test_integrations_are_made_by_the_products_own_function(stack: Stack) -> None:
    for name in ("github", "okta", "custom"):
        listed = stack.client("cloudtrail").list_tags(ResourceIdList=[stack[name].channel_arn])
        tags = {tag["Key"]: tag["Value"] for tag in listed["ResourceTagList"][0]["TagsList"]}
        assert tags["trailhook:stack-id"].split("/")[1] == f"trailhook-{name}"
        log = (Path(stack.state) / "logs" / f"trailhook-{name}-integration.log").read_text(encoding="utf-8")
        assert '"status":"SUCCESS"' in log


def test_a_second_stack_of_a_source_shares_the_channel_of_the_first(tmp_path: Path) -> None:
    lamps = Plan("custom", name="lamps")
    with Stack(["custom", lamps], state=tmp_path, template=TEMPLATE) as running:
        channel = running["custom"].channel_arn
        assert running["lamps"].channel_arn == channel
    with Stack([lamps], state=tmp_path, template=TEMPLATE) as again:
        assert again["lamps"].channel_arn == channel
        listed = again.client("cloudtrail").list_tags(ResourceIdList=[channel])
        tags = listed["ResourceTagList"][0]["TagsList"]
        users = [tag["Value"] for tag in tags if tag["Key"].startswith("trailhook:user:")]
        assert [user.split("/")[1] for user in users] == ["trailhook-lamps"], "starting again is no further user"


def test_an_integration_that_is_refused_says_why(tmp_path: Path) -> None:
    nowhere = "arn:aws:cloudtrail:us-east-1:111122223333:channel/none"
    plan = Plan("github", parameters={"ChannelArn": nowhere, "EventDataStoreName": ""})
    with pytest.raises(StartError, match=f"trailhook-github was not created: .*{nowhere}"):
        Stack([plan], state=tmp_path, template=TEMPLATE).__enter__()


def test_an_integration_whose_process_ends_says_where_it_may_say_why(tmp_path: Path) -> None:
    """On a full disk it cannot: what it would log has nowhere to go."""
    (tmp_path / "template.yaml").write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    app = tmp_path / "functions" / "integration" / "app.py"
    app.parent.mkdir(parents=True)
    app.write_text("import os\n\n\ndef handler(event, context):\n    os._exit(1)\n")
    log = tmp_path / "state" / "logs" / "trailhook-github-integration.log"
    told = (
        f"trailhook-github-integration failed: Runtime.ExitError: .*\nIts output is in {log}, unless the disk is full"
    )
    with (
        pytest.raises(StartError, match=told),
        Stack(["github"], state=tmp_path / "state", template=tmp_path / "template.yaml"),
    ):
        pass


def test_a_server_that_ends_without_a_word_is_said_to(tmp_path: Path) -> None:
    server = Server("this", [], tmp_path / "log")  # which prints to standard output, where a URL is looked for
    with pytest.raises(StartError, match=f"wrote nothing to {tmp_path / 'log'}. Is the disk full?"):
        server.wait_ready()
    server.stop()


def test_a_full_disk_is_that_of_the_stacks_folder(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=f"cannot write to {tmp_path} .No space left on device.; name another folder"):
        write_where_no_room_is(tmp_path)


def write_where_no_room_is(state: Path) -> None:
    """The error as a write raises it, without the file's name."""
    with written(state):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
