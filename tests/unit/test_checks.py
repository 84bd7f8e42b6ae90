"""Thresholds in both directions, exclusions, and which entry owns a series."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager import checks, rawdata
from graphitepager.errors import FetchError
from graphitepager.model import Series
from graphitepager.rules import Judged, Level, Query
from graphitepager.selection import NO_NAMES, Names
from tests.examples import MINUTE, alert, entry

if TYPE_CHECKING:
    from graphitepager.model import Reading
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Alert, Entry

START = 1_700_000_000
NOW = datetime.fromtimestamp(START + 60, UTC)


def answer(**points: str) -> RawAnswer:
    """An answer of series by name, each with a point every ten seconds."""
    return rawdata.holding([Series(name, START, START + 60, 10, values.encode()) for name, values in points.items()])


def levels(one: Alert, *answers: RawAnswer | FetchError) -> dict[str, Level]:
    by_query = dict(zip((each.query for each in one.entries), answers, strict=True))
    return {name: reading.level for name, reading in checks.evaluate(one, by_query, NOW).readings.items()}


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (49.99, Level.OK),
        (50, Level.WARNING),
        (69.99, Level.WARNING),
        (70, Level.CRITICAL),
        (float("inf"), Level.CRITICAL),
        (float("-inf"), Level.OK),
    ],
)
def test_high_is_bad_where_critical_is_above_warning(value: float, level: Level) -> None:
    assert checks.level_of(value, entry(warning=50, critical=70)) is level


@pytest.mark.parametrize(
    ("value", "level"), [(21, Level.OK), (20, Level.WARNING), (10.01, Level.WARNING), (10, Level.CRITICAL)]
)
def test_low_is_bad_where_warning_is_above_critical(value: float, level: Level) -> None:
    assert checks.level_of(value, entry(warning=20, critical=10)) is level


@pytest.mark.parametrize(("value", "level"), [(4.99, Level.OK), (5, Level.CRITICAL), (6, Level.CRITICAL)])
def test_with_equal_thresholds_critical_wins(value: float, level: Level) -> None:
    assert checks.level_of(value, entry(warning=5, critical=5)) is level


def test_the_value_judged_is_the_last_one_that_is_not_none() -> None:
    one = alert(entry())
    readings = checks.evaluate(one, {one.entries[0].query: answer(db1="10.0,60.0,None")}, NOW).readings
    assert (readings["db1"].level, readings["db1"].value) == (Level.WARNING, 60.0)
    assert readings["db1"].covered_until == datetime.fromtimestamp(START + 20, UTC)


def test_a_series_of_nothing_but_none_is_no_data_since_its_window_began() -> None:
    one = alert(entry())
    readings = checks.evaluate(one, {one.entries[0].query: answer(db1="None,None")}, NOW).readings
    assert (readings["db1"].level, readings["db1"].value) == (Level.NO_DATA, None)
    assert readings["db1"].covered_until == datetime.fromtimestamp(START, UTC)


def judged(points: str, **keys: Any) -> Reading:
    one = alert(entry(**keys))
    return checks.evaluate(one, {one.entries[0].query: answer(db1=points)}, NOW).readings["db1"]


def test_where_for_is_set_a_reading_says_since_when_each_threshold_is_breached() -> None:
    reading = judged("10.0,60.0,80.0,90.0", for_warning=MINUTE, for_critical=MINUTE)
    since = [
        run and (run.since.timestamp() - START, run.is_whole_window)
        for run in (reading.warning_run, reading.critical_run)
    ]
    assert since == [(10, False), (20, False)]


def test_a_breach_that_fills_the_window_may_have_begun_earlier() -> None:
    run = judged("60.0,60.0", for_warning=MINUTE).warning_run
    assert run is not None
    assert run.is_whole_window


@pytest.mark.parametrize("keys", [{}, {"for_warning": MINUTE, "judged": Judged.AVERAGE}])
def test_without_for_or_with_a_folded_window_nobody_asks_since_when(keys: dict[str, Any]) -> None:
    reading = judged("60.0,60.0", **keys)
    assert (reading.level, reading.warning_run) == (Level.WARNING, None)


def test_a_folded_window_is_what_is_held_against_the_thresholds() -> None:
    reading = judged("40.0,None,80.0,None", judged=Judged.AVERAGE)
    assert (reading.value, reading.level) == (60.0, Level.WARNING)
    assert reading.covered_until == datetime.fromtimestamp(START + 30, UTC)


def test_a_window_without_datapoints_has_a_count_and_nothing_else() -> None:
    assert judged("None,None", judged=Judged.COUNT).value == 0
    assert judged("None,None", judged=Judged.SUM).level is Level.NO_DATA


class TestSameName:
    """Entries with one name split their series by file order."""

    def pair(self, **first: Any) -> tuple[Entry, Entry]:
        return (
            entry(query=Query("worker-*", "-1min", None), warning=100, critical=200, **first),
            entry(query=Query("*", "-1min", None), warning=5, critical=10),
        )

    def test_the_first_entry_that_returns_a_series_owns_it(self) -> None:
        both = answer(worker="50.0", web="50.0")
        assert levels(alert(*self.pair()), answer(worker="50.0"), both) == {
            "worker": Level.OK,
            "web": Level.CRITICAL,
        }

    def test_it_owns_it_also_when_it_excludes_it(self) -> None:
        both = answer(worker="50.0", web="50.0")
        pair = self.pair(exclude=frozenset({"worker"}))
        assert levels(alert(*pair), answer(worker="50.0"), both) == {"web": Level.CRITICAL}

    def test_it_owns_it_also_when_it_holds_no_data(self) -> None:
        both = answer(worker="50.0", web="1.0")
        assert levels(alert(*self.pair()), answer(worker="None"), both) == {
            "worker": Level.NO_DATA,
            "web": Level.OK,
        }

    def test_a_failed_first_entry_keeps_the_second_from_judging_series_that_are_not_its_own(self) -> None:
        one = alert(*self.pair())
        first, second = one.entries
        evaluation = checks.evaluate(
            one, {first.query: FetchError("worker-*", "timed out"), second.query: answer(worker="50.0")}, NOW
        )
        assert (evaluation.readings, evaluation.is_complete) == ({}, False)

    def test_a_failed_second_entry_does_not_harm_the_first(self) -> None:
        assert levels(alert(*self.pair()), answer(worker="150.0"), FetchError("*", "timed out")) == {
            "worker": Level.WARNING
        }


def test_of_two_series_with_one_name_the_worse_speaks() -> None:
    twins = rawdata.holding([*answer(db1="80.0").series, *answer(db1="10.0").series, *answer(db1="None").series])
    assert levels(alert(entry()), twins) == {"db1": Level.CRITICAL}


def test_points_that_are_no_numbers_say_nothing_of_their_series() -> None:
    one = alert(entry())
    evaluation = checks.evaluate(one, {one.entries[0].query: answer(db1="1.0,oops", db2="1.0")}, NOW)
    assert evaluation.unreadable == {"db1"}
    assert list(evaluation.readings) == ["db2"]


def test_a_query_that_two_alerts_share_is_asked_once() -> None:
    assert checks.queries_of([alert(name="a"), alert(name="b"), alert(entry("other"), name="c")]) == (
        Query("servers.*.lock", "-1min", None),
        Query("other", "-1min", None),
    )


NAMES = st.sampled_from(["db1", "db2", "db10", "web1", "web2"])
SERIES = st.builds(
    Series,
    NAMES,
    st.sampled_from([START, START + 10]),
    st.just(START + 60),
    st.just(10),
    st.sampled_from([b"10.0,60.0", b"60.0,10.0,None", b"None", b"80.0", b"1.0,oops", b"nan"]),
)
SOME_NAMES = st.sampled_from([NO_NAMES, Names(exact=frozenset({"db1"})), Names(patterns=(re.compile("web|2"),))])
ENTRIES = st.builds(
    entry,
    include=st.none() | SOME_NAMES,
    exclude=SOME_NAMES,
    judged=st.sampled_from([Judged.LAST, Judged.AVERAGE]),
)


@given(
    st.lists(st.tuples(ENTRIES, st.lists(SERIES, max_size=5)), min_size=1, max_size=2),
    st.frozensets(NAMES),
)
def test_what_is_fine_and_unwatched_can_be_passed_over_and_nothing_else(
    given: list[tuple[Entry, list[Series]]], watched: frozenset[str]
) -> None:
    queries = [Query(f"target {number}", "-1min", None) for number in range(len(given))]
    one = alert(*(replace(each, query=query) for query, (each, _) in zip(queries, given, strict=True)))
    answers = {query: rawdata.holding(series) for query, (_, series) in zip(queries, given, strict=True)}
    whole, brief = checks.evaluate(one, answers, NOW), checks.evaluate(one, answers, NOW, watched)
    assert whole == replace(brief, readings=whole.readings)
    assert brief.readings.items() <= whole.readings.items()
    passed_over = {name: whole.readings[name].level for name in whole.readings.keys() - brief.readings.keys()}
    assert set(passed_over.values()) <= {Level.OK}
    assert not passed_over.keys() & watched
