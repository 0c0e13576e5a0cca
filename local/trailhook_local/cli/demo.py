"""`trailhook demo`: the whole path on this machine, and an account of every event."""

import secrets as random_secrets
import sys

import click
from rich.console import Console

from trailhook_local.cli.failure import Failure
from trailhook_local.demo.corpus import CorpusError
from trailhook_local.demo.run import run_demo
from trailhook_local.stack.errors import StackError
from trailhook_local.stack.signals import end_as_by_ctrl_c


@click.command("demo", short_help="Run the whole path and account for every event.")
@click.option(
    "--deliveries",
    "count",
    type=click.IntRange(3),
    default=300,
    show_default=True,
    help="Genuine deliveries, over three partners.",
)
@click.option("--seed", type=int, help="Repeat the run that printed this seed.")
@click.option(
    "--kill-every", type=click.FloatRange(0.05), help="Kill a forward process every so many seconds meanwhile."
)
def demo_command(count: int, seed: int | None, kill_every: float | None) -> None:
    """Send signed and forged deliveries of three partners through the whole path, and account for each event.

    The last line is the ledger as JSON; the exit status is 1 if an event is not accounted for.
    """
    seed = random_secrets.randbits(32) if seed is None else seed
    end_as_by_ctrl_c()
    try:
        holds = run_demo(count=count, seed=seed, kill_every=kill_every, console=Console())
    except (StackError, CorpusError) as error:
        raise Failure(str(error)) from error
    sys.exit(0 if holds else 1)
