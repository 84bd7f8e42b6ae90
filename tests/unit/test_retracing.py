"""What polls of the past made of series: datapoints, or what each poll judged."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager import checks, history, rawdata
from graphitepager.errors import FetchError
from graphitepager.retracing import Retrace, picked
from graphitepager.rules import Alert, Compare, ComparedAs, Entry, Judged, Query, Ratio
from graphitepager.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graphitepager.retracing import Answers, Traced

END = 1_800_000_000
BEGIN = END - 600
STEP = 60
LAST_MINUTES = Query("a.*", "-5min", None)
NINETY = Threshold(operator=Operator.AT_LEAST, bound=90.0)


def entry(query: Query = LAST_MINUTES, **others: object) -> Entry:
    return Entry(**{"query": query, "warning": None, "critical": NINETY, "line": 1, **others})  # type: ignore[arg-type]


def retrace(*entries: Entry, names: tuple[str, ...] = ("a.db1",)) -> Retrace:
    alert = Alert(name="Lock", entries=entries)
    return Retrace(alert=alert, names=frozenset(names), begin=BEGIN, end=END, heartbeat_s=STEP)


def answer(**series: list[float | None]) -> rawdata.RawAnswer:
    """Series whose last point begins a step before END; `a_db1` is called a.db1."""
    lines = (
        f"{name.replace('_', '.')},{END - STEP * len(values)},{END},{STEP}|{','.join(map(repr, values))}\n"
        for name, values in series.items()
    )
    return rawdata.parse("".join(lines).encode())


def as_the_poller_judges(one: Retrace, answers: Mapping[Query, rawdata.RawAnswer], name: str) -> dict[int, float]:
    """The value of a series at each poll, by the poller's own functions."""
    found = {}
    for second in history.sorted_times(BEGIN, END, STEP):
        windows = {
            query: history.answer_at(
                [history.Track(each) for each in given.series], history.span_of(query), second,
                {each.name: 0 for each in given.series},
            )
            for query, given in answers.items()
        }  # fmt: skip
        now = datetime.fromtimestamp(second, UTC)
        reading = checks.evaluate(one.alert, windows, now).readings.get(name)
        if reading is not None and reading.value is not None:
            found[second] = reading.value
    return found


def values_by_time(traced: Traced) -> dict[int, float]:
    curve = traced.curve
    return {
        curve.begin + place * curve.step: value for place, value in enumerate(curve.values) if not math.isnan(value)
    }


def test_a_plain_entry_is_what_graphite_has() -> None:
    values: list[float | None] = [1.0, None, 3.0]
    found = retrace(entry()).curves({LAST_MINUTES: answer(a_db1=values, a_db2=[9.0])})
    assert found.keys() == {"a.db1"}
    curve = found["a.db1"].curve
    assert (curve.begin, curve.step) == (END - 180, STEP)
    assert curve.values[0] == 1.0
    assert math.isnan(curve.values[1])


RAMP: list[float | None] = [float(place * place) for place in range(40)]
DELAYED = Query("a.*", "-10min", "-5min")
DIVISOR = Query("b.*", "-5min", None)
EARLIER = Query("a.*", "-20min", "-15min")


@pytest.mark.parametrize(
    ("one", "answers", "name"),
    [
        (entry(judged=Judged.AVERAGE), {LAST_MINUTES: answer(a_db1=RAMP)}, "a.db1"),
        (entry(judged=Judged.MAX), {LAST_MINUTES: answer(a_db1=[None, 3.0, *RAMP, None, None])}, "a.db1"),
        (entry(DELAYED), {DELAYED: answer(a_db1=RAMP)}, "a.db1"),
        (
            entry(ratio=Ratio(to=DIVISOR, by=(1,), scale=100.0)),
            {LAST_MINUTES: answer(a_db1=RAMP, a_db2=RAMP), DIVISOR: answer(b_db1=[7.0] * 40, b_db2=[1.0] * 40)},
            "db1",
        ),
        (
            entry(judged=Judged.AVERAGE, ratio=Ratio(to=DIVISOR, by=(1,), is_rate=True)),
            {LAST_MINUTES: answer(a_db1=RAMP), DIVISOR: answer(b_db1=[float(place) for place in range(40)])},
            "db1",
        ),
        (
            entry(
                judged=Judged.AVERAGE,
                compare=Compare(queries=(EARLIER,), ago=timedelta(minutes=15), compared_as=ComparedAs.PERCENT),
            ),
            {LAST_MINUTES: answer(a_db1=RAMP), EARLIER: answer(a_db1=RAMP)},
            "a.db1",
        ),
    ],
    ids=["average", "max", "delay", "ratio", "rate", "compare"],
)
def test_what_is_computed_is_what_the_poller_judged(
    one: Entry, answers: dict[Query, rawdata.RawAnswer], name: str
) -> None:
    wanted = retrace(one, names=(name,))
    expected = as_the_poller_judges(wanted, answers, name)
    assert len(expected) > 5
    assert values_by_time(wanted.curves(answers)[name]) == pytest.approx(expected)


def test_the_first_entry_that_returns_a_series_owns_it() -> None:
    other = Query("a.db1", "-5min", None)
    first, second = entry(include=frozenset({"a.db2"})), entry(other)
    answers = {LAST_MINUTES: answer(a_db1=[1.0], a_db2=[2.0]), other: answer(a_db1=[1.0])}
    found = retrace(first, second, names=("a.db1", "a.db2")).curves(answers)
    assert found["a.db1"].entry is second
    assert found["a.db2"].entry is first


def test_a_series_that_is_left_out_has_no_curve() -> None:
    excluding = entry(exclude=frozenset({"a.db1"}))
    assert retrace(excluding, entry()).curves({LAST_MINUTES: answer(a_db1=[1.0])}) == {}


def test_nobody_owns_a_series_while_an_earlier_entry_has_no_answer() -> None:
    other = Query("a.db1", "-5min", None)
    answers: Answers = {LAST_MINUTES: FetchError("a.*", "timed out"), other: answer(a_db1=[1.0])}
    assert retrace(entry(), entry(other)).curves(answers) == {}


def test_a_point_that_is_no_number_leaves_a_gap() -> None:
    broken = rawdata.parse(f"a.db1,{END - 180},{END},60|1.0,what,3.0\n".encode())
    curve = retrace(entry()).curves({LAST_MINUTES: broken})["a.db1"].curve
    assert [math.isnan(value) for value in curve.values] == [False, True, False]
    judged = retrace(entry(judged=Judged.SUM)).curves({LAST_MINUTES: broken})["a.db1"]
    assert END - 60 not in values_by_time(judged)


def test_graphite_is_asked_once_for_the_whole_stretch_and_for_these_series_only() -> None:
    (asked,) = retrace(entry()).asked().values()
    assert asked == Query('grep(a.*,"^(a.db1)$")', str(BEGIN - 300 - 600), str(END))


def test_a_window_that_does_not_move_is_not_asked_for() -> None:
    fixed = Query("a.*", "20260101", None)
    assert retrace(entry(fixed)).asked() == {}
    assert retrace(entry(fixed)).curves({}) == {}


def test_both_halves_of_a_ratio_are_asked_for_whole() -> None:
    asked = retrace(entry(ratio=Ratio(to=DIVISOR))).asked()
    assert [one.target for one in asked.values()] == ["a.*", "b.*"]


@pytest.mark.parametrize(
    "name", ["servers.db1.lock", 'a "quoted" (name)', "ü.ö", "\\xff", "", "a|b$", "<script>", "x" * 500]
)
def test_what_is_picked_holds_the_series_and_no_quote(name: str) -> None:
    found = picked("t", [name])
    pattern = found.removeprefix('grep(t,"').removesuffix('")')
    assert '"' not in pattern
    assert re.search(pattern, name)
    assert not re.search(pattern, "") or not name


def test_very_many_series_are_not_picked() -> None:
    assert picked("t", [f"db{number}" for number in range(500)]) == "t"


def test_a_long_time_is_judged_at_fewer_polls() -> None:
    long = replace(retrace(entry(judged=Judged.MAX)), begin=END - 86_400)
    curve = long.curves({LAST_MINUTES: answer(a_db1=[1.0] * 1440)})["a.db1"].curve
    assert 600 <= len(curve.values) <= 722
