"""The deliveries of the demonstration: the project's fixtures, signed as their partners sign, and some bad company."""

import gzip
import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from trailhook_local.signing import SIGNERS, sign_standard_webhooks

FIXTURES = Path("tests/partners/fixtures")
JSON = {"Content-Type": "application/json"}
AWKWARD = 0.02


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event as its sender knows it: its id, None where it has none, its exact text, and its name."""

    id: str | None
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """One request to make: what it is, and the events that it holds if it is accepted."""

    partner: str
    kind: str
    headers: Mapping[str, str]
    body: bytes
    events: Sequence[SentEvent] = ()


@dataclass(frozen=True, slots=True)
class Fixture:
    """A payload of a partner with the headers that it came with; an awkward one is bound for quarantine."""

    headers: Mapping[str, str]
    body: Any
    awkward: bool


class CorpusError(Exception):
    """The fixtures are not where they should be."""


class Corpus:
    """A partner's fixtures whose body is one event, to build deliveries from. Raises CorpusError if there are none."""

    def __init__(self, partner: str) -> None:
        folder = FIXTURES / partner
        fixtures = [
            Fixture(document.get("headers", {}), document["body"], awkward="refused" in expected)
            for document, expected in _golden_pairs(folder)
            # Here each fixture is one event that gets an id of its own, so wrappings of events are left out.
            if isinstance(document.get("body"), dict) and not {"auditEvents", "eventData"} & set(document["body"])
        ]
        self._usual = [fixture for fixture in fixtures if not fixture.awkward]
        self._awkward = [fixture for fixture in fixtures if fixture.awkward]
        if not self._usual:
            raise CorpusError(f"No fixtures in {folder}: run this from the project's own folder")

    def draw(self, rng: random.Random) -> Fixture:
        """A fixture; now and then, as in life, one that no mapping can make an event of."""
        awkward = self._awkward and rng.random() < AWKWARD
        return rng.choice(self._awkward if awkward else self._usual)


def _golden_pairs(folder: Path) -> Iterator[tuple[Mapping[str, Any], str]]:
    for path in sorted(folder.glob("*.json")):
        expected = path.with_name(f"{path.stem}.expected.json")
        if expected.is_file():
            yield json.loads(path.read_text(encoding="utf-8")), expected.read_text(encoding="utf-8")


def deliveries(partner: str, corpus: Corpus, secret: str, count: int, rng: random.Random) -> Iterator[Post]:
    """`count` genuine deliveries in every form that the partner has."""
    build = {"github": _github, "okta": _okta, "custom": _custom}[partner]
    return (build(corpus, secret, rng) for _ in range(count))


def bad_company(partner: str, secret: str, rng: random.Random) -> Iterator[Post]:
    """What an endpoint meets besides its partner: forgers, and a partner on a bad day."""
    body = json.dumps({"action": "forged", "number": rng.random()}).encode()
    sign = SIGNERS[partner]
    genuine = {**JSON, **sign(secret, body)}
    yield Post(partner, "forged", {**JSON, **sign("A" * 44, body)}, body)
    yield Post(partner, "unsigned", JSON, body)
    yield Post(partner, "stale", {**JSON, **sign_standard_webhooks(secret, body, timestamp=1_700_000_000)}, body)
    if partner != "okta":
        yield Post(partner, "altered", genuine, body.replace(b"forged", b"forget"))
    broken = b'{"action": "cut off in the mid'
    yield Post(partner, "malformed", {**JSON, **sign(secret, broken), "X-GitHub-Event": "push"}, broken, _whole(broken))
    twice = b'{"type": "a", "type": "b", "eventType": "x", "action": "y"}'
    yield Post(partner, "ambiguous", {**JSON, **sign(secret, twice), "X-GitHub-Event": "push"}, twice, _whole(twice))
    noise = json.dumps({"noise": rng.randbytes(900_000).hex()}).encode()
    yield Post(partner, "oversized", {**JSON, **sign(secret, noise)}, noise)


def _whole(body: bytes) -> Sequence[SentEvent]:
    """What cannot be taken apart is one event, the whole of it."""
    return [SentEvent(None, body.decode())]


def _github(corpus: Corpus, secret: str, rng: random.Random) -> Post:
    fixture = corpus.draw(rng)
    if not (kind := _github_event(fixture)):
        drawn = [fixture, *(corpus.draw(rng) for _ in range(rng.randint(20, 80)))]
        entries = [{**one.body, "_document_id": f"{rng.getrandbits(96):x}"} for one in drawn if not _github_event(one)]
        events = [
            SentEvent(entry["_document_id"], json.dumps(entry), str(entry.get("action", ""))) for entry in entries
        ]
        lines = "\n".join(event.text for event in events).encode()
        return Post("github", "audit log", {**JSON, **sign_standard_webhooks(secret, lines)}, lines, events)
    guid = str(uuid.UUID(int=rng.getrandbits(128)))
    headers = {**JSON, **fixture.headers, "X-GitHub-Delivery": guid}
    text = json.dumps(fixture.body)
    body = text.encode()
    if rng.random() < 0.2:
        body = urlencode({"payload": text}).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    name = f"{kind}.{fixture.body['action']}" if "action" in fixture.body else kind
    event = SentEvent(guid, text, name)
    return Post("github", "webhook", {**headers, **SIGNERS["github"](secret, body)}, body, [event])


def _github_event(fixture: Fixture) -> str:
    """A webhook's X-GitHub-Event; empty for an entry of the audit log."""
    return next((value for name, value in fixture.headers.items() if name.lower() == "x-github-event"), "")


def _okta(corpus: Corpus, secret: str, rng: random.Random) -> Post:
    drawn = (event for _ in range(rng.randint(1, 12)) for event in _okta_events(corpus.draw(rng).body))
    chosen = [{**event, "uuid": str(uuid.UUID(int=rng.getrandbits(128)))} for event in drawn]
    hook = {"eventType": "com.okta.event_hook", "eventId": f"{rng.getrandbits(96):x}", "data": {"events": chosen}}
    body = json.dumps(hook).encode()
    events = [SentEvent(event["uuid"], json.dumps(event)) for event in chosen]
    return Post("okta", "event hook", {**JSON, **SIGNERS["okta"](secret, body)}, body, events)


def _okta_events(body: Any) -> Sequence[Mapping[str, Any]]:
    events = body["data"].get("events") if isinstance(body.get("data"), dict) else [body]
    return [event for event in events or [] if isinstance(event, dict)]


def _custom(corpus: Corpus, secret: str, rng: random.Random) -> Post:
    ids = [f"{rng.getrandbits(96):x}" for _ in range(rng.randint(1, 15))]
    drawn = ((own, corpus.draw(rng).body) for own in ids)
    chosen = [{**body, "UID" if "UID" in body else "id": own} for own, body in drawn]
    events = [SentEvent(own, json.dumps(event)) for own, event in zip(ids, chosen, strict=True)]
    body = json.dumps(chosen).encode()
    headers = dict(JSON)
    if rng.random() < 0.3:
        body = gzip.compress(body)
        headers = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"}
    return Post("custom", "array", {**headers, **sign_standard_webhooks(secret, body)}, body, events)
