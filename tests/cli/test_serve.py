"""A person's session: start the stack, send a file as a partner would, ask the Lake."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from tests.stack.conftest import eventually

from trailhook_local.cli.serve import tell_what_ends
from trailhook_local.queue_counts import QueueCounts
from trailhook_local.stack.integration import Counts
from trailhook_local.stack.stack import Stack

ROOT = Path(__file__).parents[2]
TRAILHOOK = Path(sys.executable).with_name("trailhook")
pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]


def trailhook(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TRAILHOOK, *arguments], cwd=ROOT, input=given, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The state directory of a running stack."""
    folder = tmp_path_factory.mktemp("serve")
    with subprocess.Popen(
        [TRAILHOOK, "serve", "github", "--state", folder], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert any("Ctrl-C" in line for line in server.stdout)
            yield str(folder)
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(60) == 0


def test_what_is_sent_can_be_asked_for(state: str) -> None:
    body = json.dumps({"action": "created", "sender": {"login": "mona", "id": 1, "type": "User"}})
    sent = trailhook("send", "github", "-", "--event", "team", "--state", state, given=body)
    assert sent.stdout.startswith("202 ")
    sql = "SELECT eventdata.eventname AS name FROM EDS WHERE eventdata.useridentity.principalid = '1'"
    for _ in range(60):
        asked = trailhook("query", sql, "--json", "--state", state)
        if asked.stdout:
            break
        time.sleep(0.5)
    assert [json.loads(line) for line in asked.stdout.splitlines()] == [{"name": "team.created"}]


def test_a_secret_of_the_command_is_the_one_that_signs(state: str) -> None:
    sent = trailhook("send", "github", "-", "--secret", "not the stack's", "--state", state, given="{}")
    assert (sent.returncode, sent.stdout[:4]) == (1, "401 ")


def test_what_an_event_says_cannot_steer_the_terminal_by_way_of_an_error(state: str) -> None:
    body = json.dumps({"action": "created", "sender": {"login": "mona\x1b]0;owned\x07\u202e"}})
    assert trailhook("send", "github", "-", "--event", "team", "--state", state, given=body).returncode == 0
    sql = "SELECT CAST(eventdata.useridentity.principalid AS INTEGER) FROM EDS"
    for _ in range(60):
        asked = trailhook("query", sql, "--state", state)
        if asked.returncode:
            break
        time.sleep(0.5)
    assert "mona\N{REPLACEMENT CHARACTER}]0;owned" in asked.stderr
    assert asked.stderr.replace("\n", "").isprintable()


def test_a_query_that_is_wrong_says_what_to_change(state: str) -> None:
    asked = trailhook("query", "SELECT nothing FROM EDS", "--state", state)
    assert asked.returncode == 1
    assert "nothing" in asked.stderr
    assert "Traceback" not in asked.stderr
    for wrong in ("SELECT * FROM eds", "SELECT 1"):
        assert 'EDS stands for it here: "SELECT ' in trailhook("query", wrong, "--state", state).stderr


def test_a_command_whose_output_is_closed_ends_as_it_would(state: str) -> None:
    """As a supervisor may start it."""
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", TRAILHOOK, "query", "SELECT count(*) FROM EDS", "--state", state],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_partner_that_does_not_run_is_named(state: str) -> None:
    sent = trailhook("send", "okta", "-", "--state", state, given="{}")
    assert sent.returncode == 1
    assert "there is: github" in sent.stderr


def test_the_aws_sdk_can_be_pointed_at_the_stack(state: str) -> None:
    printed = trailhook("env", "--state", state).stdout.splitlines()
    names = [line.removeprefix("export ").partition("=")[0] for line in printed]
    assert {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDTRAIL", "AWS_ENDPOINT_URL_CLOUDTRAIL_DATA"} <= set(names)


def test_without_a_stack_the_commands_say_so(tmp_path: Path) -> None:
    asked = trailhook("query", "SELECT 1", "--state", str(tmp_path))
    assert asked.returncode == 1
    assert "no stack runs" in asked.stderr


@pytest.mark.parametrize("folder", ["/dev/null/folder", "/dev/null/folder/of/a/folder"])
def test_a_start_that_cannot_be_says_what_to_change(folder: str) -> None:
    started = trailhook("serve", "--state", folder)
    assert started.returncode == 1
    assert "name another folder with --state" in started.stderr
    assert started.stderr.startswith("Error: ")


@pytest.mark.parametrize("name", ["logs", "logs/lake.log/folder"])
def test_a_folder_with_something_else_in_it_says_what_to_change(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "logs":
        path.touch()
    else:
        path.mkdir(parents=True)
    started = trailhook("serve", "okta", "--state", str(tmp_path))
    assert started.returncode == 1
    assert "name another folder with --state" in started.stderr
    assert "Traceback" not in started.stderr


def test_a_lake_that_cannot_be_read_says_what_to_change(tmp_path: Path) -> None:
    """As it is after a disk was full, or after a later version of DuckDB; what an earlier start logged is not told."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "lake.duckdb").write_text("no database")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "lake.log").write_text("of an earlier start\n")
    started = trailhook("serve", "okta", "--state", str(tmp_path))
    assert started.returncode == 1
    assert f"Move {tmp_path / 'lake'} away, or name another folder" in started.stderr
    assert "not a valid DuckDB database" in started.stderr
    assert not {"Traceback", "earlier"} & set(started.stderr.split())


def test_a_stack_is_started_from_the_projects_folder(tmp_path: Path) -> None:
    started = subprocess.run(
        [TRAILHOOK, "serve", "okta"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert started.returncode == 1
    assert "run this from the project's own folder" in started.stderr
    assert not list(tmp_path.iterdir())


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        started = trailhook("serve", "okta", "--port", port, "--state", str(tmp_path / "state"))
    assert started.returncode == 1
    assert f"port {port} is taken" in started.stderr
    assert not list(tmp_path.iterdir())


def test_ctrl_c_ends_a_start_at_once(tmp_path: Path) -> None:
    """Nothing was printed by then, as nothing can be POSTed to yet, and no process is left."""
    with subprocess.Popen(
        [TRAILHOOK, "serve", "--state", tmp_path], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert eventually((tmp_path / "logs" / "aws.log").exists, 60)
        server.send_signal(signal.SIGINT)
        output, errors = server.communicate(timeout=60)
    assert (server.returncode, output) == (1, "")
    assert errors.splitlines()[-1] == "Aborted!"


def test_a_url_is_a_whole_one() -> None:
    sent = trailhook("send", "github", "-", "--url", "localhost:9", "--secret", "x", given="{}")
    assert sent.returncode == 2
    assert "--url is a whole URL" in sent.stderr


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (
            Counts(QueueCounts(visible=2, in_flight=3, delayed=1), QueueCounts(4, 0, 0)),
            "6 not forwarded, 4 among the dead letters",
        ),
        (Counts(QueueCounts(0, 0, 0), QueueCounts(0, 0, 0)), ""),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), ""),
    ],
    ids=["something", "nothing", "nobody knows"],
)
def test_a_stop_says_what_ends_with_the_queue(
    counts: Counts | EndpointConnectionError, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stopping(Stack):
        def counts(self) -> dict[str, Counts]:
            if isinstance(counts, EndpointConnectionError):
                raise counts
            return {"github": counts}

    tell_what_ends(Stopping([]))
    written = capsys.readouterr().err
    assert told in written
    assert bool(told) == bool(written)
