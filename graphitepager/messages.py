"""An event in words: summary, details and links, the same for every notifier."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from graphitepager.durations import format_duration
from graphitepager.incidents import FLAPPING_CYCLES, FLAPPING_WITHIN, QUIET_FOR, dedup_key
from graphitepager.model import OWN, WHOLE_ALERT, Entry, Event, EventKind, Level, Link, Message, Operator, Threshold
from graphitepager.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

SUMMARY_LIMIT = 1024  # PagerDuty's own; no other notifier wants more

_MINIMAL_LENGTH = 200

# How long something fires before a message says so.
_WORTH_SAYING = timedelta(minutes=1)

# Between these a number is shown without decimals: below, four digits do; above, nobody wants to read them all.
_MANY, _TOO_MANY = 1e4, 1e15

# What a URL path segment or a fragment may hold unencoded (RFC 3986), so that links to names in plain ASCII stay as
# the wikis of existing users know them. "%", "#", "?", spaces and everything outside ASCII are encoded.
_PATH_SAFE = "/!$&'()*+,;=:@~"
_FRAGMENT_SAFE = _PATH_SAFE + "?"


def render(event: Event, graphite_url: str) -> Message:
    """Put an event into words. `graphite_url` is what the graph link is built on."""
    series = _series_in_words(event)
    return Message(
        kind=event.kind,
        level=event.level,
        dedup_key=dedup_key(event.key, event.level),
        alert=event.key.words[0],
        series=series,
        summary=_shortened(printable(f"{_heading(event)} {event.key.words[0]}: {_sentence(event, series)}")),
        at=event.at,
        details=dict(_details(event, series)),
        links=tuple(_links(event, series, graphite_url)),
    )


def minimal(message: Message) -> Message:
    """The least that tells what is wrong, for a receiver that found something in the message invalid."""
    plain = {
        name: getattr(message, name).encode("ascii", "replace").decode() for name in ("alert", "series", "summary")
    }
    shortened = {name: text[:_MINIMAL_LENGTH] for name, text in plain.items()}
    return replace(message, **shortened, details={}, links=())


def runbook_link(base: str, alert: str, series: str) -> str:
    """`{base}/{alert}#{series}`, encoded where a URL needs it."""
    return f"{base.rstrip('/')}/{quote(alert, safe=_PATH_SAFE)}#{quote(series, safe=_FRAGMENT_SAFE)}"


def graph_link(graphite_url: str, entry: Entry) -> str:
    """Graphite's own picture of the target with both thresholds, over the last 20 minutes."""
    targets = [
        entry.query.target,
        f'threshold({entry.warning.bound!r},"Warning","orange")',
        f'threshold({entry.critical.bound!r},"Critical","red")',
    ]
    parameters = {"width": "586", "height": "308", "from": "-20min", "target": targets}
    return f"{graphite_url.rstrip('/')}/render?{urlencode(parameters, doseq=True)}"


def format_number(value: float) -> str:
    """Four significant digits, and no exponent where people would not write one: a phone's screen is small."""
    if _MANY <= abs(value) < _TOO_MANY:
        return f"{value:.0f}"
    return f"{value:.4g}"


def describe_threshold(threshold: Threshold) -> str:
    """`70`, or `5 or less` where low is bad."""
    bound = f"{threshold.bound:.15g}"  # all of it: people wrote it themselves
    return bound if threshold.operator is Operator.AT_LEAST else f"{bound} or less"


def _series_in_words(event: Event) -> str:
    if event.size:
        return f"{event.size} series together"
    if event.key.series == WHOLE_ALERT:
        return event.entry.query.target if event.entry else "(all series)"
    return event.key.series or "(series without a name)"


def _heading(event: Event) -> str:
    words = {EventKind.RESOLVED: "RESOLVED", EventKind.FLAPPING: f"FLAPPING {event.level.label.upper()}"}
    return words.get(event.kind, event.level.label.upper())


def _sentence(event: Event, series: str) -> str:
    duration = format_duration(event.at - event.since)
    if event.kind is EventKind.RESOLVED:
        value = "" if event.value is None else f" is {format_number(event.value)},"
        was = "were" if event.size else "was"
        return f"{series}{value} {was} {event.level.label} for {duration} ({event.reason})"
    if event.kind is EventKind.FLAPPING:
        within, quiet = format_duration(FLAPPING_WITHIN), format_duration(QUIET_FOR)
        return f"{series} fires for the {FLAPPING_CYCLES}th time within {within}; open until it is quiet for {quiet}"
    return _what_is_wrong(event, series, duration)


def _what_is_wrong(event: Event, series: str, duration: str) -> str:
    still = "still " if event.kind is EventKind.REPEATED else ""
    lasting = f", for {duration}" if still or event.at - event.since >= _WORTH_SAYING else ""
    if event.detail is not None:
        place = "" if event.size or event.key.alert == OWN else f"{series}: "
        return f"{place}{event.detail}{lasting}"
    if event.size:
        return f"{series} {still}fire{lasting}"
    if event.key.series == WHOLE_ALERT:
        return f"Graphite has {still}returned no series for {series} for {duration}"
    if event.level is Level.NO_DATA or event.value is None:
        return f"{series} has {still}had no datapoint for {duration}"
    threshold = _threshold(event)
    bound = f" ({event.level.value} at {describe_threshold(threshold)})" if threshold else ""
    return f"{series} is {still}{format_number(event.value)}{bound}{lasting}"


def _threshold(event: Event) -> Threshold | None:
    if event.entry is None:
        return None
    return {Level.WARNING: event.entry.warning, Level.CRITICAL: event.entry.critical}.get(event.level)


def _details(event: Event, series: str) -> Iterator[tuple[str, str | float | None]]:
    yield "alert", event.key.words[0]
    yield "series", series
    yield "level", event.level.label
    if event.detail is not None:
        yield "detail", event.detail
    if event.value is not None:
        yield "value", event.value if math.isfinite(event.value) else format_number(event.value)
    if event.entry is not None and event.key.alert != OWN:
        yield "warning", describe_threshold(event.entry.warning)
        yield "critical", describe_threshold(event.entry.critical)
        yield "target", event.entry.query.target
        yield "window", f"from {event.entry.query.from_} until {event.entry.query.until or 'now'}"
    yield "since", event.since.isoformat(timespec="seconds")
    if event.reason is not None:
        yield "reason", event.reason


def _links(event: Event, series: str, graphite_url: str) -> Iterator[Link]:
    if event.entry is None or event.key.alert == OWN:
        return
    if event.entry.runbook_base:
        yield Link(runbook_link(event.entry.runbook_base, event.key.alert, series), "Runbook")
    yield Link(graph_link(graphite_url, event.entry), "Graph")


def _shortened(text: str) -> str:
    return text if len(text) <= SUMMARY_LIMIT else text[: SUMMARY_LIMIT - 1] + "…"
