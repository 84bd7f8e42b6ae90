"""Rows become lines that Carbon files where they belong; what it would lose is refused, counted and named."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from graphitepager.sql.model import NullPolicy
from graphitepager.sql.plans import WrongColumnsError
from tests.unit.sql_support import NOW, refused, rendered, sent


def test_a_row_is_a_name_and_a_value() -> None:
    assert sent(("orders.open", 3)) == [f"db.orders.open 3 {NOW}"]


def test_an_empty_prefix_leaves_the_name_alone() -> None:
    assert sent(("orders", 3), prefix="") == [f"orders 3 {NOW}"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (10**15 + 1, "1000000000000001.0"),
        (2.5, "2.5"),
        (1e300, "1e+300"),
        (Decimal("12.50"), "12.5"),
        (Decimal("1E-400"), "0.0"),
        (True, "1"),
        (False, "0"),
        (timedelta(hours=1, milliseconds=500), "3600.5"),
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "1700000000.0"),
        (datetime(2023, 11, 15, 0, 13, 20, tzinfo=timezone(timedelta(hours=2))), "1700000000.0"),
        ("42", "42.0"),
        (" 1.5e3 ", "1500.0"),
    ],
)
def test_every_kind_of_number_becomes_one(value: Any, text: str) -> None:
    assert sent(("n", value)) == [f"db.n {float(text) if '.' in text else text} {NOW}"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (math.nan, "is not finite"),
        (math.inf, "is not finite"),
        (-math.inf, "is not finite"),
        (10**400, "is not finite: a number of 1329 bits"),
        ("1e400", "is not finite"),
        (Decimal("1e400"), "is not finite"),
        (Decimal("NaN"), "is not finite"),
        (Decimal("sNaN"), "is not finite"),
        ("1,5", "is no number: '1,5'"),
        ("nan", "is no number"),
        ("1_000", "is no number"),
        ("\u0663", "is no number"),
        ("", "is no number"),
        ("9" * 5000, "is no number"),
        (datetime(2026, 1, 1), "is a time without a zone: 2026-01-01 00:00:00"),  # noqa: DTZ001 - the very case
        (date(2026, 1, 1), "is a date: 2026-01-01"),
        (time(12), "is a time: 12:00:00"),
        (b"\x01", "is of a kind that has no number: bytes"),
        ([1], "is of a kind that has no number: list"),
        (1j, "is of a kind that has no number: complex"),
    ],
)
def test_what_is_no_finite_number_is_refused_by_name(value: Any, reason: str) -> None:
    assert refused("orders", value).startswith("row 1, orders: the value ")
    assert reason in refused("orders", value)


@pytest.mark.parametrize(
    "name",
    [
        "in progress", "tab\tbed", "wide\u00a0space", "c/slash", "back\\slash", "a..b", ".a", "a.", ".", "",
        "new\nline",
        "db.x 1 1700000000\nforged", "nul\0", "a" * 300, ".".join(["a"] * 2000), "\ud800", "x;host", "x;h=", "x;=v",
        "x;name=y", "x;a=~b", "x;a=1;a=2", "x;a=b c", "a*b", "a{b}", "a[b]", "f(x)", "a,b", "a'b", 'a"b', "a?b", "x;",
        "\x1b[31mred", "caf\u00e9", "e\u0301.x", "\u65e5\u672c",
    ],
)  # fmt: skip
def test_a_name_that_carbon_would_misplace_is_refused(name: str) -> None:
    assert refused(name, 1).startswith("row 1: the name ")


def test_a_refusal_is_one_line_that_a_terminal_can_show() -> None:
    assert refused("a\nb\x1b[31m", 1) == "row 1: the name 'a\\nb\\x1b[31m' holds U+000A"


@pytest.mark.parametrize("name", ["sql_to_graphite.finished", "sql_to_graphite.orders.ok", "sql_to_graphite.a;b=c"])
def test_no_row_says_anything_of_the_run_itself(name: str) -> None:
    path = name.partition(";")[0]
    assert refused(name, 1) == f"row 1: the name '{path}' is one of those that tell of a run"
    _, tally = rendered(("status", "n"), ("finished", 1), metric="sql_to_graphite.{status}")
    assert tally.named == ["row 1: the name 'sql_to_graphite.finished' is one of those that tell of a run"]


@pytest.mark.parametrize("name", ["sql_to_graphite", "my.sql_to_graphite.ok", "sql_to_graphite_x.ok"])
def test_a_name_that_only_looks_like_one_of_the_run_is_sent(name: str) -> None:
    assert sent((name, 1)) == [f"db.{name} 1 {NOW}"]


@pytest.mark.parametrize("name", [None, True, 7.5, b"orders", date(2026, 1, 1)])
def test_a_name_must_be_a_text_or_a_whole_number(name: Any) -> None:
    assert refused(name, 1).startswith("row 1: the name is no text")


def test_a_number_is_a_name_such_as_a_users() -> None:
    assert sent((7, 1)) == [f"db.7 1 {NOW}"]


@pytest.mark.parametrize("name", ["Orders-2.x_y", "cpu:0", "50%", "a" * 250, "x=y", "~x"])
def test_other_names_stay_as_they_are(name: str) -> None:
    assert sent((name, 1)) == [f"db.{name} 1 {NOW}"]


def test_tags_come_in_carbons_order() -> None:
    assert sent(("x;b=2;a=1", 1)) == [f"db.x;a=1;b=2 1 {NOW}"]


class TestTimes:
    """One integer for the run, or a column's."""

    @pytest.mark.parametrize(
        ("at", "seconds"),
        [
            (NOW - 3600, NOW - 3600),
            (NOW - 0.5, NOW - 1),
            (str(NOW - 60), NOW - 60),
            (datetime.fromtimestamp(NOW - 86_400, UTC), NOW - 86_400),
            (NOW + 59, NOW + 59),
        ],
    )
    def test_a_third_column_is_the_time(self, at: Any, seconds: int) -> None:
        assert sent(("n", 1, at)) == [f"db.n 1 {seconds}"]

    @pytest.mark.parametrize(
        ("at", "reason"),
        [
            (0, "is older than max_age"),
            (-1, "is older than max_age"),
            (NOW - 366 * 86_400, "is older than max_age"),
            (NOW * 1000, "are these milliseconds?"),
            (NOW + 86_400, "lies 86400 s in the future"),
            (math.nan, "is not finite"),
            (math.inf, "is not finite"),
            (None, "is NULL"),
            ("soon", "is no number"),
            (datetime(2023, 11, 14), "is a time without a zone"),  # noqa: DTZ001 - the very case
        ],
    )
    def test_a_time_at_which_the_point_would_be_lost_is_refused(self, at: Any, reason: str) -> None:
        assert refused("n", 1, at).startswith("row 1: the timestamp ")
        assert reason in refused("n", 1, at)

    def test_max_age_is_what_the_query_says(self) -> None:
        assert "max_age" in refused("n", 1, NOW - 7200, max_age_s=3600)

    def test_a_time_of_its_own_does_not_stay_for_the_next_row(self) -> None:
        lines = sent(("a", 1, NOW - 60), ("b", 2, NOW), ("c", 3, NOW - 30))
        assert lines == [f"db.a 1 {NOW - 60}", f"db.b 2 {NOW}", f"db.c 3 {NOW - 30}"]


class TestNull:
    """A NULL breaks nothing."""

    def test_it_is_left_out_and_counted(self) -> None:
        lines, tally = rendered(("a", "b"), ("x", None), ("y", 2))
        assert lines == [f"db.y 2 {NOW}"]
        assert (tally.rows, tally.nulls, tally.rejected, tally.good_rows) == (2, 1, 0, 1)

    def test_it_is_zero_where_that_is_asked_for(self) -> None:
        assert sent(("x", None), null=NullPolicy.ZERO) == [f"db.x 0 {NOW}"]

    def test_it_is_refused_where_that_is_asked_for(self) -> None:
        assert refused("x", None, null=NullPolicy.ERROR) == "row 1, x: the value is NULL"


class TestMetric:
    """Names made of columns."""

    @pytest.mark.parametrize(
        ("status", "node"),
        [
            ("in progress", "in_progress"),
            ("a.b/c", "a_b_c"),
            ("new\nline 1 2", "new_line_1_2"),
            (None, "null"),
            ("", "empty"),
            (7, "7"),
            (1.5, "1_5"),
            (date(2026, 1, 2), "2026-01-02"),
            ("caf\u00e9", "cafe"),
            ("cafe\u0301", "cafe"),
            ("\u65e5\u672c", "_"),
            ("{}*;=", "_"),
            ("\ud800", "_"),
        ],
    )
    def test_a_value_becomes_one_clean_node(self, status: Any, node: str) -> None:
        lines, _ = rendered(("status", "n"), (status, 5), metric="orders.{status}.open")
        assert lines == [f"db.orders.{node}.open 5 {NOW}"]

    def test_binary_data_is_no_node(self) -> None:
        _, tally = rendered(("status", "n"), (b"\xff", 5), metric="orders.{status}")
        assert tally.named == ["row 1: a part of the name is binary data"]

    def test_a_node_that_is_too_long_is_refused(self) -> None:
        _, tally = rendered(("status", "n"), ("x" * 300, 5), metric="orders.{status}")
        assert "a node of more than 250 bytes" in tally.named[0]

    def test_a_wide_row_gives_a_line_for_each_value(self) -> None:
        lines, tally = rendered(
            ("status", "n", "total"), ("open", 5, None), metric="orders.{status}", values=("n", "total"),
            null=NullPolicy.ZERO,
        )  # fmt: skip
        assert lines == [f"db.orders.open.n 5 {NOW}", f"db.orders.open.total 0 {NOW}"]
        assert (tally.rows, tally.good_rows) == (1, 1)

    def test_wide_rows_give_their_lines_in_their_order(self) -> None:
        lines, _ = rendered(
            ("status", "n", "total", "at"), ("open", 5, 2.5, NOW - 60), ("paid", 6, 3.5, NOW),
            metric="orders.{status}", values=("n", "total"), timestamp="at",
        )  # fmt: skip
        assert lines == [
            f"db.orders.open.n 5 {NOW - 60}", f"db.orders.open.total 2.5 {NOW - 60}",
            f"db.orders.paid.n 6 {NOW}", f"db.orders.paid.total 3.5 {NOW}",
        ]  # fmt: skip

    def test_a_part_of_a_node_may_be_empty(self) -> None:
        lines, _ = rendered(("status", "n"), ("", 5), ("x", 6), metric="orders.is-{status}-ed")
        assert lines == [f"db.orders.is-empty-ed 5 {NOW}", f"db.orders.is-x-ed 6 {NOW}"]

    def test_one_bad_value_does_not_lose_the_others_of_its_row(self) -> None:
        lines, tally = rendered(("n", "total"), ("many", 7), values=("n", "total"))
        assert lines == [f"db.q.total 7 {NOW}"]
        assert tally.named == ["row 1, q.n: the value is no number: 'many'"]

    def test_tags_stand_behind_the_last_node(self) -> None:
        lines, _ = rendered(
            ("shop", "n", "total"), ("a b", 5, 6), metric="orders", values=("n", "total"),
            tags={"shop": "{shop}", "env": "live"},
        )  # fmt: skip
        assert lines == [f"db.orders.n;env=live;shop=a_b 5 {NOW}", f"db.orders.total;env=live;shop=a_b 6 {NOW}"]

    def test_a_timestamp_column_is_neither_name_nor_value(self) -> None:
        lines, _ = rendered(("day", "n"), (NOW - 60, 5), metric="orders", timestamp="day")
        assert lines == [f"db.orders 5 {NOW - 60}"]

    def test_a_single_column_goes_under_the_querys_name(self) -> None:
        assert rendered(("count",), (7,))[0] == [f"db.q 7 {NOW}"]

    def test_the_case_of_a_column_counts_only_where_it_must(self) -> None:
        assert rendered(("STATUS", "N"), ("x", 1), metric="{status}", value="n")[0] == [f"db.x 1 {NOW}"]
        assert rendered(("n", "N"), (1, 2), metric="x", value="N")[0] == [f"db.x 2 {NOW}"]


class TestColumns:
    """A query that does not have the columns it needs says which it has."""

    @pytest.mark.parametrize(
        ("columns", "fields", "reason"),
        [
            (("a", "b", "c", "d"), {}, "expected the columns name and value, got a, b, c, d"),
            (("a",), {"metric": "x.{status}"}, "no column is called 'status', the columns are a"),
            (("a", "a"), {"metric": "x", "value": "a"}, "more than one column is called 'a'"),
            (("s", "n", "m"), {"metric": "x.{s}"}, "which column is the value? Left are n, m"),
            (("s",), {"metric": "x.{s}"}, "which column is the value? Left are none"),
            (("s", "n", "m"), {"value": "n"}, "which column is the name? Left are s, m"),
            (("s", "n"), {"timestamp": "day"}, "no column is called 'day'"),
            (("s",), {"ignores_further_columns": True}, "expected the columns name and value, got s"),
        ],
    )
    def test_it_says_what_is_missing(self, columns: tuple[str, ...], fields: dict[str, Any], reason: str) -> None:
        with pytest.raises(WrongColumnsError) as error:
            rendered(columns, **fields)
        assert str(error.value).startswith(reason)

    def test_the_original_ignores_further_columns(self) -> None:
        lines, _ = rendered(("a", "b", "c"), ("x", 1, "whatever"), ignores_further_columns=True)
        assert lines == [f"db.x 1 {NOW}"]


def test_only_the_first_refusals_are_named_and_all_are_counted() -> None:
    _, tally = rendered(("a", "b"), *[("x", "no")] * 1000)
    assert tally.rejected == 1000
    assert len(tally.named) == 5
