"""One alert through polls: series that are quiet, gone, excluded, and alerts that watch nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

from graphitepager import alerting, checks
from graphitepager.alerting import AlertMemory, Progress
from graphitepager.errors import FetchError
from graphitepager.incidents import FORGET_AFTER
from graphitepager.model import WHOLE_ALERT, Alert, Entry, EventKind, Level, NoDataPolicy, Query, Series
from graphitepager.rawdata import RawAnswer
from tests.examples import MINUTE, NOON, alert, entry

FINE, BAD = 10.0, 90.0
NOTHING = timedelta(0)
TRIGGERED, RESOLVED = EventKind.TRIGGERED, EventKind.RESOLVED


class Polls:
    """Polls an alert every minute from noon; each poll says what every entry's query answered."""

    def __init__(self, *entries: Entry) -> None:
        self.alert: Alert = alert(*entries)
        self.memory = AlertMemory()
        self.now = NOON
        self.progress = Progress(memory=self.memory)

    def poll(
        self, *answers: dict[str, float | None] | FetchError, wait: timedelta = MINUTE, unobserved: timedelta = NOTHING
    ) -> list[tuple[str, ...]]:
        """Return what is told: kind, series, level."""
        given = {
            one.query: answer if isinstance(answer, FetchError) else self._answer(answer)
            for one, answer in zip(self.alert.entries, answers, strict=True)
        }
        evaluation = checks.evaluate(self.alert, given)
        self.progress = alerting.advance(self.alert, evaluation, self.memory, self.now, unobserved)
        self.memory = self.progress.memory
        self.now += wait
        return [(event.kind.value, event.key.series, event.level.value) for event in self.progress.events]

    def _answer(self, values: dict[str, float | None]) -> RawAnswer:
        start = int(self.now.timestamp())
        return RawAnswer(
            [Series(name, start, start + 10, 10, repr(value).encode()) for name, value in values.items()], []
        )


FAILED = FetchError("servers.*.lock", "timed out")


def test_a_quiet_series_leaves_nothing_to_store() -> None:
    polls = Polls()
    polls.poll({"db1": FINE})
    before = polls.memory
    assert polls.poll({"db1": FINE}) == []
    assert polls.progress.changed == ()
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
    polls.now += FORGET_AFTER
    assert polls.poll({"db1": FINE}) == [("resolve", "db2", "critical"), ("resolve", "db2", "no_data")]
    assert polls.memory.states == {}
    assert polls.memory.known == {"servers.*.lock": {"db1"}}
    assert polls.poll({"db1": FINE}, wait=FORGET_AFTER) == []


def test_an_alert_that_watches_nothing_is_not_fine() -> None:
    polls = Polls()
    told = [polls.poll({}) for _ in range(5)]
    assert told == [[], [], [], [("trigger", WHOLE_ALERT, "no_data")], []]
    assert polls.poll({"db1": FINE}) == [("resolve", WHOLE_ALERT, "no_data")]
    assert polls.memory.states == {}


def test_when_all_series_are_gone_one_incident_speaks_for_them() -> None:
    polls = Polls()
    polls.poll({"db1": FINE, "db2": BAD})
    told = [polls.poll({}) for _ in range(5)]
    assert list(chain.from_iterable(told)) == [("trigger", WHOLE_ALERT, "no_data")]
    assert polls.poll({"db1": FINE, "db2": BAD}) == [("resolve", WHOLE_ALERT, "no_data")]


def test_what_fires_when_all_series_go_is_ended_after_a_day() -> None:
    polls = Polls()
    polls.poll({"db1": BAD, "db2": FINE})
    told = [polls.poll({}, wait=FORGET_AFTER / 4) for _ in range(8)]
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
    polls = Polls()
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
    assert {event.reason for event in polls.progress.events} == {alerting.TARGET_CHANGED, None}
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
    event = alerting.trigger_again(polls.alert, polls.memory, key, Level.NO_DATA, polls.now)
    assert (event.entry, event.since) == (polls.alert.entries[1], NOON)
