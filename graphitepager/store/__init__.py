"""The state store: what must outlive a restart, changed in whole transactions."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from sqlalchemy import bindparam, delete, insert, select, update

from graphitepager.alerting import AlertMemory
from graphitepager.errors import StoreError
from graphitepager.model import SeriesKey, SeriesState
from graphitepager.records import PollSummary, Snapshot
from graphitepager.store import deliveries as queue
from graphitepager.store import ledger
from graphitepager.store.database import create_engine, database_url, explained
from graphitepager.store.migrations import migrate
from graphitepager.store.tables import known_series, polls, series_states, text_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

    from graphitepager.model import Delivery
    from graphitepager.records import Backlog, Change, OpenIncident, PollRecord

__all__ = ["Store", "database_url"]


class Store:
    """Owns the engine. Safe to share between threads; everything that fails raises StoreError."""

    def __init__(self, engine: Engine, url: URL) -> None:
        self._url = url
        self._reader = engine
        self._writer = engine.execution_options(writes=True)

    @classmethod
    def open(cls, url: URL, *, patience: timedelta = timedelta(seconds=20)) -> Self:
        """Connect, and migrate where needed. `patience` is how long to wait for another process' lock."""
        with explained(url):
            store = cls(create_engine(url, patience=patience), url)
            try:
                migrate(store._writer)
            except BaseException:
                store.close()
                raise
            return store

    def close(self) -> None:
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def load(self) -> Snapshot:
        """Everything that a starting daemon has to know."""
        with self._reading() as db:
            return Snapshot(memories=_load_memories(db), last_poll=_load_poll(db))

    def record(self, poll: PollRecord) -> None:
        """Store one poll in one transaction. To record it again, after a crash or a lost answer, changes nothing.

        Raises StoreError, and stores nothing, where the last poll stored is not the one that this one follows.
        """
        with self._writing() as db:
            # First, because the row's lock lets one poll in at a time, should two processes ever poll at once.
            if not _take_turn(db, poll):
                return
            _save_states(db, poll.states, poll.finished_at)
            _save_known(db, poll.known, poll.finished_at)
            ledger.enter(db, poll.changes)

    def open_incidents(self) -> list[OpenIncident]:
        """Every incident that has not ended, oldest first."""
        with self._reading() as db:
            return ledger.open_incidents(db)

    def tell(self, changes: Sequence[Change]) -> None:
        """Queue these triggers of incidents that are open already; of those that are not (any more), nothing."""
        with self._writing() as db:
            ledger.tell(db, changes)

    def claim(
        self, now: datetime, *, worker: str, lease: timedelta, limit: int, notifier: str | None = None
    ) -> list[Delivery]:
        """Take up to `limit` deliveries to send until `now` + `lease`, critical ones first, a lane in order.

        With `notifier`, only what goes through that one. A lease must be shorter than `deliveries.LONGEST_WAIT`.
        """
        with self._writing() as db:
            return queue.claim(db, now, worker=worker, lease=lease, limit=limit, notifier=notifier)

    def mark_sent(self, delivery_id: int, worker: str, at: datetime, answer: str) -> bool:
        """It was accepted. Like all marks: False, and nothing stored, when the claim has passed to another worker."""
        with self._writing() as db:
            return queue.mark_sent(db, delivery_id, worker, at, answer)

    def mark_failed(self, delivery_id: int, worker: str, error: str, next_attempt_at: datetime) -> bool:
        """It was not accepted, and is to be tried again."""
        with self._writing() as db:
            return queue.mark_failed(db, delivery_id, worker, error, next_attempt_at)

    def mark_dead(self, delivery_id: int, worker: str, at: datetime, error: str) -> bool:
        """It was not accepted and never will be; what follows in its lane may go."""
        with self._writing() as db:
            return queue.mark_dead(db, delivery_id, worker, at, error)

    def release(self, worker: str) -> None:
        """Give back what `worker` has claimed and not finished: the next process need not wait for the lease to end."""
        with self._writing() as db:
            queue.release(db, worker)

    def next_due(self, now: datetime, notifier: str | None = None) -> datetime | None:
        """When `claim` could next return something, possibly in the past; None when nothing is pending."""
        with self._reading() as db:
            return queue.next_due(db, now, notifier)

    def backlog(self) -> Backlog:
        """How many deliveries wait, and how many were given up."""
        with self._reading() as db:
            return queue.backlog(db)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(self._url), self._reader.begin() as db:
            yield db

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with explained(self._url), self._writer.begin() as db:
            yield db


def _load_memories(db: Connection) -> dict[str, AlertMemory]:
    states: dict[str, dict[str, SeriesState]] = {}
    for row in db.execute(select(series_states)):
        states.setdefault(row.alert, {})[row.series] = SeriesState(
            key=SeriesKey(row.alert, row.series),
            level=row.level,
            since=row.since,
            value=row.value,
            no_data_since=row.no_data_since,
            no_data_open=row.no_data_open,
        )
    known: dict[str, dict[str, frozenset[str]]] = {}
    for row in db.execute(select(known_series)):
        known.setdefault(row.alert, {})[row.target] = _unpack(row.names)
    return {
        alert: AlertMemory(states=states.get(alert, {}), known=known.get(alert, {}))
        for alert in states.keys() | known.keys()
    }


def _load_poll(db: Connection) -> PollSummary | None:
    row = db.execute(select(polls.c.started_at, polls.c.answered_at)).one()
    return None if row.started_at is None else PollSummary(started_at=row.started_at, answered_at=row.answered_at)


def _take_turn(db: Connection, poll: PollRecord) -> bool:
    """Make it the last poll; False where it is that already. StoreError where another process polled in between."""
    values = {
        "started_at": poll.started_at,
        "finished_at": poll.finished_at,
        "series": poll.series,
        "failed": poll.failed,
    }
    if poll.answered:
        values["answered_at"] = poll.finished_at
    is_followed = polls.c.started_at.is_not_distinct_from(poll.follows)
    if db.execute(update(polls).where(is_followed).values(values)).rowcount:
        return True
    if db.scalar(select(polls.c.started_at)) == poll.started_at:
        return False
    raise StoreError(
        "another graphite-pager has polled on this database; what it recorded is read before the next poll"
    )


def _save_states(db: Connection, states: Iterable[SeriesState], now: datetime) -> None:
    """Replace by delete and insert: the same on every database, and as quick as an upsert."""
    rows = {
        text_id(*state.key): {
            "id": text_id(*state.key),
            "alert": state.key.alert,
            "series": state.key.series,
            "level": state.level,
            "since": state.since,
            "value": state.value,
            "no_data_since": state.no_data_since,
            "no_data_open": state.no_data_open,
            "updated_at": now,
            "is_quiet": state.is_quiet,
        }
        for state in states
    }
    if rows:
        db.execute(
            delete(series_states).where(series_states.c.id == bindparam("gone")), [{"gone": id_} for id_ in rows]
        )
    if kept := [row for row in rows.values() if not row.pop("is_quiet")]:
        db.execute(insert(series_states), kept)


def _save_known(db: Connection, known: Mapping[str, Mapping[str, frozenset[str]]], now: datetime) -> None:
    if known:
        changed = [{"changed": text_id(alert)} for alert in known]
        db.execute(delete(known_series).where(known_series.c.alert_id == bindparam("changed")), changed)
    if rows := [
        {
            "alert_id": text_id(alert),
            "target_id": text_id(target),
            "alert": alert,
            "target": target,
            "names": _pack(names),
            "updated_at": now,
        }
        for alert, by_target in known.items()
        for target, names in by_target.items()
    ]:
        db.execute(insert(known_series), rows)


def _pack(names: frozenset[str]) -> bytes:
    """Level 1: the names of one alert are much alike, and 100,000 of them take 50 ms instead of 200."""
    lines = "".join(f"{name}\n" for name in sorted(names))
    return zlib.compress(lines.encode("utf-8", "surrogatepass"), level=1)


def _unpack(names: bytes) -> frozenset[str]:
    return frozenset(zlib.decompress(names).decode("utf-8", "surrogatepass").split("\n")[:-1])
