"""SQS in memory, with the semantics that matter: a standard queue and its dead letters, at least once, in any order."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

RETENTION_SECONDS = 1_209_600


@dataclass(slots=True, eq=False)
class Stored:
    """A message on the queue."""

    id: str
    body: str
    sent_at: float
    receives: int = 0
    place: int = 0
    """The number of its latest entry among the hidden ones; the earlier ones count no more."""

    @property
    def receipt_handle(self) -> str:
        return f"{self.id}/{self.receives}"

    def record(self) -> dict[str, object]:
        """What Lambda hands over."""
        return {
            "messageId": self.id,
            "receiptHandle": self.receipt_handle,
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "eventSource": "aws:sqs",
        }


class MemoryQueue:
    """One delivery queue. `dead_letters` are its dead letters; `expired` counts what its retention took."""

    def __init__(self, rng: random.Random, *, visibility_seconds: float, max_receives: int) -> None:
        self._rng = rng
        self._visibility_seconds = visibility_seconds
        self._max_receives = max_receives
        self._hidden: list[tuple[float, int, Stored]] = []
        self._shown: list[Stored] = []
        self._messages: dict[str, Stored] = {}
        self._order = 0
        self.dead_letters: list[Stored] = []
        self.expired = 0
        self.most_receives = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Stored]:
        return iter([*self._messages.values(), *self.dead_letters])

    def send(self, body: str, now: float, delay_seconds: float = 0) -> str:
        self._order += 1
        message = Stored(f"m{self._order}", body, now)
        self._messages[message.id] = message
        self._hide(message, now + delay_seconds)
        return message.id

    def park(self, body: str, now: float) -> str:
        """A message sent to the dead-letter queue itself."""
        self._order += 1
        self.dead_letters.append(Stored(f"m{self._order}", body, now))
        return self.dead_letters[-1].id

    def receive(self, now: float, count: int) -> list[Stored]:
        """Up to `count` visible messages, hidden from now on; in no order at all."""
        self._show(now)
        received: list[Stored] = []
        while self._shown and len(received) < count:
            place = self._rng.randrange(len(self._shown))
            self._shown[place], self._shown[-1] = self._shown[-1], self._shown[place]
            message = self._shown.pop()
            if message.id not in self._messages:
                continue
            if now - message.sent_at > RETENTION_SECONDS:
                self.expired += 1
                self._remove(message)
            elif message.receives >= self._max_receives:
                self._remove(message)
                self.dead_letters.append(message)
            else:
                message.receives += 1
                self.most_receives = max(self.most_receives, message.receives)
                received.append(message)
                self._hide(message, now + self._visibility_seconds)
        return received

    def give_back(self, messages: list[Stored], now: float) -> None:
        """Messages that were received and did not fit the batch: as if they had not been."""
        for message in messages:
            message.receives -= 1
            self._hide(message, now)

    def change_visibility(self, receipt_handle: str, until: float) -> None:
        if message := self.find(receipt_handle):
            self._hide(message, until)

    def delete(self, receipt_handle: str) -> None:
        if message := self.find(receipt_handle):
            self._remove(message)

    def find(self, receipt_handle: str) -> Stored | None:
        return self._messages.get(receipt_handle.partition("/")[0])

    def redrive(self, messages: list[Stored], now: float) -> None:
        """What StartMessageMoveTask does: back to the queue, as new messages that keep their arrival time."""
        for message in messages:
            self.dead_letters.remove(message)
            self._messages[self.send(message.body, now)].sent_at = message.sent_at

    def next_moment(self) -> float | None:
        """When a message shows next."""
        while self._hidden and not self._is_current(self._hidden[0]):
            heapq.heappop(self._hidden)
        return self._hidden[0][0] if self._hidden else None

    def _hide(self, message: Stored, until: float) -> None:
        self._order += 1
        message.place = self._order
        heapq.heappush(self._hidden, (until, self._order, message))

    def _is_current(self, entry: tuple[float, int, Stored]) -> bool:
        _, place, message = entry
        return message.place == place and message.id in self._messages

    def _remove(self, message: Stored) -> None:
        self._messages.pop(message.id, None)

    def _show(self, now: float) -> None:
        while self._hidden and self._hidden[0][0] <= now:
            if self._is_current(entry := heapq.heappop(self._hidden)):
                self._shown.append(entry[2])
