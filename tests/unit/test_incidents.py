"""The life of one series: every transition of docs/lifecycle.md that this version has."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from graphitepager import incidents
from graphitepager.incidents import FORGET_AFTER, dedup_key, step
from graphitepager.model import WHOLE_ALERT, EventKind, Level, NoDataPolicy, SeriesKey, SeriesState
from tests.examples import KEY, MINUTE, NOON, entry, reading

if TYPE_CHECKING:
    from datetime import datetime

    from graphitepager.incidents import Outcome
    from graphitepager.model import Event, Reading

OK, WARNING, CRITICAL, NO_DATA = Level.OK, Level.WARNING, Level.CRITICAL, Level.NO_DATA
QUIET = SeriesState(key=KEY)


def told(outcome: Outcome) -> list[tuple[EventKind, Level]]:
    return [(event.kind, event.level) for event in outcome.events]


def after(*readings: Reading, every: timedelta = MINUTE) -> tuple[SeriesState, list[Event], datetime]:
    """Take a quiet series through readings, a minute apart from noon."""
    state, now = QUIET, NOON
    events: list[Event] = []
    for one in readings:
        state, new_events, _ = step(state, one, now)
        events += new_events
        now += every
    return state, events, now


@pytest.mark.parametrize("level", [WARNING, CRITICAL])
def test_a_breach_is_told_at_once_and_only_once(level: Level) -> None:
    state, events, _ = after(reading(level), reading(level), reading(level))
    assert [(event.kind, event.level, event.at) for event in events] == [(EventKind.TRIGGERED, level, NOON)]
    assert (state.level, state.since) == (level, NOON)


def test_good_data_resolves_with_the_reason_and_leaves_nothing_to_remember() -> None:
    state, events, _ = after(reading(CRITICAL), reading(OK))
    assert [(event.kind, event.level, event.reason) for event in events[1:]] == [
        (EventKind.RESOLVED, CRITICAL, incidents.RECOVERED)
    ]
    assert events[1].since == NOON
    assert state.is_quiet


def test_an_escalation_triggers_critical_before_it_resolves_warning() -> None:
    state, _, now = after(reading(WARNING))
    outcome = step(state, reading(CRITICAL), now)
    assert told(outcome) == [(EventKind.TRIGGERED, CRITICAL), (EventKind.RESOLVED, WARNING)]
    assert outcome.state.level is CRITICAL


def test_a_de_escalation_triggers_warning_before_it_resolves_critical() -> None:
    state, _, now = after(reading(CRITICAL))
    assert told(step(state, reading(WARNING), now)) == [(EventKind.TRIGGERED, WARNING), (EventKind.RESOLVED, CRITICAL)]


def test_missing_data_neither_resolves_nor_repeats() -> None:
    state, _, now = after(reading(CRITICAL))
    outcome = step(state, reading(NO_DATA), now)
    assert told(outcome) == []
    assert outcome.state.level is CRITICAL


def test_missing_data_is_told_after_no_data_for_and_once() -> None:
    state, events, _ = after(*[reading(NO_DATA)] * 6)
    assert [(event.kind, event.level, event.at) for event in events] == [
        (EventKind.TRIGGERED, NO_DATA, NOON + 3 * MINUTE)
    ]
    assert state.no_data_open


def test_missing_data_counts_from_the_last_datapoint_so_that_a_restart_costs_nothing() -> None:
    empty_window = reading(NO_DATA, covered_until=NOON - 5 * MINUTE)
    outcome = step(QUIET, empty_window, NOON)
    assert told(outcome) == [(EventKind.TRIGGERED, NO_DATA)]
    assert outcome.events[0].since == NOON - 5 * MINUTE


def test_a_window_that_moves_on_does_not_restart_the_count() -> None:
    windows = [reading(NO_DATA, covered_until=NOON + (place - 1) * MINUTE) for place in range(4)]
    _, events, _ = after(*windows)
    assert [event.at for event in events] == [NOON + 2 * MINUTE]


def test_data_that_returns_in_time_is_no_event() -> None:
    state, events, _ = after(reading(NO_DATA), reading(NO_DATA), reading(OK))
    assert events == []
    assert state.is_quiet


def test_returning_data_resolves_the_missing_data_and_the_level_goes_on() -> None:
    state, _, now = after(reading(CRITICAL), *[reading(NO_DATA)] * 5)
    outcome = step(state, reading(CRITICAL), now)
    assert told(outcome) == [(EventKind.RESOLVED, NO_DATA)]
    assert (outcome.state.level, outcome.state.since) == (CRITICAL, NOON)


def test_returning_good_data_resolves_both() -> None:
    state, _, now = after(reading(CRITICAL), *[reading(NO_DATA)] * 5)
    outcome = step(state, reading(OK), now)
    assert told(outcome) == [(EventKind.RESOLVED, NO_DATA), (EventKind.RESOLVED, CRITICAL)]
    assert outcome.state.is_quiet


class TestNoDataAllowed:
    """`allow_no_data: true`."""

    gone = reading(NO_DATA, of=entry(no_data=NoDataPolicy.OK))

    def test_it_is_never_told(self) -> None:
        assert after(*[self.gone] * 10)[1] == []

    def test_it_resolves_what_fires_after_no_data_for_with_that_reason(self) -> None:
        _, events, _ = after(reading(CRITICAL), *[self.gone] * 5)
        assert [(event.kind, event.level, event.at, event.reason) for event in events[1:]] == [
            (EventKind.RESOLVED, CRITICAL, NOON + 4 * MINUTE, incidents.NO_DATA_IS_FINE)
        ]

    def test_allowing_it_while_it_is_open_resolves_it(self) -> None:
        state, _, now = after(*[reading(NO_DATA)] * 5)
        assert told(step(state, self.gone, now)) == [(EventKind.RESOLVED, NO_DATA)]


class TestForgotten:
    """What has had no data for a day is taken for retired."""

    def firing_then_gone(self, gone: Reading) -> Outcome:
        state, _, now = after(reading(CRITICAL), gone, gone, gone, gone, gone)
        return step(state, gone, now + FORGET_AFTER)

    def test_nothing_is_forgotten_before_it_was_missed_however_long_its_window(self) -> None:
        day = entry(no_data_for=timedelta(days=1))
        empty_day = reading(NO_DATA, of=day, covered_until=NOON - timedelta(days=1))
        first = step(QUIET, empty_day, NOON)
        assert told(first) == [(EventKind.TRIGGERED, NO_DATA)]
        assert told(step(first.state, empty_day, NOON + FORGET_AFTER)) == [(EventKind.RESOLVED, NO_DATA)]

        gone = reading(NO_DATA, of=day)
        missed = step(QUIET, gone, NOON).state
        assert told(step(missed, gone, NOON + timedelta(days=1))) == [(EventKind.TRIGGERED, NO_DATA)]

    def test_everything_open_is_resolved_as_vanished(self) -> None:
        outcome = self.firing_then_gone(reading(NO_DATA))
        assert told(outcome) == [(EventKind.RESOLVED, CRITICAL), (EventKind.RESOLVED, NO_DATA)]
        assert {event.reason for event in outcome.events} == {incidents.VANISHED}
        assert outcome.is_forgotten

    def test_a_dead_hosts_file_that_still_answers_is_not_raised_again(self) -> None:
        empty = reading(NO_DATA, covered_until=NOON)
        outcome = self.firing_then_gone(empty)
        assert not outcome.is_forgotten
        assert told(step(outcome.state, empty, NOON + 3 * FORGET_AFTER)) == []

    def test_it_comes_back_as_if_it_were_new(self) -> None:
        state = self.firing_then_gone(reading(NO_DATA, covered_until=NOON)).state
        assert told(step(state, reading(CRITICAL), NOON + 3 * FORGET_AFTER)) == [(EventKind.TRIGGERED, CRITICAL)]

    def test_an_alert_that_watches_nothing_stays_open(self) -> None:
        key = SeriesKey(KEY.alert, WHOLE_ALERT)
        state = SeriesState(key=key, no_data_since=NOON, no_data_open=True)
        outcome = step(state, reading(NO_DATA, key=key), NOON + 3 * FORGET_AFTER)
        assert (told(outcome), outcome.state) == ([], state)


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
