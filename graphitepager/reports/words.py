"""What all forms of a report say in the same words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager.durations import format_duration
from graphitepager.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from graphitepager.backtesting import PastIncident, Report
    from graphitepager.pastwindows import Coarse

_WEEK = timedelta(weeks=1)


def time_of(moment: datetime) -> str:
    """`2026-01-10 14:00`."""
    return f"{moment:%Y-%m-%d %H:%M}"


def short_time(moment: datetime) -> str:
    """`Sat 10 Jan 14:00`."""
    return f"{moment:%a %d %b %H:%M}"


def counted(number: int, noun: str) -> str:
    """`1 page`, `3 pages`, `2 near misses`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "es" if noun.endswith("s") else "s")


def lasting(duration: timedelta) -> str:
    """`1h30min`, or a dash for nothing."""
    return format_duration(duration) if duration else "-"


def of_incident(incident: PastIncident, end: datetime) -> str:
    """`db1 Critical for 1h30min, Sat 10 Jan 14:00`."""
    still = "" if incident.ends_at else " (still open)"
    series = printable(incident.series)
    return (
        f"{series} {incident.level.label} for {lasting(incident.lasts(end))}{still}, {short_time(incident.begins_at)}"
    )


def verdict(report: Report) -> str:
    """How many pages that is, for people who count them by the week."""
    length = report.end - report.begin
    per_week = report.pages * _WEEK / length if length else 0.0
    rate = f", {per_week:.3g} a week" if length and abs(length - _WEEK) > _WEEK / 100 else ""
    return f"{counted(report.pages, 'page')} in {lasting(length)}{rate}"


def coarse_lines(coarse: Iterable[Coarse]) -> list[str]:
    """What is to be said of a past that Graphite keeps in longer steps than the present."""
    return [
        f"{printable(one.target)}: Graphite keeps this past in steps of {_seconds(one.past)}, and the present in"
        f" {_seconds(one.present)}: short breaches are averaged away, and others begin up to {_seconds(one.past)} off"
        for one in coarse
    ]


def _seconds(count: int) -> str:
    return format_duration(timedelta(seconds=count))
