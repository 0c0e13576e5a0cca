"""What the settings say is what forward does: each of them reaches the part that it is for."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.forward.bench import delivery, entry, record
from tests.loopback import Exchange, listening

from trailhook.assembly.forward import forwarder
from trailhook.deadline import Deadline
from trailhook.envelope import Envelope
from trailhook.hand_back import MAX_HANDBACKS
from trailhook.settings import ForwardSettings

ARN = "arn:aws:cloudtrail:us-east-1:999988887777:channel/00000000-0000-4000-8000-000000000000"
SETTINGS = {
    "PARTNER": "github",
    "CHANNEL_ARN": ARN,
    "EXTERNAL_ID": "fake-external-id",
    "DELIVERY_QUEUE_URL": "https://sqs.example/delivery",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.example/dead-letters",
    "QUARANTINE_BUCKET": "a-bucket",
    "EXCLUDE_EVENTS": "repo.destroy",
    "REDACT": "data.note",
    "REQUEST_RATE": "10",
    "MAXIMUM_CONCURRENCY": "2",
}


@dataclass
class Aws:
    """CloudTrail, SQS and S3 in one server: CloudTrail throttles the event `later`, and takes all others."""

    requests: list[dict[str, list[str]]] = field(default_factory=list)
    began: list[float] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def respond(self, exchange: Exchange) -> None:
        body = exchange.body()
        if exchange.command == "PUT":
            self.objects[exchange.path] = [json.loads(line) for line in body.splitlines()]
            exchange.answer(200, headers={"etag": '"1"'})
        elif "x-amz-target" in exchange.headers:
            self.sent.append(json.loads(body)["QueueUrl"])
            exchange.answer(200, b'{"MessageId": "m"}', {"content-type": "application/x-amz-json-1.0"})
        else:
            self.began.append(time.monotonic())
            self.requests.append(parse_qs(urlsplit(exchange.path).query))
            exchange.answer(200, json.dumps(self._put(json.loads(body)["auditEvents"])).encode())

    def _put(self, entries: list[dict[str, str]]) -> dict[str, Any]:
        events = {one["id"]: json.loads(one["eventData"]) for one in entries}
        late = [one for one, event in events.items() if event["UID"] == "later"]
        self.taken |= {event["UID"]: event for event in events.values() if event["UID"] != "later"}
        return {
            "successful": [{"id": one} for one in events if one not in late],
            "failed": [{"id": one, "errorCode": "Throttling"} for one in late],
        }


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "fake")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    service = Aws()
    with listening(service.respond) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        yield service


def test_each_setting_reaches_the_part_that_it_is_for(aws: Aws) -> None:
    """One that does not is one that an operator set in vain: events are refused, shown, lost from sight or too fast."""
    later = entry(0, _document_id="later")
    first = delivery(
        *(entry(number) for number in range(1, 298)),
        entry(298, data={"note": "of nobody's business"}),
        entry(299, action="repo.destroy"),
        {"_document_id": "unmappable"},
        later,
    )
    again = Envelope(delivery(entry(300), later), attempt=MAX_HANDBACKS)
    process = forwarder.__wrapped__(ForwardSettings.from_environ(SETTINGS))
    began = time.monotonic()
    in_four_requests = Deadline(1, lambda: 0.0 if len(aws.began) < 4 else 2.0)
    unfinished, ledger = process.forward([record(Envelope(first), "first"), record(again, "again")], in_four_requests)
    assert unfinished == []
    assert ledger.events["filtered"] == 1

    assert aws.requests[0] == {"channelArn": [ARN], "externalId": ["fake-external-id"]}
    assert {event["recipientAccountId"] for event in aws.taken.values()} == {"999988887777"}
    assert len(aws.taken) == 299
    assert "of nobody's business" not in json.dumps(aws.taken["doc-298"])
    assert max(aws.began) - began >= 3 / 5, "five a second are this function's share"

    assert sorted(aws.sent) == [SETTINGS["DEAD_LETTER_QUEUE_URL"], SETTINGS["DELIVERY_QUEUE_URL"]]
    [(path, [line])] = aws.objects.items()
    assert path.startswith("/a-bucket/quarantine/github/")
    assert line["uid"] == "unmappable"
    assert f"--bucket a-bucket --queue-url {SETTINGS['DELIVERY_QUEUE_URL']} " in line["way_back"]
