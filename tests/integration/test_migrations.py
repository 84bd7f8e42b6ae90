"""A database is brought to the tables of this program, or refused with the reason."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import DateTime, NullPool, column, create_engine, insert, inspect, table, text

from graphitepager.errors import StoreError
from graphitepager.model import EventKind, Incident, SeriesKey, SeriesState
from graphitepager.records import PollSummary, to_json
from graphitepager.rules import Level
from graphitepager.store import Store
from graphitepager.store.migrations import HEAD, VERSION_TABLE
from graphitepager.store.tables import metadata
from graphitepager.tallies import DeliveryKey, DeliveryTally, Result, Tallies
from tests.integration.store_support import NOON, record, resolved, triggered

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from graphitepager.records import Change

# Opens the database, and tells whether Alembic had to be imported for that.
OPEN = """
import sys
from sqlalchemy.engine import make_url
from graphitepager.store import Store
Store.open(make_url(sys.argv[1])).close()
print("alembic" in sys.modules)
"""


# Tables of revision 0001 with rows as that program wrote them, times in minutes before noon: a series that fires, one
# that has been silent for an hour and fires besides, one that has just fallen silent, and what was queued for them.
_AS_IN_0001 = {
    "series_states": [
        {"id": "1", "series": "web1", "level": "critical", "since": 10, "value": 9.5, "no_data_open": False},
        {"id": "2", "series": "web2", "level": "warning", "since": 30, "no_data_since": 60, "no_data_open": True},
        {"id": "3", "series": "web3", "level": "ok", "no_data_since": 1, "no_data_open": False},
    ],
    "incidents": [
        {"dedup_key": "k1", "series": "web1", "level": "critical", "opened_at": 10},
        {"dedup_key": "k2", "series": "web2", "level": "no_data", "opened_at": 57},
    ],
    "deliveries": [
        {"incident_id": 1, "level": "critical", "status": "sent", "finished_at": 10},
        {"incident_id": 2, "level": "no_data", "status": "pending"},
    ],
}
_COLUMNS_OF_0001 = {
    "series_states": "id alert series level since value no_data_since no_data_open updated_at",
    "incidents": "dedup_key alert series level value opened_at closed_at close_reason",
    "deliveries": "incident_id lane kind level notifier address message created_at status attempts "
    "next_attempt_at claimed_by claimed_until last_error answer finished_at",
}
_MOMENTS = {"since", "no_data_since", "updated_at", "opened_at", "created_at", "next_attempt_at", "finished_at"}


def minutes_ago(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)


def make_old_database(url: URL) -> None:
    """Migrate to 0001 only, and write its rows."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "graphitepager.store:migrations")
        command.upgrade(config, "0001")
        message = to_json(triggered("web2", level=Level.NO_DATA).message)
        defaults = {
            "alert": "Load",
            "updated_at": 0,
            "lane": "lane",
            "kind": "trigger",
            "notifier": "pagerduty",
            "address": "key",
            "message": message,
            "created_at": 0,
            "attempts": 0,
            "next_attempt_at": 0,
        }
        for name, rows in _AS_IN_0001.items():
            columns = _COLUMNS_OF_0001[name].split()
            old = table(
                f"graphite_pager_{name}",
                *(column(each, DateTime(timezone=True) if each in _MOMENTS else None) for each in columns),
            )
            for row in rows:
                values = {each: (defaults | row).get(each) for each in columns}
                moments = {
                    each: minutes_ago(value)
                    for each, value in values.items()
                    if each in _MOMENTS and isinstance(value, int)
                }
                connection.execute(insert(old).values(values | moments))


def test_what_is_open_in_the_database_of_the_first_program_stays_open(url: URL) -> None:
    make_old_database(url)
    with Store.open(url) as store:
        states = store.load().memories["Load"].states
        incidents = store.open_incidents()
        record(store, resolved_as("k1", "web1", Level.CRITICAL))
        claimed = store.claim(NOON, worker="w", lease=timedelta(minutes=1), limit=9)
    web1 = Incident(level=Level.CRITICAL, since=minutes_ago(10), told_at=minutes_ago(10))
    web2 = Incident(level=Level.WARNING, since=minutes_ago(30), told_at=minutes_ago(30))
    silent = Incident(level=Level.NO_DATA, since=minutes_ago(60), told_at=minutes_ago(60))
    key = partial(SeriesKey, "Load")
    assert states == {
        "web1": SeriesState(key=key("web1"), incident=web1, value=9.5),
        "web2": SeriesState(key=key("web2"), incident=web2, no_data=silent, no_data_since=minutes_ago(60)),
        "web3": SeriesState(key=key("web3"), no_data_since=minutes_ago(1)),
    }
    assert [(each.key.series, each.level, len(each.accepted)) for each in incidents] == [
        ("web1", Level.CRITICAL, 1),
        ("web2", Level.NO_DATA, 0),
    ]
    assert [(each.message.kind, each.message.series, each.is_minimal) for each in claimed] == [
        (EventKind.TRIGGERED, "web2", False),
        (EventKind.RESOLVED, "web1", False),
    ]


def test_what_was_delivered_before_it_was_counted_is_counted(url: URL) -> None:
    make_old_database(url)
    with Store.open(url) as store:
        glance = store.glance(NOON)
    sent = DeliveryKey("pagerduty", EventKind.TRIGGERED, Result.SENT)
    assert glance.tallies == Tallies(deliveries={sent: DeliveryTally(1, minutes_ago(10))})
    assert glance.accepted == {"pagerduty": minutes_ago(10)}


def resolved_as(dedup_key: str, series: str, level: Level) -> Change:
    change = resolved(series, level=level)
    return replace(change, message=replace(change.message, dedup_key=dedup_key))


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
        program = [sys.executable, "-c", OPEN, url.render_as_string(hide_password=False)]
        answer = subprocess.run(program, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
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


def test_who_only_reads_a_database_of_a_newer_program_is_not_told_to_wait_for_the_pager(url: URL) -> None:
    Store.open(url).close()
    execute(url, "UPDATE graphite_pager_version SET version_num = '9001'")
    with pytest.raises(StoreError, match=r"a newer graphite-pager has used it\. Install that release here, too"):
        Store.open_to_read(url)


def test_who_only_reads_a_database_of_others_is_told_that_no_pager_has_run(url: URL) -> None:
    execute(url, "CREATE TABLE orders (id INTEGER)")
    with pytest.raises(StoreError, match="holds nothing of graphite-pager: none has run there yet"):
        Store.open_to_read(url)


def test_a_migration_that_fails_leaves_nothing_behind(url: URL) -> None:
    execute(url, "CREATE TABLE graphite_pager_polls (id INTEGER)")  # the last one that the migration creates
    with pytest.raises(StoreError, match=r"^database .*polls.* already exists"):
        Store.open(url)
    execute(url, "DROP TABLE graphite_pager_polls")
    Store.open(url).close()


def test_a_database_shared_with_an_application_of_the_same_names_works_and_is_left_alone(url: URL) -> None:
    theirs = ("alembic_version", "incidents", "deliveries", "polls", "series_states", "known_series")
    for name in theirs:
        execute(url, f"CREATE TABLE {name} (version_num VARCHAR(32) CONSTRAINT pk_{name} PRIMARY KEY)")
        execute(url, f"INSERT INTO {name} VALUES ('their revision')")  # noqa: S608 - our own names
    for number in range(2):
        with Store.open(url) as store:
            record(store, triggered(f"{number}"))
            assert store.backlog().pending == number + 1
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for name in theirs:
            assert connection.execute(text(f"SELECT * FROM {name}")).all() == [("their revision",)]  # noqa: S608
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
