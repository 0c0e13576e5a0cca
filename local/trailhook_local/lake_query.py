"""Asking CloudTrail Lake in SQL, through the API that everybody has: StartQuery and GetQueryResults."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_cloudtrail.client import CloudTrailClient

_POLL_SECONDS = 0.05
_ENDED = frozenset({"FINISHED", "FAILED", "CANCELLED", "TIMED_OUT"})

Row = Mapping[str, str]
"""From column to text, in the order that the query has them."""


class QueryError(Exception):
    """The Lake did not answer the query; the message is the Lake's."""


def query_lake(client: "CloudTrailClient", sql: str, *, timeout: float = 60) -> Sequence[Row]:
    """The rows of one SELECT, all of its pages. Raises QueryError."""
    query_id = client.start_query(QueryStatement=sql)["QueryId"]
    deadline = time.monotonic() + timeout
    while (state := client.describe_query(QueryId=query_id))["QueryStatus"] not in _ENDED:
        if time.monotonic() > deadline:
            raise QueryError(f"No answer within {timeout:g} s")
        time.sleep(_POLL_SECONDS)
    if state["QueryStatus"] != "FINISHED":
        raise QueryError(state.get("ErrorMessage") or state["QueryStatus"])
    rows: list[Row] = []
    page = client.get_query_results(QueryId=query_id)
    while True:
        rows += [{name: value for cell in row for name, value in cell.items()} for row in page["QueryResultRows"]]
        if not (token := page.get("NextToken")):
            return rows
        page = client.get_query_results(QueryId=query_id, NextToken=token)


def store_id(event_data_store_arn: str) -> str:
    """What stands for the event data store in a query: the last part of its ARN."""
    return event_data_store_arn.rpartition("/")[2]
