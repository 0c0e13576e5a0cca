"""Coverage-guided fuzzing of receive, and of what forward makes of a delivery that receive has queued.

    make fuzz                      # five minutes; `make fuzz FUZZ_SECONDS=60` for less

Whatever comes in, receive answers with a status that it documents, and what it queues is mapped or refused for a reason
that somebody foresaw. The first input that breaks this is written to `.fuzz/` and ends the run.
"""

import base64
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["trailhook"]):
    from trailhook.envelope import decode_envelope
    from trailhook.mapping import Mapper, Withheld
    from trailhook.partner import Options
    from trailhook.partners import Partners
    from trailhook.receive import Receiver
    from trailhook.webhook_secret import WebhookSecret

    OPTIONS = Options(accept_hec=True)
    # Each is imported when it is first asked for, and only what is imported here is watched.
    LOADED = dict(Partners(OPTIONS))

from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.partners.cases import cases
from tests.receive.senders import RECEIVED_AT, api_gateway_event, standard_webhooks_headers

DOCUMENTED = frozenset({200, 202, 204, 400, 401, 404, 405, 413, 415})
CHOICES = 8
KEY = b"a key of thirty-two bytes, fake!"
PARTNERS = sorted(name for name, partner in LOADED.items() if partner.proofs)
METHODS = ("POST", "POST", "POST", "GET", "OPTIONS", "HEAD")
PATHS = ("/webhook", "/webhook", "/services/collector", "/services/collector/event", "/webhook/", "/prod/webhook")
VALUES = ("application/json", "application/x-www-form-urlencoded", "gzip", "push", "member", "1.0", "v1,AAAA")
COMMON = {"content-type", "content-encoding", "authorization", "ce-id", "webhook-request-origin", "svix-signature"}
NAMES = tuple(sorted(COMMON.union(*(partner.headers for partner in LOADED.values()))))
MAPPER = Mapper(LOADED, ("star.*",))


def receiver(name: str) -> tuple[Receiver, MemorySender]:
    store, sender = MemorySecretStore(), MemorySender()
    store.put(base64.b64encode(KEY).decode(), at=0)
    secret = WebhookSecret(store, grace_hours=24, now=MemoryClock(RECEIVED_AT / 1000).now)
    return Receiver(LOADED[name], secret, sender), sender


RECEIVERS = {name: receiver(name) for name in PARTNERS}


def one_input(data: bytes) -> None:
    """A request made of the fuzzer's bytes: the first eight choose, the rest is the body."""
    if len(data) < CHOICES:
        return
    partner, method, path, form, *chosen = data[:CHOICES]
    body = data[CHOICES:]
    headers = {_of(NAMES, name): _of((*VALUES, body[:40].decode("latin-1")), value) for name, value in _pairs(chosen)}
    if form & 1:
        kept = {name: value for name, value in headers.items() if not name.startswith(("webhook-", "svix-"))}
        headers = standard_webhooks_headers(KEY, body) | kept
    event: dict[str, Any] = api_gateway_event(body, headers, method=_of(METHODS, method), path=_of(PATHS, path))
    if form & 2:
        event |= {"body": body.decode("utf-8", "surrogateescape"), "isBase64Encoded": False}
    receive, sender = RECEIVERS[_of(PARTNERS, partner)]
    sender.messages.clear()
    check(receive.answer(event).response.to_api_gateway(), sender)


def check(answer: Mapping[str, Any], sender: MemorySender) -> None:
    assert answer["statusCode"] in DOCUMENTED, answer
    for message in sender.messages:
        total, events = MAPPER.take_apart(decode_envelope(message).delivery)
        found = [MAPPER.map(event) for event in events]
        assert len(found) == total
        for one in found:
            if isinstance(one, Withheld):
                assert not one.faults, one.faults
            else:
                one.event_data("111122223333")


def seeds() -> Iterator[bytes]:
    """The partners' golden cases as inputs, signed."""
    for case in cases():
        delivery = case.delivery()
        kept = [(NAMES.index(n), VALUES.index(v)) for n, v in delivery.headers.items() if n in NAMES and v in VALUES]
        chosen = [number for pair in [*kept[:2], (0, 0), (0, 0)][:2] for number in pair]
        yield bytes([PARTNERS.index(case.partner), 0, 0, 1, *chosen]) + delivery.body


def _of(choices: Sequence[str], number: int) -> str:
    return choices[number % len(choices)]


def _pairs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    return zip(numbers[::2], numbers[1::2], strict=True)


if __name__ == "__main__":
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
