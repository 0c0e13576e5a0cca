"""`trailhook status`: an integration at a glance, in AWS or on this laptop, and the command to run next."""

import json
import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from trailhook_local.cli.failure import Failure
from trailhook_local.cli.place import failures, named_place, place_options
from trailhook_local.screen import printable
from trailhook_local.stack.stack import DEFAULT_STATE
from trailhook_local.status import overview
from trailhook_local.status.alarms import Alarms, Listeners
from trailhook_local.status.metrics import APART
from trailhook_local.status.overview import Overview, Quarantined


class NotKnown(Failure):
    """Nothing could be read. The status is neither 1 (something needs attention) nor 2 (the command is wrong)."""

    exit_code = 3


WIDTH = 100
"""Columns of an alarm's text, which has hundreds of characters."""

EXIT_STATUS = {True: 0, False: 1, None: NotKnown.exit_code}


@click.command("status", short_help="Show what waits, what failed and what rings.")
@place_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines for people.")
def status_command(*, stack: str | None, local: str | None, region: str | None, state: Path, as_json: bool) -> None:
    """Show what waits, what failed and what rings, and what the last 24 hours brought.

    Changes nothing. The exit status is 1 if something needs attention: an alarm rings or was deleted, there are dead
    letters, forward is switched off or throttled, or a part is gone. It is 3 if nothing that could be read needs
    attention, but something could not be read.
    """
    with failures(failure=NotKnown):
        seen = overview.look(named_place(stack=stack, local=local, region=region, state=state))
    if as_json:
        click.echo(json.dumps({"calm": seen.calm, "asks": seen.asks, **asdict(seen)}, default=_iso))
    else:
        _show(seen, _named(stack, local, region, state))
    sys.exit(EXIT_STATUS[seen.calm])


def _named(stack: str | None, local: str | None, region: str | None, state: Path) -> str:
    """The options that name the same place to another command."""
    options = {"--stack": stack, "--local": local, "--region": region if stack else None}
    if local and state != DEFAULT_STATE:
        options["--state"] = str(state)
    return " ".join(f"{option} {shlex.quote(value)}" for option, value in options.items() if value)


def _show(seen: Overview, named: str) -> None:
    told = {
        overview.DELIVERIES: _deliveries(seen),
        overview.TRIGGER: _trigger(seen),
        overview.FORWARD: _forward(seen),
        overview.DEAD_LETTERS: _dead_letters(seen, named),
        overview.OLDEST: [],
        overview.QUARANTINE: _quarantine(seen.quarantined, named),
        overview.DAY: _day(seen),
        overview.TOPIC: _listeners(seen.listeners),
        overview.ALARMS: _alarms(seen.alarms),
    }
    told |= {one.part: [f"not read: {printable(one.reason)}", one.advice] for one in seen.unread}
    click.echo(_in_short(seen))
    for part, lines in told.items():
        for number, line in enumerate(lines):
            click.echo(f"{'' if number else part:<14}{line}")
    if seen.alarms:
        _show_names(seen.alarms)


def _in_short(seen: Overview) -> str:
    unread = ", ".join(one.part for one in seen.unread if not one.gone)
    if seen.asks:
        return f"needs attention: {', '.join(seen.asks)}{f' (not read: {unread})' if unread else ''}"
    if unread:
        return f"not known: {unread} could not be read; nothing else needs attention"
    return "calm" if seen.alarms else "calm; no alarms watch here"


def _deliveries(seen: Overview) -> list[str]:
    if not (counts := seen.deliveries):
        return []
    lines = [
        f"{counts.visible:,} waiting, {counts.in_flight:,} with forward or between tries, {counts.delayed:,} postponed"
    ]
    if counts.total and seen.oldest:
        age = seen.oldest.deliveries
        lines.append(
            "age unknown: just arrived, or received three times (docs/operations.md, What waits)"
            if not age
            else f"the oldest for {_span(age)}; what was received three times may wait longer"
        )
    if counts.total and seen.day and (since := seen.day.in_vain_since):
        before = " or before" if since - seen.day.begins < APART else ""
        lines.append(f"tried in vain again and again since {_at(since)}{before} (docs/operations.md, What waits)")
    return lines


def _trigger(seen: Overview) -> list[str]:
    if not seen.switched_off:
        return []
    return [f"nobody forwards what waits: it is {seen.trigger} (docs/operations.md, What waits)"]


def _forward(seen: Overview) -> list[str]:
    if not seen.throttled:
        return []
    return ["nobody forwards what waits: its reserved concurrency is 0 (docs/operations.md, What waits)"]


def _dead_letters(seen: Overview, named: str) -> list[str]:
    if not (counts := seen.dead_letters):
        return []
    lines = [f"{counts.total:,}"]
    if counts.total:
        if seen.oldest and seen.oldest.dead_letters is not None:
            lines.append(f"the oldest moved here {_span(seen.oldest.dead_letters)} ago or earlier")
        lines.append(f"$ trailhook redrive dead-letters {named} --dry-run")
    return lines


def _quarantine(quarantined: Quarantined | None, named: str) -> list[str]:
    if not quarantined:
        return []
    if not quarantined.latest:
        return ["empty"]
    # With more than were counted, nobody knows which is the latest.
    latest = "" if quarantined.more else f", the latest of {_at(quarantined.latest)}"
    count = f"{quarantined.objects:,}{' or more' if quarantined.more else ''}"
    redriven = "redriven or not"
    if (left := quarantined.not_redriven) is not None:
        redriven = f"{left:,} not redriven" if left else "redriven at least in part"
    return [
        f"{count} {'object' if quarantined.objects == 1 else 'objects'}, {redriven}{latest}",
        f"$ trailhook redrive quarantine {named} --dry-run",
    ]


def _day(seen: Overview) -> list[str]:
    if not seen.day:
        return []
    day = seen.day.counted
    return [
        f"deliveries: {day['DeliveriesQueued']:,} queued, {day['DeliveriesRefused']:,} refused, "
        f"{day['GatewayRefusals']:,} turned away by the gateway",
        f"events: {day['EventsDelivered']:,} delivered, {day['EventsQuarantined']:,} quarantined, "
        f"{day['EventsFiltered']:,} filtered",
    ]


def _listeners(listeners: Listeners | None) -> list[str]:
    if not listeners:
        return []
    confirmed = listeners.confirmed
    lines = [f"{confirmed} {'subscription hears' if confirmed == 1 else 'subscriptions hear'} the alarms"]
    if not confirmed:
        lines = ["nobody hears the alarms: subscribe to AlarmTopicArn (docs/operations.md, Alarms)"]
    return lines + [f"{printable(one)} hears nothing: nobody confirmed the subscription" for one in listeners.pending]


def _alarms(alarms: Alarms | None) -> list[str]:
    return [f"{len(alarms.ringing)} of {alarms.count} ring"] if alarms else []


def _show_names(alarms: Alarms) -> None:
    for alarm in alarms.ringing:
        click.echo(f"  {printable(alarm.name)}, since {_at(alarm.since)}")
        text = printable(alarm.description)
        click.echo(click.wrap_text(text, WIDTH, initial_indent="    ", subsequent_indent="    "))
    for name in alarms.switched_off:
        click.echo(f"  {printable(name)} tells nobody: its actions are off")
    for name in alarms.deleted:
        click.echo(f"  {printable(name)} is not there any more: somebody deleted it")


def _span(seconds: int) -> str:
    """In the two largest units, as a person says it."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value).__name__)
