"""sql-to-graphite before real databases: it reads what is there, as it was written, and harms nothing."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine

from graphitepager.sql.urls import parse
from tests.integration.sql_support import KINDS, database, metrics, run, start, wait_until_it_asks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = (
    "CREATE TABLE orders (status VARCHAR(20), total NUMERIC(10, 2))",
    "INSERT INTO orders VALUES ('open', 10.50), ('open', 2), ('in progress', 1), (NULL, 4)",
)
TOO_LONG = {
    "sqlite": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT 'x', count(*) FROM r",
    "postgresql": "SELECT 'x', 1 FROM pg_sleep(30)",
    "mysql": "SELECT 'x', sleep(30)",
}
MANY = {
    "sqlite": "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n+1 FROM r WHERE n < 30000) SELECT 'n'||n, n FROM r",
    "postgresql": "SELECT 'n' || n, n FROM generate_series(1, 30000) AS n",
    "mysql": "SELECT concat('n', seq), seq FROM seq_1_to_30000",
}
READ_ONLY = re.compile(r"read.?only", re.IGNORECASE)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dsn(kind: str, tmp_path: Path) -> Iterator[str]:
    with database(kind, tmp_path, *TABLE) as dsn:
        yield dsn


def test_rows_become_metrics(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "queries.yml").write_text(
        "queries:\n"
        "  orders:\n"
        "    sql: SELECT status, count(*) AS n, sum(total) AS total, avg(total) AS mean FROM orders GROUP BY status\n"
        "    metric: orders.{status}\n"
        "    values: [n, total, mean]\n"
    )
    done = run("--queries", "queries.yml", "--dry-run", dsn=dsn, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert metrics(done.stdout) == {
        "db.orders.open.n": 2, "db.orders.open.total": 12.5, "db.orders.open.mean": 6.25,
        "db.orders.in_progress.n": 1, "db.orders.in_progress.total": 1, "db.orders.in_progress.mean": 1,
        "db.orders.null.n": 1, "db.orders.null.total": 4, "db.orders.null.mean": 4,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["50%", ":x", "%%", "%s", "%(a)s", "{status}", "?", "a\\\\b", "-- x", "/* x */"])
def test_sql_reaches_the_database_as_it_was_written(dsn: str, text: str) -> None:
    shown = text.replace("\\\\", "\\") if dsn.startswith("mysql") else text
    query = f"SELECT 'length', length('{text}') /* 100% of :all */"
    assert metrics(run("--dry-run", queries=query, dsn=dsn).stdout) == {"db.length": len(shown)}


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO orders VALUES ('x', 1)", "DELETE FROM orders", "CREATE TABLE other (a INT)", "DROP TABLE orders",
     "COMMIT; DELETE FROM orders", "SELECT 'a', 1; DELETE FROM orders"],
)  # fmt: skip
def test_nothing_is_written(dsn: str, statement: str) -> None:
    done = run("--dry-run", queries=f"{statement}\nSELECT 'orders', count(*) FROM orders", dsn=dsn)
    assert done.returncode == 3, done.stdout
    assert metrics(done.stdout) == {"db.orders": 4}
    assert "event=query_failed query=line_1" in done.stderr


def test_what_was_refused_is_called_read_only(dsn: str) -> None:
    done = run("--dry-run", queries="DELETE FROM orders", dsn=dsn)
    assert READ_ONLY.search(done.stderr)


def test_allow_write_lets_queries_write(dsn: str, kind: str) -> None:
    returning = "INSERT INTO orders VALUES ('x', 1) RETURNING 'inserted', 1"
    queries = f"{returning}\nSELECT 'orders', count(*) FROM orders"
    done = run("--dry-run", "--allow-write", queries=queries, dsn=dsn)
    assert metrics(done.stdout) == {"db.inserted": 1, "db.orders": 5}, done.stderr


def test_a_query_that_takes_too_long_is_ended_by_the_server(dsn: str, kind: str) -> None:
    began = time.monotonic()
    done = run("--dry-run", "--timeout", "1s", queries=f"{TOO_LONG[kind]}\nSELECT 'after', 1", dsn=dsn)
    assert time.monotonic() - began < 10
    assert done.returncode == 3
    assert 'event=query_failed query=line_1 reason="it took longer than 1 s"' in done.stderr
    assert metrics(done.stdout) == {"db.after": 1}


def test_a_query_that_fails_leaves_the_others_alone(dsn: str) -> None:
    queries = "SELECT 'before', 1\nSELECT nonsense\nSELECT 'after', 2\nSELECT 'x', 1 FROM nowhere\n"
    done = run("--dry-run", queries=queries, dsn=dsn)
    assert done.returncode == 3
    assert metrics(done.stdout) == {"db.before": 1, "db.after": 2}
    assert "db.sql_to_graphite.line_2.ok 0 " in done.stdout
    assert "db.sql_to_graphite.line_3.ok 1 " in done.stdout
    assert "finished" not in done.stdout


def test_a_query_that_fails_in_the_middle_sends_nothing(dsn: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "queries.yml").write_text(
        f"queries:\n  many:\n    sql: {MANY[kind]}\n    max_rows: 20000\n  after: {{sql: SELECT 1}}\n"
    )
    done = run("--queries", "queries.yml", "--dry-run", dsn=dsn, folder=tmp_path)
    assert done.returncode == 3
    assert metrics(done.stdout) == {"db.after": 1}
    assert "it returned more than max_rows, which is 20000" in done.stderr


def test_an_answer_that_is_not_read_to_its_end_leaves_nothing_but_the_log(dsn: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "queries.yml").write_text(
        f'queries: {{a: {{sql: "{MANY[kind]}", max_rows: 10}}, b: {{sql: "SELECT 1"}}}}'
    )
    done = run("--queries", "queries.yml", "--dry-run", "--quiet", dsn=dsn, folder=tmp_path)
    assert metrics(done.stdout) == {"db.b": 1}
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "max_rows, which is 10" in done.stderr


def test_many_rows_come_through_whole(dsn: str, kind: str) -> None:
    found = metrics(run("--dry-run", queries=MANY[kind], dsn=dsn).stdout)
    assert found == {f"db.n{n}": n for n in range(1, 30_001)}


def test_an_isolation_level_can_be_asked_for(dsn: str, kind: str) -> None:
    shows = {"mysql": "SELECT @@tx_isolation = 'READ-UNCOMMITTED'", "sqlite": "PRAGMA read_uncommitted"}
    query = shows.get(kind, "SELECT CASE current_setting('transaction_isolation') WHEN 'read uncommitted' THEN 1 END")
    if kind == "sqlite":
        query = "SELECT read_uncommitted FROM pragma_read_uncommitted"
    for level, expected in (("read-uncommitted", 1), ("serializable", 0)):
        done = run("--dry-run", "--isolation", level, queries=query.replace("SELECT ", "SELECT 'on', ", 1), dsn=dsn)
        assert metrics(done.stdout).get("db.on", 0) == expected, done.stderr


@pytest.mark.parametrize("level", ["read-committed", "repeatable-read"])
def test_a_level_that_sqlite_does_not_have_is_a_mistake(tmp_path: Path, level: str) -> None:
    with database("sqlite", tmp_path) as dsn:
        done = run("--dry-run", "--isolation", level, queries="SELECT 'a', 1", dsn=dsn)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"--isolation {level}: SQLite has only read-uncommitted and serializable" in done.stderr


@pytest.mark.parametrize(
    "dsn",
    ["mysql://root@127.0.0.1/test?charset=nonsense", "mysql://root@a..b/test", "postgres://127.0.0.1/x?sslmode=sure"],
)
def test_a_mistake_in_a_url_is_told_before_anything_is_asked(dsn: str) -> None:
    for option in ("--dry-run", "--check"):
        done = run(option, queries="SELECT 'a', 1", dsn=dsn)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("sql-to-graphite: S2G_DSN: ")


def test_a_signal_ends_it_at_once(dsn: str, kind: str) -> None:
    process = start("--dry-run", queries=TOO_LONG[kind], dsn=dsn)
    wait_until_it_asks(process)
    began = time.monotonic()
    process.terminate()
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began < 6
    assert (output, "Traceback" in errors) == ("", False)


def test_a_signal_while_rows_come_leaves_no_traceback(tmp_path: Path) -> None:
    rows = "SELECT concat('n', seq), seq FROM seq_1_to_90000000"
    with database("mysql", tmp_path) as dsn:
        for _ in range(3):  # it does not always come while the driver reads
            process = start("--dry-run", queries=rows, dsn=dsn)
            wait_until_it_asks(process)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.7)
            process.terminate()
            output, errors = process.communicate(timeout=20)
            assert (process.returncode, output, errors.strip()) == (130, "", "")


def test_a_table_that_is_locked_is_waited_for_until_the_timeout(tmp_path: Path) -> None:
    with database("postgresql", tmp_path, *TABLE) as dsn:
        engine = create_engine(parse(dsn, "S2G_DSN", on_heroku=False))
        with engine.begin() as other:
            other.exec_driver_sql("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
            done = run("--dry-run", "--timeout", "1s", queries="SELECT 'n', count(*) FROM orders", dsn=dsn)
        engine.dispose()
    assert "it took longer than 1 s" in done.stderr


def test_types_of_postgresql_become_numbers_or_are_refused(tmp_path: Path) -> None:
    queries = "\n".join(
        f"SELECT '{name}', {expression}"
        for name, expression in {
            "interval": "interval '1 hour'", "numeric": "1.50::numeric", "bool": "true", "big": "9223372036854775807",
            "aware": "timestamptz '2026-01-01 00:00:00+00'", "null": "NULL::int", "nan": "'NaN'::float8",
            "inf": "'infinity'::float8", "naive": "timestamp '2026-01-01'", "date": "date '2026-01-01'",
            "bytes": "'x'::bytea", "json": "'{}'::json", "text": "'1,5'::text", "never": "'infinity'::timestamptz",
        }.items()
    )  # fmt: skip
    with database("postgresql", tmp_path) as dsn:
        done = run("--dry-run", queries=queries, dsn=dsn)
    assert metrics(done.stdout) == {
        "db.interval": 3600, "db.numeric": 1.5, "db.bool": 1, "db.big": float(2**63 - 1), "db.aware": 1_767_225_600,
    }  # fmt: skip
    assert done.stderr.count("event=query_failed") == 8


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for options in ([], ["--allow-write"]):
        done = run("--dry-run", *options, queries="SELECT 'a', 1", dsn=f"sqlite:///{tmp_path}/none.db")
        assert done.returncode == 4
        assert "unable to open database file" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_no_further_sqlite_file_is_made(tmp_path: Path) -> None:
    with database("sqlite", tmp_path, *TABLE) as dsn:
        run("--dry-run", queries=f"ATTACH '{tmp_path}/other.db' AS other", dsn=dsn)
    assert not (tmp_path / "other.db").exists()


def test_a_file_with_odd_characters_in_its_name_is_found(tmp_path: Path) -> None:
    odd = tmp_path / "a b%20 #1"
    odd.mkdir()
    with database("sqlite", odd, *TABLE) as dsn:
        assert metrics(run("--dry-run", queries="SELECT 'n', count(*) FROM orders", dsn=dsn).stdout) == {"db.n": 4}
