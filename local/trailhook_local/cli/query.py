"""`trailhook query`: the local CloudTrail Lake, asked in SQL."""

import re
from pathlib import Path

import click
from botocore.exceptions import ClientError

from trailhook_local.cli.failure import Failure
from trailhook_local.cli.place import STATE, failures
from trailhook_local.lake_query import QueryError, query_lake, store_id
from trailhook_local.screen import json_text, show_table, table_console
from trailhook_local.stack.status import read_status

EXAMPLE_QUERY = "SELECT eventdata.eventname, eventtime FROM EDS"


@click.command("query", short_help="Ask the local CloudTrail Lake in SQL.")
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row instead of a table.")
@STATE
def query_command(sql: str, as_json: bool, state: Path) -> None:
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
