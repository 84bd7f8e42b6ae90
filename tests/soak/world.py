"""The world of one example: clocks, Graphite, PagerDuty, one database, and one or two processes on it."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from graphitepager.errors import StoreError
from graphitepager.outbox import Outbox
from graphitepager.poller import Poller
from tests.examples import NOON
from tests.fakes.pagerduty import FakePagerDuty
from tests.soak.canned import Canned, CannedFetcher
from tests.soak.faults import Boundary, Crash, Fate
from tests.soak.oracle import Oracle
from tests.soak.parts import Network
from tests.soak.rulebook import BOOK, FINE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from structlog.typing import EventDict

    from graphitepager.records import PollRecord
    from graphitepager.rules import Config
    from tests.fakes.pagerduty import Event
    from tests.soak.parts import SoakStore
    from tests.soak.rulebook import Rulebook
    from tests.soak.tally import Tally

_BUGS = {"alert_failed", "poll_failed", "outbox_failed"}

# No two readings of the clock are the same.
_TICK = timedelta(microseconds=7)


class World:
    """Everything outside of the pagers, and the pagers. `skew` is by how much their clock is wrong."""

    def __init__(self, store: SoakStore, database: Path, tally: Tally) -> None:
        self.tally = tally
        self.store = store
        self.true_time: datetime = NOON
        self.skew = timedelta(0)
        self.set_back_at: datetime | None = None  # by the true clock
        self.book = BOOK
        self.reroutes = 0
        self.file_trouble: str | None = None
        self.complaints: list[str] = []
        self.graphite = Canned(lambda: self.true_time)
        for rule in BOOK.rules:
            for series in rule.series:
                self.graphite.measure(series, FINE)
        self.pagerduty = FakePagerDuty(clock=lambda: self.true_time, on_event=self._arrived)
        self.fate = Fate(tally)
        self.network = Network(self.pagerduty, tally, self.wait)
        self.look = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self.oracle = Oracle(self)
        self.plan: tuple[str, Callable[[], object]] | None = None
        self.daemons = [Daemon(self)]

    def watch_log(self) -> None:
        """Complain of what the log says of exceptions that something has swallowed."""
        structlog.configure(processors=[self._log], cache_logger_on_first_use=False)

    def _log(self, _logger: object, _method: str, event: EventDict) -> str:
        if event["event"] in _BUGS:
            self.complaints.append(f"{event['event']}: {event.get('reason')}")
        raise structlog.DropEvent

    def close(self) -> None:
        self.look.close()

    def clock(self) -> datetime:
        """The time as the pagers see it."""
        self.true_time += _TICK
        return self.true_time + self.skew

    def wait(self, seconds: float) -> None:
        self.true_time += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock of the pagers' machine."""
        self.skew += timedelta(seconds=seconds)
        if seconds < 0:
            self.set_back_at = self.true_time

    def meanwhile(self, place: str) -> None:
        """What happens at the same moment elsewhere, if anything is planned for this place."""
        if self.plan is not None and self.plan[0] == place:
            action, self.plan = self.plan[1], None
            action()

    def _arrived(self, event: Event) -> None:
        self.oracle.arrived(event)


class _Process:
    """What one process holds in memory."""

    def __init__(self, daemon: Daemon, world: World) -> None:
        store = daemon.store
        self.poller = Poller(store, world.clock)
        sender = world.network.sender(world.fate, world.oracle.sending, world.meanwhile)
        self.outbox = Outbox("pagerduty", store, lambda _: sender, world.clock, lambda: 0.5)
        self.book: Rulebook | None = None
        self.config: Config = world.book.config()
        self.told_by: Config | None = None
        self.withdrawn_by: Config | None = None


class Daemon:
    """A pager that is started anew by its supervisor whenever it has died. It does what daemon.py does in one turn."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self.store = world.store.attach(world.fate, self._recorded)
        self._fetcher = CannedFetcher(world.graphite, lambda: world.book, self._fetched)
        self._process: _Process | None = None

    def die(self) -> None:
        self._process = None

    def reload(self) -> None:
        """Have it read alerts.yml again, as somebody does who has just corrected a key."""
        if self._process is not None:
            self._process.book = None

    def stop(self) -> None:
        """SIGTERM in the middle of a send: it gives back what it has claimed, and is gone."""
        if self._process is not None:
            self._live(lambda process: process.outbox.release())

    def poll(self) -> None:
        self._live(self._poll)

    def send(self) -> None:
        self._live(lambda process: process.outbox.send_due(self._stop))

    def _live(self, act: Callable[[_Process], None]) -> None:
        """Act, until something kills it; what the database refuses is tried again another time."""
        try:
            if self._process is None:
                self._process = _Process(self, self._world)
            act(self._process)
        except StoreError as error:
            if "another graphite-pager" in str(error):
                self._world.tally.refused_polls += 1
        except Crash:
            self.die()

    def _poll(self, process: _Process) -> None:
        if process.book is not self._world.book:
            process.book, process.config = self._world.book, replace(self._world.book.config())
        config = process.config
        process.poller.tick(config, self._fetcher, self._stop, self._world.file_trouble)
        if process.told_by is not config and process.poller.tell_untold(config):
            process.told_by = config
        if process.withdrawn_by is not config and process.poller.withdraw(config):
            process.withdrawn_by = config

    def _fetched(self, place: str) -> None:
        self._world.fate.reach(Boundary.WHILE_FETCHING, "")
        self._world.meanwhile(place)

    def _recorded(self, poll: PollRecord) -> None:
        self._world.oracle.recorded(poll, self._fetcher.seen)
