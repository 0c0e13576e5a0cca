"""Real implementations of receive's ports, in memory: what Secrets Manager and other hosts answer, and SQS has.

Beside them, a clock for everybody.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from trailhook.errors import FetchError, QueueError, SecretStoreError
from trailhook.https import Fetched
from trailhook.webhook_secret import SecretVersion


@dataclass
class MemoryClock:
    """A clock that only the test moves, and sleeping by it, in seconds since 1970."""

    time: float = 1_700_000_000.0
    pauses: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@dataclass
class MemorySecretStore:
    """The secret's versions by stage. `down` makes every read fail, `down_for` those of one stage; `reads` lists what
    was asked for.
    """

    versions: dict[str, SecretVersion] = field(default_factory=dict)
    down: bool = False
    down_for: str = ""
    reads: list[str] = field(default_factory=list)

    def read(self, stage: str) -> SecretVersion | None:
        self.reads.append(stage)
        if self.down or stage == self.down_for:
            raise SecretStoreError("Secrets Manager did not answer")
        return self.versions.get(stage)

    def put(self, value: str, at: float) -> None:
        """Make `value` the current version, as PutSecretValue does: the former one becomes the previous."""
        if "AWSCURRENT" in self.versions:
            self.versions["AWSPREVIOUS"] = self.versions["AWSCURRENT"]
        self.versions["AWSCURRENT"] = SecretVersion(value, datetime.fromtimestamp(at, UTC))


@dataclass
class MemorySender:
    """The delivery queue as a list. `down` makes every send fail."""

    messages: list[str] = field(default_factory=list)
    down: bool = False

    def send(self, message: str, delay_seconds: int = 0) -> None:
        assert delay_seconds == 0, "receive delays nothing"
        if self.down:
            raise QueueError("SQS did not confirm the message")
        self.messages.append(message)


@dataclass
class MemoryFetcher:
    """Other hosts' answers by URL; whatever else is asked for is not found. `down` makes every fetch fail."""

    pages: dict[str, Fetched] = field(default_factory=dict)
    down: bool = False
    asked: list[str] = field(default_factory=list)

    def get(self, host: str, target: str) -> Fetched:
        url = f"https://{host}{target}"
        self.asked.append(url)
        if self.down:
            raise FetchError(f"{host} did not answer")
        return self.pages.get(url, Fetched(404, b"no such page"))
