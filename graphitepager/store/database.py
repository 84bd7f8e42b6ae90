"""The state database: from DATABASE_URL to an engine whose transactions are whole and whose errors are readable."""

from __future__ import annotations

import importlib
import re
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from graphitepager.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import timedelta

    from sqlalchemy import Connection, Engine, Table
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

SQLITE_FILE = "graphite-pager.db"

_EXPECTED = "expected postgres://user:password@host:5432/name or sqlite:////absolute/path.db"

# No statement of ours takes seconds; one that does is stuck behind something that a restart may mend.
_STATEMENT_TIMEOUT_MS = 30_000

# A server that vanishes without a word (power, firewall) is noticed by the kernel, not by statement_timeout.
_POSTGRESQL_DEFAULTS: dict[str, str | int] = {
    "application_name": "graphite-pager",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 45_000,
}

# What to do, by the start of SQLite's error name or of PostgreSQL's SQLSTATE.
_ADVICE = {
    "SQLITE_BUSY": "another program keeps it locked: only graphite-pager may use this file",
    "SQLITE_CANTOPEN": "the file and its directory must be writable",
    "SQLITE_CORRUPT": "the file is damaged: restore it from a backup, or move it away to start afresh",
    "SQLITE_FULL": "the disk is full: free some space",
    "SQLITE_IOERR": "the disk failed or is full: look at it",
    "SQLITE_NOTADB": "move that file away, or set DATABASE_URL to another path",
    "SQLITE_READONLY": "the file and its directory must be writable",
    "08": "is the server up and DATABASE_URL right?",
    "25006": "the database is read-only: a replica, or over its plan's size",
    "28": "check the user and the password in DATABASE_URL",
    "3D000": "create that database, or correct its name in DATABASE_URL",
    "42501": "grant this user the right to create and write tables",
    "53100": "the server's disk is full",
    "53300": "the server has no connection left: graphite-pager needs up to five",
    "55P03": "another process keeps a lock: is a second graphite-pager migrating?",
    "57014": f"it took longer than {_STATEMENT_TIMEOUT_MS // 1000} s",
}

# psycopg gives a connection that failed no SQLSTATE, so that it is told from the words of the server or a pooler.
_REFUSALS = (
    (re.compile(r'database "[^"]*" does not exist|no such database'), "3D000"),
    (re.compile(r'authentication failed|no pg_hba\.conf entry|role "[^"]*" does not exist|no password supplied'), "28"),
    (re.compile(r"too many (clients|connections)|remaining connection slots"), "53300"),
)
# What stands before the reason, on each line: it repeats what `place` says.
_CONNECTION_PREFIX = re.compile(r"(connection (failed|is bad): )?connection to server .*? failed: (FATAL: *)?")
_LIBPQ_ADVICE = "Is the server running"


def database_url(raw: str | None, *, beside: str, on_heroku: bool, allow_ephemeral: bool = False) -> URL:
    """The URL to open for the text of DATABASE_URL; without one, an SQLite file in the directory `beside`.

    No error quotes the text itself: it holds a password.
    """
    raw = (raw or "").strip()
    url = _parse(raw) if raw else URL.create("sqlite", database=str(Path(beside) / SQLITE_FILE))
    kind = url.get_backend_name()
    if kind in {"postgres", "postgresql"}:
        return _postgresql_url(url, ambiguous=raw.count("@") > 1, on_heroku=on_heroku)
    if kind == "sqlite":
        return _sqlite_url(url, has_query="?" in raw, wiped=on_heroku and not allow_ephemeral)
    raise StoreError(f"DATABASE_URL: {kind} is not supported, only postgresql and sqlite ({_EXPECTED})")


def _parse(raw: str) -> URL:
    try:
        return make_url(raw)
    except (ArgumentError, ValueError):
        # Neither the cause nor the text may show: a password that is not escaped ends up in either.
        raise StoreError(
            f"DATABASE_URL is not a database URL: {_EXPECTED}; in the password write @ as %40, : as %3A, / as %2F"
        ) from None


def _postgresql_url(url: URL, *, ambiguous: bool, on_heroku: bool) -> URL:
    if ambiguous:
        raise StoreError("DATABASE_URL has more than one @: write those of the user and the password as %40")
    if not url.database:
        raise StoreError(f"DATABASE_URL names no database: {_EXPECTED}")
    try:
        importlib.import_module("psycopg")
    except ImportError as error:
        raise StoreError(
            "DATABASE_URL asks for PostgreSQL, whose driver is not usable here: "
            "run pip install 'graphite-pager[postgres]'"
        ) from error
    host = url.host or ""
    is_local = host in {"", "localhost", "127.0.0.1", "::1"}  # such as the PgBouncer of a dyno, which has no TLS
    if "sslmode" not in url.query and (host.endswith(".amazonaws.com") or (on_heroku and not is_local)):
        url = url.update_query_dict({"sslmode": "require"})
    return url.set(drivername="postgresql+psycopg")


def _sqlite_url(url: URL, *, has_query: bool, wiped: bool) -> URL:
    if url.host or url.username or url.password or url.port:
        raise StoreError("DATABASE_URL: sqlite takes a path, sqlite:///relative.db or sqlite:////absolute/path.db")
    if has_query:
        raise StoreError("DATABASE_URL: sqlite takes no parameters: leave out the ? and what follows it")
    if not url.database or url.database == ":memory:":
        raise StoreError("DATABASE_URL: an in-memory database forgets every open incident: give a file's path")
    if wiped:
        raise StoreError(
            "SQLite does not last on Heroku, where every restart wipes the disk and the open incidents with it: "
            "run heroku addons:create heroku-postgresql, or set ALLOW_EPHEMERAL_STATE=1 to accept that"
        )
    return url.set(drivername="sqlite")


def create_engine(url: URL, *, patience: timedelta) -> Engine:
    """An engine for a URL of `database_url`. `patience` bounds every wait for a lock or a free connection.

    With the execution option `writes=True` a transaction may write; without, on SQLite, it must only read.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, patience)
    return _postgresql_engine(url, patience)


def _engine(url: URL, patience: timedelta, connect_args: Mapping[str, object]) -> Engine:
    return sqlalchemy_engine(
        url,
        connect_args=dict(connect_args),
        hide_parameters=True,  # among them are routing keys
        max_overflow=2,
        pool_pre_ping=True,
        pool_size=2,  # small Heroku plans have 20 connections for everything
        pool_timeout=patience.total_seconds(),
    )


def file_identity(url: URL) -> tuple[int, int] | None:
    """Tell one SQLite file from another of the same name; None where there is no file."""
    if url.get_backend_name() != "sqlite":
        return None
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _will_be_created(url: URL) -> bool:
    """Tell whether the SQLite file is new; StoreError where SQLite would only say that it cannot open it."""
    path = Path(str(url.database))
    try:
        if path.is_dir():
            raise StoreError(f"{place(url)}: it is a directory: name a file in DATABASE_URL")
        if not path.parent.is_dir():
            raise StoreError(f"{place(url)}: its directory does not exist: create it, or set DATABASE_URL")
        return not path.exists()
    except OSError as error:
        raise StoreError(f"{place(url)}: {error.strerror}: {_ADVICE['SQLITE_CANTOPEN']}") from error


def _sqlite_engine(url: URL, patience: timedelta) -> Engine:
    """Take over BEGIN from Python's sqlite3, which begins late and not at all for DDL or SELECT.

    BEGIN IMMEDIATE for writers: one that began by reading could not upgrade once another has written, however long
    it waits. See "Serializable isolation / Savepoints / Transactional DDL" in SQLAlchemy's SQLite documentation.
    """
    is_new = _will_be_created(url)
    engine = _engine(url, patience, {"timeout": patience.total_seconds()})

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None
        if is_new:
            # It will hold routing keys, as will its -wal and -shm, which take on its mode. Not by os.open beforehand:
            # to close a descriptor of the file drops every lock that this process holds on it.
            Path(str(url.database)).chmod(0o600)
        cursor = connection.cursor()
        _use_wal(cursor, patience)
        cursor.execute("PRAGMA synchronous = FULL")  # a recorded page survives a power cut
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_wal(cursor: DBAPICursor, patience: timedelta) -> None:
    """Let readers and the writer not wait for each other.

    A new file is switched once, which fails at once while another process does the same: SQLite's own timeout does
    not cover that.
    """
    give_up_at = time.monotonic() + patience.total_seconds()
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            threading.Event().wait(0.02)  # nothing says when the other process is done
        else:
            return


def _postgresql_engine(url: URL, patience: timedelta) -> Engine:
    """Bound every statement. Not by the connection's `options`, which PgBouncer rejects and the URL may use."""
    timeouts = {
        "statement_timeout": _STATEMENT_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": _STATEMENT_TIMEOUT_MS,  # or a frozen process would keep its locks
        "lock_timeout": round(patience.total_seconds() * 1000),
    }
    defaults = {key: value for key, value in _POSTGRESQL_DEFAULTS.items() if key not in url.query}
    # Poolers such as PgBouncer lose prepared statements.
    engine = _engine(url, patience, {"prepare_threshold": None, **defaults})

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for name, milliseconds in timeouts.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, str(milliseconds)))
        cursor.close()
        connection.commit()  # a rollback would undo the settings

    return engine


def insert_leniently(db: Connection, table: Table) -> Any:
    """An INSERT that can say what is to be done `on_conflict`, in the words of both databases."""
    return {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[db.dialect.name](table)


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn whatever SQLAlchemy raises into one line of StoreError.

    The cause is dropped on purpose: a driver's text may quote the row, and with it a routing key.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"{place(url)}: {_reason(error)}") from None


def place(url: URL) -> str:
    """The database as it may be shown: no user, no password, no parameters."""
    if url.get_backend_name() == "sqlite":
        return f"database {url.database}"
    return f"database {url.database} at {url.host or 'the local socket'}" + (f":{url.port}" if url.port else "")


def _reason(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else None
    if cause is None:
        return f"{type(error).__name__}: {str(error).partition('(Background')[0].strip()}".splitlines()[0]
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    # PostgreSQL's own primary message leaves out the DETAIL, which quotes rows; a failed connection has none.
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    text = primary or " ".join(str(cause).split())
    # Also in its subclasses, such as psycopg's ConnectionTimeout; only one of the drivers may be here to ask.
    if not code and any(kind.__name__ == "OperationalError" for kind in type(cause).__mro__):
        text = _connection_reason(str(cause))
        code = next((code for words, code in _REFUSALS if words.search(text)), "08")
    advice = next((advice for prefix, advice in _ADVICE.items() if code.startswith(prefix)), None)
    return f"{text}: {advice}" if advice else text


def _connection_reason(text: str) -> str:
    """The reasons alone, on one line: libpq names the server and gives advice in each, and tells some of them twice."""
    lines = [_CONNECTION_PREFIX.sub("", line.strip()) for line in text.splitlines()]
    return " ".join(dict.fromkeys(line for line in lines if line and not line.startswith(_LIBPQ_ADVICE)))
