"""The life of one series with data, by docs/lifecycle.md: from windows of datapoints to what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from graphitepager import incidents
from graphitepager.incidents import dedup_key
from graphitepager.model import EventKind, SeriesKey
from graphitepager.rules import Judged, Level
from tests.examples import KEY, MINUTE, NOON, entry
from tests.polls import BAD, FINE, UNEASY, OneSeries

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


def patient(time: timedelta, **keys: Any) -> OneSeries:
    """db1 with the same `for` at both levels."""
    return db1(for_warning=time, for_critical=time, **keys)


class TestAtOnce:
    """With the four old keys alone an alert fires and ends at once."""

    @pytest.mark.parametrize(("value", "level"), [(UNEASY, "warning"), (BAD, "critical")])
    def test_a_breach_is_told_at_once_and_only_once(self, value: float, level: str) -> None:
        series = db1()
        assert series.see_each(value, value, value) == [[f"trigger {level}"], [], []]

    def test_good_data_ends_it_with_the_reason_and_nothing_stays_open(self) -> None:
        series = db1()
        assert series.see_each(BAD, FINE) == [[TRIGGERED], [RESOLVED]]
        (event,) = series.events
        assert (event.reason, event.since, event.value) == (incidents.RECOVERED, NOON, FINE)
        assert series.level() == "ok"

    def test_after_an_hour_nothing_is_left_to_remember(self) -> None:
        series = db1()
        series.see_each(BAD, FINE)
        series.now += HOUR
        series.see(FINE)
        assert series.memory.states == {}

    def test_an_escalation_triggers_critical_before_it_resolves_warning(self) -> None:
        assert db1().see_each(UNEASY, BAD) == [["trigger warning"], [TRIGGERED, "resolve warning"]]

    def test_a_de_escalation_triggers_warning_before_it_resolves_critical(self) -> None:
        assert db1().see_each(BAD, UNEASY) == [[TRIGGERED], ["trigger warning", RESOLVED]]

    def test_a_changed_threshold_judges_anew_and_keeps_the_incident(self) -> None:
        series = db1()
        series.see(BAD)
        series.alert = OneSeries(entry(critical=80)).alert
        assert series.see(BAD) == []
        assert since(series) == NOON


class TestPending:
    """`for`: a breach that does not last fires nothing."""

    FOR = 5 * MINUTE

    def test_a_breach_fires_once_its_datapoints_cover_that_time(self) -> None:
        series = patient(self.FOR)
        assert series.see_each(FINE, BAD, BAD, BAD, BAD) == [[]] * 5
        assert series.see(FINE, BAD, BAD, BAD, BAD, BAD) == [TRIGGERED]

    def test_the_window_alone_is_enough_so_that_a_restart_costs_nothing(self) -> None:
        assert patient(self.FOR).see(FINE, *[BAD] * 5) == [TRIGGERED]

    def test_a_poll_that_was_missed_costs_nothing(self) -> None:
        series = patient(self.FOR)
        series.see(FINE, BAD)
        series.now += 3 * MINUTE
        assert series.see(FINE, BAD, BAD, BAD, BAD, BAD) == [TRIGGERED]

    def test_a_good_datapoint_between_two_polls_begins_the_time_anew(self) -> None:
        series = patient(self.FOR)
        series.see(BAD, BAD, BAD, BAD)
        assert series.see(BAD, BAD, FINE, BAD, BAD) == []

    def test_a_gap_neither_breaks_nor_lengthens_the_run(self) -> None:
        assert patient(self.FOR).see(FINE, BAD, None, BAD, None, BAD) == [TRIGGERED]
        series = patient(self.FOR)
        series.see(FINE, BAD, BAD, BAD)
        assert [series.see(*[FINE, BAD, BAD, BAD], *[None] * gap) for gap in (1, 2)] == [[], []]

    def test_a_window_that_is_too_short_is_helped_by_the_memory(self) -> None:
        series = patient(self.FOR)
        assert series.see_each(*[BAD] * 6) == [[], [], [], [], [TRIGGERED], []]

    def test_a_breach_that_ends_in_time_is_a_near_miss(self) -> None:
        series = patient(self.FOR)
        assert series.see_each(BAD, BAD, FINE, FINE) == [[]] * 4
        (miss,) = series.near_misses
        assert (miss.level, miss.key, miss.until - miss.since) == (CRITICAL, KEY, 3 * MINUTE)
        assert series.memory.states == {}

    def test_what_fired_is_no_near_miss(self) -> None:
        series = patient(2 * MINUTE)
        series.see_each(FINE, BAD, BAD, FINE)
        assert series.near_misses == []

    def test_each_level_has_its_own_time(self) -> None:
        series = db1(for_warning=MINUTE, for_critical=4 * MINUTE)
        told = series.see_each(BAD, BAD, BAD, BAD, BAD)
        assert told == [["trigger warning"], [], [], [TRIGGERED, "resolve warning"], []]

    def test_an_escalation_waits_for_its_own_time(self) -> None:
        series = db1(for_critical=3 * MINUTE)
        series.see(UNEASY)
        assert series.see_each(BAD, BAD, BAD) == [[], [], [TRIGGERED, "resolve warning"]]

    def test_time_stands_still_while_nothing_new_comes(self) -> None:
        series = patient(self.FOR)
        series.see(BAD, BAD, BAD)
        assert series.see_each(*[None] * 2) == [[], []]
        assert series.see(BAD, BAD, BAD, None, None, BAD) == [TRIGGERED]

    def test_where_the_window_is_folded_the_readings_are_counted(self) -> None:
        series = patient(3 * MINUTE, judged=Judged.AVERAGE)
        window = (FINE, BAD, BAD, BAD, BAD, BAD)
        assert [series.see(*window) for _ in range(5)] == [[], [], [], [TRIGGERED], []]

    def test_a_folded_window_that_is_good_for_once_begins_the_time_anew(self) -> None:
        series = patient(2 * MINUTE, judged=Judged.MAX)
        assert series.see_each(BAD, BAD, FINE, BAD, BAD) == [[]] * 5

    def test_a_clock_that_is_set_back_does_not_hold_it_up(self) -> None:
        series = patient(3 * MINUTE, judged=Judged.AVERAGE)
        series.see_each(BAD, BAD, BAD)
        after = series.now
        series.now -= HOUR
        assert series.see(BAD, wait=HOUR) == []
        assert series.now == after
        assert series.see_each(BAD, BAD, BAD)[-1] == []
        assert series.level() == "critical"


class TestRecovering:
    """`clear` and `keep_firing_for`: an incident ends on evidence."""

    def test_on_the_good_side_but_not_past_clear_it_goes_on(self) -> None:
        series = db1(clear={"critical": 30, "warning": 20})
        assert series.see_each(BAD, 45.0, 31.0) == [[TRIGGERED], [], []]
        assert series.see(30.0) == ["trigger warning", RESOLVED]
        assert series.see_each(21.0, 20.0) == [[], ["resolve warning"]]

    def test_where_low_is_bad_clear_lies_above(self) -> None:
        series = db1(warning=20, critical=10, clear={"critical": 25, "warning": 25})
        assert series.see_each(5.0, 24.0, 25.0) == [[TRIGGERED], [], [RESOLVED]]

    def test_clear_says_nothing_of_a_series_that_does_not_fire(self) -> None:
        assert db1(clear={"critical": 30, "warning": 20}).see_each(45.0, 49.0) == [[], []]

    def test_good_data_has_to_last(self) -> None:
        series = db1(keep_firing_for=3 * MINUTE)
        assert series.see_each(BAD, FINE, FINE, FINE) == [[TRIGGERED], [], [], []]
        assert series.see(FINE) == [RESOLVED]

    def test_a_breach_meanwhile_is_the_same_incident(self) -> None:
        series = db1(keep_firing_for=3 * MINUTE)
        assert series.see_each(BAD, FINE, FINE, BAD, FINE, FINE, FINE) == [[TRIGGERED], [], [], [], [], [], []]
        assert series.see(FINE) == [RESOLVED]

    def test_a_gap_does_not_count_as_good(self) -> None:
        series = db1(keep_firing_for=3 * MINUTE)
        series.see_each(BAD, FINE)
        assert series.see_each(*[None] * 10)[-1] == []
        assert series.see_each(FINE, FINE) == [["resolve no_data"], []]
        assert series.see(FINE) == [RESOLVED]

    def test_an_outage_does_not_count_as_good(self) -> None:
        series = db1(keep_firing_for=3 * MINUTE)
        series.see_each(BAD, FINE)
        series.now += 10 * MINUTE
        assert series.poll({"db1": FINE}, unobserved=10 * MINUTE) == []
        assert series.see(FINE) == []
        assert series.see(FINE) == [RESOLVED]

    def test_a_gap_that_is_counted_too_long_puts_nothing_off_for_as_long(self) -> None:
        series = db1(keep_firing_for=3 * MINUTE)
        series.see_each(BAD, FINE)
        series.poll({"db1": FINE}, unobserved=2 * HOUR)  # the clock was set forward, or back and forward
        assert series.see_each(FINE, FINE) == [[], []]
        assert series.see(FINE) == [RESOLVED]

    def test_a_de_escalation_has_to_last_too(self) -> None:
        series = db1(keep_firing_for=2 * MINUTE)
        assert series.see_each(BAD, UNEASY, UNEASY) == [[TRIGGERED], [], []]
        assert series.see(UNEASY) == ["trigger warning", RESOLVED]

    def test_one_good_reading_after_a_long_de_escalation_is_no_evidence_of_recovery(self) -> None:
        series = db1(keep_firing_for=2 * MINUTE)
        assert series.see_each(BAD, UNEASY, UNEASY, FINE, FINE) == [[TRIGGERED], [], [], [], []]
        assert series.see(FINE) == [RESOLVED]


class TestFlapping:
    """Four incidents that end within an hour: the last one stays open until it is quiet."""

    def flap(self, series: OneSeries, cycles: int) -> list[list[str]]:
        return [told for _ in range(cycles) for told in series.see_each(BAD, FINE)]

    def test_the_fourth_end_within_an_hour_is_not_told_but_that_it_flaps_is(self) -> None:
        series = db1()
        assert self.flap(series, 3) == [[TRIGGERED], [RESOLVED]] * 3
        assert self.flap(series, 3) == [[TRIGGERED], ["flapping critical"], [], [], [], []]

    def test_it_ends_after_a_quarter_of_an_hour_of_good_data(self) -> None:
        series = db1()
        self.flap(series, 4)
        told = series.see_each(*[FINE] * 20)
        assert [minute for minute, events in enumerate(told, start=1) if events] == [15]
        assert told[14] == [RESOLVED]

    def test_a_breach_meanwhile_begins_the_quarter_anew(self) -> None:
        series = db1()
        self.flap(series, 4)
        assert series.see_each(*[FINE] * 10, BAD, *[FINE] * 15) == [[]] * 26
        assert series.see(FINE) == [RESOLVED]

    def test_four_in_more_than_an_hour_are_no_flapping(self) -> None:
        series = db1()
        told = []
        for _ in range(6):
            told += self.flap(series, 1)
            series.now += timedelta(minutes=20)
        assert told == [[TRIGGERED], [RESOLVED]] * 6

    def test_an_escalation_still_pages(self) -> None:
        series = db1()
        for _ in range(4):
            series.see_each(UNEASY, FINE)
        assert series.see(BAD) == [TRIGGERED, "resolve warning"]

    def test_levels_that_swing_flap_as_well(self) -> None:
        series = db1()
        told = [event for _ in range(8) for events in series.see_each(BAD, UNEASY) for event in events]
        assert told.count(TRIGGERED) == 4
        assert told[-1] == "flapping critical"

    def test_data_that_comes_and_goes_flaps_as_well(self) -> None:
        series = db1(no_data_for=timedelta(0))
        told = [event for _ in range(8) for events in series.see_each(None, FINE) for event in events]
        assert told == ["trigger no_data", "resolve no_data"] * 3 + ["trigger no_data", "flapping no_data"]
        quiet = series.see_each(*[FINE] * 16)
        assert [event for events in quiet for event in events] == ["resolve no_data"]


class TestDedupKey:
    """The identity that PagerDuty matches on."""

    def test_it_is_the_same_for_the_same_series_and_level(self) -> None:
        assert dedup_key(KEY, CRITICAL) == dedup_key(SeriesKey(*KEY), CRITICAL)

    def test_it_is_pinned_because_open_incidents_outlive_an_upgrade(self) -> None:
        assert dedup_key(KEY, CRITICAL) == "graphite-pager/7e17e32122378eaf8a98b850aaf2d08c2fd9512f"

    def test_it_differs_by_alert_series_and_level(self) -> None:
        keys = [KEY, KEY._replace(alert="x"), KEY._replace(series="x"), SeriesKey("MongoDB lockd", "b1")]
        assert len({dedup_key(key, level) for key in keys for level in (WARNING, CRITICAL, NO_DATA)}) == 12

    def test_it_fits_whatever_the_series_is_called(self) -> None:
        assert len(dedup_key(SeriesKey("ä" * 5000, "\ud800\0\n" * 5000), CRITICAL)) <= 255


def test_every_kind_of_event_is_one_that_notifiers_know() -> None:
    assert {kind.value for kind in EventKind} == {"trigger", "resolve", "repeat", "flapping", "digest"}
