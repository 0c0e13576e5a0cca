"""Redaction by the names of members, as the tests ask for it."""

from collections.abc import Mapping
from typing import Any

from trailhook.redaction import Redaction

X = "not a real secret"
BY_NAME = Redaction.of()
"""The defaults alone."""


def redact(members: dict[str, Any], redaction: Redaction = BY_NAME) -> tuple[Mapping[str, Any], list[str]]:
    """The members without secrets, and the paths of these."""
    removed: list[str] = []
    return redaction.apply("requestParameters", members, removed), removed
