"""What is not fine now, row by row, as a person on call wants to see it: how bad, since when, who knows, what to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from graphitepager import alerting, messages, mutewindows, silences, storms, telling
from graphitepager.alerting import AlertMemory
from graphitepager.durations import format_duration
from graphitepager.health import own_alert
from graphitepager.incidents import QUIET_FOR, dedup_key, event_of
from graphitepager.model import OWN, EventKind, Incident
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Level, NoDataPolicy, OnVanish
from graphitepager.thresholds import phrase
from graphitepager.wording import words_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from graphitepager.glance import Glance, Notice, StandingIncident
    from graphitepager.model import SeriesKey, SeriesState, Silence
    from graphitepager.rules import Config, Entry

    Known = Mapping[str, Mapping[str, frozenset[str]]]

_WORST_FIRST = {Level.CRITICAL: 0, Level.NO_DATA: 1, Level.WARNING: 2, Level.OK: 3}


class Section(enum.Enum):
    """Why a row is shown, in the order of the page. The values are the words of its address."""

    FIRING = "firing"
    UNHEARD = "unheard"
    NO_DATA = "no-data"
    PENDING = "pending"
    RECOVERING = "recovering"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One series that is not fine, or an alert as a whole.

    `since` is when that began, `due` when it turns into something else if it goes on. `value` and `bound` are in words:
    `82.1`, `critical at 70`; where there is none, `sentence` says it. `held_by` says what keeps it from being told now,
    and `silence` is that, where it is one. `policy` says what alerts.yml makes of missing data. `entry` is what
    alerts.yml says of it; None where it says nothing any more.
    """

    section: Section
    key: SeriesKey
    level: Level
    since: datetime
    entry: Entry | None
    due: datetime | None = None
    value: str = ""
    bound: str = ""
    sentence: str = ""
    policy: str = ""
    is_flapping: bool = False
    in_storm: bool = False
    storm_size: int = 0
    held_by: str | None = None
    held_until: datetime | None = None
    silence: Silence | None = None
    incident: StandingIncident | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook: str | None = None
    graph: str | None = None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Who was told of it, and what became of that."""
        return self.incident.notices if self.incident else ()

    @property
    def id(self) -> str:
        """What names the row in a page, the same at each refresh."""
        return dedup_key(self.key, self.level).rpartition("/")[2][:12]

    @property
    def rank(self) -> tuple[int, float, str]:
        """The worst first, and of those the newest."""
        return _WORST_FIRST[self.level], -self.since.timestamp(), self.key.series


def rows(config: Config, glance: Glance, known: Known) -> list[Row]:
    """Everything that is not fine, sorted. `known` holds the series of alerts with several entries, by target."""
    return sorted(_Overview(config, glance, known).rows(), key=lambda row: row.rank)


class _Overview:
    """What the rows of one glance have in common."""

    def __init__(self, config: Config, glance: Glance, known: Known) -> None:
        self._alerts = {alert.name: alert for alert in (*config.alerts, own_alert(config.settings))}
        self._glance = glance
        self._known = known
        self._incidents = {(one.key, one.level): one for one in glance.incidents}
        firing = frozenset(
            name for name, states in glance.states.items() if telling.is_firing(AlertMemory(states=states))
        )
        self._holds = telling.Holds(firing=firing)
        self._graphite_url = config.settings.graphite_url
        self._made: dict[int, tuple[Entry, str]] = {}

    def rows(self) -> Iterator[Row]:
        for name, states in self._glance.states.items():
            alert = self._alerts.get(name)
            memory = AlertMemory(states=states, known=self._known.get(name, {}))
            for series, state in states.items():
                entry = alerting.owner(alert, memory, series) if alert else None
                yield from self._of_state(state, entry)

    def _of_state(self, state: SeriesState, entry: Entry | None) -> Iterator[Row]:
        for incident in (state.incident, state.no_data):
            if incident is not None:
                yield self._open(state, incident, entry)
        if entry is None:
            return
        if state.critical_since or state.warning_since:
            yield self._pending(state, entry)
        if state.no_data_since and not state.no_data:
            yield self._stale(state, entry)

    def _open(self, state: SeriesState, incident: Incident, entry: Entry | None) -> Row:
        row = self._row(state, incident.level, incident.since, entry)
        row = replace(
            row,
            incident=self._incidents.get((state.incident_key, incident.level)),
            is_flapping=state.is_flapping,
            in_storm=incident.in_storm,
            storm_size=state.size,
        )
        if not row.value:
            row = replace(row, sentence=self._sentence(state, incident, entry))
        if not incident.in_storm and (why := _unheard(row, incident)):
            return replace(row, section=Section.UNHEARD, held_by=row.held_by or why)
        if incident.level is Level.NO_DATA:
            policy = _policy(entry) if entry and state.key.is_series and state.key.alert != OWN else ""
            return replace(row, section=Section.NO_DATA, policy=policy)
        better = state.good_since or state.better_since
        if better is not None and entry is not None:
            patience = QUIET_FOR if state.is_flapping else entry.keep_firing_for
            return replace(row, section=Section.RECOVERING, due=better + max(patience, entry.keep_firing_for))
        return row

    def _pending(self, state: SeriesState, entry: Entry) -> Row:
        if state.critical_since is not None:
            level, since, patience = Level.CRITICAL, state.critical_since, entry.for_critical
        else:
            assert state.warning_since is not None  # noqa: S101 - the caller has seen to it
            level, since, patience = Level.WARNING, state.warning_since, entry.for_warning
        return replace(self._row(state, level, since, entry), section=Section.PENDING, due=since + patience)

    def _stale(self, state: SeriesState, entry: Entry) -> Row:
        since = state.no_data_since
        assert since is not None  # noqa: S101 - the caller has seen to it
        row = self._row(state, Level.NO_DATA, since, entry)
        pages = entry.no_data is NoDataPolicy.ALERT
        due = since + entry.no_data_for if pages else None
        return replace(row, section=Section.STALE, due=due, policy=_policy(entry) if state.key.alert != OWN else "")

    def _row(self, state: SeriesState, level: Level, since: datetime, entry: Entry | None) -> Row:
        """What every kind of row has."""
        key = state.key
        row = Row(section=Section.FIRING, key=key, level=level, since=since, entry=entry)
        if state.value is not None and level is not Level.NO_DATA and key.is_series:
            threshold = entry.threshold(level) if entry else None
            bound = f"{level.value} {phrase(threshold)}" if threshold else ""
            row = replace(row, value=messages.value_in_words(state.value, entry, level), bound=bound)
        if entry is None:
            return row
        silence = silences.silencing(self._glance.silences, *key.words, level, self._glance.at)
        held_by = f"silence {silence.id}" if silence else self._holds.on(key, level, entry, self._glance.at)
        window = None if silence else mutewindows.open_window(entry.mute, level, self._glance.at)
        until = mutewindows.ends_at(window, self._glance.at) if window else None
        row = replace(row, silence=silence, held_by=held_by, held_until=until)
        if key.alert == OWN:
            return row
        runbook, labels = self._words(state, level, since, entry)
        return replace(row, labels=labels, runbook=runbook, graph=self._of_entry(entry)[1])

    def _of_entry(self, entry: Entry) -> tuple[Entry, str]:
        """What is made once for all of its series: the entry without the words of pages, and the link to its graph."""
        if id(entry) not in self._made:
            bare = replace(entry, summary=None, description=None)
            self._made[id(entry)] = (bare, messages.graph_link(self._graphite_url, entry))
        return self._made[id(entry)]

    def _words(
        self, state: SeriesState, level: Level, since: datetime, entry: Entry
    ) -> tuple[str | None, Mapping[str, str]]:
        """The runbook and the labels that a page would have."""
        alert, series = state.key.words
        words = None
        if entry.labels or entry.runbook:
            incident = Incident(level=level, since=since)
            words = words_for(event_of(EventKind.TRIGGERED, state, incident, self._glance.at, self._of_entry(entry)[0]))
        runbook = words.runbook if words else None
        if not runbook and entry.runbook_base:
            subject = series if state.key.is_series else entry.query.target
            runbook = messages.runbook_link(entry.runbook_base, alert, subject)
        return runbook, words.labels if words else {}

    def _sentence(self, state: SeriesState, incident: Incident, entry: Entry | None) -> str:
        """What a page would say of it, without the level and the name."""
        if state.size:
            return storms.detail(storms.members(self._glance.states[state.key.alert], incident.level))
        if state.key.alert == OWN:
            return f"{state.key.words[1]}: {'no usable answer' if incident.level is Level.NO_DATA else 'no good'}"
        if incident.level is Level.NO_DATA and state.key.is_series:
            return "no datapoint"
        return messages.sentence(event_of(EventKind.TRIGGERED, state, incident, self._glance.at, entry))


def _unheard(row: Row, incident: Incident) -> str | None:
    """Why nobody has heard of an open incident; None where somebody has, or will as soon as it can be sent."""
    if incident.told_at is None:
        return incident.held_by or "not told yet: the next poll does that"
    if row.incident is None or row.storm_size:
        return None
    if not row.notices:
        if row.entry is not None and incident.level not in row.entry.page_on:
            return f"page_on leaves {incident.level.value} out"
        return f"nobody is named for {incident.level.value}"
    if all(notice.status is DeliveryStatus.DEAD for notice in row.notices):
        return "refused for good by " + ", ".join(sorted({notice.notifier for notice in row.notices}))
    return None


def _policy(entry: Entry) -> str:
    """What alerts.yml makes of missing data, in its own words."""
    vanish = "" if entry.on_vanish is OnVanish.NO_DATA else f", on_vanish: {entry.on_vanish.value}"
    patience = f", no_data_for: {format_duration(entry.no_data_for)}" if entry.no_data is NoDataPolicy.ALERT else ""
    return f"no_data: {entry.no_data.value}{patience}{vanish}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants to see: rows with this text in a name or label, of this level, label and alert."""

    text: str = ""
    level: Level | None = None
    label: str = ""
    alert: str = ""

    def __bool__(self) -> bool:
        return bool(self.text or self.level or self.label or self.alert)

    def fits(self, row: Row) -> bool:
        if self.level is not None and row.level is not self.level:
            return False
        alert, series = row.key.words
        if self.alert and alert != self.alert:
            return False
        labels = [f"{name}={value}" for name, value in row.labels.items()]
        if self.label and self.label not in labels:
            return False
        text = "\n".join((alert, series, *labels)).casefold()
        return all(word in text for word in self.text.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rows of one alert in one section, the worst first."""

    alert: str
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """How many series it is about; a storm only speaks for others of them."""
        return sum(not row.storm_size for row in self.rows)


def grouped(found: Iterable[Row]) -> dict[Section, list[Group]]:
    """The rows by section and alert, in the order of the page; rows must be sorted."""
    sections: dict[Section, dict[str, list[Row]]] = {section: {} for section in Section}
    for row in found:
        sections[row.section].setdefault(row.key.words[0], []).append(row)
    return {
        section: [Group(alert=alert, rows=tuple(of_alert)) for alert, of_alert in alerts.items()]
        for section, alerts in sections.items()
        if alerts
    }
