"""Lengths of time as people and as Graphite write them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphitepager.durations import DURATION_PATTERN, format_duration, parse_duration, parse_offset


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
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5min", 300),
        ("5m", 300),
        ("5 minutes", 300),
        ("1h30min", 5400),
        (" 1 hour 30 mins ", 5400),
        ("2 hrs", 7200),
        ("2d", 2 * 86400),
        ("1 day 12 hours", 36 * 3600),
        ("1w", 7 * 86400),
        ("2weeks", 14 * 86400),
        ("30 sec", 30),
        ("1 second", 1),
        ("300", 300),
        ("0", 0),
        ("0s", 0),
        ("007", 7),
        ("3650d", 3650 * 86400),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "5x", "-5min", "+5min", "min", "1.5h", "1h30", "1mon", "1y", "5M", "1h,2min", "5 5", "\u0665min"]
)
def test_what_is_no_duration_is_told_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as") as refused:
        parse_duration(text)
    assert str(refused.value) == f"expected a duration such as 90s, 5min or 1h30min, got {text!r}"


@pytest.mark.parametrize("text", ["3651d", "9" * 5000, "1s" + "9" * 30 + "w", "315360001"])
def test_a_duration_has_a_bound(text: str) -> None:
    with pytest.raises(ValueError, match="at most ten years"):
        parse_duration(text)


@given(st.text() | st.from_regex(rf"\A{DURATION_PATTERN}\Z") | st.from_regex(r"\A([0-9]{1,3} ?[a-z]{0,7} ?){0,3}\Z"))
def test_any_other_text_is_a_duration_or_refused(text: str) -> None:
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert timedelta(0) <= duration <= timedelta(days=3650)
    assert re.fullmatch(DURATION_PATTERN, text.strip())


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
