"""One alert from one poll to the next: the step of each series, of those that are gone, of the alert as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import incidents
from graphitepager.model import (
    WHOLE_ALERT,
    Alert,
    Entry,
    Event,
    EventKind,
    Level,
    NoDataPolicy,
    Reading,
    SeriesKey,
    SeriesState,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from graphitepager.checks import Evaluation

EXCLUDED = "excluded in alerts.yml"
REMOVED = "removed from alerts.yml"
TARGET_CHANGED = "no longer returned: its target was changed in alerts.yml"

_NOTHING_KNOWN: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMemory:
    """What is remembered of an alert between polls.

    `states` holds the series that are not quiet, by name. `known` holds, by target, the names of the series that the
    entry with that target owns: they are missed when they are gone. Kept by target, a changed target is a new start.
    """

    states: Mapping[str, SeriesState] = field(default_factory=dict)
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a poll leads to: the memory afterwards, the states that changed (quiet ones too), and what to tell."""

    memory: AlertMemory
    changed: tuple[SeriesState, ...] = ()
    events: tuple[Event, ...] = ()


def advance(
    alert: Alert, evaluation: Evaluation, memory: AlertMemory, now: datetime, unobserved: timedelta = timedelta(0)
) -> Progress:
    """Take an alert through one poll. A series that is fine and was fine costs nothing here.

    `unobserved` is for how long, before this poll, nobody saw whether there was data: it does not count as missing.
    """
    states = dict(memory.states)
    changed: list[SeriesState] = []
    events: list[Event] = []
    forgotten: set[str] = set()

    def settle(before: SeriesState | None, after: SeriesState) -> None:
        if after.is_quiet:
            states.pop(after.key.series, None)
        else:
            states[after.key.series] = after
        if after != before and not (before is None and after.is_quiet):
            changed.append(after)

    for reading in _readings(alert, evaluation, memory):
        name = reading.key.series
        before = memory.states.get(name)
        outcome = incidents.step(_without_gap(before, unobserved) or SeriesState(key=reading.key), reading, now)
        events += outcome.events
        settle(before, SeriesState(key=reading.key) if outcome.is_forgotten else outcome.state)
        if outcome.is_forgotten:
            forgotten.add(name)
    for name, reason in _dismissed(alert, evaluation, memory).items():
        before = memory.states[name]
        events += incidents.close(before, now, reason)
        settle(before, SeriesState(key=before.key))
    known = _known_after(alert, evaluation, memory, forgotten)
    return Progress(memory=AlertMemory(states=states, known=known), changed=tuple(changed), events=tuple(events))


def spokesman(alert: Alert) -> Entry:
    """The entry whose word counts when an alert has no series at all: the first that does not allow that."""
    return next((entry for entry in alert.entries if entry.no_data is NoDataPolicy.ALERT), alert.entries[0])


def retire(memory: AlertMemory, now: datetime) -> Progress:
    """End everything of an alert that alerts.yml no longer holds."""
    return Progress(
        memory=AlertMemory(),
        changed=tuple(SeriesState(key=state.key) for state in memory.states.values()),
        events=tuple(event for state in memory.states.values() for event in incidents.close(state, now, REMOVED)),
    )


def trigger_again(alert: Alert, memory: AlertMemory, key: SeriesKey, level: Level, now: datetime) -> Event:
    """The event with which an incident that is open at this level would be told to somebody new."""
    state = memory.states.get(key.series) or SeriesState(key=key)
    owners = (one for one in alert.entries if key.series in memory.known.get(one.query.target, _NOTHING_KNOWN))
    owner = spokesman(alert) if key.series == WHOLE_ALERT else next(owners, alert.entries[0])
    return Event(
        kind=EventKind.TRIGGERED,
        key=key,
        level=level,
        at=now,
        since=(state.no_data_since if level is Level.NO_DATA else state.since) or now,
        value=None if level is Level.NO_DATA else state.value,
        entry=owner,
    )


def _readings(alert: Alert, evaluation: Evaluation, memory: AlertMemory) -> Iterator[Reading]:
    """Yield the readings that can change anything, those of absent series included."""
    for name, reading in evaluation.readings.items():
        if reading.level is not Level.OK or name in memory.states:
            yield reading
    if not evaluation.is_complete:
        return  # what is missing may be in the answer that failed
    whole = SeriesKey(alert.name, WHOLE_ALERT)
    if not evaluation.has_series:
        yield Reading(key=whole, entry=spokesman(alert), level=Level.NO_DATA)
        # That one speaks for all of them; of the others, only what fires has something to lose.
        yield from (_told_by_the_whole(one) for one in _missing(alert, memory, seen={WHOLE_ALERT}, also_quiet=False))
        return
    if WHOLE_ALERT in memory.states:
        yield Reading(key=whole, entry=spokesman(alert), level=Level.OK)
    seen = evaluation.readings.keys() | evaluation.excluded | evaluation.unreadable | {WHOLE_ALERT}
    yield from _missing(alert, memory, seen=seen, also_quiet=True)


def _missing(alert: Alert, memory: AlertMemory, *, seen: AbstractSet[str], also_quiet: bool) -> Iterator[Reading]:
    """Yield a reading for each series that should have come, by the entry that owned it, as far as that is known."""
    rest = memory.states.keys() - seen - _of_changed_targets(alert, memory)
    for entry in alert.entries:
        known = memory.known.get(entry.query.target, _NOTHING_KNOWN)
        for name in known - seen if also_quiet else known & rest:
            rest -= {name}
            yield Reading(key=SeriesKey(alert.name, name), entry=entry, level=Level.NO_DATA)
    for name in rest:
        yield Reading(key=SeriesKey(alert.name, name), entry=alert.entries[0], level=Level.NO_DATA)


def _dismissed(alert: Alert, evaluation: Evaluation, memory: AlertMemory) -> Mapping[str, str]:
    """The series with a state that alerts.yml has just left out, and in what way."""
    if not evaluation.is_complete:
        return dict.fromkeys(evaluation.excluded & memory.states.keys(), EXCLUDED)
    gone = memory.states.keys() - evaluation.readings.keys() - evaluation.unreadable - {WHOLE_ALERT}
    changed = dict.fromkeys(gone & _of_changed_targets(alert, memory), TARGET_CHANGED)
    return changed | dict.fromkeys(gone & evaluation.excluded, EXCLUDED)


def _of_changed_targets(alert: Alert, memory: AlertMemory) -> AbstractSet[str]:
    """The series that were owned by a target that the alert does not have any more, and by no other."""
    targets = {entry.query.target for entry in alert.entries}
    if memory.known.keys() <= targets:
        return _NOTHING_KNOWN
    kept = frozenset[str]().union(*(names for target, names in memory.known.items() if target in targets))
    return frozenset[str]().union(*memory.known.values()) - kept


def _without_gap(state: SeriesState | None, unobserved: timedelta) -> SeriesState | None:
    if state is None or state.no_data_since is None or not unobserved:
        return state
    return replace(state, no_data_since=state.no_data_since + unobserved)


def _told_by_the_whole(reading: Reading) -> Reading:
    """Keep a reading without data from being raised, while its time runs on towards the end of its incident."""
    if reading.entry.no_data is not NoDataPolicy.ALERT:
        return reading
    return replace(reading, entry=replace(reading.entry, no_data=NoDataPolicy.KEEP))


def _known_after(
    alert: Alert, evaluation: Evaluation, memory: AlertMemory, forgotten: set[str]
) -> Mapping[str, frozenset[str]]:
    if not evaluation.is_complete:
        return memory.known
    owned: dict[str, set[str]] = {entry.query.target: set() for entry in alert.entries}
    for name, reading in evaluation.readings.items():
        owned[reading.entry.query.target].add(name)
    seen = evaluation.readings.keys() | evaluation.excluded
    return {
        target: frozenset(names | (memory.known.get(target, _NOTHING_KNOWN) - seen - forgotten))
        for target, names in owned.items()
    }
