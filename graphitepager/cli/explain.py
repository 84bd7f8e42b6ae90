"""`graphite-pager explain`: why a series paged, or why not."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from graphitepager import explaining, findings, folding, health, lookback, sources, telemetry
from graphitepager.cli import asking, configuration, moments
from graphitepager.cli.choosing import unknown_alert
from graphitepager.cli.configuration import complain
from graphitepager.errors import ConfigError, FetchError
from graphitepager.findings import Asked, Question
from graphitepager.model import OWN, SeriesKey
from graphitepager.printable import printable
from graphitepager.reports import story
from graphitepager.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from graphitepager.config import Loaded
    from graphitepager.explaining import Facts
    from graphitepager.rules import Alert, Config

_HOUR = timedelta(hours=1)
_SIMILAR = 3


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
        told = store.incidents_of(SeriesKey(alert_name.strip(), series_name), now - findings.DAY, now)
        alert = _alert_called(alert_name, config, {*snapshot.memories, *(one.key.alert for one in told)})
        name = alert.name if alert else alert_name.strip()
        asked, looking_back = _ask(alert, config, at) if alert and alert.name != OWN else (None, None)
        question = Question(alert_name=name, series=series_name, alert=alert, at=now, is_past=at is not None)
        facts = findings.facts_of(question, asked, snapshot, store, config.settings)
    _show(facts, loaded, _points(looking_back, facts), config)
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


def _ask(alert: Alert, config: Config, at: datetime | None) -> tuple[Asked, Asked]:
    """What Graphite says of the alert at that moment, and of the hour before."""
    looking_back = replace(alert, entries=tuple(lookback.over(entry, _HOUR) for entry in alert.entries))
    if at is not None:
        alert, looking_back = (
            replace(one, entries=tuple(lookback.at(entry, at) for entry in one.entries))
            for one in (alert, looking_back)
        )
    answers = asking.ask(config.settings, [alert, looking_back])
    return Asked(alert, answers), Asked(looking_back, answers)


def _points(asked: Asked | None, facts: Facts) -> list[tuple[datetime, float | None]]:
    """The datapoints of the last hour, with the times at which their intervals begin."""
    if asked is None or facts.alert is None or facts.entry is None:
        return []
    entry = asked.alert.entries[facts.alert.entries.index(facts.entry)]
    sourced = sources.series_of(entry, asked.answers, facts.at)
    for series in [] if isinstance(sourced, FetchError) else sourced.answer.series:
        if series.name == facts.key.series:
            with contextlib.suppress(ValueError):  # a point that is no number
                return [
                    (datetime.fromtimestamp(series.start + place * series.step, UTC), value)
                    for place, value in enumerate(folding.numbers(series))
                ]
    return []


def _show(facts: Facts, loaded: Loaded, points: Sequence[tuple[datetime, float | None]], config: Config) -> None:
    alert, series = facts.key.words
    place = findings.place_of(loaded, facts.alert, facts.entry)
    lines = [f"{alert}: {series} at {facts.at:%Y-%m-%d %H:%M:%S} UTC", ""]
    described = story.described(facts, place=place, points=points, url=config.settings.graphite_url)
    lines += [f"  {name:11} {text}" for name, text in described]
    if events := story.events(facts):
        lines += ["", "  the day before, in UTC:"]
        lines += [f"  {moment:%Y-%m-%d %H:%M:%S}  {text}" for moment, text in events]
    lines += ["", explaining.verdict(facts)]
    click.echo(telemetry.scrub("\n".join(line if not line else printable(line) for line in lines)))
