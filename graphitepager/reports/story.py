"""What is known of a series, line by line: by what it is judged, its value, its timers, what happened before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager import distances, explaining
from graphitepager.durations import format_duration
from graphitepager.messages import graph_link, value_in_words
from graphitepager.model import EventKind
from graphitepager.records import DeliveryStatus
from graphitepager.reports.sparkline import sparkline
from graphitepager.rules import Level
from graphitepager.thresholds import describe, format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from graphitepager.explaining import Facts
    from graphitepager.model import SeriesKey
    from graphitepager.records import DeliveryStory, IncidentStory
    from graphitepager.rules import Entry

    Points = Sequence[tuple[datetime, float | None]]

_BARS = 60
_NEWEST = 6
_MOST_EVENTS = 20

_TIMERS = {
    "warning_since": "breaches warning",
    "critical_since": "breaches critical",
    "better_since": "is better than its incident",
    "good_since": "is good again",
    "no_data_since": "has no data",
    "data_since": "has data again",
}
_DONE = {DeliveryStatus.SENT: "sent", DeliveryStatus.DEAD: "refused for good", DeliveryStatus.CANCELLED: "not needed"}
_KINDS = {
    EventKind.TRIGGERED: "page",
    EventKind.RESOLVED: "end",
    EventKind.REPEATED: "repeat",
    EventKind.FLAPPING: "flap",
}


def described(facts: Facts, *, place: str | None, points: Points, url: str) -> list[tuple[str, str]]:
    """What is known of it now, each with its name; what has no name goes on with what stands before it.

    `place` is where the entry stands, `points` are those of the last hour, `url` is Graphite's.
    """
    found = [*_of_entry(facts, place), *_of_value(facts, points), *_of_state(facts)]
    if facts.entry is not None and place is not None:
        found.append(("graph", graph_link(url, facts.entry)))
    return found


def events(facts: Facts) -> list[tuple[datetime, str]]:
    """What happened in the day before, in order: the newest of it, where it is much."""
    found = sorted(_history(facts), key=lambda one: one[0])
    return found[-_MOST_EVENTS:]


def _of_entry(facts: Facts, place: str | None) -> Iterator[tuple[str, str]]:
    entry, alert = facts.entry, facts.alert
    if entry is None or alert is None or place is None:
        return
    count = len(alert.entries)
    which = f", entry {alert.entries.index(entry) + 1} of {count}" if count > 1 else ""
    yield "entry", f"{place}{which}"
    yield "target", entry.query.target
    levels = ((level, entry.threshold(level)) for level in (Level.WARNING, Level.CRITICAL))
    thresholds = [f"{level.value} {describe(one)}" for level, one in levels if one is not None]
    yield "thresholds", ", ".join([*thresholds, *_waits(entry)])
    if alert.interval:
        yield "interval", format_duration(alert.interval)


def _waits(entry: Entry) -> Iterator[str]:
    """The durations that are not what they would be without a word."""
    if entry.for_warning == entry.for_critical:
        lengths = [("for", entry.for_warning)]
    else:
        lengths = [("for warning", entry.for_warning), ("for critical", entry.for_critical)]
    for name, length in (*lengths, ("keep_firing_for", entry.keep_firing_for)):
        if length:
            yield f"{name} {format_duration(length)}"


def _of_value(facts: Facts, points: Points) -> Iterator[tuple[str, str]]:
    reading = facts.reading
    if reading is not None:
        value = "" if reading.value is None else f"{value_in_words(reading.value, reading.entry, reading.level)}: "
        distance = distances.distance(reading)
        far = f", {distances.in_words(distance, reading.entry)}" if distance else ""
        until = (
            f" (data until {reading.covered_until:%H:%M:%S})"
            if reading.covered_until and reading.value is not None
            else ""
        )
        yield "judged", f"{value}{reading.level.label}{far}{until}"
        if reading.detail:
            yield "", reading.detail
    if points:
        threshold = (facts.entry.critical or facts.entry.warning) if facts.entry else None
        yield "last hour", sparkline([value for _, value in points], _BARS)
        shown = (
            f"{moment:%H:%M:%S} {'-' if value is None else format_value(value, threshold)}"
            for moment, value in points[-_NEWEST:]
        )
        yield "newest", ", ".join(shown)


def _of_state(facts: Facts) -> Iterator[tuple[str, str]]:
    state = facts.state
    if state is not None:
        for name, words in _TIMERS.items():
            if (since := getattr(state, name)) is not None:
                yield "timer", f"{words} since {explaining.clock(since, facts.at)}"
        if state.is_flapping:
            yield "flapping", "its incident stays open until it has been quiet"
    if facts.hold is not None:
        yield "held by", facts.hold


def _history(facts: Facts) -> Iterator[tuple[datetime, str]]:
    for incident in facts.incidents:
        yield from _of_incident(incident, facts.key)
    for miss in facts.near_misses:
        lasted = format_duration(miss.until - miss.since)
        yield miss.until, f"a breach of {miss.level.value} ended after {lasted}, before its for was over"


def _of_incident(incident: IncidentStory, key: SeriesKey) -> Iterator[tuple[datetime, str]]:
    whose = "" if incident.key == key else " of the whole alert"
    value = "" if incident.value is None else f" at {format_value(incident.value, None)}"
    held = f", held back by {incident.held_by}" if incident.held_by else ""
    yield incident.opened_at, f"{incident.level.label} incident{whose} opens{value}{held}"
    for delivery in incident.deliveries:
        yield delivery.finished_at or delivery.created_at, f"{delivery.notifier}: {_of_delivery(delivery)}"
    if incident.closed_at is not None:
        yield incident.closed_at, f"{incident.level.label} incident{whose} ends: {incident.close_reason}"


def _of_delivery(delivery: DeliveryStory) -> str:
    what = _KINDS[delivery.kind]
    failed = f", {delivery.attempts} failed attempts" if delivery.attempts else ""
    if delivery.status is DeliveryStatus.PENDING:
        next_one = f", the next at {delivery.next_attempt_at:%H:%M:%S}" if delivery.attempts else ""
        return f"{what} waits to be sent{failed}{next_one}" + (
            f": {delivery.last_error}" if delivery.last_error else ""
        )
    said = delivery.answer if delivery.status is DeliveryStatus.SENT else delivery.last_error
    return f"{what} {_DONE[delivery.status]}{failed}" + (f": {said}" if said else "")
