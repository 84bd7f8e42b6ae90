"""What Graphite's answers say against an alert: targets, windows and thresholds that make little sense."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import folding, lookback, rawdata, sources
from graphitepager.durations import format_duration, parse_offset
from graphitepager.errors import FetchError
from graphitepager.printable import printable
from graphitepager.rules import Judged, Level, NoDataPolicy
from graphitepager.thresholds import format_value, phrase

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from graphitepager.model import Series
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Entry, Query
    from graphitepager.thresholds import Threshold

    Answers = Mapping[Query, RawAnswer | FetchError]

WEEK = timedelta(days=7)

# Graphite keeps some metrics for hours only, of which a threshold need not be typical.
_LEAST_HISTORY = timedelta(days=1)
_TOO_MANY = 1000
_NAMED = 3
# What is folded so lies between the least and the greatest datapoint, so that these can be held against a threshold.
_WITHIN_ITS_DATA = {Judged.LAST, Judged.AVERAGE, Judged.MIN, Judged.MAX, Judged.MEDIAN, Judged.P95}
# A threshold is out of reach where it is so many times as far away as the values ever were from each other.
_SPREADS_AWAY = 2

_TARGET = ("target", "ratio")


class Finding(NamedTuple):
    """Something about the n-th entry of an alert, best shown at the first of `keys` that it has."""

    alert: str
    entry: int
    keys: tuple[str, ...]
    message: str
    hint: str | None = None
    is_error: bool = False


def of_now(alert: Alert, answers: Answers, now: datetime) -> Iterator[Finding]:
    """What the answers to its queries say against it; `answers` has one for each."""
    earlier: frozenset[str] = frozenset()
    for number, entry in enumerate(alert.entries):
        for keys, message, hint, is_error in _of_answer(entry, answers, now, earlier):
            yield Finding(alert.name, number, keys, message, hint, is_error)
        sourced = sources.series_of(entry, answers, now)
        if not isinstance(sourced, FetchError):
            claim = sourced.answer.roll.claim(entry)
            earlier |= claim.own | claim.excluded


def looking_back(entry: Entry) -> Entry:
    """What is to be asked for `of_week`."""
    return lookback.over(entry, WEEK)


def of_week(alert: Alert, answers: Answers, now: datetime) -> Iterator[Finding]:
    """What the last week says against its thresholds; `answers` are those to `looking_back(entry)`."""
    for number, entry in enumerate(alert.entries):
        sourced = sources.series_of(looking_back(entry), answers, now)
        if isinstance(sourced, FetchError):
            reason = f"the last week could not be read, and nothing is said of its thresholds: {sourced.reason}"
            yield Finding(alert.name, number, _TARGET, reason)
            continue
        own = sourced.answer.roll.claim(entry).own
        tracks = [
            track for one in sourced.answer.series if one.name in own and (track := _track(one, entry)) is not None
        ]
        if dead := own - {track.name for track in tracks}:
            message = f"{_some(dead)} had no datapoint in the last week"
            yield Finding(alert.name, number, _TARGET, message, "exclude what is gone for good, or delete its file")
        if entry.compare is None and entry.judged in _WITHIN_ITS_DATA:
            for level, message, hint in _of_thresholds(entry, tracks):
                yield Finding(alert.name, number, (level.value,), message, hint)


class _Track(NamedTuple):
    """What is kept of the week of a series; all of its values would be too many."""

    name: str
    least: float
    most: float
    past: frozenset[Level]  # the thresholds that every value of it breaches
    is_long: bool


def _track(series: Series, entry: Entry) -> _Track | None:
    """None where it has no datapoint."""
    values = list(_values(series))
    if not values:
        return None
    thresholds = ((level, entry.threshold(level)) for level in (Level.WARNING, Level.CRITICAL))
    past = frozenset(level for level, one in thresholds if one is not None and all(map(one.is_breached_by, values)))
    is_long = len(values) * series.step >= _LEAST_HISTORY.total_seconds()
    return _Track(series.name, min(values), max(values), past, is_long)


_Said = tuple[tuple[str, ...], str, str | None, bool]


def _of_answer(entry: Entry, answers: Answers, now: datetime, earlier: frozenset[str]) -> Iterator[_Said]:
    """Yield keys, message, hint and whether it is an error. `earlier` are the series of the entries before this one."""
    sourced = sources.series_of(entry, answers, now)
    if isinstance(sourced, FetchError):
        yield _TARGET, f"Graphite gives no usable answer: {sourced.reason}", None, True
        return
    roll = sourced.answer.roll
    claim = roll.claim(entry)
    is_error = entry.no_data is not NoDataPolicy.OK
    if not len(roll):
        yield _TARGET, "matches nothing", "look for a typo, or write allow_no_data: yes", is_error
        return
    if not claim.own:
        what = f"leaves out all of the {len(roll.distinct)} series of its target"
        yield ("include", "exclude"), what, None, is_error
    elif claim.own <= earlier:
        hint = "the first entry of a name that returns a series owns it: put the narrower target first"
        yield _TARGET, f"all of its {len(claim.own)} series belong to an earlier entry of this alert", hint, False
    if len(claim.own) > _TOO_MANY:
        hint = "each can page by itself: narrow the target, or use include"
        yield _TARGET, f"matches {len(claim.own):,} series", hint, False
    if twins := [name for name, count in Counter(roll.texts()).items() if count > 1]:
        hint = "only the worst of each name counts: have aliasByNode show one node more"
        yield _TARGET, f"several series are called {_some(twins)}", hint, False
    if "" in claim.own:
        yield _TARGET, "a series has no name", "is a node of aliasByNode or groupByNode out of range?", False
    if said := _coarse(entry, answers):
        yield ("from", *_TARGET), *said, False
    elif silent := _silent(sourced.answer.series, claim.own):
        pages = "NO DATA pages" if entry.no_data is NoDataPolicy.ALERT else None
        yield _TARGET, _without_data(silent, len(claim.own)), pages, False


def _without_data(silent: Collection[str], total: int) -> str:
    if len(silent) == total:
        return f"not one of its {total} series has a datapoint in the window"
    return f"{len(silent)} of {total} series without a datapoint in the window: {_some(silent)}"


def _silent(series: Iterable[Series], own: frozenset[str]) -> frozenset[str]:
    return own - {one.name for one in series if _has_data(one)}


def _coarse(entry: Entry, answers: Answers) -> tuple[str, str] | None:
    """That there is a datapoint less often than the window is long, and what to write."""
    begin, end = parse_offset(entry.query.from_), parse_offset(entry.query.until or "now")
    answer = answers[entry.query]
    if begin is None or end is None or isinstance(answer, FetchError) or not answer.blocks:
        return None
    step, window = timedelta(seconds=max(block.step for block in answer.blocks)), end - begin
    if step <= window:
        return None
    message = f"its window is {format_duration(window)}, and a datapoint comes every {format_duration(step)} only"
    return message, f"most polls would find none: write from: -{format_duration(2 * step - end)}"


def _of_thresholds(entry: Entry, tracks: Collection[_Track]) -> Iterator[tuple[Level, str, str]]:
    always: set[str] = set()
    for level in (Level.CRITICAL, Level.WARNING):
        past = {track.name for track in tracks if track.is_long and level in track.past} - always
        if past:
            hint = "it fires all the time: move the threshold, or exclude it"
            yield level, f"{_some(past)} never left this side of it in the last week", hint
        always.update(past)
    lowest = entry.warning or entry.critical
    if lowest is not None and not always and (extreme := _out_of_reach(lowest, tracks)):
        level = Level.WARNING if entry.warning else Level.CRITICAL
        name, value = extreme
        shown = format_value(value, lowest)
        message = f"nothing came near it in the last week: the nearest was {printable(name)} with {shown}"
        yield level, message, f"{level.value} is {phrase(lowest)}: is that the unit of the series?"


def _out_of_reach(threshold: Threshold, tracks: Collection[_Track]) -> tuple[str, float] | None:
    """The series that came nearest, and its value, where that is far away by what the values are among themselves."""
    sign = threshold.operator.sign
    values = [(value, track.name) for track in tracks for value in (track.least, track.most)]
    if not sign or not any(track.is_long for track in tracks):
        return None
    least, most = min(values)[0], max(values)[0]
    nearest, name = max(values) if sign > 0 else min(values)
    gap = (threshold.bound - nearest) * sign
    is_far = gap > _SPREADS_AWAY * (most - least) and gap > abs(threshold.bound) / 2
    return (name, nearest) if is_far else None


def _values(series: Series) -> Iterator[float]:
    """Its datapoints; those that are no numbers say nothing."""
    for text in series.points.split(b",") if series.points else ():
        try:
            value = folding.number(text)
        except ValueError:
            continue
        if value is not None and math.isfinite(value):
            yield value


def _has_data(series: Series) -> bool:
    try:
        return rawdata.last_point(series) is not None
    except ValueError:
        return True


def _some(names: Iterable[str]) -> str:
    listed = sorted(printable(name) for name in names)
    shown = ", ".join(itertools.islice(listed, _NAMED))
    return shown + (f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else "")
