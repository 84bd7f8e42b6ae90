"""One poller at a time: a lock of a PostgreSQL session, or a row that says who polls and until when."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import or_, update

from graphitepager.store.database import explained
from graphitepager.store.tables import leases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Engine
    from sqlalchemy.engine import URL

# No lease lasts longer. A row that says so was written by a clock that has been set back since.
LONGEST = timedelta(seconds=90)

# Any number, as long as every graphite-pager takes the same one; the schema is the other half of the key.
_TRY_LOCK = f"SELECT pg_try_advisory_lock({0x6770_6C64}, hashtext(current_schema()))"

# How long the server may take for an answer that costs it nothing.
_PATIENCE_S = 5.0

# So that the server notices within some ten seconds that the other end is gone without a word.
_VANISHED = {
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


class Lease(Protocol):
    """The right to poll and to send. For one thread."""

    def acquire(self, now: datetime) -> bool:
        """Take it, or keep it; False where somebody else has it, or it is lost. Raises StoreError when in doubt."""
        ...

    def release(self) -> None:
        """Give it back, if it is held. Raises StoreError."""
        ...


class RowLease:
    """A row that names the holder. Who does not renew it in time loses it, by the clocks of those who want it."""

    def __init__(self, engine: Engine, url: URL, holder: str, lasts: timedelta) -> None:
        self._engine = engine.execution_options(writes=True)
        self._url = url
        self._holder = holder
        self._lasts = min(lasts, LONGEST)

    def acquire(self, now: datetime) -> bool:
        expiry = leases.c.expires_at
        is_free = or_(leases.c.holder.is_(None), leases.c.holder == self._holder, expiry <= now, expiry > now + LONGEST)
        take = update(leases).where(is_free).values(holder=self._holder, expires_at=now + self._lasts)
        with explained(self._url), self._engine.begin() as db:
            return bool(db.execute(take).rowcount)

    def release(self) -> None:
        free = update(leases).where(leases.c.holder == self._holder).values(holder=None, expires_at=None)
        with explained(self._url), self._engine.begin() as db:
            db.execute(free)


class LockLease:
    """An advisory lock, which the server frees as soon as our connection ends or has been silent for too long.

    A pooler such as PgBouncer may hand each statement to another session, where a lock means nothing: behind one it
    is the row that counts.
    """

    def __init__(self, engine: Engine, url: URL, holder: str, lasts: timedelta) -> None:
        self._engine = engine
        self._url = url
        self._lasts = min(lasts, LONGEST)
        self._row = RowLease(engine, url, holder, lasts)
        self._session: _Session | None = None
        self._is_pooled = False
        self._is_held = False

    def acquire(self, now: datetime) -> bool:
        if self._session is None and not self._is_pooled:
            self._connect()
        if self._is_pooled:
            return self._row.acquire(now)
        if self._session is None:
            return False
        try:
            if self._is_held:
                self._session.ask("SELECT 1")
            else:
                self._is_held = bool(self._session.ask(_TRY_LOCK))
        except self._driver_error:  # whatever it was: nobody knows now who has the lock
            self._hang_up()
        return self._is_held

    def release(self) -> None:
        self._hang_up()
        if self._is_pooled:
            self._row.release()

    def _connect(self) -> None:
        with explained(self._url):
            db = self._engine.connect()
            driver = db.connection.driver_connection
            db.detach()  # from the pool, which would otherwise count it, and reset it
        session = _Session(driver)
        try:
            session.take_over()
            self._is_pooled = session.is_pooled()
            if not self._is_pooled:  # whose sessions others use as well
                session.watch_for_silence(self._lasts)
        except self._driver_error:  # the next time it is asked for tries again
            session.hang_up()
            return
        self._session = session
        if self._is_pooled:
            self._hang_up()

    def _hang_up(self) -> None:
        self._is_held = False
        if self._session is not None:
            self._session.hang_up()
            self._session = None

    @property
    def _driver_error(self) -> type[Exception]:
        error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        return error


class _Session:
    """A session of the server that nothing else uses; every question is answered soon, or the line is cut."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        # A second handle on the same line: the driver's own must not be touched while another thread is using it.
        self._line = socket.socket(fileno=os.dup(driver.fileno()))

    def ask(self, question: str, parameters: tuple[str, ...] = ()) -> Any:
        """The first value of the answer, None without one. Raises the driver's error."""
        with self._at_most(_PATIENCE_S):
            row = self._driver.execute(question, parameters).fetchone()
        return row and row[0]

    def take_over(self) -> None:
        """Have each statement stand for itself from now on."""
        with self._at_most(_PATIENCE_S):
            self._driver.rollback()
        self._driver.autocommit = True

    def is_pooled(self) -> bool:
        """Whether there is a pooler in between, which makes up the process number that it greets us with."""
        return bool(self.ask("SELECT pg_backend_pid()") != self._driver.info.backend_pid)

    def watch_for_silence(self, lasts: timedelta) -> None:
        """Have the server end the session, and with it the lock, when we have vanished or been frozen."""
        # Older servers than 14 do not know the last one; a client that is frozen keeps its lock there.
        settings = _VANISHED | {"idle_session_timeout": str(round(lasts.total_seconds() * 1000))}
        for name, value in settings.items():
            self.ask("SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s", (value, name))

    def hang_up(self) -> None:
        self._driver.close()
        self._line.close()

    @contextlib.contextmanager
    def _at_most(self, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        with contextlib.suppress(OSError):  # it is closed already
            self._line.shutdown(socket.SHUT_RDWR)
