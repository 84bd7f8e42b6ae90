"""Which process leads: a thread asks for the lease and keeps it, whatever the loop is at."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager.errors import StoreError, describe_bug
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from graphitepager.store.lease import Lease

_SHORTEST_LEASE = timedelta(seconds=3)
_LONGEST_LEASE = timedelta(seconds=90)
_LONGEST_RETRY_S = 1.0
_LAST_WORDS_S = 5.0


def lease_for(heartbeat_s: float) -> timedelta:
    """How long a lease lasts: so that another process has it within two heartbeats of a sudden death."""
    return min(max(timedelta(seconds=1.5 * heartbeat_s), _SHORTEST_LEASE), _LONGEST_LEASE)


def unique_name() -> str:
    """What no other process is called, and what tells people where to look."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


class Term(threading.Event):
    """One time of leading. It is set once that is over: the lease is lost or not renewed in time, or `stop` is set."""

    def __init__(self, stop: threading.Event, until: float) -> None:
        super().__init__()
        self._stop = stop
        self._until = until
        self._renewing = threading.Lock()

    def is_set(self) -> bool:
        with self._renewing:
            if time.monotonic() >= self._until:
                self.set()
            return super().is_set() or self._stop.is_set()

    def renew(self, until: float) -> bool:
        """Let it last until then on the monotonic clock; False when it is over already."""
        if self.is_set():
            return False
        with self._renewing:
            self._until = until
        return True


class Leadership:
    """Asks for the lease and renews it. `term` is there while this process leads.

    `woken` is called when that changes, `alive` every time that the thread has asked.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        heartbeat_s: float,
        stop: threading.Event,
        clock: Callable[[], datetime],
        woken: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        self._lease = lease
        self._lasts_s = lease_for(heartbeat_s).total_seconds()
        self._renew_s = self._lasts_s / 4.5  # a third of a heartbeat
        self._retry_s = min(_LONGEST_RETRY_S, heartbeat_s / 4)
        self._stop = stop
        self._clock = clock
        self._woken = woken
        self._alive = alive
        self._term: Term | None = None
        self._is_told = False  # that this process stands by
        self._last_failure: str | None = None
        self._ending = threading.Event()

    @property
    def term(self) -> Term | None:
        """The present one, unless it is over."""
        term = self._term
        return None if term is None or term.is_set() else term

    @contextlib.contextmanager
    def sought(self) -> Iterator[None]:
        """Seek to lead inside the block; afterwards another may."""
        thread = threading.Thread(target=self._run, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            if self._term is not None:
                self._term.set()
            self._ending.set()
            thread.join(_LAST_WORDS_S)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._alive()
            self._ask()
            self._ending.wait(self._retry_s if self.term is None else self._renew_s)
        with contextlib.suppress(StoreError):  # it ends by itself
            self._lease.release()

    def _ask(self) -> None:
        began = time.monotonic()
        try:
            has_it = self._lease.acquire(self._clock())
        except StoreError as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - the thread must outlive any bug
            self._failed(describe_bug(error))
        else:
            self._last_failure = None
            if not has_it:
                self._follow()
            elif self._term is None or not self._term.renew(began + self._lasts_s):
                self._term = Term(self._stop, began + self._lasts_s)
                self._is_told = False
                self._woken()

    def _follow(self) -> None:
        if self._term is not None:
            self._term.set()
            self._term = None
            log.error("lease_lost", reason="the database gave it to another process, or has lost the connection")
            self._woken()
        if not self._is_told:
            log.info("standby")
            self._is_told = True

    def _failed(self, reason: str) -> None:
        """Nobody knows whether it is ours: what it was good for before, it is good for still."""
        if reason != self._last_failure:
            log.error("lease_failed", reason=reason)
        self._last_failure = reason
        if self._term is not None and self._term.is_set():
            self._term = None
            log.error("lease_lost", reason="it could not be renewed in time")
            self._woken()
