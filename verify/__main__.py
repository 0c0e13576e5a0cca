"""Asks before it makes anything, asks AWS every question, prints the answers, and takes back what it made."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table
from rich.text import Text
from urllib3.exceptions import HTTPError

from trailhook_local.lake_query import QueryError
from trailhook_local.screen import table_console
from verify import control, endpoint, ingestion
from verify.endpoint import Endpoint
from verify.probe import Answer, Fit, Probe, Subject
from verify.workbench import SOURCES, CannotVerifyError, Workbench

PLAN = """In the account of your AWS credentials, in {region}, this makes, uses and deletes again:
- an event data store called trailhook-verify-…, with a retention of seven days. After its deletion it stays pending for
  seven days and counts among the ten that CloudTrail allows;
- one channel, for a moment two, of sources that have none so far ({sources});
- about 15 MB of made-up events in that event data store, and two queries over them;
- two SQS queues.
Together that costs a few US cents. Nothing that is there already is touched.
"""
WITH_STACK = """To the endpoint of the stack {stack} it sends some twenty requests that are refused, so that nothing
is queued: 413 and 401 are counted, and the alarm {stack}-too-large rings, perhaps {stack}-unsupported too.
"""
Row = tuple[Probe[Any], Answer]


@click.command()
@click.option("--stack", help="A deployed stack whose endpoint to ask, too; without it those questions stay open.")
@click.option("--region", envvar="AWS_REGION", help="The Region; by default your AWS configuration's.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is made.")
@click.option("--pause", default=5.0, show_default=True, help="Seconds between two looks at what takes time.")
@click.option("--patience", default=900.0, show_default=True, help="Seconds to wait for what takes time.")
def main(stack: str | None, region: str | None, yes: bool, pause: float, patience: float) -> None:
    """Ask AWS what docs/unverified.md leaves open. Exits with 1 if an answer contradicts it, or none came."""
    session = boto3.Session(region_name=region)
    if not session.region_name:
        raise click.UsageError("no Region is configured: name it with --region, or in AWS_REGION")
    click.echo(PLAN.format(region=session.region_name, sources=", ".join(SOURCES)))
    if stack:
        click.echo(WITH_STACK.format(stack=stack))
    if not yes:
        click.confirm("Go on?", abort=True)
    bench = Workbench(session, pause=pause, patience=patience)
    try:
        asked = Endpoint.of_stack(session, stack) if stack else None
        rows: list[Row] = [*_ask_endpoint(asked)]
        with bench:
            rows += _ask(bench, [*ingestion.PROBES, *control.PROBES], stand_in=bench.is_stand_in)
    except (CannotVerifyError, ClientError, BotoCoreError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        for what in bench.left:
            click.echo(f"Could not be deleted, please do: {what}", err=True)
    _show(rows)
    wrong = {Fit.CONTRADICTION, Fit.FAILED}
    sys.exit(1 if bench.left or any(answer.fit in wrong for _, answer in rows) else 0)


def _ask_endpoint(asked: Endpoint | None) -> Iterator[Row]:
    if asked is None:
        return ((probe, Answer("needs --stack", Fit.OPEN)) for probe in endpoint.PROBES)
    return _ask(asked, endpoint.PROBES, stand_in=False)


def _ask(subject: Subject, probes: Sequence[Probe[Subject]], *, stand_in: bool) -> Iterator[Row]:
    for probe in probes:
        click.echo(f"{probe.name} …", err=True)
        if stand_in and probe.needs_aws:
            yield probe, Answer("only on AWS", Fit.OPEN)
            continue
        try:
            yield probe, probe.ask(subject)
        except (CannotVerifyError, ClientError, BotoCoreError, HTTPError, QueryError) as error:
            # One question that fails must not keep the others from being asked, nor pass for an answer.
            yield probe, Answer(str(error), Fit.FAILED)


def _show(rows: Sequence[Row]) -> None:
    table = Table(title="What AWS answered", title_justify="left")
    for column in ("probe", "question", "answer", "Trailhook assumes", "fits"):
        table.add_column(column, overflow="fold")
    for probe, answer in rows:
        table.add_row(*map(Text, (probe.name, probe.question, answer.says, probe.assumed, answer.fit)))
    table_console().print(table)


if __name__ == "__main__":
    main()
