"""The fake PagerDuty takes what PagerDuty takes, refuses what it refuses, and keeps incidents as PagerDuty does."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.pagerduty import Effect, FakePagerDuty, Status
from tests.integration.pagerduty.support import JSON, KEY, NOON, Clock, follow_up, post, trigger, without

OTHER_KEY = KEY.swapcase()


@pytest.fixture
def fake(clocked_fake: FakePagerDuty) -> FakePagerDuty:
    return clocked_fake


RICH = {
    "timestamp": "2026-03-01T12:00:00+00:00",
    "component": "mongod",
    "group": "databases",
    "class": "lock",
    "custom_details": {"value": 82.4},
}


@pytest.mark.parametrize(
    "event",
    [
        trigger(),
        trigger(RICH),
        trigger({"severity": "info"}),
        trigger({"summary": "x" * 1024}, dedup_key="y" * 255),
        trigger(links=[{"href": "https://wiki/db1", "text": "Runbook"}], images=[{"src": "https://graphs/db1.png"}]),
        trigger(client="graphite-pager", client_url="https://status"),
        follow_up("acknowledge"),
        follow_up("resolve"),
        json.dumps(trigger({"summary": "Größe 測定 🔥"}), ensure_ascii=False).encode(),
    ],
)
def test_what_follows_the_rules_is_accepted(fake: FakePagerDuty, event: object) -> None:
    reply = post(fake, event)
    assert (reply.status, reply.json["status"], reply.json["message"]) == (202, "success", "Event processed")
    assert (len(fake.events()), fake.rejected()) == (1, ())


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        (b"", "invalid JSON"),
        (b"not JSON", "invalid JSON"),
        (b"\xff{}", "invalid JSON"),
        (b'["trigger"]', "must be a JSON object"),
        (trigger({"custom_details": {"value": float("nan")}}), "NaN is not JSON"),
        (trigger({"custom_details": {"value": float("-inf")}}), "-Infinity is not JSON"),
        (trigger({"summary": "\ud800"}), "surrogates not allowed"),
        (without(trigger(), "routing_key"), "'routing_key'"),
        (trigger(routing_key=KEY[:-1]), "'routing_key'"),
        (trigger(routing_key=KEY[:-1] + "-"), "'routing_key'"),
        (follow_up("trigger"), "'payload' must be an object"),
        (follow_up("snooze"), "'event_action'"),
        (follow_up("Resolve"), "'event_action'"),
        (without(follow_up("resolve"), "event_action"), "'event_action'"),
        (trigger({"summary": None}), "'payload.summary'"),
        (trigger({"summary": "  "}), "'payload.summary'"),
        (trigger({"summary": "x" * 1025}), "'payload.summary'"),
        (trigger({"source": ""}), "'payload.source'"),
        (trigger({"severity": "CRITICAL"}), "'payload.severity'"),
        (trigger({"severity": None}), "'payload.severity'"),
        (trigger({"timestamp": "yesterday"}), "'payload.timestamp'"),
        (trigger({"timestamp": 1_772_366_400}), "'payload.timestamp'"),
        (trigger({"custom_details": "value: 82.4"}), "'payload.custom_details'"),
        (trigger({"component": None}), "'payload.component'"),
        (trigger({"clas": "lock"}), "'payload.clas' does not belong here"),
        (trigger(dedupe_key="db1"), "'dedupe_key' does not belong here"),
        (trigger(dedup_key=""), "'dedup_key'"),
        (trigger(dedup_key="y" * 256), "'dedup_key'"),
        (trigger(client=1), "'client'"),
        (trigger(client_url="status"), "'client_url'"),
        (trigger(links={"href": "https://wiki"}), "'links'"),
        (trigger(links=["https://wiki"]), "'links'"),
        (trigger(links=[{"text": "Runbook"}]), "'links'"),
        (trigger(links=[{"href": "https://[wiki"}]), "'links'"),
        (trigger(links=[{"href": "javascript:alert(1)"}]), "'links'"),
        (trigger(images=[{"src": "http://graphs/db1.png"}]), "'images'"),
        (without(follow_up("resolve"), "dedup_key"), "'dedup_key' is required"),
        (without(follow_up("acknowledge"), "dedup_key"), "'dedup_key' is required"),
        (follow_up("resolve", payload=trigger()["payload"]), "'payload' does not belong here"),
        (follow_up("acknowledge", payload={}), "'payload' does not belong here"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_remembered(fake: FakePagerDuty, event: object, complaint: str) -> None:
    reply = post(fake, event)
    assert (reply.status, reply.json["status"]) == (400, "invalid event")
    assert complaint in " ".join(reply.json["errors"])
    assert fake.rejected()[0].errors == tuple(reply.json["errors"])
    assert (fake.events(), fake.incidents()) == ((), ())


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"path": "/v2/enqueue/"}, 404),
        ({"path": "/v2/enqueue?debug=1"}, 404),
        ({"path": "/v2/change/enqueue"}, 404),
        ({"headers": {}}, 415),
        ({"headers": {"Content-Type": "application/x-www-form-urlencoded"}}, 415),
        ({"headers": JSON | {"Content-Length": "1000000000"}}, 411),
    ],
)
def test_what_is_not_a_post_of_json_to_the_one_path_is_refused(
    fake: FakePagerDuty, how: dict[str, Any], status: int
) -> None:
    assert post(fake, trigger(), **how).status == status
    assert [refusal.status for refusal in fake.rejected()] == [status]
    assert fake.events() == ()


def test_a_content_type_may_name_its_charset(fake: FakePagerDuty) -> None:
    assert post(fake, trigger(), headers={"Content-Type": "application/json; charset=utf-8"}).status == 202


def test_512000_bytes_are_accepted_and_one_more_is_not(fake: FakePagerDuty) -> None:
    overhead = len(json.dumps(trigger({"custom_details": {"log": ""}})).encode())
    biggest = trigger({"custom_details": {"log": "x" * (512_000 - overhead)}})
    assert post(fake, biggest).status == 202
    biggest["payload"]["custom_details"]["log"] += "x"
    assert post(fake, biggest).status == 413


def test_one_connection_carries_many_requests(fake: FakePagerDuty) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", fake.port, timeout=5)) as connection:
        for event in (trigger(), {}, follow_up("resolve")):
            connection.request("POST", "/v2/enqueue", json.dumps(event), JSON)
            connection.getresponse().read()
    assert [event.action for event in fake.events()] == ["trigger", "resolve"]


def test_a_trigger_opens_an_incident_and_its_resolve_closes_it(fake: FakePagerDuty, clock: Clock) -> None:
    post(fake, trigger())
    (opened,) = fake.open_incidents()
    clock.now += timedelta(minutes=5)
    post(fake, follow_up("resolve"))
    (closed,) = fake.incidents()
    assert (opened.title, opened.severity, opened.status, opened.opened_at, opened.closed_at) == (
        *("db1 is 82.4", "critical", Status.TRIGGERED),
        *(NOON, None),
    )
    assert (closed.status, closed.closed_at) == (Status.RESOLVED, NOON + timedelta(minutes=5))
    assert [event.action for event in closed.log] == ["trigger", "resolve"]
    assert fake.open_incidents() == ()


def test_a_trigger_without_a_dedup_key_gets_one(fake: FakePagerDuty) -> None:
    generated = post(fake, without(trigger(), "dedup_key")).json["dedup_key"]
    post(fake, without(trigger(), "dedup_key"))
    post(fake, follow_up("resolve", dedup_key=generated))
    assert [incident.is_open for incident in fake.incidents()] == [False, True]


def test_a_trigger_for_an_open_incident_changes_its_summary_but_never_its_title(fake: FakePagerDuty) -> None:
    post(fake, trigger())
    post(fake, trigger({"summary": "db1 is 99"}))
    (incident,) = fake.incidents()
    assert (incident.title, incident.summary, len(incident.log)) == ("db1 is 82.4", "db1 is 99", 2)


def test_urgency_can_only_rise_and_wakes_somebody_when_it_does(fake: FakePagerDuty) -> None:
    for severity in ("warning", "critical", "info"):
        post(fake, trigger({"severity": severity}))
    (incident,) = fake.incidents()
    assert (incident.severity, incident.notifications) == ("critical", 2)


def test_a_trigger_for_an_acknowledged_incident_wakes_nobody(fake: FakePagerDuty) -> None:
    post(fake, trigger({"severity": "warning"}))
    fake.acknowledge(KEY, "db1")
    post(fake, trigger({"severity": "critical"}))
    (incident,) = fake.open_incidents()
    assert (incident.status, incident.notifications) == (Status.ACKNOWLEDGED, 1)


def test_a_trigger_after_the_resolve_opens_a_new_incident(fake: FakePagerDuty) -> None:
    for event in (trigger(), follow_up("resolve"), trigger({"summary": "db1 again"})):
        post(fake, event)
    assert [(incident.title, incident.is_open) for incident in fake.incidents()] == [
        ("db1 is 82.4", False),
        ("db1 again", True),
    ]


@pytest.mark.parametrize("other", [{"routing_key": OTHER_KEY}, {"dedup_key": "DB1"}])
def test_a_resolve_with_another_key_is_accepted_and_resolves_nothing(
    fake: FakePagerDuty, other: dict[str, str]
) -> None:
    post(fake, trigger())
    assert post(fake, follow_up("resolve", **other)).status == 202
    assert fake.open_incidents()[0].status is Status.TRIGGERED


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_an_unknown_dedup_key_is_accepted_to_no_effect(fake: FakePagerDuty, action: str) -> None:
    assert post(fake, follow_up(action)).status == 202
    assert (fake.events()[0].effect, fake.incidents()) == (Effect.NOTHING, ())


def test_humans_can_take_and_close_an_incident_by_hand(fake: FakePagerDuty) -> None:
    post(fake, trigger())
    fake.resolve(KEY, "db1")
    assert fake.incidents()[0].closed_at == NOON
    with pytest.raises(KeyError):
        fake.acknowledge(KEY, "db1")


def test_the_121st_event_within_a_minute_is_not_ingested(fake: FakePagerDuty, clock: Clock) -> None:
    for second in range(120):
        clock.now = NOON + timedelta(seconds=second / 4)
        assert post(fake, trigger(dedup_key=f"db{second}")).status == 202
    clock.now = NOON + timedelta(seconds=40)
    late = post(fake, trigger(dedup_key="late"))
    assert (late.status, late.headers["Retry-After"], len(fake.events())) == (429, "20", 120)
    assert post(fake, trigger(routing_key=OTHER_KEY)).status == 202
    clock.now = NOON + timedelta(seconds=60)
    assert post(fake, trigger(dedup_key="late")).status == 202
    assert post(fake, trigger(dedup_key="later")).status == 429
    assert fake.rejected() == ()


def test_the_429_may_leave_out_when_to_come_back(clock: Clock) -> None:
    with FakePagerDuty(clock=clock, rate_limit=1, tells_retry_after=False) as fake:
        post(fake, trigger())
        assert "Retry-After" not in post(fake, trigger()).headers
