"""Full PutAuditEvents requests: at most 100 events, at most 1 MB as botocore encodes them, no id twice."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii

MAX_EVENTS = 100
MAX_BYTES = 1_000_000
_FRAME_BYTES = len('{"auditEvents": []}')
_ENTRY_BYTES = len('{"id": "", "eventData": , "eventDataChecksum": ""}, ')
_CHECKSUM_BYTES = 44


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a request: its id, its text, and what it adds to the request's encoded body."""

    id: str
    event_data: str
    size: int = field(init=False)

    def __post_init__(self) -> None:
        encoded = len(encode_basestring_ascii(self.event_data))
        object.__setattr__(self, "size", _ENTRY_BYTES + len(self.id) + _CHECKSUM_BYTES + encoded)

    @property
    def checksum(self) -> str:
        """Base64 of the SHA-256 of `event_data`, so that CloudTrail notices what changed on the way."""
        return base64.b64encode(hashlib.sha256(self.event_data.encode()).digest()).decode()


def pack(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries in requests. Entries that share an id go into requests of their own, one after the other."""
    seen: Counter[str] = Counter()
    layers: list[list[Entry]] = []
    for entry in entries:
        if seen[entry.id] == len(layers):
            layers.append([])
        layers[seen[entry.id]].append(entry)
        seen[entry.id] += 1
    for layer in layers:
        yield from _filled(layer)


def _filled(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    batch: list[Entry] = []
    size = _FRAME_BYTES
    for entry in entries:
        if batch and (len(batch) == MAX_EVENTS or size + entry.size > MAX_BYTES):
            yield batch
            batch, size = [], _FRAME_BYTES
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch
