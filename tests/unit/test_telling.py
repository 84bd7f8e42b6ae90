"""Who is told, and when not: silences, mute windows, dependencies, repeats, storms."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from graphitepager import storms, telling
from graphitepager.model import WHOLE_ALERT, EventKind, Silence
from graphitepager.rules import Level, MuteWindow
from graphitepager.silences import parse_matcher
from graphitepager.telling import Holds
from tests.examples import MINUTE, NOON, entry
from tests.polls import BAD, FAILED, FINE, UNEASY, OneSeries, Polls

HOUR = timedelta(hours=1)
TRIGGERED, RESOLVED = "trigger critical", "resolve critical"
STORM = WHOLE_ALERT + "critical×{}"


def silence(*matchers: str, lasts: timedelta = HOUR) -> Silence:
    return Silence(
        id=3,
        matchers=tuple(map(parse_matcher, matchers)),
        author="ann",
        comment="new disks",
        begins_at=NOON,
        ends_at=NOON + lasts,
    )


def silenced(series: Polls, *matchers: str) -> None:
    series.holds = Holds(silences=(silence(*matchers),))


def held_by(series: Polls) -> str | None:
    incident = series.state().incident
    assert incident is not None
    return incident.held_by


def mute_window(*levels: Level) -> MuteWindow:
    """From noon to one o'clock, every day."""
    every_day = frozenset(range(7))
    return MuteWindow(
        text="lunch", days=every_day, begins=time(12), ends=time(13), zone=ZoneInfo("UTC"), levels=frozenset(levels)
    )


class TestHeldBack:
    """Silences, mute windows and dependencies hold back triggers, and never a resolve."""

    def test_a_silenced_breach_is_tracked_and_not_told(self) -> None:
        series = OneSeries()
        silenced(series, "alert=Mongo*")
        assert series.see_each(BAD, BAD) == [[], []]
        incident = series.state().incident
        assert incident is not None
        assert (incident.told_at, incident.since) == (None, NOON)
        assert incident.held_by == "silence 3 by ann until 2026-01-15 13:00 UTC: new disks"

    def test_its_begin_is_recorded_once_with_what_holds_it_back(self) -> None:
        series = OneSeries()
        silenced(series, "series=db*")
        series.see(BAD)
        assert [(one.kind, bool(one.held_by)) for one in series.events] == [(EventKind.TRIGGERED, True)]
        series.see(BAD)
        assert series.events == []

    def test_what_still_fires_when_the_silence_ends_is_triggered_then_with_its_own_begin(self) -> None:
        series = OneSeries()
        silenced(series, "alert=*")
        series.see(BAD)
        series.now += HOUR
        assert series.see(BAD) == [TRIGGERED]
        assert series.events[0].since == NOON

    def test_what_has_ended_by_then_is_never_told_and_its_end_goes_nowhere(self) -> None:
        series = OneSeries()
        silenced(series, "alert=*")
        series.see(BAD)
        assert series.see(FINE) == [RESOLVED]  # for the history; the store knows that nobody was told
        series.now += HOUR
        assert series.see(FINE) == []

    def test_a_silence_that_comes_later_holds_back_no_resolve(self) -> None:
        series = OneSeries()
        series.see(BAD)
        silenced(series, "alert=*")
        assert series.see(FINE) == [RESOLVED]

    def test_a_silence_of_one_level_lets_the_other_through(self) -> None:
        series = OneSeries()
        silenced(series, "level=warning")
        assert series.see_each(UNEASY, BAD) == [[], [TRIGGERED, "resolve warning"]]

    def test_another_alert_is_not_silenced(self) -> None:
        series = OneSeries()
        silenced(series, "alert=Redis*")
        assert series.see(BAD) == [TRIGGERED]

    def test_a_mute_window_holds_back_until_it_ends(self) -> None:
        series = OneSeries(entry(mute=(mute_window(Level.CRITICAL),)))
        assert series.see(BAD) == []
        assert held_by(series) == "mute window lunch"
        series.now += HOUR
        assert series.see(BAD) == [TRIGGERED]

    def test_a_mute_window_of_another_level_holds_back_nothing(self) -> None:
        assert OneSeries(entry(mute=(mute_window(Level.WARNING),))).see(BAD) == [TRIGGERED]

    def test_a_dependency_that_fires_holds_back_until_it_does_no_more(self) -> None:
        series = OneSeries(entry(depends_on=frozenset({"Switch", "Router"})))
        series.holds = Holds(firing=frozenset({"Switch", "Disk"}))
        assert series.see(BAD) == []
        assert held_by(series) == "depends on Switch, which fires"
        series.holds = Holds(firing=frozenset({"Disk"}))
        assert series.see(BAD) == [TRIGGERED]

    def test_what_is_held_back_is_told_also_while_graphite_does_not_answer(self) -> None:
        series = OneSeries()
        silenced(series, "alert=*")
        series.see(BAD)
        series.now += HOUR
        assert series.poll(FAILED) == [("trigger", "db1", "critical")]

    def test_that_it_flaps_is_held_back_too(self) -> None:
        series = OneSeries()
        for _ in range(3):
            series.see_each(BAD, FINE)
        series.see(BAD)
        silenced(series, "alert=*")
        assert series.see(FINE) == []
        assert series.state().is_flapping


class TestRepeats:
    """`repeat_interval`: what goes on is told again, with the same dedup key."""

    def test_it_is_told_again_every_four_hours(self) -> None:
        series = OneSeries()
        told = []
        for _ in range(9):
            told.append(series.see(BAD))
            series.now += HOUR - MINUTE
        assert [hour for hour, events in enumerate(told) if events == ["repeat critical"]] == [4, 8]

    def test_never_means_once(self) -> None:
        series = OneSeries(entry(repeat_interval=None))
        series.see(BAD)
        series.now += 100 * HOUR
        assert series.see(BAD) == []

    def test_a_silence_holds_it_back(self) -> None:
        series = OneSeries(entry(repeat_interval=10 * MINUTE))
        series.see(BAD)
        silenced(series, "alert=*")
        series.now += 20 * MINUTE
        assert series.see(BAD) == []
        series.holds = Holds()
        assert series.see(BAD) == ["repeat critical"]

    def test_missing_data_is_told_again_too(self) -> None:
        series = OneSeries()
        series.see(None, None, None)
        series.now += 4 * HOUR
        assert series.see(None) == ["repeat no_data"]

    def test_a_clock_that_is_set_back_does_not_put_it_off(self) -> None:
        series = OneSeries(entry(repeat_interval=HOUR))
        series.see(BAD)
        series.now -= 24 * HOUR
        series.see(BAD)
        series.now += HOUR
        assert series.see(BAD) == ["repeat critical"]


def hosts(count: int, value: float = BAD, *, first: int = 0) -> dict[str, Any]:
    return {f"host{number:03}": value for number in range(first, first + count)}


class TestStorms:
    """More than `storm_limit` series that start to fire together are one incident."""

    def test_at_the_limit_each_is_told_by_itself(self) -> None:
        assert len(Polls(storm_limit=5).poll(hosts(5))) == 5

    def test_beyond_the_limit_one_incident_speaks_for_all(self) -> None:
        polls = Polls(storm_limit=5)
        assert polls.poll(hosts(6)) == [("trigger", STORM.format(1), "critical")]
        assert polls.poll(hosts(6)) == []
        assert polls.memory.states.keys() == hosts(6).keys() | {WHOLE_ALERT + "critical"}

    def test_it_says_how_many_and_names_some(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(7))
        storm = next(event for event in polls.events if event.held_by is None)
        assert storm.size == 7
        assert storm.detail == "7 series together: host000, host001, host002, host003, host004 and 2 more"

    def test_the_begin_of_each_of_its_series_is_recorded(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(6))
        assert {event.key.series for event in polls.events if event.held_by == storms.HELD_BY} == hosts(6).keys()

    def test_those_that_come_a_poll_later_come_together_with_the_first(self) -> None:
        polls = Polls(storm_limit=5)
        assert len(polls.poll(hosts(4))) == 4
        assert polls.poll(hosts(8)) == [("trigger", STORM.format(1), "critical")]

    def test_those_that_come_much_later_do_not(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(4))
        polls.now += 10 * MINUTE
        assert len(polls.poll(hosts(8))) == 4

    def test_each_doubling_is_a_new_page_under_a_new_name(self) -> None:
        polls = Polls(storm_limit=5)
        told = [polls.poll(hosts(count)) for count in (6, 11, 12, 23, 24)]
        assert told == [
            [("trigger", STORM.format(1), "critical")],
            [],
            [("trigger", STORM.format(2), "critical"), ("resolve", STORM.format(1), "critical")],
            [],
            [("trigger", STORM.format(3), "critical"), ("resolve", STORM.format(2), "critical")],
        ]

    def test_what_is_left_of_a_storm_does_not_swallow_a_later_one(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(100))
        polls.now += HOUR
        polls.poll(hosts(1) | hosts(99, FINE, first=1))
        polls.now += HOUR
        assert polls.poll(hosts(80) | hosts(20, FINE, first=80)) == [
            ("trigger", STORM.format(2), "critical"),
            ("resolve", STORM.format(1), "critical"),
        ]

    def test_one_that_begins_slowly_does_not_page_for_its_second_series(self) -> None:
        polls = Polls(storm_limit=6)
        told = [polls.poll(hosts(count)) for count in (6, 7, 8, 9, 12)]
        assert [len(one) for one in told] == [6, 1, 0, 0, 2]

    def test_it_concerns_everybody_whose_series_are_in_it(self) -> None:
        ours, theirs, idle = (entry(name, pagerduty_key=key * 32) for name, key in (("a", "1"), ("b", "2"), ("c", "3")))
        polls = Polls(ours, theirs, idle, storm_limit=5)
        polls.poll(hosts(3), hosts(3, first=10), {"idle": FINE})
        storm = next(event for event in polls.events if event.held_by is None)
        assert (storm.entry, storm.others) == (ours, (theirs,))

    def test_what_begins_comes_before_what_ends(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(6))
        told = polls.poll(hosts(6, UNEASY))
        assert [kind for kind, _, _ in told] == ["trigger"] + ["resolve"] * 7

    def test_it_ends_with_the_last_of_its_series(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(6))
        polls.poll(hosts(1) | hosts(5, FINE, first=1))
        assert (WHOLE_ALERT + "critical") in polls.memory.states
        told = polls.poll(hosts(6, FINE))
        assert [key for kind, key, _ in told if key.startswith(WHOLE_ALERT)] == [STORM.format(1)]
        assert {kind for kind, _, _ in told} == {"resolve"}
        assert (WHOLE_ALERT + "critical") not in polls.memory.states

    def test_what_was_told_by_itself_before_is_no_part_of_it(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(1))
        polls.now += HOUR
        polls.poll(hosts(10))
        assert polls.poll(hosts(1, FINE) | hosts(9, first=1)) == [("resolve", "host000", "critical")]
        told = polls.poll(hosts(10, FINE))
        assert ("resolve", STORM.format(1), "critical") in told

    def test_once_it_has_calmed_down_what_fires_anew_pages_by_itself(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(8))
        polls.poll(hosts(2) | hosts(6, FINE, first=2))
        polls.now += HOUR
        assert polls.poll(hosts(2) | hosts(6, FINE, first=2) | hosts(1, first=50)) == [
            ("trigger", "host050", "critical")
        ]

    def test_while_it_goes_on_what_fires_anew_belongs_to_it(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(8))
        polls.now += HOUR
        assert polls.poll(hosts(9)) == []

    def test_each_level_has_its_own_storm(self) -> None:
        polls = Polls(storm_limit=5)
        told = polls.poll(hosts(6) | hosts(6, UNEASY, first=100))
        assert told == [
            ("trigger", STORM.format(1), "critical"),
            ("trigger", WHOLE_ALERT + "warning×1", "warning"),
        ]

    def test_a_member_that_escalates_pages_by_itself_again(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(6, UNEASY))
        told = polls.poll(hosts(1) | hosts(5, UNEASY, first=1))
        assert told == [("trigger", "host000", "critical"), ("resolve", "host000", "warning")]

    def test_what_is_silenced_does_not_make_a_storm(self) -> None:
        polls = Polls(storm_limit=5)
        silenced(polls, "series=host00[1-5]")
        assert polls.poll(hosts(6)) == [("trigger", "host000", "critical")]

    def test_missing_data_of_many_is_a_storm_too(self) -> None:
        polls = Polls(entry(no_data_for=timedelta(0)), storm_limit=5)
        series = dict.fromkeys(hosts(6))
        assert polls.poll(series) == [("trigger", WHOLE_ALERT + "no_data×1", "no_data")]
        assert ("resolve", WHOLE_ALERT + "no_data×1", "no_data") in polls.poll(hosts(6, FINE))

    def test_it_is_told_again_after_the_repeat_interval(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(6))
        polls.now += 4 * HOUR
        assert polls.poll(hosts(6)) == [("repeat", STORM.format(1), "critical")]

    def test_a_lower_limit_while_it_is_quiet_begins_no_storm(self) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(5))
        polls.alert = replace(polls.alert, storm_limit=2)
        assert polls.poll(hosts(5)) == []


class TestToldAgain:
    """What is open can be told to somebody new; what is held back cannot."""

    @pytest.mark.parametrize("size", [1, 6])
    def test_what_is_told_can_be_told_again(self, size: int) -> None:
        polls = Polls(storm_limit=5)
        polls.poll(hosts(size))
        told = [event for event in polls.events if event.held_by is None]
        again = [telling.trigger_again(polls.alert, polls.memory, one.key, one.level, NOON) for one in told]
        assert [(one.key, one.level, one.since) for one in again if one] == [(one.key, one.level, NOON) for one in told]

    def test_what_is_held_back_cannot(self) -> None:
        series = OneSeries()
        silenced(series, "alert=*")
        series.see(BAD)
        key = series.state().key
        assert telling.trigger_again(series.alert, series.memory, key, Level.CRITICAL, NOON) is None

    def test_an_incident_of_another_level_cannot(self) -> None:
        series = OneSeries()
        series.see(BAD)
        assert telling.trigger_again(series.alert, series.memory, series.state().key, Level.WARNING, NOON) is None
