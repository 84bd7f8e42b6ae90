"""Ratios of two targets: which series are divided, over which intervals, and why some cannot be."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager import rawdata, sources
from graphitepager.errors import FetchError
from graphitepager.model import Series
from graphitepager.rules import Query, Ratio
from tests.examples import entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.derived import Sourced
    from graphitepager.rawdata import RawAnswer

START = 1_700_000_040
OF, TO = Query("s.*.of", "-1min", None), Query("s.*.to", "-1min", None)


def series(name: str, points: str | Sequence[float | None], *, start: int = START, step: int = 10) -> Series:
    text = points if isinstance(points, str) else ",".join(map(repr, points))
    return Series(name, start, start + step * (text.count(",") + 1), step, text.encode())


def sourced(ofs: Sequence[Series], tos: Sequence[Series], **keys: Any) -> Sourced:
    one = entry(query=OF, ratio=Ratio(to=TO, **{"by": (1,), **keys}))
    given = {OF: rawdata.holding(list(ofs)), TO: rawdata.holding(list(tos))}
    result = sources.series_of(one, given, datetime.fromtimestamp(START, UTC))
    assert not isinstance(result, FetchError)
    return result


def divided(of: str | Series, to: str | Series, **keys: Any) -> str:
    """The points of db1's ratio, or why there are none."""
    pair = [[series(f"s.db1.{word}", one) if isinstance(one, str) else one] for word, one in (("of", of), ("to", to))]
    result = sourced(*pair, **keys)
    [only] = result.answer.series
    assert only.name == "db1"
    assert "db1" not in result.unreadable
    return result.reasons.get("db1", only.points.decode())


def rate(of: str | Series, to: str | Series, **keys: Any) -> str:
    return divided(of, to, is_rate=True, **keys)


# Point by point


@pytest.mark.parametrize(
    ("of", "to", "points"),
    [
        ("1.0,4.0", "2.0,8.0", "0.5,0.5"),
        ("1.0,None,3.0", "2.0,2.0,None", "0.5,None,None"),
        ("1.0,1.0", "0.0,4.0", "None,0.25"),
        ("-1.0,inf,1.0", "2.0,2.0,inf", "-0.5,inf,0.0"),
        ("inf,1.0", "inf,1.0", "None,1.0"),
        ("1,7", "2,2", "0.5,3.5"),
        ("1.0,2.0", "0.0,0.0", "division by zero: the divisor is 0"),
        ("1.0,None", "None,1.0", "no time at which both have a datapoint"),
        ("inf", "inf", "no time at which both have a datapoint"),
        ("None,nan", "1.0,1.0", "no datapoint in s.*.of"),
        ("1.0,1.0", "", "no datapoint in s.*.to"),
    ],
)
def test_levels_are_divided_point_by_point(of: str, to: str, points: str) -> None:
    assert divided(of, to) == points


def test_the_scale_comes_first_so_that_people_see_the_numbers_that_they_expect() -> None:
    assert divided("8.24", "10.0", scale=100) == "82.4"
    assert divided("1e308", "1e308", scale=100) == "100.0"


def test_the_finer_one_is_averaged_over_the_steps_of_the_coarser() -> None:
    fine = series("s.db1.of", "1.0,3.0,5.0,None,None,None,7.0")
    coarse = series("s.db1.to", "2.0,14.0", step=60)
    result = sourced([fine], [coarse])
    assert result.answer.series == [Series("db1", START, START + 120, 60, b"1.5,0.5")]
    assert sourced([coarse._replace(name="s.db1.x")], [fine]).answer.series[0].points == b"0.6666666666666666,2.0"


# Rates


@pytest.mark.parametrize(
    ("of", "to", "points"),
    [
        ("0,5,10", "0,10,20", "None,50.0,50.0"),
        # A gap is bridged, in either: the growth over it, by the growth over the same time.
        ("0,None,10", "0,10,20", "None,None,50.0"),
        ("0,5,10", "0,None,40", "None,None,25.0"),
        ("0,5,None,15", "0,None,20,30", "None,None,None,50.0"),
        # A counter that falls was set back, or has wrapped: that interval says nothing, the next one does.
        ("10,20,0,5", "10,20,0,10", "None,100.0,None,50.0"),
        ("4294967290,4294967295,4,9", "0,10,20,30", "None,50.0,None,50.0"),
        ("0,5,10", "20,30,0", "None,50.0,None"),
        ("0,5,5,5", "0,10,10,20", "None,50.0,None,0.0"),
        ("1e300,2e300", "1e300,3e300", "None,50.0"),
        ("9007199254740992,9007199254740994", "0,4", "None,50.0"),
        ("0,inf,5", "0,10,20", "None,None,25.0"),
        ("0,5", "-inf,10", "fewer than two datapoints that both have, and a rate needs two"),
        ("5", "5", "fewer than two datapoints that both have, and a rate needs two"),
        ("None,5,None", "1,None,3", "fewer than two datapoints that both have, and a rate needs two"),
        ("5,5", "7,7", "division by zero: the divisor has not grown"),
        ("5,4", "7,8", "a counter was set back, and has not grown since"),
        ("5,4,5", "7,8,8", "division by zero: the divisor has not grown"),
        ("inf,inf", "1,2", "no datapoint in s.*.of"),
    ],
)
def test_counters_are_divided_by_their_growth_between_the_same_two_times(of: str, to: str, points: str) -> None:
    assert rate(of, to, scale=100) == points


def test_the_lock_percentages_of_the_how_to_come_out_to_the_last_digit() -> None:
    total = ",".join(str(second * 1_000_000) for second in range(0, 50, 10))
    db1 = "1000000000,1001200000,1002400000,1010640000,1018880000"
    assert rate(db1, total, scale=100) == "None,12.0,12.0,82.4,82.4"
    # The restart: Graphite's derivative makes 4.2 % of it.
    assert rate("42000000,500000,1500000", "1002000000,1000000,11000000", scale=100) == "None,None,10.0"


def test_with_different_steps_counters_are_read_at_the_times_that_both_have() -> None:
    fine = series("s.db1.of", [float(second) for second in range(0, 130, 10)])
    coarse = series("s.db1.to", [0.0, 120.0, 240.0], step=60)
    result = sourced([fine], [coarse], is_rate=True)
    assert result.answer.series == [Series("db1", START, START + 180, 60, b"None,0.5,0.5")]
    # The other way round, and the newest interval of the coarser is still being filled.
    assert sourced([coarse], [fine], is_rate=True).answer.series[0].points == b"None,2.0,2.0"


def test_steps_without_a_common_measure_meet_at_their_least_common_multiple() -> None:
    sixes, tens = ([float(index * step) for index in range(120 // step)] for step in (6, 10))
    result = sourced([series("s.db1.of", sixes, step=6)], [series("s.db1.to", tens, step=10)], is_rate=True)
    assert (result.answer.series[0].step, result.answer.series[0].points) == (30, b"None,1.0,1.0,1.0")
    far = sourced([series("s.db1.of", "1,2", step=86_399)], [series("s.db1.to", "1,2", step=86_400)])
    assert far.reasons == {"db1": "no time at which both have a datapoint"}


def test_windows_of_different_lengths_meet_where_they_overlap() -> None:
    longer = series("s.db1.of", "0,5,10,15,20")
    shorter = series("s.db1.to", "10,20,30", start=START + 20)
    assert rate(longer, shorter, scale=10) == "None,None,None,5.0,5.0"
    assert rate(longer, series("s.db1.to", "1,2", start=START + 5_000)).startswith("fewer than two")


def test_intervals_that_begin_between_the_clock_marks_keep_their_times() -> None:
    of, to = (series(f"s.db1.{word}", "1.0,2.0", start=START + 7) for word in ("of", "to"))
    [ratio] = sourced([of], [to]).answer.series
    assert (ratio.start, ratio.points) == (START + 7, b"1.0,1.0")


@st.composite
def counters(draw: st.DrawFn) -> tuple[list[float | None], list[float | None], Mapping[int, float]]:
    """Two counters with gaps and resets, and their true ratio wherever one can be told, kept by a plain loop."""
    length = draw(st.integers(1, 30))
    growth = st.integers(0, 10**9)
    totals, now = [], [draw(growth), draw(growth)]
    for index in range(length):
        is_reset = index > 0 and draw(st.integers(0, 9)) == 0
        now = [0, 0] if is_reset else [total + draw(growth) for total in now]
        totals.append(tuple(now))
    gaps = [draw(st.sets(st.integers(0, length - 1))) for _ in range(2)]
    seen = [
        [None if i in gap else float(total[side]) for i, total in enumerate(totals)] for side, gap in enumerate(gaps)
    ]
    both = [i for i in range(length) if i not in gaps[0] | gaps[1]]
    true = {}
    for since, until in pairwise(both):
        top, bottom = (totals[until][side] - totals[since][side] for side in range(2))
        if top >= 0 and bottom > 0:
            true[until] = top / bottom
    return seen[0], seen[1], true


@given(counters())
def test_the_rate_is_the_true_ratio_wherever_that_can_be_told(
    case: tuple[list[float | None], list[float | None], Mapping[int, float]],
) -> None:
    of, to, true = case
    result = sourced([series("s.db1.of", of)], [series("s.db1.to", to)], is_rate=True)
    texts = result.answer.series[0].points.decode().split(",")
    found = {index: float(text) for index, text in enumerate(texts) if text != "None"}
    assert found == pytest.approx(true)
    assert bool(result.reasons) == (not true)


@given(
    *(st.lists(st.none() | st.floats(), min_size=1, max_size=20) for _ in range(2)),
    st.sampled_from([1, 7, 10, 60]),
    st.booleans(),
)
def test_whatever_graphite_writes_gives_numbers_or_a_reason(
    of: list[float | None], to: list[float | None], step: int, is_rate: bool
) -> None:
    result = sourced([series("s.a.of", of)], [series("s.a.to", to, step=step)], is_rate=is_rate, scale=100)
    [ratio] = result.answer.series
    values = [float(text) for text in ratio.points.decode().split(",") if text != "None"]
    assert not any(map(math.isnan, values))
    assert bool(values) != bool(result.reasons)


# Who is divided by whom


def test_series_meet_by_their_nodes_and_are_called_by_them() -> None:
    ofs = [series(f"perSecond(s.db{host}.shard{shard}.of)", "1.0") for host in (1, 2) for shard in (1, 2)]
    tos = [series(f"s.db{host}.shard{shard}.to", f"{host}{shard}") for host in (2, 1) for shard in (2, 1)]
    result = sourced(ofs, tos, by=(1, 2))
    assert {one.name: 1 / float(one.points) for one in result.answer.series} == pytest.approx(
        {"db1.shard1": 11, "db1.shard2": 12, "db2.shard1": 21, "db2.shard2": 22}
    )
    assert sourced(ofs, tos, by=None).answer.series[0].name == "s.db1.shard1"


def test_a_missing_partner_is_no_data_with_the_reason_and_harms_no_other() -> None:
    result = sourced([series("s.db1.of", "1.0"), series("s.db2.of", "1.0")], [series("s.db2.to", "2.0")])
    assert [(one.name, one.points) for one in result.answer.series] == [("db1", b"None"), ("db2", b"0.5")]
    assert result.reasons == {"db1": "no partner in s.*.to"}


def test_what_is_only_in_the_divisor_is_nobodys_ratio() -> None:
    assert sourced([], [series("s.db1.to", "1.0")]).answer.series == []


def test_a_name_without_the_node_is_no_data_under_its_own_name() -> None:
    result = sourced([series("s", "1.0"), series("s.db1.of", "1.0")], [series("t", "1.0")])
    assert result.reasons == {
        "s": "cannot be joined: its name has no node 1",
        "db1": "no partner in s.*.to (t there has no node 1)",
    }
    assert [one.name for one in result.answer.series] == ["db1", "s"]


def test_several_series_with_the_same_nodes_are_not_guessed_at() -> None:
    pair = [series("s.db1.x", "1.0"), series("s.db1.y", "1.0")]
    one = [series("s.db1.of", "1.0")]
    reason = "cannot be joined: 2 series of {} have these nodes, such as s.db1.x and s.db1.y"
    assert sourced(pair, one).reasons == {"db1": reason.format("s.*.of")}
    assert sourced(one, pair).reasons == {"db1": reason.format("s.*.to")}


def test_a_series_that_comes_twice_is_one() -> None:
    assert sourced([series("s.db1.of", "1.0")] * 2, [series("s.db1.to", "2.0")] * 3).answer.series[0].points == b"0.5"


def test_points_that_are_no_numbers_spoil_their_series_only() -> None:
    ofs = [series("s.db1.of", "1.0,x"), series("s.db2.of", "1.0")]
    result = sourced(ofs, [series("s.db1.to", "2.0,2.0"), series("s.db2.to", "2.0")])
    assert result.unreadable == {"db1"}
    assert [one.name for one in result.answer.series] == ["db1", "db2"]


def test_a_reason_quotes_no_more_of_a_target_than_anybody_reads() -> None:
    one = entry(query=OF, ratio=Ratio(to=TO._replace(target="t" * 5_000), by=(1,)))
    answers = {OF: rawdata.holding([series("s.db1.of", "1")]), one.queries[1]: rawdata.holding([])}
    result = sources.series_of(one, answers, datetime.fromtimestamp(START, UTC))
    assert not isinstance(result, FetchError)
    assert len(result.reasons["db1"]) < 200


@pytest.mark.parametrize("failing", [OF, TO])
def test_when_either_target_fails_nothing_is_known(failing: Query) -> None:
    answers: dict[Query, RawAnswer | FetchError] = {OF: rawdata.holding([]), TO: rawdata.holding([])}
    answers[failing] = FetchError(failing.target, "timed out")
    one = entry(query=OF, ratio=Ratio(to=TO))
    assert sources.series_of(one, answers, datetime.fromtimestamp(START, UTC)) is answers[failing]


@pytest.mark.parametrize("by", [(1,), (0,)], ids=["one key each", "one key for all"])
def test_three_thousand_series_are_joined_in_no_time(by: tuple[int, ...]) -> None:
    points = ",".join(str(value) for value in range(30))
    ofs, tos = ([series(f"s.db{host}.{word}", points) for host in range(3_000)] for word in ("of", "to"))
    started = time.process_time()
    sourced(ofs, tos, is_rate=True, by=by)
    assert time.process_time() - started < 2
