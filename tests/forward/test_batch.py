"""Requests are full, and never over a limit."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.forward.ports import event_data

from trailhook.batch import MAX_BYTES, MAX_EVENTS, Entry, pack, request_body

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
ENTRIES = st.lists(st.builds(Entry.of, st.sampled_from("abcdefgh"), TEXTS.map(str.encode)), max_size=300)


@given(ENTRIES)
def test_packing_keeps_every_entry_once_and_no_id_twice_in_a_request(entries: list[Entry]) -> None:
    batches = list(pack(entries))
    assert sorted(entries, key=repr) == sorted((entry for batch in batches for entry in batch), key=repr)
    for batch in batches:
        assert 0 < len(batch) <= MAX_EVENTS
        assert len({entry.id for entry in batch}) == len(batch)


PIECES = st.sampled_from(["x", '"', "\\", "é", "€", "😀", "\x7f", "\\u0000", "\u2028"])
LARGE = st.builds(lambda piece, count: piece * (count // len(piece.encode())), PIECES, st.integers(0, 256_000))


@given(st.lists(LARGE | TEXTS, max_size=120), st.integers(1, 3))
def test_no_request_exceeds_a_limit_and_none_has_room_for_what_the_next_begins_with(
    texts: list[str], times: int
) -> None:
    entries = [Entry.of(f"{number:0>43}", text.encode()) for number, text in enumerate(texts * times)]
    batches = list(pack(entries))
    assert [entry for batch in batches for entry in batch] == entries
    for batch in batches:
        assert len(batch) <= 100
        body = request_body(batch)
        assert len(body) <= 1_000_000
        assert [one["eventData"] for one in json.loads(body)["auditEvents"]] == [event_data(entry) for entry in batch]
    for batch, following in pairwise(batches):
        assert len(batch) == 100 or len(request_body([*batch, following[0]])) + 1 > 1_000_000


def test_distinct_small_events_fill_requests_to_a_hundred() -> None:
    batches = list(pack([Entry.of(str(number), b"{}") for number in range(1_050)]))
    assert [len(batch) for batch in batches] == [100] * 10 + [50]


def test_a_request_of_awkward_events_stays_below_a_megabyte() -> None:
    text = json.dumps({"text": '"\\é\u2028😀\n' * 1_500}, ensure_ascii=False).encode()
    batches = list(pack([Entry.of(f"{number:0>43}", text) for number in range(60)]))
    sizes = [len(request_body(batch)) for batch in batches]
    for batch, size in zip(batches, sizes, strict=True):
        assert sum(entry.size for entry in batch) >= size - 19 >= sum(entry.size for entry in batch) * 0.99
    assert len(sizes) > 1
    assert max(sizes) <= MAX_BYTES
    assert min(sizes[:-1]) > MAX_BYTES * 0.9
