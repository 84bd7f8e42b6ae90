"""`graphite-pager plan`: what a new alerts.yml would begin, end and move, by the state of the running pager."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from graphitepager import checks, messages, planning, routing
from graphitepager.cli import asking, configuration
from graphitepager.cli.configuration import complain
from graphitepager.durations import format_duration
from graphitepager.errors import FetchError
from graphitepager.printable import printable
from graphitepager.store import Store
from graphitepager.telemetry import scrub

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import timedelta

    from graphitepager.model import Event, Silence
    from graphitepager.planning import Due, Foreseen, Move
    from graphitepager.records import OpenIncident, Snapshot
    from graphitepager.rules import Config, Route, Settings

_ANYWAY = "with the running alerts.yml, too"


class _Live(NamedTuple):
    """What the running pager remembers, and the configuration that it runs, as far as that is known."""

    snapshot: Snapshot
    silences: tuple[Silence, ...]
    open_incidents: list[OpenIncident]
    running: Config | None


class _Line(NamedTuple):
    """One thing that would happen: its kind, a sentence, notes on it; and what programs want of it."""

    kind: str
    sentence: str
    notes: tuple[str, ...]
    alert: str
    series: str
    level: str


_HINT = "name the file that is to take the place of alerts.yml"
_SIGNS = {"begins": "+", "ends": "-", "moves": "~", "pending": "?"}


@click.command("plan")
@click.argument("new", metavar="NEW.YML")
@configuration.config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def command(new: str, config_path: str, as_json: bool) -> int:
    """Say what NEW.YML would begin, end and move if it took the place of alerts.yml now.

    It reads the state of the running pager, in its database, and asks Graphite. Nothing is written or sent.

    Example: graphite-pager plan new.yml
    """
    config = configuration.read_or_fail(new, lambda one: complain(one.headline), _HINT)
    live = _read(config, config_path)
    now = datetime.now(UTC)
    alerts = (*config.alerts, *(live.running.alerts if live.running else ()))
    answers = asking.ask(config.settings, alerts)
    foreseen = planning.next_poll(config, answers, live.snapshot, live.silences, now)
    anyway = planning.next_poll(live.running, answers, live.snapshot, live.silences, now) if live.running else None
    lines = [
        *_events(foreseen, anyway, config),
        *_moves(planning.moves(config, foreseen, live.open_incidents, now), config.settings),
        *_dues(planning.due(config, foreseen), now),
    ]
    failures = [answers[query] for query in checks.queries_of(config.alerts) if isinstance(answers[query], FetchError)]
    if as_json:
        reasons = [str(failure) for failure in failures]
        click.echo(scrub(json.dumps({"changes": [_as_json(one) for one in lines], "failures": reasons}, indent=2)))
    else:
        _print(lines, new, live)
    for failure in failures:
        complain(f"graphite-pager: {failure}")
    return 1 if failures else 0


def _read(config: Config, path: str) -> _Live:
    url = configuration.database_url(config, path)
    with Store.open_to_read(url) as store:
        kept = store.kept_config()
        running = configuration.config_of(kept) if kept else None
        return _Live(store.load(), store.silences(datetime.now(UTC)), store.open_incidents(), running)


def _events(foreseen: Foreseen, anyway: Foreseen | None, config: Config) -> list[_Line]:
    usual = {(event.kind, event.key, event.level) for event in anyway.events} if anyway else set()

    def line(kind: str, event: Event) -> _Line:
        notes = [f"held back by {event.held_by}"] if event.held_by else []
        if kind == "begins" and not event.held_by and not routing.routes_for(event, config):
            notes.append("nobody is told: no notifier hears of this level")
        if (event.kind, event.key, event.level) in usual:
            notes.append(_ANYWAY)
        summary = messages.render(event, config.settings.graphite_url).summary
        return _Line(kind, summary, tuple(notes), *event.key.words, event.level.value)

    return [line("begins", event) for event in foreseen.begun] + [line("ends", event) for event in foreseen.ended]


def _moves(moves: Iterable[Move], settings: Settings) -> list[_Line]:
    lines = []
    for move in moves:
        alert, series = move.key.words
        told = f"it is told to {_names(move.new, settings)}" if move.new else "it stays where it is still told"
        ended = f", then resolved at {_names(move.old, settings, which='the old')}" if move.old else ""
        sentence = f"{alert}: {series} ({move.level.label}): {told}{ended}"
        lines.append(_Line("moves", printable(sentence), (), alert, series, move.level.value))
    return lines


def _names(routes: Collection[Route], settings: Settings, which: str = "another") -> str:
    """What people call these routes; a routing key is a secret and is not shown."""
    by_route = {route: name for name, route in settings.notifiers.items()}
    plain = (f"{route.notifier} with {which} key" if route.address else route.notifier for route in sorted(routes))
    named = (by_route.get(route) for route in sorted(routes))
    return " and ".join(dict.fromkeys(name or words for name, words in zip(named, plain, strict=True)))


def _dues(dues: Iterable[Due], now: datetime) -> list[_Line]:
    lines = []
    for one in dues:
        alert, series = one.key.words
        condition = "stays good" if one.is_end else "goes on"
        what = f"{one.level.label} {'ends' if one.is_end else 'begins'} {_in_words(one.at - now)} if it {condition}"
        lines.append(_Line("pending", printable(f"{alert}: {series}: {what}"), (), alert, series, one.level.value))
    return lines


def _in_words(wait: timedelta) -> str:
    return f"in {format_duration(wait)}" if wait.total_seconds() > 0 else "at the next poll"


def _print(lines: Iterable[_Line], new: str, live: _Live) -> None:
    listed = list(lines)
    for line in listed:
        notes = f"  [{'; '.join(line.notes)}]" if line.notes else ""
        click.echo(scrub(f"{_SIGNS[line.kind]} {line.sentence}{printable(notes)}"))
    counts = {kind: sum(line.kind == kind for line in listed) for kind in _SIGNS}
    poll = live.snapshot.last_poll
    seen = f"the last poll was at {poll.started_at:%Y-%m-%d %H:%M:%S} UTC" if poll else "no pager has polled yet"
    click.echo(
        f"{new}: {counts['begins']} to begin, {counts['ends']} to end, {counts['moves']} to move,"
        f" {counts['pending']} pending, of {len(live.open_incidents)} open now; {seen}"
    )


def _as_json(line: _Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "alert": line.alert,
        "series": line.series,
        "level": line.level,
        "sentence": line.sentence,
        "notes": list(line.notes),
    }
