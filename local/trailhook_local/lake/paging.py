"""Pages and their tokens: opaque, bound to the operation and its parameters, refused when altered."""

import base64
from collections.abc import Sequence
from typing import Any

from trailhook_local.lake import errors


def page(member: str, items: Sequence[Any], request: dict[str, Any], *, default: int, scope: str) -> dict[str, Any]:
    """`{member: items of this page, NextToken?}`; `scope` names what the token was given out for."""
    size = request.get("MaxResults", default)
    start = offset(request.get("NextToken"), scope)
    answer: dict[str, Any] = {member: list(items[start : start + size])}
    if start + size < len(items):
        answer["NextToken"] = token(start + size, scope)
    return answer


def token(position: int, scope: str) -> str:
    return base64.urlsafe_b64encode(f"{position}:{scope}".encode()).decode("ascii")


def offset(next_token: str | None, scope: str) -> int:
    """Where the token's page begins; raises InvalidNextTokenException."""
    if next_token is None:
        return 0
    try:
        position, _, given_for = base64.urlsafe_b64decode(next_token).decode().partition(":")
        if given_for == scope:
            return int(position)
    except ValueError as error:
        raise errors.InvalidNextTokenException("The token is not valid.") from error
    raise errors.InvalidNextTokenException("The token was given out for another request.")
