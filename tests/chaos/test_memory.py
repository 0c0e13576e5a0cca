"""Neither function needs more than a quarter of its memory for the largest input that there can be."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.loopback import Service, serving

from trailhook.delivery import Delivery
from trailhook.envelope import Envelope, encode_envelope
from trailhook_local.chaos.traffic import SECRET
from trailhook_local.signing import sign_standard_webhooks
from trailhook_local.stack.httpapi import Api, Request, request_event

ROOT = Path(__file__).parents[2]
MOST_KB = 256_000
RECEIVED_MS = 1_700_000_000_000
pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak, others do not"),
]


def aws(request: Mapping[str, Any]) -> tuple[int, bytes]:
    """Everything that the functions ask, told apart by what is in the request."""
    if "auditEvents" in request:
        taken = [{"id": entry["id"], "eventID": "e"} for entry in request["auditEvents"]]
        return 200, json.dumps({"successful": taken, "failed": []}).encode()
    if "SecretId" in request:
        return 200, json.dumps({"SecretString": SECRET, "CreatedDate": 1_600_000_000}).encode()
    return 200, json.dumps({"MessageId": "m"}).encode()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving(aws) as running:
        yield running


def peak(function: str, event: Mapping[str, Any], service: Service, folder: Path) -> tuple[Any, int]:
    """The handler's answer to the event, in a process of its own, and the most memory that it ever had, in kB."""
    told = json.loads(printed(function, event, service, folder)[-1])
    return told["answer"], told["peak_kb"]


def printed(function: str, event: Mapping[str, Any], service: Service, folder: Path) -> list[str]:
    """The lines that a function's process prints: its log, and at the end its answer and peak."""
    file = folder / "event.json"
    file.write_text(json.dumps(event), encoding="utf-8")
    environ = {
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": service.url,
        "PARTNER": "github",
        "DELIVERY_QUEUE_URL": f"{service.url}/queue",
        "WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:s",
        "CHANNEL_ARN": "arn:aws:cloudtrail:us-east-1:111122223333:channel/00000000-0000-4000-8000-000000000000",
        "QUARANTINE_BUCKET": "quarantine",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/chaos/peak.py"), str(ROOT / f"functions/{function}/app.py"), str(file)],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def entries(size: int) -> Iterator[str]:
    """Audit-log entries of 2 kB, `size` bytes of them, that compress to next to nothing."""
    for number in range(size // 2_000):
        yield f'{{"_document_id":"{number}","@timestamp":{RECEIVED_MS},"action":"a.b","note":"{"x" * 1_900}"}}'


def record(number: int, body: bytes) -> dict[str, Any]:
    delivery = Delivery("github", "d", f"r{number}", RECEIVED_MS, "192.0.2.1", "p", {}, frozenset(), body)
    message = encode_envelope(Envelope(delivery))
    return {"messageId": str(number), "receiptHandle": str(number), "body": message, "attributes": {}}


@pytest.mark.parametrize(
    ("size", "count"),
    [
        pytest.param(12_000, 500, id="500 deliveries of six events"),
        pytest.param(900_000, 60, id="deliveries of a megabyte, compressed"),
        pytest.param(15_900_000, 2, id="deliveries of 16 MB, compressed"),
    ],
)
def test_forward_on_a_full_batch(size: int, count: int, service: Service, tmp_path: Path) -> None:
    records = [record(number, f"[{','.join(entries(size))}]".encode()) for number in range(count)]
    answer, kilobytes = peak("forward", {"Records": records}, service, tmp_path)
    assert answer == {"batchItemFailures": []}
    assert kilobytes < MOST_KB


@pytest.mark.parametrize("text", [True, False], ids=["text", "base64"])
def test_receive_on_the_largest_request(service: Service, tmp_path: Path, *, text: bool) -> None:
    body = f"[{','.join(entries(5_800_000 if text else 4_300_000))}]".encode()
    headers = {"Content-Type": "application/json" if text else "application/octet-stream"}
    headers |= sign_standard_webhooks(SECRET, body, timestamp=RECEIVED_MS // 1000)
    request = Request("POST", "/webhook", "HTTP/1.1", tuple(headers.items()), body, "192.0.2.1", RECEIVED_MS)
    event = request_event(request, Api("111122223333", "api"))
    answer, kilobytes = peak("receive", event, service, tmp_path)
    assert answer["statusCode"] == 202, answer
    assert kilobytes < MOST_KB
