"""`trailhook serve`: the local stack, kept up until Ctrl-C."""

import shlex
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from trailhook_local.cli.failure import Failure
from trailhook_local.cli.partners import PartnerName
from trailhook_local.cli.place import STATE
from trailhook_local.cli.query import EXAMPLE_QUERY
from trailhook_local.demo.run import PARTNERS
from trailhook_local.lake_query import store_id
from trailhook_local.stack.errors import StackError
from trailhook_local.stack.integration import Plan
from trailhook_local.stack.signals import end_as_by_ctrl_c, ended_by_signals, interrupted_by_signals
from trailhook_local.stack.stack import DEFAULT_STATE, Stack


@click.command("serve", short_help="Keep the local stack up until Ctrl-C.")
@click.argument("partners", nargs=-1, type=PartnerName())
@STATE
@click.option(
    "--port",
    type=click.IntRange(0, 65_000),
    default=0,
    help="Port of the first integration; the next ones follow. 0: any that is free.",
)
def serve_command(partners: tuple[str, ...], state: Path, port: int) -> None:
    """Keep the local stack up for PARTNERS (github, okta and custom if none is named) until Ctrl-C."""
    chosen = partners or PARTNERS
    if twice := [partner for partner, times in Counter(chosen).items() if times > 1]:
        raise click.UsageError(f"{twice[0]} is named twice, but a partner has only one integration")
    plans = [Plan(partner, port=port + number if port else 0) for number, partner in enumerate(chosen)]
    end_as_by_ctrl_c()
    starting = Console(stderr=True).status("Starting the local stack: gateway, queues, functions, CloudTrail Lake")
    try:
        with ExitStack() as running:
            # A Ctrl-C meanwhile ends the start. A later one lets the stack stop in peace, and one more does no harm.
            with interrupted_by_signals() as interrupted, starting:
                stack = running.enter_context(Stack(plans, state=state, retry_seconds=10, interrupted=interrupted))
            with ended_by_signals() as over:
                _show_stack(stack, state)
                over.wait()
                click.echo("\nStopping")
                tell_what_ends(stack)
                running.close()
    except StackError as error:
        raise Failure(str(error)) from error


def tell_what_ends(stack: Stack) -> None:
    """Name what was acknowledged and is not in the Lake: queues are in memory."""
    # That SQS has gone before must not keep the stack from stopping.
    with suppress(BotoCoreError, ClientError):
        for name, counts in stack.counts().items():
            if counts.total:
                click.echo(
                    f"{name}: lost with the queue: {counts.deliveries.total} not forwarded, "
                    f"{counts.dead_letters.total} among the dead letters",
                    err=True,
                )


def _show_stack(stack: Stack, state: Path) -> None:
    for name, integration in stack.integrations.items():
        click.echo(f"{name}\n  POST to  {integration.url}/webhook\n  secret   {integration.secret}")
        click.echo(f"  channel  {integration.channel_arn}")
    click.echo(f"\nevent data store  {store_id(stack.event_data_store_arn)}\nlogs  {state / 'logs'}")
    first = next(iter(stack.integrations))
    event = " --event push" if first == "github" else ""
    where = "" if state == DEFAULT_STATE else f" --state {shlex.quote(str(state))}"
    click.echo("\nIn another terminal:")
    click.echo(f"  .venv/bin/trailhook send {first} FILE{event}{where}")
    click.echo(f'  .venv/bin/trailhook query "{EXAMPLE_QUERY}"{where}')
    click.echo(f'  eval "$(.venv/bin/trailhook env{where})"; aws cloudtrail list-channels')
    click.echo("Ctrl-C stops everything.")
