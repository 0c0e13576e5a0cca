"""`trailhook`: the local stack, its deliveries and its queries from the command line, and the way back in AWS."""

import re
import secrets as random_secrets
import shlex
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import click
import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from click.core import ParameterSource
from rich.console import Console
from urllib3.exceptions import HTTPError

from trailhook import __version__
from trailhook_local.cli.chaos import chaos_command
from trailhook_local.cli.descriptors import compile_command, map_command
from trailhook_local.cli.failure import Failure
from trailhook_local.cli.headers import read_headers
from trailhook_local.cli.partners import PartnerName
from trailhook_local.cli.place import failures
from trailhook_local.cli.redrive import redrive
from trailhook_local.cli.status import status_command
from trailhook_local.demo.corpus import CorpusError
from trailhook_local.demo.run import PARTNERS, run_demo
from trailhook_local.lake_query import QueryError, query_lake, store_id
from trailhook_local.post import post
from trailhook_local.screen import json_text, printable, show_table, table_console
from trailhook_local.signing import SIGNERS, sign_standard_webhooks
from trailhook_local.stack.errors import StackError
from trailhook_local.stack.integration import Plan
from trailhook_local.stack.signals import end_as_by_ctrl_c, ended_by_signals, interrupted_by_signals
from trailhook_local.stack.stack import DEFAULT_STATE, Stack
from trailhook_local.stack.status import read_status

EXAMPLE_QUERY = "SELECT eventdata.eventname, eventtime FROM EDS"
STATE = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    help="Folder that a running stack keeps its state in.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Bring the audit events of any SaaS partner into AWS CloudTrail Lake.

    Only `redrive` and `status` need an AWS account, and only for a stack in AWS.
    """


main.add_command(chaos_command)
main.add_command(map_command)
main.add_command(compile_command)
main.add_command(redrive)
main.add_command(status_command)


@main.command(short_help="Run the whole path and account for every event.")
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
def demo(count: int, seed: int | None, kill_every: float | None) -> None:
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


@main.command(short_help="Keep the local stack up until Ctrl-C.")
@click.argument("partners", nargs=-1, type=PartnerName())
@STATE
@click.option(
    "--port",
    type=click.IntRange(0, 65_000),
    default=0,
    help="Port of the first integration; the next ones follow. 0: any that is free.",
)
def serve(partners: tuple[str, ...], state: Path, port: int) -> None:
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


@main.command(short_help="Sign a file as a partner would and POST it.")
@click.argument("partner", type=PartnerName())
@click.argument("file", type=click.File("rb"))
@STATE
@click.option("--event", help="GitHub only: the X-GitHub-Event. Without it the file holds audit-log entries.")
@click.option("--standard-webhooks", is_flag=True, help="Sign as a forwarder does, under Standard Webhooks.")
@click.option("--content-type", default="application/json", show_default=True)
@click.option("--header", "-H", "headers", multiple=True, help="A further header, as 'Name: value'.")
@click.option("--url", help="POST there, with --secret, instead of to the running local stack.")
@click.option(
    "--secret",
    envvar="TRAILHOOK_SECRET",
    help="The webhook secret of --url; or set TRAILHOOK_SECRET, which no list of processes shows. "
    "Without --url: a secret to sign with instead of the local stack's own.",
)
def send(
    partner: str,
    file: IO[bytes],
    state: Path,
    event: str | None,
    standard_webhooks: bool,
    content_type: str,
    headers: tuple[str, ...],
    url: str | None,
    secret: str | None,
) -> None:
    """Sign FILE (- for standard input) as PARTNER would, POST it, and print the answer.

    A partner's proof that cannot be made here is replaced by Standard Webhooks, which every endpoint takes.
    """
    further = read_headers(headers)
    if any(header.lower() == "content-type" for header in further):
        raise click.UsageError("name another Content-Type with --content-type, or two would be sent")
    own = _own_headers(partner, event, content_type)
    url, secret, name = _endpoint_of(partner, state, url, secret)
    signer = sign_standard_webhooks if standard_webhooks else SIGNERS.get(name)
    if signer is None:
        click.echo(f"signed under Standard Webhooks: the proof of {name} cannot be made here", err=True)
        signer = sign_standard_webhooks
    if not secret:
        raise click.UsageError(
            "the secret is missing: give it with --secret or, beside --url, in the variable TRAILHOOK_SECRET"
        )
    body = file.read()
    own |= signer(secret, body)
    if twice := sorted({header.lower() for header in own} & {header.lower() for header in further}):
        raise click.UsageError(f"{twice[0]} is made here, from FILE, --secret and --event: leave out that -H")
    try:
        reply = post(urllib3.PoolManager(), url, body, {**further, **own})
    except (HTTPError, ValueError) as error:
        raise Failure(f"{url} could not be asked: {error}") from error
    click.echo("\n".join(map(printable, f"{reply.status} {reply.body}".rstrip().splitlines())))
    sys.exit(0 if 200 <= reply.status < 300 else 1)


def _own_headers(partner: str, event: str | None, content_type: str) -> dict[str, str]:
    """The headers that are made here, but for the proof."""
    if event and partner != "github":
        raise click.UsageError(f"--event is GitHub's; for a header that {partner} sends say -H 'Name: value'")
    lines = [f"Content-Type: {content_type}"]
    if event:
        lines += [f"X-GitHub-Event: {event}", f"X-GitHub-Delivery: {random_secrets.token_hex(16)}"]
    return dict(read_headers(tuple(lines)))


def _endpoint_of(partner: str, state: Path, url: str | None, secret: str | None) -> tuple[str, str | None, str]:
    """The URL, the secret to sign with, and the partner whose proof is taken there: the local stack's, or as named."""
    if url is None:
        with failures():
            integration = read_status(state).integration(partner)
        # TRAILHOOK_SECRET may belong to another endpoint; what is written in the command does not.
        source = click.get_current_context().get_parameter_source("secret")
        secret = secret if source is ParameterSource.COMMANDLINE else integration.secret
        return f"{integration.url}/webhook", secret, integration.partner
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--url is a whole URL, such as https://…/webhook, not {url!r}")
    if click.get_current_context().get_parameter_source("state") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--state is for the local stack, and --url goes elsewhere: leave out one of them")
    return url, secret, partner


@main.command(short_help="Print the AWS CLI's variables for the local stack.")
@STATE
def env(state: Path) -> None:
    """Print the variables that point the AWS CLI and SDKs at the running stack: eval "$(trailhook env)"."""
    with failures():
        status = read_status(state)
    for name, value in status.endpoints.environment().items():
        # A shell runs what is printed here, and somebody else may have written what the folder holds.
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command(short_help="Ask the local CloudTrail Lake in SQL.")
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row instead of a table.")
@STATE
def query(sql: str, as_json: bool, state: Path) -> None:
    """Ask the running stack's CloudTrail Lake in its own dialect; EDS stands for the event data store's id."""
    if not sql.strip():
        raise click.UsageError(f'the query is empty; ask for something, such as "{EXAMPLE_QUERY}"')
    with failures():
        status = read_status(state)
        store = store_id(status.event_data_store_arn)
        try:
            rows = query_lake(status.endpoints.client("cloudtrail"), re.sub(r"\bEDS\b", store, sql))
        except QueryError as error:
            raise Failure(str(error)) from error
        except ClientError as error:
            told = str(error.response["Error"].get("Message", error))
            # The Lake speaks as CloudTrail does, which knows nothing of EDS.
            hint = "" if re.search(r"\bEDS\b", sql) else f' EDS stands for it here: "{EXAMPLE_QUERY}"'
            raise Failure(told + (hint if "event data store" in told else "")) from error
    if not rows:
        click.echo("no rows (yet: what was just sent is queryable after the batching window of five seconds)", err=True)
        return
    if as_json:
        for row in rows:
            click.echo(json_text(row))
    else:
        show_table(table_console(), rows)
