"""The text of a body taken apart into its records, each with its exact bytes.

A record that parsing would change is still taken apart from its neighbours, but carries the reason in `fault`.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from itertools import islice

from trailhook.errors import MalformedDelivery
from trailhook.exact_json import Record, compact_elements, decode_whole
from trailhook.json_scanner import MAX_EVENTS, Scanner, too_many_events
from trailhook.members import value_at

MAX_VALUES = 1_100_000
"""No partner sends more JSON values than this, and values take up to a hundred times the room of their text. It allows
the largest text that is opened one value in fourteen bytes; the densest of real events have one in fifteen."""

_AT_ONCE = 1_000_000
"""Bytes of an array that are parsed in one go. Of a longer one only an element at a time is in memory."""


class JsonText:
    """The text of a body, and the ways to take it apart. Raises MalformedDelivery where that is impossible.

    `element`: the body is one event that was taken out of a larger one before. So it is the only record, and what it
    begins with is no byte order mark.
    """

    def __init__(self, body: bytes, *, element: bool = False) -> None:
        self._body = body if element else body.removeprefix(BOM_UTF8)
        self._element = element
        # A smaller one cannot hold so many.
        if len(body) > MAX_VALUES and sum(map(body.count, (b",", b"{", b"["))) > MAX_VALUES:
            raise MalformedDelivery("TooManyValues", f"The text holds more than {MAX_VALUES:,} JSON values")

    def records(self) -> Iterator[Record]:
        """The body's records: an array's elements, or the values of an NDJSON or concatenated text, or the one object.

        A broken line of an NDJSON text is a record with a fault; its neighbours are not affected.
        """
        if self._element:
            return iter([self.document()])
        if self._body.startswith(b"{") and (only := decode_whole(self._body)):
            return iter([only])
        compact = self._compact() if self._body.startswith(b"[") else None
        return compact or Scanner(self._body).records()

    def elements(self, *path: str) -> Iterator[Record]:
        """The elements of the array at `path` below the one top-level object."""
        return self._compact(*path) or Scanner(self._body).elements(*path)

    def document(self) -> Record:
        """The whole text as one value."""
        return decode_whole(self._body) or Scanner(self._body).document()

    def _compact(self, *path: str) -> Iterator[Record] | None:
        return compact_elements(self._body, *path) if len(self._body) <= _AT_ONCE else None


def elements_or_itself(record: Record, *path: str) -> Sequence[Record]:
    """The elements of the array at `path` in a record's value, each with a fault of its own; or else the record itself.

    So it is, too, if the array's key stands there twice: its fault says so, and which array counts is not ours to
    choose. Raises MalformedDelivery for more elements than any partner's delivery has events.
    """
    if not isinstance(value_at(record.value, *path), list):
        return [record]
    try:
        elements = list(islice(JsonText(record.original).elements(*path), MAX_EVENTS + 1))
    except MalformedDelivery:
        return [record]
    if len(elements) > MAX_EVENTS:
        raise too_many_events()
    return elements
