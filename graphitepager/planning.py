"""What another alerts.yml would change: the next poll, foreseen from what is remembered and what Graphite says now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphitepager import alerting, checks, polling, routing, telling
from graphitepager.alerting import AlertMemory
from graphitepager.model import OWN, EventKind
from graphitepager.rules import Level, NoDataPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from graphitepager.errors import FetchError
    from graphitepager.model import Event, SeriesKey, SeriesState, Silence
    from graphitepager.rawdata import RawAnswer
    from graphitepager.records import OpenIncident, Snapshot
    from graphitepager.rules import Config, Entry, Query, Route

_NOTHING = AlertMemory()


class Foreseen(NamedTuple):
    """What the next poll would tell, and what would be remembered after it, by alert."""

    events: tuple[Event, ...]
    memories: Mapping[str, AlertMemory]

    @property
    def begun(self) -> tuple[Event, ...]:
        """What would be triggered, or would be but for what holds it back."""
        return tuple(event for event in self.events if event.kind is EventKind.TRIGGERED)

    @property
    def ended(self) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.kind is EventKind.RESOLVED)


class Due(NamedTuple):
    """What happens to a series at a moment if it goes on as it does: an incident of this level begins, or ends."""

    key: SeriesKey
    level: Level
    at: datetime
    is_end: bool = False


class Move(NamedTuple):
    """An open incident that would be told to `new` routes, and then be resolved at `old` ones."""

    key: SeriesKey
    level: Level
    new: frozenset[Route]
    old: frozenset[Route]


def next_poll(
    config: Config,
    answers: Mapping[Query, RawAnswer | FetchError],
    snapshot: Snapshot,
    silences: tuple[Silence, ...],
    now: datetime,
) -> Foreseen:
    """Poll every alert of the configuration once, as the daemon would after the change, and keep nothing of it."""
    seen_at = snapshot.last_poll.answered_at if snapshot.last_poll else None
    before = snapshot.memories
    progress = {}
    for alert in config.alerts:
        memory = before.get(alert.name, _NOTHING)
        evaluation = checks.evaluate(alert, answers, now, memory.states.keys())
        progress[alert.name] = polling.advance(alert, evaluation, memory, seen_at, config.settings, now).progress
    holds = polling.holds(before, {name: one.memory for name, one in progress.items()}, silences)
    events: list[Event] = []
    memories = {}
    for alert in config.alerts:
        told = telling.tell(alert, progress[alert.name], now, holds)
        events += told.events
        memories[alert.name] = told.memory
    for name in before.keys() - memories.keys() - {OWN}:
        events += alerting.retire(before[name], now).events
    return Foreseen(tuple(events), memories)


def due(config: Config, foreseen: Foreseen) -> Iterator[Due]:
    """Yield what is on its way to begin or to end after the poll, if the series go on as they do."""
    for alert in config.alerts:
        memory = foreseen.memories[alert.name]
        for name, state in memory.states.items():
            yield from _due(state, alerting.owner(alert, memory, name))


def _due(state: SeriesState, entry: Entry) -> Iterator[Due]:
    if state.critical_since is not None:
        yield Due(state.key, Level.CRITICAL, state.critical_since + entry.for_critical)
    elif state.warning_since is not None:
        yield Due(state.key, Level.WARNING, state.warning_since + entry.for_warning)
    if state.no_data_since is not None and state.no_data is None and entry.no_data is NoDataPolicy.ALERT:
        yield Due(state.key, Level.NO_DATA, state.no_data_since + entry.no_data_for)
    if state.incident is not None and state.good_since is not None:
        yield Due(state.key, state.level, state.good_since + entry.keep_firing_for, is_end=True)


def moves(config: Config, foreseen: Foreseen, open_incidents: Iterable[OpenIncident], now: datetime) -> Iterator[Move]:
    """Yield the open incidents that go on, and are told elsewhere than where they were."""
    alerts = {alert.name: alert for alert in config.alerts}
    for incident in open_incidents:
        alert = alerts.get(incident.key.alert)
        memory = foreseen.memories.get(incident.key.alert)
        if alert is None or memory is None:
            continue
        event = telling.trigger_again(alert, memory, incident.key, incident.level, now)
        wanted = frozenset(routing.routes_for(event, config)) if event else frozenset()
        if wanted and wanted != incident.routes:
            yield Move(incident.key, incident.level, wanted - incident.routes, incident.routes - wanted)
