"""queries.yml and queries.sql: what they mean, and what is said where they are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from graphitepager.sql import original
from graphitepager.sql.model import NullPolicy
from graphitepager.sql.schema import ExpectedRows, QueriesFile, QueryKeys, json_schema
from tests.unit.sql_support import loaded

FULL = """
x-notes: these are ours
databases: {shop: SHOP_URL, books: BOOKS_URL}
queries:
  orders:
    sql: SELECT status, n, total, at FROM orders
    database: books
    metric: orders.{status}
    values: [n, total]
    tags: {env: live}
    timestamp: at
    timeout: 5s
    max_rows: 1000
    max_age: 7d
    null: zero
    expect: {min_rows: 1}
  users:
    sql_file: users.sql
    database: shop
"""


def headlines(text: str, source: str = "queries.yml") -> list[str]:
    return [problem.headline for problem in loaded(text, source).problems]


def test_every_key_means_something() -> None:
    found = loaded(FULL, **{"users.sql": "SELECT 'users', 1"})
    assert found.problems == ()
    assert found.variables == {"shop": "SHOP_URL", "books": "BOOKS_URL"}
    orders, users = found.queries
    assert (orders.name, orders.database, orders.metric, orders.values) == (
        "orders", "books", "orders.{status}", ("n", "total"),
    )  # fmt: skip
    assert (orders.tags, orders.timestamp, orders.timeout_s, orders.max_rows) == ({"env": "live"}, "at", 5.0, 1000)
    assert (orders.max_age_s, orders.null, orders.min_rows) == (7 * 86_400, NullPolicy.ZERO, 1)
    assert (users.sql, users.timeout_s, users.null, users.min_rows) == ("SELECT 'users', 1", None, NullPolicy.SKIP, 0)


def test_without_databases_there_is_the_one_of_the_original() -> None:
    found = loaded("queries: {a: {sql: SELECT 1}}")
    assert found.variables == {"main": "S2G_DSN"}
    assert found.queries[0].database == "main"


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("", "queries.yml: there is nothing in this file (the least that works is queries: "),
        ("- a\n", "queries.yml:1:1: expected the key 'queries' at the top, got a list"),
        ("queries: {}\n", "queries.yml:1:10: queries: expected at least one query"),
        ("databases: {}\nqueries: {a: {sql: x}}\n", "queries.yml:1:12: databases: expected at least one"),
        ("queries: {a: {}}\n", "queries.yml:1:11: query 'a': sql is missing (every query needs either"),
        ("queries: {a: {sql: ''}}\n", "queries.yml:1:11: query 'a': sql is missing"),
        ("queries: {a: {sql: x, sql_file: y}}\n", "queries.yml:1:11: query 'a': sql and sql_file exclude each other"),
        ("queries: {a: {sql_file: y.sql}}\n", "queries.yml:1:25: query 'a', sql_file: y.sql: no such file"),
        ("queries: {a: {sql: x, value: n, values: [m]}}\n", "queries.yml:1:33: query 'a', values: value and values"),
        ("queries: {a: {sql: x, timout: 1s}}\n", "queries.yml:1:23: unknown key 'timout' (did you mean timeout?)"),
        ("querys: {}\nqueries: {a: {sql: x}}\n", "queries.yml:1:1: unknown key 'querys' (did you mean queries?)"),
        ("queries: {a: {sql: x, expect: {rows: 1}}}\n", "queries.yml:1:32: unknown key 'rows'"),
        ("queries: {a.b: {sql: x}}\n", "queries.yml:1:11: query 'a.b': expected a name of letters, digits, _ and -"),
        ("queries: {a: {sql: x, metric: 'a b'}}\n", "queries.yml:1:31: query 'a', metric: expected the name of"),
        ("queries: {a: {sql: x, metric: 'a.{b'}}\n", "queries.yml:1:31: query 'a', metric: expected {column}"),
        ("queries: {a: {sql: x, metric: 'a.{}'}}\n", "queries.yml:1:31: query 'a', metric: expected {column}"),
        ("queries: {a: {sql: x, tags: {name: b}}}\n", "queries.yml:1:29: query 'a', tags: expected a tag's name"),
        ("queries: {a: {sql: x, tags: {b: 'c d'}}}\n", "queries.yml:1:29: query 'a', tags: expected letters, digits"),
        ("queries: {a: {sql: x, timeout: 0}}\n", "queries.yml:1:32: query 'a', timeout: expected a duration of"),
        ("queries: {a: {sql: x, max_rows: 0}}\n", "queries.yml:1:33: query 'a', max_rows: expected a whole number"),
        ("queries: {a: {sql: x, 'null': none}}\n", "queries.yml:1:31: query 'a', null: expected skip, zero or error"),
        ("queries: {a: {sql: x}, a: {sql: y}}\n", "queries.yml:1:24: the key 'a' is already on line 1"),
        (
            "queries: {a: {sql: x, database: shp}}\ndatabases: {shop: A, b: B}\n",
            "queries.yml:1:33: query 'a', database: no database is called 'shp' (did you mean shop?)",
        ),
        (
            "queries: {a: {sql: x}}\ndatabases: {shop: A, b: B}\n",
            "queries.yml:1:11: query 'a': database is missing (one of shop, b)",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(text: str, headline: str) -> None:
    assert headlines(text)[0].startswith(headline)
    assert loaded(text).queries == ()


def test_all_mistakes_are_told_at_once() -> None:
    text = (
        "quieres: 1\n"
        "databases: {shop: 'postgres://x', b: B}\n"
        "queries:\n"
        "  a: {sql: x, database: b, metric: 'a b', timout: 1s}\n"
        "  b: {database: b}\n"
        "  c.d: {sql: x, database: shp, timeout: soon}\n"
        "  e: {sql_file: nope.sql, database: b, value: [1]}\n"
        "  f: {sql: [x], database: [b], value: n, values: [m]}\n"
        "  g: 7\n"
        "  h: {sql: x, database: b, max_rows: 0, max_age: 0}\n"
        "  i: {sql: x, database: b, values: [n, {}, 7, {}], metric: '{'}\n"
    )
    places = [headline.removeprefix("queries.yml:").partition(": ")[0] for headline in headlines(text)]
    assert places == [
        "1:1", "2:19", "4:36", "4:43", "5:3", "6:3", "6:27", "6:41", "7:17", "7:47", "8:12", "8:27", "8:42", "9:6",
        "10:38", "10:50", "11:40", "11:47", "11:60",
    ]  # fmt: skip


def test_a_url_in_the_file_is_not_shown() -> None:
    found = loaded("databases: {shop: 'postgres://me:hunter2@db/shop'}\nqueries: {a: {sql: SELECT 1}}\n")
    [problem] = found.problems
    assert "put the URL into the environment" in problem.headline
    assert "hunter2" not in problem.render()


SQL = """-- name: orders
-- metric: orders.{status}
-- values: [n, total]
-- expect: {min_rows: 2}
-- timeout: 5s
-- The orders of today.
SELECT status, count(*) AS n, sum(total) AS total
FROM orders GROUP BY status; -- all of them

-- name: users
SELECT 'users', count(*) FROM users
"""


def test_a_file_of_sql_holds_named_queries() -> None:
    found = loaded(SQL, "queries.sql")
    assert found.problems == ()
    orders, users = found.queries
    assert (orders.name, orders.metric, orders.values) == ("orders", "orders.{status}", ("n", "total"))
    assert (orders.timeout_s, orders.min_rows) == (5.0, 2)
    assert orders.sql.startswith("-- The orders of today.\nSELECT status")
    assert orders.sql.endswith("GROUP BY status; -- all of them")
    assert (users.name, users.sql) == ("users", "SELECT 'users', count(*) FROM users")


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        ("SELECT 1\n", "queries.sql:1:1: there is no query in this file (begin each query with a line"),
        ("SELECT 1;\n-- name: a\nSELECT 2\n", "queries.sql:1:1: there is SQL before the first name"),
        ("-- name: a\n", "queries.sql:1:4: query 'a': sql is missing"),
        ("-- name: a\n-- timout: 5s\nSELECT 1\n", "queries.sql:2:4: unknown key 'timout' (did you mean timeout?)"),
        ("-- name: a\n-- null: no\nSELECT 1\n", "queries.sql:2:4: query 'a', null: expected skip, zero or error"),
        ("-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n", "queries.sql:3:1: a second query 'a'"),
    ],
)  # fmt: skip
def test_a_mistake_in_sql_is_told_with_its_place(text: str, headline: str) -> None:
    assert headlines(text, "queries.sql")[0].startswith(headline)


@pytest.mark.parametrize("metric", ["{status}", "{shop}.{status}"])
def test_a_metric_of_columns_alone_needs_no_quotes_in_sql(metric: str) -> None:
    assert loaded(f"-- name: a\n-- metric: {metric}\nSELECT 1\n", "queries.sql").queries[0].metric == metric


@pytest.mark.parametrize("odd", ["\u2028", "\x0c", "\x85", "\x1c"])
def test_only_a_newline_ends_a_line(odd: str) -> None:
    sql = f"SELECT 'a{odd}b', 1"
    assert [query.sql for query in original.queries_of(f"{sql}\r\n")] == [sql]
    assert [query.sql for query in loaded(f"-- name: a\r\n{sql}\r\n", "queries.sql").queries] == [sql]


def test_a_line_of_standard_input_is_a_query_as_it_stands() -> None:
    text = "SELECT '50%', 1;\n\n  -- a comment\n# another\nSELECT ':x', 2\n"
    first, second = original.queries_of(text)
    assert (first.name, first.sql) == ("line_1", "SELECT '50%', 1;")
    assert (second.name, second.sql) == ("line_5", "SELECT ':x', 2")


@pytest.mark.parametrize("section", [QueriesFile, QueryKeys, ExpectedRows])
def test_every_key_says_what_it_is_for_and_shows_an_example(section: Any) -> None:
    lacking = [name for name, field in section.model_fields.items() if not (field.description and field.examples)]
    assert lacking == []


@pytest.mark.parametrize(
    ("data", "is_accepted"),
    [
        (yaml.safe_load(FULL.replace("null:", "'null':")), True),
        ({"queries": {"a": {"sql": "x"}}}, True),
        ({"queries": {"a": {"sql": "x", "null": "zero", "max_rows": "7"}}}, True),
        ({"queries": {"a": {"sql": "x", "values": "n"}}}, True),
        ({"queries": {}}, False),
        ({"queries": {"a": {}}}, False),
        ({"queries": {"a": {"sql": "x", "sql_file": "y"}}}, False),
        ({"queries": {"a b": {"sql": "x"}}}, False),
        ({"queries": {"a": {"sql": "x", "timout": "1s"}}}, False),
        ({"databases": {"a": "postgres://x"}, "queries": {"a": {"sql": "x"}}}, False),
        ({"databases": {}, "queries": {"a": {"sql": "x"}}}, False),
    ],
)
def test_an_editor_accepts_what_the_program_accepts(data: dict[str, Any], *, is_accepted: bool) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(data) is is_accepted


def test_the_published_schema_is_that_of_the_program() -> None:
    published = Path(__file__).parents[2] / "docs" / "queries.schema.json"
    assert json.loads(published.read_text()) == json_schema(), (
        "run: sql-to-graphite --schema > docs/queries.schema.json"
    )
