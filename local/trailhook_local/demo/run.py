"""Runs the demonstration: a stack, three integrations, deliveries genuine and forged, and the ledger of them all."""

import json
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
from rich.console import Console
from rich.progress import Progress

from trailhook_local.demo.corpus import Corpus, Post, SentEvent, bad_company, deliveries
from trailhook_local.demo.counting import Account, account_for, count_in_logs, look_everywhere
from trailhook_local.demo.screen import show_answers, show_ledger
from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.post import post
from trailhook_local.stack.errors import NotSettledError
from trailhook_local.stack.integration import Plan
from trailhook_local.stack.killing import killing
from trailhook_local.stack.stack import Stack

PARTNERS = ("github", "okta", "custom")
EXCLUDED: Mapping[str, Sequence[str]] = {"github": ("star.*", "watch.*", "repo.star")}
SENDERS = 6
SETTLE_SECONDS = 240
EXPECTED_REFUSALS: Mapping[str, int] = {"forged": 401, "unsigned": 401, "stale": 401, "altered": 401, "oversized": 413}

QUESTIONS: Sequence[tuple[str, str]] = (
    (
        "Who failed, at what, and from where?",
        "SELECT eventdata.eventname AS action, eventdata.useridentity.principalid AS actor, "
        "eventdata.sourceipaddress AS address, eventdata.errorcode AS error, count(*) AS times FROM {store} "
        "WHERE eventdata.errorcode IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1 LIMIT 5",
    ),
    (
        "What happened most?",
        "SELECT eventdata.eventsource AS source, eventdata.eventname AS action, count(*) AS times FROM {store} "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 5",
    ),
    (
        "Which repositories were touched, and by how many people?",
        "SELECT json_extract_scalar(element_at(eventdata.requestparameters, 'repository'), '$.full_name') AS "
        "repository, count(DISTINCT eventdata.useridentity.principalid) AS people, count(*) AS events FROM {store} "
        "WHERE json_extract_scalar(element_at(eventdata.requestparameters, 'repository'), '$.full_name') IS NOT NULL "
        "GROUP BY 1 ORDER BY 3 DESC LIMIT 5",
    ),
)


@dataclass(slots=True)
class Sent:
    """What one partner sent, by what it was answered: the sender's side of the account."""

    requests: int = 0
    accepted: list[Post] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)

    def enter(self, request: Post, status: int) -> None:
        self.requests += 1
        accepted = 200 <= status < 300
        if accepted:
            self.accepted.append(request)
        else:
            self.refused[status] += 1
        expected = EXPECTED_REFUSALS.get(request.kind)
        if not (status == expected if expected else accepted):
            self.surprises.append(f"{request.kind} delivery was answered {status}")

    @property
    def events(self) -> list[SentEvent]:
        """The events of every delivery that was accepted."""
        return [event for request in self.accepted for event in request.events]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The law for one partner: received = delivered + quarantined + filtered + waiting, event by event."""

    sent: Sent
    account: Account
    queued: int
    filtered: int
    """Deliveries and events as the functions' logs count them."""

    waiting_messages: int

    @property
    def holds(self) -> bool:
        nothing_waits = self.waiting_messages == self.account.waiting == 0
        # A message that came again is in the log again.
        logs_agree = self.queued >= len(self.sent.accepted) and self.filtered >= self.account.filtered
        return nothing_waits and logs_agree and self.account.exact and not self.sent.surprises

    @property
    def faults(self) -> list[str]:
        """What contradicts the law, for a person: a few of each kind."""
        kinds = {"missing": self.account.missing, "foreign": self.account.foreign, "twice": self.account.twice}
        told = [f"{kind}: {name}" for kind, names in kinds.items() for name in names[:5]] + self.sent.surprises[:5]
        if self.filtered < self.account.filtered:
            told.append(f"filtered: {self.account.filtered} by their names, {self.filtered} in forward's log")
        if self.queued < len(self.sent.accepted):
            told.append(f"queued: {len(self.sent.accepted)} were accepted, {self.queued} stand in receive's log")
        return told

    def to_json(self) -> dict[str, Any]:
        return {
            "deliveries": {
                "sent": self.sent.requests,
                "accepted": len(self.sent.accepted),
                "refused": {str(status): count for status, count in sorted(self.sent.refused.items())},
            },
            "received": len(self.sent.events),
            "delivered": self.account.delivered,
            "quarantined": sum(self.account.quarantined.values()),
            "quarantined_by_code": dict(sorted(self.account.quarantined.items())),
            "filtered": self.account.filtered,
            "waiting": max(self.account.waiting, self.waiting_messages),
            "duplicates": self.account.duplicates,
            "missing": len(self.account.missing),
            "foreign": len(self.account.foreign),
            "twice": len(self.account.twice),
            "holds": self.holds,
        }


def run_demo(*, count: int, seed: int, kill_every: float | None, console: Console) -> bool:
    """Run it with `count` genuine deliveries in all; True if the law holds. `kill_every` is in seconds."""
    with tempfile.TemporaryDirectory(prefix="trailhook-demo-") as folder:
        # A killed forward may have logged a filtered event that it then processes again, so chaos filters none.
        excluded = {} if kill_every else EXCLUDED
        plans = [Plan(one, parameters={"ExcludeEvents": ",".join(excluded.get(one, ()))}) for one in PARTNERS]
        corpora = {name: Corpus(name) for name in PARTNERS}
        if not console.is_terminal:
            console.print("Starting the local stack, then sending deliveries: about half a minute")
        with ExitStack() as exit_stack:
            with console.status("Starting the local stack: gateway, queues, functions, CloudTrail Lake"):
                stack = exit_stack.enter_context(Stack(plans, state=Path(folder), retry_seconds=5, window_seconds=1))
            sent, kills = _send(stack, corpora, count=count, seed=seed, kill_every=kill_every, console=console)
            ledgers = {name: _take_account(stack, name, sent[name], excluded.get(name, ())) for name in PARTNERS}
            answers = [
                (
                    question,
                    query_lake(stack.client("cloudtrail"), sql.format(store=store_id(stack.event_data_store_arn))),
                )
                for question, sql in QUESTIONS
            ]
    show_answers(console, answers)
    show_ledger(console, {name: ledger.to_json() for name, ledger in ledgers.items()})
    for name, ledger in ledgers.items():
        for fault in ledger.faults:
            console.print(f"{name}: {fault}", style="red", markup=False)
    holds = all(ledger.holds for ledger in ledgers.values())
    summary = {"law": holds, "seed": seed, "kills": kills} | {name: one.to_json() for name, one in ledgers.items()}
    # One line whatever the terminal's width: it is for programs.
    console.file.write(json.dumps(summary) + "\n")
    return holds


def _take_account(stack: Stack, name: str, sent: Sent, excluded: Sequence[str]) -> Ledger:
    # Before the queues are searched, which hides what is in them.
    waiting = stack.counts()[name].total
    queued, filtered = count_in_logs(name, stack.state / "logs")
    return Ledger(
        sent,
        account_for(sent.events, look_everywhere(stack, name, sent.accepted), excluded),
        queued=queued,
        filtered=filtered,
        waiting_messages=waiting,
    )


def _send(
    stack: Stack, corpora: Mapping[str, Corpus], *, count: int, seed: int, kill_every: float | None, console: Console
) -> tuple[Mapping[str, Sent], int]:
    rng = random.Random(seed)  # noqa: S311 - a seed makes a run repeatable
    each = count // len(PARTNERS)
    posts = [one for name in PARTNERS for one in deliveries(name, corpora[name], stack[name].secret, each, rng)]
    posts += [one for name in PARTNERS for one in bad_company(name, stack[name].secret, rng)]
    rng.shuffle(posts)
    sent = {name: Sent() for name in PARTNERS}
    pool = urllib3.PoolManager(maxsize=SENDERS)
    with (
        Progress(console=console, transient=True) as progress,
        _killing(stack, kill_every, rng.getrandbits(32)) as kills,
    ):
        sending = progress.add_task("Sending deliveries", total=len(posts))
        with ThreadPoolExecutor(SENDERS) as threads:
            for request, reply in threads.map(
                lambda one: (one, post(pool, f"{stack[one.partner].url}/webhook", one.body, one.headers)), posts
            ):
                sent[request.partner].enter(request, reply.status)
                progress.advance(sending)
        progress.add_task("Waiting until every event is accounted for", total=None)
        # What is not settled by then stands in the ledger as waiting, and the law does not hold.
        with suppress(NotSettledError):
            stack.wait_until_settled(SETTLE_SECONDS)
    return sent, len(kills)


def _killing(stack: Stack, every: float | None, seed: int) -> AbstractContextManager[list[int]]:
    """Kill a forward process every so many seconds."""
    rng = random.Random(seed)  # noqa: S311 - a seed makes a run repeatable

    def choose() -> Sequence[int]:
        return stack.running(rng.choice(PARTNERS)).forward.pids()

    return killing(lambda over: every is not None and not over.wait(every), choose, rng)
