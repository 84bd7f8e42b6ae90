"""The past, cut into the windows that Graphite would have answered with; and what a replay need not look at."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphitepager import checks, quiet
from graphitepager.history import Span, Track, answer_at, coarsest, sorted_times, span_of, steps_of, tracks_of
from graphitepager.model import Series
from graphitepager.quiet import Windows
from graphitepager.rawdata import holding
from graphitepager.rules import Entry, Judged, Level, Query
from graphitepager.thresholds import Operator, Threshold
from tests.examples import NOON, entry

MINUTE = Span(-60, 0)


def series(points: bytes, *, start: int = 1000, step: int = 10, name: str = "db1") -> Series:
    return Series(name, start, start + step * (points.count(b",") + 1), step, points)


def test_a_window_ends_with_the_interval_that_has_begun() -> None:
    track = Track(series(b"0,1,2,3,4,5,6,7,8,9"))
    assert track.window(MINUTE, 1075) == series(b"2,3,4,5,6,7", start=1020)
    assert track.window(MINUTE, 1080) == series(b"3,4,5,6,7,8", start=1030)


def test_what_is_not_known_is_none() -> None:
    track = Track(series(b"0,1,2"))
    assert track.window(MINUTE, 1005) == series(b"None,None,None,None,None,0", start=950)
    assert track.window(MINUTE, 1055) == series(b"0,1,2,None,None,None")
    assert track.window(MINUTE, 5000).points == b"None,None,None,None,None,None"


def test_an_empty_range_asks_for_the_point_to_come_which_nobody_knows() -> None:
    assert Track(series(b"0,1,2")).window(Span(-5, 0), 1008) == series(b"None", start=1010)


def test_a_window_may_end_before_now() -> None:
    assert Track(series(b"0,1,2,3,4,5,6,7,8,9")).window(Span(-50, -20), 1075) == series(b"3,4,5", start=1030)


def test_a_coarse_past_is_filled_with_copies() -> None:
    then, now = holding([series(b"1,None", step=60)]), holding([series(b"1,2", step=20)])
    [track] = tracks_of(then, steps_of(now))
    assert track.window(Span(-60, 0), 1059).points == b"1,1,1"
    assert coarsest(then, steps_of(now)) == (60, 20)
    assert coarsest(now, steps_of(now)) is None


def test_a_series_that_is_gone_by_now_has_the_step_of_most_others() -> None:
    now = holding([series(b"1", name="db2"), series(b"1", name="db3"), series(b"1", name="db4", step=60)])
    [track] = tracks_of(holding([series(b"1", step=60)]), steps_of(now))
    assert track.step == 10


def test_a_series_is_there_from_its_first_datapoint() -> None:
    track = Track(series(b"None,nan,2"))
    assert track.begins_at == 1020
    assert Track(series(b"None,nan")).begins_at is None
    assert answer_at([track], MINUTE, 1019, {"db1": 1020}).series == []
    assert len(answer_at([track], MINUTE, 1020, {"db1": 1020}).series) == 1


def test_a_fixed_time_does_not_move() -> None:
    assert span_of(Query("a", "-5min", "-1min")) == (-300, -60)
    with pytest.raises(ValueError, match="20260101 is a fixed time"):
        span_of(Query("a", "20260101", None))


def test_polls_come_at_multiples_of_the_step() -> None:
    assert list(sorted_times(119, 240, 60)) == [60, 120, 180, 240]


BOUNDS = [Threshold(operator=operator, bound=50, upper=60) for operator in Operator]
POINTS = st.lists(
    st.sampled_from(["None", "nan", "10", "49.9", "50", "55", "61", "-3", "inf", "-inf", "1e300"]), min_size=1
)


@settings(max_examples=150)
@given(
    points=POINTS,
    judged=st.sampled_from(Judged),
    warning=st.sampled_from([None, *BOUNDS]),
    critical=st.sampled_from(BOUNDS),
    span=st.sampled_from([Span(-60, 0), Span(-30, -10), Span(-5, 0)]),
)
def test_what_is_called_quiet_is_fine(
    points: list[str], judged: Judged, warning: Threshold | None, critical: Threshold, span: Span
) -> None:
    rule = Entry(query=Query("a", "", None), warning=warning, critical=critical, line=1, judged=judged)
    track = Track(series(",".join(points).encode()))
    times = range(940, 1100 + 10 * len(points), 7)
    windows = Windows([track.bounds(span, now) for now in times])
    loud = set(quiet.loud_polls(quiet.values_of(track), rule, windows))
    for place, now in enumerate(times):
        if place not in loud:
            assert checks.judge("Load", rule, track.window(span, now), NOON).level is Level.OK


def test_a_series_that_is_always_fine_is_never_looked_at() -> None:
    track = Track(series(b",".join([b"10.5"] * 100)))
    windows = Windows([track.bounds(MINUTE, now) for now in range(1000, 2000, 60)])
    for judged in (Judged.LAST, Judged.AVERAGE, Judged.MAX, Judged.P95):
        assert not quiet.loud_polls(quiet.values_of(track), entry(judged=judged), windows)
    assert quiet.loud_polls(quiet.values_of(track), entry(judged=Judged.SUM), windows)  # six of them are 63


def test_one_bad_datapoint_is_looked_at_while_it_counts() -> None:
    track = Track(series(b",".join([b"10"] * 20 + [b"99"] + [b"10"] * 20)))
    windows = Windows([track.bounds(MINUTE, now) for now in range(1000, 1400, 10)])
    assert list(quiet.loud_polls(quiet.values_of(track), entry(), windows)) == [20]
    assert list(quiet.loud_polls(quiet.values_of(track), entry(judged=Judged.MAX), windows)) == [*range(20, 26)]
