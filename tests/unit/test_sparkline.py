"""A series as one line of text."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from graphitepager.reports.sparkline import sparkline


def test_the_least_is_the_lowest_bar_and_the_greatest_the_highest() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"


def test_where_there_is_nothing_stands_a_dot() -> None:
    assert sparkline([None, 1.0, None, 2.0], 4) == "·▁·█"


def test_of_more_than_fit_the_greatest_stands_for_its_neighbours() -> None:
    assert sparkline([0, 7, 0, 0, 0, 3.5], 3) == "█▁▅"


def test_a_series_that_does_not_move_is_a_flat_line() -> None:
    assert sparkline([5.0] * 4, 4) == "▁▁▁▁"


@given(st.lists(st.one_of(st.none(), st.floats())), st.integers(1, 20))
def test_whatever_the_values_it_is_never_wider(values: list[float | None], width: int) -> None:
    assert len(sparkline(values, width)) <= min(width, len(values))


def test_infinity_is_too_high_to_be_drawn() -> None:
    assert sparkline([math.inf, 1.0], 2) == "·▁"
