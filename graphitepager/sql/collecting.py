"""One run: every query in turn, its lines to disk, then everything to Graphite, or nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from graphitepager.errors import GraphiteError
from graphitepager.printable import printable
from graphitepager.sql.errors import QueryError, UnreachableError
from graphitepager.sql.lines import Renderer, finished, self_metrics
from graphitepager.sql.model import Tally
from graphitepager.sql.plans import WrongColumnsError
from graphitepager.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphitepager.sql.databases import Database
    from graphitepager.sql.model import Query
    from graphitepager.sql.spool import Spool

_ATTEMPTS = 3
_FIRST_PAUSE_S = 1.0
_MOST_REPEATED_NAMED = 5


class Receiver(Protocol):
    """Where lines go. `send` raises GraphiteError unless all of them were taken."""

    @property
    def place(self) -> str: ...

    def send(self, batches: Iterable[bytes]) -> None: ...


class Watcher(Protocol):
    """Who is told how far a run has come."""

    def show(self, query: str, rows: int) -> None: ...

    def clear(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """What a run is to gather. `prefix` stands before each name, with an API key where there is one."""

    queries: Sequence[Query]
    prefix: str
    timeout_s: float
    progress: Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What became of the queries, by their names; and whether a database did not let us in."""

    tallies: Mapping[str, Tally]
    is_unreachable: bool

    @property
    def is_whole(self) -> bool:
        return all(tally.is_ok for tally in self.tallies.values())


def gather(what: Gathering, databases: Mapping[str, Database], spool: Spool, now: int) -> Gathered:
    """Ask every query, and put its lines and those about the run into the spool. One that fails leaves none behind."""
    tallies: dict[str, Tally] = {}
    closed: dict[str, str] = {}  # databases that did not let us in: each is tried once
    for query in what.queries:
        began = time.monotonic()
        mark = spool.mark()
        tally = tallies[query.name] = Tally()
        what.progress.show(query.name, 0)
        try:
            if query.database in closed:
                raise UnreachableError(closed[query.database])  # noqa: TRY301 - told and counted as the first was
            _collect(query, what, databases[query.database], spool, now, tally)
        except (UnreachableError, QueryError, WrongColumnsError) as error:
            spool.take_back(mark)
            tally.failure = str(error)
            if isinstance(error, UnreachableError):
                closed[query.database] = str(error)
        else:
            spool.keep(query.name, mark)
        tally.seconds = time.monotonic() - began
    what.progress.clear()
    _drop_repeated(spool, tallies)
    for name, tally in tallies.items():
        _tell(name, tally)
        spool.add_plain(self_metrics(name, tally, prefix=what.prefix, now=now))
    gathered = Gathered(tallies=tallies, is_unreachable=bool(closed))
    if gathered.is_whole:
        spool.add_plain([finished(prefix=what.prefix, now=now)])
    return gathered


def deliver(spool: Spool, receiver: Receiver) -> None:
    """Send all of it, from the beginning at every attempt: a point that came twice is the same point."""
    began = time.monotonic()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            receiver.send(spool.batches())
        except GraphiteError as error:
            if error.permanent or attempt == _ATTEMPTS:
                raise
            log.warning("send_failed", reason=str(error), attempt=attempt)
            threading.Event().wait(_FIRST_PAUSE_S * attempt)
        else:
            log.info("sent", lines=spool.count, to=receiver.place, seconds=time.monotonic() - began)
            return


def _collect(query: Query, what: Gathering, database: Database, spool: Spool, now: int, tally: Tally) -> None:
    with database.asked(query.sql, query.timeout_s or what.timeout_s) as answer:
        if not answer.columns:
            raise QueryError("it returned no columns: it is a command, not a query")
        renderer = Renderer(query, answer.columns, prefix=what.prefix, now=now, tally=tally)
        for rows in answer.batches:
            spool.add(renderer.render(rows))
            what.progress.show(query.name, tally.rows)
            if tally.rows > query.max_rows:
                raise QueryError(f"it returned more than max_rows, which is {query.max_rows}")
        if tally.rejected and not tally.good_rows:
            raise QueryError(f"none of its rows can be sent: {tally.named[0]}")
        if tally.good_rows < query.min_rows:
            raise QueryError(f"it gave {tally.good_rows} usable rows, and at least {query.min_rows} are expected")


def _drop_repeated(spool: Spool, tallies: Mapping[str, Tally]) -> None:
    for name, key in spool.drop_repeated():
        tally = tallies[name]
        tally.rejected += 1
        if len(tally.named) < _MOST_REPEATED_NAMED:
            tally.named.append(f"{key}: this name and time are there already")


def _tell(name: str, tally: Tally) -> None:
    counts = {"rows": tally.rows, "nulls": tally.nulls or None, "rejected": tally.rejected or None}
    if tally.failure is None:
        log.info("query", query=name, **counts, seconds=tally.seconds)
    else:
        log.error("query_failed", query=name, reason=printable(tally.failure), **counts, seconds=tally.seconds)
    for example in tally.named:
        log.warning("rejected", query=name, what=example)
