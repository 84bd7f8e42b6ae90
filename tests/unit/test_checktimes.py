"""When an alert is checked again, and for how long nobody saw its data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from graphitepager.checktimes import Check, is_due, unobserved
from tests.examples import MINUTE, NOON, alert, entry

SECOND = timedelta(seconds=1)
FIVE = alert(entry(), interval=5 * MINUTE)


@pytest.mark.parametrize(
    ("elapsed", "due"),
    [
        (MINUTE, False),
        (4 * MINUTE, False),
        (4.6 * MINUTE, True),  # the next heartbeat would come too late
        (5 * MINUTE - SECOND, True),
        (60 * MINUTE, True),
        (-SECOND, True),  # the clock has been set back
    ],
)
def test_an_alert_is_due_once_its_interval_is_over(elapsed: timedelta, due: bool) -> None:
    assert is_due(FIVE, Check(NOON, FIVE, {}), MINUTE, NOON + elapsed) is due


def test_the_first_check_and_that_after_an_edit_come_at_once() -> None:
    assert is_due(FIVE, None, MINUTE, NOON)
    assert is_due(FIVE, Check(NOON, replace(FIVE, storm_limit=3), {}), MINUTE, NOON + MINUTE)


def test_without_an_interval_every_heartbeat_is_a_check() -> None:
    one = alert()
    assert is_due(one, Check(NOON, one, {}), MINUTE, NOON + SECOND)


@pytest.mark.parametrize(
    ("interval", "gap", "missed"),
    [
        (timedelta(0), 2 * MINUTE, timedelta(0)),
        (timedelta(0), 3 * MINUTE, 2 * MINUTE),
        (5 * MINUTE, 5 * MINUTE, timedelta(0)),
        (5 * MINUTE, 6 * MINUTE, timedelta(0)),
        (5 * MINUTE, 15 * MINUTE, 10 * MINUTE),
    ],
)
def test_the_interval_itself_is_no_time_in_which_nobody_looked(
    interval: timedelta, gap: timedelta, missed: timedelta
) -> None:
    assert unobserved(alert(interval=interval), NOON - gap, MINUTE, NOON) == missed
    assert unobserved(alert(interval=interval), None, MINUTE, NOON) == timedelta(0)
