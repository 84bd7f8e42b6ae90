"""What is drawn behind a series: its incidents, and the times in which its triggers were held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager import silences
from graphitepager.mutewindows import openings
from graphitepager.reports.chartlayout import Span
from graphitepager.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from graphitepager.listed import ListedIncident
    from graphitepager.model import SeriesKey, Silence
    from graphitepager.rules import Entry


def of_incidents(incidents: Iterable[ListedIncident]) -> Iterator[Span]:
    """Yield each incident from its begin to its end."""
    for one in incidents:
        end = f" to {one.closed_at:%H:%M} ({one.close_reason})" if one.closed_at else ", still open"
        held = f", held back by {one.held_by}" if one.held_by else ""
        words = f"{one.level.label} from {one.opened_at:%d %b %H:%M}{end}{held}"
        yield Span(level=one.level, begins_at=one.opened_at, ends_at=one.closed_at, words=words)


def of_mutes(
    key: SeriesKey, entry: Entry | None, mutes: Iterable[Silence], begin: datetime, end: datetime
) -> Iterator[Span]:
    """Yield the silences and the mute windows that held back its critical triggers in that time."""
    for one in mutes:
        is_then = one.begins_at < end and one.ends_at > begin
        if is_then and silences.matches(one, *key.words, Level.CRITICAL):
            words = f"silenced by {one.author} until {one.ends_at:%d %b %H:%M}: {one.comment}"
            yield Span(level=None, begins_at=one.begins_at, ends_at=one.ends_at, words=words)
    for window in entry.mute if entry else ():
        if Level.CRITICAL in window.levels:
            for first, last in openings(window, begin, end):
                words = f"mute window {window.text} until {last:%d %b %H:%M}"
                yield Span(level=None, begins_at=first, ends_at=last, words=words)
