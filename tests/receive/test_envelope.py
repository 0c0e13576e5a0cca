"""What receive puts on the queue comes out of it byte for byte, and what was damaged there is never taken for it."""

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trailhook.delivery import Delivery
from trailhook.envelope import HANDBACK_BYTES, MAX_MESSAGE_BYTES, Envelope, Pending, decode_envelope, encode_envelope
from trailhook.errors import EnvelopeError, EnvelopeTooLarge

DELIVERY = Delivery(
    partner="github",
    id="11111111-aaaa-4aaa-8aaa-111111111111",
    request_id="AbCdEfGhIjEMPL0=",
    received_at=1_700_000_000_123,
    source_ip="192.0.2.10",
    proof="github-signature",
    headers={"content-type": "application/json", "x-github-event": "member"},
    signed=frozenset(),
    body=b'{"a":1}',
)
ANY_TEXT = st.text(st.characters(), max_size=30)
DELIVERIES = st.builds(
    Delivery,
    partner=ANY_TEXT,
    id=ANY_TEXT,
    request_id=ANY_TEXT,
    received_at=st.integers(0, 253_402_300_799_999),
    source_ip=ANY_TEXT,
    proof=ANY_TEXT,
    headers=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=4),
    signed=st.frozensets(ANY_TEXT, max_size=4),
    body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
)
ENVELOPES = st.builds(
    Envelope,
    DELIVERIES,
    st.integers(0, 15),
    st.none() | st.builds(Pending, st.just(50), st.frozensets(st.integers(0, 49), min_size=1, max_size=9)),
)


def with_body(body: bytes) -> Envelope:
    return Envelope(replace(DELIVERY, body=body))


@given(ENVELOPES)
def test_an_envelope_round_trips_whatever_is_in_it(envelope: Envelope) -> None:
    assert decode_envelope(encode_envelope(envelope)) == envelope


@given(ENVELOPES)
def test_a_message_is_printable_ascii_so_that_no_character_makes_sqs_refuse_it(envelope: Envelope) -> None:
    message = encode_envelope(envelope)
    assert message.isascii()
    assert all(" " <= character <= "\x7f" for character in message)


def noise(size: int) -> bytes:
    """The same bytes each time, that no compression makes smaller."""
    return hashlib.shake_128(b"noise").digest(size)


BIG = 900_000
LARGE_BODIES = {
    "text": b'{"a":"' + b"x" * BIG + b'"}',
    "noncharacters": "\ufffe\uffff".encode() * (BIG // 6),
    "not ASCII": "é".encode() * (BIG // 2),
    "control characters": b"\x00" * BIG,
    "random bytes": noise(700_000),
    "random text": base64.b64encode(noise(700_000)),
    "gzip": gzip.compress(noise(700_000), mtime=0),
    "10 MB of JSON": b'{"key":"value"},' * 650_000,
    "10 MB of nothing": b"\x00" * 10_000_000,
}


@pytest.mark.parametrize("body", LARGE_BODIES.values(), ids=LARGE_BODIES.keys())
def test_a_large_body_fits_as_it_came_or_compressed(body: bytes) -> None:
    message = encode_envelope(with_body(body))
    assert len(message) <= MAX_MESSAGE_BYTES - HANDBACK_BYTES
    assert decode_envelope(message).delivery.body == body


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(b'{"key":"value"}' * 3_000, "utf-8", id="one SQS request either way"),
        pytest.param(b'{"key":"value"}' * 5_000, "gzip", id="several without"),
        pytest.param('{"kéy":"välue"}'.encode() * 3_000, "gzip", id="several, escaped"),
        pytest.param(base64.b64encode(noise(300_000)), "utf-8", id="text that does not shrink"),
        pytest.param(gzip.compress(noise(300_000), mtime=0), "base64", id="compressed already"),
        pytest.param(noise(9_000).hex().encode() * 25 + b'"' * 600_000, "gzip", id="shrinks after the beginning"),
    ],
)
def test_compression_is_for_what_it_pays_for(body: bytes, encoding: str) -> None:
    message = encode_envelope(with_body(body))
    assert json.loads(message)["encoding"] == encoding
    assert decode_envelope(message).delivery.body == body


def test_what_only_thorough_compression_makes_fit_is_taken() -> None:
    text = base64.b64encode(noise(742_500))
    body = b'"'.join(text[start : start + 40] for start in range(0, len(text), 40))
    quick = base64.b64encode(gzip.compress(body, compresslevel=1, mtime=0))
    assert min(len(quick), len(json.dumps(body.decode()))) > MAX_MESSAGE_BYTES - HANDBACK_BYTES
    assert decode_envelope(encode_envelope(with_body(body))).delivery.body == body


def row(rng: random.Random) -> Mapping[str, str]:
    """What packs like the rows of an export."""
    one = {"id": f"{rng.getrandbits(64):016x}", "user": f"user{rng.randint(1, 5_000)}@example.com"}
    one["action"] = rng.choice(["login", "logout", "create", "delete"])
    one["ip"] = ".".join(str(rng.randint(0, 255)) for _ in range(4))
    return one | {"at": f"2026-11-{rng.randint(1, 29):02}T{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00Z"}


def test_what_was_accepted_packed_by_somebody_elses_best_goes_back_opened_and_alone() -> None:
    """The quarantine keeps an event's own text, so what a sender packed well has to fit as we pack it."""
    rows = [row(random.Random(number)) for number in range(28_000)]  # noqa: S311 - the same each time
    opened = json.dumps({"type": "a", "rows": rows}).encode()
    best, usual = (base64.b64encode(gzip.compress(opened, compresslevel=level)) for level in (9, 6))
    assert len(best) < MAX_MESSAGE_BYTES - HANDBACK_BYTES < MAX_MESSAGE_BYTES < len(usual)
    alone = Envelope(replace(DELIVERY, body=opened, element=True))
    assert decode_envelope(encode_envelope(alone)) == alone


@pytest.mark.parametrize("size", [800_000, 6_000_000])
def test_a_body_that_does_not_fit_even_compressed_is_refused(size: int) -> None:
    with pytest.raises(EnvelopeTooLarge):
        encode_envelope(with_body(noise(size)))


def test_a_small_body_is_left_readable_for_whoever_looks_at_the_queue() -> None:
    assert json.loads(encode_envelope(with_body(b'{"a":"\xc3\xa9"}')))["body"] == '{"a":"é"}'


def test_handing_back_counts_and_keeps_the_delivery() -> None:
    again = Envelope(DELIVERY).handed_back(Pending(9, frozenset({1, 2}))).handed_back(Pending(9, frozenset({2})))
    assert again == Envelope(DELIVERY, attempt=2, pending=Pending(9, frozenset({2})))


@given(st.frozensets(st.integers(min_value=0, max_value=200), min_size=1))
def test_pending_positions_survive_the_queue(positions: frozenset[int]) -> None:
    envelope = Envelope(DELIVERY, attempt=1, pending=Pending(201, positions))
    assert decode_envelope(encode_envelope(envelope)) == envelope


def test_thousands_of_pending_events_in_a_row_take_little_room() -> None:
    rest = frozenset(range(20_000)) - frozenset(range(100, 200))
    assert '"positions":[[0,99],[200,19999]]' in encode_envelope(Envelope(DELIVERY, pending=Pending(20_000, rest)))


def test_a_delivery_that_just_fits_can_still_be_handed_back() -> None:
    size = 790_000
    while True:
        try:
            encode_envelope(with_body(noise(size)))
            break
        except EnvelopeTooLarge:
            size -= 1_000
    everything_else = Pending(2_000, frozenset(range(0, 2_000, 2)))
    assert len(encode_envelope(with_body(noise(size)).handed_back(everything_else))) <= MAX_MESSAGE_BYTES


GOLDEN = """{"version":1,"partner":"github","delivery_id":"11111111-aaaa-4aaa-8aaa-111111111111",\
"request_id":"AbCdEfGhIjEMPL0=","received_at":1700000000123,"source_ip":"192.0.2.10","proof":"github-signature",\
"headers":{"content-type":"application/json","x-github-event":"member"},"signed":["webhook-id"],"attempt":2,\
"pending":{"total":9,"positions":[[0,1],[7,7]]},"sha256":"%s",%s}"""
UTF8 = '"encoding":"utf-8","body":"{\\"a\\":\\"\\u00e9\\"}"'
BASE64 = '"encoding":"base64","body":"eyJhIjoiw6kifQ=="'
GZIP = '"encoding":"gzip","body":"H4sIAAAAAAACA6tWSlSyUjq8UqkWAKUA8CAKAAAA"'
SHA256 = "b3a092a6af48807fa9482b2ee140105575daa26d5b24b3c0e60a7e2dee6683b1"


@pytest.mark.parametrize("body", [UTF8, BASE64, GZIP], ids=["utf-8", "base64", "gzip"])
def test_a_message_of_version_1_stays_readable_for_ever(body: str) -> None:
    """It may have been on the queue for fourteen days when a new version is deployed."""
    assert decode_envelope(GOLDEN % (SHA256, body)) == Envelope(
        replace(DELIVERY, signed=frozenset({"webhook-id"}), body='{"a":"é"}'.encode()),
        attempt=2,
        pending=Pending(9, frozenset({0, 1, 7})),
    )


def test_a_message_whose_pending_events_are_ids_is_delivered_whole() -> None:
    """Half of it twice, under equal ids, rather than not at all."""
    message = (GOLDEN % (SHA256, UTF8)).replace('{"total":9,"positions":[[0,1],[7,7]]}', '["9f3cKq","b07Xw2"]')
    assert '"pending":["9f3cKq","b07Xw2"]' in message
    assert decode_envelope(message) == replace(decode_envelope(GOLDEN % (SHA256, UTF8)), pending=None)


def test_a_member_that_a_later_version_adds_is_no_damage() -> None:
    document = json.loads(encode_envelope(Envelope(DELIVERY))) | {"trace": "x"}
    assert decode_envelope(json.dumps(document)) == Envelope(DELIVERY)


def packed(body: bytes) -> dict[str, str]:
    return {
        "encoding": "gzip",
        "body": base64.b64encode(gzip.compress(body, mtime=0)).decode(),
        "sha256": hashlib.sha256(body).hexdigest(),
    }


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"version": "1"},
        {"version": None},
        {"version": [1] * 1000},
        {"body": '{"a":2}'},
        {"body": None},
        {"body": "\ud800"},
        {"sha256": "0" * 64},
        {"sha256": None},
        {"encoding": "zip"},
        {"encoding": ["utf-8"]},
        {"encoding": "base64"},
        {"encoding": "gzip"},
        {"encoding": "gzip", "body": "H4sIAAAA"},
        packed(b"\x00" * 17_000_000),
        {"partner": None},
        {"partner": ["github"]},
        {"delivery_id": 5},
        {"request_id": {}},
        {"received_at": "soon"},
        {"received_at": 1e400},
        {"received_at": -1},
        {"received_at": 10**18},
        {"source_ip": 1},
        {"proof": False},
        {"headers": ["content-type"]},
        {"headers": {"content-type": 1}},
        {"headers": None},
        {"signed": "webhook-id"},
        {"signed": [1]},
        {"signed": None},
        {"attempt": "1"},
        {"attempt": -1},
        {"attempt": 10**6},
        {"attempt": 0.5},
        {"pending": "id"},
        {"pending": [[]]},
        {"pending": ["id", 1]},
        {"pending": {"id": 1}},
        {"pending": {"total": 3, "positions": []}},
        {"pending": {"total": 3, "positions": [[2, 1]]}},
        {"pending": {"total": 3, "positions": [[0, 3]]}},
        {"pending": {"total": 3, "positions": [[-1, 1]]}},
        {"pending": {"total": 3, "positions": [0]}},
        {"pending": {"total": 3, "positions": [[2, 2], [0, 1]]}},
        {"pending": {"total": 10**6, "positions": [[0, 10**6 - 1]] * 1000}},
        {"pending": {"total": 10**9, "positions": [[0, 10**8]]}},
    ],
    ids=lambda damage: str(damage)[:40],
)
def test_a_damaged_or_unknown_envelope_is_refused_as_one(damage: dict[str, Any]) -> None:
    document = json.loads(encode_envelope(Envelope(DELIVERY))) | damage
    with pytest.raises(EnvelopeError):
        decode_envelope(json.dumps(document))


@pytest.mark.parametrize("member", sorted(json.loads(encode_envelope(Envelope(DELIVERY)))))
def test_no_member_may_be_missing(member: str) -> None:
    document = json.loads(encode_envelope(Envelope(DELIVERY)))
    del document[member]
    with pytest.raises(EnvelopeError):
        decode_envelope(json.dumps(document))


@pytest.mark.parametrize("message", ["", "null", "[]", "1", '"x"', "{", "{}", "[" * 100_000, "\x00", "\ud800"])
def test_what_is_no_envelope_at_all_is_refused_as_one(message: str) -> None:
    with pytest.raises(EnvelopeError):
        decode_envelope(message)


@given(st.integers(0, 500), st.text(max_size=3))
def test_any_change_to_a_message_is_noticed_or_harmless(position: int, replacement: str) -> None:
    message = encode_envelope(Envelope(DELIVERY))
    changed = message[:position] + replacement + message[position + 1 :]
    try:
        assert decode_envelope(changed).delivery.body == DELIVERY.body
    except EnvelopeError:
        return
