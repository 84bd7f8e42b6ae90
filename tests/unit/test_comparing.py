"""Series held against what they were: point by point, or window by window."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager import alerting, checks, rawdata, sources, telling
from graphitepager.alerting import AlertMemory
from graphitepager.errors import FetchError
from graphitepager.model import Event, Reading, Series
from graphitepager.rules import Compare, ComparedAs, Judged, Level, Query, Ratio
from tests.examples import MINUTE, alert, entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Entry

WEEK = timedelta(weeks=1)
START = 1_700_000_040
NOW = datetime.fromtimestamp(START + 60, UTC)
THEN = START - 604_800
QUERY, EARLIER = Query("hits.*", "-1min", None), Query("hits.*", "-608460s", "-604800s")


def series(points: str, *, name: str = "web", start: int = START, step: int = 10) -> Series:
    return Series(name, start, start + step * (points.count(",") + 1), step, points.encode())


def past(points: str, **keys: Any) -> Series:
    return series(points, **{"start": THEN, **keys})


def entry_with(compared_as: ComparedAs = ComparedAs.DIFFERENCE, **keys: Any) -> Entry:
    return entry(query=QUERY, compare=Compare(queries=(EARLIER,), ago=WEEK, compared_as=compared_as), **keys)


def readings(one: Entry, *answers: Sequence[Series]) -> dict[str, Reading]:
    given = {query: rawdata.holding(list(answer)) for query, answer in zip(one.queries, answers, strict=True)}
    return dict(checks.evaluate(alert(one), given, NOW).readings)


def compared(points: str | Series, before: str | Series, **keys: Any) -> float | str | None:
    """The value that is judged, or why there is none."""
    now, then = (one if isinstance(one, Series) else make(one) for one, make in ((points, series), (before, past)))
    reading = readings(entry_with(**keys), [now], [then])["web"]
    return reading.detail if reading.value is None else reading.value


@pytest.mark.parametrize(
    ("compared_as", "now", "before", "value"),
    [
        (ComparedAs.PERCENT, "150.0", "100.0", 50.0),
        (ComparedAs.PERCENT, "25.0", "100.0", -75.0),
        (ComparedAs.PERCENT, "0.0", "100.0", -100.0),
        (ComparedAs.RATIO, "150.0", "100.0", 1.5),
        (ComparedAs.DIFFERENCE, "25.0", "100.0", -75.0),
        (ComparedAs.DIFFERENCE, "25.0", "0.0", 25.0),
        (ComparedAs.DIFFERENCE, "inf", "0.0", math.inf),
        (ComparedAs.PERCENT, "25.0", "0.0", "division by zero: it was 0 1w earlier"),
        (ComparedAs.RATIO, "0.0", "-0.0", "division by zero: it was 0 1w earlier"),
        (ComparedAs.DIFFERENCE, "inf", "inf", "inf cannot be held against inf, 1w earlier"),
        (ComparedAs.PERCENT, "inf", "inf", "inf cannot be held against inf, 1w earlier"),
        (ComparedAs.PERCENT, "1.0", "None", "no datapoint 1w earlier"),
        (ComparedAs.PERCENT, "None", "1.0", None),
    ],
)
def test_a_value_is_held_against_the_one_of_then(
    compared_as: ComparedAs, now: str, before: str, value: float | str | None
) -> None:
    assert compared(now, before, compared_as=compared_as) == value


def test_the_newest_datapoint_that_both_have_is_judged_and_keeps_its_time() -> None:
    reading = readings(entry_with(), [series("5.0,7.0,9.0,None")], [past("1.0,2.0,None,8.0")])["web"]
    assert reading.value == 5.0
    assert reading.covered_until == datetime.fromtimestamp(START + 20, UTC)
    assert reading.covered_from == datetime.fromtimestamp(START + 10, UTC)


def test_each_datapoint_is_held_against_the_interval_of_then_that_its_time_lies_in() -> None:
    # Kept in minutes by now, and fetched from an hour before the window on.
    before = past("1.0,2.0,3.0", start=THEN - 120, step=60)
    assert compared("10.0,20.0,30.0", before) == 27.0
    assert compared("10.0,None,None,None,None,None,20.0", past("1.0,3.0", step=60)) == 17.0
    finer = past("1.0,2.0,3.0,4.0,5.0,6.0,7.0")
    assert compared(series("10.0,20.0", step=60), finer) == 13.0


@pytest.mark.parametrize("start", [THEN - 100, THEN + 100])
def test_a_past_that_does_not_reach_the_window_is_no_past(start: int) -> None:
    assert compared("10.0", past("1.0", start=start)) == "no datapoint 1w earlier"


def test_a_breach_lasts_since_the_first_datapoint_that_differs_enough() -> None:
    one = entry_with(warning=50, critical=1000, for_warning=MINUTE)
    run = readings(one, [series("10.0,90.0,95.0")], [past("9.0,9.0,9.0")])["web"].warning_run
    assert run is not None
    assert (run.since, run.is_whole_window) == (datetime.fromtimestamp(START + 10, UTC), False)


def test_lower_than_last_week_is_worse_where_warning_lies_above_critical() -> None:
    one = entry_with(ComparedAs.PERCENT, warning=-30, critical=-60)
    assert readings(one, [series("30.0")], [past("100.0")])["web"].level is Level.CRITICAL
    assert readings(one, [series("60.0")], [past("100.0")])["web"].level is Level.WARNING
    assert readings(one, [series("160.0")], [past("100.0")])["web"].level is Level.OK


# Windows that are folded


@pytest.mark.parametrize(
    ("judged", "value"),
    [
        (Judged.AVERAGE, 4.0 - 3.0),
        (Judged.MIN, 2.0 - 1.0),
        (Judged.MAX, 6.0 - 5.0),
        (Judged.SUM, 12.0 - 9.0),
        (Judged.MEDIAN, 4.0 - 3.0),
        (Judged.P95, 6.0 - 5.0),
        (Judged.COUNT, 0.0),
        (Judged.CHANGE, 4.0 - -4.0),
    ],
)
def test_both_windows_are_folded_before_they_are_compared(judged: Judged, value: float) -> None:
    before = past("9.0,9.0,5.0,3.0,1.0,9.0,9.0", start=THEN - 20)
    reading = readings(entry_with(judged=judged), [series("2.0,4.0,6.0,None")], [before])["web"]
    assert reading.value == value
    assert reading.covered_until == datetime.fromtimestamp(START + 30, UTC)
    assert reading.warning_run is None


def test_a_coarser_past_counts_as_far_as_its_intervals_reach_into_the_window() -> None:
    before = past("100.0,10.0,20.0,100.0", start=THEN - 60, step=60)
    now = series(",".join(["40.0"] * 12))
    assert compared(now, before, judged=Judged.AVERAGE) == 25.0
    assert compared(now, before._replace(start=THEN - 30), judged=Judged.MIN) == 40.0 - 10.0


@pytest.mark.parametrize("judged", [Judged.SUM, Judged.COUNT])
def test_a_coarser_past_has_no_comparable_sum_or_count(judged: Judged) -> None:
    reason = compared("1.0", past("1.0", step=60), judged=judged)
    assert reason == (
        "cannot be compared: the past is kept in steps of 60 s, not 10 s, which makes another " + judged.value
    )


def test_a_count_of_nothing_is_less_than_it_was() -> None:
    assert compared("None,None", "1.0,1.0", judged=Judged.COUNT, compared_as=ComparedAs.PERCENT) == -100.0


def test_a_window_without_datapoints_has_nothing_to_compare() -> None:
    assert compared("None,None", "1.0,1.0", judged=Judged.AVERAGE) is None
    assert compared("1.0", "None", judged=Judged.AVERAGE) == "no datapoint 1w earlier"
    assert compared("1.0", past("1.0", start=THEN + 600), judged=Judged.MAX) == "no datapoint 1w earlier"


# Which series are compared


def test_a_series_that_was_not_there_then_is_no_data_with_the_reason() -> None:
    found = readings(entry_with(), [series("1.0"), series("2.0", name="new")], [past("1.0"), past("1.0", name="old")])
    assert {name: (one.value, one.detail) for name, one in found.items()} == {
        "web": (0.0, None),
        "new": (None, "there was no such series 1w earlier"),
    }


def test_series_of_the_same_name_are_not_guessed_at() -> None:
    twins = [series("1.0"), series("2.0")]
    reason = "cannot be compared: several series have this name"
    assert readings(entry_with(), twins, [past("1.0")])["web"].detail == reason
    assert readings(entry_with(), [series("1.0")], [past("1.0"), past("2.0")])["web"].detail == reason


@pytest.mark.parametrize("judged", [Judged.LAST, Judged.AVERAGE])
@pytest.mark.parametrize("texts", [("1.0,x", "1.0,1.0"), ("1.0,1.0", "1.0,x")])
def test_points_that_are_no_numbers_say_nothing_on_either_side(texts: tuple[str, str], judged: Judged) -> None:
    one = entry_with(judged=judged)
    answers = {QUERY: rawdata.holding([series(texts[0])]), EARLIER: rawdata.holding([past(texts[1])])}
    evaluation = checks.evaluate(alert(one), answers, NOW)
    assert evaluation.unreadable == {"web"}
    assert not evaluation.readings


@pytest.mark.parametrize("failing", [QUERY, EARLIER])
def test_when_either_time_fails_nothing_is_known(failing: Query) -> None:
    answers: dict[Query, RawAnswer | FetchError] = {QUERY: rawdata.holding([]), EARLIER: rawdata.holding([])}
    answers[failing] = FetchError("hits.*", "timed out")
    assert sources.series_of(entry_with(), answers, NOW) is answers[failing]
    assert not checks.evaluate(alert(entry_with()), answers, NOW).is_complete


def test_a_ratio_is_compared_with_what_it_was() -> None:
    to, to_earlier = Query("all.*", "-1min", None), Query("all.*", "-608460s", "-604800s")
    one = entry(
        query=QUERY,
        ratio=Ratio(to=to, by=(1,), is_rate=True, scale=100),
        compare=Compare(queries=(EARLIER, to_earlier), ago=WEEK, compared_as=ComparedAs.DIFFERENCE),
    )
    assert one.queries == (QUERY, to, EARLIER, to_earlier)
    names = ["hits.a", "hits.b", "hits.c"]
    hits = [series("0,30", name=name) for name in names]
    everything = [series("0,100", name=name) for name in names[:2]]
    hits_then = [past("0,20", name=name) for name in names]
    everything_then = [past(points, name=name) for name, points in zip(names, ("0,100", "7,7"), strict=False)]
    found = readings(one, hits, everything, hits_then, everything_then)
    assert {name: found[name].value or found[name].detail for name in "abc"} == {
        "a": 10.0,
        "b": "1w earlier: division by zero: the divisor has not grown",
        "c": "no partner in all.*",
    }


@given(
    st.lists(st.none() | st.floats(), min_size=1, max_size=10),
    st.lists(st.none() | st.floats(), min_size=1, max_size=10),
    st.sampled_from([1, 10, 60]),
    st.sampled_from([judged for judged in Judged if judged is not Judged.AGE]),
    st.sampled_from(list(ComparedAs)),
)
def test_whatever_graphite_writes_gives_a_number_or_nothing(
    now: list[float | None], before: list[float | None], step: int, judged: Judged, compared_as: ComparedAs
) -> None:
    one = entry_with(compared_as, judged=judged)
    then = past(",".join(map(repr, before)), step=step)
    reading = readings(one, [series(",".join(map(repr, now)))], [then])["web"]
    assert reading.value is None or not math.isnan(reading.value)
    assert (reading.value is None) == (reading.level is Level.NO_DATA)


# What is told of it


def told(one: Entry, *answers: tuple[str, str]) -> list[list[Event]]:
    """What each poll tells, of series with these points now and then; a poll comes every four minutes."""
    memory, now, events = AlertMemory(), NOW, []
    for points, before in answers:
        given = {QUERY: rawdata.holding([series(points)]), EARLIER: rawdata.holding([past(before)])}
        evaluation = checks.evaluate(alert(one), given, now)
        progress = alerting.advance(alert(one), evaluation, memory, now)
        result = telling.tell(alert(one), progress, now, telling.Holds())
        memory, now = result.memory, now + 4 * MINUTE
        events.append(list(result.events))
    return events


def test_what_was_zero_last_week_pages_as_no_data_with_the_reason() -> None:
    one = entry_with(ComparedAs.PERCENT)
    [first, [event]] = told(one, ("5.0", "0.0"), ("5.0", "0.0"))
    assert first == []
    assert (event.level, event.detail) == (Level.NO_DATA, "division by zero: it was 0 1w earlier")


def test_the_reason_for_missing_data_is_not_told_of_what_fires() -> None:
    one = entry_with(repeat_interval=4 * MINUTE)
    _, second = told(one, ("90.0", "0.0"), ("90.0", "None"))
    assert {event.level: event.detail for event in second} == {
        Level.CRITICAL: None,
        Level.NO_DATA: "no datapoint 1w earlier",
    }
