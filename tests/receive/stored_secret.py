"""A webhook secret in a store, with a clock that tests set."""

from tests.fakes import MemoryClock, MemorySecretStore

from trailhook.webhook_secret import WebhookSecret

HOUR = 3600.0


class Bench:
    """A secret with one version, made long ago, whose grace period is a day."""

    def __init__(self, *values: str) -> None:
        self.clock = MemoryClock()
        self.store = MemorySecretStore()
        for value in values:
            self.store.put(value, at=self.clock.time - 1000 * HOUR)
        self.secret = WebhookSecret(self.store, grace_hours=24, now=self.clock.now)

    def candidates(self) -> list[str]:
        return list(self.secret.candidates())

    def first(self) -> str:
        return next(self.secret.candidates())

    def reads(self) -> list[str]:
        reads, self.store.reads = self.store.reads, []
        return reads
