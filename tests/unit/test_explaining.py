"""Why a series paged, or why not: a sentence for each reason that there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from graphitepager import storms
from graphitepager.checks import Evaluation
from graphitepager.explaining import Facts, verdict
from graphitepager.model import OWN, WHOLE_ALERT, EventKind, NearMiss, Run, SeriesKey, SeriesState
from graphitepager.records import DeliveryStatus, DeliveryStory, IncidentStory
from graphitepager.rules import Level, NoDataPolicy, OnVanish
from tests.examples import KEY, MINUTE, NOON, alert, entry, reading

FIVE = 5 * MINUTE
NOBODY_SAID = Evaluation(readings={}, owned=(frozenset({KEY.series}),))


def facts(**other: Any) -> Facts:
    rule = other.pop("entry", None) or entry()
    given: dict[str, Any] = {
        "key": KEY,
        "at": NOON,
        "is_past": False,
        "heartbeat": MINUTE,
        "alert": alert(rule, interval=other.pop("interval", timedelta(0))),
        "entry": rule,
        "evaluation": NOBODY_SAID,
        "is_known": True,
        "last_poll": NOON - MINUTE,
    }
    return Facts(**given | other)


def delivery(status: DeliveryStatus, **other: Any) -> DeliveryStory:
    given: dict[str, Any] = {
        "kind": EventKind.TRIGGERED,
        "notifier": "pagerduty",
        "status": status,
        "attempts": 0,
        "created_at": NOON - FIVE,
        "next_attempt_at": NOON + MINUTE,
        "finished_at": None if status is DeliveryStatus.PENDING else NOON - FIVE,
        "last_error": None,
        "answer": None,
    }
    return DeliveryStory(**given | other)


def incident(*deliveries: DeliveryStory, **other: Any) -> IncidentStory:
    given: dict[str, Any] = {
        "key": KEY,
        "level": Level.CRITICAL,
        "value": 82.4,
        "opened_at": NOON - FIVE,
        "closed_at": None,
        "close_reason": None,
        "held_by": None,
        "deliveries": deliveries,
    }
    return IncidentStory(**given | other)


def opened(*deliveries: DeliveryStory, **other: Any) -> str:
    rule = other.pop("entry", None)
    return verdict(facts(incidents=[incident(*deliveries, **other)], entry=rule))


def test_what_paged_has_the_answer() -> None:
    assert opened(delivery(DeliveryStatus.SENT, answer="202 Event processed", attempts=2)) == (
        "It paged: pagerduty accepted the Critical page at 11:55:00, after 2 failed attempts (202 Event processed)."
    )


def test_what_one_notifier_has_accepted_has_paged() -> None:
    both = (
        delivery(DeliveryStatus.DEAD, last_error="400"),
        delivery(DeliveryStatus.SENT, notifier="stdout", answer="ok"),
    )
    assert opened(*both) == "It paged: stdout accepted the Critical page at 11:55:00 (ok)."


def test_what_waits_to_be_sent_has_not_paged_yet() -> None:
    assert opened(delivery(DeliveryStatus.PENDING)) == (
        "It has not paged yet: its Critical page waits since 11:55:00 to be sent to pagerduty."
    )


def test_what_is_not_accepted_has_its_reason_and_its_next_attempt() -> None:
    assert opened(delivery(DeliveryStatus.PENDING, attempts=3, last_error="it answered 503")) == (
        "It has not paged yet: pagerduty has not accepted its Critical page in 3 attempts, the next is due at 12:01:00"
        " (it answered 503)."
    )


def test_what_nobody_sends_any_more_is_told() -> None:
    waiting = incident(delivery(DeliveryStatus.PENDING, attempts=3, last_error="it answered 503"))
    assert "; but no pager has polled since 11:00:00 (it answered 503)" in verdict(
        facts(incidents=[waiting], last_poll=NOON - timedelta(hours=1))
    )


def test_what_was_refused_for_good_did_not_page() -> None:
    assert opened(delivery(DeliveryStatus.DEAD, last_error="400 Invalid routing key")) == (
        "It did not page: pagerduty refused its Critical page for good at 11:55:00 (400 Invalid routing key)."
    )


def test_what_was_over_before_it_was_sent_did_not_page() -> None:
    assert opened(delivery(DeliveryStatus.CANCELLED)) == (
        "It did not page: it was over before its Critical page could be sent."
    )


@pytest.mark.parametrize(
    "held_by",
    ["silence 3 by ann until 2026-01-15 14:00 UTC: new disks", "mute window nights", "depends on Switch, which fires"],
)
def test_what_is_held_back_has_what_holds_it(held_by: str) -> None:
    assert opened(held_by=held_by) == f"It did not page: it is Critical since 11:55:00, and held back by {held_by}."


def test_in_a_storm_another_incident_pages() -> None:
    storm = incident(delivery(DeliveryStatus.SENT, answer="202"), key=SeriesKey(KEY.alert, f"{WHOLE_ALERT}critical×1"))
    assert verdict(facts(incidents=[incident(held_by=storms.HELD_BY), storm])) == (
        "It did not page by itself: too many series of the alert fire, and one incident speaks for all. That one: It"
        " paged: pagerduty accepted the Critical page at 11:55:00 (202)."
    )


def test_a_level_that_is_not_to_page_is_named() -> None:
    quiet = entry(page_on=frozenset({Level.WARNING}))
    assert opened(entry=quiet) == "It did not page: it is Critical since 11:55:00, and page_on leaves critical out."


def test_a_level_for_which_notify_has_nobody_is_named() -> None:
    assert opened(entry=entry(notify={Level.CRITICAL: ()})).endswith("and notify names nobody for critical.")


def test_without_a_routing_key_nobody_is_told() -> None:
    assert opened().endswith("and nobody is told, for want of a routing key for critical.")


def test_of_two_open_incidents_the_worse_counts() -> None:
    both = [
        incident(delivery(DeliveryStatus.SENT, answer="202"), level=Level.NO_DATA),
        incident(delivery(DeliveryStatus.SENT, answer="202")),
    ]
    assert "accepted the Critical page" in verdict(facts(incidents=both))


def test_an_alert_that_is_gone_from_the_file_is_told() -> None:
    over = incident(delivery(DeliveryStatus.SENT), closed_at=NOON - MINUTE, close_reason="removed from alerts.yml")
    assert verdict(replace(facts(incidents=[over]), alert=None, entry=None)) == (
        "It does not page: alerts.yml holds no alert of this name any more. Its last incident paged: Critical from"
        " 11:55:00 to 11:59:00 (removed from alerts.yml)."
    )


def test_while_graphite_does_not_answer_nothing_is_known() -> None:
    assert verdict(facts(failure="no answer within 10 s", evaluation=None)) == (
        "Nothing is known: Graphite gives no usable answer (no answer within 10 s), and until it does, all stays as it"
        " is."
    )


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("excluded", "exclude leaves it out."),
        ("left_out", "no entry's include takes it."),
        ("unreadable", "its points are no numbers, and it keeps the state that it had."),
    ],
)
def test_a_series_that_is_not_judged_has_the_reason(where: str, words: str) -> None:
    one = Evaluation(readings={}, owned=(frozenset(),), **{where: frozenset({KEY.series})})  # type: ignore[arg-type]
    assert verdict(facts(evaluation=one)) == f"It does not page: {words}"


def test_a_series_that_nobody_knows_gets_names_like_its_own() -> None:
    assert verdict(facts(is_known=False, similar=["db10", "db11"])) == (
        "It does not page: Graphite returns no series of this name for the alert (did you mean db10, db11?)."
    )


def test_a_good_value_says_how_far_it_has_to_go() -> None:
    assert verdict(facts(reading=reading(Level.OK, 40))) == (
        "It does not page: 40 breaches no threshold (10 to Warning)."
    )


def test_a_good_value_says_what_its_last_incident_was() -> None:
    over = incident(closed_at=NOON - MINUTE, close_reason="back to Nominal", held_by="silence 3")
    assert verdict(facts(reading=reading(Level.OK, 40), incidents=[over])).endswith(
        " Its last incident did not page: Critical from 11:55:00 to 11:59:00 (back to Nominal)."
    )


def test_a_later_entry_that_would_page_never_sees_it() -> None:
    rival = replace(entry(warning=10, critical=20), line=30)
    assert verdict(facts(reading=reading(Level.OK, 40), rivals=[rival])) == (
        "It does not page: 40 breaches no threshold of the entry that owns it (10 to Warning); the entry in line 30, by"
        " which it would be Critical, comes later and never sees it."
    )


def test_a_breach_that_has_not_lasted_is_pending() -> None:
    rule = entry(for_warning=FIVE)
    breach = replace(reading(Level.WARNING, 55, of=rule), warning_run=Run(NOON - MINUTE, is_whole_window=False))
    assert verdict(facts(entry=rule, reading=breach)) == (
        "It has not paged yet: 55 is Warning (warning at 50) since 11:59:00, and pages at 12:04:00 if that goes on"
        " (for: 5min)."
    )


def test_what_the_pager_remembers_of_a_breach_counts_before_the_window() -> None:
    rule = entry(for_critical=FIVE)
    state = SeriesState(key=KEY, critical_since=NOON - 2 * MINUTE)
    assert "since 11:58:00, and pages at 12:03:00" in verdict(
        facts(entry=rule, reading=reading(Level.CRITICAL, of=rule), state=state)
    )


def test_a_breach_that_ended_in_time_is_a_near_miss() -> None:
    miss = NearMiss(key=KEY, level=Level.WARNING, since=NOON - MINUTE, until=NOON + MINUTE)
    assert verdict(facts(entry=entry(for_warning=FIVE), near_misses=[miss], is_past=True)) == (
        "It did not page: it breached warning from 11:59:00 to 12:01:00 only, and 2min are less than its for of 5min."
    )


def test_a_breach_that_no_poll_has_seen_yet_is_for_the_next() -> None:
    assert verdict(facts(reading=reading(Level.CRITICAL))) == (
        "It has not paged yet: 82.4 is Critical (critical at 70), which the next poll will see."
    )
    assert verdict(facts(reading=reading(Level.CRITICAL), hold="mute window nights")).endswith(
        "which the next poll will see, and will be held back by mute window nights."
    )


def test_a_breach_between_two_checks_waits_for_the_interval() -> None:
    assert verdict(facts(reading=reading(Level.CRITICAL), interval=10 * MINUTE)).endswith(
        "and its interval of 10min is not over."
    )


@pytest.mark.parametrize(
    ("last_poll", "words"),
    [(None, "no pager has polled yet"), (NOON - timedelta(days=1), "no pager has polled since 2026-01-14 12:00:00")],
)
def test_a_breach_that_nobody_polls_for_asks_for_the_pager(last_poll: Any, words: str) -> None:
    assert verdict(facts(reading=reading(Level.CRITICAL), last_poll=last_poll)).endswith(f"{words}: is one running?")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (entry(no_data=NoDataPolicy.OK), "which no_data: ok (or allow_no_data) counts as fine."),
        (entry(no_data=NoDataPolicy.KEEP), "and no_data: keep leaves everything as it was."),
        (entry(on_vanish=OnVanish.HOLD), "and on_vanish: hold makes no page of that."),
        (entry(on_vanish=OnVanish.RESOLVE), "and on_vanish: resolve makes no page of that."),
    ],
)
def test_a_series_that_is_gone_has_its_policy(rule: Any, words: str) -> None:
    assert verdict(facts(entry=rule)) == f"It does not page: Graphite returns it no more, {words}"


def test_missing_data_pages_after_a_while() -> None:
    state = SeriesState(key=KEY, no_data_since=NOON - MINUTE)
    assert verdict(facts(reading=reading(Level.NO_DATA), state=state)) == (
        "It has not paged yet: it has no datapoint in the window since 11:59:00, and NO DATA pages at 12:02:00 if that"
        " goes on (no_data_for: 3min)."
    )
    assert verdict(facts(reading=reading(Level.NO_DATA))).endswith("nothing was open then; NO DATA pages after 3min.")


@pytest.mark.parametrize(
    ("since", "words"),
    [
        (NOON - MINUTE, "no incident was open: perhaps no pager polled, or by other rules."),
        (NOON + MINUTE, "nothing is remembered of any time before 12:01:00."),
        (None, "nothing is remembered of any time."),
    ],
)
def test_of_a_time_before_the_pager_nothing_is_claimed(since: datetime | None, words: str) -> None:
    past = facts(reading=reading(Level.CRITICAL), is_past=True, remembered_since=since)
    assert verdict(past) == f"It did not page: 82.4 is Critical (critical at 70), but {words}"
    missing = verdict(facts(reading=reading(Level.NO_DATA), is_past=True, remembered_since=since))
    assert ("nothing was open then" in missing) is (since == NOON - MINUTE)


def test_an_alert_as_a_whole_and_the_pager_itself_may_have_nothing_open() -> None:
    assert verdict(facts(key=SeriesKey(KEY.alert, WHOLE_ALERT))) == (
        "It does not page: nothing is open of the alert as a whole."
    )
    assert verdict(facts(key=SeriesKey(OWN, "Graphite"), evaluation=None)) == (
        "It does not page: graphite-pager has no such incident of its own open."
    )


def test_an_alert_that_has_just_lost_all_of_its_series_has_not_paged_yet() -> None:
    key = SeriesKey(KEY.alert, WHOLE_ALERT)
    state = SeriesState(key=key, no_data_since=NOON - MINUTE)
    assert verdict(facts(key=key, state=state)) == (
        "It has not paged yet: no series has come since 11:59:00, and NO DATA pages at 12:02:00 if that goes on"
        " (no_data_for: 3min)."
    )
    kept = facts(key=key, state=state, entry=entry(no_data=NoDataPolicy.KEEP))
    assert verdict(kept) == "It does not page: nothing is open of the alert as a whole."


def test_an_incident_of_the_whole_alert_is_explained_by_its_name_in_pages() -> None:
    whole = incident(delivery(DeliveryStatus.SENT, answer="202"), key=SeriesKey(KEY.alert, WHOLE_ALERT))
    assert verdict(facts(key=SeriesKey(KEY.alert, WHOLE_ALERT), incidents=[whole])).startswith("It paged: ")
