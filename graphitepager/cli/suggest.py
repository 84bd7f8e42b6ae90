"""`graphite-pager suggest`: thresholds for a target, with the pages that each would have caused."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table
from rich.text import Text

from graphitepager import quiet, suggesting, telemetry
from graphitepager.backtesting import Tally
from graphitepager.cli import configuration, moments, replaying
from graphitepager.cli.configuration import complain
from graphitepager.config.plainyaml import as_yaml
from graphitepager.durations import format_duration
from graphitepager.errors import PagerError
from graphitepager.printable import printable
from graphitepager.reports import terminal, words
from graphitepager.thresholds import Operator, Threshold, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from graphitepager.backtesting import AlertReport
    from graphitepager.cli.replaying import Period, Use
    from graphitepager.history import Track
    from graphitepager.rules import Config, Query

_WEEK = timedelta(weeks=1)
_SOURCE = "the suggested alert"


@click.command("suggest")
@configuration.config_option
@click.argument("target")
@click.option(
    "--pages-per-week",
    "wanted",
    metavar="N",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How many pages are bearable.",
)
@click.option(
    "--for",
    "length",
    metavar="LENGTH",
    default="5min",
    show_default=True,
    callback=moments.as_length,
    help="How long a breach lasts before it pages.",
)
@click.option("--below", is_flag=True, help="Low values are bad, as with free disk space.")
@click.option("--name", metavar="NAME", default="New alert", show_default=True, help="What the alert is to be called.")
@replaying.period_options
def command(  # noqa: PLR0913 - one for each option
    *,
    config_path: str,
    target: str,
    wanted: float,
    length: timedelta,
    below: bool,
    name: str,
    begin: datetime,
    until: datetime,
) -> None:
    """Replay the past of this TARGET against a ladder of thresholds, and print the mildest one that can be borne.

    Its pages are those of the thresholds alone: a series without data is not counted. What is printed last is an
    entry for alerts.yml.

    Example: graphite-pager suggest "aliasByNode(servers.*.loadavg.01, 1)" --pages-per-week 2
    """
    if math.isnan(wanted):
        raise click.BadParameter("nan is no number of pages", param_hint="--pages-per-week")
    operator = Operator.AT_MOST if below else Operator.AT_LEAST
    entry = {"name": name, "target": target, "for": format_duration(length)}
    first = _config(config_path, {**entry, "critical": f"{operator.value} 0"})
    period, first = replaying.period(begin, until, None, first)
    samples: list[float] = []
    replaying.fetch([first], period, lambda _: [_sampling(samples)])
    bounds = suggesting.candidates(samples, is_low_bad=below)
    if not bounds:
        raise PagerError(f"{target}: no datapoint in that time")
    tried = [
        _config(config_path, {**entry, "critical": written(Threshold(operator=operator, bound=bound))})
        for bound in bounds
    ]
    reports = _replay([replaying.period(begin, until, None, one)[1] for one in tried], period)
    weeks = max((period.end - period.begin) / _WEEK, 1e-9)
    best = next((place for place, one in enumerate(reports) if _pages(one) / weeks <= wanted), len(reports) - 1)
    _print(reports, best, weeks)
    chosen = written(Threshold(operator=operator, bound=bounds[best]))
    click.echo(telemetry.scrub("alerts:\n" + _indented(as_yaml([{**entry, "critical": chosen}]))), nl=False)
    if _pages(reports[best]) / weeks > wanted:
        complain("graphite-pager: none of these thresholds pages as seldom as that; a longer --for may")


def _config(path: str, entry: dict[str, str]) -> Config:
    """A configuration with this alert alone; where Graphite is, the environment says, or the alerts.yml that there is.

    A series without data pages nobody in it: no threshold could change that.
    """
    alone = json.dumps({**entry, "no_data": "ok", "storm_limit": 10_000})
    return configuration.load_or_fail(f"alerts: [{alone}]\n" + _graphite(path), _SOURCE, lambda _: None)


def _graphite(path: str) -> str:
    if not Path(path).is_file():
        return ""
    settings = replaying.read(path).settings
    return f"graphite_url: {json.dumps(settings.graphite_url)}\n"


def _sampling(samples: list[float]) -> Use:
    def use(_times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> None:
        for track in (track for tracks in history.values() for track in tracks):
            try:
                samples.extend(suggesting.sample(quiet.values_of(track)))
            except ValueError:
                complain(f"graphite-pager: {printable(track.name)}: its points are no numbers")

    return use


def _replay(configs: Sequence[Config], period: Period) -> list[AlertReport]:
    tallies = [Tally(config) for config in configs]

    def users(_failed: frozenset[str]) -> Iterator[Use]:
        for config, tally in zip(configs, tallies, strict=True):
            yield replaying.tallying(config, tally)

    replaying.fetch(configs, period, users)
    return [tally.report(period.begin, period.end).alerts[0] for tally in tallies]


def _pages(report: AlertReport) -> int:
    return report.pages


def _print(reports: Sequence[AlertReport], best: int, weeks: float) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Critical", "Pages", "A week", "Firing"):
        table.add_column(heading, justify="right")
    table.add_column("Noisiest series", overflow="fold")
    for place, one in enumerate(reports):
        threshold = one.alert.entries[0].critical
        noisiest = f"{printable(one.noisiest[0])} ({words.counted(one.noisiest[1], 'page')})" if one.noisiest else "-"
        cells = (
            written(threshold) if threshold else "-",
            str(one.pages),
            f"{one.pages / weeks:.3g}",
            words.lasting(one.firing),
            noisiest + ("  ←" if place == best else ""),
        )
        table.add_row(*map(Text, cells), style="bold green" if place == best else None)
    screen = terminal.console()
    screen.print(table)
    screen.print()


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
