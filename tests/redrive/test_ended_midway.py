"""`trailhook redrive` and `status`, ended midway, tidy up and say what was done and what goes on without them."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3
from tests.cli.test_interrupt import START
from tests.loopback import Exchange, listening
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.stacks import OF_AWS
from tests.stack.conftest import closing_terminals_tell

pytestmark = pytest.mark.stack
BODIES = [b"not JSON", b"nor this", b"nor that"]
GO_ON = "Error: interrupted\nWhat was sent is shown above; run the command again to go on\n"
MOVES_ON = "SQS goes on moving them: run the command again to follow it\n"
RUNNING = {"Status": "RUNNING", "StartedTimestamp": 2, "ApproximateNumberOfMessagesMoved": 5}


def in_quarantine(place: Place) -> None:
    place.queue(*(delivery("github", body) for body in BODIES))
    place.forward()


def among_the_dead_letters(place: Place) -> None:
    place.queue(*(delivery("github", body) for body in BODIES), dead=True)


def ended(place: Place, command: Sequence[str], number: int, reached: threading.Event) -> tuple[int, str, str]:
    """The command's status and output, where it is sent that signal once it has come so far."""
    with closing_terminals_tell():
        run = subprocess.Popen(
            [sys.executable, "-c", START, *command],
            env={**place.endpoints.environment(), **os.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with run:
        assert reached.wait(60)
        run.send_signal(number)
        shown, told = run.communicate(timeout=60)
    return run.returncode, shown, told


@contextmanager
def slow_second_send(place: Place, reached: threading.Event) -> Iterator[str]:
    """The URL of an SQS that takes its time over the second message that it is sent."""
    pool, sends, turn = urllib3.PoolManager(), [], threading.Lock()

    def respond(exchange: Exchange) -> None:
        body, headers = exchange.body(), dict(exchange.headers)
        if headers["X-Amz-Target"].endswith(".SendMessage"):
            with turn:
                sends.append(body)
                second = len(sends) == 2
            if second:
                reached.set()
                threading.Event().wait(1)
        answer = pool.request("POST", place.endpoints.aws + exchange.path, body=body, headers=headers)
        exchange.answer(answer.status, answer.data, {**OF_AWS, "content-type": answer.headers["content-type"]})

    with listening(respond) as url:
        yield url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    ("command", "fill"),
    [(["quarantine"], in_quarantine), (["dead-letters", "--one-by-one"], among_the_dead_letters)],
    ids=["quarantine", "dead letters"],
)
def test_what_was_sent_is_told_and_what_was_hidden_is_shown_again(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    fill: Callable[[Place], None],
    number: int,
) -> None:
    fill(place)
    reached, kept = threading.Event(), place.resources
    other = ["--bucket", kept.bucket]
    if command[0] == "dead-letters":
        other = ["--dead-letter-queue-url", kept.dead_letter_queue_url]
    with slow_second_send(place, reached) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        named = ["redrive", *command, "--queue-url", kept.queue_url, *other]
        status, shown, told = ended(place, named, number, reached)
    assert (status, told) == (1, GO_ON)
    sent = sum(int(count) for count in re.findall(r"\bsent +│ (\d+)", shown))
    assert sent in {1, 2}
    if command[0] == "dead-letters":
        assert place.waiting(dead=True) == len(BODIES) - sent
    else:
        assert len(place.keys("redriven")) == sent


@contextmanager
def moving(reached: threading.Event, looks: int, *listed: Mapping[str, Any]) -> Iterator[str]:
    """The URL of an SQS that moves messages for hours, and answers no more after so many looks at that."""
    asked: list[str] = []

    def respond(exchange: Exchange) -> None:
        exchange.body()
        operation = exchange.headers["x-amz-target"].rpartition(".")[2]
        asked.append(operation)
        if asked.count("ListMessageMoveTasks") > looks:
            reached.set()
            exchange.answer(403, b'{"__type":"ExpiredToken","message":"as a test wants it"}', OF_AWS)
            return
        answers: dict[str, Any] = {
            "GetQueueAttributes": {"Attributes": {"QueueArn": "arn:queue"}},
            "ListMessageMoveTasks": {"Results": listed},
            "StartMessageMoveTask": {"TaskHandle": "handle"},
        }
        if asked.count("ListMessageMoveTasks") == 3:
            reached.set()
        exchange.answer(200, json.dumps(answers[operation]).encode(), OF_AWS)

    with listening(respond) as url:
        yield url


@pytest.mark.parametrize("listed", [[RUNNING], []], ids=["listed", "not listed yet"])
@pytest.mark.parametrize(("looks", "said"), [(999, "Error: interrupted\n"), (2, "Sign in again, and run it again\n")])
def test_whoever_follows_a_move_no_longer_is_told_that_it_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch, looks: int, said: str, listed: list[Mapping[str, Any]]
) -> None:
    reached, kept = threading.Event(), place.resources
    command = ["redrive", "dead-letters", "--queue-url", kept.queue_url]
    command += ["--dead-letter-queue-url", kept.dead_letter_queue_url]
    with moving(reached, looks, *listed) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", url)
        status, shown, told = ended(place, command, signal.SIGINT if looks == 999 else 0, reached)
    assert (status, shown) == (1, "")
    assert told.endswith(said + MOVES_ON)


def test_a_status_that_was_interrupted_is_not_known(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 1 it would say that something needs attention."""
    reached, over = threading.Event(), threading.Event()

    def respond(_exchange: Exchange) -> None:
        reached.set()
        over.wait(30)

    with listening(respond) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        result = ended(place, ["status", "--stack", "audit"], signal.SIGINT, reached)
        over.set()
    assert result == (3, "", "Error: interrupted\n")
