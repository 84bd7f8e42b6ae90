"""A backtest in a terminal: a table, a timeline of each alert, and the difference to another configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphitepager.backtesting import timeline
from graphitepager.printable import printable
from graphitepager.reports.words import counted, lasting, of_incident, short_time, time_of, verdict
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphitepager.backtesting import AlertReport, Difference, Moved, PastIncident, Report

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "bold red", Level.NO_DATA: "magenta"}
# To be told apart without colours, too.
_SIGNS = {Level.OK: "·", Level.WARNING: "▄", Level.CRITICAL: "█", Level.NO_DATA: "?"}
_WIDTH = 70
_MOST_LISTED = 20


def console() -> Console:
    """Where tables go. A pipe has no width: there every row stays on its line."""
    screen = Console(highlight=False)
    return screen if screen.is_terminal else Console(highlight=False, width=100_000)


def print_report(report: Report, screen: Console) -> None:
    """The alerts, the timelines of those that fired, and the verdict."""
    screen.print(f"From {time_of(report.begin)} to {time_of(report.end)} UTC\n")
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Alert", overflow="fold")
    for heading in ("Pages", "Near misses", "Firing"):
        table.add_column(heading, justify="right")
    table.add_column("Noisiest series", overflow="fold")
    table.add_column("Longest incident", overflow="fold")
    for one in report.alerts:
        table.add_row(*map(Text, _cells(one, report)))
    screen.print(table)
    _print_timelines(report, screen)
    screen.print(verdict(report))


def _cells(one: AlertReport, report: Report) -> tuple[str, ...]:
    noisiest = f"{printable(one.noisiest[0])} ({counted(one.noisiest[1], 'page')})" if one.noisiest else "-"
    longest = of_incident(one.longest, report.end) if one.longest else "-"
    return printable(one.alert.name), str(one.pages), str(one.near_misses), lasting(one.firing), noisiest, longest


def _print_timelines(report: Report, screen: Console) -> None:
    """One line for each alert that fired; nothing where none did."""
    fired = [one for one in report.alerts if one.incidents]
    if not fired:
        screen.print()
        return
    names = max(len(one.alert.name) for one in fired)
    places = max(min(_WIDTH, screen.width - names - 2), 10)
    screen.print()
    for one in fired:
        line = Text(printable(one.alert.name).ljust(names) + "  ")
        for level in timeline(one.incidents, report.begin, report.end, places):
            line.append(_SIGNS[level], style=_STYLES[level])
        screen.print(line)
    first, last = f"{report.begin:%a %d %b}", f"{report.end:%a %d %b}"
    screen.print(" " * (names + 2) + first + last.rjust(places - len(first)))
    legend = "  ".join(f"{_SIGNS[level]} {level.label}" for level in (Level.WARNING, Level.CRITICAL, Level.NO_DATA))
    screen.print(" " * (names + 2) + legend + "\n")


def print_difference(difference: Difference, before: Report, after: Report, screen: Console, *, than: str) -> None:
    """What the new configuration changes; `than` is what the old one is called."""
    screen.print(f"Against {printable(than)}: {counted(before.pages, 'page')} before, {after.pages} now\n")
    _print_incidents("Pages gained", difference.gained, screen)
    _print_incidents("Pages lost", difference.lost, screen)
    _print_moved("Incidents that begin later", difference.later, screen)
    _print_moved("Incidents that begin earlier", difference.earlier, screen)
    if not any(difference):
        screen.print("The same pages at the same times.")


def _print_incidents(title: str, incidents: Sequence[PastIncident], screen: Console) -> None:
    if not incidents:
        return
    screen.print(f"{title}: {len(incidents)}")
    for one in incidents[:_MOST_LISTED]:
        screen.print(Text(f"  {short_time(one.begins_at)}  {printable(one.summary)}", style=_STYLES[one.level]))
    _print_rest(len(incidents), screen)


def _print_moved(title: str, moved: Sequence[Moved], screen: Console) -> None:
    if not moved:
        return
    screen.print(f"{title}: {len(moved)}")
    for before, after in moved[:_MOST_LISTED]:
        by = lasting(abs(after.begins_at - before.begins_at))
        screen.print(Text(f"  {short_time(before.begins_at)}  by {by}: {printable(before.summary)}"))
    _print_rest(len(moved), screen)


def _print_rest(count: int, screen: Console) -> None:
    if count > _MOST_LISTED:
        screen.print(f"  and {count - _MOST_LISTED} more")
    screen.print()
