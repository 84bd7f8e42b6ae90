"""The state store: what must outlive a restart, changed in whole transactions."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from graphitepager.errors import StoreError
from graphitepager.records import Snapshot
from graphitepager.store import configs, glances, history, lastpoll, ledger, states, stories
from graphitepager.store import deliveries as queue
from graphitepager.store import followups as following
from graphitepager.store import secrets as private
from graphitepager.store import silences as mutes
from graphitepager.store import tallies as counters
from graphitepager.store.database import create_engine, database_url, explained, file_identity, place
from graphitepager.store.lease import LockLease, RowLease
from graphitepager.store.migrations import HEAD, migrate, require_newest
from graphitepager.tallies import transitions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

    from graphitepager.followups import FollowUp, Told
    from graphitepager.glance import Glance
    from graphitepager.model import Delivery, Matcher, NearMiss, SeriesKey, Silence
    from graphitepager.records import (
        Backlog,
        Change,
        IncidentStory,
        KeptConfig,
        KnownIncident,
        OpenIncident,
        PollRecord,
        PollSummary,
    )
    from graphitepager.rules import Route
    from graphitepager.store.lease import Lease

__all__ = ["HEAD", "Store", "database_url", "place"]

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """Owns the engine. Safe to share between threads; everything that fails raises StoreError."""

    def __init__(self, engine: Engine, url: URL) -> None:
        self._url = url
        self._reader = engine
        self._writer = engine.execution_options(writes=True)
        self._file: tuple[int, int] | None = None
        self.found: str | None = HEAD  # the revision that its tables were at; None where there were none

    @classmethod
    def open(cls, url: URL, *, patience: timedelta = timedelta(seconds=20)) -> Self:
        """Connect, and migrate where needed. `patience` is how long to wait for another process' lock."""
        with explained(url):
            store = cls(create_engine(url, patience=patience), url)
            try:
                store.found = migrate(store._writer)
                store._file = file_identity(url)
            except BaseException:
                store.close()
                raise
            return store

    @classmethod
    def open_to_read(cls, url: URL, *, patience: timedelta = timedelta(seconds=20)) -> Self:
        """Connect to what a pager has left there, and change nothing; StoreError where none of this release has run."""
        with explained(url):
            if url.get_backend_name() == "sqlite" and file_identity(url) is None:
                raise StoreError(f"{place(url)}: there is no such file; no graphite-pager has run there yet")
            store = cls(create_engine(url, patience=patience), url)
            try:
                require_newest(store._reader)
            except BaseException:
                store.close()
                raise
            return store

    def check_place(self) -> None:
        """Raise StoreError where the SQLite file was deleted or replaced: what is written to it is lost."""
        if self._file != file_identity(self._url):
            raise StoreError(f"{place(self._url)}: its file was deleted or replaced while in use: start again")

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
            return Snapshot(memories=states.load(db), last_poll=lastpoll.summary(db))

    def glance(self, now: datetime) -> Glance:
        """All that is known now, as it was at one moment: cheap enough to ask for at each page that is shown."""
        with self._reading_at_one_moment() as db:
            return glances.glance(db, now)

    def last_poll(self) -> PollSummary | None:
        """The last complete poll, of whichever process; None before the first."""
        with self._reading() as db:
            return lastpoll.summary(db)

    def known_series(self, alerts: Collection[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Which series these alerts are known to have, by alert and target."""
        with self._reading() as db:
            return states.load_known(db, alerts)

    def record(self, poll: PollRecord) -> tuple[Change, ...]:
        """Store one poll in one transaction. To record it again, after a crash or a lost answer, changes nothing.

        Returns the resolves that need not be told, because nobody had been told yet of what they end. Raises
        StoreError, and stores nothing, where the last poll stored is not the one that this one follows.
        """
        with self._writing() as db:
            # First, because the row's lock lets one poll in at a time, should two processes ever poll at once.
            if not lastpoll.take_turn(db, poll):
                return ()
            states.save(db, poll.states, poll.finished_at)
            states.save_known(db, poll.known, poll.finished_at)
            ledger.enter_near_misses(db, poll.near_misses)
            needless = ledger.enter(db, poll.changes)
            counters.add_transitions(db, transitions(poll))
            return needless

    def lease(self, holder: str, lasts: timedelta) -> Lease:
        """The right to poll, which one `holder` at a time can have; unrenewed it `lasts` so long, LONGEST at most."""
        kind = RowLease if self._url.get_backend_name() == "sqlite" else LockLease
        return kind(self._reader, self._url, holder, lasts)

    def open_incidents(self) -> list[OpenIncident]:
        """Every incident that has not ended, oldest first."""
        with self._reading() as db:
            return ledger.open_incidents(db)

    def known_incidents(self) -> Mapping[str, KnownIncident]:
        """The newest incident of every dedup key."""
        with self._reading() as db:
            return ledger.known_incidents(db)

    def tell(self, changes: Sequence[Change]) -> None:
        """Queue these for their routes, of incidents that are open already; of those that are not, nothing.

        A trigger tells somebody new; a resolve ends an incident in one place, while it goes on in another.
        """
        with self._writing() as db:
            ledger.tell(db, changes)

    def told(self) -> list[Told]:
        """The triggers of every open incident, oldest first, whatever became of them."""
        with self._reading() as db:
            return following.told(db)

    def accepted_since(self, moment: datetime) -> Mapping[Route, datetime]:
        """When each route last accepted anything, as far as that was since then."""
        with self._reading() as db:
            return following.accepted_since(db, moment)

    def follow_up(self, wanted: Collection[FollowUp], now: datetime) -> list[FollowUp]:
        """Queue these for those who have not heard of their incidents, which must be open; return which that were."""
        with self._writing() as db:
            return following.follow_up(db, wanted, now)

    def claim(
        self,
        now: datetime,
        *,
        worker: str,
        lease: timedelta,
        limit: int,
        notifier: str | None = None,
        paused: Collection[str] = (),
    ) -> list[Delivery]:
        """Take up to `limit` deliveries to send until `now` + `lease`, critical ones first, a lane in order.

        With `notifier`, only what goes through that one; nothing that goes to an address in `paused`. A lease must be
        shorter than `deliveries.LONGEST_WAIT`.
        """
        with self._writing() as db:
            return queue.claim(db, now, worker=worker, lease=lease, limit=limit, notifier=notifier, paused=paused)

    def claim_digest(self, now: datetime, first: Delivery, *, worker: str, lease: timedelta) -> list[Delivery]:
        """Take all else that is due and collected for the same route as this delivery, which is claimed."""
        with self._writing() as db:
            return queue.claim_digest(db, now, first, worker=worker, lease=lease)

    def sent_since(self, notifier: str, moment: datetime) -> list[tuple[str, datetime]]:
        """The address and the time of everything that the notifier has delivered since then, in order."""
        with self._reading() as db:
            return queue.sent_since(db, notifier, moment)

    def mark_sent(self, delivery_id: int, worker: str, at: datetime, answer: str) -> bool:
        """It was accepted. Like all marks: False, and nothing stored, when the claim has passed to another worker."""
        with self._writing() as db:
            return queue.mark_sent(db, delivery_id, worker, at, answer)

    def mark_failed(
        self, delivery_id: int, worker: str, error: str, next_attempt_at: datetime, *, make_minimal: bool = False
    ) -> bool:
        """It was not accepted, and is to be tried again, with `make_minimal` as the least that tells what is wrong."""
        with self._writing() as db:
            return queue.mark_failed(db, delivery_id, worker, error, next_attempt_at, make_minimal=make_minimal)

    def mark_dead(self, delivery_id: int, worker: str, at: datetime, error: str) -> bool:
        """It was not accepted and never will be; what follows in its lane may go."""
        with self._writing() as db:
            return queue.mark_dead(db, delivery_id, worker, at, error)

    def release(self, worker: str) -> None:
        """Give back what `worker` has claimed and not finished: the next process need not wait for the lease to end."""
        with self._writing() as db:
            queue.release(db, worker)

    def next_due(self, now: datetime, notifier: str | None = None, paused: Collection[str] = ()) -> datetime | None:
        """When `claim` could next return something, possibly in the past; None when nothing (else) is pending."""
        with self._reading() as db:
            return queue.next_due(db, now, notifier, paused)

    def waiting_notifiers(self) -> dict[str, int]:
        """The notifiers that something waits for, due or not, and for how many of their addresses."""
        with self._reading() as db:
            return queue.waiting_notifiers(db)

    def backlog(self) -> Backlog:
        """What waits, and how much was given up."""
        with self._reading() as db:
            return queue.backlog(db)

    def add_silence(
        self, *, matchers: Sequence[Matcher], author: str, comment: str, begins_at: datetime, ends_at: datetime
    ) -> Silence:
        with self._writing() as db:
            return mutes.add(db, matchers, author, comment, begins_at, ends_at)

    def silences(self, now: datetime | None = None) -> tuple[Silence, ...]:
        """Those that have not ended at `now`, or all that there ever were."""
        with self._reading() as db:
            return mutes.everything(db) if now is None else mutes.active(db, now)

    def end_silence(self, silence_id: int, now: datetime) -> Silence | None:
        """End it now; None where there is none with that number, or it is over."""
        with self._writing() as db:
            return mutes.end(db, silence_id, now)

    def forget(self, before: datetime, at_most: int) -> bool:
        """Delete history that ended earlier, up to `at_most` rows of each kind; False where there may be more."""
        with self._writing() as db:
            return history.forget(db, before, at_most)

    def incidents_of(self, key: SeriesKey, since: datetime, until: datetime) -> list[IncidentStory]:
        """What was open in that time of a series, or of its alert as a whole, in order."""
        with self._reading() as db:
            return stories.incidents_of(db, *key, since, until)

    def near_misses_of(self, key: SeriesKey, since: datetime, until: datetime) -> list[NearMiss]:
        """The breaches of that time that fired nothing, in order."""
        with self._reading() as db:
            return stories.near_misses_of(db, *key, since, until)

    def remembered_since(self) -> datetime | None:
        """The oldest moment of which anything is known; None of an empty database."""
        with self._reading() as db:
            return stories.remembered_since(db)

    def keep_config(self, config: KeptConfig, now: datetime) -> None:
        """Keep it as the last good one."""
        with self._writing() as db:
            configs.keep(db, config, now)

    def kept_config(self) -> KeptConfig | None:
        """The last good one, if there ever was one."""
        with self._reading() as db:
            return configs.kept(db)

    def ask(self, question: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer to a question that pages and programs have, such as those in `listings`, as of one moment."""
        with self._reading_at_one_moment() as db:
            return question(db, *args, **kwargs)

    def secret(self) -> str:
        """64 hexadecimal digits that only this database's processes know, the same for all of them and for ever."""
        with self._reading() as db:
            secret = private.kept(db)
        if secret is None:
            with self._writing() as db:
                private.make(db)
                secret = private.kept(db)
            assert secret is not None  # noqa: S101 - for mypy: one of the processes has made it
        return secret

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with explained(self._url), self._reader.begin() as db:
            yield db

    @contextmanager
    def _reading_at_one_moment(self) -> Iterator[Connection]:
        """All statements see the same; SQLite's transactions are always so."""
        if self._url.get_backend_name() == "sqlite":
            with self._reading() as db:
                yield db
            return
        with explained(self._url), self._reader.connect() as db:
            db.execution_options(isolation_level="REPEATABLE READ")
            with db.begin():
                yield db

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with explained(self._url), self._writer.begin() as db:
            yield db
