"""What Graphite's answers say against an alert."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager import livechecks, rawdata
from graphitepager.errors import FetchError
from graphitepager.model import Series
from graphitepager.rules import Judged, NoDataPolicy
from graphitepager.selection import names
from graphitepager.thresholds import Operator, Threshold
from tests.examples import NOON, alert, entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphitepager.rules import Entry

MINUTE_S = 60
QUARTER = 900
WEEK_LONG = 672  # quarters of an hour


def series(name: str, *values: float | None, step: int = MINUTE_S) -> Series:
    start = int(NOON.timestamp()) - step * len(values)
    return Series(name, start, start + step * len(values), step, ",".join(map(repr, values)).encode())


def now(*answers: Sequence[Series], entries: Sequence[Entry] | None = None) -> list[str]:
    """Message and hint of each finding, by the entry's number where there are several."""
    rules = entries or [entry()]
    given = {one.query: rawdata.holding(answer) for one, answer in zip(rules, answers, strict=True)}
    return [said(one) for one in livechecks.of_now(alert(*rules), given, NOON)]


def week(*tracks: Series, **keys: Any) -> list[str]:
    rule = entry(**keys)
    given = {livechecks.looking_back(rule).query: rawdata.holding(tracks)}
    return [said(one) for one in livechecks.of_week(alert(rule), given, NOON)]


def said(finding: livechecks.Finding) -> str:
    kind = "error" if finding.is_error else "warning"
    return f"{kind} {finding.entry} {finding.keys[0]}: {finding.message}"


def test_an_alert_with_series_and_data_is_fine() -> None:
    assert now([series("db1", 1.0), series("db2", 2.0)]) == []


def test_a_target_that_matches_nothing_is_an_error() -> None:
    assert now([]) == ["error 0 target: matches nothing"]


def test_where_no_data_is_fine_it_is_only_odd() -> None:
    assert now([], entries=[entry(no_data=NoDataPolicy.OK)]) == ["warning 0 target: matches nothing"]


def test_a_target_that_graphite_refuses_is_an_error_in_its_words() -> None:
    rule = entry()
    refused = {rule.query: FetchError("a.b", "400 Bad Request")}
    (finding,) = livechecks.of_now(alert(rule), refused, NOON)
    assert said(finding) == "error 0 target: Graphite gives no usable answer: 400 Bad Request"


def test_more_series_than_anybody_means_are_told() -> None:
    many = [series(f"host{number}", 1.0) for number in range(1001)]
    assert now(many) == ["warning 0 target: matches 1,001 series"]


def test_series_of_one_name_are_told() -> None:
    assert now([series("db", 1.0), series("db", 2.0)]) == ["warning 0 target: several series are called db"]


def test_a_series_without_a_name_is_told() -> None:
    assert now([series("", 1.0)]) == ["warning 0 target: a series has no name"]


def test_series_without_data_are_named() -> None:
    silent = [series(f"db{number}", None) for number in range(1, 6)]
    assert now([*silent, series("web", 1.0)]) == [
        "warning 0 target: 5 of 6 series without a datapoint in the window: db1, db2, db3 and 2 more"
    ]
    assert now(silent) == ["warning 0 target: not one of its 5 series has a datapoint in the window"]


def test_a_step_longer_than_the_window_is_told() -> None:
    assert now([series("db", 1.0, step=300)]) == [
        "warning 0 from: its window is 1min, and a datapoint comes every 5min only"
    ]


def test_an_entry_whose_series_are_all_owned_before_is_told() -> None:
    both = [entry("servers.*"), entry("servers.db*")]
    assert now([series("db1", 1.0), series("web1", 1.0)], [series("db1", 1.0)], entries=both) == [
        "warning 1 target: all of its 1 series belong to an earlier entry of this alert"
    ]


def test_an_include_that_leaves_nothing_is_an_error() -> None:
    only = entry(include=names(["mail*"]))
    assert now([series("db1", 1.0)], entries=[only]) == [
        "error 0 include: leaves out all of the 1 series of its target"
    ]


def test_a_threshold_far_beyond_a_weeks_values_is_told() -> None:
    found = week(series("db1", *[0.5, 1.5] * (WEEK_LONG // 2), step=QUARTER))
    assert found == ["warning 0 warning: nothing came near it in the last week: the nearest was db1 with 1.5"]


def test_low_values_are_bad_where_warning_is_above_critical() -> None:
    found = week(series("disk", *[900.0] * WEEK_LONG, step=QUARTER), warning=20, critical=10)
    assert found == ["warning 0 warning: nothing came near it in the last week: the nearest was disk with 900"]


def test_a_threshold_that_was_nearly_reached_is_a_good_one() -> None:
    assert week(series("db1", *[5.0] * WEEK_LONG, 45.0, step=QUARTER)) == []


def test_a_threshold_that_was_always_past_is_told() -> None:
    steady = series("db1", *[90.0] * WEEK_LONG, step=QUARTER)
    assert week(steady, series("db2", *[5.0, 60.0] * (WEEK_LONG // 2), step=QUARTER)) == [
        "warning 0 critical: db1 never left this side of it in the last week"
    ]


def test_a_few_hours_say_nothing_of_a_threshold() -> None:
    assert week(series("db1", *[90.0] * 20, step=QUARTER)) == []


def test_a_series_that_was_silent_all_week_is_told() -> None:
    found = week(series("ghost", None, None), series("db1", *[45.0] * WEEK_LONG, step=QUARTER))
    assert found == ["warning 0 target: ghost had no datapoint in the last week"]


@pytest.mark.parametrize("judged", [Judged.SUM, Judged.COUNT, Judged.CHANGE, Judged.AGE])
def test_what_a_window_is_folded_into_may_be_unlike_its_datapoints(judged: Judged) -> None:
    assert week(series("db1", *[0.1] * WEEK_LONG, step=QUARTER), judged=judged) == []


def test_a_range_has_no_side_to_come_near_from() -> None:
    inside = Threshold(operator=Operator.OUTSIDE, bound=0, upper=1e9)
    rule = replace(entry(warning=None), critical=inside)
    given = {livechecks.looking_back(rule).query: rawdata.holding([series("db1", *[5.0] * WEEK_LONG, step=QUARTER)])}
    assert list(livechecks.of_week(alert(rule), given, NOON)) == []


def test_a_week_that_graphite_does_not_give_is_told() -> None:
    rule = entry()
    late = {livechecks.looking_back(rule).query: FetchError("a.b", "no answer within 60 s")}
    (finding,) = livechecks.of_week(alert(rule), late, NOON)
    assert "the last week could not be read" in finding.message
