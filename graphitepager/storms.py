"""Many series of one alert that fire together: one incident for each level speaks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.incidents import event_of
from graphitepager.model import WHOLE_ALERT, EventKind, Incident, SeriesKey, SeriesState
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from graphitepager.model import Event
    from graphitepager.rules import Entry

HELD_BY = "a storm: one incident speaks for all of its series"
OVER = "none of its series is left"

# How many of its series a storm names.
_NAMED = 5


class Storm(NamedTuple):
    """A storm after a poll: its state, None once it is over, and what is told of it: what begins, what ends."""

    state: SeriesState | None
    begun: tuple[Event, ...] = ()
    ended: tuple[Event, ...] = ()


def name_of(level: Level) -> str:
    """What the storm of a level is called among the states of its alert."""
    return WHOLE_ALERT + level.value


def members(states: Mapping[str, SeriesState], level: Level) -> list[str]:
    """The series for which a storm speaks at this level."""
    return sorted(
        state.key.series
        for state in states.values()
        for incident in (state.incident, state.no_data)
        if incident is not None and incident.in_storm and incident.level is level
    )


def detail(names: list[str]) -> str:
    """Which series these are, in words."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} series together: {', '.join(names[:_NAMED])}{more}"


def after_poll(
    key: SeriesKey,
    level: Level,
    before: SeriesState | None,
    names: list[str],
    owners: Iterable[Entry],
    *,
    limit: int,
    now: datetime,
) -> Storm:
    """Page for a storm when it begins and whenever its size has doubled; end it with its last series.

    A size below `limit` counts as half of that, so that a storm which begins slowly does not page for its second
    series. What it has shrunk to is what it doubles from.
    """
    first, *others = distinct(owners) or (None,)
    if before is not None:
        incident = _incident(before, level)
        end = replace(event_of(EventKind.RESOLVED, before, incident, now, first), others=tuple(others))
        if not names:
            return Storm(None, ended=(replace(end, reason=OVER),))
        if len(names) < 2 * max(before.low, limit // 2):
            return Storm(replace(before, low=min(before.low, len(names))))
    begin = Incident(level=level, since=_incident(before, level).since if before else now, told_at=now)
    page = before.page + 1 if before else 1
    state = SeriesState(
        key=key,
        incident=None if level is Level.NO_DATA else begin,
        no_data=begin if level is Level.NO_DATA else None,
        size=len(names),
        low=len(names),
        page=page,
    )
    event = event_of(EventKind.TRIGGERED, state, begin, now, first)
    begun = replace(event, others=tuple(others), detail=detail(names))
    ended = () if before is None else (replace(end, reason=f"grown to {len(names)} series"),)
    return Storm(state, (begun,), ended)


def distinct(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Each of them once, in order."""
    found: list[Entry] = []
    for entry in entries:
        if entry not in found:
            found.append(entry)
    return tuple(found)


def _incident(state: SeriesState, level: Level) -> Incident:
    incident = state.no_data if level is Level.NO_DATA else state.incident
    assert incident is not None  # noqa: S101 - a storm has one as long as it is there
    return incident
