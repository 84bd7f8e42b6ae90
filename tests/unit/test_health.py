"""graphite-pager's own troubles are incidents like any other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from graphitepager import alerting, health, telling
from graphitepager.alerting import AlertMemory
from graphitepager.messages import render
from graphitepager.telling import Holds
from tests.examples import GRAPHITE_URL, MINUTE, NOON, settings

if TYPE_CHECKING:
    from datetime import datetime

OWN = health.own_alert(settings())


class Pager:
    """Polls itself every minute from noon."""

    def __init__(self) -> None:
        self.memory = AlertMemory()
        self.now = NOON

    def poll(self, unanswered: dict[str, datetime] | None = None, file_trouble: str | None = None) -> list[str]:
        """Return the summaries of what is told."""
        since = unanswered or {}
        evaluation = health.examine(OWN, since, "timed out", file_trouble, alerts=40)
        progress = alerting.advance(OWN, evaluation, health.began(self.memory, since), self.now)
        told = telling.tell(OWN, progress, self.now, Holds())
        self.memory = told.memory
        self.now += MINUTE
        return [render(event, GRAPHITE_URL).summary for event in told.events]


def test_an_outage_of_graphite_is_one_incident_after_three_minutes() -> None:
    pager = Pager()
    everything = {f"alert {number}": NOON for number in range(40)}
    assert [pager.poll(everything) for _ in range(5)] == [
        [],
        [],
        [],
        ["NO DATA graphite-pager: Graphite unreachable: no usable answer for 40 of 40 alerts (timed out), for 3min"],
        [],
    ]
    assert pager.poll() == ["RESOLVED graphite-pager: Graphite was NO DATA for 5min (data is back)"]


def test_alerts_that_fail_for_a_poll_each_are_no_outage() -> None:
    pager = Pager()
    assert [pager.poll({f"alert {minute}": pager.now}) for minute in range(10)] == [[]] * 10


def test_one_alert_that_goes_unanswered_is_told_too() -> None:
    pager = Pager()
    told = [pager.poll({"broken": NOON}) for _ in range(4)]
    assert "for 1 of 40 alerts" in told[-1][0]


def test_an_outage_of_days_is_never_forgotten() -> None:
    pager = Pager()
    for _ in range(4):
        pager.poll({"Load": NOON})
    pager.now += timedelta(days=3)
    assert all("still" in text or "unreachable" in text for text in pager.poll({"Load": NOON}))
    assert pager.memory.states["Graphite"].no_data is not None


def test_a_file_that_is_no_good_is_an_incident_at_once_and_ends_when_it_is() -> None:
    pager = Pager()
    trouble = "alerts.yml:3:5: unknown key 'warnin'"
    assert pager.poll(file_trouble=trouble) == [
        f"WARNING graphite-pager: alerts.yml is no good, the last good one goes on: {trouble}"
    ]
    assert pager.poll(file_trouble=trouble) == []
    assert pager.poll() == ["RESOLVED graphite-pager: alerts.yml was Warning for 2min (back to Nominal)"]
    assert pager.memory.states["alerts.yml"].incident is None


def test_a_pager_without_trouble_remembers_nothing() -> None:
    pager = Pager()
    assert pager.poll() == []
    assert pager.memory.states == {}
