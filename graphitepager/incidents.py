"""The life of one series as a pure function: `step(state, reading, now)` gives the new state and what has ended.

The contract is docs/lifecycle.md. Nothing here reads a clock; `now` is the time of the poll. What begins is told by
`telling`, which knows of silences and storms: an incident that `step` opens has not been told.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from graphitepager.durations import format_duration
from graphitepager.model import WHOLE_ALERT, Event, EventKind, Incident, NearMiss, Reading, Run, SeriesKey, SeriesState
from graphitepager.rules import Entry, Level, NoDataPolicy, OnVanish

DEDUP_PREFIX = "graphite-pager/"

# So many incidents of a series that end within so long make it flap: it then stays open until it was quiet for a while.
FLAPPING_CYCLES = 4
FLAPPING_WITHIN = timedelta(hours=1)
QUIET_FOR = timedelta(minutes=15)

RECOVERED = "back to Nominal"
DATA_RETURNED = "data is back"
NO_DATA_IS_FINE = "no data any more, which this alert counts as fine"
VANISHED = "vanished: nothing has come for"

_TIMERS = ("warning_since", "critical_since", "better_since", "good_since", "data_since")

_BADNESS = {Level.OK: 0, Level.WARNING: 1, Level.CRITICAL: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a step leads to: the state afterwards, what ended or began to flap, and a breach that came to nothing.

    `is_forgotten` asks to drop the series from those that are missed when they are gone.
    """

    state: SeriesState
    events: tuple[Event, ...] = ()
    near_miss: NearMiss | None = None
    is_forgotten: bool = False


def dedup_key(key: SeriesKey, level: Level) -> str:
    """Name the incident of this series at this level, the same in every process and after every restart.

    The level is part of it because PagerDuty tells nobody of a trigger that joins an acknowledged incident: an
    acknowledged warning must not swallow the critical page. Thresholds are not: editing one keeps the incident.
    """
    identity = f"{key.alert}\0{key.series}\0{level.value}"
    return DEDUP_PREFIX + hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()[:40]


def step(state: SeriesState, reading: Reading, now: datetime) -> Outcome:
    """Take one series from one poll to the next."""
    state = _trimmed(state, now)
    if reading.level is Level.NO_DATA:
        return _without_data(state, reading, now)
    moment = _moment(reading, now)
    if state.no_data_since is not None and reading.covered_from is not None:
        state = later(state, max(reading.covered_from - state.no_data_since, timedelta(0)))
    state = replace(_begun(state, moment), value=reading.value, no_data_since=None)
    state, data_events = _data_is_back(state, reading, now, moment)
    after = _timed(state, reading, moment)
    near_miss = _near_miss(state, after, moment)
    due = _due(after, reading.entry, moment)
    if due is None:
        after, events = _improved(after, reading, now, moment)
    else:
        after, events = _worsened(after, reading, now, due)
    return Outcome(state=after, events=data_events + events, near_miss=near_miss)


def _begun(state: SeriesState, moment: datetime) -> SeriesState:
    """Pull in timers that a clock set forward, or a gap that was counted too long, has put ahead of the data."""
    ahead: dict[str, Any] = {
        name: moment for name in _TIMERS if (since := getattr(state, name)) is not None and since > moment
    }
    return replace(state, **ahead) if ahead else state


def later(state: SeriesState, gap: timedelta, *, is_missing_too: bool = False) -> SeriesState:
    """Have the timers of a state stand still for a time in which nothing was seen."""
    names = (*_TIMERS, "no_data_since") if is_missing_too else _TIMERS
    running = {name: moment for name in names if (moment := getattr(state, name)) is not None}
    return replace(state, **{name: moment + gap for name, moment in running.items()}) if gap and running else state


def close(state: SeriesState, now: datetime, reason: str, entry: Entry | None = None) -> tuple[Event, ...]:
    """End whatever is open of a series, for example because alerts.yml no longer holds its alert."""
    open_ones = (state.incident, state.no_data)
    return tuple(_ended(state, one, now, reason, entry) for one in open_ones if one is not None)


def event_of(kind: EventKind, state: SeriesState, incident: Incident, now: datetime, entry: Entry | None) -> Event:
    """The event that tells of one of the incidents of a series."""
    return Event(
        kind=kind,
        key=state.incident_key,
        level=incident.level,
        at=now,
        since=incident.since,
        value=None if incident.level is Level.NO_DATA and kind is not EventKind.RESOLVED else state.value,
        entry=entry,
        size=state.size,
    )


def _ended(state: SeriesState, incident: Incident, now: datetime, reason: str, entry: Entry | None) -> Event:
    return replace(event_of(EventKind.RESOLVED, state, incident, now, entry), reason=reason)


def _trimmed(state: SeriesState, now: datetime) -> SeriesState:
    """Drop cycles of more than an hour ago, and pull in what a clock that has been set back since wrote down."""
    since, cycles = state.no_data_since, state.cycles
    if since is not None and since > now:
        state = replace(state, no_data_since=now)
    if cycles and not (now - FLAPPING_WITHIN < cycles[0] and cycles[-1] <= now):
        recent = (min(cycle, now) for cycle in cycles if cycle > now - FLAPPING_WITHIN)
        state = replace(state, cycles=tuple(recent))
    return state


def _moment(reading: Reading, now: datetime) -> datetime:
    """Up to when the data tells: the end of the newest interval, or `now` inside of it.

    Measured on it, every duration stands still while nothing new arrives, and a clock that has been set back shortens
    none.
    """
    if reading.covered_until is None:
        return now
    return min(reading.covered_until, max(now, reading.covered_from or now))


def _data_is_back(
    state: SeriesState, reading: Reading, now: datetime, moment: datetime
) -> tuple[SeriesState, tuple[Event, ...]]:
    """End the no-data incident, unless it comes and goes."""
    if state.no_data is None:
        return state, ()
    since = state.data_since or moment
    if _flaps(state, moment - since):
        return replace(state, data_since=since, is_flapping=True), _flapping(state, state.no_data, now, reading)
    events = (_ended(state, state.no_data, now, DATA_RETURNED, reading.entry),)
    return _after_cycle(replace(state, no_data=None, data_since=None), now), events


def _timed(state: SeriesState, reading: Reading, moment: datetime) -> SeriesState:
    """Run the timers of the breaches that do not fire (yet)."""
    warning_since = critical_since = None
    is_warning = reading.level is Level.WARNING or (
        reading.level is Level.CRITICAL and reading.entry.warning is not None
    )
    if is_warning and state.level is Level.OK:
        warning_since = _since(reading.warning_run, state.warning_since, moment)
    if reading.level is Level.CRITICAL and state.level is not Level.CRITICAL:
        critical_since = _since(reading.critical_run, state.critical_since, moment)
    return replace(state, warning_since=warning_since, critical_since=critical_since)


def _since(run: Run | None, remembered: datetime | None, moment: datetime) -> datetime:
    """Since when a threshold is breached, as far as window and memory together reach back."""
    if run is None:
        return remembered or moment
    if run.is_whole_window and remembered is not None:
        return min(run.since, remembered)
    return run.since


def _near_miss(before: SeriesState, after: SeriesState, moment: datetime) -> NearMiss | None:
    since = before.critical_since or before.warning_since
    if since is None or before.incident is not None or after.warning_since is not None:
        return None
    level = Level.CRITICAL if before.critical_since else Level.WARNING
    return NearMiss(key=before.key, level=level, since=since, until=moment)


def _due(state: SeriesState, entry: Entry, moment: datetime) -> Level | None:
    """The worst level whose breach has lasted long enough to fire."""
    if state.critical_since is not None and moment - state.critical_since >= entry.for_critical:
        return Level.CRITICAL
    if state.warning_since is not None and moment - state.warning_since >= entry.for_warning:
        return Level.WARNING
    return None


def _worsened(
    state: SeriesState, reading: Reading, now: datetime, level: Level
) -> tuple[SeriesState, tuple[Event, ...]]:
    events: tuple[Event, ...] = ()
    if state.incident is not None:
        events = (_ended(state, state.incident, now, f"now {level.label}", reading.entry),)
    return _firing(state, level, now), events


def _improved(
    state: SeriesState, reading: Reading, now: datetime, moment: datetime
) -> tuple[SeriesState, tuple[Event, ...]]:
    """End the incident, or lower its level, once that has good reason."""
    if state.incident is None:
        return state, ()
    incident = state.incident
    level = _supported(incident.level, reading)
    if level is incident.level:
        return replace(state, better_since=None, good_since=None), ()
    state = replace(
        state,
        better_since=state.better_since or moment,
        good_since=(state.good_since or moment) if level is Level.OK else None,
    )
    better_for = moment - ((state.good_since if level is Level.OK else state.better_since) or moment)
    if better_for < reading.entry.keep_firing_for:
        return state, ()
    if _flaps(state, better_for):
        return replace(state, is_flapping=True), _flapping(state, incident, now, reading)
    reason = RECOVERED if level is Level.OK else f"now {level.label}"
    events = (_ended(state, incident, now, reason, reading.entry),)
    return _after_cycle(_firing(state, level, now), now), events


def _supported(level: Level, reading: Reading) -> Level:
    """The level of an open incident that this reading still supports: it has not come as far as `clear`."""
    found = reading.level
    if reading.value is not None:
        for each in (Level.WARNING, Level.CRITICAL):
            threshold = reading.entry.threshold(each)
            is_between = _BADNESS[found] < _BADNESS[each] <= _BADNESS[level]
            if is_between and threshold is not None and threshold.is_held_by(reading.value):
                found = each
    return found if _BADNESS[found] < _BADNESS[level] else level


def _firing(state: SeriesState, level: Level, now: datetime) -> SeriesState:
    """Open an incident at this level, or none, in place of the one that was; what leads away from it begins anew."""
    return replace(
        state,
        incident=None if level is Level.OK else Incident(level=level, since=now),
        warning_since=None,
        critical_since=None if level is Level.CRITICAL else state.critical_since,
        better_since=None,
        good_since=None,
    )


def _flaps(state: SeriesState, better_for: timedelta) -> bool:
    return len(state.cycles) + 1 >= FLAPPING_CYCLES and better_for < QUIET_FOR


def _flapping(state: SeriesState, incident: Incident, now: datetime, reading: Reading) -> tuple[Event, ...]:
    return () if state.is_flapping else (event_of(EventKind.FLAPPING, state, incident, now, reading.entry),)


def _after_cycle(state: SeriesState, now: datetime) -> SeriesState:
    return replace(state, cycles=(*state.cycles, now), is_flapping=False)


def _without_data(state: SeriesState, reading: Reading, now: datetime) -> Outcome:
    """Keep the level, since no data says nothing of it; a track of its own runs for the missing data."""
    entry = reading.entry
    is_gone = reading.covered_until is None and reading.key.series != WHOLE_ALERT
    known_moments = (state.no_data_since, reading.covered_until, now)
    since = min(moment for moment in known_moments if moment is not None)
    missing_for = now - since
    state = replace(state, no_data_since=since, data_since=None)
    if reading.key.series != WHOLE_ALERT and missing_for >= patience(entry, is_gone=is_gone):
        # Whisper files outlive their hosts. What still comes, without data, keeps its state: it is not raised again.
        events = close(state, now, f"{VANISHED} {format_duration(missing_for)}", entry)
        rest = SeriesState(key=state.key, no_data_since=since)
        return Outcome(state=rest, events=events, is_forgotten=is_gone)
    if missing_for < entry.no_data_for or (is_gone and entry.on_vanish is not OnVanish.NO_DATA):
        return Outcome(state=state)
    if entry.no_data is NoDataPolicy.OK:
        events = close(state, now, NO_DATA_IS_FINE, entry)
        return Outcome(state=SeriesState(key=state.key, no_data_since=since, cycles=state.cycles), events=events)
    if state.no_data is not None or entry.no_data is NoDataPolicy.KEEP:
        return Outcome(state=state)
    return Outcome(state=replace(state, no_data=Incident(level=Level.NO_DATA, since=since)))


def patience(entry: Entry, *, is_gone: bool) -> timedelta:
    """How long a series may be missed before it is taken for retired: its incidents end, and nobody misses it.

    It counts from the end of no_data_for, which may itself be days, so that nothing is forgotten before it was raised.
    """
    if is_gone and entry.on_vanish is OnVanish.RESOLVE:
        return entry.vanish_after
    return entry.no_data_for + entry.forget_after
