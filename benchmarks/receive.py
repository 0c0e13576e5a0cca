"""receive: from API Gateway's event to the queued envelope, by the size of the body. The call to SQS is left out.

python -m benchmarks.receive
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256, shake_128
from typing import Any

import orjson
from benchmarks.corpus import audit_entry, body
from benchmarks.measuring import ratio, show, together

from trailhook.partner import Options
from trailhook.partners import load_partner
from trailhook.receive import Receiver
from trailhook.webhook_secret import SecretVersion, WebhookSecret

SECRET = "a-webhook-secret-of-a-benchmark-and-nothing-else"
RECEIVED_AT = 1_700_000_000_000


class OneSecret:
    """A secret store that holds one secret, which is current."""

    def read(self, stage: str) -> SecretVersion | None:
        return SecretVersion(SECRET, datetime.fromtimestamp(0, UTC)) if stage == "AWSCURRENT" else None


class LastMessage:
    """A queue that keeps the last message only."""

    message = ""

    def send(self, message: str, delay_seconds: int = 0) -> None:  # noqa: ARG002 - the port's signature
        self.message = message


def request(content: bytes) -> Mapping[str, Any]:
    """A GitHub webhook as API Gateway hands it over."""
    return {
        "rawPath": "/webhook",
        "headers": {
            "content-type": "application/json",
            "x-github-event": "member",
            "x-github-delivery": "11111111-aaaa-4aaa-8aaa-111111111111",
            "x-hub-signature-256": f"sha256={hmac.digest(SECRET.encode(), content, 'sha256').hex()}",
        },
        "requestContext": {
            "http": {"method": "POST", "sourceIp": "192.0.2.10"},
            "requestId": "AbCdEfGhIjEMPL0=",
            "timeEpoch": RECEIVED_AT,
        },
        "isBase64Encoded": False,
        "body": content.decode(),
    }


def receiving(receiver: Receiver, event: Mapping[str, Any], times: int) -> Callable[[], int]:
    def run() -> int:
        return sum(int(receiver.answer(event).response.status) == 202 for _ in range(times))

    return run


def digesting(content: bytes, times: int) -> Callable[[], int]:
    """The floor: the proof's digest and the envelope's, and the text with its quotes escaped."""

    def run() -> int:
        for _ in range(times):
            hmac.digest(SECRET.encode(), content, "sha256")
            sha256(content).hexdigest()
            orjson.dumps(content.decode())
        return times

    return run


def main() -> None:
    queue = LastMessage()
    secret = WebhookSecret(OneSecret(), grace_hours=24, now=lambda: RECEIVED_AT / 1000)
    receiver = Receiver(load_partner("github", Options()), secret, queue)
    bodies = {f"{size:,} of JSON": body(1, size) for size in (500, 2_000, 20_000, 200_000)}
    bodies["1,000,000 of JSON"] = json.dumps([audit_entry(number) for number in range(635)]).encode()[:1_000_000]
    bodies["700,000 of random text"] = b64encode(shake_128(b"random").digest(525_000))
    rows = []
    for name, content in bodies.items():
        times = max(5, min(2_000, 5_000_000 // len(content)))
        runs = {"ours": receiving(receiver, request(content), times), "least": digesting(content, times)}
        ours, least = together(runs, 5).values()
        assert ours.count == times
        message = json.loads(queue.message)
        rows.append(
            (
                name,
                f"{ours.cost / 1000:,.3f}",
                f"{least.cost / 1000:,.3f}",
                ratio(ours, least),
                message["encoding"],
                f"{len(queue.message):,}",
            )
        )
    show(
        "receive: proof to queued envelope",
        ("bytes of body", "ms of CPU", "floor: digests, escape", "times the floor", "encoding", "bytes on the queue"),
        rows,
    )


if __name__ == "__main__":
    main()
