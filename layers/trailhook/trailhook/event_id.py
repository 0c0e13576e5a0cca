"""The one place where an event's `id` for PutAuditEvents is made: the same event always gets the same one.

Beside it, the digest of an event that has no id of its own to make one of.
"""

import hashlib
from binascii import b2a_base64
from typing import Any

from trailhook.exact_json import canonical, canonical_texts

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def event_id(partner: str, *parts: str) -> str:
    """43 characters of [-_A-Za-z0-9]: the SHA-256 over the partner's name and whatever identifies the event there.

    Frozen: another derivation would give every event that is sent again a second identity.
    """
    digest = hashlib.sha256(canonical_texts(partner, *parts)).digest()
    return b2a_base64(digest, newline=False).translate(_URL_SAFE, b"=").decode()


def content_digest(value: Any) -> str:
    """The SHA-256 over what an event says, in hexadecimal digits: in place of the partner's own id, or beside one that
    several events share.

    Frozen as well. The same members in another order, or with other blanks between them, are the same event.
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()
