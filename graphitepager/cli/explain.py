"""`graphite-pager explain`: why a series paged, or why not."""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import click

from graphitepager import checks, folding, health, lookback, polling, sources, telemetry
from graphitepager.alerting import AlertMemory, owner
from graphitepager.cli import asking, configuration, moments, story
from graphitepager.cli.choosing import unknown_alert
from graphitepager.cli.configuration import complain
from graphitepager.errors import ConfigError, FetchError
from graphitepager.explaining import Facts
from graphitepager.model import OWN, WHOLE_ALERT, SeriesKey
from graphitepager.rules import Level
from graphitepager.store import Store
from graphitepager.telling import Holds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from graphitepager.cli.asking import Answers
    from graphitepager.config import Loaded
    from graphitepager.model import Silence
    from graphitepager.records import Snapshot
    from graphitepager.rules import Alert, Config, Entry

# How far the story goes back.
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_SIMILAR = 3


class _Asked(NamedTuple):
    """What Graphite says of an alert at the moment and of the hour before, and the alert as it was asked for both."""

    answers: Answers
    alert: Alert
    looking_back: Alert


@click.command("explain")
@click.argument("alert_name", metavar="ALERT")
@click.argument("series_name", metavar="SERIES")
@configuration.config_option
@click.option(
    "--at", metavar="TIME", callback=moments.as_past_moment, help="Another moment than now: -2h, or 2026-03-01T22:00."
)
def command(alert_name: str, series_name: str, config_path: str, at: datetime | None) -> int:
    """Say why SERIES of ALERT paged, or why not; both are called what a page calls them.

    Shows its entry, datapoints and timers, what holds it back, and what was decided and sent in the day before. Nothing
    is changed.

    Example: graphite-pager explain "MongoDB lock" db1 --at -2h
    """
    loaded = configuration.read(config_path)
    if loaded.config is None:
        raise ConfigError(loaded.problems)
    config = loaded.config
    telemetry.keep_secret(configuration.secrets_of(config))
    now = at or datetime.now(UTC)
    with Store.open_to_read(configuration.database_url(config, config_path)) as store:
        snapshot, kept = store.load(), store.kept_config()
        if kept is not None and kept.text != configuration.read_files(config_path):
            complain(f"graphite-pager: warning: {config_path} is not what the pager runs; this is by the file as it is")
        told = store.incidents_of(SeriesKey(alert_name.strip(), series_name), now - _DAY, now)
        alert = _alert_called(alert_name, config, {*snapshot.memories, *(one.key.alert for one in told)})
        name = alert.name if alert else alert_name.strip()
        asked = _ask(alert, config, at) if alert and alert.name != OWN else None
        evaluation = checks.evaluate(asked.alert, asked.answers, now) if asked and not _failure(asked) else None
        memory = snapshot.memories.get(name, AlertMemory())
        key = _key_called(name, series_name, memory, evaluation)
        facts = Facts(
            key=key,
            at=now,
            is_past=at is not None,
            heartbeat=polling.heartbeat(config.settings),
            alert=alert,
            entry=_entry_of(alert, evaluation, memory, key),
            evaluation=evaluation,
            reading=evaluation.readings.get(key.series) if evaluation else None,
            failure=_failure(asked) if asked else None,
            rivals=_rivals(asked, evaluation, key) if asked and evaluation else (),
            state=None if at else memory.states.get(key.series),
            is_known=key.series in _known(memory),
            similar=_similar(key, memory, evaluation),
            last_poll=snapshot.last_poll.started_at if snapshot.last_poll else None,
            remembered_since=store.remembered_since(),
            incidents=store.incidents_of(key, now - _DAY, now),
            near_misses=store.near_misses_of(key, now - _DAY, now),
        )
        facts = replace(facts, hold=_hold(facts, snapshot, store.silences()))
    story.show(facts, place=_place(loaded, facts), points=_points(asked, facts), url=config.settings.graphite_url)
    return 1 if facts.is_unknown else 0


def _alert_called(name: str, config: Config, remembered: Collection[str]) -> Alert | None:
    """The alert that pages call so; None where alerts.yml holds it no more. PagerError where nobody remembers it."""
    own = health.own_alert(config.settings)
    known = {SeriesKey(alert.name, "").words[0]: alert for alert in (own, *config.alerts)}
    if name.strip() in known:
        return known[name.strip()]
    if name.strip() not in remembered:
        raise unknown_alert(name, set(known))
    return None


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


def _ask(alert: Alert, config: Config, at: datetime | None) -> _Asked:
    looking_back = replace(alert, entries=tuple(lookback.over(entry, _HOUR) for entry in alert.entries))
    if at is not None:
        alert, looking_back = (
            replace(one, entries=tuple(lookback.at(entry, at) for entry in one.entries))
            for one in (alert, looking_back)
        )
    return _Asked(asking.ask(config.settings, [alert, looking_back]), alert, looking_back)


def _failure(asked: _Asked) -> str | None:
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


def _rivals(asked: _Asked, evaluation: checks.Evaluation, key: SeriesKey) -> Sequence[Entry]:
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


def _place(loaded: Loaded, facts: Facts) -> str | None:
    """Where the entry stands: `alerts.yml:12`."""
    if facts.alert is None or facts.entry is None or facts.alert.name == OWN:
        return None
    number = loaded.pointer.numbers[facts.alert.name][facts.alert.entries.index(facts.entry)]
    place = loaded.entries[number][1].place
    return f"{place.source}:{place.line}"


def _points(asked: _Asked | None, facts: Facts) -> list[tuple[datetime, float | None]]:
    """The datapoints of the last hour, with the times at which their intervals begin."""
    if asked is None or facts.alert is None or facts.entry is None:
        return []
    entry = asked.looking_back.entries[facts.alert.entries.index(facts.entry)]
    sourced = sources.series_of(entry, asked.answers, facts.at)
    for series in [] if isinstance(sourced, FetchError) else sourced.answer.series:
        if series.name == facts.key.series:
            with contextlib.suppress(ValueError):  # a point that is no number
                return [
                    (datetime.fromtimestamp(series.start + place * series.step, UTC), value)
                    for place, value in enumerate(folding.numbers(series))
                ]
    return []
