"""What is wrong in a command is said before anything is done, with what to write instead; the status is 2."""

import pytest
from click.testing import CliRunner

from trailhook_local.cli.main import main

ELSEWHERE = ["--url", "http://127.0.0.1:1/webhook", "--secret", "fake"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["serve", "nobody"], "'nobody' is not one of: atlassian, auth0,"),
        (["serve", "github", "nobody"], "`trailhook compile` has read its descriptor"),
        (["send", "nobody", "-"], "'nobody' is not one of: atlassian, auth0,"),
        (["send", "nobody", "-", *ELSEWHERE], "'nobody' is not one of: atlassian, auth0,"),
        (["map", "nobody", "-"], "nor is it one of: atlassian, auth0,"),
        (["send", "okta", "-", "--event", "push"], "--event is GitHub's; for a header that okta sends say -H"),
        (["send", "okta", "-", "--event", "push", *ELSEWHERE], "--event is GitHub's"),
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
