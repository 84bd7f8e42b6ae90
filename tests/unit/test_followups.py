"""Who else hears of an incident: fallbacks of dead notifiers, escalations of what nobody acknowledges."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from graphitepager.alerting import AlertMemory
from graphitepager.followups import Told, can_be_held, dead, escalations, fallbacks, not_held, unacknowledged
from graphitepager.model import EventKind, Incident, Matcher, SeriesKey, SeriesState, Silence
from graphitepager.reconciling import RemoteStatus
from graphitepager.records import DeliveryStatus
from graphitepager.rules import Handling, Level, MuteWindow, Route
from tests.examples import KEY, MINUTE, NOON, alert, entry
from tests.integration.pagerduty.support import message

PAGER, MAIL, BOSS = Route("pagerduty", "k" * 32), Route("mail", "ops"), Route("slack", "boss")
SENT, PENDING, DEAD = DeliveryStatus.SENT, DeliveryStatus.PENDING, DeliveryStatus.DEAD
HANDLING = {
    PAGER: Handling(name="pager", fallback=MAIL, escalate_to=BOSS, escalate_after=15 * MINUTE),
    MAIL: Handling(name="mail", fallback=BOSS),
}


def told(route: Route = PAGER, status: DeliveryStatus = SENT, *, ago: timedelta = timedelta(0), **other: Any) -> Told:
    fields: dict[str, Any] = {"incident_id": 1, "key": KEY, "level": Level.CRITICAL, "message": message()}
    return Told(route=route, status=status, at=NOON - ago, **fields | other)


@pytest.mark.parametrize(
    ("waits", "last_accepted", "is_dead"),
    [
        (4 * MINUTE, None, False),
        (5 * MINUTE, None, True),
        (9 * MINUTE, 4 * MINUTE, False),  # a queue that is long, and moves
        (9 * MINUTE, 6 * MINUTE, True),
    ],
)
def test_a_notifier_is_dead_that_took_nothing_for_five_minutes(
    waits: timedelta, last_accepted: timedelta | None, *, is_dead: bool
) -> None:
    accepted = {} if last_accepted is None else {PAGER: NOON - last_accepted}
    assert (PAGER in dead([told(status=PENDING, ago=waits)], accepted, NOON)) is is_dead


def test_nothing_waits_so_nobody_is_dead() -> None:
    assert dead([told(ago=9 * MINUTE), told(status=DEAD, ago=9 * MINUTE)], {}, NOON) == frozenset()


def test_all_that_waits_for_a_dead_notifier_goes_to_its_fallback_and_a_refused_page_at_once() -> None:
    waiting = told(status=PENDING)
    [one] = fallbacks([waiting], HANDLING, {PAGER})
    assert (one.told, one.to, one.reason) == (waiting, MAIL, "pager has taken nothing for 5min")
    assert list(fallbacks([waiting], HANDLING, ())) == []
    assert [one.reason for one in fallbacks([told(status=DEAD)], HANDLING, ())] == ["pager refused it"]


def test_a_fallback_is_told_once_and_has_a_fallback_of_its_own() -> None:
    stuck, at_mail = told(status=PENDING), told(MAIL, PENDING)
    assert list(fallbacks([stuck, at_mail], HANDLING, {PAGER})) == []
    assert [one.to for one in fallbacks([stuck, at_mail], HANDLING, {PAGER, MAIL})] == [BOSS]
    both = [stuck, told(Route("pagerduty", "x"), DEAD)]
    twice = {**HANDLING, both[1].route: HANDLING[PAGER]}
    assert [one.to for one in fallbacks(both, twice, {PAGER})] == [MAIL]


def test_an_incident_is_passed_on_once_when_its_time_is_up() -> None:
    assert unacknowledged([told(ago=14 * MINUTE)], HANDLING, NOON) == []
    [one] = unacknowledged([told(ago=15 * MINUTE)], HANDLING, NOON)
    assert (one.to, one.reason) == (BOSS, "nobody has acknowledged it at pager within 15min")
    assert unacknowledged([told(ago=15 * MINUTE), told(BOSS, DEAD)], HANDLING, NOON) == []
    assert unacknowledged([told(status=PENDING, ago=15 * MINUTE)], HANDLING, NOON) == []


@pytest.mark.parametrize(
    ("remote", "ago", "goes"),
    [
        ({"key": RemoteStatus.TRIGGERED}, 15 * MINUTE, True),
        ({"key": RemoteStatus.ACKNOWLEDGED}, 15 * MINUTE, False),
        ({}, 15 * MINUTE, False),  # closed by hand
        (None, 19 * MINUTE, False),  # perhaps it says so in a minute
        (None, 20 * MINUTE, True),
    ],
)
def test_pagerduty_says_whether_anybody_has_acknowledged(
    remote: dict[str, RemoteStatus] | None, ago: timedelta, *, goes: bool
) -> None:
    due = unacknowledged([told(ago=ago, message=message(dedup_key="key"))], HANDLING, NOON)
    assert bool(list(escalations(due, HANDLING, remote, NOON))) is goes


def test_where_nobody_can_acknowledge_nobody_has() -> None:
    handling = {MAIL: Handling(name="mail", escalate_to=BOSS, escalate_after=MINUTE)}
    due = unacknowledged([told(MAIL, ago=MINUTE)], handling, NOON)
    assert list(escalations(due, handling, {}, NOON)) == due


def test_the_change_is_the_first_trigger_with_a_reason() -> None:
    [one] = unacknowledged([told(ago=15 * MINUTE)], HANDLING, NOON)
    change = one.change(NOON)
    assert (change.event.kind, change.routes, change.message.at) == (EventKind.TRIGGERED, (BOSS,), NOON)
    assert change.message.details["passed on"] == one.reason
    assert change.message.dedup_key == message().dedup_key


LUNCH = MuteWindow(
    text="lunch",
    days=frozenset(range(7)),
    begins=time(12),
    ends=time(13),
    zone=ZoneInfo("UTC"),
    levels=frozenset({Level.CRITICAL}),
)
SWITCH = alert(name="Switch")
FIRING = SeriesState(key=SeriesKey("Switch", "s1"), incident=Incident(level=Level.CRITICAL, since=NOON, told_at=NOON))


@pytest.mark.parametrize(
    ("keys", "at", "goes"),
    [
        ({}, NOON, True),
        ({"mute": (LUNCH,)}, NOON, False),
        ({"mute": (LUNCH,)}, NOON + 60 * MINUTE, True),
        ({"mute": (replace(LUNCH, levels=frozenset({Level.WARNING})),)}, NOON, True),
        ({"depends_on": frozenset({"Switch"})}, NOON, False),
        ({"depends_on": frozenset({"Disk"})}, NOON, True),
    ],
)
def test_what_holds_back_a_page_holds_back_its_escalation(keys: dict[str, Any], at: datetime, *, goes: bool) -> None:
    due = unacknowledged([told(ago=15 * MINUTE)], HANDLING, NOON)
    alerts = {KEY.alert: alert(entry(**keys)), "Switch": SWITCH}
    memories = {"Switch": AlertMemory(states={"s1": FIRING})}
    assert can_be_held(due, alerts) is bool(keys)
    assert bool(not_held(due, alerts, memories, (), at)) is goes


def test_an_alert_that_the_file_does_not_name_is_held_back_by_a_silence_only() -> None:
    due = unacknowledged([told(ago=15 * MINUTE)], HANDLING, NOON)
    silence = Silence(
        id=1,
        matchers=(Matcher("alert", "*", is_negated=False),),
        author="me",
        comment="x",
        begins_at=NOON - MINUTE,
        ends_at=NOON + MINUTE,
    )
    assert not can_be_held(due, {})
    assert not_held(due, {}, {}, (), NOON) == due
    assert not_held(due, {}, {}, (silence,), NOON) == []
