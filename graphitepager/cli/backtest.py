"""`graphite-pager backtest`: what these alerts would have done in the past; nothing is sent or stored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from graphitepager import telemetry
from graphitepager.backtesting import Tally, difference
from graphitepager.cli import choosing, configuration, replaying
from graphitepager.cli.configuration import complain
from graphitepager.errors import PagerError
from graphitepager.reports import asjson, markdown, terminal, words
from graphitepager.sketches import Sketches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from graphitepager.backtesting import Difference, Report
    from graphitepager.cli.replaying import Period, Use
    from graphitepager.pastwindows import Replayed
    from graphitepager.rules import Config

# What no file and no revision is called.
_NEW = ""


class _Older(NamedTuple):
    """The configuration that is compared with: what it is called, what it comes to, and what has changed since."""

    name: str
    report: Report
    difference: Difference


@click.command("backtest")
@configuration.config_option
@replaying.period_options
@replaying.step_option
@click.option("--alert", "names", metavar="NAME", multiple=True, help="Only this alert; may be given several times.")
@click.option("--against", metavar="FILE|REVISION", help="Compare with another alerts.yml, or with a git revision.")
@click.option("--html", "page", metavar="FILE", type=click.Path(dir_okay=False), help="Also write a page with plots.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a pull request.")
@click.option(
    "--fail-if-pages-over", "limit", metavar="N", type=click.IntRange(min=0), help="Exit code 1 where more would page."
)
def command(  # noqa: PLR0913 - one for each option
    *,
    config_path: str,
    begin: datetime,
    until: datetime,
    step: timedelta | None,
    names: tuple[str, ...],
    against: str | None,
    page: str | None,
    as_json: bool,
    as_markdown: bool,
    limit: int | None,
) -> int:
    """Replay Graphite's past through these alerts, and say who would have been paged, when, and how often.

    Nothing is sent or stored. Times are shown in UTC.

    Example: graphite-pager backtest --from -30d --alert "MongoDB lock" --html report.html
    """
    if as_json and as_markdown:
        raise click.UsageError("choose one of --json and --markdown")
    if against == _NEW:
        raise click.UsageError("--against is empty: name a file or a git revision")
    _check_page(page)
    config = replaying.read(config_path)
    period, config = replaying.period(begin, until, step, choosing.narrowed(config, names))
    configs = {_NEW: config}
    if against is not None:
        configs[against] = _older_config(against, config_path, names, config)
    sketches = Sketches(config, period.times[0], period.times[-1]) if page else None
    reports, replayed = _replay(configs, period, sketches)
    report = reports[_NEW]
    older = None if against is None else _Older(against, reports[against], difference(reports[against], report))
    if as_json:
        _print_json(report, replayed, older)
    elif as_markdown:
        _print_markdown(report, older)
    else:
        _print_tables(report, older)
    if page:
        _write(page, report, sketches, replayed)
    for line in words.coarse_lines(replayed.coarse):
        complain(f"graphite-pager: {line}")
    if limit is not None and report.pages > limit:
        complain(f"graphite-pager: {words.counted(report.pages, 'page')} would have been sent, at most {limit} may be")
        return 1
    return 1 if replayed.failed else 0


def _check_page(path: str | None) -> None:
    if path == "-":
        raise click.UsageError("--html takes the name of a file: what is printed are the tables")
    if path and not Path(path).parent.is_dir():
        raise PagerError(f"{path}: no such file or directory")


def _older_config(against: str, config_path: str, names: tuple[str, ...], config: Config) -> Config:
    """The configuration to compare with, at the heartbeat of the new one; an alert may be new."""
    from graphitepager.cli import revisions  # noqa: PLC0415 - few look at git

    older = revisions.read(against, config_path)
    kept = tuple(alert for alert in older.alerts if not names or alert.name in names)
    return replace(older, alerts=kept, settings=config.settings)


def _replay(
    configs: dict[str, Config], period: Period, sketches: Sketches | None
) -> tuple[dict[str, Report], Replayed]:
    tallies: dict[str, Tally] = {}

    def users(failed: frozenset[str]) -> Iterator[Use]:
        for name, config in configs.items():
            usable = replaying.without(config, failed)
            tallies[name] = Tally(usable)
            yield replaying.tallying(usable, tallies[name])
        if sketches is not None:
            yield sketches.add

    replayed = replaying.fetch(list(configs.values()), period, users)
    return {name: tally.report(period.begin, period.end) for name, tally in tallies.items()}, replayed


def _write(path: str, report: Report, sketches: Sketches | None, replayed: Replayed) -> None:
    from graphitepager.reports.page import as_html  # noqa: PLC0415 - Jinja2 is not needed without

    html = telemetry.scrub(as_html(report, sketches, words.coarse_lines(replayed.coarse)))
    try:
        Path(path).write_text(html, encoding="utf-8")
    except OSError as error:
        raise PagerError(f"{path}: {(error.strerror or 'cannot be written').lower()}") from None


def _print_tables(report: Report, older: _Older | None) -> None:
    screen = terminal.console()
    terminal.print_report(report, screen)
    if older is not None:
        screen.print()
        terminal.print_difference(older.difference, older.report, report, screen, than=older.name)


def _print_markdown(report: Report, older: _Older | None) -> None:
    if older is None:
        text = markdown.report_as_markdown(report)
    else:
        text = markdown.difference_as_markdown(older.difference, older.report, report, than=older.name)
    click.echo(telemetry.scrub(text))


def _print_json(report: Report, replayed: Replayed, older: _Older | None) -> None:
    document: dict[str, Any] = asjson.report_as_json(report, replayed)
    if older is not None:
        document["against"] = asjson.report_as_json(older.report, replayed)
        document["difference"] = asjson.difference_as_json(older.difference)
    click.echo(telemetry.scrub(json.dumps(document, indent=2)))
