"""What each kind of database wants to be told, so that a query can only read, and only for so long."""

from __future__ import annotations

import re
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError

from graphitepager.sql.urls import MYSQL, POSTGRESQL

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

BATCH_ROWS = 2000
_CONNECT_S = 10
# How long it may take to have a server end a query that nobody waits for any more.
STOP_S = 3.0
# How many of SQLite's instructions pass between two looks at the clock: some tenths of a millisecond.
_INSTRUCTIONS = 10_000

_STREAMED = {"stream_results": True, "max_row_buffer": BATCH_ROWS}
_SELECTS = re.compile(r"(?:\s++|--[^\n]*+\n|/\*.*?\*/|\()*+(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL)

# A server that vanishes without a word (power, firewall) is noticed by the kernel, not by statement_timeout.
_POSTGRESQL_DEFAULTS: dict[str, str | int] = {
    "application_name": "sql-to-graphite", "connect_timeout": _CONNECT_S,
    "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 45_000,
}  # fmt: skip


class Dialect(Protocol):
    """How to open a kind of database, and what to say before each query."""

    def engine_options(self, url: URL, *, may_write: bool) -> dict[str, Any]: ...

    def connection_options(self, isolation: str | None, *, may_write: bool) -> dict[str, Any]: ...

    def begin(self, connection: Connection, timeout_s: float, *, may_write: bool) -> None: ...

    def execution_options(self, sql: str, *, may_write: bool) -> dict[str, Any]: ...

    def stop(self, driver: Any, engine: Engine) -> None:
        """Have the server end what the driver's connection, which may be broken, has asked of it."""
        ...


def dialect_of(url: URL) -> Dialect:
    """The one for this URL."""
    kinds: dict[str, type[Dialect]] = {POSTGRESQL: _Postgresql, MYSQL: _Mysql}
    return kinds.get(url.get_backend_name(), _Sqlite)()


def socket_of(connection: Connection) -> int | None:
    """The descriptor of the driver's socket; None for a file."""
    driver: Any = connection.connection.driver_connection
    holder = driver if hasattr(driver, "fileno") else getattr(driver, "_sock", None)  # PyMySQL has no public way to it
    return None if holder is None else int(holder.fileno())


def give_up_answer(driver: Any) -> None:
    """Have PyMySQL not read what is still to come: when its objects go, it would, and print a traceback."""
    answer: Any = getattr(driver, "_result", None)  # there is no public way to it
    if getattr(answer, "unbuffered_active", False):
        answer.unbuffered_active = False


def is_interrupted(error: BaseException) -> bool:
    """Whether a signal came while SQLite asked the clock: what is raised there, SQLite swallows."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", "") == "SQLITE_INTERRUPT"


class _Postgresql:
    def engine_options(self, url: URL, *, may_write: bool) -> dict[str, Any]:
        defaults = {key: value for key, value in _POSTGRESQL_DEFAULTS.items() if key not in url.query}
        # Poolers such as PgBouncer lose prepared statements.
        return {"connect_args": {"prepare_threshold": None, **defaults}}

    def connection_options(self, isolation: str | None, *, may_write: bool) -> dict[str, Any]:
        return {"postgresql_readonly": not may_write, **_isolation(isolation)}

    def begin(self, connection: Connection, timeout_s: float, *, may_write: bool) -> None:
        if not may_write:  # also for what follows a COMMIT in the middle of the text
            connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {_milliseconds(timeout_s)}")

    def execution_options(self, sql: str, *, may_write: bool) -> dict[str, Any]:
        """Only of these is there a cursor on the server; SHOW and EXPLAIN have few rows."""
        return {} if may_write or not _SELECTS.match(sql) else _STREAMED

    def stop(self, driver: Any, engine: Engine) -> None:
        driver.cancel_safe(timeout=STOP_S)


class _Mysql:
    def engine_options(self, url: URL, *, may_write: bool) -> dict[str, Any]:
        return {"connect_args": {"connect_timeout": _CONNECT_S}}

    def connection_options(self, isolation: str | None, *, may_write: bool) -> dict[str, Any]:
        return _isolation(isolation)

    def begin(self, connection: Connection, timeout_s: float, *, may_write: bool) -> None:
        if not may_write:
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {timeout_s:.3f}")
        else:
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {_milliseconds(timeout_s)}")
        connection.commit()  # the transaction that these may have begun is not read-only yet

    def execution_options(self, sql: str, *, may_write: bool) -> dict[str, Any]:
        return {} if may_write else _STREAMED

    def stop(self, driver: Any, engine: Engine) -> None:
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL QUERY {int(driver.thread_id())}")


class _Sqlite:
    """A file that must be there: opened by its name alone, a mistyped one would be made."""

    def engine_options(self, url: URL, *, may_write: bool) -> dict[str, Any]:
        path = url.database
        mode = "rw" if may_write else "ro"

        def connect() -> sqlite3.Connection:
            name = (
                f"file:{quote(str(Path(path).absolute()))}?mode={mode}" if path and path != ":memory:" else ":memory:"
            )
            connection = sqlite3.connect(name, uri=True, timeout=_CONNECT_S, check_same_thread=False)
            if not may_write:
                connection.execute("PRAGMA query_only = ON")
                connection.set_authorizer(_no_further_files)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only now is the file looked at
            return connection

        return {"creator": connect}

    def connection_options(self, isolation: str | None, *, may_write: bool) -> dict[str, Any]:
        return _isolation(isolation)

    def begin(self, connection: Connection, timeout_s: float, *, may_write: bool) -> None:
        driver: Any = connection.connection.driver_connection
        end = time.monotonic() + timeout_s
        driver.set_progress_handler(lambda: int(time.monotonic() >= end), _INSTRUCTIONS)

    def execution_options(self, sql: str, *, may_write: bool) -> dict[str, Any]:
        return {}

    def stop(self, driver: Any, engine: Engine) -> None:
        """There is no server."""


def _no_further_files(action: int, *_: object) -> int:
    """ATTACH would make a file that is not there."""
    return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK


def _isolation(level: str | None) -> dict[str, Any]:
    return {"isolation_level": level.replace("-", " ").upper()} if level else {}


def _milliseconds(seconds: float) -> int:
    """At least one, for 0 means no limit."""
    return max(1, round(seconds * 1000))
