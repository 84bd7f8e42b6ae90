"""Where values and times lie in a picture, and what stands beside them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from graphitepager.reports.scales import Scale, fitting_unit, runs, time_ticks, value_ticks
from graphitepager.thresholds import Operator, Threshold, parse, parse_unit, threshold_of

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def threshold(text: str, unit: str | None = None) -> Threshold:
    return threshold_of(parse(text), Operator.AT_LEAST, parse_unit(unit) if unit else None)


@pytest.mark.parametrize(
    "values", [[], [0.0], [5.0, 5.0], [-1e308, 1e308], [1.7e308, 1.7e308], [5e-324, 1e-323], [math.inf, 3.0, math.nan]]
)
def test_every_value_has_a_place_on_its_scale(values: list[float]) -> None:
    scale = Scale.around(values, margin=0.1)
    assert scale.least < scale.most
    assert all(0 <= scale.share(value) <= 1 for value in values if not math.isnan(value))
    for value, label in value_ticks(scale, None, 5):
        assert scale.least <= value <= scale.most
        assert label


def test_ticks_are_round_numbers_with_the_unit_of_the_threshold() -> None:
    labels = [label for _, label in value_ticks(Scale(0, 100), threshold("90%", "%"), 5)]
    assert labels == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert value_ticks(Scale(0, 0.9), threshold("500ms", "s"), 3) == [(0.0, "0ms"), (0.5, "500ms")]


def test_ticks_of_large_numbers_are_short() -> None:
    assert [label for _, label in value_ticks(Scale(0, 2.5e6), None, 3)] == ["0", "1M", "2M"]
    assert [label for _, label in value_ticks(Scale(0, 1.2e6), None, 3)] == ["0", "0.5M", "1.0M"]


def test_ticks_that_lie_close_together_can_be_told_apart() -> None:
    labels = [label for _, label in value_ticks(Scale(99.99, 100.01), None, 4)]
    assert len(set(labels)) == len(labels) >= 4


def test_values_are_shown_in_the_largest_unit_that_makes_them_no_fractions() -> None:
    small, large = threshold("1MB", "B"), threshold("2GB", "B")
    assert fitting_unit([5e6], [small, large]) is small
    assert fitting_unit([5e9], [small, large]) is large
    assert fitting_unit([5.0], [small, large]) is small
    assert fitting_unit([5.0], []) is None


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (timedelta(hours=1), ["12:00", "12:15", "12:30", "12:45", "13:00"]),
        (timedelta(days=1), ["12:00", "18:00", "Sun 11", "06:00", "12:00"]),
        (timedelta(days=7), ["Mon 12", "Wed 14", "Fri 16"]),
    ],
)
def test_ticks_of_times_are_those_that_people_count_by(length: timedelta, expected: list[str]) -> None:
    assert [label for _, label in time_ticks(NOON, NOON + length, 5)] == expected


def test_a_long_time_has_no_more_ticks_than_there_is_room_for() -> None:
    assert 1 <= len(time_ticks(NOON, NOON + timedelta(days=4000), 6)) <= 7


def test_a_gap_ends_a_run() -> None:
    assert list(runs([1.0, math.nan, 2.0, 3.0])) == [range(1), range(2, 4)]
    assert list(runs([])) == []
