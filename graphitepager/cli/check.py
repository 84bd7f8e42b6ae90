"""`graphite-pager check`: one evaluation, now; nothing is sent or stored."""

from __future__ import annotations

import json
import math
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphitepager import checks
from graphitepager.alerting import spokesman
from graphitepager.cli import configuration
from graphitepager.cli.configuration import complain
from graphitepager.errors import FetchError, PagerError
from graphitepager.graphite import Fetcher
from graphitepager.messages import describe_count, value_in_words
from graphitepager.model import COUNT, Reading
from graphitepager.printable import printable
from graphitepager.rules import Level, NoDataPolicy
from graphitepager.telemetry import scrub
from graphitepager.thresholds import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Config, Entry
    from graphitepager.thresholds import Threshold

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "bold red", Level.NO_DATA: "magenta"}

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


@click.command("check")
@configuration.config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(config_path: str, as_json: bool) -> int:
    """Evaluate every alert once, now: a table of alert, series, value, thresholds and level.

    Nothing is sent or stored. Exit codes as monitoring plugins have them: 0 ok, 1 warning, 2 critical, 3 unknown.

    Example: GRAPHITE_URL=https://graphite.example.com graphite-pager check
    """
    try:
        config = configuration.read_or_fail(config_path, lambda one: complain(one.headline))
    except PagerError as error:
        complain(f"graphite-pager: {error}")
        return _UNKNOWN
    result = look(config)
    if as_json:
        click.echo(scrub(json.dumps(_as_json(result), indent=2)))
    else:
        _print_table(result)
    for failure in result.failures:
        complain(f"graphite-pager: {failure}")
    for target, line in result.bad_lines:
        complain(f"graphite-pager: {printable(target)}: a line of Graphite's answer is no series: {line}")
    for reading in result.readings:
        if reading.detail is not None:
            complain(f"graphite-pager: {reading.key.alert}: {printable(f'{reading.key.series}: {reading.detail}')}")
    for alert_name, series in result.unreadable:
        complain(f"graphite-pager: {alert_name}: {printable(series)}: its points are no numbers")
    return exit_code(result)


def look(config: Config) -> Result:
    """Ask Graphite for every target once, and judge the answers."""
    fetcher = Fetcher(config.settings)
    try:
        answers = dict(
            fetcher.fetch(
                checks.queries_of(config.alerts), deadline_s=config.settings.heartbeat_s, stop=threading.Event()
            )
        )
    finally:
        fetcher.close()
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


def _print_table(result: Result) -> None:
    if not result.readings and not result.empty:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Alert", "Series"):
        table.add_column(heading, overflow="fold")
    for heading in ("Value", "Warning", "Critical"):
        table.add_column(heading, justify="right")
    table.add_column("Level")
    for reading in result.readings:
        value = "-" if reading.value is None else value_in_words(reading.value, reading.entry, reading.level)
        _add_row(table, reading.key.alert, _series(reading), value, reading.entry, reading.level)
    for alert in result.empty:
        entry = spokesman(alert)
        _add_row(table, alert.name, f"no series: {entry.query.target}", "-", entry, Level.NO_DATA)
    # A pipe has no width: there every row stays on its line.
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=100_000)
    console.print(table)


def _add_row(table: Table, alert: str, series: str, value: str, entry: Entry, level: Level) -> None:
    thresholds = (_described(one) or "-" for one in (entry.warning, entry.critical))
    cells: Iterable[Text] = (
        Text(printable(alert)), Text(printable(series)), Text(value), *map(Text, thresholds),
    )  # fmt: skip
    table.add_row(*cells, Text(level.label, style=_STYLES[level]))


def _series(reading: Reading) -> str:
    if reading.key.series.startswith(COUNT):
        return describe_count(reading.value, reading.entry)
    return reading.key.series


def _described(threshold: Threshold | None) -> str | None:
    return None if threshold is None else describe(threshold)


def _json_number(value: float | None) -> float | str | None:
    """JSON has no infinity."""
    return value if value is None or math.isfinite(value) else str(value)


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "series": [
            {
                "alert": reading.key.alert,
                "series": _series(reading),
                "level": reading.level.value,
                "value": _json_number(reading.value),
                "covered_until": reading.covered_until.isoformat() if reading.covered_until else None,
                "warning": _described(reading.entry.warning),
                "critical": _described(reading.entry.critical),
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
