"""Puts together all that is known of a series: what alerts.yml, Graphite and the database say of it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from graphitepager import checks, polling, sources
from graphitepager.alerting import AlertMemory, owner
from graphitepager.errors import FetchError
from graphitepager.explaining import Facts
from graphitepager.model import OWN, WHOLE_ALERT, SeriesKey
from graphitepager.rules import Level
from graphitepager.telling import Holds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from graphitepager.config import Loaded
    from graphitepager.model import NearMiss, Silence
    from graphitepager.rawdata import RawAnswer
    from graphitepager.records import IncidentStory, Snapshot
    from graphitepager.rules import Alert, Entry, Query, Settings

# How far the story goes back.
DAY = timedelta(days=1)
_SIMILAR = 3


class Asked(NamedTuple):
    """An alert as Graphite was asked for it, and what that said."""

    alert: Alert
    answers: Mapping[Query, RawAnswer | FetchError]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A series of an alert, both called what a page calls them; `alert` is None where alerts.yml holds it no more."""

    alert_name: str
    series: str
    alert: Alert | None
    at: datetime
    is_past: bool = False


class Remembers(Protocol):
    """What is asked of a Store."""

    def incidents_of(self, key: SeriesKey, since: datetime, until: datetime) -> list[IncidentStory]:
        """What was open in that time, in order."""
        ...

    def near_misses_of(self, key: SeriesKey, since: datetime, until: datetime) -> list[NearMiss]:
        """The breaches that fired nothing, in order."""
        ...

    def remembered_since(self) -> datetime | None:
        """The oldest moment of which anything is known."""
        ...

    def silences(self, now: datetime | None = None) -> tuple[Silence, ...]:
        """All that there ever were."""
        ...


def facts_of(
    question: Question, asked: Asked | None, snapshot: Snapshot, store: Remembers, settings: Settings
) -> Facts:
    """All of it; `asked` is None where there is nothing to ask Graphite."""
    alert, at = question.alert, question.at
    failure = _failure(asked) if asked else None
    evaluation = checks.evaluate(asked.alert, asked.answers, at) if asked and not failure else None
    memory = snapshot.memories.get(question.alert_name, AlertMemory())
    key = _key_called(question.alert_name, question.series, memory, evaluation)
    facts = Facts(
        key=key,
        at=at,
        is_past=question.is_past,
        heartbeat=polling.heartbeat(settings),
        alert=alert,
        entry=_entry_of(alert, evaluation, memory, key),
        evaluation=evaluation,
        reading=evaluation.readings.get(key.series) if evaluation else None,
        failure=failure,
        rivals=_rivals(asked, evaluation, key) if asked and evaluation else (),
        state=None if question.is_past else memory.states.get(key.series),
        is_known=key.series in _known(memory),
        similar=_similar(key, memory, evaluation),
        last_poll=snapshot.last_poll.started_at if snapshot.last_poll else None,
        remembered_since=store.remembered_since(),
        incidents=store.incidents_of(key, at - DAY, at),
        near_misses=store.near_misses_of(key, at - DAY, at),
    )
    return replace(facts, hold=_hold(facts, snapshot, store.silences()))


def place_of(loaded: Loaded, alert: Alert | None, entry: Entry | None) -> str | None:
    """Where an entry stands: `alerts.yml:12`."""
    if alert is None or entry is None or alert.name == OWN:
        return None
    number = loaded.pointer.numbers[alert.name][alert.entries.index(entry)]
    place = loaded.entries[number][1].place
    return f"{place.source}:{place.line}"


def _key_called(alert: str, name: str, memory: AlertMemory, evaluation: checks.Evaluation | None) -> SeriesKey:
    """The series that pages call so; the alert as a whole is `(all series)`."""
    candidates = {*_known(memory), *(_named(evaluation) if evaluation else ())}
    called = {SeriesKey(alert, each).words[1]: each for each in sorted(candidates, reverse=True)}
    if name == SeriesKey(alert, WHOLE_ALERT).words[1]:
        return SeriesKey(alert, WHOLE_ALERT)
    return SeriesKey(alert, called.get(name, name))


def _known(memory: AlertMemory) -> set[str]:
    return {*memory.states, *(name for names in memory.known.values() for name in names)}


def _named(evaluation: checks.Evaluation) -> set[str]:
    return {*evaluation.excluded, *evaluation.left_out, *(name for names in evaluation.owned for name in names)}


def _similar(key: SeriesKey, memory: AlertMemory, evaluation: checks.Evaluation | None) -> list[str]:
    names = {*_known(memory), *(_named(evaluation) if evaluation else ())}
    return difflib.get_close_matches(key.series, sorted(name for name in names if name.strip()), n=_SIMILAR)


def _failure(asked: Asked) -> str | None:
    answers = (asked.answers[query] for query in checks.queries_of([asked.alert]))
    return next((answer.reason for answer in answers if isinstance(answer, FetchError)), None)


def _entry_of(
    alert: Alert | None, evaluation: checks.Evaluation | None, memory: AlertMemory, key: SeriesKey
) -> Entry | None:
    """The entry that owns the series, as far as that is known, as alerts.yml has it."""
    if alert is None:
        return None
    if evaluation is not None:
        for entry, owned in zip(alert.entries, evaluation.owned, strict=False):
            if key.series in owned:
                return entry
    return owner(alert, memory, key.series)


def _rivals(asked: Asked, evaluation: checks.Evaluation, key: SeriesKey) -> Sequence[Entry]:
    """The entries behind the one that owns the series whose targets return it, too."""
    owners = [number for number, owned in enumerate(evaluation.owned) if key.series in owned]
    return [
        entry
        for entry in asked.alert.entries[owners[0] + 1 if owners else len(asked.alert.entries) :]
        if not isinstance(sourced := sources.series_of(entry, asked.answers, datetime.now(UTC)), FetchError)
        and key.series in sourced.answer.roll.claim(entry).own
    ]


def _hold(facts: Facts, snapshot: Snapshot, silences: Collection[Silence]) -> str | None:
    """What holds back a trigger at the moment; of which alerts fired then nothing is known, but of now it is."""
    level = facts.reading.level if facts.reading else Level.NO_DATA
    if facts.entry is None or level is Level.OK:
        return None
    held = tuple(one for one in silences if one.ends_at > facts.at)
    holds = Holds(silences=held) if facts.is_past else polling.holds(snapshot.memories, {}, held)
    return holds.on(facts.key, level, facts.entry, facts.at)
