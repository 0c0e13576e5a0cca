"""CloudTrail Lake's SQL, which is Trino's SELECT over event data store ids, as SQL that DuckDB runs.

What CloudTrail Lake does not know is refused here, so that a query which works on the laptop has a chance on AWS: only
SELECT, only event data stores and the query's own common table expressions, no table functions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

from trailhook_local.lake.errors import InvalidQueryStatementException
from trailhook_local.lake.warehouse import table

_UUID: Final = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
# Literals, quoted names and comments are passed over, so that an id inside them stays as it is.
_TOKENS: Final = re.compile(
    rf"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?<![\w-])(?P<id>{_UUID})(?![\w-])", re.DOTALL
)

# Trino's functions that sqlglot passes on as they are, by DuckDB's name for the same thing.
_FUNCTIONS: Final = {
    "bit_count": "bit_count",
    "codepoint": "unicode",
    "every": "bool_and",
    "histogram": "histogram",
    "is_finite": "isfinite",
    "is_infinite": "isinf",
    "json_array_length": "json_array_length",
    "map_concat": "map_concat",
    "map_entries": "map_entries",
    "map_values": "map_values",
    "url_decode": "url_decode",
    "url_encode": "url_encode",
}


@dataclass(frozen=True, slots=True)
class Translation:
    """`sql` for DuckDB; `stores` the ids of the event data stores it reads."""

    sql: str
    stores: tuple[str, ...]


def translate(statement: str, resolve: Callable[[str], str]) -> Translation:
    """Translate one statement; raises InvalidQueryStatementException with what to change.

    `resolve` turns an event data store id as written into the id of a store the caller may read, or raises.
    """
    quoted = _TOKENS.sub(lambda m: f'"{m["id"]}"' if m["id"] else m[0], statement)
    try:
        parsed = sqlglot.parse(quoted, read="trino")
    except RecursionError as error:
        raise InvalidQueryStatementException("The query is nested too deeply.") from error
    except SqlglotError as error:
        raise InvalidQueryStatementException(f"The query has a syntax error{_of_syntax(error)}.") from error
    trees = [tree for tree in parsed if tree is not None]
    if len(trees) != 1:
        raise InvalidQueryStatementException("Give one SELECT statement.")
    tree = trees[0]
    if not isinstance(tree, exp.Query) or not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise InvalidQueryStatementException("Only SELECT statements, which may begin with WITH, are supported.")
    for forbidden, name in ((exp.Into, "SELECT INTO"), (exp.Lock, "FOR UPDATE"), (exp.Placeholder, "? parameters")):
        if tree.find(forbidden):
            raise InvalidQueryStatementException(f"{name} is not supported.")
    stores = _bind_tables(tree, resolve)
    if not stores:
        raise InvalidQueryStatementException("FROM must name an event data store by its id, the suffix of its ARN.")
    _name_columns(tree)
    _rename_functions(tree)
    _unnest_maps(tree)
    _forgive_other_text(tree)
    try:
        sql = tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise InvalidQueryStatementException(f"This Lake cannot run the query: {error}") from error
    return Translation(sql, tuple(sorted(stores)))


def _of_syntax(error: SqlglotError) -> str:
    """Where the mistake is and what it is, without the names of the parser's classes."""
    if not isinstance(error, ParseError):
        return f": {error}"
    told = error.errors[0]
    what = re.sub(r" (but got|for) <.*>", "", told["description"])
    return f" at {told['highlight']} in line {told['line']}: {what}"


def _bind_tables(tree: exp.Expr, resolve: Callable[[str], str]) -> set[str]:
    """Point every table at its store; returns the ids. A name in scope as a common table expression stays."""
    stores: set[str] = set()
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier):
            raise InvalidQueryStatementException("Table functions are not supported: name an event data store.")
        if not node.db and _is_common_table(node):
            continue
        if node.db or not re.fullmatch(_UUID, node.name):
            raise InvalidQueryStatementException(
                f"Table {node.sql(dialect='trino')} does not exist: name an event data store by its id."
            )
        store = resolve(node.name.lower())
        stores.add(store)
        bound = sqlglot.to_table(table(store), dialect="duckdb")
        for part in ("catalog", "db", "this"):
            node.set(part, bound.args[part])
        if not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(store, quoted=True)))
    return stores


def _is_common_table(node: exp.Table) -> bool:
    """Whether a WITH of this query or of one around it defines the name."""
    scope: exp.Expr | None = node
    while scope is not None:
        with_ = scope.args.get("with_") or scope.args.get("with")
        if with_ and any(cte.alias.lower() == node.name.lower() for cte in with_.expressions):
            return True
        scope = scope.parent
    return False


def _name_columns(tree: exp.Expr) -> None:
    """Columns without a name are `_col0`, `_col1`, … as Trino has it."""
    select = tree
    while isinstance(select, (exp.SetOperation, exp.Subquery)):
        select = select.this
    for position, column in enumerate(select.expressions):
        if not column.alias and not isinstance(column, (exp.Column, exp.Star, exp.Dot)):
            column.replace(exp.alias_(column.copy(), f"_col{position}"))


def _rename_functions(tree: exp.Expr) -> None:
    for function in list(tree.find_all(exp.Anonymous)):
        if function.name.lower() not in _FUNCTIONS:
            raise InvalidQueryStatementException(f"Function {function.name} is not registered in this Lake.")
        function.set("this", _FUNCTIONS[function.name.lower()])
    for size in list(tree.find_all(exp.ArraySize)):  # cardinality, of maps as well as of arrays
        size.replace(exp.Anonymous(this="cardinality", expressions=[size.this]))


def _unnest_maps(tree: exp.Expr) -> None:
    """`UNNEST(map) AS t(k, v)`: DuckDB unnests lists only. Two columns out of one value say that it is a map."""
    for unnest in list(tree.find_all(exp.Unnest)):
        alias = unnest.args.get("alias")
        if alias is None or len(alias.columns) != 2 or len(unnest.expressions) != 1 or unnest.args.get("offset"):
            continue
        value = unnest.expressions[0]
        columns = []
        for name, function in zip(alias.columns, ("map_keys", "map_values"), strict=True):
            list_ = exp.Anonymous(this=function, expressions=[value.copy()])
            columns.append(exp.alias_(exp.Anonymous(this="unnest", expressions=[list_]), name.name, quoted=True))
        unnest.replace(exp.Lateral(this=exp.Subquery(this=exp.select(*columns)), alias=exp.TableAlias(this=alias.this)))


def _forgive_other_text(tree: exp.Expr) -> None:
    """`json_extract…` of text that is not JSON is NULL in Trino and an error in DuckDB."""
    for extract in list(tree.find_all(exp.JSONExtract, exp.JSONExtractScalar)):
        text = extract.this
        is_json = exp.Anonymous(this="json_valid", expressions=[text.copy()])
        extract.set("this", exp.Paren(this=exp.Case(ifs=[exp.If(this=is_json, true=text.copy())])))
