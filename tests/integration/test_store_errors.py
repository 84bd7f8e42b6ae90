"""A database that cannot be used is reported in one line that says what to do and shows no secret."""

from __future__ import annotations

import socket
import sqlite3
import stat
import uuid
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from graphitepager.errors import StoreError
from graphitepager.store import Store
from graphitepager.store.database import database_url, explained
from tests.integration.store_support import NOON, empty_database, poll, record, resolved, triggered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphitepager.records import Change


def open_error(url: URL) -> str:
    """What a user reads who starts on this URL."""
    with pytest.raises(StoreError) as raised:
        Store.open(url, patience=timedelta(seconds=0.2))
    text = str(raised.value)
    assert len(text.splitlines()) == 1
    return text


def sqlite(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "state.db"
    assert open_error(sqlite(path)) == (
        f"database {path}: its directory does not exist: create it, or set DATABASE_URL"
    )


def test_a_directory_that_cannot_be_written() -> None:
    path = Path("/proc/graphite-pager.db")  # not even root can
    assert open_error(sqlite(path)) == (
        f"database {path}: unable to open database file: the file and its directory must be writable"
    )


def test_a_directory_in_place_of_the_file(tmp_path: Path) -> None:
    assert open_error(sqlite(tmp_path)) == f"database {tmp_path}: it is a directory: name a file in DATABASE_URL"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yml"
    path.write_text("settings:\n  graphite_url: https://graphite.example.com\n" * 20)
    assert open_error(sqlite(path)) == (
        f"database {path}: file is not a database: move that file away, or set DATABASE_URL to another path"
    )


def test_a_file_that_another_program_keeps_locked(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with Store.open(sqlite(path), patience=timedelta(seconds=0.1)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="database is locked: another program keeps it locked"):
                store.record(poll())
        store.record(poll())


def test_a_file_that_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with Store.open(sqlite(path)) as store:
        record(store, *(triggered(f"{n}") for n in range(200)))
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    assert "database disk image is malformed: the file is damaged: restore it" in open_error(sqlite(path))


def test_the_file_is_for_its_owner_only_because_it_holds_routing_keys(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with Store.open(sqlite(path)) as store:
        record(store, triggered("a"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    (tmp_path / "state.db").chmod(0o640)  # a choice of the owner, who lets a group read it
    Store.open(sqlite(path)).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_a_server_that_is_not_there() -> None:
    url = database_url("postgres://app:S3cretWord@127.0.0.1:1/state?connect_timeout=2", beside="", on_heroku=False)
    error = open_error(url)
    assert error == "database state at 127.0.0.1:1: Connection refused: is the server up and DATABASE_URL right?"


def test_a_server_that_takes_a_connection_and_says_nothing() -> None:
    """The driver has an exception of its own for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = open_error(
            URL.create("postgresql+psycopg", "app", None, "127.0.0.1", port, "state", {"connect_timeout": "2"})
        )
    assert error == (
        f"database state at 127.0.0.1:{port}: connection timeout expired: is the server up and DATABASE_URL right?"
    )


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    error = open_error(database_url(f"postgres:///state?host={tmp_path}", beside="", on_heroku=False))
    assert error == (
        "database state at the local socket: No such file or directory: is the server up and DATABASE_URL right?"
    )


def test_a_database_that_the_server_does_not_have(tmp_path: Path) -> None:
    with empty_database("postgresql", tmp_path) as url:
        error = open_error(url.set(database="nobody_made_it"))
    assert error.endswith(
        ': database "nobody_made_it" does not exist: create that database, or correct its name in DATABASE_URL'
    )


def test_a_user_that_the_server_does_not_have(tmp_path: Path) -> None:
    with empty_database("postgresql", tmp_path) as url:
        error = open_error(url.set(username="nobody_at_all"))
    assert error.endswith(': role "nobody_at_all" does not exist: check the user and the password in DATABASE_URL')


AT_DB = 'connection to server at "db.example.com" (2001:db8::7), port 5432 failed: '
NO_PASSWORD = 'FATAL:  password authentication failed for user "app"'
SEVERAL = "Multiple connection attempts failed. All failures were:"
NO_SERVER = "Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?"
CHECK_SERVER = "is the server up and DATABASE_URL right?"
CHECK_USER = "check the user and the password in DATABASE_URL"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (
            f"connection failed: {AT_DB}{NO_PASSWORD}\n{AT_DB}{NO_PASSWORD}",
            f'password authentication failed for user "app": {CHECK_USER}',
        ),
        (
            f'connection failed: {AT_DB}FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "app", no encryption',
            f'no pg_hba.conf entry for host "10.0.0.1", user "app", no encryption: {CHECK_USER}',
        ),
        (
            f"connection failed: {AT_DB}fe_sendauth: no password supplied",
            f"fe_sendauth: no password supplied: {CHECK_USER}",
        ),
        (
            f"connection failed: {AT_DB}FATAL:  sorry, too many clients already",
            "sorry, too many clients already: the server has no connection left: graphite-pager needs up to five",
        ),
        (
            f"{SEVERAL}\n- host: 'a': connection failed: {AT_DB}{NO_SERVER}\n- host: 'b': timeout expired",
            f"{SEVERAL} - host: 'a': Connection refused - host: 'b': timeout expired: {CHECK_SERVER}",
        ),
    ],
)
def test_what_a_server_says_to_a_connection_is_told_with_its_cure(told: str, shown: str) -> None:
    """Most of it the server of the tests cannot be made to say: it trusts everybody."""
    url = database_url("postgres://app:S3cretWord@db.example.com/state", beside="", on_heroku=False)
    with pytest.raises(StoreError) as raised, explained(url):
        raise OperationalError("", {}, psycopg.OperationalError(told))
    assert str(raised.value) == f"database state at db.example.com: {shown}"


def test_an_option_that_the_driver_does_not_know() -> None:
    url = database_url("postgres://app:S3cretWord@127.0.0.1/state?pooling=yes", beside="", on_heroku=False)
    assert open_error(url) == 'database state at 127.0.0.1: invalid connection option "pooling"'


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Store, Callable[[], None]]]:
    """A store on PostgreSQL, and a way to cut its connections as a restart of the server does."""
    with empty_database("postgresql", tmp_path) as url:
        name = uuid.uuid4().hex
        terminate = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name")
        engine = create_engine(url, poolclass=NullPool)

        def cut() -> None:
            with engine.connect() as admin:
                assert admin.scalars(terminate, {"name": name}).all() == [True]

        with Store.open(url.update_query_dict({"application_name": name})) as store:
            yield store, cut


def test_a_server_that_was_restarted_since_is_no_error(watched: tuple[Store, Callable[[], None]]) -> None:
    store, cut = watched
    cut()
    store.record(poll(triggered("a")))
    assert store.next_due(NOON) == NOON


def test_a_server_that_goes_away_within_a_poll_leaves_nothing_of_it(watched: tuple[Store, Callable[[], None]]) -> None:
    store, cut = watched

    def changes() -> Iterator[Change]:
        yield triggered("a")
        yield resolved("a")
        cut()
        yield triggered("b")

    with pytest.raises(StoreError, match="terminating connection"):
        store.record(poll(changes=changes()))
    assert store.load().last_poll is None
    assert store.next_due(NOON) is None


def test_an_error_never_shows_a_row(tmp_path: Path) -> None:
    """PostgreSQL quotes the row that breaks a constraint, and with it the routing key."""
    with empty_database("postgresql", tmp_path) as url, Store.open(url) as store:
        with store._writer.begin() as admin:
            admin.exec_driver_sql(
                "ALTER TABLE graphite_pager_deliveries ADD CONSTRAINT never CHECK (address <> 'R0UT1NGKEY')"
            )
        with pytest.raises(StoreError) as raised:
            record(store, triggered("a"))
    assert "violates check constraint" in str(raised.value)
    assert "R0UT1NGKEY" not in str(raised.value)
    assert raised.value.__suppress_context__
