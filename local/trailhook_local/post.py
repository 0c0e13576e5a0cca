"""Posting a delivery as a partner does: once, and again where the answer asks for that."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import urllib3

_AGAIN = frozenset({429, 500, 502, 503, 504})
TRIES = 6


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint answered at last."""

    status: int
    body: str


def post(pool: urllib3.PoolManager, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """POST to `url`; a 429 or 5xx is tried again as partners do, only sooner."""
    for attempt in range(TRIES):
        answer = pool.request("POST", url, body=body, headers=dict(headers), retries=False, timeout=35)
        if answer.status not in _AGAIN or attempt == TRIES - 1:
            break
        time.sleep(0.2 * 2**attempt)
    return Reply(answer.status, answer.data.decode("utf-8", "replace"))
