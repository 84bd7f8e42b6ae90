"""`graphite-pager capture`: a rule test made of what really happened."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from graphitepager import quiet, ruletests, telemetry
from graphitepager.cli import choosing, configuration, moments, replaying
from graphitepager.config.fields import did_you_mean
from graphitepager.config.plainyaml import as_yaml
from graphitepager.durations import format_duration, parse_duration
from graphitepager.errors import PagerError
from graphitepager.joining import MissingNodeError, key_of
from graphitepager.model import EventKind
from graphitepager.problems import quote
from graphitepager.ruletests import RuleTest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphitepager.history import Track
    from graphitepager.rules import Alert, Entry, Query
    from graphitepager.ruletests import Outcome, Values


@click.command("capture")
@configuration.config_option
@click.argument("alert_name", metavar="ALERT")
@click.argument("series")
@click.option(
    "--at", "moment", metavar="TIME", required=True, callback=moments.as_past_moment, help="When it happened."
)
@click.option(
    "--before",
    metavar="LENGTH",
    default="30min",
    show_default=True,
    callback=moments.as_length,
    help="How long before that it begins.",
)
@click.option(
    "--after",
    metavar="LENGTH",
    default="30min",
    show_default=True,
    callback=moments.as_length,
    help="How long after that it ends.",
)
def command(
    config_path: str, alert_name: str, series: str, moment: datetime, before: timedelta, after: timedelta
) -> None:
    """Print a rule test of what this SERIES of this ALERT did, and of what alerts.yml makes of it now.

    Example: graphite-pager capture "MongoDB lock" db1 --at 2026-03-01T22:05 > night.yml
    """
    config = choosing.narrowed(replaying.read(config_path), [alert_name])
    [alert] = config.alerts
    ago = max((one.compare.ago for one in alert.entries if one.compare), default=timedelta(0))
    # What is still to come is no gap in the data.
    until = min(moment + after, datetime.now(UTC))
    if until <= moment - before:
        raise click.UsageError("there is nothing between --before and --after: make one of them longer")
    period, _ = replaying.period(moment - before - ago, until, None, config)
    kept = _Kept(alert, series)
    replaying.fetch([config], period, lambda _: [kept.add])
    test = kept.test(period.begin, period.end, f"{alert_name}, {series}, {moment:%Y-%m-%d %H:%M} UTC")
    outcome = ruletests.run(test, config)
    click.echo(telemetry.scrub(as_yaml({"tests": [_as_data(test, outcome)]})), nl=False)


class _Kept:
    """The datapoints of one series of an alert, or of those that it is computed from, by target, name and time."""

    def __init__(self, alert: Alert, series: str) -> None:
        self._alert = alert
        self._series = series
        self._points: dict[str, dict[str, dict[int, float]]] = {}
        self._steps: set[int] = set()
        self._others: set[str] = set()

    def add(self, _times: Sequence[int], history: Mapping[Query, Sequence[Track]]) -> None:
        for entry in self._alert.entries:
            for query in entry.queries:
                for track in history[query]:
                    if self._is_meant(track.name, entry):
                        self._keep(query.target, track)
                    else:
                        self._others.add(track.name)

    def _is_meant(self, name: str, entry: Entry) -> bool:
        if entry.ratio is None:
            return name == self._series
        try:
            return key_of(name, entry.ratio.by) == self._series
        except MissingNodeError:
            return False

    def _keep(self, target: str, track: Track) -> None:
        self._steps.add(track.step)
        points = self._points.setdefault(target, {}).setdefault(track.name, {})
        try:
            values = quiet.values_of(track)
        except ValueError:
            raise PagerError(f"{track.name}: its points are no numbers") from None
        points |= {
            track.start + place * track.step: value for place, value in enumerate(values) if not math.isnan(value)
        }

    def test(self, begin: datetime, end: datetime, name: str) -> RuleTest:
        """The test, of which nothing is expected yet. PagerError where there was no such series."""
        if not self._points:
            hint = did_you_mean(self._series, self._others)
            raise PagerError(f"the alert had no series {quote(self._series)} then" + (f" ({hint})" if hint else ""))
        if len(self._steps) > 1:
            raise PagerError("its targets have datapoints in different steps, and a test has one step")
        [step] = self._steps
        start = int(begin.timestamp()) // step * step
        slots = range(start, int(end.timestamp()) + 1, step)
        series: dict[str | None, dict[str, Values]] = {
            target: {each: tuple(points.get(slot) for slot in slots) for each, points in names.items()}
            for target, names in self._points.items()
        }
        return RuleTest(
            name=name,
            alert=self._alert.name,
            start=datetime.fromtimestamp(start, UTC),
            step=timedelta(seconds=step),
            series=series if len(series) > 1 else {None: next(iter(series.values()))},
            expectations=(),
            pages=0,
            line=1,
            column=1,
        )


def _as_data(test: RuleTest, outcome: Outcome) -> dict[str, Any]:
    def texts(series: Mapping[str, Values]) -> dict[str, str]:
        return {name: ruletests.written(values) for name, values in series.items()}

    named = {target: texts(series) for target, series in test.series.items() if target is not None}
    return {
        "name": test.name,
        "alert": test.alert,
        "step": format_duration(test.step),
        "start": f"{test.start:%Y-%m-%dT%H:%M:%SZ}",
        **({"targets": named} if named else {"series": texts(test.series[None])}),
        **({"expect": expected} if (expected := list(_expected(outcome))) else {}),
        "pages": str(sum(one.is_page for one in outcome.told)),
    }


def _expected(outcome: Outcome) -> Iterator[dict[str, str]]:
    for after, event, _, _ in outcome.told:
        if event.key.is_series and event.held_by is None and event.kind is not EventKind.REPEATED:
            at = {"at": _exactly(after), "series": event.key.series, "event": event.kind.value}
            yield at | ({"level": event.level.value} if event.kind is EventKind.TRIGGERED else {})


def _exactly(after: timedelta) -> str:
    """`10min`, or seconds where two units cannot say it."""
    text = format_duration(after)
    return text if parse_duration(text) == after else f"{after // timedelta(seconds=1)}s"
