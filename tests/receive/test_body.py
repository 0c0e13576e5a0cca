"""A body is opened as its sender packed it, and never to more than memory holds."""

import gzip
import zlib
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.cpu_time import cost_ratio

from trailhook.body import MAX_OPEN_BYTES, form_field, open_body
from trailhook.delivery import Delivery
from trailhook.errors import MalformedDelivery


def delivery(body: bytes) -> Delivery:
    return Delivery("custom", "d", "r", 0, "192.0.2.1", "p", {}, frozenset(), body)


@given(st.binary(max_size=200))
def test_a_body_is_opened_to_what_was_packed(body: bytes) -> None:
    assert open_body(delivery(gzip.compress(body))) == body
    if not body.startswith(b"\x1f\x8b"):
        assert open_body(delivery(body)) == body


def test_gzip_in_several_members_is_one_body_as_its_format_has_it() -> None:
    assert open_body(delivery(gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n'))) == b'{"a":1}\n{"a":2}\n'


PACKED = gzip.compress(b"text", mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\x1f\x8b", id="the magic alone"),
        pytest.param(b"\x1f\x8b\x08\x00 not gzip", id="not gzip behind the magic"),
        pytest.param(PACKED[:-1], id="a byte less"),
        pytest.param(PACKED[:12], id="cut off"),
        pytest.param(PACKED + b"more", id="something behind it"),
        pytest.param(PACKED[:-8] + b"\x00" * 8, id="wrong checksum"),
    ],
)
def test_a_broken_gzip_body_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedDelivery, match="BadGzip"):
        open_body(delivery(body))


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    return b"".join(packer.compress(b"\x00" * 1_000_000) for _ in range(size // 1_000_000)) + packer.flush()


def test_a_bomb_is_not_opened() -> None:
    assert len(open_body(delivery(bomb(MAX_OPEN_BYTES)))) == MAX_OPEN_BYTES
    with pytest.raises(MalformedDelivery, match="TooLargeOpened"):
        open_body(delivery(bomb(MAX_OPEN_BYTES + 1_000_000)))


def test_a_body_of_nothing_but_empty_members_costs_as_much_as_it_has_of_them() -> None:
    few, many = (delivery(gzip.compress(b"") * count) for count in (2_500, 10_000))
    assert open_body(many) == b""
    assert cost_ratio(lambda: open_body(many), lambda: open_body(few)) < 8  # times as much for four times as many


@given(st.text(max_size=100))
def test_a_form_field_is_read_as_browsers_write_it(text: str) -> None:
    assert form_field(f"payload={quote_plus(text)}".encode(), "payload") == text.encode()
    assert form_field(urlencode({"a": "1", "payload": text, "b": ""}).encode(), "payload") == text.encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload",
        b"other=1",
        b"payload=1&payload=2",
        b"payload=%FF",
        b"payload=\xc3\xa9",
        b"payload=1&&",
        b"payload=1" + b"&a=1" * 2_000_000,
    ],
    ids=lambda body: repr(body[:25]),
)
def test_a_form_without_exactly_that_field_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedDelivery, match="BadForm"):
        form_field(body, "payload")
