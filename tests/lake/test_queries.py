"""Queries in CloudTrail Lake's dialect: the shape of a row, what SQL is taken and what is not, pages and states."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError
from tests.lake.conftest import Account, Event, Refused

from trailhook_local.lake import LakeServer


@pytest.fixture(scope="module")
def account(new_account: Callable[..., Account]) -> Iterator[Account]:
    """Queries change nothing, so one Lake does for all of them."""
    with LakeServer() as lake:
        yield new_account(lake.url)


@pytest.fixture(scope="module")
def store(account: Account, event: Event) -> str:
    """An event data store with three events: a push of 2025, a push and a create of 2026."""
    arn = account.store()
    channel = account.channel(arn)
    account.put(
        channel,
        event("1", eventName="push", eventTime="2025-12-31T23:59:59Z", sourceIPAddress="192.0.2.1"),
        event(
            "2",
            eventName="push",
            eventTime="2026-01-01T00:00:00Z",
            requestParameters={"text": "a", "number": 1.5, "flag": True, "none": None, "deep": {"b": [1, "ü"]}},
            userIdentity={"type": "User", "principalId": "octocat", "details": {"team": "core"}},
        ),
        event("3", eventName="create", eventTime="2026-01-02T12:30:00Z", errorCode="403"),
    )
    return arn


def test_a_row_has_the_documented_columns(account: Account, store: str) -> None:
    row = account.rows("SELECT * FROM {eds} WHERE eventdata.uid = 'uid-2'", store)[0]
    assert list(row) == [
        "eventversion",
        "eventcategory",
        "eventtype",
        "eventid",
        "eventtime",
        "awsregion",
        "recipientaccountid",
        "addendum",
        "metadata",
        "eventdata",
    ]
    assert (row["eventcategory"], row["eventtype"]) == ("ActivityAuditLog", "ActivityLog")
    assert row["eventtime"] == "2026-01-01 00:00:00.000"
    assert (row["awsregion"], row["recipientaccountid"]) == ("us-east-1", "111122223333")
    assert "channelarn=arn:aws:cloudtrail:us-east-1:111122223333:channel/" in row["metadata"]
    assert "useridentity={type=User, principalid=octocat, details={team=core}}" in row["eventdata"]


def test_values_inside_objects_are_strings_in_maps(account: Account, store: str) -> None:
    expected = {"text": "a", "number": "1.5", "flag": "true", "none": None, "deep": '{"b":[1,"ü"]}', "absent": None}
    sql = "SELECT element_at(eventdata.requestparameters, '{name}') AS v FROM {eds} WHERE eventdata.uid = 'uid-2'"
    assert {name: account.rows(sql, store, name=name)[0]["v"] for name in expected} == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) FROM {eds}", [["3"]]),
        ("select COUNT(*) from {eds} where eventtime >= '2026-01-01 00:00:00'", [["2"]]),
        ("SELECT count(*) FROM {eds} WHERE eventtime > timestamp '2026-01-01 00:00:00'", [["1"]]),
        ("SELECT count(*) FROM {eds} WHERE eventtime < current_timestamp + interval '100' year", [["3"]]),
        (
            "SELECT eventdata.eventname, count(*) AS n FROM {eds} GROUP BY 1 ORDER BY n DESC",
            [["push", "2"], ["create", "1"]],
        ),
        ("SELECT eventdata.uid FROM {eds} ORDER BY eventtime DESC LIMIT 2", [["uid-3"], ["uid-2"]]),
        (
            "SELECT DISTINCT date_trunc('day', eventtime) AS d FROM {eds} ORDER BY d",
            [["2025-12-31 00:00:00.000"], ["2026-01-01 00:00:00.000"], ["2026-01-02 00:00:00.000"]],
        ),
        ("SELECT eventdata.useridentity.details['team'] FROM {eds} WHERE eventdata.uid = 'uid-2'", [["core"]]),
        ("SELECT e.eventdata.uid FROM {eds} AS e WHERE e.eventdata.errorcode IS NOT NULL", [["uid-3"]]),
        ("SELECT cardinality(eventdata.requestparameters) FROM {eds} WHERE eventdata.uid = 'uid-2'", [["5"]]),
        (
            "SELECT json_extract_scalar(element_at(eventdata.requestparameters, 'deep'), '$.b[1]') FROM {eds} "
            "WHERE eventdata.uid = 'uid-2'",
            [["ü"]],
        ),
        (
            "SELECT k, v FROM {eds} CROSS JOIN UNNEST(eventdata.requestparameters) AS t(k, v) ORDER BY k LIMIT 2",
            [["deep", '{"b":[1,"ü"]}'], ["flag", "true"]],
        ),
        ("SELECT array_agg(eventdata.uid ORDER BY eventdata.uid) FROM {eds}", [["[uid-1, uid-2, uid-3]"]]),
        ("SELECT 7 / 2, 7 / 2.0 FROM {eds} LIMIT 1", [["3", "3.5"]]),
        (
            "WITH pushes AS (SELECT * FROM {eds} WHERE eventdata.eventname = 'push') SELECT count(*) FROM pushes",
            [["2"]],
        ),
        (
            "SELECT a.eventdata.uid FROM {eds} a JOIN {eds} b ON a.eventid = b.eventid WHERE b.eventdata.uid = 'uid-1'",
            [["uid-1"]],
        ),
        ("SELECT count(*) FROM (SELECT eventid FROM {eds} UNION SELECT eventid FROM {eds})", [["3"]]),
        ("SELECT eventid FROM {eds} EXCEPT SELECT eventid FROM {eds}", []),
        ("SELECT count(*) FROM (SELECT eventid FROM {eds} INTERSECT SELECT eventid FROM {eds})", [["3"]]),
        ('SELECT count(*) FROM "{eds}" -- {eds}', [["3"]]),
        ("SELECT '{eds}' = concat('{eds}', '') FROM {eds} LIMIT 1", [["true"]]),
        (
            "SELECT eventdata.uid, row_number() OVER (PARTITION BY eventdata.eventname ORDER BY eventtime) AS n "
            "FROM {eds} ORDER BY 1",
            [["uid-1", "1"], ["uid-2", "2"], ["uid-3", "1"]],
        ),
        ("SELECT regexp_like(eventdata.uid, '^uid-[0-9]$') FROM {eds} LIMIT 1", [["true"]]),
    ],
)
def test_the_dialect_is_trinos(account: Account, store: str, sql: str, expected: list[list[str]]) -> None:
    assert [list(row.values()) for row in account.rows(sql, store)] == expected


def test_columns_are_named_as_trino_names_them(account: Account, store: str) -> None:
    sql = "SELECT count(*), max(eventtime) AS latest, eventdata.eventname FROM {eds} GROUP BY 3 LIMIT 1"
    assert list(account.rows(sql, store)[0]) == ["_col0", "latest", "eventname"]


def test_a_query_joins_several_stores(account: Account, store: str, event: Event) -> None:
    other = account.store("other")
    account.put(account.channel(other, name="snyk", source="Snyk"), event("4"))
    sql = "SELECT eventdata.uid FROM {eds} UNION ALL SELECT eventdata.uid FROM {other} ORDER BY 1"
    rows = account.rows(sql, store, other=other.rpartition("/")[2])
    assert [row["uid"] for row in rows] == ["uid-1", "uid-2", "uid-3", "uid-4"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO {eds} SELECT * FROM {eds}",
        "DELETE FROM {eds}",
        "DROP TABLE {eds}",
        "UPDATE {eds} SET eventid = ''",
        "CREATE TABLE x AS SELECT * FROM {eds}",
        "COPY {eds} TO '/tmp/x'",
        "EXPLAIN SELECT * FROM {eds}",
        "DESCRIBE {eds}",
        "SHOW TABLES",
        "SET threads = 1",
        "ATTACH '/tmp/x'",
        "PRAGMA database_list",
        "SELECT 1 FROM {eds}; SELECT 1 FROM {eds}",
        "SELECT 1",
        "SELECT",
        "SELECT FROM WHERE",
        "SELECT * FROM nowhere",
        "SELECT * FROM stores.{eds}",
        "SELECT * FROM control.resources, {eds}",
        "SELECT * FROM information_schema.tables, {eds}",
        "SELECT * FROM duckdb_settings(), {eds}",
        "SELECT * FROM read_csv('/etc/passwd'), {eds}",
        "SELECT * FROM '/etc/passwd', {eds}",
        "SELECT * FROM glob('/*'), {eds}",
        "SELECT (SELECT max(document) FROM control.resources) FROM {eds}",
        "SELECT * FROM {eds} WHERE eventid IN (SELECT arn FROM resources)",
        "WITH a AS (SELECT * FROM sqlite_master) SELECT * FROM a, {eds}",
        "SELECT nosuchcolumn FROM {eds}",
        "SELECT eventdata.nosuchfield FROM {eds}",
        "SELECT nosuchfunction(eventid) FROM {eds}",
        "SELECT getenv('HOME') FROM {eds}",
        "SELECT current_setting('threads') FROM {eds}",
        "SELECT count(*) FROM {eds} WHERE eventid = ?",
        "SELECT * FROM {eds} FOR UPDATE",
        "SELECT " + "(" * 4_000 + "1" + ")" * 4_000 + " FROM {eds}",
    ],
)
def test_everything_but_a_select_from_event_data_stores_is_refused(
    account: Account, refused: Refused, store: str, sql: str
) -> None:
    assert refused(account.rows, sql, store) == "InvalidQueryStatementException"
    assert account.count(store) == 3


@pytest.mark.parametrize(
    ("sql", "told"),
    {
        "SELECT eventid\nFROM WHERE": " at WHERE in line 2: Expected table name.",
        "SELECT eventid FROM {eds} WHERE": " at WHERE in line 1: Required keyword: 'this' missing.",
        "SELECT 'a FROM {eds}": ": Error tokenizing",
    }.items(),
)
def test_a_syntax_error_says_where_it_is(account: Account, store: str, sql: str, told: str) -> None:
    with pytest.raises(ClientError) as failure:
        account.rows(sql, store)
    assert f"The query has a syntax error{told}" in str(failure.value)


def test_an_unknown_store_is_not_found(account: Account, refused: Refused, store: str) -> None:
    sql = "SELECT * FROM 01234567-89ab-cdef-0123-456789abcdef"
    assert refused(account.rows, sql, store) == "EventDataStoreNotFoundException"


def test_a_query_that_fails_while_it_runs_says_why(account: Account, store: str) -> None:
    query = account.start("SELECT CAST(eventdata.eventname AS bigint) AS n FROM {eds}", store)
    assert account.finished(query) == "FAILED"
    found = account.cloudtrail.describe_query(QueryId=query)
    assert "Could not convert" in found["ErrorMessage"]
    results = account.cloudtrail.get_query_results(QueryId=query)
    assert (results["QueryStatus"], results["ErrorMessage"]) == ("FAILED", found["ErrorMessage"])


def test_results_come_in_pages(account: Account, refused: Refused, store: str) -> None:
    query = account.start("SELECT eventdata.uid FROM {eds} ORDER BY 1", store)
    assert account.finished(query) == "FINISHED"
    read = account.cloudtrail.get_query_results
    page = read(QueryId=query, MaxQueryResults=2)
    assert page["QueryStatistics"]["ResultsCount"] == 2
    assert page["QueryStatistics"]["TotalResultsCount"] == 3
    assert page["QueryResultRows"] == [[{"uid": "uid-1"}], [{"uid": "uid-2"}]]
    last = read(QueryId=query, MaxQueryResults=2, NextToken=page["NextToken"])
    assert last["QueryResultRows"] == [[{"uid": "uid-3"}]]
    assert "NextToken" not in last
    other_size = refused(read, QueryId=query, MaxQueryResults=1, NextToken=page["NextToken"])
    assert other_size == "InvalidNextTokenException"
    assert refused(read, QueryId=query, MaxQueryResults=1001) == "InvalidMaxResultsException"


def test_a_query_is_described_and_listed(account: Account, refused: Refused, store: str) -> None:
    query = account.start("SELECT eventid FROM {eds} LIMIT 1", store)
    assert account.finished(query) == "FINISHED"
    found = account.cloudtrail.describe_query(QueryId=query)
    assert found["QueryString"].endswith(f" {store.rpartition('/')[2]} LIMIT 1")
    assert (found["QueryStatistics"]["EventsMatched"], found["QueryStatistics"]["EventsScanned"]) == (1, 3)
    assert found["QueryStatistics"]["BytesScanned"] > 0
    assert refused(account.cloudtrail.cancel_query, QueryId=query) == "InactiveQueryException"
    listed = account.cloudtrail.list_queries(EventDataStore=store)["Queries"]
    assert (listed[0]["QueryId"], listed[0]["QueryStatus"]) == (query, "FINISHED")
    unknown = "01234567-89ab-cdef-0123-456789abcdef"
    assert refused(account.cloudtrail.describe_query, QueryId=unknown) == "QueryIdNotFoundException"


def test_a_running_query_can_be_cancelled_and_ten_run_at_once(account: Account, refused: Refused, store: str) -> None:
    # Three events joined with themselves 24 times are 3^24 rows to count.
    joins = ", ".join(f"{store.rpartition('/')[2]} a{n}" for n in range(24))
    endless = "SELECT count(a0.eventid || a23.eventid) FROM {joins}"
    queries = [account.start(endless, store, joins=joins) for _ in range(10)]
    assert refused(account.count, store) == "MaxConcurrentQueriesException"
    for query in queries:
        assert account.cloudtrail.cancel_query(QueryId=query)["QueryStatus"] == "CANCELLED"
        assert account.cloudtrail.get_query_results(QueryId=query)["QueryStatus"] == "CANCELLED"
    assert account.count(store) == 3
