"""Events in a place's quarantine, and a run that sends them to another queue than its own."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace
from tests.partners.cases import delivery
from tests.redrive.conftest import Place

from trailhook.delivery import Delivery
from trailhook.queue import Sender
from trailhook_local.place import account_of
from trailhook_local.redrive.quarantine import Choice, Fate, QuarantineRedrive

EVERYTHING = Choice()


def github(*entries: dict[str, Any], received_at: int = 1_700_000_000_000, request_id: str = "request-1") -> Delivery:
    body = "\n".join(json.dumps(one) for one in entries).encode()
    return replace(delivery("github", body), received_at=received_at, request_id=request_id)


def entry(number: int, **members: Any) -> dict[str, Any]:
    whole = {"_document_id": f"doc-{number}", "@timestamp": 1_700_000_000_000, "action": "repo.create", "actor": "mona"}
    return {name: member for name, member in (whole | members).items() if member is not None}


def quarantine(place: Place, *deliveries: Delivery) -> None:
    place.queue(*deliveries)
    place.forward()


def deny(place: Place, action: str, objects: str) -> None:
    """Let the bucket's policy deny that action on these of its objects."""
    resource = f"arn:aws:s3:::{place.resources.bucket}/{objects}"
    denied = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    place.s3.put_bucket_policy(Bucket=place.resources.bucket, Policy=policy)


@dataclass
class FailingQueue:
    """Takes so many messages, then fails, as a network or a person's Ctrl-C does; what is sent is not delayed."""

    takes: int
    error: BaseException
    messages: list[str] = field(default_factory=list)

    def send(self, message: str, delay_seconds: int = 0) -> None:
        if len(self.messages) == self.takes or delay_seconds:
            raise self.error
        self.messages.append(message)


def redrive(
    s3: Any,
    place: Place,
    queue: Sender,
    choice: Choice = EVERYTHING,
    *,
    dry_run: bool = False,
    fates: Counter[Fate] | None = None,
) -> Counter[Fate]:
    """Send what is chosen in the place's bucket to another queue than its own; how many lines met each fate.

    They are counted in `fates` where the run may break off.
    """
    fates = Counter() if fates is None else fates
    bucket = QuarantineRedrive(s3, place.resources.bucket, account_of(place.resources.queue_url), queue)
    bucket.redrive(
        bucket.keys(choice),
        choice,
        dry_run=dry_run,
        tell=lambda _line, fate: fates.update([fate]),
        next_object=lambda: None,
    )
    return fates
