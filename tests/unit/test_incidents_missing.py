"""The life of one series without data: missing, allowed to be missing, and gone for so long that it is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from graphitepager import incidents
from graphitepager.rules import Level, NoDataPolicy
from tests.examples import MINUTE, NOON, entry
from tests.polls import BAD, FINE, OneSeries

if TYPE_CHECKING:
    from datetime import datetime

OK, WARNING, CRITICAL, NO_DATA = Level.OK, Level.WARNING, Level.CRITICAL, Level.NO_DATA
TRIGGERED, RESOLVED = "trigger critical", "resolve critical"
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


def db1(**keys: Any) -> OneSeries:
    return OneSeries(entry(**{"repeat_interval": None} | keys))


def since(series: OneSeries) -> datetime:
    incident = series.state().incident
    assert incident is not None
    return incident.since


class TestMissingData:
    """The no-data track: the level is kept, and an incident of its own opens."""

    def test_missing_data_neither_resolves_nor_repeats(self) -> None:
        series = db1()
        assert series.see_each(BAD, None, None) == [[TRIGGERED], [], []]
        assert series.level() == "critical"

    def test_it_is_told_after_no_data_for_and_once(self) -> None:
        series = db1()
        series.see(FINE)
        assert series.see_each(*[None] * 5) == [[], [], ["trigger no_data"], [], []]

    def test_it_counts_from_the_last_datapoint_so_that_a_restart_costs_nothing(self) -> None:
        series = db1()
        assert series.see(*[None] * 5) == ["trigger no_data"]
        assert series.events[0].since == NOON - 5 * MINUTE

    def test_data_that_returns_in_time_is_no_event(self) -> None:
        series = db1()
        assert series.see_each(None, None, FINE) == [[], [], []]
        assert series.memory.states == {}

    def test_returning_data_ends_it_and_the_level_goes_on(self) -> None:
        series = db1()
        series.see_each(BAD, *[None] * 4)
        assert series.see(BAD) == ["resolve no_data"]
        assert since(series) == NOON

    def test_returning_good_data_ends_both(self) -> None:
        series = db1()
        series.see_each(BAD, *[None] * 4)
        assert series.see(FINE) == ["resolve no_data", RESOLVED]

    def test_a_clock_that_is_set_back_does_not_hold_it_up(self) -> None:
        series = db1()
        series.see_each(FINE, None)
        series.now -= HOUR
        assert series.see_each(*[None] * 4)[-1] == []
        assert series.state().no_data is not None

    def test_keep_raises_nothing_and_ends_nothing(self) -> None:
        series = db1(no_data=NoDataPolicy.KEEP)
        assert series.see_each(BAD, *[None] * 10) == [[TRIGGERED], *[[]] * 10]
        assert series.level() == "critical"


class TestNoDataAllowed:
    """`allow_no_data: true`, or `no_data: ok`."""

    def test_it_is_never_told(self) -> None:
        assert db1(no_data=NoDataPolicy.OK).see_each(*[None] * 10) == [[]] * 10

    def test_it_ends_what_fires_after_no_data_for_with_that_reason(self) -> None:
        series = db1(no_data=NoDataPolicy.OK)
        assert series.see_each(BAD, None, None, None) == [[TRIGGERED], [], [], [RESOLVED]]
        assert series.events[0].reason == incidents.NO_DATA_IS_FINE

    def test_allowing_it_while_it_is_open_ends_it(self) -> None:
        series = db1()
        series.see_each(*[None] * 5)
        series.alert = db1(no_data=NoDataPolicy.OK).alert
        assert series.see(None) == ["resolve no_data"]


class TestForgotten:
    """What has had no data for a day is taken for retired."""

    def test_everything_open_is_ended_as_vanished(self) -> None:
        series = db1()
        series.see_each(BAD, *[None] * 4)
        series.now += DAY
        assert series.see(None) == [RESOLVED, "resolve no_data"]
        assert {event.reason for event in series.events} == {"vanished: nothing has come for 1d"}

    def test_a_dead_hosts_file_that_still_answers_is_not_raised_again(self) -> None:
        series = db1()
        series.see_each(*[None] * 5)
        series.now += DAY
        series.see(None)
        assert series.see_each(*[None] * 10) == [[]] * 10

    def test_it_comes_back_as_if_it_were_new(self) -> None:
        series = db1()
        series.see_each(BAD, *[None] * 4)
        series.now += DAY
        series.see(None)
        assert series.see(BAD) == [TRIGGERED]

    def test_nothing_is_forgotten_before_it_was_missed_however_long_that_takes(self) -> None:
        series = db1(no_data_for=DAY)
        assert series.see(None, wait=DAY) == []
        assert series.see(None, wait=DAY) == ["trigger no_data"]
        assert series.see(None) == ["resolve no_data"]

    def test_forget_after_says_how_long(self) -> None:
        series = db1(forget_after=HOUR)
        series.see(None, None, None, None, wait=HOUR)
        assert series.see(None) == ["resolve no_data"]
