"""Lengths of time as people and as Graphite write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.durations import format_duration, parse_offset


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "0.2s"),
        (1.5, "1.5s"),
        (59.99, "59.9s"),
        (60, "1min"),
        (180, "3min"),
        (185, "3min5s"),
        (5400, "1h30min"),
        (3605, "1h"),
        (2 * 86400 + 4 * 3600 + 59, "2d4h"),
        (9 * 86400, "1w2d"),
        (-90, "-1min30s"),
    ],
)
def test_a_duration_reads_as_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("-1min", timedelta(minutes=-1)),
        ("-10minutes", timedelta(minutes=-10)),
        ("-30s", timedelta(seconds=-30)),
        ("-2h", timedelta(hours=-2)),
        ("-1d2h", timedelta(days=-1, hours=-2)),
        ("-1w", timedelta(weeks=-1)),
        ("-1mon", timedelta(days=-30)),
        ("-1Y", timedelta(days=-365)),
        ("- 5 min", timedelta(minutes=-5)),
        ("+1h", timedelta(hours=1)),
        ("now", timedelta(0)),
        ("now-5min", timedelta(minutes=-5)),
    ],
)
def test_a_relative_offset_is_read_as_graphite_reads_it(text: str, offset: timedelta) -> None:
    assert parse_offset(text) == offset


@pytest.mark.parametrize(
    "text",
    ["1700000000", "20240131", "noon_yesterday", "midnight", "6am", "12:30_20240131", "04/30/24", "jan1", "monday"],
)
def test_an_absolute_time_is_left_to_graphite(text: str) -> None:
    assert parse_offset(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-1m", "write -1min for minutes or -1mon for months"),
        ("now+15m", "write +15min for minutes"),
        ("-1d5m", "write -5min for minutes"),
        ("-3x", "Graphite has no unit 'x'"),
        ("-60", "write -60s for seconds"),
        ("-", "after the sign come numbers"),
        ("-min", "after the sign come numbers"),
        ("-1h-2min", "after the sign come numbers"),
        ("10min", "write -10min"),
        ("-999999999999y", "longer than Graphite can look back"),
        ("-" + "9" * 5000 + "s", "longer than Graphite can look back"),
    ],
)
def test_an_offset_that_graphite_would_refuse_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(ValueError, match="Graphite") as refused:
        parse_offset(text)
    assert says in str(refused.value)


@given(st.text() | st.from_regex(r"\A(now)?[-+]([0-9]{1,3}[a-z]{0,4}){0,3}\Z"))
def test_any_other_text_is_an_offset_or_left_to_graphite_or_refused(text: str) -> None:
    try:
        offset = parse_offset(text)
    except ValueError:
        return
    assert offset is None or isinstance(offset, timedelta)
