"""What an alert watches: a target, a ratio, a comparison; and what of these contradicts the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager.config import load
from graphitepager.rules import Compare, ComparedAs, Query, Ratio
from tests.unit.config_support import ENVIRON, alerts_of, complaint_about, entry_of, file_with, headlines

if TYPE_CHECKING:
    from graphitepager.rules import Entry

WEEK = timedelta(weeks=1)


def item(keys: str) -> str:
    return f"  - {{name: a, warning: 1, critical: 2, {keys}}}\n"


def entry_with(keys: str) -> Entry:
    [alert] = alerts_of(file_with(item(keys)))
    [entry] = alert.entries
    return entry


def complaint(keys: str) -> str:
    [headline] = headlines(file_with(item(keys)))
    return headline.partition(": ")[2]


def test_a_ratio_asks_for_two_targets_over_one_window() -> None:
    entry = entry_with("ratio: {of: x, to: y}, from: -10min, until: -1min")
    assert entry.query == Query("x", "-10min", "-1min")
    assert entry.ratio == Ratio(to=Query("y", "-10min", "-1min"), by=None, scale=1, is_rate=False)
    assert entry.queries == (entry.query, entry.ratio.to)
    assert entry.source == "x / y"


@pytest.mark.parametrize(
    ("by", "nodes"), [("1", (1,)), ("[1, -2]", (1, -2)), ("host", ("host",)), ("[0, host]", (0, "host"))]
)
def test_a_ratio_is_joined_by_nodes_and_tags(by: str, nodes: tuple[int | str, ...]) -> None:
    entry = entry_with(f"ratio: {{of: x, to: y, by: {by}, scale: 100, rate: yes}}")
    assert entry.ratio is not None
    assert (entry.ratio.by, entry.ratio.scale, entry.ratio.is_rate) == (nodes, 100, True)
    assert entry.source == f"x / y by {','.join(map(str, nodes))}"


@pytest.mark.parametrize(
    ("keys", "from_", "until"),
    [
        ("from: -1min", "-300s", None),
        ("from: -5min", "-5min", None),
        ("from: -10min", "-10min", None),
        ("from: -3min, until: -2min", "-420s", "-2min"),
        ("from: -2min, until: -3min", "-420s", "-2min"),
        ("from: midnight", "midnight", None),
        ("from: -1min, for: 10min", "-900s", None),
        ("from: -1min, for: 10min, value: max", "-300s", None),
    ],
)
def test_the_window_of_a_rate_is_never_shorter_than_five_minutes(keys: str, from_: str, until: str | None) -> None:
    entry = entry_with(f"ratio: {{of: x, to: y, rate: yes}}, {keys}")
    assert entry.query == Query("x", from_, until)
    assert entry.ratio is not None
    assert entry.ratio.to == Query("y", from_, until)


def test_data_of_a_rate_is_missing_no_sooner_than_its_window_is_empty() -> None:
    assert entry_with("ratio: {of: x, to: y, rate: yes}").no_data_for == timedelta(minutes=5)
    assert entry_with("ratio: {of: x, to: y}").no_data_for == timedelta(minutes=3)


@pytest.mark.parametrize(
    ("keys", "from_", "until"),
    [
        ("compare: {with: 1week}", "-608460s", "-604800s"),
        ("compare: {with: 1d}, from: -10min, until: -5min", "-90600s", "-86700s"),
        ("compare: {with: 1d}, from: -5min, until: -10min", "-90600s", "-86700s"),
        ("compare: {with: 30min}, from: -2min, for: 20min", "-6720s", "-1800s"),
    ],
)
def test_a_comparison_asks_for_the_same_window_earlier_and_for_the_hour_before_it(
    keys: str, from_: str, until: str
) -> None:
    entry = entry_of(keys)
    assert entry.compare is not None
    assert entry.queries == (entry.query, Query("t", from_, until))
    assert entry.source == "t"


def test_a_comparison_says_how_and_since_when() -> None:
    earlier = (Query("t", "-608460s", "-604800s"),)
    assert entry_of("compare: {with: 1w}").compare == Compare(queries=earlier, ago=WEEK)
    entry = entry_of("compare: {with: 7 days, as: difference}")
    assert entry.compare == Compare(queries=earlier, ago=WEEK, compared_as=ComparedAs.DIFFERENCE)


def test_a_ratio_can_be_compared() -> None:
    entry = entry_with("ratio: {of: x, to: y, rate: yes}, compare: {with: 1h}")
    assert entry.queries == (
        Query("x", "-300s", None),
        Query("y", "-300s", None),
        Query("x", "-7500s", "-3600s"),
        Query("y", "-7500s", "-3600s"),
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "",
            "alert 'a': target is missing (write target: and an expression of Graphite's, or ratio: and two of them)",
        ),
        (
            "target: , ratio: ",
            "alert 'a': target has no value (write target: and an expression of Graphite's, or ratio: and two of them)",
        ),
        (
            "target: t, ratio: {of: x, to: y}",
            (
                "alert 'a', ratio: an alert watches a target or a ratio, and this one has both "
                "(delete one of them: what is divided stands in ratio, as of)"
            ),
        ),
        ("ratio: {of: x}", "alert 'a', ratio: to is missing (a ratio needs of and to)"),
        (
            "ratio: {of: x, to: x}",
            "alert 'a', ratio.to: this is the target that is divided, so every ratio would be the same",
        ),
        ("ratio: {of: x, to: y, by: []}", "alert 'a', ratio.by: expected at least one, got an empty list"),
        (
            "ratio: {of: x, to: y, by: [1, 'a b']}",
            "alert 'a', ratio.by: expected the number of a node, such as 1 or -2, or the name of a tag, got 'a b'",
        ),
        (
            "ratio: {of: x, to: y, scale: 0}",
            "alert 'a', ratio.scale: expected a number other than 0, with which every ratio would be 0",
        ),
        ("ratio: {of: x, to: y, rates: yes}", "warning: unknown key 'rates' (did you mean rate?)"),
    ],
)
def test_what_is_wrong_with_a_ratio_is_told_with_its_place(keys: str, message: str) -> None:
    assert complaint(keys) == message


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("compare: {as: ratio}", "compare: with is missing (compare needs with, such as with: 1week)"),
        ("compare: 1week", "compare: expected keys and values, got a text (write key: value)"),
        ("compare: {with: 0}", "compare.with: expected a duration of more than 0, got '0'"),
        (
            "compare: {with: 1d, as: precent}",
            "compare.as: expected percent, ratio or difference, got 'precent' (did you mean percent?)",
        ),
        (
            "compare: {with: 1d}, from: midnight",
            (
                "compare: from and until are to be offsets from now: only those can be moved into the past "
                "(write from: -10min)"
            ),
        ),
        (
            "compare: {with: 1d}, from: -1d, value: age",
            "compare: value: age tells how old the data is, and that is the same whatever it was",
        ),
    ],
)
def test_what_is_wrong_with_a_comparison_is_told_with_its_place(keys: str, message: str) -> None:
    assert complaint_about(keys).removeprefix("alert 'a', ") == message


def test_a_target_that_is_missing_hides_no_other_mistake() -> None:
    found = [headline.partition(": ")[2] for headline in headlines("alerts: [{name: a, warning: x, critical: 1}]")]
    assert [one.partition(" (")[0] for one in found] == [
        "alert 'a': target is missing",
        "alert 'a', warning: expected a number, got 'x'",
    ]


def test_both_at_once_point_to_the_ratio() -> None:
    text = "alerts:\n- name: a\n  target: t\n  ratio: {of: x, to: y}\n  warning: 1\n  critical: 2\n"
    [problem] = load(text, ENVIRON, source="alerts.yml").problems
    assert (problem.line, problem.column, problem.is_error) == (4, 3, True)
