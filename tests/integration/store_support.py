"""What the tests of the store share: empty databases of both kinds, and short ways to write polls and changes."""

from __future__ import annotations

import os
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy.engine import URL

from graphitepager.incidents import dedup_key
from graphitepager.model import Event, EventKind, Incident, Link, Message, SeriesKey, SeriesState
from graphitepager.records import Change, PollRecord
from graphitepager.rules import Level, Route
from graphitepager.store.database import database_url
from tests.support import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graphitepager.store import Store

KINDS = ("sqlite", "postgresql")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGERDUTY = Route("pagerduty", "R0UT1NGKEY")

_POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")


@contextmanager
def empty_database(kind: str, directory: Path) -> Iterator[URL]:
    """An SQLite file that does not exist yet, or a PostgreSQL schema of its own, which goes afterwards."""
    if kind == "sqlite":
        yield URL.create("sqlite", database=str(directory / "state.db"))
        return
    schema = f"test_{uuid.uuid4().hex}"
    try:
        server = psycopg.connect(_POSTGRES_URL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        missing(f"no PostgreSQL at TEST_POSTGRES_URL: {error}")
    with closing(server):
        server.execute(f"CREATE SCHEMA {schema}")
        try:
            url = database_url(_POSTGRES_URL, beside="", on_heroku=False)
            yield url.update_query_dict({"options": f"-c search_path={schema}"})
        finally:
            server.execute(f"DROP SCHEMA {schema} CASCADE")


def poll(*changes: Change, at: datetime = NOON, **fields: Any) -> PollRecord:
    """A poll that follows none, unless `follows` is among the fields."""
    everything: dict[str, Any] = {"started_at": at, "finished_at": at, "series": 3, "failed": 0, "changes": changes}
    return PollRecord(**everything | fields)


def record(store: Store, *changes: Change, **fields: Any) -> tuple[Change, ...]:
    """Record one more poll: the first at noon, each of the others a second after the one that it follows."""
    last = store.load().last_poll
    chained = {"at": last.started_at + timedelta(seconds=1), "follows": last.started_at} if last else {}
    return store.record(poll(*changes, **chained | fields))


def firing(key: SeriesKey, level: Level = Level.WARNING, *, since: datetime = NOON, **fields: Any) -> SeriesState:
    """A series with an open incident that everybody was told of."""
    return SeriesState(key=key, incident=Incident(level=level, since=since, told_at=since), **fields)


def triggered(
    series: str, *routes: Route, level: Level = Level.WARNING, at: datetime = NOON, value: float | None = 1.0
) -> Change:
    return _change(EventKind.TRIGGERED, series, level, at, value, routes or (PAGERDUTY,))


def held(series: str, *, level: Level = Level.WARNING, by: str = "silence 1") -> Change:
    """A trigger that nobody is to hear of now."""
    change = _change(EventKind.TRIGGERED, series, level, NOON, 1.0, ())
    return replace(change, event=replace(change.event, held_by=by))


def repeated(series: str, *, level: Level = Level.WARNING, at: datetime = NOON) -> Change:
    return _change(EventKind.REPEATED, series, level, at, 1.0, ())


def resolved(series: str, *routes: Route, level: Level = Level.WARNING, at: datetime = NOON) -> Change:
    return _change(EventKind.RESOLVED, series, level, at, 0.0, routes)


def told(store: Store) -> list[tuple[EventKind, str, Level, Route]]:
    """Send everything there is, in the order in which it may leave."""
    sent = []
    while claimed := store.claim(NOON + timedelta(hours=1), worker="w", lease=timedelta(minutes=1), limit=100):
        for each in claimed:
            sent.append((each.message.kind, each.message.series, each.message.level, each.route))
            assert store.mark_sent(each.id, "w", NOON, "202")
    return sent


def _change(
    kind: EventKind, series: str, level: Level, at: datetime, value: float | None, routes: tuple[Route, ...]
) -> Change:
    key = SeriesKey("Load", series)
    event = Event(kind=kind, key=key, level=level, at=at, since=at, value=value, reason="back to Nominal")
    message = Message(
        kind=kind,
        level=level,
        dedup_key=dedup_key(key, level),
        alert="Load",
        series=series,
        summary=f"{level.label}: {series}",
        at=at,
        details={"value": value, "host": "ĥost\0", "none": None},
        links=(Link("https://graphite.example.com/?a=1&b=2", "graph"),),
    )
    return Change(event=event, message=message, routes=routes)
