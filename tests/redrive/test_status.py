"""`trailhook status` says what waits, what failed and what rings, of the stack that is named and of no other."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.stacks import function, keep_status, refusing, trigger
from tests.redrive.watched import TOPIC, Watched, watch

from trailhook_local.status import overview
from trailhook_local.status.alarms import describe_alarms

pytestmark = pytest.mark.stack


@pytest.fixture
def watched(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    with watch(place, monkeypatch) as stack:
        yield stack


def test_a_stack_that_needs_nobody_is_calm(watched: Watched) -> None:
    result = watched.status()
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "calm",
        "deliveries    0 waiting, 0 with forward or between tries, 0 postponed",
        "dead letters  0",
        "quarantine    empty",
        "24 hours      deliveries: 0 queued, 0 refused, 0 turned away by the gateway",
        "              events: 0 delivered, 0 quarantined, 0 filtered",
        "topic         1 subscription hears the alarms",
        "alarms        0 of 3 ring",
    ]


def test_what_needs_somebody_is_told_with_the_command_that_goes_on(watched: Watched) -> None:
    place = watched.place
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    place.queue(delivery("github", b"{}"), delivery("github", b"{}"))
    place.queue(delivery("github", b"dead"), dead=True)
    watched.ring(f"{watched.name}-dead-letters")
    watched.age(2_520)
    watched.age(187_000, dead=True)
    result = watched.status()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    named = f"--stack {watched.name} --region us-east-1 --dry-run"
    assert lines[:6] == [
        "needs attention: dead letters, alarms ringing",
        "deliveries    2 waiting, 0 with forward or between tries, 0 postponed",
        "              the oldest for 42 min; what was received three times may wait longer",
        "dead letters  1",
        "              the oldest moved here 2 d 3 h ago or earlier",
        f"              $ trailhook redrive dead-letters {named}",
    ]
    assert lines[6].startswith("quarantine    1 object, 1 not redriven, the latest of 20")
    assert lines[7] == f"              $ trailhook redrive quarantine {named}"
    assert lines[11] == "alarms        1 of 3 ring"
    assert lines[12].startswith(f"  {watched.name}-dead-letters, since 20")
    assert lines[13:] == [f"    See docs/operations.md for {watched.name}-dead-letters."]


@pytest.mark.parametrize(
    ("seconds", "span"),
    [
        (59, "59 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (3_600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_an_age_is_told_in_its_two_largest_units(watched: Watched, seconds: int, span: str) -> None:
    watched.place.queue(delivery("github", b"{}"))
    watched.age(seconds)
    assert f"              the oldest for {span};" in watched.status().stdout


def test_the_latest_age_counts_and_none_that_is_long_past(watched: Watched) -> None:
    watched.place.queue(delivery("github", b"{}"))
    watched.age(50_000, ago=5)
    watched.age(7_260)
    watched.age(90_000, ago=20, dead=True)
    told = json.loads(watched.status("--json").stdout)
    assert told["oldest"] == {"deliveries": 7_260, "dead_letters": None}


@pytest.mark.parametrize("told", [(), (0,)])
def test_what_was_received_three_times_has_no_age(watched: Watched, told: Sequence[int]) -> None:
    """Whether SQS tells of none or of 0, that must not look as if it had just come."""
    place = watched.place
    place.queue(delivery("github", b"{}"))
    for _ in range(3):
        place.sqs.receive_message(QueueUrl=place.resources.queue_url, VisibilityTimeout=0)
    for age in told:
        watched.age(age)
    lines = watched.status().stdout.splitlines()
    assert lines[1:3] == [
        "deliveries    1 waiting, 0 with forward or between tries, 0 postponed",
        "              age unknown: just arrived, or received three times (docs/operations.md, What waits)",
    ]


def test_the_commands_that_it_names_work(watched: Watched) -> None:
    watched.place.queue(delivery("github", b"dead"), dead=True)
    [command] = [line.split("$ trailhook ")[1] for line in watched.status().stdout.splitlines() if "$" in line]
    assert watched.place.run(*command.split()).exit_code == 0


def test_what_is_hidden_or_postponed_is_counted_apart(watched: Watched) -> None:
    place = watched.place
    place.queue(delivery("github", b"{}"), delivery("github", b"{}"))
    place.sqs.send_message(QueueUrl=place.resources.queue_url, MessageBody="later", DelaySeconds=60)
    place.sqs.receive_message(QueueUrl=place.resources.queue_url, MaxNumberOfMessages=1)
    assert "deliveries    1 waiting, 1 with forward or between tries, 1 postponed\n" in watched.status().stdout


def test_an_alarm_alone_asks_for_somebody_and_of_several_the_first_is_shown_first(watched: Watched) -> None:
    for kind in ("silence", "quarantine", "dead-letters"):
        watched.ring(f"{watched.name}-{kind}")
    result = watched.status()
    assert result.exit_code == 1
    shown = [line.partition(",")[0].strip() for line in result.stdout.splitlines() if ", since 20" in line]
    assert shown == [f"{watched.name}-{kind}" for kind in ("silence", "quarantine", "dead-letters")]


@pytest.mark.usefixtures("nine_hours_ahead")
def test_times_are_told_in_utc_wherever_the_operator_is(watched: Watched) -> None:
    watched.ring(f"{watched.name}-silence")
    watched.place.queue(delivery("github", b"not JSON"))
    watched.place.forward()
    told = re.findall(r"(?:since|latest of) (20.*) UTC", watched.status().stdout)
    assert len(told) == 2
    for moment in told:
        assert abs(datetime.now(UTC) - datetime.fromisoformat(f"{moment}Z")) < timedelta(minutes=5)


def test_an_alarm_rings_since_its_state_changed_whatever_was_updated_later() -> None:
    """A new reason for the same state is an update as well. The local CloudWatch tells no more than that time."""
    changed, updated = (datetime(2026, 11, 30, hour, tzinfo=UTC) for hour in (8, 9))

    class CloudWatch:
        def describe_alarms(self, **_: Any) -> dict[str, Any]:
            alarm = {"AlarmName": "silence", "StateValue": "ALARM", "ActionsEnabled": True, "AlarmActions": [TOPIC]}
            return {"MetricAlarms": [alarm | {"StateTransitionedTimestamp": changed, "StateUpdatedTimestamp": updated}]}

    [ringing] = describe_alarms(CloudWatch(), ["silence"]).ringing
    assert ringing.since == changed


def test_a_dead_letter_that_is_hidden_asks_for_somebody_too(watched: Watched) -> None:
    place = watched.place
    place.queue(delivery("github", b"dead"), dead=True)
    place.sqs.receive_message(QueueUrl=place.resources.dead_letter_queue_url, VisibilityTimeout=600)
    place.sqs.send_message(QueueUrl=place.resources.dead_letter_queue_url, MessageBody="later", DelaySeconds=600)
    result = watched.status()
    assert (result.exit_code, "dead letters  2" in result.stdout.splitlines()) == (1, True)


def test_a_quarantine_alone_leaves_it_calm(watched: Watched) -> None:
    """It has rung, and its objects stay for ever."""
    watched.place.queue(delivery("github", b"not JSON"))
    watched.place.forward()
    assert watched.status().exit_code == 0


def test_only_the_stacks_own_alarms_count(watched: Watched) -> None:
    """Another stack's name may begin with this one's."""
    watched.alarm(f"{watched.name}-2-silence")
    watched.ring(f"{watched.name}-2-silence")
    result = watched.status()
    assert (result.exit_code, "0 of 3 ring" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("state", "status"), [("Disabled", 1), ("Disabling", 1), ("Enabled", 0), ("Enabling", 0), ("Updating", 0)]
)
def test_a_trigger_that_somebody_switched_off_is_said(watched: Watched, state: str, status: int) -> None:
    watched.resources["ForwardFunctionDeliveries"] = trigger(state)
    result = watched.status()
    assert result.exit_code == status
    assert (f"trigger       nobody forwards what waits: it is {state}" in result.stdout) == bool(status)


@pytest.mark.parametrize(("reserved", "status"), [(0, 1), (1, 0), (None, 0)])
def test_a_forward_that_somebody_throttled_is_said(watched: Watched, reserved: int | None, status: int) -> None:
    """As the button of Lambda's console does it; its trigger stays Enabled."""
    watched.resources["ForwardFunction"] = function(reserved)
    result = watched.status()
    assert result.exit_code == status
    line = "forward       nobody forwards what waits: its reserved concurrency is 0 (docs/operations.md, What waits)\n"
    assert (line in result.stdout) == bool(status)
    assert result.stdout.startswith("needs attention: forward switched off\n") == bool(status)


@pytest.mark.parametrize("changes", [{"actions": False}, {"topics": ()}])
def test_an_alarm_that_would_tell_nobody_is_said_also_while_it_does_not_ring(
    watched: Watched, changes: dict[str, Any]
) -> None:
    watched.alarm(f"{watched.name}-silence", **changes)
    result = watched.status()
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-2:] == ["alarms        0 of 3 ring", f"  {watched.name}-silence tells nobody: its actions are off"]


def test_a_topic_that_nobody_subscribed_to_is_said(watched: Watched) -> None:
    watched.subscriptions.clear()
    result = watched.status()
    assert result.exit_code == 0
    assert (
        "topic         nobody hears the alarms: subscribe to AlarmTopicArn (docs/operations.md, Alarms)\n"
        in result.stdout
    )


def test_a_subscription_that_nobody_confirmed_is_said(watched: Watched) -> None:
    """Of a pager's URL, which holds its key, no more than that it is one."""
    watched.subscriptions[:] = [
        ("email", "mona@example.com", "PendingConfirmation"),
        ("https", "https://events.example/key", "PendingConfirmation"),
        ("email-json", "lisa@example.com", "Deleted"),
    ]
    lines = watched.status().stdout.splitlines()
    at = lines.index("topic         nobody hears the alarms: subscribe to AlarmTopicArn (docs/operations.md, Alarms)")
    assert lines[at + 1 : at + 3] == [
        "              mona@example.com hears nothing: nobody confirmed the subscription",
        "              https hears nothing: nobody confirmed the subscription",
    ]
    watched.subscriptions.append(("email", "lisa@example.com", f"{TOPIC}:2"))
    assert "topic         1 subscription hears the alarms\n" in watched.status().stdout
    told = json.loads(watched.status("--json").stdout)
    assert told["listeners"] == {"confirmed": 1, "pending": ["mona@example.com", "https"]}


@pytest.mark.parametrize(
    ("service", "code", "gone"),
    [
        ("SNS", "NotFound", "topic gone"),
        ("LAMBDA", "ResourceNotFoundException", "trigger gone, forward gone"),
        ("SQS", "QueueDoesNotExist", "delivery queue gone, dead-letter queue gone"),
    ],
)
def test_what_somebody_deleted_asks_for_somebody(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, service: str, code: str, gone: str
) -> None:
    """Each service has a code of its own for what is not there."""
    with refusing(code) as url:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        result = watched.status()
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, f"needs attention: {gone}")


def test_an_alarm_that_somebody_deleted_asks_for_somebody(watched: Watched) -> None:
    """It cannot ring, so that none rings says nothing."""
    watched.cloudwatch.delete_alarms(AlarmNames=[f"{watched.name}-silence"])
    result = watched.status()
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    gone = f"  {watched.name}-silence is not there any more: somebody deleted it"
    assert lines[-2:] == ["alarms        0 of 3 ring", gone]


def test_an_alarm_whose_creation_failed_has_no_name_to_ask_for(watched: Watched) -> None:
    watched.resources["ConfigurationAlarm"] = "CREATE_FAILED!"
    result = watched.status()
    assert result.exit_code == 0, result.output
    assert "0 of 3 ring" in result.stdout


def test_the_day_is_the_stacks_own_and_of_all_its_partners(watched: Watched) -> None:
    watched.count("EventsDelivered", 1_200, ago=22)
    watched.count("EventsDelivered", 34, partner="okta")
    watched.count("EventsDelivered", 7, ago=24)
    watched.count("EventsDelivered", 7, service=f"{watched.name}-2")
    watched.count("EventsWaiting", 5)
    watched.count("DeliveriesQueued", 11)
    watched.count("GatewayRefusals", 2)
    result = watched.status()
    assert "deliveries: 11 queued, 0 refused, 2 turned away by the gateway\n" in result.stdout
    assert "events: 1,234 delivered, 0 quarantined, 0 filtered\n" in result.stdout


@pytest.mark.parametrize(
    ("minutes", "since"),
    [
        ((0,), 0),
        ((62,), 62),
        ((76,), None),
        ((0, 15, 30, 106), 30),
        # An hour apart, and a little: sooner or later such tries leave out an hour of the clock.
        (tuple(range(61, 61 * 21, 61)), 61 * 20),
        ((), None),
    ],
)
def test_since_when_events_are_tried_in_vain_is_told_while_they_are(
    watched: Watched, minutes: tuple[int, ...], since: int | None
) -> None:
    """Counted back from now to the first try that had none for more than an hour before it."""
    begins = datetime.now(UTC)
    for ago in minutes:
        watched.count("EventsWaiting", 3, ago=ago / 60)
    ends = datetime.now(UTC)
    watched.count("EventsWaiting", 0, ago=40 / 60)
    assert "in vain" not in watched.status().stdout
    watched.place.queue(delivery("github", b"{}"))
    shown = watched.status().stdout
    told = re.search(r"tried in vain again and again since (.*) UTC \(docs", shown)
    assert ("tried in vain" in shown, told is not None) == (since is not None,) * 2
    if told and since is not None:
        earliest, latest = (moment - timedelta(minutes=since) for moment in (begins, ends))
        assert earliest - timedelta(minutes=5) < datetime.fromisoformat(f"{told[1]}Z") <= latest


def test_an_outage_that_is_older_than_what_is_asked_for_is_not_said_to_begin_there(watched: Watched) -> None:
    for tries in range(26):
        watched.count("EventsWaiting", 3, ago=tries)
    watched.place.queue(delivery("github", b"{}"))
    begins = datetime.fromisoformat(json.loads(watched.status("--json").stdout)["day"]["begins"])
    assert timedelta(hours=23) <= datetime.now(UTC) - begins < timedelta(hours=24)
    told = re.search(r"again and again since (.*) UTC or before \(docs/operations.md", watched.status().stdout)
    assert told is not None
    assert timedelta() <= datetime.fromisoformat(f"{told[1]}Z") - begins < timedelta(hours=1)


def test_a_laptop_without_anything_to_do_does_not_claim_that_somebody_watches(place: Place, tmp_path: Path) -> None:
    keep_status(place, tmp_path)
    result = place.run("status", "--local", "github", "--state", str(tmp_path))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "calm; no alarms watch here")


def test_a_long_text_of_an_alarm_is_wrapped(watched: Watched) -> None:
    watched.alarm(
        f"{watched.name}-silence", description="See docs/operations.md, Silence. " + "No delivery came. " * 20
    )
    watched.ring(f"{watched.name}-silence")
    lines = watched.status().stdout.splitlines()
    text = lines[next(number for number, line in enumerate(lines) if "-silence, since" in line) + 1 :]
    assert text[0].startswith("    See docs/operations.md, Silence. No delivery came.")
    assert len(text) > 3
    assert max(map(len, text)) <= 100


def test_what_was_redriven_is_told_from_what_was_not(watched: Watched) -> None:
    place = watched.place
    place.queue(delivery("github", b"not JSON"))
    place.forward()
    place.queue(delivery("github", b"nor this"))
    place.forward()
    assert "quarantine    2 objects, 2 not redriven, the latest of 20" in watched.status().stdout
    first, second = place.keys("quarantine")
    assert place.redrive("quarantine", "--key", first).exit_code == 0
    assert "quarantine    2 objects, 1 not redriven, the latest of 20" in watched.status().stdout
    # Refused once more, it waits once more, under the name that it had. S3 tells of whole seconds.
    time.sleep(1.1)
    place.forward()
    assert place.keys("quarantine") == [first, second]
    assert "quarantine    2 objects, 2 not redriven, the latest of 20" in watched.status().stdout
    assert place.redrive("quarantine").exit_code == 0
    assert "quarantine    2 objects, redriven at least in part, the latest of 20" in watched.status().stdout


def test_of_several_times_that_an_object_was_redriven_the_latest_counts(watched: Watched) -> None:
    """Notes are listed by the versions of their object, which tell nothing of time."""
    for key in (
        "redriven/github/object/version-2/1.json",
        "quarantine/github/object",
        "redriven/github/object/version-1/1.json",
    ):
        watched.place.s3.put_object(Bucket=watched.place.resources.bucket, Key=key, Body=b"{}")
        time.sleep(1.1)
    assert "quarantine    1 object, redriven at least in part, the latest of 20" in watched.status().stdout


def test_where_not_all_notes_are_counted_nobody_claims_what_was_redriven(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_OBJECTS", 2)
    for key in ("quarantine/github/a", *(f"redriven/github/a/version/{line}.json" for line in (1, 2, 3))):
        watched.place.s3.put_object(Bucket=watched.place.resources.bucket, Key=key, Body=b"{}")
    assert "quarantine    1 object, redriven or not, the latest of 20" in watched.status().stdout


def test_more_objects_than_are_counted_are_said(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST_OBJECTS", 2)
    for key in "abc":
        watched.place.s3.put_object(Bucket=watched.place.resources.bucket, Key=f"quarantine/github/{key}", Body=b"{}")
    assert "quarantine    2 or more objects, redriven or not\n" in watched.status().stdout


def test_a_script_reads_it_as_json(watched: Watched) -> None:
    watched.place.queue(delivery("github", b"dead"), dead=True)
    watched.count("EventsDelivered", 3)
    watched.ring(f"{watched.name}-quarantine")
    result = watched.status("--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert list(told) == [
        *("calm", "asks", "deliveries", "dead_letters", "oldest", "quarantined"),
        *("alarms", "listeners", "day", "trigger", "throttled", "unread"),
    ]
    assert (told["calm"], told["asks"]) == (False, ["dead letters", "alarms ringing"])
    assert told["dead_letters"] == {"visible": 1, "in_flight": 0, "delayed": 0}
    assert told["quarantined"] == {"objects": 0, "latest": None, "not_redriven": 0, "more": False}
    assert told["day"]["counted"]["EventsDelivered"] == 3
    [ringing] = told["alarms"]["ringing"]
    assert ringing["name"] == f"{watched.name}-quarantine"
    assert datetime.fromisoformat(ringing["since"]) <= datetime.now(UTC)


def test_a_stack_may_be_named_by_its_arn(watched: Watched) -> None:
    watched.count("EventsDelivered", 5)
    watched.name = f"arn:aws:cloudformation:us-east-1:111122223333:stack/{watched.name}/0000"
    result = watched.status()
    assert result.exit_code == 0, result.output
    assert "events: 5 delivered" in result.stdout


def test_an_integration_on_this_laptop_has_no_alarms_and_no_day(place: Place, tmp_path: Path) -> None:
    state = tmp_path / "with a blank"
    state.mkdir()
    keep_status(place, state)
    place.queue(delivery("github", b"dead"), dead=True)
    result = place.run("status", "--local", "github", "--state", str(state))
    assert result.exit_code == 1, result.output
    assert re.sub(r"here \d+ s", "here 0 s", result.stdout).splitlines() == [
        "needs attention: dead letters",
        "deliveries    0 waiting, 0 with forward or between tries, 0 postponed",
        "dead letters  1",
        "              the oldest moved here 0 s ago or earlier",
        f"              $ trailhook redrive dead-letters --local github --state '{state}' --dry-run",
        "quarantine    empty",
    ]


def test_an_alarms_text_is_no_command_to_the_terminal(watched: Watched) -> None:
    watched.alarm(f"{watched.name}-silence", description="\x1b[2Jnothing rings\n  all is well")
    watched.ring(f"{watched.name}-silence")
    shown = watched.status().stdout
    assert "\x1b" not in shown
    assert "\n  all is well" not in shown


def test_what_a_service_says_is_no_command_either(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing("AccessDeniedException", "\x1b[2J\ncalm") as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        shown = watched.status().stdout
    assert "[2J" in shown
    assert "\x1b" not in shown
    assert "calm" not in shown.splitlines()


def test_one_place_is_named(place: Place) -> None:
    for named in ([], ["--stack", "a", "--local", "b"]):
        result = place.run("status", *named)
        assert (result.exit_code, "name one place" in result.stderr) == (2, True)
    for named, said in (
        (["--local", "a", "--region", "eu-west-1"], "--region does not go with --local"),
        (["--stack", "a", "--state", "folder"], "--state goes with --local only"),
    ):
        result = place.run("status", *named)
        assert (result.exit_code, said in result.stderr) == (2, True)
