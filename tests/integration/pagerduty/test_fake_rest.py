"""The fake's REST API lists what its Events API opened, and refuses what PagerDuty's refuses."""

from __future__ import annotations

import http.client
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.fakes.pagerduty import FakePagerDuty, Fault
from tests.integration.pagerduty.support import KEY, NOON, Clock, Reply, follow_up, post, trigger

OTHER_KEY = KEY.swapcase()
OPEN = [("statuses[]", "triggered"), ("statuses[]", "acknowledged"), ("date_range", "all")]


@pytest.fixture
def fake(clocked_fake: FakePagerDuty) -> FakePagerDuty:
    return clocked_fake


def get(
    fake: FakePagerDuty,
    query: list[tuple[str, str]] | str = "",
    *,
    path: str = "/incidents",
    method: str = "GET",
    **headers: str,
) -> Reply:
    """Ask as the documentation says; a header that is given empty is left out."""
    everything = {
        "Authorization": f"Token token={fake.api_token}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    } | headers
    with closing(http.client.HTTPConnection("127.0.0.1", fake.port, timeout=5)) as connection:
        text = query if isinstance(query, str) else urlencode(query)
        sent = {name: value for name, value in everything.items() if value}
        connection.request(method, f"{path}?{text}" if text else path, headers=sent)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


def listed(fake: FakePagerDuty, *query: tuple[str, str]) -> list[dict[str, Any]]:
    reply = get(fake, [*OPEN, *query])
    assert reply.status == 200, reply.body
    incidents: list[dict[str, Any]] = reply.json["incidents"]
    return incidents


def test_an_opened_incident_is_listed_with_what_people_need(fake: FakePagerDuty) -> None:
    post(fake, trigger())
    (incident,) = listed(fake)
    assert {name: incident[name] for name in ("id", "title", "status", "created_at", "html_url")} == {
        "id": "Q000001",
        "title": "db1 is 82.4",
        "status": "triggered",
        "created_at": "2026-03-01T12:00:00Z",
        "html_url": "https://example.pagerduty.com/incidents/Q000001",
    }
    assert incident["service"]["summary"] == "Service 1"


def test_the_key_is_that_of_the_alert_and_the_incident_shows_none(fake: FakePagerDuty) -> None:
    post(fake, trigger())
    (incident,) = listed(fake)
    (alert,) = get(fake, path=f"/incidents/{incident['id']}/alerts").json["alerts"]
    assert (incident["incident_key"], incident["alert_counts"]["all"]) == (None, 1)
    assert (alert["alert_key"], alert["status"]) == ("db1", "triggered")


def test_a_service_that_makes_no_alerts_shows_the_incidents_key(clock: Clock) -> None:
    with FakePagerDuty(clock=clock, makes_alerts=False) as fake:
        post(fake, trigger())
        (incident,) = listed(fake)
        assert (incident["incident_key"], incident["alert_counts"]["all"]) == ("db1", 0)
        assert get(fake, path=f"/incidents/{incident['id']}/alerts").json["alerts"] == []


def test_an_acknowledged_incident_is_open_and_a_resolved_one_is_not(fake: FakePagerDuty) -> None:
    for name in ("db1", "db2", "db3"):
        post(fake, trigger(dedup_key=name))
    fake.acknowledge(KEY, "db2")
    post(fake, follow_up("resolve", dedup_key="db3"))
    assert [incident["status"] for incident in listed(fake)] == ["triggered", "acknowledged"]
    assert [one["status"] for one in get(fake, [("statuses[]", "resolved")]).json["incidents"]] == ["resolved"]
    closed = get(fake, [("statuses[]", "triggered")], path="/incidents/Q000003/alerts")
    assert closed.json["alerts"] == []


def test_a_key_finds_its_incident(fake: FakePagerDuty) -> None:
    for name in ("db1", "db2"):
        post(fake, trigger(dedup_key=name))
    assert [incident["id"] for incident in listed(fake, ("incident_key", "db2"))] == ["Q000002"]
    assert listed(fake, ("incident_key", "db")) == []


def test_each_routing_key_is_a_service(fake: FakePagerDuty) -> None:
    post(fake, trigger())
    post(fake, trigger(routing_key=OTHER_KEY))
    assert [incident["service"]["summary"] for incident in listed(fake)] == ["Service 1", "Service 2"]


def test_without_a_range_only_a_month_is_listed(fake: FakePagerDuty, clock: Clock) -> None:
    post(fake, trigger())
    clock.now = NOON + timedelta(days=31)
    assert get(fake).json["incidents"] == []
    assert len(listed(fake)) == 1


def test_pages_follow_each_other_until_there_is_no_more(fake: FakePagerDuty) -> None:
    for number in range(5):
        post(fake, trigger(dedup_key=f"db{number}"))
    pages = [get(fake, [*OPEN, ("limit", "2"), ("offset", str(offset))]).json for offset in (0, 2, 4)]
    assert [[incident["incident_number"] for incident in page["incidents"]] for page in pages] == [[1, 2], [3, 4], [5]]
    assert [(page["limit"], page["offset"], page["more"], page["total"]) for page in pages] == [
        (2, 0, True, None),
        (2, 2, True, None),
        (2, 4, False, None),
    ]
    assert get(fake, [*OPEN, ("total", "true")]).json["total"] == 5
    newest = get(fake, [*OPEN, ("sort_by", "created_at:desc"), ("limit", "1")]).json["incidents"]
    assert newest[0]["incident_number"] == 5


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("limit=101", "'limit' must be"),
        ("limit=0", "'limit' must be"),
        ("limit=100&offset=9901", "must not come to more than 10000"),
        ("offset=-1", "'offset' and 'limit'"),
        ("statuses[]=open", "'statuses[]'"),
        ("statuses=triggered", "'statuses' does not belong here"),
        ("incident_key=", "asks for everything"),
        ("date_range=week", "'date_range'"),
        ("sort_by=created_at:up", "'sort_by'"),
        ("total=1", "'total'"),
        ("offset=1&offset=2", "more than once"),
    ],
)
def test_a_question_that_breaks_a_rule_is_refused_and_remembered(
    fake: FakePagerDuty, query: str, complaint: str
) -> None:
    reply = get(fake, query)
    assert (reply.status, reply.json["error"]["code"]) == (400, 2001)
    assert complaint in " ".join(reply.json["error"]["errors"])
    assert len(fake.rejected()) == 1


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer abc"}, 401),
        ({"Authorization": "Token abc"}, 401),
        ({"Accept": ""}, 406),
        ({"Accept": "application/json"}, 406),
        ({"method": "POST"}, 405),
        ({"method": "DELETE"}, 405),
        ({"path": "/incidents/"}, 404),
        ({"path": "/incidents/Q000001/notes"}, 404),
    ],
)
def test_who_does_not_ask_as_the_documentation_says_gets_no_list(
    fake: FakePagerDuty, how: dict[str, Any], status: int
) -> None:
    assert get(fake, **how).status == status
    assert [refusal.status for refusal in fake.rejected()] == [status]


def test_a_wrong_token_is_the_users_mistake(fake: FakePagerDuty) -> None:
    reply = get(fake, Authorization="Token token=u+wr0ng")
    assert (reply.status, reply.json["error"]["code"], fake.rejected()) == (401, 2006, ())


def test_the_alerts_of_an_unknown_incident_are_not_found(fake: FakePagerDuty) -> None:
    assert get(fake, path="/incidents/Q000009/alerts").status == 404
    assert fake.rejected() == ()


def test_its_faults_are_its_own(fake: FakePagerDuty) -> None:
    fake.fail_next_listing(Fault.RATE_LIMITED_FOR_SECONDS)
    fake.rest_fault = Fault.UNAVAILABLE
    assert post(fake, trigger()).status == 202
    limited = get(fake)
    assert (limited.status, limited.headers["ratelimit-reset"], limited.headers["Retry-After"]) == (429, "30", None)
    assert limited.json["error"]["code"] == 2020
    assert get(fake).status == 503
    fake.rest_fault = None
    fake.fail_next(Fault.UNAVAILABLE)
    assert get(fake).status == 200
    assert post(fake, trigger()).status == 503
