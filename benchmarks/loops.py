"""The three that are compared: the least that any program could do, the daemon's poll, and a loop as first written."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import requests
import sqlalchemy

from graphitepager.graphite import Fetcher
from graphitepager.poller import Poller
from graphitepager.rules import Alert, Config, Entry, Query, Settings
from graphitepager.store import Store, database_url
from graphitepager.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from graphitepager.records import PollRecord

_WARNING, _CRITICAL = 80.0, 90.0


def config(url: str, alerts: int) -> Config:
    """So many alerts with a target each."""

    def threshold(bound: float) -> Threshold:
        return Threshold(operator=Operator.AT_LEAST, bound=bound)

    entries = (
        Entry(
            query=Query(f"servers.*.cpu.user{number}", "-1min", None),
            warning=threshold(_WARNING),
            critical=threshold(_CRITICAL),
            line=1,
        )
        for number in range(alerts)
    )
    return Config(
        settings=Settings(graphite_url=url),
        alerts=tuple(Alert(name=f"CPU {number}", entries=(entry,)) for number, entry in enumerate(entries)),
    )


@contextmanager
def daemon(url: str, alerts: int, folder: Path) -> Iterator[Callable[[], PollRecord]]:
    """The daemon's whole poll: state, database and all."""
    path = folder / "daemon.db"
    with Store.open(database_url(f"sqlite:///{path}", beside="", on_heroku=False)) as store:
        wanted = config(url, alerts)
        poller = Poller(store, lambda: datetime.now(UTC))
        with closing(Fetcher(wanted.settings)) as fetcher:

            def poll() -> PollRecord:
                tick = poller.tick(wanted, fetcher, threading.Event())
                assert tick is not None
                assert not tick.failures
                return tick.record

            yield poll


@contextmanager
def plain(url: str, alerts: int) -> Iterator[Callable[[], int]]:
    """The ceiling: a kept connection, the last value from the right, one comparison, a dict."""
    levels: dict[tuple[str, bytes], bool] = {}
    wanted = config(url, alerts)
    with closing(http.client.HTTPConnection(urlsplit(url).netloc)) as host:

        def poll() -> int:
            for alert in wanted.alerts:
                judged_plainly(alert.name, asked_plainly(host, alert), levels)
            return len(levels)

        yield poll


def judged_plainly(alert: str, body: bytes, levels: dict[tuple[str, bytes], bool]) -> None:
    """Compare the last value of each series, and note the result: what nobody can do without."""
    for line in body.splitlines():
        head, _, points = line.rpartition(b"|")
        values = points.rsplit(b",", 2)
        last = values[-1] if values[-1] != b"None" else values[-2]
        levels[alert, head.rsplit(b",", 3)[0]] = float(last) >= _CRITICAL


@contextmanager
def naive(url: str, alerts: int, folder: Path) -> Iterator[Callable[[], int]]:
    """The floor, with the same libraries: a new connection a target, every point a number, a SELECT a series."""
    wanted = config(url, alerts)
    engine = sqlalchemy.create_engine(f"sqlite:///{folder / 'naive.db'}")
    states = sqlalchemy.Table(
        "states",
        sqlalchemy.MetaData(),
        sqlalchemy.Column("name", sqlalchemy.Text, primary_key=True),
        sqlalchemy.Column("level", sqlalchemy.Text),
    )
    states.create(engine)

    def level_before(name: str) -> str | None:
        with engine.connect() as db:
            return db.scalar(sqlalchemy.select(states.c.level).where(states.c.name == name))

    def poll() -> int:
        breaching = 0
        for alert in wanted.alerts:
            answer = requests.post(f"{url}/render", data=_form(alert), timeout=10)
            for line in answer.text.splitlines():
                head, _, points = line.rpartition("|")
                values = [float(text) for text in points.split(",") if text != "None"]
                level = "critical" if values[-1] >= _CRITICAL else None
                breaching += level_before(f"{alert.name} {head.rsplit(',', 3)[0]}") != level
        return breaching

    try:
        yield poll
    finally:
        engine.dispose()


def _form(alert: Alert) -> dict[str, str]:
    query = alert.entries[0].query
    return {"target": query.target, "from": query.from_, "format": "raw", "noCache": "1"}


def asked_plainly(host: http.client.HTTPConnection, alert: Alert) -> bytes:
    """One request on a kept connection, as http.client makes it."""
    host.request("POST", "/render", urlencode(_form(alert)), {"Content-Type": "application/x-www-form-urlencoded"})
    return host.getresponse().read()
