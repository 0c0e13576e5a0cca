"""Bodies made to exhaust a function, through receive and forward's mapping, in a process whose memory can be told.

    python -m tests.attack.bomb [NAME]

Prints a line of JSON for each: receive's status, what the mapping made of it, the processor's seconds, how many times
as long that is as to parse a million numbers here, and the highest resident memory of the process by then, in bytes. As
in a warm function one comes after the other.
"""

import gzip
import json
import random
import re
import resource
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.fakes import MemoryClock, MemorySecretStore, MemorySender
from tests.receive.senders import RECEIVED_AT, api_gateway_event, standard_webhooks_headers

from trailhook.assembly import client
from trailhook.assembly.receive import receive_limits
from trailhook.envelope import decode_envelope
from trailhook.mapping import Mapper, Withheld
from trailhook.partner import Options
from trailhook.partners import Partners, load_partner
from trailhook.receive import Receiver
from trailhook.telemetry import logger
from trailhook.webhook_secret import WebhookSecret

LARGEST = 6_000_000
"""Lambda's limit of an event, "Lambda quotas", which a body has to share with its headers; as base64 it is less."""
LARGEST_RAW = LARGEST // 4 * 3
KEY = b"a key of thirty-two bytes, fake!"


def gzip_bomb(megabytes: int) -> bytes:
    """Blocks that each stand for a megabyte of zeros; nobody opens them to the checksum, which would be wrong."""
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * megabytes + packer.flush()


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def many_keys(count: int, value: bytes) -> bytes:
    """An object of so many keys, no two of them equal; made without a list of them, whose memory would be counted."""
    text = bytearray(b'{"type":"a"')
    for number in range(count):
        text += b',"k%d":%s' % (number, value)
    return bytes(text + b"}")


def full(unit: bytes, size: int = LARGEST_RAW) -> bytes:
    return unit * (size // len(unit))


BOMBS: Mapping[str, Callable[[], bytes | str]] = {
    "gzip that grows to gigabytes": lambda: gzip_bomb(4_400),
    "gzip in gzip": lambda: gzip.compress(gzip_bomb(1_000)),
    "gzip to just what is opened": lambda: gzip.compress(full(b'{"type":"a"}\n', 15_990_000)),
    "gzip of one deep value": lambda: gzip.compress(b'{"a":' * 3_000_000),
    "empty gzip members": lambda: full(gzip.compress(b"")),
    "100,000 levels": lambda: b"[" * 100_000 + b"]" * 100_000,
    "100,000 levels of objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "levels beside an event": lambda: gzip.compress(
        b'[{"type":"a"},%s,{"type":"b"}]' % (b"[" * 1_000_000 + b"]" * 1_000_000)
    ),
    "events of 10,000 levels": lambda: gzip.compress(
        b'{"auditEvents":[%s1]}' % ((b"[" * 10_000 + b"]" * 10_000 + b",") * 109)
    ),
    "lines of levels without an end": lambda: gzip.compress(b"{}\n" + (b"[" * 10_000 + b"\n") * 109),
    "levels without an end": lambda: full(b"["),
    "as many keys as fit": lambda: b"{" + b",".join(b'"%x":1' % number for number in range(400_000)) + b"}",
    "as many keys as fit a message": lambda: gzip.compress(
        b'{"type":"a",' + b",".join(b'"k%d":1' % number for number in range(140_000)) + b"}"
    ),
    "one key again and again": lambda: b"{" + full(b'"k":1,') + b'"type":"a"}',
    "huge numbers": lambda: b"[" + b",".join([b"9" * 4_000] * 1_000) + b"]",
    "one huge number": lambda: b'{"type":"a","n":' + full(b"9") + b"}",
    "huge exponents": lambda: b"[" + full(b"1e999999999,") + b"1]",
    "nothing but escapes": lambda: '{"type":"a","x":"' + "\\u0000" * 850_000 + '"}',
    "letters beyond the basic plane": lambda: '{"type":"a","x":"' + "\U0001f600" * 1_400_000 + '"}',
    "many small events": lambda: full(b'{"type":"a"}\n'),
    "broken lines": lambda: b"{}\n" + full(b"x\n"),
    "lines that begin values": lambda: b"{}\n" + full(b'{"a":\n'),
    "permissions below a long name": lambda: gzip.compress(
        compact({"type": "a", "K" * 300_000: {"permissions": {"secrets": ["read"] * 30_000}}})
    ),
    "secrets below a long name": lambda: gzip.compress(
        compact({"type": "a", "K" * 100_000: {"permissions": {"secrets": ["x"] * 30_000}}})
    ),
    "levels below a name of dots": lambda: gzip.compress(
        b'{"type":"a","token":"x","' + b"." * 500_000 + b'":' + b'{"a":' * 230 + b"1" + b"}" * 231
    ),
    "objects below a name of dots": lambda: gzip.compress(
        compact({"type": "a", "token": "x", "a." * 100_000: [{"a": 1}] * 50_000})
    ),
    "secrets below many levels": lambda: gzip.compress(
        b'{"type":"a","a":' + b'{"a":' * 200 + compact({"tokens": ["x"] * 500_000}) + b"}" * 201
    ),
    "more values than are read": lambda: gzip.compress(full(b"{}", 15_990_000)),
    "as many values as are read": lambda: gzip.compress(b'{"auditEvents":[' + b"{}," * 545_000 + b"1e5]}"),
    "as many lists as are read": lambda: gzip.compress(b'{"type":"a","n":1e5,"l":[' + b"[[[]]]," * 270_000 + b"{}]}"),
    "as many numbers as are read": lambda: gzip.compress(b'{"type":"a","l":[' + b"0e1," * 1_090_000 + b"1]}"),
    "numbers of a thousand digits": lambda: gzip.compress(b'{"type":"a","l":[' + b"1E-300," * 1_090_000 + b"1]}"),
    "as many keys as are read": lambda: gzip.compress(many_keys(1_090_000, b"1")),
    "as many keys, far below": lambda: gzip.compress(b'{"type":"a","a":{"a":{"a":%s}}}' % many_keys(1_090_000, b"1")),
    "as many keys and numbers": lambda: gzip.compress(many_keys(900_000, b"1E-300")),
    "starts of values that end too late": lambda: gzip.compress(
        b"{}\n" + b'{"a":[\n' * 20 + b"[]," * 545_000 + b'"' + b"x" * 12_000_000 + b'"]'
    ),
    "numbers on a line": lambda: gzip.compress(full(b"1 ", 15_990_000)),
    "an event source of marks in the wrong order": lambda: gzip.compress(
        compact({"eventSource": "\u0301" * 100_000 + "\u0316" * 100_000, "eventName": "x", "UID": "1"})
    ),
    "an event source that grows": lambda: gzip.compress(
        compact({"specversion": "1.0", "id": "1", "type": "x", "source": "\ufdfa" * 2_600_000})
    ),
    "noise": lambda: random.Random(1).randbytes(LARGEST_RAW),  # noqa: S311 - the same each time
    "ASCII with one wide letter": lambda: '{"type":"\U0001f600","x":"' + "x" * (LARGEST - 100) + '"}',
}


def main(names: Sequence[str]) -> None:
    # Of many keys, and not of so many numbers: these fit a processor's caches, which what they are to measure does not.
    anchor = 5 * min(_parsing(b"{" + b",".join(b'"%x":1e5' % key for key in range(200_000)) + b"}") for _ in range(5))
    # Everything that Lambda's process holds besides.
    for service, limits in zip(("secretsmanager", "sqs"), receive_limits(2), strict=True):
        client(service, limits, "eu-central-1")
    logger("receive")
    store, sender = MemorySecretStore(), MemorySender()
    store.put(KEY.decode(), at=0)
    secret = WebhookSecret(store, grace_hours=24, now=MemoryClock(RECEIVED_AT / 1000).now)
    receiver = Receiver(load_partner("custom", Options()), secret, sender)
    queued: list[tuple[str, str]] = []
    for name in names:
        payload = _payload(BOMBS[name]())
        started = time.process_time()
        status = receiver.answer(json.loads(payload)).response.status
        _report(name, "receive", time.process_time() - started, anchor, status=int(status))
        queued += [(name, message) for message in sender.messages]
        sender.messages.clear()
    mapper = Mapper(Partners(Options()))
    for name, message in queued:
        started = time.process_time()
        ends: Counter[str] = Counter()
        for event in mapper.take_apart(decode_envelope(message).delivery)[1]:
            found = mapper.map(event)
            if isinstance(found, Withheld):
                assert not found.faults, found.faults
            ends[found.outcome.code if isinstance(found, Withheld) else "mapped"] += 1
        _report(name, "forward", time.process_time() - started, anchor, ends=ends)


def _parsing(text: bytes) -> float:
    started = time.process_time()
    json.loads(text)
    return time.process_time() - started


def _report(name: str, function: str, seconds: float, anchor: float, **found: Any) -> None:
    costs = {"seconds": round(seconds, 3), "anchors": round(seconds / anchor, 1), "peak": _peak()}
    sys.stdout.write(json.dumps({"name": name, "function": function, **costs, **found}) + "\n")


def _payload(body: bytes | str) -> bytes:
    """What Lambda hands over: the event as one text, as large as it may be."""
    raw = body.encode() if isinstance(body, str) else body
    event = api_gateway_event(body, standard_webhooks_headers(KEY, raw))
    payload = json.dumps(event, ensure_ascii=False).encode()
    assert len(payload) < 6_300_000, len(payload)
    return payload


def _peak() -> int:
    """The peak of this process alone: getrusage also counts what the parent held when it started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes, where there is no /proc: on macOS


if __name__ == "__main__":
    main(sys.argv[1:] or list(BOMBS))
