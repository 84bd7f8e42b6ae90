"""A database that is only read: each query in a transaction of its own, with a time limit, row by row."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from graphitepager.deadlines import run_within
from graphitepager.printable import printable
from graphitepager.sql import dialects
from graphitepager.sql.errors import QueryError, UnreachableError
from graphitepager.sql.urls import place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, CursorResult, Engine
    from sqlalchemy import Dialect as SqlalchemyDialect
    from sqlalchemy.engine import URL

# A server that is asked to stop needs a moment to say so; one that is frozen never does.
_GRACE_S = 10.0
_CONNECT_S = 15.0
_LONGEST_REASON = 500


class Access(NamedTuple):
    """How queries may use a database."""

    may_write: bool = False
    isolation: str | None = None


class Answer(NamedTuple):
    """The names of the columns, and the rows in pieces."""

    columns: Sequence[str]
    batches: Iterator[Sequence[Any]]


class Database:
    """One database and at most one connection to it, which is made when it is needed."""

    def __init__(self, url: URL, access: Access) -> None:
        self._access = access
        self._dialect = dialects.dialect_of(url)
        self._engine = create_engine(
            url,
            hide_parameters=True,
            poolclass=NullPool,
            **self._dialect.engine_options(url, may_write=access.may_write),
        )
        self._connection: Connection | None = None
        self._driver: object = None  # of the connection, which after a signal does not give it any more

    def close(self) -> None:
        with contextlib.suppress(SQLAlchemyError):
            self._drop()
        self._engine.dispose()

    @contextlib.contextmanager
    def asked(self, sql: str, timeout_s: float) -> Iterator[Answer]:
        """Send the text as it is, in a transaction that is over with the block, and committed only if that ends well.

        Raises UnreachableError, and QueryError also while the batches are read.
        """
        connection = self._connected()
        limit = _Limit(timeout_s, connection.dialect)
        result = None
        try:
            with _Watch(connection, timeout_s + _GRACE_S):
                with limit.explained():
                    self._dialect.begin(connection, timeout_s, may_write=self._access.may_write)
                    options = self._dialect.execution_options(sql, may_write=self._access.may_write)
                    # No parameters: the driver must not look for any in '50%' or ':x'.
                    result = connection.exec_driver_sql(sql, execution_options={"no_parameters": True, **options})
                limit.check()
                yield Answer(tuple(result.keys()) if result.returns_rows else (), _pieces(result, limit))
                with limit.explained():
                    result.close()
                    if self._access.may_write:
                        connection.commit()
                    else:
                        connection.rollback()
        except BaseException:
            if result is not None or not _rolled_back(connection):
                self._stop()
                self._drop()  # what is still on its way is not waited for
            raise

    def _connected(self) -> Connection:
        if self._connection is None:
            options = self._dialect.connection_options(self._access.isolation, may_write=self._access.may_write)
            self._connection = connected(self._engine, options)
            self._driver = self._connection.connection.driver_connection
        return self._connection

    def _stop(self) -> None:
        """Have the server end the query: without its client it would go on, some until their time limit."""
        with contextlib.suppress(Exception):  # whatever comes of it, the connection is given up
            run_within(dialects.STOP_S, lambda: self._dialect.stop(self._driver, self._engine))

    def _drop(self) -> None:
        """Let go of the connection, without reading what may still come."""
        connection, self._connection = self._connection, None
        dialects.give_up_answer(self._driver)
        if connection is not None:
            with contextlib.suppress(Exception):  # whatever a driver makes of a connection in the middle of an answer
                _hang_up(connection)
            with contextlib.suppress(Exception):  # as above
                connection.invalidate()
            with contextlib.suppress(Exception):  # as above
                connection.close()


def connected(engine: Engine, options: Mapping[str, Any]) -> Connection:
    """A connection with these execution options; UnreachableError where there is none to be had in time."""
    try:
        # Not every driver's own timeout counts for a server that accepts and says nothing.
        return run_within(_CONNECT_S, lambda: engine.connect().execution_options(**options))
    except TimeoutError:
        raise UnreachableError(f"{place(engine.url)}: no answer within {_CONNECT_S:g} s") from None
    except Exception as error:  # noqa: BLE001 - drivers trip in many ways over what a URL says of hosts and parameters
        raise UnreachableError(f"{place(engine.url)}: {reason(error)}") from None


class _Limit:
    """How long one query may take, and what its errors are called."""

    def __init__(self, seconds: float, dialect: SqlalchemyDialect) -> None:
        self._seconds = seconds
        self._began = time.monotonic()
        # The driver's own come from the reading of rows.
        self._errors = (SQLAlchemyError, dialect.loaded_dbapi.Error, OSError, ValueError, OverflowError)

    def check(self) -> None:
        """Not every server ends what is too long: MariaDB may cut a function off and go on without an error."""
        if time.monotonic() - self._began >= self._seconds:
            raise QueryError(f"it took longer than {self._seconds:g} s")

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Make a QueryError of whatever the driver raises; ValueError and its like where it cannot read a value."""
        try:
            yield
        except self._errors as error:
            self.check()
            if dialects.is_interrupted(error):
                raise KeyboardInterrupt from None
            raise QueryError(reason(error)) from None


class _Watch:
    """Ends the connection of a server that has not answered long after it should have."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._timer = threading.Timer(seconds, _hang_up, [connection])
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _hang_up(connection: Connection) -> None:
    """Shut the socket down under the driver: whoever waits for it hears that it is over."""
    number = dialects.socket_of(connection)
    if number is not None:
        with contextlib.suppress(OSError), socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as copy:
            copy.shutdown(socket.SHUT_RDWR)


def _rolled_back(connection: Connection) -> bool:
    """Whether the connection is good for another query."""
    try:
        connection.rollback()
    except Exception:  # noqa: BLE001 - whatever a driver makes of a connection that is gone
        return False
    return not connection.invalidated


def _pieces(result: CursorResult[Any], limit: _Limit) -> Iterator[Sequence[Any]]:
    """The rows: the first ones by SQLAlchemy, which reads ahead, the others as the driver makes them.

    To make objects of its own of each takes it half as long as to read them, and a text's rows are not converted.
    """
    source: Any = result
    while result.returns_rows and source is not None:
        with limit.explained():
            rows = source.fetchmany(dialects.BATCH_ROWS)
        limit.check()
        if not rows:
            return
        yield rows
        source = result.cursor  # None where SQLAlchemy has come to the end


def reason(error: BaseException) -> str:
    """A driver's error in one line, without the rows that PostgreSQL quotes in its details."""
    cause: BaseException = error.orig if isinstance(error, DBAPIError) and error.orig else error
    primary = getattr(getattr(cause, "diag", None), "message_primary", None)
    numbered = cause.args[1] if len(cause.args) > 1 and isinstance(cause.args[0], int) else None
    text = " ".join(str(primary or numbered or cause).partition("(Background on this error")[0].split())
    return printable(text[:_LONGEST_REASON]) or type(cause).__name__
