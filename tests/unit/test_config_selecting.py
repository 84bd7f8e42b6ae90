"""Which series are an entry's own, how many there should be, and when and up to when they are looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from graphitepager.rules import Expected, Level, Query
from graphitepager.selection import names
from tests.unit.config_support import alert_with, alerts_of, complaint_about, entry_of, file_with, headlines

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_include_and_exclude_take_names_globs_and_regular_expressions() -> None:
    entry = entry_of("include: [web*, '/^api/'], exclude: web1")
    assert (entry.include, entry.exclude) == (names(["web*", "/^api/"]), names(["web1"]))
    assert entry_of("include: web*").include == names(["web*"])
    assert entry_of("include: ").include is None
    assert [entry.takes(name) for name in ("web2", "api-1", "db1")] == [True, True, False]


def test_a_bad_regular_expression_is_shown_where_it_is() -> None:
    [headline] = headlines(file_with(alert_with("include: [web*, '/[/']")))
    complaint = "alert 'a', include: the regular expression is no good at character 1: unterminated character set"
    assert headline == f"alerts.yml:3:69: {complaint}"


@pytest.mark.parametrize(
    ("keys", "least", "most", "level"),
    [
        ("min: 3", 3, None, Level.CRITICAL),
        ("max: 10", None, 10, Level.CRITICAL),
        ("min: 3, max: 3, level: warning", 3, 3, Level.WARNING),
    ],
)
def test_a_number_of_series_may_be_expected(keys: str, least: int | None, most: int | None, level: Level) -> None:
    expected = Expected(least=least, most=most, level=level)
    assert entry_of(f"expect_series: {{{keys}}}").expect_series == expected


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ("expect_series: {}", "expect_series: expected min, max or both (write expect_series: {min: 3})"),
        ("expect_series: 3", "expect_series: expected keys and values, got a text (write key: value)"),
        ("expect_series: {min: 5, max: 3}", "expect_series: no number is at least 5 and at most 3"),
        ("expect_series: {min: x}", "expect_series.min: expected a whole number from 0 to 1000000, got 'x'"),
        ("expect_series: {min: 1, level: bad}", "expect_series.level: expected warning or critical, got 'bad'"),
        ("delay: 5x", "delay: expected a duration such as 90s, 5min or 1h30min, got '5x'"),
        ("interval: 0", "interval: expected a duration of more than 0, got '0'"),
        (
            "delay: 60s, from: noon",
            "delay: from is an absolute time, which cannot be shifted: expected an offset such as -10min",
        ),
        (
            "delay: 60s, until: midnight",
            "delay: until is an absolute time, which cannot be shifted: expected an offset such as -10min",
        ),
    ],
)
def test_what_cannot_be_says_why(keys: str, complaint: str) -> None:
    assert complaint_about(keys) == complaint


def test_a_mistyped_key_of_expect_series_gets_a_guess() -> None:
    found = headlines(file_with(alert_with("expect_series: {mix: 5, min: 3}")))
    assert found == ["alerts.yml:3:69: warning: unknown key 'mix' (did you mean min?)"]


@pytest.mark.parametrize(
    ("keys", "from_", "until"),
    [
        ("delay: 60s", "-120s", "-60s"),
        ("delay: 0, from: -5min", "-5min", None),
        ("delay: 90s, from: -10min, until: -5min", "-690s", "-390s"),
        ("delay: 90s, from: -5min, until: -10min", "-690s", "-390s"),
        ("delay: 60s, from: -1min, for: 10min", "-720s", "-60s"),
        ("delay: 60s, from: -1h, for: 10min", "-3660s", "-60s"),
        ("delay: 60s, from: -10min, value: average, for: 1h", "-660s", "-60s"),
        ("delay: 2min, from: now, until: +1h", "-120s", "+3480s"),
    ],
)
def test_a_delay_shifts_the_window_and_keeps_its_length(keys: str, from_: str, until: str) -> None:
    assert entry_of(keys).query == Query("t", from_, until)


@pytest.mark.parametrize(
    ("keys", "length"),
    [
        ("delay: 60s", 4 * MINUTE),
        ("delay: 60s, from: -10min", 11 * MINUTE),
        ("delay: 60s, no_data_for: 1min", MINUTE),
        ("interval: 1min", 3 * MINUTE),
        ("interval: 5min", 6 * MINUTE),
        ("interval: 5min, delay: 60s", 7 * MINUTE),
        ("interval: 5min, from: -1h", HOUR),
        ("interval: 5min, no_data_for: 1min", MINUTE),
    ],
)
def test_data_is_missed_no_sooner_than_it_can_have_been_seen(keys: str, length: timedelta) -> None:
    assert entry_of(keys).no_data_for == length


def test_the_interval_is_what_any_of_the_entries_says() -> None:
    items = [alert_with("from: -1min"), alert_with("interval: 5min"), alert_with("from: -1min", name="b")]
    first, second = alerts_of(file_with(*items))
    assert (first.interval, second.interval) == (5 * MINUTE, timedelta(0))
    assert [entry.no_data_for for entry in first.entries] == [6 * MINUTE] * 2


def test_two_intervals_of_one_alert_are_an_error_at_the_second() -> None:
    text = file_with(alert_with("interval: 5min"), alert_with("interval: 6min"))
    hint = "(an alert has one interval: keep one of them)"
    assert headlines(text) == [f"alerts.yml:4:63: alert 'a', interval: line 3 says 5min for the same alert {hint}"]
