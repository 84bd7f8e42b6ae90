"""Who is told, and when not: silences, mute windows, dependencies, repeats, and what is told anew."""

from __future__ import annotations

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from graphitepager import telling
from graphitepager.model import WHOLE_ALERT, EventKind
from graphitepager.rules import Level, MuteWindow
from graphitepager.telling import Holds
from tests.examples import MINUTE, NOON, entry
from tests.polls import BAD, FAILED, FINE, UNEASY, OneSeries, Polls, hosts, silenced

HOUR = timedelta(hours=1)
TRIGGERED, RESOLVED = "trigger critical", "resolve critical"
STORM = WHOLE_ALERT + "critical×{}"


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
