"""The one place where an event's `id` for PutAuditEvents is made: the same event always gets the same one."""

import base64
import hashlib

from trailhook.json_text import canonical


def event_id(partner: str, *parts: str) -> str:
    """43 characters of [-_A-Za-z0-9]: the SHA-256 over the partner's name and whatever identifies the event there.

    Frozen: another derivation would give every event that is sent again a second identity.
    """
    digest = hashlib.sha256(canonical([partner, *parts]).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
