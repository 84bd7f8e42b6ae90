"""What polls of the past made of some series: one curve for each, of what was held against the thresholds."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import checks, folding, history, joining, quiet, rawdata, sources
from graphitepager.curves import Curve
from graphitepager.errors import FetchError
from graphitepager.history import Track
from graphitepager.rules import Judged

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Entry, Query

    Answers = Mapping[Query, RawAnswer | FetchError]

# What is fetched before the stretch, for what functions such as derivative() lack at the begin of an answer.
_LEAD_S = 600
_ODD = re.compile(r"[\x00-\x2f:-@\[\]-`{-\x7f]|[\\\x80-\U0010ffff]+")
# So many names still make an expression that Graphite is quick to match.
_MOST_PICKED = 100
_LONGEST_PICKED = 2_000
# So many polls of a stretch are judged, where that has to be done one by one.
_MOST_POLLS = 720


class Traced(NamedTuple):
    """A series over a stretch of time, with the entry that owns it."""

    entry: Entry
    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrace:
    """Some series of an alert at the polls from `begin` to `end` (epoch seconds), `heartbeat_s` apart.

    Where an entry judges the newest datapoint, its curve is what Graphite has. Otherwise (`value`, `delay`, `ratio`,
    `compare`) it has what each poll judged, at the time of the poll.
    """

    alert: Alert
    names: frozenset[str]
    begin: int
    end: int
    heartbeat_s: int

    def asked(self) -> dict[Query, Query]:
        """What to ask Graphite once, for each of the alert's own queries that can be asked of the past."""
        found: dict[Query, Query] = {}
        for entry in self.alert.entries:
            for query in entry.queries:
                try:
                    over = history.asked_over(query, self.begin, self.end, _LEAD_S)
                except ValueError:  # a fixed time does not move with the polls
                    continue
                found[query] = over if entry.ratio else over._replace(target=picked(query.target, self.names))
        return found

    def curves(self, answers: Answers) -> dict[str, Traced]:
        """The curves of those series that there are, by name; `answers` are those to the alert's own queries.

        As at a poll, the first entry that returns a series owns it, and after one without an answer nobody owns any.
        """
        found: dict[str, Traced] = {}
        for entry in self.alert.entries:
            given = {query: answers[query] for query in entry.queries if query in answers}
            tracks = {
                query: self._tracks(entry, one) for query, one in given.items() if not isinstance(one, FetchError)
            }
            if len(tracks) < len(set(entry.queries)):
                break
            curves = _plain(tracks[entry.query]) if _is_plain(entry) else self._judged(entry, tracks)
            for name, curve in curves.items():
                if name in self.names and name not in found and entry.takes(name):
                    found[name] = Traced(entry, curve)
        return {name: one for name, one in found.items() if name not in one.entry.exclude}

    def _tracks(self, entry: Entry, answer: RawAnswer) -> list[Track]:
        """The series of an answer that the wanted ones are made of."""
        return [Track(one) for one in answer.series if _is_wanted(one.name, entry, self.names)]

    def _judged(self, entry: Entry, tracks: Mapping[Query, Sequence[Track]]) -> dict[str, Curve]:
        """What each poll held against the thresholds, found out as the poll does it."""
        polls = -(-(self.end - self.begin) // self.heartbeat_s)
        step = self.heartbeat_s * max(-(-polls // _MOST_POLLS), 1)
        times = history.sorted_times(self.begin, self.end, step)
        spans = {query: history.span_of(query) for query in tracks}
        values: dict[str, list[float]] = {}
        for place, second in enumerate(times):
            answers = {
                query: rawdata.holding(track.window(spans[query], second) for track in found)
                for query, found in tracks.items()
            }
            for name, value in self._judged_at(entry, answers, second):
                values.setdefault(name, [math.nan] * len(times))[place] = value
        return {name: Curve(times[0], step, found) for name, found in values.items()}

    def _judged_at(self, entry: Entry, answers: Answers, second: int) -> list[tuple[str, float]]:
        now = datetime.fromtimestamp(second, UTC)
        sourced = sources.series_of(entry, answers, now)
        if isinstance(sourced, FetchError):
            return []
        found: list[tuple[str, float]] = []
        for series in sourced.answer.series:
            if series.name not in self.names or series.name in sourced.unreadable:
                continue
            try:
                reading = checks.judge(self.alert.name, entry, series, now)
            except ValueError:  # a point that is no number
                continue
            found.append((series.name, math.nan if reading.value is None else reading.value))
        return found


def picked(target: str, names: Collection[str]) -> str:
    """A target that returns little else than these of its series; the target itself where these are too many.

    Whatever is no letter or digit stands for any character: then nothing has to be escaped, and other series whose
    names are that much alike can be told apart by whoever asks.
    """
    patterns = {_ODD.sub(_any_like, name) for name in names}
    expression = "|".join(sorted(patterns))
    if not 0 < len(patterns) <= _MOST_PICKED or len(expression) > _LONGEST_PICKED * len(patterns):
        return target
    return f'grep({target},"^({expression})$")'


def _any_like(odd: re.Match[str]) -> str:
    """What stands for a character, or for several: what is no ASCII may be of another length where it comes from."""
    return "." if odd[0].isascii() and odd[0] != "\\" else ".+"


def _is_plain(entry: Entry) -> bool:
    is_now = (entry.query.until or "now") == "now"
    return is_now and entry.judged is Judged.LAST and entry.ratio is None and entry.compare is None


def _plain(tracks: Sequence[Track]) -> dict[str, Curve]:
    return {track.name: Curve(track.start, track.step, _values(track)) for track in reversed(tracks)}


def _values(track: Track) -> list[float]:
    """The datapoints as numbers; what is no number leaves a gap."""
    try:
        return quiet.values_of(track)
    except ValueError:
        return [math.nan if (value := _number(text)) is None else value for text in track.texts]


def _number(text: bytes) -> float | None:
    try:
        return folding.number(text)
    except ValueError:
        return None


def _is_wanted(name: str, entry: Entry, names: frozenset[str]) -> bool:
    if entry.ratio is None:
        return name in names
    try:
        return joining.key_of(name, entry.ratio.by) in names
    except joining.MissingNodeError:
        return name in names
