"""What `check` prints for people: a row for each series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphitepager import distances
from graphitepager.alerting import spokesman
from graphitepager.messages import describe_count, value_in_words
from graphitepager.model import COUNT
from graphitepager.printable import printable
from graphitepager.reports.sparkline import sparkline
from graphitepager.rules import Level
from graphitepager.thresholds import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from graphitepager.model import Reading, SeriesKey
    from graphitepager.rules import Alert, Entry

STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "bold red", Level.NO_DATA: "magenta"}

# How many bars show the last hour.
_BARS = 12


def console() -> Console:
    """Where tables go. A pipe has no width: there every row stays on its line."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=100_000)


def table(
    readings: Iterable[Reading], empty: Iterable[Alert], recent: Mapping[SeriesKey, Sequence[float | None]] | None
) -> Table:
    """The table; `recent` has the datapoints of the last hour, None where these are not shown."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Alert", "Series"):
        made.add_column(heading, overflow="fold")
    for heading in ("Value", "Warning", "Critical", "Distance"):
        made.add_column(heading, justify="right")
    if recent is not None:
        made.add_column("Last hour")
    made.add_column("Level")
    for reading in readings:
        value = "-" if reading.value is None else value_in_words(reading.value, reading.entry, reading.level)
        found = distances.distance(reading)
        cells = [reading.key.alert, series_of(reading), value, *_thresholds(reading.entry)]
        cells.append("-" if found is None else distances.in_words(found, reading.entry))
        if recent is not None:
            cells.append(sparkline(recent.get(reading.key, ()), _BARS))
        _add_row(made, cells, reading.level)
    for alert in empty:
        entry = spokesman(alert)
        cells = [alert.name, f"no series: {entry.query.target}", "-", *_thresholds(entry), "-"]
        _add_row(made, cells if recent is None else [*cells, ""], Level.NO_DATA)
    return made


def series_of(reading: Reading) -> str:
    """What a row calls a series, or how many series there are where that is what is wrong."""
    if reading.key.series.startswith(COUNT):
        return describe_count(reading.value, reading.entry)
    return reading.key.series


def _thresholds(entry: Entry) -> list[str]:
    return ["-" if one is None else describe(one) for one in (entry.warning, entry.critical)]


def _add_row(made: Table, cells: Iterable[str], level: Level) -> None:
    # The level has a word beside its colour: not everybody sees colours, and a pipe has none.
    made.add_row(*(Text(printable(cell)) for cell in cells), Text(level.label, style=STYLES[level]))
