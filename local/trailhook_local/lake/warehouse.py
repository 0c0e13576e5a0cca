"""What survives: accepted events and resources in one embedded DuckDB, in memory or in a file.

Each event data store is a table in the schema `stores`, named by its id and shaped as CloudTrail Lake shows events to a
query. Everything is committed, and so on disk, before the method that wrote it returns.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

ColumnType = str | Mapping[str, Any]

_MAP: Final = "MAP(VARCHAR, VARCHAR)"
COLUMNS: Final[Mapping[str, ColumnType]] = {
    "eventversion": "VARCHAR",
    "eventcategory": "VARCHAR",
    "eventtype": "VARCHAR",
    "eventid": "VARCHAR",
    "eventtime": "TIMESTAMP",
    "awsregion": "VARCHAR",
    "recipientaccountid": "VARCHAR",
    "addendum": {
        "reason": "VARCHAR",
        "updatedfields": "VARCHAR",
        "originaluid": "VARCHAR",
        "originaleventid": "VARCHAR",
    },
    "metadata": {"ingestiontime": "TIMESTAMP", "channelarn": "VARCHAR"},
    "eventdata": {
        "version": "VARCHAR",
        "useridentity": {"type": "VARCHAR", "principalid": "VARCHAR", "details": _MAP},
        "useragent": "VARCHAR",
        "eventsource": "VARCHAR",
        "eventname": "VARCHAR",
        "eventtime": "VARCHAR",
        "uid": "VARCHAR",
        "requestparameters": _MAP,
        "responseelements": _MAP,
        "errorcode": "VARCHAR",
        "errormessage": "VARCHAR",
        "sourceipaddress": "VARCHAR",
        "recipientaccountid": "VARCHAR",
        "additionaleventdata": _MAP,
    },
}


def _type(column: ColumnType) -> str:
    if isinstance(column, str):
        return column
    return "STRUCT(" + ", ".join(f'"{name}" {_type(member)}' for name, member in column.items()) + ")"


def table(store_id: str) -> str:
    """The store's table as DuckDB writes it; `store_id` is a UUID that the Lake itself made."""
    return f'lake.stores."{store_id}"'


class Warehouse:
    """Owns the DuckDB database. One writer at a time; every query gets a connection of its own."""

    def __init__(self, directory: Path | None) -> None:
        self._lock = threading.RLock()
        if directory is not None:
            # Events are for this user alone, whoever may read the folder around.
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._database = duckdb.connect(config={"threads": 2})
        source = ":memory:" if directory is None else str(directory / "lake.duckdb").replace("'", "''")
        self._database.execute(f"ATTACH '{source}' AS lake; USE lake")
        # From here on SQL can reach neither files nor the network, whatever a query manages to say.
        self._database.execute(
            "SET GLOBAL TimeZone = 'UTC'; SET GLOBAL integer_division = true; SET enable_external_access = false;"
            "CREATE SCHEMA IF NOT EXISTS stores; CREATE SCHEMA IF NOT EXISTS control;"
            "CREATE TABLE IF NOT EXISTS control.resources (kind VARCHAR, arn VARCHAR PRIMARY KEY, document VARCHAR);"
            "CREATE TABLE IF NOT EXISTS control.volume (store VARCHAR, events BIGINT, bytes BIGINT);"
            "SET lock_configuration = true"
        )

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own for one query, to be closed by the caller."""
        with self._lock:
            connection = self._database.cursor()
        connection.execute("USE lake")
        return connection

    def load(self, kind: str) -> list[dict[str, Any]]:
        rows = self._database.execute("SELECT document FROM control.resources WHERE kind = ?", [kind]).fetchall()
        return [json.loads(document) for (document,) in rows]

    def save(self, kind: str, arn: str, document: Mapping[str, Any]) -> None:
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO control.resources VALUES (?, ?, ?)", [kind, arn, json.dumps(document)]
            )

    def remove(self, kind: str, arn: str) -> None:
        with self._lock:
            self._database.execute("DELETE FROM control.resources WHERE kind = ? AND arn = ?", [kind, arn])

    def create_store(self, store_id: str) -> None:
        columns = ", ".join(f'"{name}" {_type(column)}' for name, column in COLUMNS.items())
        with self._lock:
            self._database.execute(f"CREATE TABLE {table(store_id)} ({columns})")

    def drop_store(self, store_id: str) -> None:
        with self._transaction():
            self._database.execute(f"DROP TABLE {table(store_id)}")
            self._database.execute("DELETE FROM control.volume WHERE store = ?", [store_id])

    def append(self, store_ids: Sequence[str], rows: Sequence[Mapping[str, Any]], size: int) -> None:
        """Write `rows` (shaped like COLUMNS, times as ISO 8601) to every store at once, or to none."""
        batch = json.dumps(rows)
        with self._transaction():
            for store_id in store_ids:
                self._database.execute(_INSERT.format(table=table(store_id)), [batch])
                self._database.execute("INSERT INTO control.volume VALUES (?, ?, ?)", [store_id, len(rows), size])

    def expire(self, store_id: str, *, days: int, now: float) -> None:
        """Delete what is older than the retention, counted from the event's own time."""
        with self._lock:
            self._database.execute(
                f"DELETE FROM {table(store_id)} WHERE eventtime < make_timestamp(?)",  # noqa: S608 - our own UUID
                [int((now - days * 86_400) * 1_000_000)],
            )

    def volume(self, store_ids: Sequence[str]) -> tuple[int, int]:
        """(events, bytes of eventData) that were ever written to these stores."""
        with self._lock:
            row = self._database.execute(
                "SELECT coalesce(sum(events), 0), coalesce(sum(bytes), 0) "
                "FROM control.volume WHERE list_contains(?, store)",
                [list(store_ids)],
            ).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


_SHAPE: Final = json.dumps([COLUMNS]).replace("{", "{{").replace("}", "}}")
# The inner SELECT keeps DuckDB from folding the whole batch into a constant, which costs twice the time.
_INSERT: Final = (
    "INSERT INTO {table} SELECT event.* FROM ("  # noqa: S608 - constants only
    f"SELECT unnest(from_json(batch, '{_SHAPE}')) AS event FROM (SELECT ?::VARCHAR AS batch))"
)
