"""A series over a stretch of time, cut into parts."""

from __future__ import annotations

import math

from graphitepager.curves import Curve, bands

NAN = math.nan


def test_a_curve_is_cut_by_the_times_at_which_its_intervals_begin() -> None:
    curve = Curve(1000, 60, [1.0, 2.0, 3.0, 4.0])
    assert curve.between(1060, 1180) == Curve(1060, 60, [2.0, 3.0])
    assert curve.between(1001, 1061) == Curve(1060, 60, [2.0])
    assert curve.between(0, 9999) == curve
    assert curve.between(5000, 9999).values == []
    assert curve.end == 1240


def test_bands_hold_the_least_and_the_greatest_of_each_part() -> None:
    low, high = bands(Curve(0, 1, [1.0, 5.0, NAN, 3.0, NAN, NAN]), 0, 6, 3)
    assert low[:2] == [1.0, 3.0]
    assert high[:2] == [5.0, 3.0]
    assert math.isnan(low[2])


def test_an_infinite_value_is_no_gap() -> None:
    assert bands(Curve(0, 1, [1.0, math.inf]), 0, 2, 1).high == [math.inf]


def test_no_value_is_counted_twice() -> None:
    curve = Curve(0, 7, [float(place) for place in range(1000)])
    low, high = bands(curve, 0, 7000, 90)
    assert all(earlier < later for earlier, later in zip(high, low[1:], strict=False))
    assert (low[0], high[-1]) == (0.0, 999.0)
