"""An entry's own words for an event: its summary, description, labels and runbook, filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from graphitepager import templates
from graphitepager.durations import format_duration
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.printable import printable
from graphitepager.rules import Level
from graphitepager.templates import Shown, TemplateError
from graphitepager.thresholds import format_bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from graphitepager.rules import Entry

# The names that a label may use; the other texts may use the labels, too.
LABEL_NAMES = frozenset(
    {"alert", "series", "nodes", "value", "level", "thresholds", "since", "duration", "target", "variables"}
)
NAMES = LABEL_NAMES | {"labels"}

TEMPLATE_ERRORS = "template_errors"  # the detail that says which texts failed, and why

# What messages.py says of every event by itself: no label can be called so.
DETAILS = frozenset(
    {"alert", "series", "level", "detail", "value", "warning", "critical", "target", "window", "since", "reason"}
    | {"compared", "divided by", "description", TEMPLATE_ERRORS}
)

_LONGEST_NAME = 1000
_LONGEST_REASON = 200
_LONGEST_LABEL = 500
_CALL = re.compile(r"\s*[A-Za-z_]\w*\(")
_PATH = re.compile(r"(?:[^(),;{}]|\{[^{}]*\}?)+")
# A target whose series have as many nodes as it is written with, or as aliasByNode is told to keep.
_PLAIN = re.compile(r"\s*(?P<path>(?:[^\s(),;{}*]|\*(?!\*)|\{[^{}.()]*\})+)\s*")
_ALIASED = re.compile(rf"\s*aliasByNode\({_PLAIN.pattern}(?P<nodes>(?:,\s*-?[0-9]+\s*)+)\)\s*")
# Long enough for any `nodes[…]` that somebody may write.
_SAMPLE_NODES = ("servers", "db1", *(f"node{number}" for number in range(2, 33)))


class Fault(NamedTuple):
    """Why a text could not be filled in. `path` leads to it in its entry."""

    path: tuple[str, ...]
    error: TemplateError

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {printable(self.error.reason[:_LONGEST_REASON])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the entry itself says of an event; None where it says nothing, or could not be filled in."""

    summary: str | None = None
    description: str | None = None
    runbook: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def words_for(event: Event, show: Callable[[float], str] = str) -> Words:
    """Fill in what the event's entry says; `show` is how a value is printed.

    A summary speaks of one series whose value is at Warning or Critical. Everything else has a sentence of its own:
    it is about the end, about many series, or about no value.
    """
    entry = event.entry
    if entry is None or not (entry.summary or entry.description or entry.runbook or entry.labels):
        return Words()
    filling = _Filling(event, entry, show)
    labels = {
        name: " ".join(text.split())[:_LONGEST_LABEL]
        for name, template in entry.labels.items()
        if (text := filling.fill(("labels", name), template)) is not None
    }
    filling.values["labels"] = MappingProxyType({name: labels.get(name, "") for name in entry.labels})
    summary = filling.fill(("summary",), entry.summary) if _is_about_a_value(event) else None
    return Words(
        summary=" ".join((summary or "").split()) or None,
        description=filling.fill(("description",), entry.description),
        runbook=filling.fill(("runbook",), entry.runbook, is_url=True),
        labels=labels,
        faults=tuple(filling.faults),
    )


def trial(alert: str, entry: Entry) -> Iterator[Fault]:
    """Yield what would fail, for an example of a series, at any level; each text once."""
    seen = set()
    now = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
    nodes = _SAMPLE_NODES[: node_count(entry)]
    thresholds = {level: entry.threshold(level) for level in (Level.WARNING, Level.CRITICAL)}
    values = {level: threshold.bound for level, threshold in thresholds.items() if threshold is not None}
    for level, value in {**values, Level.NO_DATA: None}.items():
        event = Event(
            kind=EventKind.TRIGGERED,
            key=SeriesKey(alert, ".".join(nodes)),
            level=level,
            at=now,
            since=now - timedelta(minutes=3),
            value=value,
            entry=entry,
        )
        for fault in words_for(event).faults:
            if fault.path not in seen:
                seen.add(fault.path)
                yield fault


def nodes_of(name: str) -> list[str]:
    """The parts of the first path in it: of `perSecond(servers.db1.x)` they are servers, db1 and x."""
    start = 0
    while call := _CALL.match(name, start):
        start = call.end()
    path = _PATH.match(name, start)
    return path[0].strip().split(".") if path else [name]


def node_count(entry: Entry) -> int | None:
    """How many nodes the names of its series have; None where only Graphite can tell."""
    plain = _PLAIN.fullmatch(entry.query.target)
    if entry.ratio is not None:
        by = entry.ratio.by
        # The value of a tag may hold dots.
        known = len(by) if by and all(isinstance(node, int) for node in by) else None
        return known if by or plain is None else plain["path"].count(".") or None
    if plain is not None:
        return int(plain["path"].count(".")) + 1
    aliased = _ALIASED.fullmatch(entry.query.target)
    return None if aliased is None else int(aliased["nodes"].count(","))


class _Filling:
    """The values that one event gives to templates, and what went wrong with them."""

    def __init__(self, event: Event, entry: Entry, show: Callable[[float], str]) -> None:
        self.values = dict(_values(event, entry, show))
        self.faults: list[Fault] = []

    def fill(self, path: tuple[str, ...], template: str | None, *, is_url: bool = False) -> str | None:
        if not template:
            return None
        is_lacking = False
        try:
            # There is no value at NO DATA, and no series where it is about all of them: then this has nothing to say.
            is_lacking = not self.values.keys() >= templates.names_in(template)
            text = templates.render(template, self.values, is_url=is_url)
            lines = text.splitlines() if path == ("description",) else [text.strip()]
            return "\n".join(printable(line) for line in lines) or None
        except TemplateError as error:
            if not is_lacking or error.word is not None:
                self.faults.append(Fault(path, error))
            return None


def _is_about_a_value(event: Event) -> bool:
    is_open = event.kind in (EventKind.TRIGGERED, EventKind.REPEATED)
    is_value = event.value is not None and event.level in (Level.WARNING, Level.CRITICAL)
    return is_open and is_value and event.key.is_series and event.detail is None


def _values(event: Event, entry: Entry, show: Callable[[float], str]) -> Iterator[tuple[str, object]]:
    """What has no value for this event is not among them, and so undefined."""
    yield "alert", printable(event.key.words[0])[:_LONGEST_NAME]
    if event.key.is_series:
        series = event.key.series[:_LONGEST_NAME]
        yield "series", printable(series)
        yield "nodes", [printable(node) for node in nodes_of(series)]
        if event.value is not None:  # elsewhere it is a number of series
            yield "value", Shown(event.value, show(event.value))
    yield "level", event.level.label
    if bounds := dict(_bounds(entry)):  # a number of series has none
        yield "thresholds", MappingProxyType(bounds)
    yield "since", f"{event.since:%Y-%m-%d %H:%M} UTC"
    yield "duration", format_duration(event.at - event.since)
    yield "target", printable(entry.query.target)[:_LONGEST_NAME]
    yield "variables", MappingProxyType(dict(entry.variables))


def _bounds(entry: Entry) -> Iterator[tuple[str, Shown]]:
    """Each threshold that there is; of a range, the lower bound is what it calculates with."""
    for level in (Level.WARNING, Level.CRITICAL):
        if threshold := entry.threshold(level):
            yield level.value, Shown(threshold.bound, format_bounds(threshold))
