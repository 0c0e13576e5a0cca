"""Real events, held against what others' parsers published about them: time, action, actor, address, outcome, id.

The collection lies beside the repository or not at all; `<name>.truth.ndjson` says of line N of `<name>.ndjson` what
its origin states (`null`: nothing), and in `caveat` which of that is its parser's own addition.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.partners.cases import SAMPLES, delivery, outcomes, sample_files

from trailhook.partners import REGISTRY
from trailhook.redaction import REDACTED

FOLDERS = {"cloudevents": "custom", "terraform-cloud": "terraform"}
"""Folders that are not called like the partner whose events they hold."""
PARTNERS = {path.name: FOLDERS.get(path.name, path.name) for path in sorted(SAMPLES.glob("*")) if path.is_dir()}
PARTNERS = {folder: partner for folder, partner in PARTNERS.items() if partner in REGISTRY}
EXPLAINED = {
    **{
        f"crowdstrike/eventstreams-other-sekoia.truth.ndjson:{line}": (
            "source_ip",
            "LocalIP is the machine's own address",
        )
        for line in range(2, 7)
    },
    "crowdstrike/eventstreams-other-sekoia.truth.ndjson:7": ("source_ip", "0.0.0.0 is how a sensor writes no address"),
    "crowdstrike/eventstreams-other-sekoia.truth.ndjson:12": ("user_id", "S-1-0-0 is how Windows writes nobody"),
    "crowdstrike/eventstreams-other-sekoia.truth.ndjson:13": ("user_id", "S-1-0-0 is how Windows writes nobody"),
    "crowdstrike/fdr-telemetry-sekoia.truth.ndjson:17": ("source_ip", "0.0.0.0 is how a sensor writes no address"),
    "netskope/audit-sekoia.truth.ndjson:2": ("source_ip", "an address that only supporting_data has, without a name"),
    "onepassword/events-sekoia.truth.ndjson:1": ("outcome", "nothing in the event says that it failed"),
}
"""Where an origin's word is not followed, and why."""
ORIGIN_IS_WRONG = re.compile(r"not literally in the raw event .*: (?P<fields>.+)$")
INCOMPLETE = ("-partial", "-lowercase", "-normalised", "webhook-panther", "systemlog-panther", "truth", "index")
"""Bodies that their origin has shortened, renamed or redacted: the right end of some of them is quarantine."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the origin states about one line."""

    where: str
    partner: str
    body: bytes
    stated: dict[str, Any]

    def says(self, field: str) -> Any:
        """The stated value; None where there is none, or where the origin's parser made it up."""
        return None if field in self._made_up() or self.differs(field) else self.stated.get(field)

    def differs(self, field: str) -> bool:
        """Whether the origin's word on that is not followed, and why is explained."""
        return EXPLAINED.get(self.where, ("", ""))[0] == field

    def _made_up(self) -> set[str]:
        found = (ORIGIN_IS_WRONG.search(caveat) for caveat in self.stated.get("caveat", []))
        return {field for match in found if match for field in match["fields"].split(", ")} - {"timestamp"}


def truths() -> Iterator[Truth]:
    for folder, partner in PARTNERS.items():
        for path in sorted(SAMPLES.glob(f"{folder}/*.truth.ndjson")):
            bodies = path.with_name(path.name.replace(".truth", "")).read_bytes().splitlines()
            for line in path.read_text().splitlines():
                stated = json.loads(line)
                where = f"{folder}/{path.name}:{stated['line']}"
                yield Truth(where, partner, bodies[stated["line"] - 1], stated)


NOTHING = pytest.param(None, marks=pytest.mark.skip(reason="no collection of real payloads beside the repository"))


@pytest.mark.parametrize("truth", list(truths()) or [NOTHING], ids=lambda truth: truth.where if truth else "absent")
def test_mapped_event_says_what_its_origin_published(truth: Truth) -> None:
    [outcome] = outcomes(delivery(truth.partner, truth.body))
    event = outcome["eventData"]
    identity = event["userIdentity"]
    actor = [identity["principalId"], *(str(value) for value in identity.get("details", {}).values())]

    if truth.stated["timestamp"] is not None:
        assert event["eventTime"] == _whole_seconds(truth.stated["timestamp"])
    if (action := truth.says("action")) is not None:
        assert event["eventName"] == action
    for field in ("user_id", "user_name", "user_email"):
        if (stated := truth.says(field)) is not None:
            assert str(stated) in actor
    if (user_id := truth.says("user_id")) is not None:
        assert identity["principalId"] == str(user_id)
    if not truth.differs("source_ip"):
        assert event.get("sourceIPAddress") == truth.stated["source_ip"]
    if (uid := truth.says("event_id")) is not None:
        assert event["UID"] == uid
    if truth.says("outcome") is not None:
        assert ("errorCode" in event) is (truth.says("outcome") == "failure")


@pytest.mark.parametrize("folder", sorted(PARTNERS) or [NOTHING])
def test_every_complete_event_is_mapped_and_none_is_lost(folder: str) -> None:
    for path in sample_files(f"{folder}/*.ndjson"):
        if not any(word in path.name for word in INCOMPLETE):
            lines = path.read_bytes()
            together = outcomes(delivery(PARTNERS[folder], lines))
            assert len(together) >= len(lines.splitlines())
            assert [outcome for outcome in together if "refused" in outcome] == [], path.name


@pytest.mark.parametrize("folder", sorted(PARTNERS) or [NOTHING])
def test_every_incomplete_event_has_an_end(folder: str) -> None:
    for path in sample_files(f"{folder}/*.ndjson"):
        if ".truth." not in path.name and "index" not in path.name:
            for line in path.read_bytes().splitlines():
                assert all("eventData" in end or end["refused"] for end in outcomes(delivery(PARTNERS[folder], line)))


def test_every_webhook_body_of_github_is_mapped_whole() -> None:
    [index] = sample_files("github/webhooks-index.ndjson")
    for line in index.read_text().splitlines():
        entry = json.loads(line)
        body = (SAMPLES / "github" / entry["file"]).read_bytes()
        headers = {"x-github-event": entry["x_github_event"], "x-github-delivery": entry["file"]}
        [outcome] = outcomes(delivery("github", body, headers))
        event = outcome["eventData"]
        action = json.loads(body).get("action")
        assert event["eventName"] == ".".join(filter(None, (entry["x_github_event"], action)))
        assert event["UID"] == entry["file"]
        secrets = event["additionalEventData"].get("redacted", [])
        assert event["requestParameters"] == marked(json.loads(body), secrets)
        assert event["additionalEventData"]["unsigned"] == ["eventName", "UID"]


def test_half_a_surrogate_pair_in_a_message_of_sns_is_no_broken_byte() -> None:
    """The body around it is UTF-8, in which it stands escaped."""
    notification = rb'{"Type":"Notification","MessageId":"m","Timestamp":"2025-11-05T08:30:05.655Z","Message":"%s"}'
    [outcome] = outcomes(delivery("cloudstoragesecurity", notification % rb"{\"key\":\"\ud800\"}"))
    assert outcome["refused"] == "BadUnicode"


def marked(body: Any, paths: list[str]) -> Any:
    """The body with the mark at these places of requestParameters, and nothing else changed."""
    for path in paths:
        *parents, last = path.split(".")[1:]
        place = body
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        place[last] = REDACTED
    return body


@pytest.mark.parametrize("folder", sorted(PARTNERS) or [NOTHING])
def test_no_secret_of_a_sample_is_delivered(folder: str) -> None:
    """Whatever stands under a name of a secret in an event is not in what is delivered of it."""
    for path in sample_files(f"{folder}/*.ndjson"):
        if ".truth." not in path.name and "index" not in path.name:
            for line in path.read_bytes().splitlines():
                secrets = set(_secrets(json.loads(line)))
                for outcome in outcomes(delivery(PARTNERS[folder], line)):
                    delivered = set(_texts(outcome.get("eventData")))
                    assert not secrets & delivered


SECRET = re.compile(r"(password|passwd|client_?secret|api_?key|private_?key|secret_?key|access_?token)$", re.IGNORECASE)


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            if SECRET.search(name) and isinstance(member, str) and member:
                yield member
            yield from _secrets(member)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def _whole_seconds(stated: str) -> str:
    moment = datetime.fromisoformat(stated).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
