"""Asking CloudTrail Lake in SQL, through the API that everybody has: StartQuery and GetQueryResults."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_cloudtrail.client import CloudTrailClient

_POLL_SECONDS = 0.05
_ENDED = frozenset({"FINISHED", "FAILED", "CANCELLED", "TIMED_OUT"})


class QueryError(Exception):
    """The Lake did not answer the query; the message is the Lake's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query, each a mapping from column to text, and the columns in order."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]


def query_lake(client: "CloudTrailClient", sql: str, *, timeout: float = 60) -> Answer:
    """Run one SELECT and read all of its pages. Raises QueryError."""
    query_id = client.start_query(QueryStatement=sql)["QueryId"]
    deadline = time.monotonic() + timeout
    while (state := client.describe_query(QueryId=query_id))["QueryStatus"] not in _ENDED:
        if time.monotonic() > deadline:
            raise QueryError(f"No answer within {timeout:g} s")
        time.sleep(_POLL_SECONDS)
    if state["QueryStatus"] != "FINISHED":
        raise QueryError(state.get("ErrorMessage") or state["QueryStatus"])
    rows: list[Mapping[str, str]] = []
    page = client.get_query_results(QueryId=query_id)
    while True:
        rows += [{name: value for cell in row for name, value in cell.items()} for row in page["QueryResultRows"]]
        if not (token := page.get("NextToken")):
            return Answer(list(rows[0]) if rows else [], rows)
        page = client.get_query_results(QueryId=query_id, NextToken=token)


def store_id(event_data_store_arn: str) -> str:
    """What stands for the event data store in a query: the last part of its ARN."""
    return event_data_store_arn.rpartition("/")[2]
