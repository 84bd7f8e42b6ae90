"""One alert over one stretch of the past: what each of its polls saw, without looking at what can only be fine."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import checks, quiet
from graphitepager.history import answer_at, span_of
from graphitepager.quiet import Windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from graphitepager.checks import Evaluation
    from graphitepager.history import Span, Track
    from graphitepager.model import Reading
    from graphitepager.rules import Alert, Entry, Query

_NO_NAMES: frozenset[str] = frozenset()


class _Owned(NamedTuple):
    """A series with the entry that owns it, and the polls at which it may be at another level than OK."""

    entry: Entry
    track: Track
    span: Span
    loud: Sequence[int]


class _Phase(NamedTuple):
    """Consecutive polls at which the same series exist.

    `calm` is the evaluation in which every series is fine. `loud` has the series to look at, by the poll's place.
    """

    calm: Evaluation
    owned: Mapping[str, _Owned]
    loud: Mapping[int, Sequence[str]]


class Stretch:
    """What the polls of an alert see, each by its place among the times of all polls.

    A series of which a poll can see only that it is fine is not looked at, unless something is remembered of it: that
    changes nothing of what follows, because `alerting.advance` looks at no such series either. An alert whose series
    are computed here (ratio, compare), bear the same name twice or hold points that are no numbers is evaluated whole.
    """

    def __init__(
        self,
        alert: Alert,
        times: Sequence[int],
        history: Mapping[Query, Sequence[Track]],
        births: Mapping[str, Mapping[str, int]],
        windows: dict[tuple[Span, int, int], Windows],
    ) -> None:
        """Look for what is loud; `windows` is shared by all alerts of these times."""
        self._alert = alert
        self._times = times
        self._spans = {query: span_of(query) for query in checks.queries_of([alert])}
        self._tracks = {query: history[query] for query in self._spans}
        self._births = births
        self._windows = windows
        self._is_simple = all(one.ratio is None and one.compare is None for one in alert.entries) and not any(
            _has_twins(tracks) for tracks in self._tracks.values()
        )
        self._loud: dict[tuple[int, str], Sequence[int]] = {}
        if self._is_simple:
            self._find_loud()
        self._begins = self._beginnings()
        self._looked_at = set(self._begins).union(*self._loud.values())
        self._phases: dict[int, _Phase] = {}

    def is_loud(self, place: int) -> bool:
        """Whether this poll may see anything else than the one before it, when that found all to be fine."""
        return not self._is_simple or place in self._looked_at

    def evaluation(self, place: int, now: datetime, remembered: AbstractSet[str]) -> Evaluation:
        """What this poll sees; `remembered` names the series that are looked at even if they are fine."""
        if not self._is_simple:
            second = self._times[place]
            answers = {
                query: answer_at(tracks, self._spans[query], second, self._births[query.target])
                for query, tracks in self._tracks.items()
            }
            return checks.evaluate(self._alert, answers, now, remembered)
        phase = self._phase(bisect_right(self._begins, place) - 1)
        names = {*phase.loud.get(place, ()), *(name for name in remembered if name in phase.owned)}
        if not names:
            return phase.calm
        seen = {name: self._reading(phase.owned[name], place, now) for name in names}
        return replace(phase.calm, readings=seen)

    def _reading(self, owned: _Owned, place: int, now: datetime) -> Reading:
        return checks.judge(self._alert.name, owned.entry, owned.track.window(owned.span, self._times[place]), now)

    def _find_loud(self) -> None:
        for number, entry in enumerate(self._alert.entries):
            for track in self._tracks[entry.query]:
                try:
                    values = quiet.values_of(track)
                except ValueError:  # what has such points belongs to nobody, or to a later entry
                    self._is_simple = False
                    return
                if loud := quiet.loud_polls(values, entry, self._windows_of(track, self._spans[entry.query])):
                    self._loud[number, track.name] = loud

    def _windows_of(self, track: Track, span: Span) -> Windows:
        key = (span, track.start, track.step)
        if key not in self._windows:
            self._windows[key] = Windows([track.bounds(span, second) for second in self._times])
        return self._windows[key]

    def _beginnings(self) -> list[int]:
        """The places of the polls before which a series has come into being, and of the first one."""
        begins = {
            bisect_left(self._times, self._births[query.target][track.name])
            for query, tracks in self._tracks.items()
            for track in tracks
            if track.name in self._births[query.target]
        }
        return sorted({0, *begins} - {len(self._times)})

    def _phase(self, number: int) -> _Phase:
        if number not in self._phases:
            self._phases = {number: self._made_phase(number)}  # no poll comes back to an earlier one
        return self._phases[number]

    def _made_phase(self, number: int) -> _Phase:
        begin = self._begins[number]
        end = self._begins[number + 1] if number + 1 < len(self._begins) else len(self._times)
        owned: dict[str, _Owned] = {}
        excluded: set[str] = set()
        left_out: set[str] = set()
        own: list[frozenset[str]] = []
        for place, entry in enumerate(self._alert.entries):
            before = frozenset(owned)
            span, births = self._spans[entry.query], self._births[entry.query.target]
            now = self._times[begin]
            for track in self._tracks[entry.query]:
                name = track.name
                if name in owned or name in excluded or births.get(name, now + 1) > now:
                    continue
                if not entry.takes(name):
                    left_out.add(name)
                elif name in entry.exclude:
                    excluded.add(name)
                else:
                    owned[name] = _Owned(entry, track, span, self._loud.get((place, name), ()))
            own.append(frozenset(owned.keys() - before))
        loud: dict[int, list[str]] = {}
        for name, one in owned.items():
            for place in one.loud[bisect_left(one.loud, begin) : bisect_left(one.loud, end)]:
                loud.setdefault(place, []).append(name)
        calm = checks.Evaluation(
            readings={},
            owned=tuple(own),
            excluded=frozenset(excluded),
            left_out=frozenset(left_out - owned.keys() - excluded),
        )
        return _Phase(calm, owned, loud)


def _has_twins(tracks: Sequence[Track]) -> bool:
    return len({one.name for one in tracks}) < len(tracks)
