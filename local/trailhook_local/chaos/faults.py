"""What can go wrong, by name; and whether it does, by a seed."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FAULTS: Mapping[str, str] = {
    "throttled": "PutAuditEvents refuses a fifth of all requests with ThrottlingException",
    "server-errors": "PutAuditEvents answers a tenth of all requests with 500 or 503",
    "entries": "a twentieth of all entries fails inside a 200, with Throttling, InternalFailure or a code nobody knows",
    "dropped": "the connection is lost after PutAuditEvents has taken the batch",
    "timeouts": "PutAuditEvents gives no answer within the client's ten seconds, whether it took the batch or not",
    "slow": "PutAuditEvents answers after up to nine seconds",
    "nonsense": "CloudTrail, SQS and S3 answer 200 with a body of another type, having done their work or not",
    "unsubscribed": "for a while every entry fails with AccountNotSubscribed",
    "channel-gone": "for hours the channel does not exist",
    "permission-lost": "for hours the caller may not put events on the channel",
    "undocumented": "for hours a request with a certain event in it is refused with a 4xx that nobody documented",
    "sqs-send": "SQS refuses a send, or takes it and the answer is lost",
    "sqs-delete": "SQS does not delete: not for forward, and not for Lambda at the end of an invocation",
    "sqs-again": "SQS hands over again what was deleted, and one message twice in a batch",
    "sqs-down": "for minutes SQS answers nobody",
    "s3-down": "for hours S3 takes nothing",
    "secrets-down": "for minutes Secrets Manager answers nobody",
    "killed": "a function dies at any of its calls, before or after the call took effect",
    "out-of-time": "a call hangs until Lambda ends the function",
    "poison": "events that the mapping, an entry's code or the whole request refuses, anywhere in a delivery",
    "killer": "a message kills every process that reads it",
    "resent": "the partner sends again what was acknowledged",
    "colliding": "events of equal id and different content",
}

WINDOWS: Mapping[str, tuple[float, float]] = {
    "unsubscribed": (600, 7_200),
    "channel-gone": (600, 14_400),
    "permission-lost": (600, 14_400),
    "undocumented": (600, 14_400),
    "sqs-down": (60, 600),
    "s3-down": (600, 7_200),
    "secrets-down": (60, 600),
}
"""Faults that begin and end: the shortest and the longest time, in seconds."""

_COMPANY: Mapping[str, str] = {"s3-down": "poison"}
"""Faults that show only in the company of another one."""

_ALONE, _MIXED, _ALL = range(3)


class UnknownFaultError(ValueError):
    """The name is none of `FAULTS`; the message lists them."""


def parse_faults(text: str) -> frozenset[str]:
    """`all`, `none`, or names with commas between them. Raises UnknownFaultError."""
    if text in {"all", "none"}:
        return frozenset(FAULTS) if text == "all" else frozenset()
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    unknown = sorted(names - FAULTS.keys())
    if unknown or not names:
        raise UnknownFaultError(
            f"There is no fault {', '.join(unknown) or repr(text)}; say all or none, or some of: {', '.join(FAULTS)}"
        )
    return names


def faults_of_round(index: int, rng: random.Random) -> frozenset[str]:
    """In turns: one fault alone, a mix of several, all at once. So each round's duplicates have known causes."""
    turn, number = index % 3, index // 3
    if turn == _ALONE:
        name = list(FAULTS)[number % len(FAULTS)]
        return frozenset({name, _COMPANY.get(name, name)})
    if turn == _MIXED:
        return frozenset(rng.sample(list(FAULTS), rng.randint(2, 8)))
    return frozenset(FAULTS)


@dataclass(frozen=True, slots=True)
class Window:
    """A time during which a fault lasts."""

    name: str
    start: float
    end: float


class Faults:
    """The faults of one round. `happened` counts how often each took place."""

    def __init__(self, names: Iterable[str], rng: random.Random, start: float, seconds: float) -> None:
        """`seconds` from `start` on is when windows may begin."""
        self.names = frozenset(names)
        self.rng = rng
        self.happened: Counter[str] = Counter()
        self.windows: Sequence[Window] = [
            self._window(name, start, seconds) for name in sorted(self.names & WINDOWS.keys())
        ]

    def _window(self, name: str, start: float, seconds: float) -> Window:
        begin = start + self.rng.uniform(0, seconds)
        return Window(name, begin, begin + self.rng.uniform(*WINDOWS[name]))

    def happens(self, name: str, probability: float) -> bool:
        """Whether the fault strikes now."""
        if name not in self.names or self.rng.random() >= probability:
            return False
        self.happened[name] += 1
        return True

    def lasts(self, name: str, now: float) -> bool:
        """Whether a fault that begins and ends is on."""
        if name not in self.names or not any(one.name == name and one.start <= now < one.end for one in self.windows):
            return False
        self.happened[name] += 1
        return True
