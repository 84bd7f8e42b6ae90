"""A window of datapoints as one number, and since when its newest datapoints breach."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.folding import breaching_run, fold
from graphitepager.model import Series
from graphitepager.rules import Judged

START = 1_700_000_000
FOLDED = [judged for judged in Judged if judged not in {Judged.LAST, Judged.AGE}]


def series_of(points: bytes) -> Series:
    return Series("a", START, START + 10 * (points.count(b",") + 1), 10, points)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def folded(judged: Judged, points: bytes) -> float | None:
    return fold(judged, series_of(points), at(100))


def run_of(points: bytes) -> tuple[int, bool] | None:
    """The run of values from 5 on; its begin counted from the window's."""
    run = breaching_run(series_of(points), lambda value: value >= 5)
    return None if run is None else (run[0] - START, run[1])


@pytest.mark.parametrize(
    ("judged", "value"),
    [
        (Judged.LAST, 2.0),
        (Judged.AVERAGE, 3.5),
        (Judged.MIN, 1.0),
        (Judged.MAX, 8.0),
        (Judged.SUM, 14.0),
        (Judged.MEDIAN, 2.5),
        (Judged.P95, 8.0),
        (Judged.COUNT, 4.0),
        (Judged.CHANGE, -1.0),
        (Judged.AGE, 30.0),
    ],
)
def test_a_window_folds_into_one_number(judged: Judged, value: float) -> None:
    assert folded(judged, b"None,3.0,1.0,nan,8.0,None,2.0,None") == value


@pytest.mark.parametrize("judged", list(Judged))
@pytest.mark.parametrize("points", [b"", b"None", b"None,nan,NaN,null"])
def test_a_window_without_datapoints_has_nothing_but_a_count(judged: Judged, points: bytes) -> None:
    assert folded(judged, points) == (0.0 if judged is Judged.COUNT else None)


@pytest.mark.parametrize("judged", list(Judged))
def test_text_in_the_place_of_a_datapoint_is_an_error(judged: Judged) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        folded(judged, b"1.0,2.0x")


@pytest.mark.parametrize("judged", FOLDED)
def test_text_anywhere_in_a_window_that_is_folded_is_an_error(judged: Judged) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        folded(judged, b"x,1.0,2.0")


@pytest.mark.parametrize(
    ("judged", "points", "value"),
    [
        (Judged.AVERAGE, b"1.0,inf", math.inf),
        (Judged.AVERAGE, b"-inf,inf", None),
        (Judged.SUM, b"inf,1.0,-inf", None),
        (Judged.MEDIAN, b"-inf,inf", None),
        (Judged.MEDIAN, b"-inf,1.0,inf", 1.0),
        (Judged.CHANGE, b"inf,1.0,inf", None),
        (Judged.CHANGE, b"1.0,inf", math.inf),
        (Judged.MAX, b"1.0,inf,-inf", math.inf),
        (Judged.COUNT, b"inf,-inf,None", 2.0),
        (Judged.AVERAGE, b"1e308,1e308", 1e308),
        (Judged.SUM, b"1e308,1e308", math.inf),
        (Judged.SUM, b"1e308,1e308,-1.5e308", 5e307),
        (Judged.MEDIAN, b"1e308,1.2e308", 1.1e308),
    ],
)
def test_infinities_and_the_largest_numbers_give_a_number_or_nothing(
    judged: Judged, points: bytes, value: float | None
) -> None:
    assert folded(judged, points) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (40, 38), (100, 95)])
def test_the_95th_percentile_is_by_nearest_rank(count: int, rank: int) -> None:
    assert folded(Judged.P95, ",".join(str(number) for number in range(count, 0, -1)).encode()) == rank


@pytest.mark.parametrize(("now", "age"), [(20, 0.0), (50.5, 30.5), (5, 0.0)])
def test_the_age_counts_from_the_end_of_the_newest_interval(now: float, age: float) -> None:
    assert fold(Judged.AGE, series_of(b"1.0,2.0,None"), at(now)) == age


@given(st.sampled_from(FOLDED), st.lists(st.none() | st.floats(), max_size=40))
def test_whatever_graphite_writes_folds_into_a_number_or_nothing(judged: Judged, values: list[float | None]) -> None:
    numbers = [value for value in values if value is not None and not math.isnan(value)]
    result = folded(judged, ",".join(map(repr, values)).encode())
    assert result is None or not math.isnan(result)
    if (
        judged in {Judged.AVERAGE, Judged.MEDIAN, Judged.P95}
        and result is not None
        and all(map(math.isfinite, numbers))
    ):
        slack = 1e-9 * max(map(abs, numbers))
        assert min(numbers) - slack <= result <= max(numbers) + slack


@pytest.mark.parametrize(
    ("points", "run"),
    [
        (b"1,2,5,6", (20, False)),
        (b"5,6,7", (0, True)),
        (b"None,5,None,6,None", (10, True)),
        (b"1,None,5,nan,6", (20, False)),
        (b"6,4,6", (20, False)),
        (b"6,6,4", None),
        (b"6,6,4,None", None),
        (b"", None),
        (b"None,nan", None),
        (b"inf", (0, True)),
    ],
)
def test_a_run_of_breaches_ends_at_the_newest_datapoint(points: bytes, run: tuple[int, bool] | None) -> None:
    assert run_of(points) == run


def test_only_the_run_and_the_datapoint_before_it_are_read() -> None:
    assert run_of(b"x,1,5,6") == (20, False)
    with pytest.raises(ValueError, match="could not convert"):
        run_of(b"x,5,6")


def test_a_run_never_begins_later_than_a_datetime_can_hold() -> None:
    late = Series("a", 253_402_300_000, 0, 86_400, b"1,1,1,9")
    run = breaching_run(late, lambda value: value >= 5)
    assert run is not None
    datetime.fromtimestamp(run[0], UTC)


@given(st.lists(st.none() | st.floats()))
def test_a_run_is_what_a_plain_loop_says_it_is(values: list[float | None]) -> None:
    begin, is_whole = None, True
    for place in range(len(values) - 1, -1, -1):
        value = values[place]
        if value is None or math.isnan(value):
            continue
        if value < 5:
            is_whole = False
            break
        begin = place
    expected = None if begin is None else (begin * 10, is_whole)
    assert run_of(",".join(map(repr, values)).encode()) == expected


@pytest.mark.parametrize("judged", list(Judged))
def test_a_very_long_window_is_no_trouble(judged: Judged) -> None:
    series = series_of(b",".join([b"5.25"] * 50_000))
    started = time.process_time()
    fold(judged, series, at(0))
    assert breaching_run(series, lambda value: value >= 5) == (START, True)
    assert time.process_time() - started < 0.5
