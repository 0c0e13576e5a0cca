"""Queries: started, described, read page by page, cancelled. They run beside ingestion and see all it acknowledged."""

import contextlib
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

import duckdb

from trailhook_local.lake import dialect, errors, paging
from trailhook_local.lake.resources import Document, Registry, timestamp
from trailhook_local.lake.warehouse import Warehouse

MAX_CONCURRENT: Final = 10
MAX_ROWS_A_PAGE: Final = 1_000
_UNFINISHED: Final = frozenset({"QUEUED", "RUNNING"})
Row = list[dict[str, str | None]]


@dataclass(slots=True)
class Query:
    id: str
    statement: str
    translation: dialect.Translation
    connection: duckdb.DuckDBPyConnection
    created: float
    scanned: tuple[int, int]
    status: str = "QUEUED"
    rows: list[Row] = field(default_factory=list)
    milliseconds: int = 0
    error: str | None = None
    thread: threading.Thread | None = None


class Queries:
    """Queries and their results live as long as the process."""

    def __init__(self, registry: Registry, warehouse: Warehouse) -> None:
        self._registry = registry
        self._warehouse = warehouse
        self._queries: dict[str, Query] = {}

    def close(self) -> None:
        """Interrupt what runs and wait for it."""
        for query in list(self._queries.values()):
            while query.thread is not None and query.thread.is_alive():
                _interrupt(query)
                query.thread.join(0.05)  # and again: an interruption before the first row goes unheard

    def start_query(self, request: Document) -> Document:
        if "QueryAlias" in request or "QueryStatement" not in request:
            raise errors.InvalidParameterException("Give a QueryStatement; this Lake has no dashboards' query aliases.")
        if "DeliveryS3Uri" in request:
            raise errors.UnsupportedOperationException("This Lake does not deliver query results to S3.")
        running = [q for q in self._queries.values() if q.status in _UNFINISHED]
        if len(running) >= MAX_CONCURRENT:
            raise errors.MaxConcurrentQueriesException(f"{MAX_CONCURRENT} queries are running already.")
        translation = dialect.translate(request["QueryStatement"], lambda id_: self._registry.active_store(id_).id)
        connection = self._warehouse.connection()
        try:
            connection.sql(translation.sql)  # binds names and types without running anything
        except duckdb.Error as error:
            connection.close()
            raise errors.InvalidQueryStatementException(f"The query is not valid: {_reason(error)}") from error
        query = Query(
            id=str(uuid.uuid4()),
            statement=request["QueryStatement"],
            translation=translation,
            connection=connection,
            created=self._registry.clock(),
            scanned=self._warehouse.volume(translation.stores),
        )
        query.thread = threading.Thread(target=_run, args=(query,), name=f"query-{query.id}", daemon=True)
        self._queries[query.id] = query
        query.thread.start()
        return {"QueryId": query.id}

    def describe_query(self, request: Document) -> Document:
        if "QueryId" not in request:
            raise errors.InvalidParameterException("Give a QueryId; this Lake has no query aliases.")
        query = self._query(request)
        events, size = query.scanned
        return {
            "QueryId": query.id,
            "QueryString": query.statement,
            "QueryStatus": query.status,
            "QueryStatistics": {
                "EventsMatched": len(query.rows),
                "EventsScanned": events,
                "BytesScanned": size,
                "ExecutionTimeInMillis": query.milliseconds,
                "CreationTime": timestamp(query.created),
            },
            **({"ErrorMessage": query.error} if query.error else {}),
        }

    def get_query_results(self, request: Document) -> Document:
        query = self._query(request)
        status = query.status
        answer: Document = {"QueryStatus": status}
        if query.error:
            answer["ErrorMessage"] = query.error
        if status != "FINISHED":
            return answer
        size = request.get("MaxQueryResults", MAX_ROWS_A_PAGE)
        scope = f"{query.id}:{size}"
        start = paging.offset(request.get("NextToken"), scope)
        rows = query.rows[start : start + size]
        answer["QueryResultRows"] = rows
        answer["QueryStatistics"] = {
            "ResultsCount": len(rows),
            "TotalResultsCount": len(query.rows),
            "BytesScanned": query.scanned[1],
        }
        if start + size < len(query.rows):
            answer["NextToken"] = paging.token(start + size, scope)
        return answer

    def cancel_query(self, request: Document) -> Document:
        query = self._query(request)
        if query.status not in _UNFINISHED:
            raise errors.InactiveQueryException(f"The query is {query.status} and cannot be cancelled.")
        query.status = "CANCELLED"
        _interrupt(query)
        return {"QueryId": query.id, "QueryStatus": query.status}

    def list_queries(self, request: Document) -> Document:
        store = self._registry.active_store(request["EventDataStore"])
        start, end = request.get("StartTime", 0), request.get("EndTime", float("inf"))
        if start > end:
            raise errors.InvalidDateRangeException("StartTime is after EndTime.")
        queries = [
            {"QueryId": q.id, "QueryStatus": q.status, "CreationTime": timestamp(q.created)}
            for q in reversed(self._queries.values())
            if store.id in q.translation.stores
            and start <= q.created <= end
            and request.get("QueryStatus", q.status) == q.status
        ]
        return paging.page("Queries", queries, request, default=1_000, scope=f"ListQueries:{store.id}")

    def _query(self, request: Document) -> Query:
        if "EventDataStore" in request:
            self._registry.active_store(request["EventDataStore"])
        if request["QueryId"] not in self._queries:
            raise errors.QueryIdNotFoundException(f"There is no query {request['QueryId']}.")
        return self._queries[request["QueryId"]]


def _interrupt(query: Query) -> None:
    with contextlib.suppress(duckdb.ConnectionException):  # it has just ended by itself
        query.connection.interrupt()


def _run(query: Query) -> None:
    """Fill in the rows, or the reason why there are none. A cancelled query stays cancelled."""
    began = time.monotonic()
    outcome = "FINISHED"
    try:
        if query.status == "QUEUED":
            query.status = "RUNNING"
            query.rows = _rows(query.connection, query.translation.sql)
    except duckdb.Error as error:
        outcome, query.error = "FAILED", _reason(error)
    finally:
        query.connection.close()
    query.milliseconds = round((time.monotonic() - began) * 1_000)
    if query.status == "CANCELLED":
        query.rows, query.error = [], None
    else:
        query.status = outcome


def _rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    """Each row as CloudTrail returns it: a list of one-member maps, every value as text."""
    relation = connection.sql(sql)
    names, types = relation.columns, [str(type_) for type_ in relation.types]
    places = [f"c{position}" for position in range(len(names))]
    rendered = ", ".join(_rendered(place, type_) for place, type_ in zip(places, types, strict=True))
    # The query's text is a validated SELECT; the names around it are ours.
    result = connection.execute(f"SELECT {rendered} FROM ({sql}) AS result({', '.join(places)})").fetchall()  # noqa: S608
    return [[{name: _text(value)} for name, value in zip(names, row, strict=True)] for row in result]


def _rendered(place: str, type_: str) -> str:
    """Trino's text for a scalar; structs, maps and lists are left for `_text`."""
    if type_.startswith("TIMESTAMP WITH TIME ZONE"):
        return f"strftime({place}, '%Y-%m-%d %H:%M:%S.%g UTC')"
    if type_.startswith("TIMESTAMP") and not type_.endswith("]"):
        return f"strftime({place}::TIMESTAMP, '%Y-%m-%d %H:%M:%S.%g')"
    if type_.startswith(("STRUCT", "MAP")) or type_.endswith("]"):
        return place
    return f"{place}::VARCHAR"


def _text(value: object) -> str | None:
    """A value as text; nested ones in the `{name=value}` notation, in which null is spelled out."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_inner(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inner(member) for member in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _inner(value: object) -> str:
    text = _text(value)
    return "null" if text is None else text


def _reason(error: duckdb.Error) -> str:
    """The first paragraph of DuckDB's message, within the service's 1,000 characters."""
    return str(error).split("\n\n", maxsplit=1)[0][:1_000]
