"""Rule tests: made-up series through an alert of alerts.yml, and what is expected of it at which time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import checks, messages
from graphitepager.backtesting import is_page, worst
from graphitepager.config.fields import did_you_mean
from graphitepager.durations import format_duration
from graphitepager.history import Track, span_of
from graphitepager.model import WHOLE_ALERT, Event, EventKind, Series, SeriesKey
from graphitepager.problems import quote
from graphitepager.replay import Replay
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.alerting import AlertMemory
    from graphitepager.rules import Alert, Config, Query

Values = tuple[float | None, ...]

# Some months of a minute each.
_MOST_POLLS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is to be at the poll `at` so long after the start; None may be anything. `line` is where that is written."""

    at: timedelta
    series: str | None
    level: Level | None
    event: EventKind | None
    summary: str | None
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """A test as it is written. `series` holds datapoints by the target that returns them; None is for every target.

    The first datapoint is that of the interval that begins at `start`, which is when the first poll comes.
    """

    __test__ = False

    name: str
    alert: str
    start: datetime
    step: timedelta
    series: Mapping[str | None, Mapping[str, Values]]
    expectations: tuple[Expectation, ...]
    pages: int | None
    line: int
    column: int


class Told(NamedTuple):
    """An event of a test: how long after its start, and in words."""

    after: timedelta
    event: Event
    summary: str
    is_page: bool


class Failure(NamedTuple):
    """What was not as expected; `line` and `column` are those of the expectation, or of the test."""

    line: int
    column: int
    message: str


class Outcome(NamedTuple):
    """What became of a test; it has passed where there is no failure."""

    failures: tuple[Failure, ...]
    told: tuple[Told, ...]


def run(test: RuleTest, config: Config) -> Outcome:
    """Poll the alert over the series. ValueError, whose text can be shown, where the test does not fit the alert."""
    alert = next((one for one in config.alerts if one.name == test.alert), None)
    if alert is None:
        hint = did_you_mean(test.alert, [one.name for one in config.alerts])
        raise ValueError(f"no alert is called {quote(test.alert)}" + (f" ({hint})" if hint else ""))
    history = _history(test, alert)
    start = int(test.start.timestamp())
    births = {query.target: {track.name: start for track in tracks} for query, tracks in history.items()}
    replay = Replay(replace(config, alerts=(alert,)), births=births)
    beat = int(config.settings.heartbeat_s) or 1
    times = range(start, start + int(_length(test).total_seconds()) + 1, beat)
    if len(times) > _MOST_POLLS:
        raise ValueError(f"{len(times):,} polls are too many for a test: at most {_MOST_POLLS:,}")
    expectations = sorted(test.expectations, key=lambda one: one.at)
    told: list[Told] = []
    levels: list[Mapping[str, Level]] = []
    done = 0
    for one in expectations:
        until = min(int(one.at.total_seconds()) // beat + 1, len(times))
        told += _polled(replay, times[done:until], history, test, config)
        levels.append(_levels(replay.memories.get(alert.name)))
        done = max(done, until)
    told += _polled(replay, times[done:], history, test, config)
    failures = [
        Failure(one.line, one.column, message)
        for one, known in zip(expectations, levels, strict=True)
        for message in _missed(one, known, told, beat)
    ]
    failures += _unknown(test, levels)
    pages = sum(one.is_page for one in told)
    if test.pages is not None and pages != test.pages:
        wanted = f"{test.pages} page" if test.pages == 1 else f"{test.pages} pages"
        there = f"was {pages}" if pages == 1 else f"were {pages}"
        failures.append(Failure(test.line, test.column, f"expected {wanted}, there {there}"))
    return Outcome(tuple(failures), tuple(told))


def _length(test: RuleTest) -> timedelta:
    """From the first poll to the last: that of the last datapoint, or the last one of which something is expected."""
    longest = max((len(values) for series in test.series.values() for values in series.values()), default=1)
    return max((longest - 1) * test.step, *(one.at for one in test.expectations), timedelta(0))


def _history(test: RuleTest, alert: Alert) -> dict[Query, Sequence[Track]]:
    queries = checks.queries_of([alert])
    targets = {query.target for query in queries}
    for target in test.series:
        if target is not None and target not in targets:
            raise ValueError(f"the alert {test.alert!r} has no target {target!r}")
    for query in queries:
        span_of(query)
    return {query: _tracks(test.series.get(query.target, test.series.get(None, {})), test) for query in queries}


def _tracks(series: Mapping[str, Values], test: RuleTest) -> list[Track]:
    start, step = int(test.start.timestamp()), int(test.step.total_seconds()) or 1
    return [
        Track(Series(name, start, start + step * len(values), step, ",".join(map(repr, values)).encode()))
        for name, values in series.items()
    ]


def _polled(
    replay: Replay, times: Sequence[int], history: Mapping[Query, Sequence[Track]], test: RuleTest, config: Config
) -> list[Told]:
    return [
        Told(event.at - test.start, event, messages.render(event, config.settings.graphite_url).summary, is_page(event))
        for poll in replay.run(times, history)
        for event in poll.events
    ]


def _levels(memory: AlertMemory | None) -> Mapping[str, Level]:
    """The worst level that is open of each series that is not fine."""
    levels: dict[str, Level] = {}
    for name, state in memory.states.items() if memory else ():
        open_ones = (one.level for one in (state.incident, state.no_data) if one is not None)
        levels[_shown(name)] = worst(open_ones)
    return levels


def _shown(series: str) -> str:
    """What a test calls it: the alert as a whole is `(all series)`, as in a page."""
    return SeriesKey("", series).words[1] if series == WHOLE_ALERT else series


def _unknown(test: RuleTest, levels: Sequence[Mapping[str, Level]]) -> list[Failure]:
    """The expectations of series that there never were: they would all be found to be fine."""
    known = {_shown(WHOLE_ALERT)}.union(*test.series.values(), *levels)
    return [
        Failure(one.line, one.column, f"no series of the test is called {quote(one.series)}")
        for one in test.expectations
        if one.series is not None and one.series not in known and one.level is Level.OK
    ]


def _missed(one: Expectation, levels: Mapping[str, Level], told: Sequence[Told], beat: int) -> list[str]:
    """What is not as this expectation says, in words."""
    after = format_duration(one.at)
    who = one.series or "the alert"
    missed = []
    if one.level is not None:
        found = levels.get(one.series, Level.OK) if one.series else worst(levels.values())
        if found is not one.level:
            missed.append(f"expected {who} to be {one.level.value} at {after}, it was {found.value}")
    if one.event is None and one.summary is None:
        return missed
    here = [
        each
        for each in told
        if timedelta(0) <= one.at - each.after < timedelta(seconds=beat)
        and (one.series is None or _shown(each.event.key.series) == one.series)
        and each.event.held_by is None
    ]
    kinds = [each for each in here if one.event in {None, each.event.kind}]
    if not any((one.summary or "") in each.summary for each in kinds):
        wanted = f"a {one.event.value}" if one.event else "an event"
        text = f" that says {one.summary!r}" if one.summary else ""
        found_words = "; ".join(f"{each.event.kind.value}: {each.summary}" for each in here) or "nothing"
        missed.append(f"expected {wanted} of {who}{text} at {after}, there was {found_words}")
    return missed


def written(values: Values) -> str:
    """Datapoints as a test writes them: `10 10.5 90x6 null`."""
    runs: list[tuple[str, int]] = []
    for value in values:
        text = "null" if value is None else repr(value).removesuffix(".0")
        if runs and runs[-1][0] == text:
            runs[-1] = (text, runs[-1][1] + 1)
        else:
            runs.append((text, 1))
    return " ".join(text if times == 1 else f"{text}x{times}" for text, times in runs)
