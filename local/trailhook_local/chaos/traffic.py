"""What a partner sends in a round: deliveries of one event or of very many, with poison in any place of them."""

import gzip
import heapq
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from trailhook.body import open_body
from trailhook.envelope import decode_envelope
from trailhook_local.chaos.account import DELIVERED, Account, Fate
from trailhook_local.chaos.faults import Faults
from trailhook_local.chaos.lake import REFUSED, UNDOCUMENTED
from trailhook_local.signing import SIGNERS, sign_standard_webhooks

SECRET = "TrailhookFakeSecretForLocalUseOnly0000000000"  # noqa: S105 - as it says
POISON_CODES = (
    "FieldTooLong",
    "FieldNotFound",
    "InvalidChecksum",
    "InvalidData",
    "InvalidRecipient",
    "InvalidEventSource",
)
"""What an entry of PutAuditEvents fails with for good."""

KINDS = ("unmapped", "ambiguous", REFUSED, *POISON_CODES)
"""Refused by the mapping, by reading it exactly, as a whole request, or by one of these codes."""

EXCLUDED = "git.fetch"
KILLS = "kills every process"
POSTING_SECONDS = 3_600.0
BURST_SECONDS = 30.0
TRIES = 8
_SERIAL = re.compile(rb'"serial": ?"?(\d+)')
Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a partner's deliveries are: the smallest and the largest number of events, and how often."""

    sizes: Sequence[tuple[int, int]]
    weights: Sequence[int]


SHAPES = (
    Shape([(1, 4)], [1]),
    Shape([(400, 1_500)], [1]),
    Shape([(1, 1), (2, 20), (50, 200), (500, 1_200)], [6, 3, 2, 1]),
)


def serials_in(body: bytes) -> Sequence[int]:
    """The serial numbers in a body or event, in its order."""
    return [int(found) for found in _SERIAL.findall(body)]


def serials_of(message: str) -> tuple[Sequence[int], Sequence[int]]:
    """The serial numbers in a queue message: those of the whole delivery, and those still pending."""
    envelope = decode_envelope(message)
    whole = serials_in(open_body(envelope.delivery))
    if envelope.pending is None:
        return whole, whole
    return whole, [whole[position] for position in sorted(envelope.pending.positions)]


@dataclass(slots=True, eq=False)
class Parcel:
    """A delivery on the partner's side: what it holds, and how often it was tried."""

    id: str
    body: bytes
    headers: Headers
    serials: Sequence[int]
    tries: int = 0


def _github(uid: str, name: str, rest: str) -> str:
    return f'{{"_document_id":"{uid}","@timestamp":1700000000000,"action":"{name}","actor":"mona",{rest}}}'


def _okta(uid: str, name: str, rest: str) -> str:
    return (
        f'{{"uuid":"{uid}","eventType":"{name}","published":"2024-01-02T03:04:05.678Z",'
        f'"actor":{{"id":"00u1","type":"User","displayName":"Mona"}},"client":{{"ipAddress":"192.0.2.7"}},{rest}}}'
    )


def _custom(uid: str, name: str, rest: str) -> str:
    return (
        f'{{"eventSource":"app.example","eventName":"{name}","eventTime":"2024-01-02T03:04:05Z","UID":"{uid}",'
        f'"userIdentity":{{"type":"User","principalId":"mona"}},"requestParameters":{{{rest}}}}}'
    )


EVENTS: Mapping[str, Callable[[str, str, str], str]] = {"github": _github, "okta": _okta, "custom": _custom}
_UNNAMED: Mapping[str, tuple[str, str]] = {
    "github": ("action", "MissingField"),
    "okta": ("eventType", "MissingField"),
    "custom": ("eventTime", "MissingTime"),
}
"""The member without which a partner's event cannot be mapped, and the code it is quarantined with."""


class Traffic:
    """A partner's deliveries in the order of their times, each tried until it is acknowledged or given up."""

    def __init__(
        self,
        partner: str,
        faults: Faults,
        account: Account,
        *,
        events: int,
        start: float,
        secret: str = SECRET,
        kinds: Sequence[str] = KINDS,
    ) -> None:
        self.partner = partner
        self._faults = faults
        self._account = account
        self._secret = secret
        self._kinds = kinds
        self._rng = faults.rng
        self._event = EVENTS[partner]
        self._shape = self._rng.choice(SHAPES)
        self._padding = json.dumps("x" * self._rng.choice([20, 200, 1_000]))
        self._last_uid = "doc-0"
        self._due: list[tuple[float, int, Parcel]] = []
        self._order = 0
        bursts = [start + self._rng.uniform(0, POSTING_SECONDS) for _ in range(self._rng.choice([3, 10, 100]))]
        made = 0
        while made < events:
            low, high = self._rng.choices(self._shape.sizes, self._shape.weights)[0]
            parcel = self._parcel(made, min(events - made, self._rng.randint(low, high)))
            self._plan(self._rng.choice(bursts) + self._rng.uniform(0, BURST_SECONDS), parcel)
            made += len(parcel.serials)
        if "killer" in faults.names:
            self._plan(self._rng.choice(bursts), self._killer(made))

    def due(self, now: float) -> Iterator[Parcel]:
        """What is to be posted by now."""
        while self._due and self._due[0][0] <= now:
            yield heapq.heappop(self._due)[2]

    def next_moment(self) -> float | None:
        return self._due[0][0] if self._due else None

    def answered(self, parcel: Parcel, *, acknowledged: bool, now: float) -> None:
        """The partner heard 2xx, or something else, or nothing."""
        parcel.tries += 1
        if acknowledged:
            self._account.received.update(parcel.serials)
            if parcel.tries < TRIES and self._faults.happens("resent", 0.05):
                self._plan(now + self._rng.uniform(1, 600), parcel)
        elif parcel.tries < TRIES:
            self._plan(now + 15 * 2**parcel.tries, parcel)
        else:
            self._account.counts["deliveries given up by the partner"] += 1

    def signed(self, parcel: Parcel, now: float) -> Headers:
        """The headers of a parcel as it is sent now."""
        if self.partner == "okta":
            return {**parcel.headers, **SIGNERS["okta"](self._secret, parcel.body)}
        return {
            **parcel.headers,
            **sign_standard_webhooks(self._secret, parcel.body, message_id=parcel.id, timestamp=int(now)),
        }

    def _plan(self, moment: float, parcel: Parcel) -> None:
        self._order += 1
        heapq.heappush(self._due, (moment, self._order, parcel))

    def _parcel(self, first: int, count: int) -> Parcel:
        serials = range(first, first + count)
        headers = {"Content-Type": "application/json"}
        if "poison" in self._faults.names and self._rng.random() < 0.02:
            return self._broken(first)
        texts = [self._text(serial) for serial in serials]
        body = ("\n".join(texts) if self._rng.random() < 0.3 else f"[{','.join(texts)}]").encode()
        if self._rng.random() < 0.2:
            body = gzip.compress(body, 1, mtime=0)
            headers = {"Content-Type": "application/octet-stream", "Content-Encoding": "gzip"}
        return Parcel(f"msg_{first}", body, headers, serials)

    def _broken(self, serial: int) -> Parcel:
        """A delivery that is cut off in the middle: it is kept whole, and is one event for the account."""
        body = f'[{{"serial":"{serial}","note":"cut o'.encode()
        self._account.fates[serial] = Fate(code="NotJson", original=body)
        return Parcel(f"msg_{serial}", body, {"Content-Type": "application/json"}, [serial])

    def _killer(self, serial: int) -> Parcel:
        self._account.fates[serial] = Fate(kills=True)
        body = self._event(f"kills-{serial}", "member.add", f'"serial":"{serial}","note":"{KILLS}"').encode()
        return Parcel(f"msg_{serial}", body, {"Content-Type": "application/json"}, [serial])

    def _text(self, serial: int) -> str:
        """One event, and its fate in the account."""
        rest = f'"serial":"{serial}","padding":{self._padding}'
        if "poison" in self._faults.names and self._rng.random() < 0.005:
            return self._poison(serial, rest)
        self._account.fates[serial] = DELIVERED
        if self._rng.random() < 0.01:
            self._account.fates[serial] = Fate(filtered=True)
            return self._event(f"doc-{serial}", EXCLUDED, rest)
        uid = f"doc-{serial}"
        if self._faults.happens("colliding", 0.02):
            uid = self._last_uid
        elif UNDOCUMENTED in self._faults.names and self._rng.random() < 0.002:
            uid = f"{UNDOCUMENTED}-{serial}"
        self._last_uid = uid
        return self._event(uid, "member.add", rest)

    def _poison(self, serial: int, rest: str) -> str:
        self._faults.happened["poison"] += 1
        kind = self._rng.choice(self._kinds)
        code = kind
        text = self._event(f"{kind}-{serial}", "member.add", rest)
        if kind == "ambiguous":
            code, text = "AmbiguousJson", text.replace('"padding"', '"twice":1,"twice":2,"padding"')
        elif kind == "unmapped":
            member, code = _UNNAMED[self.partner]
            text = text.replace(f'"{member}":', '"odd":')
        self._account.fates[serial] = Fate(code=code, original=text.encode())
        return text
