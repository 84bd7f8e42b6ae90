"""Values and thresholds in an alert's own words: in their unit, and found missing before anything happens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphitepager.messages import render
from graphitepager.model import Event, EventKind, SeriesKey
from graphitepager.rules import Level
from graphitepager.thresholds import Operator, Threshold, parse, threshold_of
from graphitepager.wording import trial
from tests.examples import GRAPHITE_URL, NOON, entry

if TYPE_CHECKING:
    from graphitepager.rules import Entry

OUTSIDE = threshold_of(parse("outside 10..20ms"), Operator.OUTSIDE, None)


def test_values_and_thresholds_are_shown_in_their_unit() -> None:
    says = "{{ value }} of {{ thresholds.critical }}, {{ thresholds.critical * 1000 }}"
    one = replace(entry(summary=says, warning=None), critical=OUTSIDE)
    key = SeriesKey("MongoDB lock", "servers.db1.lock")
    happened = Event(
        kind=EventKind.TRIGGERED, key=key, level=Level.CRITICAL, at=NOON, since=NOON, value=0.0254, entry=one
    )
    made = render(happened, GRAPHITE_URL)
    assert made.summary == "CRITICAL MongoDB lock: 25.4ms of 10ms..20ms, 10"


def test_what_speaks_of_a_threshold_that_there_is_not_is_found_at_once() -> None:
    faults = [str(fault) for fault in trial("a", speaking(None))]
    assert faults == ["summary: warning is not known here; there are critical"]
    assert [*trial("a", speaking(OUTSIDE))] == []


def speaking(warning: Threshold | None) -> Entry:
    says = "{{ value }} ({{ thresholds.warning }})"
    return replace(entry(summary=says), warning=warning, critical=OUTSIDE)
