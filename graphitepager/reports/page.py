"""A backtest as one page of HTML that needs nothing besides: no script, no font, no other file."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

import jinja2

from graphitepager.printable import printable
from graphitepager.reports import plots
from graphitepager.reports.scales import time_ticks
from graphitepager.reports.words import counted, lasting, short_time, time_of, verdict
from graphitepager.sketches import PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from graphitepager.backtesting import AlertReport, PastIncident, Report
    from graphitepager.reports.plots import Box, Plot
    from graphitepager.sketches import Sketches

_MOST_PLOTS = 12
_MOST_ROWS = 100
_MOST_TICKS = 7
# The share of the width that a label needs.
_ROOM = 0.08


class Row(NamedTuple):
    """An incident in the table."""

    level: str
    label: str
    series: str
    begins: str
    lasts: str
    summary: str
    note: str


class Section(NamedTuple):
    """All that the page says of one alert."""

    name: str
    pages: int
    near_misses: int
    firing: str
    noisiest: str
    boxes: tuple[Box, ...]
    plots: tuple[Plot, ...]
    more_plots: int
    rows: tuple[Row, ...]
    more_rows: int


class Tick(NamedTuple):
    """A label below a plot, and where it stands in per cent."""

    left: float
    label: str


def as_html(report: Report, sketches: Sketches | None, remarks: Sequence[str]) -> str:
    """The page. `remarks` are what is to be said of the whole."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(resources.files(__package__).joinpath("backtest.html").read_text("utf-8"))
    sections = [_section(one, report, sketches) for one in report.alerts]
    return template.render(
        verdict=verdict(report),
        begin=time_of(report.begin),
        end=time_of(report.end),
        near_misses=counted(sum(one.near_misses for one in report.alerts), "near miss"),
        loud=[one for one in sections if one.boxes or one.near_misses],
        quiet=[one.name for one in sections if not (one.boxes or one.near_misses)],
        ticks=_ticks(report.begin, report.end),
        remarks=remarks,
        places=PLACES,
        height=plots.HEIGHT,
    )


def _section(one: AlertReport, report: Report, sketches: Sketches | None) -> Section:
    by_series: dict[str, list[PastIncident]] = {}
    for incident in one.incidents:
        by_series.setdefault(incident.series, []).append(incident)
    drawn = [
        plots.plot(printable(series), sketch, incidents, report.begin, report.end)
        for series, incidents in sorted(by_series.items(), key=lambda item: -sum(each.pages for each in item[1]))
        if sketches is not None and (sketch := sketches.of(incidents[0].key)) is not None
    ]
    worst = sorted(one.incidents, key=lambda each: (each.lasts(report.end), each.pages), reverse=True)[:_MOST_ROWS]
    return Section(
        name=printable(one.alert.name),
        pages=one.pages,
        near_misses=one.near_misses,
        firing=lasting(one.firing),
        noisiest=printable(one.noisiest[0]) if one.noisiest else "-",
        boxes=tuple(plots.boxes(one.incidents, report.begin, report.end)),
        plots=tuple(drawn[:_MOST_PLOTS]),
        more_plots=max(len(drawn) - _MOST_PLOTS, 0),
        rows=tuple(_row(each, report.end) for each in sorted(worst, key=lambda each: each.begins_at)),
        more_rows=max(len(one.incidents) - _MOST_ROWS, 0),
    )


def _row(one: PastIncident, end: datetime) -> Row:
    return Row(
        level=one.level.value,
        label=one.level.label,
        series=printable(one.series),
        begins=short_time(one.begins_at),
        lasts=lasting(one.lasts(end)) + ("" if one.ends_at else ", still open"),
        summary=one.summary,
        note="" if one.pages else f"no page: {one.held_by or 'page_on leaves it out'}",
    )


def _ticks(begin: datetime, end: datetime) -> list[Tick]:
    """Midnights, or hours of a shorter time, as many as there is room for."""
    whole = end - begin
    fitting = (one for one in time_ticks(begin, end, _MOST_TICKS) if one[0] <= end - whole * _ROOM)
    return [Tick(round((moment - begin) / whole * 100, 2), label) for moment, label in fitting]
