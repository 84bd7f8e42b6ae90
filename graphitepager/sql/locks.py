"""One run at a time: by a lock on a file of this machine, or by one that the database keeps while we are connected."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from graphitepager.errors import PagerError
from graphitepager.sql import dialects
from graphitepager.sql.databases import connected, reason
from graphitepager.sql.errors import LockedError, UnreachableError
from graphitepager.sql.urls import MYSQL, POSTGRESQL, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL

_SQL = {POSTGRESQL: "SELECT pg_try_advisory_lock({number})", MYSQL: "SELECT GET_LOCK('sql-to-graphite-{number}', 0)"}


@contextlib.contextmanager
def file_lock(identity: str) -> Iterator[None]:
    """Hold the file of this identity; LockedError where another process does. It is free as soon as that has ended."""
    path = Path(tempfile.gettempdir()) / f"sql-to-graphite-{os.getuid()}-{_number(identity):x}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise PagerError(f"the lock {path}: {(error.strerror or 'cannot be opened').lower()}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise LockedError(f"another run is not over yet: it holds {path}") from None
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def database_lock(identity: str, url: URL) -> Iterator[None]:
    """The same for all machines, by a session of its own. Through a pooler such as PgBouncer it means nothing."""
    sql = _SQL.get(url.get_backend_name())
    if sql is None:
        raise PagerError("--lock db wants PostgreSQL or MySQL: with SQLite use --lock file")
    options = dialects.dialect_of(url).engine_options(url, may_write=False)
    engine = create_engine(url, hide_parameters=True, poolclass=NullPool, isolation_level="AUTOCOMMIT", **options)
    try:
        with connected(engine, {}) as session:
            if not session.exec_driver_sql(sql.format(number=_number(identity))).scalar():
                raise LockedError(f"another run is not over yet: it holds the lock in {place(url)}")
            yield
    except SQLAlchemyError as error:
        raise UnreachableError(f"{place(url)}: {reason(error)}") from None
    finally:
        engine.dispose()


def _number(identity: str) -> int:
    """A number of 62 bits that every process makes of the same text."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) >> 2
