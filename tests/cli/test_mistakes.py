"""What is wrong in a command is said before anything is done, with what to write instead; the status is 2."""

import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from trailhook_local.cli.main import main
from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.status import Status, write_status

ELSEWHERE = ["--url", "http://127.0.0.1:1/webhook", "--secret", "fake"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["serve", "nobody"], "'nobody' is not one of: "),
        (["serve", "github", "nobody"], "`trailhook compile` has read its descriptor"),
        (["serve", "clumio"], "clumio delivers by itself"),
        (["send", "nobody", "-"], "'nobody' is not one of: "),
        (["send", "nobody", "-", *ELSEWHERE], "'nobody' is not one of: "),
        (["map", "nobody", "-"], "nor is it one of: "),
        (["map", "clumio", "-"], "clumio delivers by itself, to a channel in AWS, in CloudTrail's own form"),
        (["send", "okta", "-", "--event", "push"], "--event is GitHub's; for a header that okta sends say -H"),
        (["send", "okta", "-", "--event", "push", *ELSEWHERE], "--event is GitHub's"),
        (
            ["send", "okta", "-", "-H", "X-Some Name: x", *ELSEWHERE],
            "is not 'Name: value' on one line, in characters that HTTP allows",
        ),
        (
            ["send", "okta", "-", "-H", "X-Name: a\nb", *ELSEWHERE],
            "is not 'Name: value' on one line, in characters that HTTP allows",
        ),
        (["send", "github", "-", "--event", "a\nb", *ELSEWHERE], "'X-GitHub-Event: a\\nb' is not 'Name: value'"),
        (["send", "okta", "-", "--content-type", "日", *ELSEWHERE], "'Content-Type: 日' is not 'Name: value'"),
        (["send", "okta", "-", "-H", "content-type: text/plain", *ELSEWHERE], "with --content-type"),
        (
            ["send", "okta", "-", "-H", "authorization: x", *ELSEWHERE],
            "made here, from FILE, --secret and --event: leave out that -H",
        ),
        (["send", "github", "-", "-H", "X-Hub-Signature-256: x", *ELSEWHERE], "x-hub-signature-256 is made here"),
        (["send", "zoom", "-", "-H", "webhook-id: x", *ELSEWHERE], "webhook-id is made here, from FILE"),
        (["send", "github", "-", "--event", "team", "-H", "X-GitHub-Event: push", *ELSEWHERE], "--secret and --event"),
        (
            ["send", "github", "-", "--event", "push", "-H", "X-GitHub-Delivery: x", *ELSEWHERE],
            "x-github-delivery is made here",
        ),
        (["send", "okta", "-", "-H", "X-A: 1", "-H", "x-a: 2", *ELSEWHERE], "x-a is given twice"),
        (["map", "okta", "-", "-H", "X-A: 1", "-H", "X-A: 2"], "x-a is given twice"),
        (["send", "okta", "-", "--state", "folder", *ELSEWHERE], "leave out one of them"),
        (["query", ""], 'ask for something, such as "SELECT eventdata.eventname'),
        (["query", " \n"], "the query is empty"),
    ],
)
def test_a_command_that_is_wrong_says_what_to_write(command: list[str], told: str) -> None:
    result = CliRunner().invoke(main, command, input="{}")
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_a_partner_that_is_named_twice_is_refused() -> None:
    result = CliRunner().invoke(main, ["serve", "okta", "okta"])
    assert result.exit_code == 2
    assert "okta is named twice" in result.stderr


def test_a_folder_that_is_not_ours_makes_a_shell_run_nothing(tmp_path: Path) -> None:
    region = "x; touch $(run) `run`\n'run"
    write_status(tmp_path, Status(os.getpid(), Endpoints("http://127.0.0.1:1", "http://127.0.0.1:2", region), "", {}))
    result = CliRunner().invoke(main, ["env", "--state", str(tmp_path)])
    told = shlex.split(result.stdout)
    assert f"AWS_REGION={region}" in told
    assert {word for word in told if "=" not in word} == {"export"}
