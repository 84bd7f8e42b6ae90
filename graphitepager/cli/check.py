"""`graphite-pager check`: one evaluation, now; nothing is sent or stored."""

from __future__ import annotations

import contextlib
import json
import math
import re
import signal
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from graphitepager import checks, distances, folding, lookback, sources
from graphitepager.alerting import spokesman
from graphitepager.cli import asking, checktable, choosing, configuration, moments
from graphitepager.cli.configuration import complain
from graphitepager.errors import FetchError, PagerError
from graphitepager.graphite import Fetcher
from graphitepager.model import Reading, SeriesKey
from graphitepager.printable import printable
from graphitepager.rules import Level, NoDataPolicy
from graphitepager.telemetry import scrub
from graphitepager.thresholds import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Config
    from graphitepager.thresholds import Threshold

_HOUR = timedelta(hours=1)

# The exit codes of monitoring plugins (Nagios and its kin), worst first where several apply.
_OK, _WARNING, _CRITICAL, _UNKNOWN = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one look at Graphite gave."""

    readings: tuple[Reading, ...]
    empty: tuple[Alert, ...]
    failures: tuple[FetchError, ...]
    unreadable: tuple[tuple[str, str], ...]
    bad_lines: tuple[tuple[str, str], ...]


def _often(ctx: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    length = moments.as_length(ctx, parameter, text)
    if length < timedelta(seconds=1):
        raise click.BadParameter("Graphite is not asked more often than every second")
    return length


@click.command("check")
@configuration.config_option
@click.option("--alert", "names", metavar="NAME", multiple=True, help="Only this alert; may be given again.")
@click.option("--sparkline", is_flag=True, help="Show the last hour of each series, as on a terminal.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--every", metavar="LENGTH", default="10s", show_default=True, callback=_often, help="How often, with --watch."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(
    config_path: str, names: tuple[str, ...], sparkline: bool, watch: bool, every: timedelta, as_json: bool
) -> int:
    """Evaluate every alert once, now: a table of alert, series, value, thresholds and level.

    Nothing is sent or stored. Exit codes as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 unknown.

    Example: GRAPHITE_URL=https://graphite.example.com graphite-pager check --alert "MongoDB lock" --watch
    """
    try:
        config = configuration.read_or_fail(config_path, lambda one: complain(one.headline))
        config = choosing.narrowed(config, names)
    except PagerError as error:
        complain(f"graphite-pager: {error}")
        return _UNKNOWN
    screen = checktable.console()
    with contextlib.closing(Fetcher(config.settings)) as fetcher:

        def look_once() -> Result:
            result = look(config, fetcher)
            show_recent = not as_json and (sparkline or screen.is_terminal)
            recent = _recent(config, fetcher) if show_recent else None
            if watch:
                _begin_again(screen, as_json=as_json)
            _print(result, recent, screen, as_json=as_json)
            return result

        if not watch:
            return exit_code(look_once())
        # Like Ctrl-C; without a handler, the first process of a container would not hear of it.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            never = threading.Event()
            while True:
                look_once()
                never.wait(every.total_seconds())
    return _OK


def _begin_again(screen: Console, *, as_json: bool) -> None:
    """Say when this look was; on a terminal it takes the place of the one before."""
    if as_json:
        return
    if screen.is_terminal:
        screen.clear()
    screen.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", style="dim")


def _print(
    result: Result, recent: Mapping[SeriesKey, Sequence[float | None]] | None, screen: Console, *, as_json: bool
) -> None:
    if as_json:
        click.echo(scrub(json.dumps(_as_json(result), indent=2)))
    elif result.readings or result.empty:
        screen.print(checktable.table(result.readings, result.empty, recent))
    for failure in result.failures:
        complain(f"graphite-pager: {failure}")
    for target, line in result.bad_lines:
        complain(f"graphite-pager: {printable(target)}: a line of Graphite's answer is no series: {line}")
    for reading in result.readings:
        if reading.detail is not None:
            complain(f"graphite-pager: {reading.key.alert}: {printable(f'{reading.key.series}: {reading.detail}')}")
    for alert_name, series in result.unreadable:
        complain(f"graphite-pager: {alert_name}: {printable(series)}: its points are no numbers")
    sys.stdout.flush()


def look(config: Config, fetcher: Fetcher) -> Result:
    """Ask Graphite for every target once, and judge the answers."""
    answers = asking.ask_with(fetcher, config.settings, config.alerts)
    now = datetime.now(UTC)
    evaluations = [(alert, checks.evaluate(alert, answers, now)) for alert in config.alerts]
    return Result(
        readings=tuple(reading for alert, evaluation in evaluations for reading in _readings(alert, evaluation)),
        empty=tuple(alert for alert, one in evaluations if one.is_complete and not one.has_series),
        failures=_failures(answers.values()),
        bad_lines=tuple(
            (query.target, line)
            for query, answer in answers.items()
            if not isinstance(answer, FetchError)
            for line in answer.bad_lines
        ),
        unreadable=tuple((alert.name, name) for alert, one in evaluations for name in sorted(one.unreadable)),
    )


def _recent(config: Config, fetcher: Fetcher) -> dict[SeriesKey, Sequence[float | None]]:
    """The datapoints of the last hour, as far as they can be had; what cannot is no reason to fail."""
    alerts = [replace(one, entries=tuple(lookback.over(each, _HOUR) for each in one.entries)) for one in config.alerts]
    answers = asking.ask_with(fetcher, config.settings, alerts)
    found: dict[SeriesKey, Sequence[float | None]] = {}
    for alert in alerts:
        for entry in alert.entries:
            sourced = sources.series_of(entry, answers, datetime.now(UTC))
            for series in [] if isinstance(sourced, FetchError) else sourced.answer.series:
                key = SeriesKey(alert.name, series.name)
                if key not in found and entry.takes(series.name):
                    with contextlib.suppress(ValueError):  # a point that is no number
                        found[key] = folding.numbers(series)
    return found


def _failures(answers: Iterable[RawAnswer | FetchError]) -> tuple[FetchError, ...]:
    """What failed, once for each target and reason: with compare, a target is asked for twice."""
    failed = [answer for answer in answers if isinstance(answer, FetchError)]
    return tuple({(failure.target, failure.reason): failure for failure in failed}.values())


def _readings(alert: Alert, evaluation: checks.Evaluation) -> Iterator[Reading]:
    """Those of the series, and of their number where that is not the expected one."""
    for name in sorted(evaluation.readings, key=_as_people_count):
        yield evaluation.readings[name]
    yield from (one for one in checks.judge_counts(alert, evaluation) if one.level is not Level.OK)


def _as_people_count(name: str) -> list[tuple[int, str]]:
    """Sort web2 before web10."""
    digits_apart = (part.lstrip("0") if part.isdecimal() else part for part in re.split(r"([0-9]+)", name))
    return [(len(part), part) if part.isdecimal() else (0, part) for part in digits_apart]


def exit_code(result: Result) -> int:
    """Critical is certain whatever else is unknown; after that, not to know is worse than a warning."""
    levels = {reading.level for reading in result.readings if not _is_fine(reading)}
    if Level.CRITICAL in levels:
        return _CRITICAL
    missing = any(spokesman(alert).no_data is not NoDataPolicy.OK for alert in result.empty)
    if result.failures or result.unreadable or result.bad_lines or missing or Level.NO_DATA in levels:
        return _UNKNOWN
    return _WARNING if Level.WARNING in levels else _OK


def _is_fine(reading: Reading) -> bool:
    if reading.level is Level.NO_DATA:
        return reading.entry.no_data is NoDataPolicy.OK
    return reading.level is Level.OK


def _described(threshold: Threshold | None) -> str | None:
    return None if threshold is None else describe(threshold)


def _distance(reading: Reading) -> dict[str, Any] | None:
    found = distances.distance(reading)
    return None if found is None else {"to": found.level.value, "is_past": found.is_past, "amount": found.amount}


def _json_number(value: float | None) -> float | str | None:
    """JSON has no infinity."""
    return value if value is None or math.isfinite(value) else str(value)


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "series": [
            {
                "alert": reading.key.alert,
                "series": checktable.series_of(reading),
                "level": reading.level.value,
                "value": _json_number(reading.value),
                "covered_until": reading.covered_until.isoformat() if reading.covered_until else None,
                "warning": _described(reading.entry.warning),
                "critical": _described(reading.entry.critical),
                "distance": _distance(reading),
                "target": reading.entry.query.target,
                "detail": reading.detail,
            }
            for reading in result.readings
        ],
        "alerts_without_series": [alert.name for alert in result.empty],
        "failures": [{"target": failure.target, "reason": failure.reason} for failure in result.failures],
        "bad_lines": [{"target": target, "line": line} for target, line in result.bad_lines],
        "unreadable": [{"alert": alert, "series": series} for alert, series in result.unreadable],
    }
