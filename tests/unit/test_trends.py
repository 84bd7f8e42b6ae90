"""The last hour of what people look at, and the past of one series, without asking Graphite too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager import rawdata
from graphitepager.errors import FetchError
from graphitepager.model import WHOLE_ALERT, SeriesKey
from graphitepager.pastcurves import PastCurves
from graphitepager.retracing import Traced
from graphitepager.rules import Alert, Config, Entry, Query, Settings
from graphitepager.trends import MOST_SERIES, Trends

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from graphitepager.retracing import Answers

NOW = datetime(2026, 1, 10, 14, tzinfo=UTC)
DB1 = SeriesKey("Lock", "db1")
HOUR = timedelta(hours=1)
ENTRY = Entry(query=Query("*", "-1min", None), warning=None, critical=None, line=1)
CONFIG = Config(
    settings=Settings(graphite_url="http://graphite.invalid", heartbeat_s=60.0),
    alerts=(Alert(name="Lock", entries=(ENTRY,)), Alert(name="Load", entries=(ENTRY,))),
)


class Graphite:
    """Answers with db1, and counts how often it is asked; the clock is here, too."""

    def __init__(self) -> None:
        self.now = NOW
        self.asked: list[Collection[Query]] = []
        self.error: str | None = None
        self.started: list[Callable[[], None]] = []

    def ask(self, settings: Settings, queries: Collection[Query]) -> Answers:
        self.asked.append(queries)
        end = int(self.now.timestamp())
        good = rawdata.parse(f"db1,{end - 120},{end},60|1.0,2.0\n".encode())
        return {query: FetchError(query.target, self.error) if self.error else good for query in queries}

    def clock(self) -> datetime:
        return self.now

    def work(self) -> None:
        """What was started comes to its end."""
        while self.started:
            self.started.pop(0)()


@pytest.fixture
def graphite() -> Graphite:
    return Graphite()


@pytest.fixture
def trends(graphite: Graphite) -> Trends:
    return Trends(lambda: CONFIG, graphite.clock, graphite.ask, start=graphite.started.append)


@pytest.fixture
def past(graphite: Graphite) -> PastCurves:
    return PastCurves(lambda: CONFIG, graphite.clock, graphite.ask, start=graphite.started.append)


class TestTrends:
    """Many series, always the last hour."""

    def test_a_series_is_known_after_the_first_look(self, trends: Trends) -> None:
        assert trends.of(DB1) is None
        trends.refresh()
        curve = trends.of(DB1)
        assert curve is not None
        assert list(curve.values) == [1.0, 2.0]

    def test_graphite_is_asked_once_a_heartbeat(self, trends: Trends, graphite: Graphite) -> None:
        for second in range(121):
            graphite.now = NOW + timedelta(seconds=second)
            trends.of(DB1)
            trends.refresh()
        assert len(graphite.asked) == 3

    def test_graphite_is_not_asked_when_nobody_looks(self, trends: Trends, graphite: Graphite) -> None:
        trends.of(DB1)
        for second in range(0, 3600, 30):
            graphite.now = NOW + timedelta(seconds=second)
            trends.refresh()
        assert len(graphite.asked) <= 3
        assert trends.of(DB1) is None  # an hour later, the last hour is another one

    def test_all_of_an_alert_is_asked_for_at_once(self, trends: Trends, graphite: Graphite) -> None:
        for name in ("db1", "db2", "db3"):
            trends.of(SeriesKey("Lock", name))
        trends.refresh()
        (queries,) = graphite.asked
        assert len(queries) == 1

    def test_what_graphite_does_not_know_is_not_asked_for_all_the_time(
        self, trends: Trends, graphite: Graphite
    ) -> None:
        trends.of(SeriesKey("Lock", "gone"))
        for _ in range(20):
            trends.refresh()
            graphite.now += timedelta(seconds=1)
        assert len(graphite.asked) == 1

    def test_memory_is_bounded(self, trends: Trends) -> None:
        trends.of(DB1)
        trends.refresh()
        for number in range(MOST_SERIES):
            trends.of(SeriesKey("Load", f"web{number}"))
        assert trends.of(DB1) is None

    def test_no_alert_as_a_whole_has_a_trend(self, trends: Trends, graphite: Graphite) -> None:
        assert trends.of(SeriesKey("Lock", WHOLE_ALERT)) is None
        trends.refresh()
        assert graphite.asked == []

    def test_an_outage_leaves_no_trend_and_ends_nothing(self, trends: Trends, graphite: Graphite) -> None:
        graphite.error = "connection refused"
        trends.of(DB1)
        trends.refresh()
        assert trends.of(DB1) is None
        graphite.error = None
        graphite.now += timedelta(seconds=61)
        trends.refresh()
        assert trends.of(DB1) is not None


class TestPastCurves:
    """One series, any time."""

    def test_nobody_waits_for_longer_than_they_wish(self, past: PastCurves, graphite: Graphite) -> None:
        outcome = past.of(DB1, NOW - HOUR, NOW, 0)
        assert isinstance(outcome, FetchError)
        assert "not answered yet" in outcome.reason
        graphite.work()
        assert isinstance(past.of(DB1, NOW - HOUR, NOW, 0), Traced)
        assert len(graphite.asked) == 1

    def test_what_was_asked_for_is_kept_for_a_heartbeat(self, past: PastCurves, graphite: Graphite) -> None:
        past.of(DB1, NOW - HOUR, NOW, 0)
        graphite.work()
        past.of(DB1, NOW - HOUR, NOW, 0)
        assert not graphite.started
        graphite.now += timedelta(seconds=61)
        past.of(DB1, NOW - HOUR, NOW, 0)
        assert len(graphite.started) == 1

    def test_a_failure_is_not_kept_for_long(self, past: PastCurves, graphite: Graphite) -> None:
        graphite.error = "connection refused"
        past.of(DB1, NOW - HOUR, NOW, 0)
        graphite.work()
        outcome = past.of(DB1, NOW - HOUR, NOW, 0)
        assert isinstance(outcome, FetchError)
        assert outcome.reason == "connection refused"
        graphite.error, graphite.now = None, NOW + timedelta(seconds=6)
        past.of(DB1, NOW - HOUR, NOW, 0)
        graphite.work()
        assert isinstance(past.of(DB1, NOW - HOUR, NOW, 0), Traced)

    def test_only_four_are_fetched_at_once(self, past: PastCurves, graphite: Graphite) -> None:
        outcomes = [past.of(DB1, NOW - (hours + 1) * HOUR, NOW, 0) for hours in range(6)]
        assert len(graphite.started) == 4
        assert isinstance(outcomes[5], FetchError)
        assert "busy" in outcomes[5].reason

    def test_what_is_unknown_is_said(self, past: PastCurves, graphite: Graphite) -> None:
        for key in (SeriesKey("Gone", "db1"), SeriesKey("Lock", "gone")):
            past.of(key, NOW - HOUR, NOW, 0)
            graphite.work()
        gone = [past.of(SeriesKey(*key), NOW - HOUR, NOW, 0) for key in (("Gone", "db1"), ("Lock", "gone"))]
        assert [getattr(one, "reason", "") for one in gone] == [
            "alerts.yml holds no alert of this name any more",
            "Graphite returns no series of this name",
        ]
