"""`graphite-pager test`: what alerts.yml does with made-up series, beside what it should do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from graphitepager import ruletests, telemetry, testfile
from graphitepager.cli import configuration
from graphitepager.durations import format_duration
from graphitepager.errors import ConfigError
from graphitepager.printable import printable
from graphitepager.problems import Problem, present
from graphitepager.reports.sparkline import sparkline
from graphitepager.thresholds import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.config import Loaded
    from graphitepager.ruletests import Outcome, RuleTest

DEFAULT_PATH = "tests.yml"
_MOST_EVENTS = 20
_HINT = "name yours behind the command, or write one: graphite-pager capture prints a test"


@click.command("test")
@configuration.config_option
@click.argument("paths", metavar="[TESTS.YML]...", nargs=-1)
def command(config_path: str, paths: tuple[str, ...]) -> int:
    """Run the rule tests in these files, by default tests.yml: made-up series through the alerts of alerts.yml.

    Neither Graphite nor a database is asked. Exit code 1 where a test fails.

    Example: graphite-pager test alerts.d/tests.yml
    """
    loaded = configuration.read(config_path, needs_graphite=False)
    if loaded.config is None:
        raise ConfigError(loaded.problems)
    telemetry.keep_secret(configuration.secrets_of(loaded.config))
    count = failed = 0
    for path in paths or (DEFAULT_PATH,):
        text = configuration.read_text(path, _HINT)
        tests, problems = testfile.load(text, path)
        if problems:
            raise ConfigError(problems)
        for test in tests:
            count += 1
            failed += not _run(test, loaded, path, text)
    click.echo(f"{count} {'test' if count == 1 else 'tests'}, {failed} failed" if failed else f"{count} passed")
    return 1 if failed else 0


def _run(test: RuleTest, loaded: Loaded, path: str, text: str) -> bool:
    """Run a test, print what became of it, and tell whether it has passed."""
    assert loaded.config is not None  # noqa: S101 - the caller has seen to it
    outcome = None
    try:
        outcome = ruletests.run(test, loaded.config)
        failures = outcome.failures
    except ValueError as error:
        failures = (ruletests.Failure(test.line, test.column, str(error)),)
    _say(f"{'FAIL' if failures else 'ok  '}  {test.name}")
    problems = [Problem(source=path, line=one.line, column=one.column, message=one.message) for one in failures]
    for problem in present(problems, {path: text}, ()):
        _say(problem.render())
    if failures and outcome is not None:
        for line in _story(test, loaded, outcome):
            _say(f"  {line}")
    return not failures


def _story(test: RuleTest, loaded: Loaded, outcome: Outcome) -> Iterator[str]:
    """The rule, the series and what happened, for somebody who wonders why."""
    for entry, origin in loaded.entries:
        if isinstance(entry, dict) and str(entry["name"]).strip() == test.alert:
            yield f"rule    {origin.place.source}:{origin.place.line}: {_rule(test.alert, origin.place.line, loaded)}"
    for series in test.series.values():
        for name, values in series.items():
            yield f"series  {printable(name)}: {ruletests.written(values)}"
            yield f"        {sparkline(values)}"
    for one in outcome.told[:_MOST_EVENTS]:
        held = f" (held back: {one.event.held_by})" if one.event.held_by else ""
        yield f"{format_duration(one.after):>6}  {one.event.kind.value}: {one.summary}{held}"
    if len(outcome.told) > _MOST_EVENTS:
        yield f"        and {len(outcome.told) - _MOST_EVENTS} more events"
    if not outcome.told:
        yield "        nothing was told"


def _rule(alert: str, line: int, loaded: Loaded) -> str:
    """The thresholds and the times of an entry, as they count."""
    alerts = loaded.config.alerts if loaded.config else ()
    for entry in (entry for one in alerts if one.name == alert for entry in one.entries if entry.line == line):
        bounds = (("warning", entry.warning, entry.for_warning), ("critical", entry.critical, entry.for_critical))
        said = [
            f"{name} {written(one)}" + (f" for {format_duration(time)}" if time else "")
            for name, one, time in bounds
            if one
        ]
        return ", ".join((*said, f"no_data_for {format_duration(entry.no_data_for)}"))
    return alert


def _say(text: str) -> None:
    click.echo(telemetry.scrub(text))
