"""From a delivery's raw body to the text of its events: undo compression and form encoding, within bounds."""

import gzip
import zlib
from io import BytesIO
from urllib.parse import parse_qsl

from trailhook.delivery import Delivery
from trailhook.errors import MalformedDelivery

MAX_OPEN_BYTES = 16_000_000
"""What a compressed body may grow to. It is opened no further than that, and a bomb goes to quarantine as it came."""

_GZIP_MAGIC = b"\x1f\x8b"
_MAX_FORM_FIELDS = 1000


def is_compressed(body: bytes) -> bool:
    """Told by the gzip magic, not by the header: Kong Konnect says `application/gzip`, others say nothing."""
    return body.startswith(_GZIP_MAGIC)


def open_body(delivery: Delivery) -> bytes:
    """The body as its sender wrote it before compressing. Raises MalformedDelivery."""
    if not is_compressed(delivery.body):
        return delivery.body
    try:
        with gzip.GzipFile(fileobj=BytesIO(delivery.body)) as file:
            opened = file.read(MAX_OPEN_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise MalformedDelivery("BadGzip", f"The body looks like gzip but cannot be opened: {error}") from error
    if len(opened) > MAX_OPEN_BYTES:
        raise MalformedDelivery("TooLargeOpened", f"The gzip body grows beyond {MAX_OPEN_BYTES:,} bytes")
    return opened


def form_field(body: bytes, name: str) -> bytes:
    """The one field `name` of an `application/x-www-form-urlencoded` body. Raises MalformedDelivery."""
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FORM_FIELDS,
        )
    except ValueError as error:
        raise MalformedDelivery("BadForm", f"The body is not form-encoded: {error}") from error
    values = [value for key, value in fields if key == name]
    if len(values) != 1:
        raise MalformedDelivery("BadForm", f"The form has {len(values)} fields named {name!r}; it needs exactly one")
    return values[0].encode()
