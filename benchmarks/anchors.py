"""What the measurements are held against: how the public samples do it, and the least that any program must do."""

import hashlib
import json
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from typing import Any

import orjson
from benchmarks.corpus import ACCOUNT, CHANNEL

from trailhook.batch import MAX_EVENTS


def naive_loop(client: Any, messages: Sequence[str]) -> Callable[[], int]:
    """One event a call with a shared client and `json`, as the public samples do it."""

    def run() -> int:
        delivered = 0
        for message in messages:
            entry = json.loads(json.loads(message)["body"])
            data = json.dumps(
                {
                    "version": "0",
                    "userIdentity": {"type": "user", "principalId": entry["actor"], "details": {}},
                    "eventSource": "github.audit.streaming",
                    "eventName": entry["action"],
                    "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry["@timestamp"] // 1000)),
                    "UID": entry["_document_id"],
                    "requestParameters": entry,
                    "recipientAccountId": ACCOUNT,
                }
            )
            event_id = hashlib.sha256(data.encode()).hexdigest()
            answer = client.put_audit_events(channelArn=CHANNEL, auditEvents=[{"id": event_id, "eventData": data}])
            delivered += len(answer["successful"])
        return delivered

    return run


def plain_loop(client: Any, messages: Sequence[str]) -> Callable[[], int]:
    """What is left of the naive loop's cost with full requests alone: nothing is checked, taken out or cut, and one
    request is sent after the other."""

    def run() -> int:
        delivered = 0
        for start in range(0, len(messages), MAX_EVENTS):
            batch = [_entry(message) for message in messages[start : start + MAX_EVENTS]]
            delivered += len(client.put_audit_events(channelArn=CHANNEL, auditEvents=batch)["successful"])
        return delivered

    return run


def floor(message: str) -> bytes:
    """Parse, digest, encode, and nothing else: no check, no redaction, no limits, no signature, no request."""
    return orjson.dumps(_entry(message))


def _entry(message: str) -> dict[str, str]:
    original = orjson.loads(message)["body"].encode()
    hashlib.sha256(original).digest()
    entry = orjson.loads(original)
    event_id = hashlib.sha256(entry["_document_id"].encode()).hexdigest()
    data = orjson.dumps({"UID": entry["_document_id"], "eventName": entry["action"], "requestParameters": entry})
    checksum = b64encode(hashlib.sha256(data).digest()).decode()
    return {"id": event_id, "eventData": data.decode(), "eventDataChecksum": checksum}


def bare_requests(url: str, bodies: Sequence[bytes]) -> Callable[[], int]:
    """Ready bodies over one connection, unsigned and one after the other: what the endpoint takes at most."""
    address = url.removeprefix("http://")

    def run() -> int:
        connection = HTTPConnection(address)
        taken = 0
        for body in bodies:
            connection.request("POST", "/PutAuditEvents", body)
            taken += len(json.loads(connection.getresponse().read())["successful"])
        connection.close()
        return taken

    return run
