"""A database is brought to the tables of this program, or refused with the reason."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, inspect, text

from graphitepager.errors import StoreError
from graphitepager.records import PollSummary
from graphitepager.store import Store
from graphitepager.store.migrations import HEAD, VERSION_TABLE
from graphitepager.store.tables import metadata
from tests.integration.store_support import NOON, record, triggered

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# Opens the database, and tells whether Alembic had to be imported for that.
OPEN = """
import sys
from sqlalchemy.engine import make_url
from graphitepager.store import Store
Store.open(make_url(sys.argv[1])).close()
print("alembic" in sys.modules)
"""


def execute(url: URL, statement: str, **parameters: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement), parameters)


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "graphitepager.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_migrations_make_the_tables_that_the_program_uses(url: URL) -> None:
    Store.open(url).close()
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_a_current_database_is_opened_without_importing_alembic(url: URL) -> None:
    def imports_alembic() -> bool:
        command = [sys.executable, "-c", OPEN, url.render_as_string(hide_password=False)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
        return {"True": True, "False": False}[answer]

    assert imports_alembic()
    assert not imports_alembic()


def test_a_database_of_a_newer_program_is_refused_and_left_alone(url: URL) -> None:
    with Store.open(url) as store:
        record(store)
    execute(url, "UPDATE graphite_pager_version SET version_num = '9001'")
    with pytest.raises(StoreError, match=f"revision 9001, this program knows only those up to {HEAD}"):
        Store.open(url)
    execute(url, "UPDATE graphite_pager_version SET version_num = :head", head=HEAD)
    with Store.open(url) as store:
        assert store.load().last_poll == PollSummary(started_at=NOON, answered_at=None)


def test_a_migration_that_fails_leaves_nothing_behind(url: URL) -> None:
    execute(url, "CREATE TABLE graphite_pager_polls (id INTEGER)")  # the last one that the migration creates
    with pytest.raises(StoreError, match=r"^database .*polls.* already exists"):
        Store.open(url)
    execute(url, "DROP TABLE graphite_pager_polls")
    Store.open(url).close()


def test_a_database_shared_with_an_application_of_the_same_names_works_and_is_left_alone(url: URL) -> None:
    theirs = ("alembic_version", "incidents", "deliveries", "polls", "series_states", "known_series")
    for table in theirs:
        execute(url, f"CREATE TABLE {table} (version_num VARCHAR(32) CONSTRAINT pk_{table} PRIMARY KEY)")
        execute(url, f"INSERT INTO {table} VALUES ('their revision')")  # noqa: S608 - our own names
    for _ in range(2):
        with Store.open(url) as store:
            record(store, triggered("a"))
            assert store.backlog().pending == 1
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for table in theirs:
            assert connection.execute(text(f"SELECT * FROM {table}")).all() == [("their revision",)]  # noqa: S608
        ours = [name for name in inspect(connection).get_table_names() if name not in theirs]
    assert all(name.startswith("graphite_pager_") for name in ours if not name.startswith("sqlite_"))


def test_a_start_waits_for_another_process_that_migrates_but_not_for_ever(url: URL) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as other:
        if url.get_backend_name() == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            other.execute(text("SELECT pg_advisory_lock(:key)"), {"key": 0x6772_6170_6869_7465})
        with pytest.raises(StoreError, match="lock"):
            Store.open(url, patience=timedelta(seconds=0.2))
    Store.open(url).close()
