"""A question to AWS, and how its answer fits what Trailhook assumes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

Subject = TypeVar("Subject")


class Fit(StrEnum):
    """How an answer fits."""

    ASSUMED = "yes"
    SAFE = "safe, but otherwise"
    CONTRADICTION = "NO"
    FAILED = "failed"
    OPEN = "not asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """What AWS said."""

    says: str
    fit: Fit


@dataclass(frozen=True, slots=True)
class Probe(Generic[Subject]):
    """`name` stands in docs/unverified.md. `needs_aws`: the answer of a local stand-in would say nothing."""

    name: str
    question: str
    assumed: str
    ask: Callable[[Subject], Answer]
    needs_aws: bool = False


def fitting(says: str, *, assumed: bool) -> Answer:
    """An answer to a question that Trailhook is safe under either way."""
    return Answer(says, Fit.ASSUMED if assumed else Fit.SAFE)


def required(says: str, *, holds: bool) -> Answer:
    """An answer to a question that Trailhook relies on."""
    return Answer(says, Fit.ASSUMED if holds else Fit.CONTRADICTION)
