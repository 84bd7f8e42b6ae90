"""Who is told what begins: an open incident is told once nothing holds it back, and again while it lasts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import mutewindows, silences, storms
from graphitepager.alerting import AlertMemory, Progress, owner, spokesmen
from graphitepager.incidents import event_of
from graphitepager.model import WHOLE_ALERT, Event, EventKind, Incident, SeriesKey, SeriesState
from graphitepager.rules import Level

if TYPE_CHECKING:
    from datetime import datetime

    from graphitepager.model import Silence
    from graphitepager.rules import Alert, Entry

# Series that start to fire within this time start together.
_TOGETHER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What can hold back a trigger, besides an alert's own mute windows: silences, and the alerts that fire now."""

    silences: tuple[Silence, ...] = ()
    firing: frozenset[str] = frozenset()

    def on(self, key: SeriesKey, level: Level, entry: Entry, now: datetime) -> str | None:
        """What holds it back, in words; None where it is to be told."""
        alert, series = key.words
        if silence := silences.silencing(self.silences, alert, series, level, now):
            until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
            return f"silence {silence.id} by {silence.author} until {until}: {silence.comment}"
        if window := mutewindows.open_window(entry.mute, level, now):
            return f"mute window {window.text}"
        if firing := sorted(entry.depends_on & self.firing):
            return f"depends on {firing[0]}, which fires"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The memory once it is noted who was told of what; and the events, those that begin something first."""

    memory: AlertMemory
    events: tuple[Event, ...] = ()


def is_firing(memory: AlertMemory) -> bool:
    """Whether any incident of the alert is open."""
    return any(state.incident is not None or state.no_data is not None for state in memory.states.values())


def tell(alert: Alert, progress: Progress, now: datetime, holds: Holds) -> Told:
    """Tell of what has ended, of what is open and was not told, and again of what was not for `repeat_interval`."""
    if not progress.memory.states:
        return Told(memory=progress.memory, events=progress.events)
    return _Telling(alert, progress, now, holds).told()


class _Telling:
    """One poll's telling of one alert."""

    def __init__(self, alert: Alert, progress: Progress, now: datetime, holds: Holds) -> None:
        self._alert = alert
        self._memory = progress.memory
        self._now = now
        self._holds = holds
        self._details = progress.details
        self._ended = progress.events
        self._states = dict(progress.memory.states)
        self._events: list[Event] = []
        self._calmed: list[Event] = []
        self._ready: dict[Level, list[str]] = {}  # the series that nothing keeps from being told, by level

    def told(self) -> Told:
        for name, state in self._memory.states.items():
            for incident in (state.incident, state.no_data):
                if incident is not None and not incident.in_storm:
                    self._consider(name, incident)
        for level in (Level.CRITICAL, Level.NO_DATA, Level.WARNING):
            self._tell_ready(level, self._ready.get(level, []))
        # What begins comes first, so that there is no moment at which nothing is open.
        ended = (event for event in self._ended if not self._is_held_flapping(event))
        events = (*self._events, *self._calmed, *ended)
        return Told(memory=replace(self._memory, states=self._states), events=events)

    def _is_held_flapping(self, event: Event) -> bool:
        entry = owner(self._alert, self._memory, event.key.series)
        return event.kind is EventKind.FLAPPING and bool(self._holds.on(event.key, event.level, entry, self._now))

    def _consider(self, name: str, incident: Incident) -> None:
        """Hold an incident back, have it told, or tell it again."""
        entry = owner(self._alert, self._memory, name)
        state = self._states[name]
        if incident.told_at is None:
            held_by = self._holds.on(state.key, incident.level, entry, self._now)
            if held_by is None:
                self._ready.setdefault(incident.level, []).append(name)
            elif held_by != incident.held_by:
                if incident.held_by is None:
                    self._emit(EventKind.TRIGGERED, name, incident, held_by=held_by)
                self._note(name, replace(incident, held_by=held_by))
        elif incident.told_at > self._now:  # by a clock that has been set back since
            self._note(name, replace(incident, told_at=self._now))
        elif (
            entry.repeat_interval is not None
            and self._now - incident.told_at >= entry.repeat_interval
            and self._holds.on(state.key, incident.level, entry, self._now) is None
        ):
            self._emit(EventKind.REPEATED, name, incident)
            self._note(name, replace(incident, told_at=self._now))

    def _tell_ready(self, level: Level, names: list[str]) -> None:
        """Tell each by itself, or all of them together where they are too many."""
        storm = storms.name_of(level)
        singles = [name for name in names if not self._states[name].key.is_series]
        series = [name for name in names if self._states[name].key.is_series]
        others = max(self._just_told(level), len(storms.members(self._states, level)))
        # A storm that has calmed down swallows nothing new.
        is_storm = bool(series) and len(series) + others > self._alert.storm_limit
        for name in singles + ([] if is_storm else series):
            incident = _incident_at(self._states[name], level)
            self._emit(EventKind.TRIGGERED, name, incident)
            self._note(name, replace(incident, told_at=self._now, held_by=None))
        if is_storm:
            for name in series:
                incident = _incident_at(self._states[name], level)
                self._emit(EventKind.TRIGGERED, name, incident, held_by=storms.HELD_BY)
                self._note(name, replace(incident, held_by=storms.HELD_BY, in_storm=True))
        if is_storm or storm in self._states:
            self._tell_storm(storm, level)

    def _just_told(self, level: Level) -> int:
        """How many series were told by themselves a moment ago, and are still open."""
        return sum(
            incident is not None and incident.level is level and _is_recent(incident.told_at, self._now)
            for state in self._memory.states.values()
            for incident in (state.incident, state.no_data)
            if state.key.is_series
        )

    def _tell_storm(self, name: str, level: Level) -> None:
        names = storms.members(self._states, level)
        storm = storms.after_poll(
            SeriesKey(self._alert.name, name),
            level,
            self._states.pop(name, None),
            names,
            [owner(self._alert, self._memory, each) for each in names] or spokesmen(self._alert),
            limit=self._alert.storm_limit,
            now=self._now,
        )
        if storm.state is not None:
            self._states[name] = storm.state
        self._events += storm.begun
        self._calmed += storm.ended

    def _emit(self, kind: EventKind, name: str, incident: Incident, held_by: str | None = None) -> None:
        event = _event(kind, self._alert, replace(self._memory, states=self._states), name, incident, self._now)
        detail = event.detail or self._details.get((name, incident.level))
        self._events.append(replace(event, held_by=held_by, detail=detail))

    def _note(self, name: str, incident: Incident) -> None:
        self._states[name] = _with(self._states[name], incident)


def trigger_again(alert: Alert, memory: AlertMemory, key: SeriesKey, level: Level, now: datetime) -> Event | None:
    """The event with which an incident that is open and told would be told to somebody new; None where it is not."""
    name = WHOLE_ALERT + level.value if key.series.startswith(WHOLE_ALERT + level.value) else key.series
    state = memory.states.get(name)
    incident = None if state is None else _find(state, level)
    if state is None or incident is None or incident.told_at is None or state.incident_key != key:
        return None
    return _event(EventKind.TRIGGERED, alert, memory, name, incident, now)


def _event(kind: EventKind, alert: Alert, memory: AlertMemory, name: str, incident: Incident, now: datetime) -> Event:
    """An event of this series, or of the storm or the whole alert of this name, and whom it concerns."""
    state = memory.states[name]
    names = storms.members(memory.states, incident.level) if state.page else []
    if names:
        entries = storms.distinct(owner(alert, memory, each) for each in names)
    elif name == WHOLE_ALERT:
        entries = spokesmen(alert)
    else:
        entries = (owner(alert, memory, name),)
    event = event_of(kind, state, incident, now, entries[0])
    return replace(event, others=entries[1:], size=len(names), detail=storms.detail(names) if names else None)


def _is_recent(told_at: datetime | None, now: datetime) -> bool:
    return told_at is not None and now - told_at < _TOGETHER


def _find(state: SeriesState, level: Level) -> Incident | None:
    incident = state.no_data if level is Level.NO_DATA else state.incident
    return incident if incident is not None and incident.level is level else None


def _incident_at(state: SeriesState, level: Level) -> Incident:
    incident = _find(state, level)
    assert incident is not None  # noqa: S101 - the caller has seen it there
    return incident


def _with(state: SeriesState, incident: Incident) -> SeriesState:
    if incident.level is Level.NO_DATA:
        return replace(state, no_data=incident)
    return replace(state, incident=incident)
