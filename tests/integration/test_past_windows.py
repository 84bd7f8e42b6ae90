"""History as the real Graphite gives it, beside what the same Graphite answers a poll of that time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from graphitepager.graphite import Fetcher
from graphitepager.history import answer_at, note_births, span_of
from graphitepager.pastwindows import PastWindows
from graphitepager.rawdata import RawAnswer
from graphitepager.rules import Query, Settings
from tests.fakes.graphite import FakeGraphite, respond
from tests.past import BEGIN, line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.history import Track
    from tests.graphite_server.client import Graphite

NOW = int(time.time()) // 3600 * 3600 - 600


@pytest.fixture(scope="module")
def settings(graphite: Graphite) -> Settings:
    """A Graphite with counters and gauges of two steps, with gaps."""
    fine = range(NOW - 3 * 3600, NOW + 600, 10)
    coarse = range(NOW - 6 * 3600, NOW + 600, 60)
    graphite.write(
        {f"past.{host}.count": [(at, (at - NOW) * 2.5) for at in fine if at // 10 % 37] for host in ("a", "b")},
        archives=((10, 2000),),
    )
    graphite.write({"past.c.gauge": [(at, at % 97) for at in coarse if at // 60 % 11]}, archives=((60, 1000),))
    return Settings(graphite_url=graphite.url)


@pytest.mark.parametrize(
    "target", ["past.*.count", "past.c.gauge", "aliasByNode(past.*.count, 1)", "scale(past.c.gauge, 2)", "past.*.*"]
)
@pytest.mark.parametrize(("from_", "until"), [("-1min", None), ("-5min", None), ("-90s", None), ("-10min", "-1min")])
def test_a_window_of_the_past_is_what_graphite_would_have_answered(
    settings: Settings, target: str, from_: str, until: str | None
) -> None:
    query = Query(target, from_, until)
    times = range(NOW - 7200, NOW, 173)
    span = span_of(query)
    births: dict[str, dict[str, int]] = {}
    cut: dict[int, RawAnswer] = {}

    def use(times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> None:
        note_births(births, history)
        for now in times:
            cut[now] = answer_at(history[query], span, now, births[target])

    with PastWindows(settings, [query]) as past:
        assert past.failures == {}
        past.each(times, use)
    fetcher = Fetcher(settings)
    asked = {Query(target, str(now + span.begin), str(now + span.end)): now for now in times}
    for then, answer in fetcher.fetch_all(asked, deadline_s=60).items():
        assert isinstance(answer, RawAnswer)
        assert answer.series
        assert cut[asked[then]].series == answer.series
    fetcher.close()


def test_long_histories_are_fetched_in_windows_that_follow_each_other() -> None:
    week = range(BEGIN, BEGIN + 7 * 86_400 + 1, 60)
    seen: list[int] = []
    with FakeGraphite().serve() as graphite:
        graphite.default = respond(line("web1", [1.0] * 60))
        with PastWindows(Settings(graphite_url=graphite.url), [Query("a", "-5min", None)]) as past:
            past.each(week, lambda times, _: seen.extend(times))
        asked = [request.form for request in graphite.requests]
    assert seen == list(week)
    assert asked[0]["from"] == ["-5min"]  # how many series there are, and in which steps
    begins, ends = ([int(form[name][0]) for form in asked[1:]] for name in ("from", "until"))
    assert len(begins) == 8
    assert all(end - begin <= 86_400 + 3_600 + 300 for begin, end in zip(begins, ends, strict=True))


def test_where_there_is_much_windows_are_shorter() -> None:
    many = b"".join(line(f"web{number}", [1.0]) for number in range(3_000))
    with FakeGraphite().serve() as graphite:
        graphite.default = respond(many)
        with PastWindows(Settings(graphite_url=graphite.url), [Query("a", "-5min", None)]) as past:
            assert past.window_s() == 40_000
