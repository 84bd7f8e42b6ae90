"""The life of an alert as a pure function: `step(state, reading, now)` gives the new state and what to tell.

The contract is docs/lifecycle.md. Nothing here reads a clock; `now` is the time of the poll.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from graphitepager.model import (
    WHOLE_ALERT,
    Event,
    EventKind,
    Level,
    NoDataPolicy,
    Reading,
    SeriesKey,
    SeriesState,
)

# How long a series may be missed before it is taken for retired: its incidents end, and it is no longer missed. It
# counts from the end of no_data_for, which may itself be days, so that nothing is forgotten before it was raised.
FORGET_AFTER = timedelta(hours=24)

RECOVERED = "back to Nominal"
DATA_RETURNED = "data is back"
NO_DATA_IS_FINE = "no data any more, which this alert counts as fine (allow_no_data)"
VANISHED = "vanished: missed for 24 hours"


class Outcome(NamedTuple):
    """What a step leads to. `is_forgotten` asks to drop the series from those that are missed when they are gone."""

    state: SeriesState
    events: tuple[Event, ...] = ()
    is_forgotten: bool = False


def dedup_key(key: SeriesKey, level: Level) -> str:
    """Name the incident of this series at this level, the same in every process and after every restart.

    The level is part of it because PagerDuty tells nobody of a trigger that joins an acknowledged incident: an
    acknowledged warning must not swallow the critical page. Thresholds are not: editing one keeps the incident.
    """
    identity = f"{key.alert}\0{key.series}\0{level.value}"
    return "graphite-pager/" + hashlib.sha256(identity.encode("utf-8", "backslashreplace")).hexdigest()[:40]


def step(state: SeriesState, reading: Reading, now: datetime) -> Outcome:
    """Take one series from one poll to the next."""
    if reading.level is Level.NO_DATA:
        return _without_data(state, reading, now)
    return _with_data(state, reading, now)


def close(state: SeriesState, now: datetime, reason: str, reading: Reading | None = None) -> tuple[Event, ...]:
    """End whatever is open of a series, for example because alerts.yml no longer holds its alert."""
    return _end_level(state, now, reason, reading) + _end_no_data(state, now, reason, reading)


def _with_data(state: SeriesState, reading: Reading, now: datetime) -> Outcome:
    events = _end_no_data(state, now, DATA_RETURNED, reading)
    after = replace(state, value=reading.value, no_data_since=None, no_data_open=False)
    if reading.level is state.level:
        return Outcome(after, events)
    if reading.level is Level.OK:
        events += _end_level(state, now, RECOVERED, reading)
        return Outcome(replace(after, level=Level.OK, since=None), events)
    # The new incident begins before the old one ends, so that there is no moment at which nothing is open.
    events += (_event(EventKind.TRIGGERED, reading.level, state, reading, now, now),)
    events += _end_level(state, now, f"now {reading.level.label}", reading)
    return Outcome(replace(after, level=reading.level, since=now), events)


def _without_data(state: SeriesState, reading: Reading, now: datetime) -> Outcome:
    """Keep the level, since no data says nothing of it; a track of its own runs for the missing data."""
    known_moments = [moment for moment in (state.no_data_since, reading.covered_until) if moment is not None]
    since = min(known_moments, default=now)
    missing_for = now - since
    state = replace(state, no_data_since=since)
    if missing_for >= reading.entry.no_data_for + FORGET_AFTER and reading.key.series != WHOLE_ALERT:
        # Whisper files outlive their hosts. What still comes, without data, keeps its state: it is not raised again.
        events = close(state, now, VANISHED, reading)
        return Outcome(SeriesState(key=state.key, no_data_since=since), events, reading.covered_until is None)
    if missing_for < reading.entry.no_data_for:
        return Outcome(state)
    if reading.entry.no_data is NoDataPolicy.OK:
        events = close(state, now, NO_DATA_IS_FINE, reading)
        return Outcome(SeriesState(key=state.key, no_data_since=since), events)
    if state.no_data_open or reading.entry.no_data is NoDataPolicy.KEEP:
        return Outcome(state)
    return Outcome(
        replace(state, no_data_open=True), (_event(EventKind.TRIGGERED, Level.NO_DATA, state, reading, now, since),)
    )


def _end_level(state: SeriesState, now: datetime, reason: str, reading: Reading | None) -> tuple[Event, ...]:
    if state.level is Level.OK:
        return ()
    return (_event(EventKind.RESOLVED, state.level, state, reading, now, state.since or now, reason),)


def _end_no_data(state: SeriesState, now: datetime, reason: str, reading: Reading | None) -> tuple[Event, ...]:
    if not state.no_data_open:
        return ()
    return (_event(EventKind.RESOLVED, Level.NO_DATA, state, reading, now, state.no_data_since or now, reason),)


def _event(
    kind: EventKind,
    level: Level,
    state: SeriesState,
    reading: Reading | None,
    now: datetime,
    since: datetime,
    reason: str | None = None,
) -> Event:
    return Event(
        kind=kind,
        key=state.key,
        level=level,
        at=now,
        since=since,
        value=reading.value if reading else state.value,
        entry=reading.entry if reading else None,
        reason=reason,
    )
