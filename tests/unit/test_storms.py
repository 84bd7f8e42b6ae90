"""Storms: many series that fire together are one page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from graphitepager import storms
from graphitepager.model import WHOLE_ALERT
from tests.examples import MINUTE, entry
from tests.polls import FINE, UNEASY, Polls, hosts, silenced

HOUR = timedelta(hours=1)
TRIGGERED, RESOLVED = "trigger critical", "resolve critical"
STORM = WHOLE_ALERT + "critical×{}"


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
