"""The daemon, polled tick by tick on a real database, and the replay of the same history tell the same."""

from __future__ import annotations

import io
import shutil
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphitepager import rawdata
from graphitepager.history import span_of, tracks_of
from graphitepager.poller import Poller
from graphitepager.replay import Replay
from graphitepager.rules import (
    Compare,
    ComparedAs,
    Config,
    Expected,
    Judged,
    Level,
    MuteWindow,
    NoDataPolicy,
    OnVanish,
    Query,
    Ratio,
)
from graphitepager.selection import names
from graphitepager.store import Store, database_url
from graphitepager.telemetry import configure
from tests.examples import NOON, PAGERDUTY_KEY, alert, entry
from tests.examples import settings as pager_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from graphitepager.graphite import Take
    from graphitepager.model import Event, NearMiss
    from graphitepager.rules import Alert, Entry

START = int(NOON.timestamp())
MINUTE = timedelta(minutes=1)
TARGETS = ("servers.*.lock", "servers.*.total")
_DAY = ZoneInfo("UTC")


@dataclass
class Kept:
    """What a Graphite keeps of one target: by series, the datapoints by the begins of their intervals."""

    step: int
    series: dict[str, dict[int, str]]

    def answer(self, begin: int, end: int, now: int) -> str:
        """As whisper answers from `begin` until `end`; a file comes into being with its first datapoint."""
        first = begin - begin % self.step + self.step
        after = end - end % self.step + self.step
        if first == after:
            after += self.step
        lines = []
        for name, points in self.series.items():
            if any(slot <= now for slot, text in points.items() if text not in {"None", "nan"}):
                texts = (points.get(slot, "None") if slot <= now else "None" for slot in range(first, after, self.step))
                lines.append(f"{name},{first},{after},{self.step}|{','.join(texts)}\n")
        return "".join(lines)


class PastGraphite:
    """Answers each tick of the poller as Graphite would have at that time."""

    def __init__(self, kept: Mapping[str, Kept]) -> None:
        self._kept = kept
        self.now = 0

    def fetch(self, queries: Iterable[Query], take: Take, *, deadline_s: float, stop: threading.Event) -> None:
        for query in queries:
            span = span_of(query)
            text = self._kept[query.target].answer(self.now + span.begin, self.now + span.end, self.now)
            take(query, rawdata.parse(text.encode()))


Told = tuple[datetime, frozenset["Event"], frozenset["NearMiss"]]


def polled(config: Config, kept: Mapping[str, Kept], times: Sequence[int], template: Path) -> list[Told]:
    graphite = PastGraphite(kept)
    told = []
    shutil.copyfile(template, copy := template.with_suffix(".copy"))
    with Store.open(database_url(f"sqlite:///{copy}", beside="", on_heroku=False)) as store:
        poller = Poller(store, lambda: datetime.fromtimestamp(graphite.now, UTC))
        for now in times:
            graphite.now = now
            tick = poller.tick(config, graphite, threading.Event())
            assert tick is not None
            events = [change.event for change in tick.record.changes]
            if events or tick.record.near_misses:
                told.append((tick.record.started_at, _set(events), frozenset(tick.record.near_misses)))
    return told


def replayed(config: Config, kept: Mapping[str, Kept], times: Sequence[int], cuts: Sequence[int]) -> list[Told]:
    """Replay it in stretches that end at the cuts, each fetched with all that its windows need."""
    replay = Replay(config)
    queries = {query for one in config.alerts for each in one.entries for query in each.queries}
    told = []
    for begin, end in zip((0, *cuts), (*cuts, len(times)), strict=True):
        stretch = times[begin:end]
        if not stretch:
            continue
        lead = 600 if begin else 3600  # what was before that, a replay cannot know
        history = {}
        for query in queries:
            span = span_of(query)
            # Nothing of what is fetched afterwards was unknown: all of it is there by then.
            text = kept[query.target].answer(stretch[0] + span.begin - lead, stretch[-1] + span.end + 600, 2**40)
            history[query] = tracks_of(rawdata.parse(text.encode()), {})
        told += [(poll.now, _set(poll.events), frozenset(poll.near_misses)) for poll in replay.run(stretch, history)]
    return told


def _set(events: Iterable[Event]) -> frozenset[Event]:
    listed = [replace(one, entry=None, others=()) for one in events]  # an entry's mappings cannot be hashed
    assert len(set(listed)) == len(listed)
    return frozenset(listed)


minutes = st.integers(0, 6).map(lambda count: timedelta(minutes=count))
hosts = st.sampled_from(["db1", "db2", "db3"])


@st.composite
def entries(draw: st.DrawFn, target: str) -> Entry:
    """Anything that alerts.yml can ask for, in odd combinations."""
    query = Query(
        target, draw(st.sampled_from(["-1min", "-90s", "-5min", "-10s"])), draw(st.sampled_from([None, "-1min"]))
    )
    if query.until and query.from_ != "-5min":
        query = query._replace(from_="-3min")
    other: dict[str, Any] = {
        "query": query,
        "judged": draw(st.sampled_from(Judged)) if draw(st.booleans()) else Judged.LAST,
        "for_critical": draw(minutes),
        "for_warning": draw(minutes),
        "keep_firing_for": draw(minutes),
        "no_data": draw(st.sampled_from(NoDataPolicy)),
        "no_data_for": timedelta(minutes=draw(st.integers(1, 5))),
        "on_vanish": draw(st.sampled_from(OnVanish)),
        "forget_after": timedelta(minutes=draw(st.integers(1, 20))),
        "repeat_interval": draw(st.sampled_from([None, timedelta(minutes=7)])),
        "include": draw(st.sampled_from([None, names(["db[12]"])])),
        "exclude": draw(st.sampled_from([names([]), names(["db2"])])),
        "expect_series": draw(st.sampled_from([None, None, Expected(least=2, most=None, level=Level.CRITICAL)])),
        "mute": draw(st.sampled_from([(), (_muted(),)])),
    }
    kind = draw(st.sampled_from(["plain", "plain", "plain", "ratio", "compare"]))
    if kind == "ratio":
        to = query._replace(target=TARGETS[1])
        other["ratio"] = Ratio(to=to, by=(0,), scale=100, is_rate=draw(st.booleans()))
    if kind == "compare":
        earlier = query._replace(from_="-15min", until="-10min")
        compared_as = draw(st.sampled_from(ComparedAs))
        other["compare"] = Compare(queries=(earlier,), ago=timedelta(minutes=10), compared_as=compared_as)
    bounds = draw(st.sampled_from([(50, 70), (50, 70), (70, 50), (None, 60)]))
    return entry(warning=bounds[0], critical=bounds[1], **other)


def _muted() -> MuteWindow:
    return MuteWindow(
        text="lunch",
        days=frozenset(range(7)),
        begins=time(12, 10),
        ends=time(12, 20),
        zone=_DAY,
        levels=frozenset({Level.WARNING, Level.CRITICAL}),
    )


@st.composite
def alerts(draw: st.DrawFn) -> tuple[Alert, ...]:
    first = [draw(entries(TARGETS[0])) for _ in range(draw(st.integers(1, 2)))]
    depending = replace(draw(entries(TARGETS[1])), depends_on=frozenset({"first"}))
    limit, interval = draw(st.sampled_from([20, 1])), draw(st.sampled_from([timedelta(0), timedelta(minutes=3)]))
    return (
        alert(*first, name="first", storm_limit=limit, interval=interval),
        alert(depending, name="second", storm_limit=limit),
    )


runs = st.tuples(st.sampled_from(["None", "nan", "10.0", "10.5", "60.0", "90.0", "inf"]), st.integers(1, 12))


@st.composite
def histories(draw: st.DrawFn, *, polls: int) -> dict[str, Kept]:
    kept = {}
    for target in TARGETS:
        step = draw(st.sampled_from([10, 60, 60, 300]))
        begin = (START - 1800) // step * step
        slots = range(begin, START + 60 * polls + 1200, step)
        series = {}
        for name in draw(st.lists(hosts, unique=True, max_size=3)):
            drawn = [
                text for text, length in draw(st.lists(runs, max_size=12)) for _ in range(length * 60 // min(step, 60))
            ]
            texts = drawn + ["10.0"] * (len(slots) - len(drawn)) if draw(st.booleans()) else drawn
            series[name] = dict(zip(slots, texts, strict=False))
        kept[target] = Kept(step, series)
    return kept


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database: to make its tables takes longer than to copy it."""
    configure(stream=io.StringIO())  # a line for each poll is of no use here
    path = tmp_path_factory.mktemp("replay") / "empty.db"
    Store.open(database_url(f"sqlite:///{path}", beside="", on_heroku=False)).close()
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_daemon_and_the_replay_tell_the_same_at_the_same_time(template: Path, data: st.DataObject) -> None:
    polls = 40
    config = Config(settings=pager_settings(pagerduty_key=PAGERDUTY_KEY), alerts=data.draw(alerts(), label="alerts"))
    kept = data.draw(histories(polls=polls), label="history")
    phase = data.draw(st.integers(0, 59), label="phase")
    times = [START + phase + 60 * number for number in range(polls)]
    cuts = sorted(data.draw(st.sets(st.integers(1, polls - 1), max_size=3), label="cuts"))
    assert replayed(config, kept, times, cuts) == polled(config, kept, times, template)
