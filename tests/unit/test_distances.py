"""How far a value is from its thresholds, as people and programs read it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from graphitepager import distances
from graphitepager.checks import level_of
from graphitepager.model import COUNT, SeriesKey
from graphitepager.rules import Level
from graphitepager.thresholds import Operator, Threshold
from tests.examples import entry, reading

SLOW = entry(warning=50, critical=70)
FULL = entry(warning=20, critical=10)


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        (SLOW, 40.0, "10 to Warning"),
        (SLOW, 55.0, "15 to Critical"),
        (SLOW, 82.4, "12.4 past Critical"),
        (SLOW, 70.0, "at Critical"),
        (FULL, 25.0, "5 to Warning"),
        (FULL, 4.0, "6 past Critical"),
        (entry(critical=None), 55.0, "5 past Warning"),
        (entry(critical=None), 45.0, "5 to Warning"),
    ],
)
def test_it_is_that_to_the_next_threshold_or_past_the_last(rule: object, value: float, words: str) -> None:
    assert isinstance(rule, type(SLOW))
    found = distances.distance(reading(level_of(value, rule), value, of=rule))
    assert found is not None
    assert distances.in_words(found, rule) == words


def test_it_is_in_the_unit_of_its_threshold() -> None:
    slow = Threshold(operator=Operator.ABOVE, bound=0.5, unit="ms", scale=0.001)
    rule = replace(entry(warning=None, critical=None), critical=slow)
    found = distances.distance(reading(Level.CRITICAL, 0.82, of=rule))
    assert found is not None
    assert (round(found.amount, 2), distances.in_words(found, rule)) == (0.32, "320ms past Critical")


def test_of_a_range_it_is_that_to_the_nearer_end() -> None:
    rule = replace(entry(warning=None), critical=Threshold(operator=Operator.OUTSIDE, bound=10, upper=20))
    found = distances.distance(reading(Level.OK, 18.0, of=rule))
    assert found == distances.Distance(2.0, Level.CRITICAL, is_past=False)


def test_where_there_is_no_number_nothing_is_said() -> None:
    assert distances.distance(reading(Level.NO_DATA)) is None
    assert distances.distance(reading(Level.CRITICAL, math.inf)) is None
    assert distances.distance(reading(Level.OK, 3.0, of=entry(warning=None, critical=None))) is None
    assert distances.distance(reading(Level.WARNING, 3.0, key=SeriesKey("Load", COUNT))) is None
