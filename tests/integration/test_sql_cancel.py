"""A query whose run has been stopped does not go on in the database."""

from __future__ import annotations

import signal
import time
import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from graphitepager.sql.urls import parse
from tests.integration.sql_support import database, run, start

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

LONG = {"postgresql": "SELECT 'x', count(*) FROM pg_sleep(40)", "mysql": "SELECT 'x', sleep(40)"}
RUNNING = {
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name = '{0}'",
    "mysql": "SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%%{0} */'",
}


def wait_for(engine: Engine, sql: str, count: int, seconds: float) -> None:
    """Wait until so many queries run."""
    end = time.monotonic() + seconds
    while True:
        with engine.connect() as connection:
            found = connection.exec_driver_sql(sql).scalar()
        if found == count:
            return
        assert time.monotonic() < end, f"{found} of them run"
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_query_in_the_database_too(kind: str, number: signal.Signals, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    with database(kind, tmp_path) as dsn:
        engine = create_engine(parse(dsn, "S2G_DSN", on_heroku=False), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        named = f"{dsn}&application_name={mark}" if kind == "postgresql" else dsn
        process = start("--dry-run", queries=f"{LONG[kind]} /* {mark} */", dsn=named)
        wait_for(engine, RUNNING[kind].format(mark), 1, 15)
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
        wait_for(engine, RUNNING[kind].format(mark), 0, 1)
    assert (process.returncode, output, errors.strip()) == (130, "", "")


def test_a_query_that_the_server_did_not_end_in_time_is_ended_from_here(tmp_path: Path) -> None:
    """As on a MySQL, whose limit counts for SELECT alone: here the statement lifts it."""
    mark = uuid.uuid4().hex
    sql = f"SET STATEMENT max_statement_time = 0 FOR SELECT 'x', sleep(40) /* {mark} */"
    with database("mysql", tmp_path) as dsn:
        engine = create_engine(parse(dsn, "S2G_DSN", on_heroku=False), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        began = time.monotonic()
        done = run("--dry-run", "--timeout", "1s", queries=sql, dsn=dsn)
        assert time.monotonic() - began < 20
        wait_for(engine, RUNNING["mysql"].format(mark), 0, 1)
    assert done.returncode == 3
    assert "it took longer than 1 s" in done.stderr
