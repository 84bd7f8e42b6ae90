"""An event in words: summary, details and links, the same for every notifier."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from graphitepager.durations import format_duration
from graphitepager.incidents import FLAPPING_CYCLES, FLAPPING_WITHIN, QUIET_FOR, dedup_key
from graphitepager.model import COUNT, OWN, WHOLE_ALERT, Event, EventKind, Link, Message
from graphitepager.printable import printable
from graphitepager.rules import Entry, Level
from graphitepager.thresholds import describe, format_value, phrase
from graphitepager.wording import TEMPLATE_ERRORS, Words, words_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUMMARY_LIMIT = 1024  # PagerDuty's own; no other notifier wants more

_MINIMAL_LENGTH = 200

_MOST_IN_DIGEST = 50
_DIGEST_WORDS = {
    EventKind.TRIGGERED: "began",
    EventKind.RESOLVED: "ended",
    EventKind.REPEATED: "went on",
    EventKind.FLAPPING: "flapped",
}

# How long something fires before a message says so.
_WORTH_SAYING = timedelta(minutes=1)

# What a URL path segment or a fragment may hold unencoded (RFC 3986), so that links to names in plain ASCII stay as
# the wikis of existing users know them. "%", "#", "?", spaces and everything outside ASCII are encoded.
_PATH_SAFE = "/!$&'()*+,;=:@~"
_FRAGMENT_SAFE = _PATH_SAFE + "?"


def render(event: Event, graphite_url: str) -> Message:
    """Put an event into words. `graphite_url` is what the graph link is built on."""
    alert, series = event.key.words
    subject = _subject(event)
    words = words_for(event, lambda value: value_in_words(value, event.entry, event.level))
    details = dict(_details(event, words))
    return Message(
        kind=event.kind,
        level=event.level,
        dedup_key=dedup_key(event.key, event.level),
        alert=alert,
        series=series,
        summary=_shortened(printable(f"{_heading(event)} {alert}: {words.summary or _sentence(event, subject)}")),
        at=event.at,
        details=details | {name: label for name, label in words.labels.items() if name not in details},
        links=tuple(_links(event, subject, words, graphite_url)),
        labels=words.labels,
        severity=event.entry.severity.get(event.level) if event.entry else None,
        since=event.since,
    )


def sentence(event: Event) -> str:
    """What a message says by itself, without its heading and whatever the alert's own summary is."""
    return printable(_sentence(event, _subject(event)))


def minimal(message: Message) -> Message:
    """The least that tells what is wrong, for a receiver that found something in the message invalid."""
    plain = {
        name: getattr(message, name).encode("ascii", "replace").decode() for name in ("alert", "series", "summary")
    }
    shortened = {name: text[:_MINIMAL_LENGTH] for name, text in plain.items()}
    return replace(message, **shortened, details={}, links=(), in_reply_to=None, image=None)


def digest(messages: Sequence[Message]) -> Message:
    """Several messages, in order, as one; a single one stays as it is."""
    if len(messages) == 1:
        return messages[0]
    counts = Counter(_DIGEST_WORDS[message.kind] for message in messages)
    lines = [f"{message.at:%H:%M} UTC {message.summary}" for message in messages[:_MOST_IN_DIGEST]]
    if len(messages) > len(lines):
        lines.append(f"and {len(messages) - len(lines)} more")
    return Message(
        kind=EventKind.DIGEST,
        level=Level.WARNING,
        dedup_key=f"digest/{hashlib.sha256(''.join(message.id for message in messages).encode()).hexdigest()[:40]}",
        alert="digest",
        series=f"{len(messages)} messages",
        summary=f"DIGEST of warnings: {', '.join(f'{count} {word}' for word, count in counts.items())}",
        at=max(message.at for message in messages),
        details={str(number): line for number, line in enumerate(lines, start=1)},
    )


def runbook_link(base: str, alert: str, series: str) -> str:
    """`{base}/{alert}#{series}`, encoded where a URL needs it."""
    return f"{base.rstrip('/')}/{quote(alert, safe=_PATH_SAFE)}#{quote(series, safe=_FRAGMENT_SAFE)}"


def graph_link(graphite_url: str, entry: Entry) -> str:
    """Graphite's own picture of the target with the bounds that there are, over the last 20 minutes.

    Where the thresholds speak of something that is computed here, it shows what from, without them.
    """
    drawn = ((entry.warning, '"Warning","orange"'), (entry.critical, '"Critical","red"'))
    lines = [f"threshold({bound!r},{style})" for one, style in drawn if one is not None for bound in one.bounds]
    targets = list(_compared_targets(entry)) or [entry.query.target, *lines]
    parameters = {"width": "586", "height": "308", "from": "-20min", "target": targets}
    return f"{graphite_url.rstrip('/')}/render?{urlencode(parameters, doseq=True)}"


def describe_count(value: float | None, entry: Entry | None) -> str:
    """`2 series, expected at least 3`."""
    expected = None if entry is None else entry.expect_series
    has = "another number of series" if value is None else f"{value:.0f} series"
    if expected is None or value is None or expected.is_met_by(int(value)):
        return has
    if expected.least is not None and expected.least == expected.most:
        return f"{has}, expected {expected.least}"
    is_short = expected.least is not None and value < expected.least
    return f"{has}, expected at {f'least {expected.least}' if is_short else f'most {expected.most}'}"


def _compared_targets(entry: Entry) -> Iterator[str]:
    """What a ratio or a comparison is made of; nothing for a plain target."""
    queries = (entry.query,) if entry.ratio is None else (entry.query, entry.ratio.to)
    is_rate = entry.ratio is not None and entry.ratio.is_rate
    for query in queries if entry.ratio or entry.compare else ():
        drawn = f"nonNegativeDerivative({query.target})" if is_rate else query.target
        yield drawn
        if entry.compare is not None:
            yield f'timeShift({drawn},"{entry.compare.ago // timedelta(seconds=1)}s")'


def _subject(event: Event) -> str:
    """What a sentence is about: of all series together, it says more than their name does."""
    if event.size:
        return f"{event.size} series together"
    if not event.key.is_series and event.entry:
        return event.entry.query.target
    return event.key.words[1]


def _heading(event: Event) -> str:
    words = {EventKind.RESOLVED: "RESOLVED", EventKind.FLAPPING: f"FLAPPING {event.level.label.upper()}"}
    return words.get(event.kind, event.level.label.upper())


def _sentence(event: Event, subject: str) -> str:
    duration = format_duration(event.at - event.since)
    if event.kind is EventKind.RESOLVED:
        value = "" if event.value is None else f" is {_value(event)},"
        if event.key.series.startswith(COUNT):
            value = f": {describe_count(event.value, event.entry)},"
        was = "were" if event.size else "was"
        return f"{subject}{value} {was} {event.level.label} for {duration} ({event.reason})"
    if event.kind is EventKind.FLAPPING:
        within, quiet = format_duration(FLAPPING_WITHIN), format_duration(QUIET_FOR)
        return f"{subject} fires for the {FLAPPING_CYCLES}th time within {within}; open until it is quiet for {quiet}"
    return _what_is_wrong(event, subject, duration)


def _what_is_wrong(event: Event, subject: str, duration: str) -> str:
    still = "still " if event.kind is EventKind.REPEATED else ""
    lasting = f", for {duration}" if still or event.at - event.since >= _WORTH_SAYING else ""
    is_missing = event.level is Level.NO_DATA and event.key.is_series and not event.size and event.key.alert != OWN
    if event.detail is not None and not is_missing:
        place = "" if event.size or event.key.alert == OWN else f"{subject}: "
        return f"{place}{event.detail}{lasting}"
    if event.size:
        return f"{subject} {still}fire{lasting}"
    if event.key.series == WHOLE_ALERT:
        return f"Graphite has {still}returned no series for {subject} for {duration}"
    if event.key.series.startswith(COUNT):
        return f"{subject}: {describe_count(event.value, event.entry)}{lasting}"
    if event.level is Level.NO_DATA or event.value is None:
        why = f" ({event.detail})" if event.detail else ""
        return f"{subject} has {still}had no datapoint for {duration}{why}"
    threshold = event.entry and event.entry.threshold(event.level)
    bound = f" ({event.level.value} {phrase(threshold)})" if threshold else ""
    return f"{subject} is {still}{_value(event)}{bound}{lasting}"


def value_in_words(value: float, entry: Entry | None, level: Level) -> str:
    """A value in the unit of the threshold that counts at this level, or of the one that there is."""
    thresholds = () if entry is None else (entry.threshold(level), entry.critical, entry.warning)
    return format_value(value, next((one for one in thresholds if one is not None), None))


def _value(event: Event) -> str:
    return "" if event.value is None else value_in_words(event.value, event.entry, event.level)


def _details(event: Event, words: Words) -> Iterator[tuple[str, str | float | None]]:
    yield from zip(("alert", "series"), event.key.words, strict=True)
    yield "level", event.level.label
    if event.detail is not None:
        yield "detail", event.detail
    if event.value is not None:
        text = _value(event)
        is_plain = text == format_value(event.value, None)
        yield "value", event.value if is_plain and math.isfinite(event.value) else text
    if event.entry is not None and event.key.alert != OWN:
        yield from _checked(event.entry)
    yield "since", event.since.isoformat(timespec="seconds")
    if event.reason is not None:
        yield "reason", event.reason
    if words.description is not None:
        yield "description", words.description
    if words.faults:
        yield TEMPLATE_ERRORS, "; ".join(str(fault) for fault in words.faults)


def _checked(entry: Entry) -> Iterator[tuple[str, str]]:
    """What alerts.yml says is watched."""
    for level in (Level.WARNING, Level.CRITICAL):
        if threshold := entry.threshold(level):
            yield level.value, describe(threshold)
    yield "target", entry.query.target
    if entry.ratio is not None:
        yield "divided by", entry.ratio.to.target
    if entry.compare is not None:
        yield "compared", f"{entry.compare.compared_as.value} against {format_duration(entry.compare.ago)} earlier"
    yield "window", f"from {entry.query.from_} until {entry.query.until or 'now'}"


def _links(event: Event, subject: str, words: Words, graphite_url: str) -> Iterator[Link]:
    if event.entry is None or event.key.alert == OWN:
        return
    if words.runbook:
        yield Link(words.runbook, "Runbook")
    elif event.entry.runbook_base:
        yield Link(runbook_link(event.entry.runbook_base, event.key.alert, subject), "Runbook")
    yield Link(graph_link(graphite_url, event.entry), "Graph")


def _shortened(text: str) -> str:
    return text if len(text) <= SUMMARY_LIMIT else text[: SUMMARY_LIMIT - 1] + "…"
