"""`trailhook chaos`: events by the million through everything that can fail, and the ledger of them."""

import os
import secrets as random_secrets
import sys

import click
from rich.console import Console

from trailhook_local.chaos.faults import FAULTS, UnknownFaultError, parse_faults
from trailhook_local.cli.failure import Failure
from trailhook_local.cli.importing import ended_by_ctrl_c
from trailhook_local.stack.errors import StackError
from trailhook_local.stack.signals import end_as_by_ctrl_c


class Command(click.Command):
    """Lists the faults below the options."""

    def format_epilog(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Faults"):
            formatter.write_dl(list(FAULTS.items()))


@click.command("chaos", cls=Command, short_help="Deliver events while everything that can fail does.")
@click.option("--events", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--seed", type=int, help="Repeat the run that printed this seed.")
@click.option("--faults", help="all, none, or names separated by commas; by default they take turns.")
@click.option("--round", "only", type=click.IntRange(0), help="Only this round of the run; a run that fails names it.")
@click.option("--processes", "cores", type=click.IntRange(1), help="Rounds at a time.  [default: one a core]")
@click.option("--stack", "in_stack", is_flag=True, help="Through the local stack instead, whose processes are killed.")
def chaos_command(
    events: int, seed: int | None, faults: str | None, only: int | None, cores: int | None, *, in_stack: bool
) -> None:
    """Deliver events while everything that can fail does, and account for each by its serial number.

    The handlers run on AWS services in memory and on a simulated clock. The last line is the ledger as
    JSON; the exit status is 1 if an event is lost, unaccounted for, wrongly in quarantine, or twice without a cause.
    """
    with ended_by_ctrl_c():
        # The Lake's database and parser take longer to import than all the rest, and no other command needs them.
        from trailhook_local.chaos.in_stack import run_in_stack  # noqa: PLC0415
        from trailhook_local.chaos.run import Plan, run_chaos  # noqa: PLC0415

    end_as_by_ctrl_c()
    seed = random_secrets.randbits(32) if seed is None else seed
    try:
        if in_stack:
            if (faults, only, cores) != (None, None, None):
                raise click.UsageError("--stack has faults of its own and no rounds: no --faults, --round, --processes")
            sys.exit(0 if run_in_stack(events=events, seed=seed, console=Console()) else 1)
        chosen = None if faults is None else parse_faults(faults)
        plan = Plan(events, seed, chosen, only, cores or os.cpu_count() or 1)
        if not plan.rounds():
            count = len(Plan(events, seed).rounds())
            raise click.UsageError(
                f"there is no round {only}: a run of {events:,} events has the rounds 0 to {count - 1}"
            )
        holds = run_chaos(plan, Console())
    except UnknownFaultError as error:
        raise click.UsageError(str(error)) from error
    except StackError as error:
        raise Failure(str(error)) from error
    sys.exit(0 if holds else 1)
