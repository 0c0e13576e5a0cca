"""`trailhook redrive`: what could not be delivered goes back to the delivery queue, in AWS or on this laptop."""

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from trailhook.queue import SqsDeliveryQueue
from trailhook_local.aws_session import aws
from trailhook_local.cli.failure import Failure
from trailhook_local.cli.place import failures, named_place, place_options, refuse_what_does_not_go
from trailhook_local.place import Place, PlaceError, account_of, region_of
from trailhook_local.redrive import dead_letters, quarantine
from trailhook_local.redrive.bucket import Line
from trailhook_local.redrive.dead_letters import DeadLetter, DeadLetterRedrive, MoveTask
from trailhook_local.redrive.quarantine import Fate, QuarantineRedrive
from trailhook_local.screen import printable, show_table, table_console
from trailhook_local.stack.signals import interrupted_by_signals

GO_ON = "\nWhat was sent is shown above; run the command again to go on"
MOVES_ON = "\nSQS goes on moving them: run the command again to follow it"
FITS_NOTHING = "nothing there matches these filters; --dry-run without them shows what there is"

NAMED = 20
"""At most so many of the lines that cannot be read are named; the rest are counted."""

SENT = (Fate.SENT, Fate.SENT_TWICE, Fate.UNNOTED)
"""What was sent, however often."""

Counts = Counter[tuple[str, ...]]
"""How many there were, by partner, code or reason, and fate."""

QUEUE_URL = click.option("--queue-url", help="The delivery queue, where there is no stack to ask.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only show what would be sent.")
PARTNER = click.option("--partner", "partners", multiple=True, help="Only this partner's; may be repeated.")


class Moment(click.ParamType[datetime]):
    """A day or a moment in ISO 8601; UTC where no zone is named."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2026-11-25 or 2026-11-25T08:30:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.group(short_help="Send again what could not be delivered.")
def redrive() -> None:
    """Send dead letters and quarantined events to the delivery queue again.

    Works with the credentials and endpoints that the AWS CLI would use.
    """


@redrive.command("dead-letters", short_help="Send dead letters back, all or some.")
@QUEUE_URL
@place_options
@click.option("--dead-letter-queue-url", help="The dead-letter queue, where there is no stack to ask.")
@DRY_RUN
@PARTNER
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice(dead_letters.REASONS),
    help="Only those that were handed back twelve times, received too often, or cannot be read; may be repeated.",
)
@click.option("--contains", default="", help="Only those with this text in their message or body.")
@click.option(
    "--one-by-one", is_flag=True, help="Send and delete each, as with any filter, instead of SQS' own move task."
)
def dead_letters_command(
    dry_run: bool,
    partners: tuple[str, ...],
    reasons: tuple[str, ...],
    contains: str,
    one_by_one: bool,
    dead_letter_queue_url: str | None,
    **named: Any,
) -> None:
    """Send dead letters back, all or those that are asked for.

    Without a filter SQS moves them itself; a move that is already running is followed. The exit status is 1 if not
    all that was asked for went back.
    """
    choice = dead_letters.Choice(frozenset(partners), frozenset(reasons), contains)
    if dead_letter_queue_url and dead_letter_queue_url == named["queue_url"]:
        # What is sent there is another message, not seen yet: the search would never end.
        raise click.UsageError("--dead-letter-queue-url and --queue-url are the same; the second is where to send them")
    with failures():
        place = _place(**named, dead_letter_queue_url=dead_letter_queue_url)
        url = _needed(place.dead_letter_queue_url, "--dead-letter-queue-url")
        queue_url = _needed(place.queue_url, "--queue-url")
        sqs = place.client("sqs")
    counts: Counts = Counter()
    with failures(lambda: _go_on(counts)), interrupted_by_signals(), closing(sqs):
        letters = DeadLetterRedrive(sqs, url, queue_url)
        if dry_run or one_by_one or choice != dead_letters.Choice():
            _one_by_one(letters, choice, counts, dry_run=dry_run)
        else:
            _move_all(letters)


def _move_all(letters: DeadLetterRedrive) -> None:
    latest: MoveTask | None = None
    with failures(lambda: MOVES_ON if latest and latest.goes_on else ""), _progress() as progress:
        moving = progress.add_task("Moving dead letters", total=None)

        def tell(task: MoveTask) -> None:
            nonlocal latest
            latest = task
            progress.update(moving, completed=task.moved, total=task.to_move)

        task = letters.move_all(tell)
    click.echo(f"moved back to the delivery queue: {task.moved} ({task.status.lower()})")
    left = letters.count()
    if task.status != "COMPLETED":
        raise Failure(f"SQS ended the move: {task.failure or task.status}. Run the command again")
    if left:
        raise Failure(f"still there: about {left}; send them with --one-by-one")


def _one_by_one(letters: DeadLetterRedrive, choice: dead_letters.Choice, counts: Counts, *, dry_run: bool) -> None:
    verb = "would be sent" if dry_run else "sent"
    # Counted before: SQS goes on counting for a while what was deleted a moment ago.
    there = letters.count()
    with _progress() as progress:
        looking = progress.add_task("Looking through dead letters", total=there)

        def tell(letter: DeadLetter, asked_for: bool) -> None:
            counts[letter.partner, letter.reason, verb if asked_for else "not asked for"] += 1
            progress.advance(looking)

        try:
            letters.one_by_one(choice, dry_run=dry_run, tell=tell)
        finally:
            progress.stop()
            _show(("partner", "reason", "fate"), counts)
    click.echo(f"{_with_fate(counts, verb)} of {counts.total()} dead letters {verb} to the delivery queue")
    if (hidden := there - counts.total()) > 0:
        # If they were taken for gone, they would be lost: nobody else looks into the queue of a deleted stack.
        raise Failure(
            f"hidden: about {hidden} more. Another run has them, or had them when it was killed, or forward has "
            "postponed them. They reappear within an hour: run the command again then. (SQS counts late: right after "
            "another run they may be what that one sent.)"
        )
    if counts and choice != dead_letters.Choice() and not _with_fate(counts, verb):
        click.echo(FITS_NOTHING, err=True)


@redrive.command("quarantine", short_help="Send quarantined events back, each once.")
@QUEUE_URL
@place_options
@click.option("--bucket", help="The quarantine bucket, where there is no stack to ask.")
@DRY_RUN
@PARTNER
@click.option("--code", "codes", multiple=True, help="Only events with this code; may be repeated.")
@click.option("--reason-contains", default="", help="Only events with this text in their reason, in any case.")
@click.option("--uid", default="", help="Only the event that has this id at the partner.")
@click.option("--since", type=Moment(), help="Only what was received at or after this moment (UTC).")
@click.option("--until", type=Moment(), help="Only what was received before this moment (UTC).")
@click.option("--key", default="", help="Only this object of the bucket.")
@click.option("--line", type=click.IntRange(1), help="With --key: only this line of it.")
@click.option("--again", is_flag=True, help="Also what was sent before.")
def quarantine_command(
    *,
    stack: str | None,
    local: str | None,
    region: str | None,
    state: Path,
    queue_url: str | None,
    bucket: str | None,
    dry_run: bool,
    partners: tuple[str, ...],
    codes: tuple[str, ...],
    **filters: Any,
) -> None:
    """Send quarantined events back, each once, after their cause is fixed.

    The bucket's objects stay as they are; what was sent is noted below redriven/. The exit status is 1 if something
    that was asked for did not go back, a line cannot be read, or what --key and --line name is not there.
    """
    if filters["line"] and not filters["key"]:
        raise click.UsageError("--line needs --key: lines are counted within an object")
    if filters["since"] and filters["until"] and filters["since"] >= filters["until"]:
        raise click.UsageError("--since is not before --until, so nothing can have been received between them")
    choice = quarantine.Choice(frozenset(partners), frozenset(codes), **filters)
    with failures():
        place = _place(stack=stack, local=local, region=region, state=state, queue_url=queue_url, bucket=bucket)
        bucket, queue_url = _needed(place.bucket, "--bucket"), _needed(place.queue_url, "--queue-url")
        owner, s3, sqs = account_of(queue_url), place.client("s3"), place.client("sqs")
    counts: Counts = Counter()
    with failures(lambda: _go_on(counts)), interrupted_by_signals(), closing(s3), closing(sqs):
        events = QuarantineRedrive(s3, bucket, owner, SqsDeliveryQueue(sqs, queue_url))
        _quarantine(events, choice, counts, dry_run=dry_run)


def _quarantine(events: QuarantineRedrive, choice: quarantine.Choice, counts: Counts, *, dry_run: bool) -> None:
    faults: list[str] = []
    with _progress() as progress:
        looking = progress.add_task("Looking through the quarantine", total=None)

        def tell(line: Line, fate: Fate) -> None:
            if line.event is None:
                # Whoever may write to the bucket chooses the key, and must not reach the operator's terminal by it.
                faults.append(printable(f"{line.place}: {line.fault}"))
            partner, code = (line.event.delivery.partner, line.event.code) if line.event else ("?", "?")
            counts[partner, code, "would be sent" if dry_run and fate is Fate.SENT else fate.value] += 1

        keys = events.keys(choice)
        if choice.key and not keys:
            raise PlaceError(f"the bucket has no object {choice.key}: give its whole key, from quarantine/ on")
        progress.update(looking, total=len(keys))
        try:
            events.redrive(keys, choice, dry_run=dry_run, tell=tell, next_object=lambda: progress.advance(looking))
        finally:
            progress.stop()
            _show(("partner", "code", "fate"), counts)
    verb, twice = "would be sent" if dry_run else "sent", _with_fate(counts, Fate.SENT_TWICE.value)
    sent = _with_fate(counts, verb) + twice
    click.echo(f"{sent} of {counts.total()} quarantined events {verb} to the delivery queue")
    if twice:
        click.echo(f"another run sends the same: {twice} of them may arrive twice, with equal id and content", err=True)
    if faults:
        more = f"\n… and {len(faults) - NAMED:,} more" if len(faults) > NAMED else ""
        raise Failure("what cannot be read stays in quarantine:\n" + "\n".join(faults[:NAMED]) + more)
    if choice.line and choice.line > counts.total():
        raise PlaceError(f"{choice.key} has no line {choice.line}, only {counts.total()} in all")
    if choice != quarantine.Choice(again=choice.again) and _with_fate(counts, Fate.PASSED_OVER.value) == counts.total():
        click.echo(FITS_NOTHING, err=True)


def _with_fate(counts: Counts, fate: str) -> int:
    return sum(count for (*_, each), count in counts.items() if each == fate)


def _place(
    *,
    stack: str | None,
    local: str | None,
    region: str | None,
    state: Path,
    queue_url: str | None,
    dead_letter_queue_url: str | None = None,
    bucket: str | None = None,
) -> Place:
    by_themselves = any((queue_url, dead_letter_queue_url, bucket))
    if bool(stack) + bool(local) + by_themselves != 1:
        raise click.UsageError("name one place: --stack, or --local, or queue and bucket by themselves")
    if not by_themselves:
        return named_place(stack=stack, local=local, region=region, state=state)
    refuse_what_does_not_go(None)
    # A queue is where its URL says, and its bucket belongs to the same stack.
    return Place(aws(region_of(queue_url or "") or region), queue_url, dead_letter_queue_url, bucket)


def _go_on(counts: Counts) -> str:
    """What a run that broke off says if it sent something; by then a table has shown what."""
    return GO_ON if any(_with_fate(counts, fate.value) for fate in SENT) else ""


def _needed(value: str | None, option: str) -> str:
    if not value:
        raise click.UsageError(f"{option} is missing; or name the stack with --stack")
    return value


def _progress() -> Progress:
    """On standard error, so that a summary in a pipe is the summary alone; and on a terminal only.

    A full disk or a closed pipe there would end the command before it says what it sent.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show(columns: tuple[str, ...], counts: Counts) -> None:
    if not counts:
        return
    rows = [dict(zip((*columns, "count"), (*key, str(count)), strict=True)) for key, count in sorted(counts.items())]
    show_table(table_console(), rows)
