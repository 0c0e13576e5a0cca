"""Whichever call of `trailhook redrive` fails: no event is lost, what it says is true, and the next run ends it."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import urllib3
from tests.loopback import Exchange, listening
from tests.partners.cases import delivery
from tests.redrive.conftest import Place
from tests.redrive.stacks import OF_AWS

from trailhook.envelope import decode_envelope
from trailhook_local.redrive import dead_letters

pytestmark = pytest.mark.stack
BODIES = [b"not JSON", b"nor this", b"nor that"]
LOST_BEFORE, LOST_AFTER, NONSENSE = "it never comes", "its answer is lost", "its answer makes no sense"
NOT_PASSED_ON = frozenset({"host", "connection", "content-length", "expect", "transfer-encoding"})


class Interrupter:
    """AWS, of whose calls from 1 on one is lost before it is done, or after, or has another body in its answer."""

    def __init__(self, aws: str) -> None:
        self.calls = self._broken = 0
        self._way = ""
        self._aws = aws
        self._pool = urllib3.PoolManager()
        self._lock = threading.Lock()

    def interrupt(self, call: int, way: str) -> None:
        self.calls, self._broken, self._way = 0, call, way

    def respond(self, exchange: Exchange) -> None:
        if "expect" in exchange.headers:
            # The SDK waits a second for it before it sends an object.
            exchange.send_response_only(100)
            exchange.end_headers()
        body = exchange.rfile.read(int(exchange.headers.get("content-length", 0)))
        with self._lock:
            self.calls += 1
            way = self._way if self.calls == self._broken else ""
        exchange.close_connection = True
        if way == LOST_BEFORE:
            return
        headers = {name: value for name, value in exchange.headers.items() if name.lower() not in NOT_PASSED_ON}
        url = self._aws + exchange.path
        answer = self._pool.request(exchange.command, url, body=body, headers=headers, retries=False)
        if way == LOST_AFTER:
            return
        if way == NONSENSE:
            exchange.answer(200, b"[]", OF_AWS)
            return
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in NOT_PASSED_ON}
        exchange.answer(answer.status, answer.data, kept)


@pytest.fixture
def aws(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Interrupter]:
    """Between `trailhook` and its services, without what the SDK would try again by itself."""
    interrupter = Interrupter(place.endpoints.aws)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    with listening(interrupter.respond) as url:
        for service in ("SQS", "S3"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        yield interrupter


def in_quarantine(place: Place) -> None:
    for bodies in (BODIES[:2], BODIES[2:]):
        place.queue(*(delivery("github", body) for body in bodies))
        place.forward()


def among_the_dead_letters(place: Place) -> None:
    place.queue(*(delivery("github", body) for body in BODIES), dead=True)


def sent(place: Place) -> Counter[bytes]:
    """What is on the delivery queue, and off it now."""
    return Counter(decode_envelope(message["body"]).delivery.body for message in place.take(place.resources.queue_url))


def said(output: str) -> int:
    """How many a table says were sent; SQS' own move task has none."""
    return sum(int(count) for count in re.findall(r"\bsent(?:, not noted)? +│ (\d+)", output))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", [LOST_BEFORE, LOST_AFTER, NONSENSE])
@pytest.mark.parametrize(
    ("command", "fill"),
    [
        (["quarantine"], in_quarantine),
        (["dead-letters", "--one-by-one"], among_the_dead_letters),
        (["dead-letters"], among_the_dead_letters),
    ],
    ids=["quarantine", "one by one", "moved by SQS"],
)
def test_whichever_call_is_lost_every_event_goes_back(
    make_place: Callable[[], Place], aws: Interrupter, command: list[str], fill: Callable[[Place], None], way: str
) -> None:
    call, ended = 0, False
    while not ended:
        call += 1
        place = make_place()
        fill(place)
        aws.interrupt(call, way)
        first = place.redrive(*command)
        # There was no such call any more.
        ended = aws.calls < call
        went = sent(place)
        # S3 confirms a note by its status alone.
        confirmed = ended or (way, command[0], first.exit_code) == (NONSENSE, "quarantine", 0)
        assert (first.exit_code, "Error: " in first.stderr) == ((0, False) if confirmed else (1, True)), (
            call,
            first.output,
        )
        assert ("run the command again to go on" in first.stderr) == (not confirmed and said(first.stdout) > 0)
        if command != ["dead-letters"]:
            # Of the one whose sending was not confirmed nothing is claimed.
            assert said(first.stdout) in ({went.total()} if ended else {went.total(), went.total() - 1})
        aws.interrupt(0, "")
        second = place.redrive(*command)
        both = went + sent(place)
        if second.exit_code:
            # Received, and the answer lost: they show again after a quarter of an hour.
            assert (command[1:], way == LOST_BEFORE, both.total()) == (["--one-by-one"], False, 0)
            assert f"hidden: about {len(BODIES)} more" in second.stderr
            continue
        assert sorted(both) == sorted(BODIES), (call, first.output)
        # Twice at most the one that was being sent.
        assert both.total() - len(BODIES) in {0, 1}
    assert call > 3 * len(BODIES) or command == ["dead-letters"]
