"""`trailhook status`: an integration at a glance, in AWS or on this laptop, and the command that goes on from there."""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from trailhook_local.cli.place import failures, place_of, where
from trailhook_local.overview import Alarms, Overview, Quarantined, look
from trailhook_local.screen import printable
from trailhook_local.stack.stack import DEFAULT_STATE


@click.command("status", short_help="Show what waits, what failed and what rings.")
@where
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines for people.")
def status_command(*, stack: str | None, local: str | None, region: str | None, state: Path, as_json: bool) -> None:
    """Show what waits, what failed and what rings, and what the last 24 hours brought.

    Changes nothing. The exit status is 1 if an alarm rings or was deleted, there are dead letters, or forward is
    switched off.
    """
    with failures():
        overview = look(place_of(stack=stack, local=local, region=region, state=state))
    if as_json:
        click.echo(json.dumps(asdict(overview), default=_iso))
    else:
        _show(overview, _named(stack, local, region, state))
    sys.exit(0 if overview.calm else 1)


def _named(stack: str | None, local: str | None, region: str | None, state: Path) -> str:
    """The options that name the same place to another command."""
    options = {"--stack": stack, "--local": local, "--region": region if stack else None}
    if local and state != DEFAULT_STATE:
        options["--state"] = str(state)
    return " ".join(f"{option} {shlex.quote(value)}" for option, value in options.items() if value)


def _show(overview: Overview, named: str) -> None:
    deliveries, dead = overview.deliveries, overview.dead_letters
    _line(
        "deliveries",
        f"{deliveries.visible:,} waiting, {deliveries.in_flight:,} with forward, {deliveries.delayed:,} postponed",
    )
    if overview.stands_still:
        _line("", f"and nobody forwards them: the trigger is {overview.trigger} (docs/operations.md, What waits)")
    _line("dead letters", f"{dead.total:,}")
    if dead.total:
        _line("", f"$ trailhook redrive dead-letters {named} --dry-run")
    _line("quarantine", _in_quarantine(overview.quarantined))
    if overview.quarantined.objects:
        _line("", f"$ trailhook redrive quarantine {named} --dry-run")
    if overview.alarms is not None:
        _show_day(overview.day)
        _show_alarms(overview.alarms)


def _line(title: str, text: str) -> None:
    click.echo(f"{title:<14}{text}")


def _show_day(day: Mapping[str, int] | None) -> None:
    if day is None:
        _line("24 hours", "CloudWatch cannot say now")
        return
    _line(
        "24 hours",
        f"deliveries: {day['DeliveriesQueued']:,} queued, {day['DeliveriesRefused']:,} refused, "
        f"{day['GatewayRefusals']:,} turned away by the gateway",
    )
    _line(
        "",
        f"events: {day['EventsDelivered']:,} delivered, {day['EventsQuarantined']:,} quarantined, "
        f"{day['EventsFiltered']:,} filtered",
    )


def _in_quarantine(quarantined: Quarantined) -> str:
    if not quarantined.latest:
        return "empty"
    # With more than were counted, nobody knows which is the latest.
    latest = "" if quarantined.more else f", the latest of {_at(quarantined.latest)}"
    count = f"{quarantined.objects:,}{' or more' if quarantined.more else ''}"
    return f"{count} {'object' if quarantined.objects == 1 else 'objects'}, redriven or not{latest}"


def _show_alarms(alarms: Alarms) -> None:
    _line("alarms", f"{len(alarms.ringing)} of {alarms.count} ring")
    for alarm in alarms.ringing:
        click.echo(f"  {printable(alarm.name)}, since {_at(alarm.since)}\n    {printable(alarm.description)}")
    for name in alarms.switched_off:
        click.echo(f"  {printable(name)} tells nobody: its actions are off")
    for name in alarms.deleted:
        click.echo(f"  {printable(name)} is not there any more: somebody deleted it")


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value).__name__)
