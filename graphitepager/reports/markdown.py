"""A backtest as Markdown, for the comment on a pull request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphitepager.printable import printable
from graphitepager.reports.words import counted, lasting, of_incident, short_time, time_of, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphitepager.backtesting import Difference, Moved, PastIncident, Report

_MOST_LISTED = 20
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$@])")


def report_as_markdown(report: Report) -> str:
    """The table of the alerts, and the verdict."""
    lines = [
        f"**{verdict(report)}**, from {time_of(report.begin)} to {time_of(report.end)} UTC",
        "",
        "| alert | pages | near misses | firing | longest incident |",
        "|---|---:|---:|---:|---|",
    ]
    for one in report.alerts:
        longest = plain(of_incident(one.longest, report.end)) if one.longest else "-"
        lines.append(
            f"| {plain(one.alert.name)} | {one.pages} | {one.near_misses} | {lasting(one.firing)} | {longest} |"
        )
    return "\n".join(lines)


def difference_as_markdown(difference: Difference, before: Report, after: Report, *, than: str) -> str:
    """What changes, then the table of the new configuration."""
    lines = [f"### This change of the alerts on the last {lasting(after.end - after.begin)}", ""]
    lines += [f"{counted(before.pages, 'page')} with {plain(than)}, **{after.pages} with this change**", ""]
    lines += _listed("Pages gained", difference.gained)
    lines += _listed("Pages lost", difference.lost)
    lines += _moved("Incidents that begin later", difference.later)
    lines += _moved("Incidents that begin earlier", difference.earlier)
    if not any(difference):
        lines += ["The same pages at the same times.", ""]
    return "\n".join((*lines, report_as_markdown(after)))


def plain(text: str) -> str:
    """A text as Markdown that means nothing but itself: anyone may name a series, and @mention somebody in it."""
    return _SPECIAL.sub(r"\\\1", printable(text)).replace("\\@", "@\u200b")


def _listed(title: str, incidents: Sequence[PastIncident]) -> Iterator[str]:
    if incidents:
        yield f"**{title}: {len(incidents)}**"
        yield ""
        yield from (f"- {short_time(one.begins_at)}: {plain(one.summary)}" for one in incidents[:_MOST_LISTED])
        yield from _rest(len(incidents))


def _moved(title: str, moved: Sequence[Moved]) -> Iterator[str]:
    if moved:
        yield f"**{title}: {len(moved)}**"
        yield ""
        for before, after in moved[:_MOST_LISTED]:
            by = lasting(abs(after.begins_at - before.begins_at))
            yield f"- {short_time(before.begins_at)}, by {by}: {plain(before.summary)}"
        yield from _rest(len(moved))


def _rest(count: int) -> Iterator[str]:
    if count > _MOST_LISTED:
        yield f"- and {count - _MOST_LISTED} more"
    yield ""
