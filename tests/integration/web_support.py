"""A pager's past and its status page: real polls of made-up series, minute by minute, and the pages of that."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from graphitepager import rawdata
from graphitepager.durations import parse_offset
from graphitepager.errors import FetchError
from graphitepager.model import Series
from graphitepager.pastcurves import PastCurves
from graphitepager.poller import Poller
from graphitepager.records import KeptConfig
from graphitepager.silences import parse_matcher
from graphitepager.store.glances import version_of
from graphitepager.trends import Trends
from graphitepager.web import create_app
from graphitepager.web.site import Site
from graphitepager.websettings import Address, WebSettings
from tests.unit.config_support import ENVIRON, load

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from flask import Flask
    from flask.testing import FlaskClient

    from graphitepager.graphite import Take
    from graphitepager.model import Silence
    from graphitepager.rawdata import RawAnswer
    from graphitepager.retracing import Answers
    from graphitepager.rules import Config, Query, Settings
    from graphitepager.store import Store

    # What a series is at each minute; None where it has no datapoint. A series that is gone is not among them.
    Values = Mapping[str, float | None]

# What is asked of a few series only; see retracing.picked.
_PICKED = re.compile(r'grep\((.*),"[^"]*"\)')
NIGHT = datetime(2026, 3, 3, 2, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STEP_S = 60
ADDRESS = Address("127.0.0.1", 8000)


class Metrics:
    """Stands in for Graphite: answers each target with what `at` says of each of the last minutes."""

    def __init__(self, at: Callable[[str, int], Values]) -> None:
        self._at = at
        self.minute = 0
        self.is_down = False

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: threading.Event) -> None:
        for query in queries:
            if self.is_down:
                take(query, FetchError(query.target, "connection refused"))
                continue
            window = self._minutes_back(query.from_)
            minutes = range(max(self.minute - window, 0), self.minute + 1)
            past = [self._at(query.target, minute) for minute in minutes]
            start = int(NIGHT.timestamp()) + STEP_S * (minutes[0] - 1)
            lines = [Series(name, start, start + STEP_S * len(past), STEP_S, _points(name, past)) for name in past[-1]]
            take(query, rawdata.holding(lines, []))

    def _minutes_back(self, text: str) -> int:
        """How long ago a time of a query is: relative, or in epoch seconds."""
        if text.isdecimal():
            return self.minute - (int(text) - int(NIGHT.timestamp())) // STEP_S
        return -(parse_offset(text) or timedelta(0)) // MINUTE


def _points(name: str, past: list[Values]) -> bytes:
    values = (one.get(name) for one in past)
    return ",".join("None" if value is None else repr(float(value)) for value in values).encode()


class Pager:
    """A pager that polls once a minute and hands over what it can; `refusing` are the notifiers that take nothing."""

    def __init__(self, store: Store, alerts: str, at: Callable[[str, int], Values], **environ: str) -> None:
        loaded = load(alerts, ENVIRON | environ, source="alerts.yml")
        assert loaded.config is not None, [problem.headline for problem in loaded.problems]
        self.loaded = loaded
        self.config: Config = loaded.config
        self.text = alerts
        self.store = store
        self.metrics = Metrics(at)
        self.refusing: set[str] = set()
        self.refuses_for_good = False
        self.trouble: str | None = None
        self._asking = threading.Lock()
        self._poller = Poller(store, lambda: self.now)
        store.keep_config(KeptConfig("alerts.yml", alerts), NIGHT - timedelta(days=2))

    @property
    def now(self) -> datetime:
        return NIGHT + self.metrics.minute * MINUTE

    def poll(self, times: int = 1) -> None:
        for _ in range(times):
            self._poller.tick(self.config, self.metrics, threading.Event(), file_trouble=self.trouble)
            self._send()
            self.metrics.minute += 1

    def silence(self, *matchers: str, author: str, comment: str, hours: float = 2) -> Silence:
        return self.store.add_silence(
            matchers=tuple(map(parse_matcher, matchers)),
            author=author,
            comment=comment,
            begins_at=self.now,
            ends_at=self.now + timedelta(hours=hours),
        )

    def ask(self, settings: Settings, queries: Collection[Query]) -> Answers:
        """As the pages ask Graphite."""
        with self._asking:
            found = {query: query._replace(target=_PICKED.sub(r"\1", query.target)) for query in queries}
            given: dict[Query, RawAnswer | FetchError] = {}
            self.metrics.fetch(found.values(), given.__setitem__, deadline_s=1, stop=threading.Event())
            return {query: given[plain] for query, plain in found.items()}

    def _send(self) -> None:
        while claimed := self.store.claim(self.now, worker="demo", lease=MINUTE / 2, limit=1000):
            for one in claimed:
                if self.refuses_for_good:
                    self.store.mark_dead(one.id, "demo", self.now, "400 Bad Request")
                elif one.route.notifier in self.refusing:
                    later = self.now + MINUTE / 2
                    self.store.mark_failed(one.id, "demo", "503 Service Unavailable", later)
                else:
                    self.store.mark_sent(one.id, "demo", self.now, "202")


def site_of(pager: Pager, *, seconds: float = 12, **other: Any) -> Site:
    """What the pages are made of, so many seconds after the last poll."""
    at = pager.now - MINUTE + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "store": lambda: pager.store,
        "configuration": lambda: pager.config,
        "loaded": lambda: pager.loaded,
        "trouble": lambda: None,
        "version": lambda: version_of(pager.text),
        "clock": lambda: at,
        "settings": WebSettings(),
        "address": ADDRESS,
        "secret": lambda: "s" * 32,
        "trends": Trends(lambda: pager.config, lambda: at, pager.ask, start=lambda _: None),
        "past": PastCurves(lambda: pager.config, lambda: at, pager.ask),
    }
    return Site(**values | other)


def app_of(pager: Pager, **other: Any) -> Flask:
    return create_app(site_of(pager, **other))


def client_of(pager: Pager, **other: Any) -> FlaskClient:
    return app_of(pager, **other).test_client()


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The root of these pages, for a browser."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass
