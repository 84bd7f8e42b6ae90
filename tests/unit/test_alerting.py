"""One alert through polls: series that are quiet, gone, excluded, and alerts that watch nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

from graphitepager import alerting, telling
from graphitepager.alerting import AlertMemory
from graphitepager.model import WHOLE_ALERT, EventKind
from graphitepager.rules import Level, NoDataPolicy, OnVanish, Query
from tests.examples import MINUTE, NOON, alert, entry
from tests.polls import BAD, FAILED, FINE, Points, Polls

RESOLVED = EventKind.RESOLVED
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


def test_a_quiet_series_leaves_nothing_to_store() -> None:
    polls = Polls()
    polls.poll({"db1": FINE})
    before = polls.memory
    assert polls.poll({"db1": FINE}) == []
    assert list(alerting.changed_states(before, polls.memory)) == []
    assert polls.memory == before


def test_each_series_has_an_incident_of_its_own() -> None:
    polls = Polls()
    assert polls.poll({"db1": BAD, "db2": FINE, "db3": BAD}) == [
        ("trigger", "db1", "critical"),
        ("trigger", "db3", "critical"),
    ]
    assert polls.poll({"db1": FINE, "db2": FINE, "db3": BAD}) == [("resolve", "db1", "critical")]


def test_a_series_that_leaves_its_glob_is_missed_after_three_minutes() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": FINE})
    told = [polls.poll({"db1": FINE}) for _ in range(5)]
    assert told == [[], [], [], [("trigger", "db2", "no_data")], []]
    assert polls.poll({"db1": FINE, "db2": FINE}) == [("resolve", "db2", "no_data")]


def test_a_firing_series_that_leaves_its_glob_is_ended_after_a_day() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": BAD})
    for _ in range(5):
        polls.poll({"db1": FINE})
    polls.now += DAY
    assert polls.poll({"db1": FINE}) == [("resolve", "db2", "critical"), ("resolve", "db2", "no_data")]
    assert polls.memory.states == {}
    assert polls.memory.known == {"servers.*.lock": {"db1"}}
    assert polls.poll({"db1": FINE}, wait=DAY) == []


def test_an_alert_that_watches_nothing_is_not_fine() -> None:
    polls = Polls()
    told = [polls.poll({}) for _ in range(5)]
    assert told == [[], [], [], [("trigger", WHOLE_ALERT, "no_data")], []]
    assert polls.poll({"db1": FINE}) == [("resolve", WHOLE_ALERT, "no_data")]
    assert polls.state(WHOLE_ALERT).no_data is None
    polls.poll({"db1": FINE}, wait=2 * HOUR)
    polls.poll({"db1": FINE})
    assert polls.memory.states == {}


def test_when_all_series_are_gone_one_incident_speaks_for_them() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": BAD})
    told = [polls.poll({}) for _ in range(5)]
    assert list(chain.from_iterable(told)) == [("trigger", WHOLE_ALERT, "no_data")]
    assert polls.poll({"db1": FINE, "db2": BAD}) == [("resolve", WHOLE_ALERT, "no_data")]


def test_what_fires_when_all_series_go_is_ended_after_a_day() -> None:
    polls = Polls(entry(repeat_interval=None))
    polls.poll({"db1": BAD, "db2": FINE})
    told = [polls.poll({}, wait=DAY / 4) for _ in range(8)]
    assert list(chain.from_iterable(told)) == [
        ("trigger", WHOLE_ALERT, "no_data"),
        ("resolve", "db1", "critical"),
    ]
    assert polls.memory.states.keys() == {WHOLE_ALERT}


def test_what_fires_when_all_series_go_is_ended_soon_where_no_data_is_allowed() -> None:
    polls = Polls(entry(no_data=NoDataPolicy.OK))
    polls.poll({"db1": BAD})
    told = [polls.poll({}) for _ in range(5)]
    assert told == [[], [], [], [("resolve", "db1", "critical")], []]


def test_what_was_missed_one_by_one_stays_so_when_the_rest_goes_too() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": FINE})
    for _ in range(5):
        polls.poll({"db1": FINE})
    assert list(chain.from_iterable(polls.poll({}) for _ in range(5))) == [("trigger", WHOLE_ALERT, "no_data")]
    assert polls.poll({"db1": FINE, "db2": FINE}) == [
        ("resolve", "db2", "no_data"),
        ("resolve", WHOLE_ALERT, "no_data"),
    ]


def test_one_entry_that_allows_no_data_does_not_speak_for_the_others() -> None:
    polls = Polls(entry("worker-*", no_data=NoDataPolicy.OK), entry("*"))
    polls.poll({"worker-1": FINE}, {"web1": FINE})
    told = [polls.poll({}, {}) for _ in range(5)]
    assert list(chain.from_iterable(told)) == [("trigger", WHOLE_ALERT, "no_data")]


def test_time_that_nobody_observed_does_not_count_as_missing() -> None:
    polls = Polls(entry(repeat_interval=None))
    polls.poll({"db1": FINE, "db2": BAD})
    polls.poll({"db1": FINE}, wait=timedelta(hours=60))
    assert polls.poll({"db1": FINE}, unobserved=timedelta(hours=60)) == []
    told = [polls.poll({"db1": FINE}) for _ in range(5)]
    assert list(chain.from_iterable(told)) == [("trigger", "db2", "no_data")]


def test_an_alert_that_allows_no_data_may_watch_nothing() -> None:
    polls = Polls(entry(no_data=NoDataPolicy.OK))
    assert [polls.poll({}) for _ in range(10)] == [[]] * 10


def test_a_failed_fetch_freezes_everything() -> None:
    polls = Polls()
    polls.poll({"db1": BAD, "db2": FINE})
    before = polls.memory
    assert [polls.poll(FAILED) for _ in range(10)] == [[]] * 10
    assert polls.memory == before


def test_a_failed_second_entry_does_not_make_its_series_vanish() -> None:
    polls = Polls(entry("worker-*"), entry("*"))
    polls.poll({"worker-1": FINE}, {"worker-1": FINE, "web": BAD})
    told = [polls.poll({"worker-1": BAD}, FAILED) for _ in range(10)]
    assert list(chain.from_iterable(told)) == [("trigger", "worker-1", "critical")]
    assert polls.poll({"worker-1": BAD}, {"web": FINE}) == [("resolve", "web", "critical")]


def test_a_missing_series_is_judged_by_the_entry_that_owned_it() -> None:
    polls = Polls(entry("worker-*", no_data=NoDataPolicy.OK), entry("*"))
    polls.poll({"worker-1": FINE}, {"web1": FINE, "web2": FINE})
    told = [polls.poll({}, {"web1": FINE}) for _ in range(5)]
    assert list(chain.from_iterable(told)) == [("trigger", "web2", "no_data")]


def test_a_changed_target_is_a_new_start_for_quiet_series() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": FINE})
    polls.alert = alert(entry("servers.new.*"))
    assert [polls.poll({"new1": FINE}) for _ in range(10)] == [[]] * 10
    assert polls.memory.known == {"servers.new.*": {"new1"}}


def test_what_fires_under_a_changed_target_ends_with_that_reason() -> None:
    polls = Polls()
    polls.poll({"x": BAD, "y": BAD})
    polls.alert = alert(entry("servers.new.*"))
    assert sorted(polls.poll({"servers.x": BAD, "y": BAD})) == [
        ("resolve", "x", "critical"),
        ("trigger", "servers.x", "critical"),
    ]
    assert {event.reason for event in polls.events} == {alerting.TARGET_CHANGED, None}
    assert polls.memory.states.keys() == {"servers.x", "y"}


def test_a_changed_target_ends_nothing_before_its_first_answer() -> None:
    polls = Polls()
    polls.poll({"x": BAD})
    polls.alert = alert(entry("servers.new.*"))
    assert polls.poll(FAILED) == []
    assert polls.poll({}) == [("resolve", "x", "critical")]


def test_excluding_a_firing_series_ends_it_with_that_reason() -> None:
    polls = Polls()
    polls.poll({"db1": BAD})
    polls.alert = alert(entry(exclude=frozenset({"db1"})))
    assert polls.poll({"db1": BAD, "db2": FINE}) == [("resolve", "db1", "critical")]
    assert polls.progress.events[0].reason == alerting.EXCLUDED
    assert polls.memory.states == {}


def test_excluding_a_series_that_is_gone_ends_it_too_and_misses_it_no_more() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": BAD})
    polls.each({"db1": FINE}, times=5)
    polls.alert = alert(entry(exclude=frozenset({"db2"})))
    assert polls.poll({"db1": FINE}) == [("resolve", "db2", "critical"), ("resolve", "db2", "no_data")]
    assert {event.reason for event in polls.events} == {alerting.EXCLUDED}
    assert polls.memory.known == {"servers.*.lock": {"db1"}}


def test_excluding_all_that_is_gone_ends_the_incident_that_speaks_for_it() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": FINE, "db3": FINE})
    polls.each({"db1": FINE}, times=5)
    polls.alert = alert(entry(exclude=frozenset({"db2", "db3"})))
    assert polls.poll({"db1": FINE}) == [("resolve", WHOLE_ALERT, "no_data")]


def test_an_alert_that_is_removed_ends_what_it_opened() -> None:
    polls = Polls()
    polls.poll({"db1": BAD, "db2": FINE})
    progress = alerting.retire(polls.memory, polls.now)
    assert [(event.kind, event.level, event.reason) for event in progress.events] == [
        (RESOLVED, Level.CRITICAL, alerting.REMOVED)
    ]
    assert progress.memory == AlertMemory()


def test_a_series_with_an_empty_name_is_not_the_whole_alert() -> None:
    polls = Polls()
    assert polls.poll({"": BAD}) == [("trigger", "", "critical")]


def test_entries_that_share_a_target_share_its_series() -> None:
    recent, older = Query("servers.*", "-1min", None), Query("servers.*", "-1h", None)
    polls = Polls(entry(query=recent), entry(query=older))
    polls.poll({"db1": FINE}, {"db1": FINE, "db2": FINE})
    assert polls.memory.known == {"servers.*": {"db1", "db2"}}


def test_an_alert_as_a_whole_is_told_again_by_the_entry_that_spoke_for_it() -> None:
    polls = Polls(entry("worker-*", no_data=NoDataPolicy.OK), entry("*", pagerduty_key="1" * 32))
    for _ in range(5):
        polls.poll({}, {})
    key = polls.memory.states[WHOLE_ALERT].key
    event = telling.trigger_again(polls.alert, polls.memory, key, Level.NO_DATA, polls.now)
    assert event is not None
    assert (event.entry, event.since) == (polls.alert.entries[1], NOON)


class TestVanished:
    """`on_vanish`: what it means when a series leaves an answer that is otherwise good."""

    def test_resolve_ends_what_fires_after_vanish_after_with_that_reason(self) -> None:
        polls = Polls(entry(on_vanish=OnVanish.RESOLVE, vanish_after=5 * MINUTE))
        polls.poll({"db1": FINE, "db2": BAD})
        told = [polls.poll({"db1": FINE}) for _ in range(7)]
        assert told == [[], [], [], [], [], [("resolve", "db2", "critical")], []]
        assert polls.memory.known == {"servers.*.lock": {"db1"}}

    def test_the_reason_says_that_it_vanished(self) -> None:
        polls = Polls(entry(on_vanish=OnVanish.RESOLVE, vanish_after=timedelta(0)))
        polls.poll({"db1": FINE, "db2": BAD})
        polls.poll({"db1": FINE})
        assert [event.reason for event in polls.events] == ["vanished: nothing has come for 0s"]

    def test_a_quiet_series_that_may_vanish_is_forgotten_without_a_word(self) -> None:
        polls = Polls(entry(on_vanish=OnVanish.RESOLVE, vanish_after=5 * MINUTE))
        polls.poll({"db1": FINE, "db2": FINE})
        assert polls.each({"db1": FINE}, times=10) == []
        assert polls.memory.known == {"servers.*.lock": {"db1"}}

    def test_one_that_comes_back_in_time_is_the_same_incident(self) -> None:
        polls = Polls(entry(on_vanish=OnVanish.RESOLVE, vanish_after=5 * MINUTE))
        polls.poll({"db1": FINE, "db2": BAD})
        assert polls.each({"db1": FINE}, times=4) == []
        assert polls.poll({"db1": FINE, "db2": BAD}) == []

    def test_hold_keeps_what_fires_and_raises_nothing_for_a_day(self) -> None:
        polls = Polls(entry(on_vanish=OnVanish.HOLD, repeat_interval=None))
        polls.poll({"db1": FINE, "db2": BAD})
        assert polls.each({"db1": FINE}, times=60) == []
        polls.now += DAY
        assert polls.poll({"db1": FINE}) == [("resolve", "db2", "critical")]

    def test_a_series_that_still_comes_without_data_has_not_vanished(self) -> None:
        polls = Polls(entry(on_vanish=OnVanish.HOLD))
        polls.poll({"db1": FINE, "db2": FINE})
        told = [polls.poll({"db1": FINE, "db2": None}) for _ in range(4)]
        assert list(chain.from_iterable(told)) == [("trigger", "db2", "no_data")]


class TestGoneAtOnce:
    """More than half of the known series gone in one answer: one incident, and the rest is left as it was."""

    def hosts(self, count: int, value: float = FINE, *, first: int = 0) -> dict[str, Points]:
        return {f"host{number}": value for number in range(first, first + count)}

    def test_one_incident_speaks_for_all_that_are_gone(self) -> None:
        polls = Polls()
        polls.poll(self.hosts(10))
        told = [polls.poll(self.hosts(4)) for _ in range(10)]
        assert list(chain.from_iterable(told)) == [("trigger", WHOLE_ALERT, "no_data")]
        assert polls.memory.states.keys() == {WHOLE_ALERT}

    def test_it_says_how_many_of_how_many(self) -> None:
        polls = Polls(entry(no_data_for=timedelta(0)))
        polls.poll(self.hosts(10))
        polls.poll(self.hosts(4))
        assert [event.detail for event in polls.events] == ["6 of 10 series are gone, all at once"]

    def test_half_of_them_are_missed_one_by_one(self) -> None:
        polls = Polls()
        polls.poll(self.hosts(4))
        told = polls.each(self.hosts(2), times=5)
        assert told == [("trigger", "host2", "no_data"), ("trigger", "host3", "no_data")]

    def test_what_fires_among_them_stays_as_it_was(self) -> None:
        polls = Polls(entry(repeat_interval=None))
        polls.poll(self.hosts(9) | {"host9": BAD})
        before = polls.state("host9")
        polls.each(self.hosts(4), times=30)
        assert polls.state("host9") == before
        assert polls.poll(self.hosts(9) | {"host9": BAD}) == [("resolve", WHOLE_ALERT, "no_data")]

    def test_most_of_them_back_means_that_graphite_is_and_the_rest_is_missed_one_by_one(self) -> None:
        polls = Polls()
        polls.poll(self.hosts(10))
        polls.each(self.hosts(4), times=10)
        assert polls.each(self.hosts(7), times=5) == []
        assert polls.each(self.hosts(9), times=5) == [
            ("resolve", WHOLE_ALERT, "no_data"),
            ("trigger", "host9", "no_data"),
        ]

    def test_a_fleet_that_is_replaced_is_one_incident_until_the_old_one_is_forgotten(self) -> None:
        polls = Polls(entry(repeat_interval=None))
        polls.poll(self.hosts(10))
        new = self.hosts(10, first=100)
        assert polls.each(new, times=20) == [("trigger", WHOLE_ALERT, "no_data")]
        polls.now += DAY
        assert polls.poll(new) == [("resolve", WHOLE_ALERT, "no_data")]
        assert polls.events[0].reason == "vanished: nothing has come for 1d"
        assert polls.memory.known == {"servers.*.lock": new.keys()}

    def test_it_is_not_for_series_that_may_be_missing(self) -> None:
        polls = Polls(entry(no_data=NoDataPolicy.OK))
        polls.poll(self.hosts(9, BAD) | {"host9": FINE})
        told = polls.each({"host9": FINE}, times=5)
        assert {kind for kind, _, _ in told} == {"resolve"}
        assert len(told) == 9

    def test_an_answer_that_failed_says_nothing_of_what_is_gone(self) -> None:
        polls = Polls(entry("a"), entry("b"))
        polls.poll(self.hosts(10), {})
        assert polls.each(self.hosts(2), FAILED, times=10) == []
