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

from trailhook_local.cli.signing import SIGNERS, sign_standard_webhooks

FIXTURES = Path("tests/partners/fixtures")
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Post:
    """One request to make: what it is, and how many events it holds if it is accepted."""

    partner: str
    kind: str
    headers: Mapping[str, str]
    body: bytes
    events: int


@dataclass(frozen=True, slots=True)
class Fixture:
    """A payload of a partner with the headers that it came with."""

    headers: Mapping[str, str]
    body: Any


class CorpusError(Exception):
    """The fixtures are not where they should be."""


def load_fixtures(partner: str, folder: Path = FIXTURES) -> Sequence[Fixture]:
    """The partner's fixtures whose body is one JSON object. Raises CorpusError if there are none."""
    documents = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / partner).glob("*.json"))
        if not path.name.endswith(".expected.json")
    ]
    found = [Fixture(one.get("headers", {}), one["body"]) for one in documents if isinstance(one.get("body"), dict)]
    if not found:
        raise CorpusError(f"No fixtures in {folder / partner}: run this from the project's own folder")
    return found


def deliveries(partner: str, secret: str, count: int, rng: random.Random) -> Iterator[Post]:
    """`count` genuine deliveries in every form that the partner has, in an order that `rng` decides."""
    fixtures = load_fixtures(partner)
    build = {"github": _github, "okta": _okta, "custom": _custom}[partner]
    for number in range(count):
        yield build(fixtures[number % len(fixtures)], fixtures, secret, rng)


def bad_company(partner: str, secret: str, rng: random.Random) -> Iterator[Post]:
    """What an endpoint meets beside its partner: forgers, and a partner on a bad day."""
    body = json.dumps({"action": "forged", "number": rng.random()}).encode()
    sign = SIGNERS[partner]
    genuine = {**JSON, **sign(secret, body)}
    yield Post(partner, "forged", {**JSON, **sign("A" * 44, body)}, body, 0)
    yield Post(partner, "unsigned", JSON, body, 0)
    yield Post(partner, "stale", {**JSON, **sign_standard_webhooks(secret, body, timestamp=1_700_000_000)}, body, 0)
    if partner != "okta":
        yield Post(partner, "altered", genuine, body.replace(b"forged", b"forget"), 0)
    broken = b'{"action": "cut off in the mid'
    yield Post(partner, "malformed", {**JSON, **sign(secret, broken), "X-GitHub-Event": "push"}, broken, 1)
    twice = b'{"type": "a", "type": "b", "eventType": "x", "action": "y"}'
    yield Post(partner, "ambiguous", {**JSON, **sign(secret, twice), "X-GitHub-Event": "push"}, twice, 1)
    noise = json.dumps({"noise": rng.randbytes(900_000).hex()}).encode()
    yield Post(partner, "oversized", {**JSON, **sign(secret, noise)}, noise, 0)


def _github(fixture: Fixture, fixtures: Sequence[Fixture], secret: str, rng: random.Random) -> Post:
    headers = {**JSON, **fixture.headers, "X-GitHub-Delivery": str(uuid.UUID(int=rng.getrandbits(128)))}
    if not _is_webhook(fixture):
        entries = [one.body for one in fixtures if not _is_webhook(one)]
        chosen = [
            {**rng.choice(entries), "_document_id": f"{rng.getrandbits(96):x}"} for _ in range(rng.randint(5, 40))
        ]
        lines = "\n".join(json.dumps(entry) for entry in chosen).encode()
        return Post("github", "audit log", {**JSON, **sign_standard_webhooks(secret, lines)}, lines, len(chosen))
    body = json.dumps(fixture.body).encode()
    if rng.random() < 0.2:
        body = urlencode({"payload": body.decode()}).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return Post("github", "webhook", {**headers, **SIGNERS["github"](secret, body)}, body, 1)


def _okta(_fixture: Fixture, fixtures: Sequence[Fixture], secret: str, rng: random.Random) -> Post:
    entries = [event for one in fixtures for event in _okta_events(one.body)]
    chosen = [
        {**rng.choice(entries), "uuid": str(uuid.UUID(int=rng.getrandbits(128)))} for _ in range(rng.randint(1, 12))
    ]
    hook = {"eventType": "com.okta.event_hook", "eventId": f"{rng.getrandbits(96):x}", "data": {"events": chosen}}
    body = json.dumps(hook).encode()
    return Post("okta", "event hook", {**JSON, **SIGNERS["okta"](secret, body)}, body, len(chosen))


def _okta_events(body: Any) -> Sequence[Mapping[str, Any]]:
    events = body["data"]["events"] if "data" in body else [body]
    return [event for event in events if isinstance(event, dict)]


def _custom(fixture: Fixture, _fixtures: Sequence[Fixture], secret: str, rng: random.Random) -> Post:
    own_id = "UID" if "UID" in fixture.body else "id"
    chosen = [{**fixture.body, own_id: f"{rng.getrandbits(96):x}"} for _ in range(rng.randint(1, 15))]
    body = json.dumps(chosen).encode()
    headers = dict(JSON)
    if rng.random() < 0.3:
        body = gzip.compress(body)
        headers = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"}
    return Post("custom", "array", {**headers, **sign_standard_webhooks(secret, body)}, body, len(chosen))


def _is_webhook(fixture: Fixture) -> bool:
    return any(name.lower() == "x-github-event" for name in fixture.headers)
