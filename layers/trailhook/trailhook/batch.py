"""Full PutAuditEvents requests: at most 100 events, at most 1 MB of encoded body, no id twice."""

import hashlib
from binascii import b2a_base64
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from trailhook.exact_json import encode_ascii

MAX_EVENTS = 100
MAX_BYTES = 1_000_000
_FRAME = b'{"auditEvents":[%s]}'
_FRAME_BYTES = len(_FRAME % b"")


class Entry(Struct, frozen=True, eq=False, gc=False):
    """One event of a request: its id, and the whole of it as it stands in the request's body."""

    id: str
    encoded: bytes

    @classmethod
    def of(cls, id: str, event_data: bytes) -> "Entry":  # noqa: A002 - the API's own word
        """The entry of an event's text, with the text's checksum: so CloudTrail notices what changed on the way."""
        checksum = b2a_base64(hashlib.sha256(event_data).digest(), newline=False)
        members = {"id": id, "eventData": event_data.decode(), "eventDataChecksum": checksum.decode()}
        return cls(id, encode_ascii(members))

    @property
    def size(self) -> int:
        """What the entry adds to a request's body, with a comma."""
        return len(self.encoded) + 1


def request_body(batch: Iterable[Entry]) -> bytes:
    """The body of a PutAuditEvents request, joined from what is encoded already."""
    return _FRAME % b",".join([entry.encoded for entry in batch])


def pack(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries in requests. Entries that share an id go into requests of their own, one after the other."""
    for layer in _layers(entries):
        yield from _filled(layer)


def _layers(entries: Sequence[Entry]) -> Sequence[Sequence[Entry]]:
    """The entries in as few sets without an id twice as there can be: one, nearly always."""
    if len({entry.id for entry in entries}) == len(entries):
        return [entries]
    seen: dict[str, int] = {}
    layers: list[list[Entry]] = []
    for entry in entries:
        before = seen.get(entry.id, 0)
        if before == len(layers):
            layers.append([])
        layers[before].append(entry)
        seen[entry.id] = before + 1
    return layers


def _filled(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    batch: list[Entry] = []
    size = _FRAME_BYTES
    for entry in entries:
        added = entry.size
        if batch and (len(batch) == MAX_EVENTS or size + added > MAX_BYTES):
            yield batch
            batch, size = [], _FRAME_BYTES
        batch.append(entry)
        size += added
    if batch:
        yield batch
