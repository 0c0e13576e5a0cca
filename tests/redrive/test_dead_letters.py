"""Dead letters go back, all at once or those that are asked for, and none is lost whatever happens on the way."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests.loopback import Exchange, listening
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.stacks import OF_AWS

from trailhook.envelope import Envelope, Pending, encode_envelope
from trailhook.errors import QueueError
from trailhook_local.redrive.dead_letters import Choice, DeadLetterRedrive, MoveTask

pytestmark = pytest.mark.stack


def envelope(partner: str, name: str, *, body: bytes = b"", attempt: int = 0, pending: bool = False) -> str:
    sent = replace(delivery(partner, body or f'{{"name":"{name}"}}'.encode()), id=name)
    left = Pending(3, frozenset({1})) if pending else None
    return encode_envelope(Envelope(sent, attempt=attempt, pending=left))


LETTERS = {
    "exhausted": envelope("github", "exhausted"),
    "handed back, then exhausted": envelope("github", "handed back, then exhausted", attempt=2, pending=True),
    "parked": envelope("okta", "parked", pending=True),
    "compressed": envelope("okta", "compressed", body=b'{"needle":1}' + b" " * 90_000),
    "another version": envelope("github", "another version").replace('"version":1', '"version":7'),
    "another partner": envelope("github", "another partner").replace('"partner":"github"', '"partner":"nobody"'),
}


def queued(place: Place) -> list[str]:
    """Which letters are on the delivery queue now."""
    names = {message: name for name, message in LETTERS.items()}
    return sorted(names[message["body"]] for message in place.take(place.resources.queue_url))


@pytest.fixture
def letters(place: Place) -> Place:
    place.send(*LETTERS.values(), dead=True)
    return place


def test_sqs_moves_all_of_them(letters: Place) -> None:
    result = letters.redrive("dead-letters")
    assert result.exit_code == 0, result.output
    assert result.stdout == "moved back to the delivery queue: 6 (completed)\n"
    assert queued(letters) == sorted(LETTERS)
    assert letters.redrive("dead-letters").stdout.startswith("moved back to the delivery queue: 0 ")


def test_what_sqs_leaves_behind_is_said_with_how_it_goes_back(letters: Place) -> None:
    """As it does where it does not know the way back of a message, or where somebody else looks at it."""
    url = letters.resources.dead_letter_queue_url
    letters.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2, VisibilityTimeout=900)
    result = letters.redrive("dead-letters")
    assert (result.exit_code, result.stdout) == (1, "moved back to the delivery queue: 4 (completed)\n")
    assert result.stderr == "Error: still there: about 2; send them with --one-by-one\n"


FILTERS = {
    "--one-by-one": list(LETTERS),
    "--partner okta --reason parked": ["parked"],
    "--reason exhausted": ["exhausted", "handed back, then exhausted", "compressed"],
    "--reason unreadable --reason parked": ["another version", "another partner", "parked"],
    "--contains needle": ["compressed"],
    "--contains '\"version\":7'": ["another version"],
    "--partner nobody": ["another partner"],
}


@pytest.mark.parametrize(("options", "expected"), FILTERS.items(), ids=FILTERS.keys())
def test_only_what_is_asked_for_goes_back_and_the_rest_can_be_seen_at_once(
    letters: Place, options: str, expected: list[str]
) -> None:
    result = letters.redrive("dead-letters", *shlex.split(options))
    assert result.exit_code == 0, result.output
    assert f"{len(expected)} of 6 dead letters sent" in result.stdout
    assert letters.waiting(dead=True) == 6 - len(expected)
    assert queued(letters) == sorted(expected)


def test_filters_that_fit_nothing_are_said_to(letters: Place) -> None:
    result = letters.redrive("dead-letters", "--contains", "straw")
    assert (result.exit_code, "0 of 6 dead letters sent" in result.stdout) == (0, True)
    assert result.stderr.strip() == "nothing there matches these filters; --dry-run without them shows what there is"
    assert letters.waiting(dead=True) == 6


def test_a_dry_run_counts_by_partner_and_reason_and_moves_nothing(letters: Place) -> None:
    result = letters.redrive("dead-letters", "--dry-run", "--partner", "github")
    assert result.exit_code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]
    assert ["github", "exhausted", "would be sent", "2"] in rows
    assert ["okta", "parked", "not asked for", "1"] in rows
    assert (letters.waiting(), letters.waiting(dead=True)) == (0, 6)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("options", [["--one-by-one"], ["--dry-run"], []])
def test_a_queue_is_not_moved_into_itself(letters: Place, options: list[str]) -> None:
    url = letters.resources.dead_letter_queue_url
    result = letters.redrive("dead-letters", *options, named=["--queue-url", url, "--dead-letter-queue-url", url])
    assert result.exit_code == 2
    assert "are the same; the second is where to send them" in result.stderr
    assert letters.waiting(dead=True) == 6


def test_what_sqs_does_not_confirm_stays_among_the_dead_letters(letters: Place) -> None:
    named = ["--queue-url", f"{letters.endpoints.aws}/111122223333/gone"]
    named += ["--dead-letter-queue-url", letters.resources.dead_letter_queue_url]
    result = letters.redrive("dead-letters", "--one-by-one", named=named)
    assert result.exit_code == 1
    assert "SQS did not confirm the message" in result.stderr
    assert "shown above" not in result.stderr, "nothing was sent yet"
    assert letters.waiting(dead=True) == 6


def test_a_crash_between_sending_and_deleting_leaves_two_and_never_none(letters: Place) -> None:
    class Crashing:
        """SQS, from which the process is gone at the first deletion."""

        def __getattr__(self, name: str) -> Any:
            if name == "delete_message_batch":
                raise SystemExit
            return getattr(letters.sqs, name)

    resources = letters.resources
    redrive = DeadLetterRedrive(Crashing(), resources.dead_letter_queue_url, resources.queue_url)
    with pytest.raises(SystemExit):
        redrive.one_by_one(Choice(), dry_run=False, tell=lambda *_: None)
    [twice] = queued(letters)
    assert letters.redrive("dead-letters", "--one-by-one").exit_code == 0
    assert queued(letters) == sorted(LETTERS)
    assert twice in LETTERS


@pytest.mark.parametrize("option", ["--one-by-one", "--dry-run"])
def test_what_is_hidden_is_not_taken_for_gone(letters: Place, option: str) -> None:
    """By a run that was killed; or on the delivery queue of a deleted stack, by forward."""
    url = letters.resources.dead_letter_queue_url
    letters.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=4, VisibilityTimeout=900)
    letters.sqs.send_message(QueueUrl=url, MessageBody=LETTERS["parked"], DelaySeconds=900)
    result = letters.redrive("dead-letters", option)
    assert "2 of 2 dead letters" in result.stdout
    assert result.exit_code == 1
    assert "hidden: about 5 more" in result.stderr


class ShownAgain:
    """SQS, where what was looked at shows again after four more receives, and comes before what was not looked at.

    Of a message's receipt handles only the latest counts.
    """

    def __init__(self, *bodies: str) -> None:
        self.sent: list[str] = []
        self.handles: dict[str, str] = {}
        self.shown: list[str] = []
        self._messages = {f"m{number}": body for number, body in enumerate(bodies)}
        self._shown_from = dict.fromkeys(self._messages, 0)
        self._receives = 0

    def receive_message(self, **request: Any) -> dict[str, Any]:
        # Without a wait SQS asks some of its servers only, and may find nothing where there is something.
        assert request["WaitTimeSeconds"] > 0
        # As documented. After the queue's own 30 seconds another run would send what this one has yet to send.
        assert request["VisibilityTimeout"] == 900
        self._receives += 1
        seen_first = self._receives % 2 == 1
        visible = [each for each in self._messages if self._shown_from[each] <= self._receives]
        taken = sorted(visible, key=lambda each: (self._shown_from[each] > 0) != seen_first)[:10]
        self._shown_from |= dict.fromkeys(taken, self._receives + 5)
        self.handles |= {each: f"{each}, receive {self._receives}" for each in taken}
        return {
            "Messages": [
                {"MessageId": each, "ReceiptHandle": self.handles[each], "Body": self._messages[each]} for each in taken
            ]
        }

    def send_message(self, **request: Any) -> dict[str, str]:
        self.sent.append(request["MessageBody"])
        return {"MessageId": "sent"}

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        for deleted in request["Entries"]:
            [message] = [each for each, handle in self.handles.items() if handle == deleted["ReceiptHandle"]]
            del self._messages[message], self.handles[message]
        return {}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        self.shown += [entry["ReceiptHandle"] for entry in request["Entries"] if entry["VisibilityTimeout"] == 0]
        return {}


def test_what_shows_again_meanwhile_does_not_end_the_round() -> None:
    queue = ShownAgain(*(f"{'asked for' if number % 2 else 'other'} {number}" for number in range(100)))
    seen: list[str] = []
    DeadLetterRedrive(queue, "dead", "queue").one_by_one(
        Choice(contains="asked for"), dry_run=False, tell=lambda letter, _asked_for: seen.append(letter.body)
    )
    assert len(seen) == len(set(seen)) == 100
    assert len(queue.sent) == 50
    assert sorted(queue.shown) == sorted(queue.handles.values()), "what stays can be seen at once"


class MoveTasks:
    """SQS' move tasks as it documents them: one at a time, a new one told of late, its handle only while it runs."""

    def __init__(self, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
        """What each look finds, before a task is started and after; the last stays."""
        self.started: list[dict[str, str]] = []
        self._before, self._after = list(before), list(after)

    def get_queue_attributes(self, **request: Any) -> dict[str, Any]:
        return {"Attributes": {"QueueArn": f"arn:{request['QueueUrl']}"}}

    def start_message_move_task(self, **request: str) -> dict[str, str]:
        self.started.append(request)
        return {"TaskHandle": "handle"}

    def list_message_move_tasks(self, **request: Any) -> dict[str, Any]:
        assert request == {"SourceArn": "arn:dead", "MaxResults": 1}
        found = self._after if self.started else self._before
        latest = found.pop(0) if len(found) > 1 else found[0]
        return {"Results": [latest] if latest else []}


EARLIER = {"Status": "COMPLETED", "StartedTimestamp": 1, "ApproximateNumberOfMessagesMoved": 99}
RUNNING = {
    "Status": "RUNNING",
    "StartedTimestamp": 2,
    "ApproximateNumberOfMessagesMoved": 5,
    "ApproximateNumberOfMessagesToMove": 9,
}
DONE = {"Status": "COMPLETED", "StartedTimestamp": 2, "ApproximateNumberOfMessagesMoved": 9}
FAILED = {"Status": "FAILED", "StartedTimestamp": 2, "FailureReason": "CouldNotDetermineMessageSource"}


def moved(tasks: MoveTasks) -> tuple[MoveTask, list[tuple[str, int]]]:
    told: list[tuple[str, int]] = []
    redrive = DeadLetterRedrive(tasks, "dead", "queue")
    return redrive.move_all(lambda task: told.append((task.status, task.moved)), pause=lambda _seconds: None), told


@pytest.mark.parametrize("earlier", [{}, EARLIER], ids=["the first", "after another"])
def test_progress_is_that_of_the_task_that_was_started_not_of_an_earlier_one(earlier: Mapping[str, Any]) -> None:
    tasks = MoveTasks([earlier], [earlier, earlier, RUNNING, RUNNING, DONE])
    task, told = moved(tasks)
    assert tasks.started == [{"SourceArn": "arn:dead", "DestinationArn": "arn:queue"}]
    assert (task.status, task.moved) == ("COMPLETED", 9)
    assert told == [("RUNNING", 0), ("RUNNING", 5), ("COMPLETED", 9)]


def test_a_task_that_runs_is_known_by_its_handle_also_where_an_earlier_one_began_at_the_same_moment() -> None:
    at_once = {**RUNNING, "StartedTimestamp": EARLIER["StartedTimestamp"], "TaskHandle": "handle"}
    _, told = moved(MoveTasks([EARLIER], [at_once, at_once, DONE]))
    assert told == [("RUNNING", 0), ("RUNNING", 5), ("COMPLETED", 9)]


@pytest.mark.parametrize("earlier", [{}, EARLIER], ids=["the first", "after another"])
def test_a_move_that_is_never_listed_is_not_told_as_an_earlier_one(earlier: Mapping[str, Any]) -> None:
    tasks = MoveTasks([earlier], [earlier])
    with pytest.raises(QueueError, match="has not listed the move"):
        moved(tasks)


@pytest.mark.parametrize(
    "told",
    [{}, {"DestinationArn": "arn:queue"}, {"Status": "CANCELLING"}],
    ids=["back", "to the queue", "until it is cancelled"],
)
def test_a_task_that_runs_already_is_followed_and_no_other_is_started(told: Mapping[str, str]) -> None:
    tasks = MoveTasks([{**RUNNING, **told}, RUNNING, DONE], [])
    task, heard = moved(tasks)
    assert tasks.started == []
    assert (task.moved, heard) == (9, [("RUNNING", 5), ("COMPLETED", 9)])


def test_a_task_that_moves_them_elsewhere_is_not_taken_for_the_way_back() -> None:
    tasks = MoveTasks([RUNNING | {"DestinationArn": "arn:inspection"}], [])
    with pytest.raises(QueueError, match="arn:inspection"):
        moved(tasks)
    assert tasks.started == []


def test_a_task_that_fails_says_why() -> None:
    task, _ = moved(MoveTasks([EARLIER], [FAILED]))
    assert task == MoveTask("FAILED", moved=0, to_move=None, failure="CouldNotDetermineMessageSource")


def test_a_task_that_is_not_listed_any_more_has_not_succeeded() -> None:
    task, told = moved(MoveTasks([EARLIER], [RUNNING, RUNNING, {}]))
    assert (task.status, told) == ("unknown", [("RUNNING", 0), ("RUNNING", 5), ("unknown", 0)])


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (FAILED, "SQS ended the move: CouldNotDetermineMessageSource. Run the command again"),
        ({"Status": "CANCELLED", "StartedTimestamp": 2}, "SQS ended the move: CANCELLED. Run the command again"),
    ],
    ids=["failed", "cancelled"],
)
def test_a_move_that_ends_otherwise_than_complete_has_not_succeeded_whatever_is_left(
    place: Place, monkeypatch: pytest.MonkeyPatch, ended: Mapping[str, Any], said: str
) -> None:
    """SQS counts late: that it counts none does not mean that all went."""
    counts = dict.fromkeys((f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")), "0")
    started: list[str] = []

    def respond(exchange: Exchange) -> None:
        exchange.body()
        answers = {
            "GetQueueAttributes": {"Attributes": {"QueueArn": "arn:queue"} | counts},
            "StartMessageMoveTask": {"TaskHandle": "handle"},
            "ListMessageMoveTasks": {"Results": [ended] if started else []},
        }
        operation = exchange.headers["x-amz-target"].rpartition(".")[2]
        started.extend([operation] if operation.startswith("Start") else [])
        exchange.answer(200, json.dumps(answers[operation]).encode(), OF_AWS)

    with listening(respond) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        result = place.redrive("dead-letters")
    assert (result.exit_code, result.stderr) == (1, f"Error: {said}\n")
