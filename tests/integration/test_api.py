"""The API tells programs what the pages tell people, and takes silences; it takes nothing from where it should not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import URL

from graphitepager.store import Store
from graphitepager.web.api import operations
from graphitepager.websettings import WebSettings, parse_networks
from tests.integration.store_support import PAGERDUTY, record, triggered
from tests.integration.web_support import Pager, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

API = "/api/v1"
TOKEN = "0123456789abcdef0123"
GUARDED = WebSettings(user="oncall", password="correct horse", token=TOKEN)
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SILENCE = {"matchers": ["alert=MongoDB*"], "comment": "new disks", "length": "2h"}


@pytest.fixture(scope="module")
def pager(night: Pager) -> Pager:
    """All tests share it: none of them minds the silences of the others."""
    return night


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Pager]:
    """A pager of this test alone, in whose night nothing has happened."""
    with Store.open(URL.create("sqlite", database=str(tmp_path / "state.db"))) as store:
        yield Pager(store, "alerts: [{name: Load, target: a, warning: 1, critical: 2}]", lambda *_: {})


@pytest.fixture
def client(pager: Pager) -> FlaskClient:
    return client_of(pager)


def get(client: FlaskClient, path: str, **query: Any) -> Any:
    response = client.get(API + path, query_string=query)
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    return response.json


def problem(response: TestResponse, status: int) -> Any:
    assert (response.status_code, response.mimetype) == (status, "application/problem+json"), response.text
    assert response.json is not None
    assert response.json["status"] == status
    return response.json


def test_the_status_tells_how_bad_it_is_and_whether_the_pager_is_well(client: FlaskClient, pager: Pager) -> None:
    status = get(client, "/status")
    incidents = get(client, "/incidents", state="open")["items"]
    assert status["level"] == "critical"
    assert status["open"] == {
        level: sum(one["level"] == level for one in incidents) for level in ("critical", "no_data", "warning")
    }
    assert status["poll"]["series"] == 18
    assert datetime.fromisoformat(status["poll"]["started_at"]) == pager.now - timedelta(minutes=1)
    assert status["poll"]["started_at"].endswith("Z")
    assert {sign["name"] for sign in status["signs"]} >= {"Polling", "Graphite", "PagerDuty", "alerts.yml"}
    assert status["silences"] >= 1


def test_alerts_come_by_name_with_how_they_are(client: FlaskClient, pager: Pager) -> None:
    items = get(client, "/alerts")["items"]
    assert [one["name"] for one in items] == sorted(["graphite-pager", *(one.name for one in pager.config.alerts)])
    mongo = next(one for one in items if one["name"] == "MongoDB lock")
    assert (mongo["level"], mongo["open"]["critical"], mongo["known_series"]) == ("critical", 1, 3)
    assert mongo["targets"] == ["aliasByNode(servers.*.mongodb.lock_percent, 1)"]
    assert mongo["lines"] == [7]
    assert get(client, "/alerts", name="MongoDB lock")["items"] == [mongo]
    assert {one["level"] for one in get(client, "/alerts", level="ok")["items"]} == {"ok"}


@pytest.mark.parametrize("path", ["/alerts", "/incidents", "/deliveries"])
def test_pages_of_two_hold_the_same_as_one_of_all(client: FlaskClient, path: str) -> None:
    everything = get(client, path)["items"]
    assert len(everything) > 4
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        response = client.get(API + path, query_string={"limit": 2, **cursor})
        page = response.json
        assert page is not None
        found += page["items"]
        if page["next"] is None:
            assert "Link" not in response.headers
            break
        cursor = {"cursor": page["next"]}
        assert response.headers["Link"] == f'<{API}{path}?limit=2&cursor={page["next"]}>; rel="next"'
    assert found == everything


def test_incidents_and_deliveries_belong_together(client: FlaskClient) -> None:
    [incident] = get(client, "/incidents", series="eu-west", state="open")["items"]
    assert (incident["alert"], incident["level"], incident["closed_at"]) == ("Checkout p95", "critical", None)
    [delivery] = get(client, "/deliveries", incident=incident["id"])["items"]
    assert (delivery["kind"], delivery["notifier"], delivery["status"]) == ("trigger", "pagerduty", "sent")
    assert (delivery["series"], delivery["answer"]) == ("eu-west", "202")


def test_no_answer_holds_a_routing_key(own: Pager) -> None:
    record(own.store, triggered("a"), triggered("b"))
    client = client_of(own)
    text = "".join(client.get(API + path).text for path in ("/status", "/alerts", "/incidents", "/deliveries"))
    assert PAGERDUTY.address not in text
    assert "0123456789abcdef0123456789abcdef" not in text


def test_any_name_of_a_series_passes(own: Pager) -> None:
    names = ["<script>alert(1)</script>", "\u202edetset", "a\x00b\x1b[31m", "x" * 2000, "\ud800"]
    record(own.store, *(triggered(name) for name in names))
    client = client_of(own)
    found = [one["series"] for one in get(client, "/incidents")["items"]]
    assert found == ["\\ud800", "x" * 2000, "a\x00b\x1b[31m", "\u202edetset", "<script>alert(1)</script>"]
    assert [one["series"] for one in get(client, "/incidents", series=names[0])["items"]] == [names[0]]


def test_a_silence_is_added_shown_and_ended(client: FlaskClient, pager: Pager) -> None:
    body = SILENCE | {"author": "ann", "matchers": ["alert=MongoDB*", "series!=db9"]}
    response = client.post(f"{API}/silences", json=body)
    assert response.status_code == 201, response.text
    added: Any = response.json
    assert (added["matchers"], added["author"], added["comment"]) == (body["matchers"], "ann", "new disks")
    assert (added["state"], added["known_series"], added["not_fine"]) == ("active", 3, 2)
    lasts = datetime.fromisoformat(added["ends_at"]) - datetime.fromisoformat(added["begins_at"])
    assert lasts == timedelta(hours=2)
    shown = get(client, f"/silences/{added['id']}")
    assert get(client, "/silences", state="current")["items"][0] == shown
    assert client.delete(f"{API}/silences/{added['id']}").status_code == 204
    assert get(client, f"/silences/{added['id']}")["state"] == "ended"
    assert [one["id"] for one in get(client, "/silences", state="ended")["items"]][:1] == [added["id"]]
    problem(client.delete(f"{API}/silences/{added['id']}"), 404)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"matchers": ["alrt=x"]}, "matchers.0"),
        ({"matchers": []}, "matchers"),
        ({"comment": "  "}, "comment"),
        ({"length": "soon"}, "length"),
        ({"length": "400d"}, "length"),
        ({"length": None}, "length"),
        ({"ends_at": "2026-03-03T09:00:00Z"}, "length"),
        ({"length": None, "ends_at": "2026-03-03T01:00:00Z"}, "ends_at"),
        ({"length": None, "ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
        ({"begins_at": "9999-12-31T23:59:59Z"}, "length"),
        ({"begins_at": "tomorrow"}, "begins_at"),
        ({"author": None}, "author"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_silence_with_a_slip_in_it_is_refused_with_its_place(
    client: FlaskClient, pager: Pager, change: dict[str, Any], name: str
) -> None:
    before = pager.store.silences()
    body = {key: value for key, value in (SILENCE | {"author": "ann"} | change).items() if value is not None}
    told = problem(client.post(f"{API}/silences", json=body), 422)
    assert [fault["name"] for fault in told["faults"]] == [name]
    assert pager.store.silences() == before


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("cursor=../x", "cursor"),
        ("level=bad", "level"),
        ("since=yesterday", "since"),
        ("since=2026-02-30T00:00:00Z", "since"),
        ("lmit=5", "lmit"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(client: FlaskClient, query: str, name: str) -> None:
    told = problem(client.get(f"{API}/incidents?{query}"), 400)
    assert [fault["name"] for fault in told["faults"]] == [name]


def test_what_goes_wrong_is_told_as_a_problem(client: FlaskClient) -> None:
    problem(client.get(f"{API}/nothing"), 404)
    problem(client.get(f"{API}/silences/99999999999999999999"), 404)
    assert problem(client.put(f"{API}/silences"), 405)["title"] == "Method Not Allowed"
    problem(client.post(f"{API}/silences", data="{", content_type="application/json"), 400)
    problem(client.post(f"{API}/silences", data="a=b", content_type="application/x-www-form-urlencoded"), 415)
    large = b'{"comment": "' + b"x" * 70_000 + b'"}'
    problem(client.post(f"{API}/silences", data=large, content_type="application/json"), 413)


def test_without_a_database_that_is_what_it_says(pager: Pager, tmp_path: Path) -> None:
    def nowhere() -> Store:
        return Store.open_to_read(URL.create("sqlite", database=str(tmp_path / "missing.db")))

    response = client_of(pager, store=nowhere).get(f"{API}/status")
    assert "no graphite-pager has run there yet" in problem(response, 503)["detail"]
    assert response.headers["Retry-After"] == "10"


@pytest.mark.parametrize("operation", operations.all, ids=lambda operation: operation.name)
def test_who_is_not_let_in_gets_nothing(pager: Pager, operation: Any) -> None:
    path = API + operation.path.replace("<int:silence_id>", "1")
    response = client_of(pager, settings=GUARDED).open(path, method=operation.method, json={})
    problem(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_token_and_a_password_open_it_and_say_who_silences(pager: Pager) -> None:
    client = client_of(pager, settings=GUARDED)
    assert client.get(f"{API}/status", headers=BEARER).status_code == 200
    nameless = client.post(f"{API}/silences", json=SILENCE, headers=BEARER)
    assert problem(nameless, 422)["faults"][0]["name"] == "author"
    named = client.post(f"{API}/silences", json=SILENCE, auth=("oncall", "correct horse"))
    assert named.status_code == 201
    assert named.json is not None
    assert named.json["author"] == "oncall"


def test_nothing_is_changed_by_what_a_browser_sends_by_itself(pager: Pager) -> None:
    """A proxy that knows somebody by a cookie passes on what any page has that browser send."""
    behind = WebSettings(proxy_header="X-User", proxies=parse_networks("127.0.0.1"), token=TOKEN)
    client = client_of(pager, settings=behind)
    before = pager.store.silences()
    by_proxy = {"X-User": "ann"}
    assert client.get(f"{API}/status", headers=by_proxy).status_code == 200
    told = problem(client.post(f"{API}/silences", json=SILENCE, headers=by_proxy), 403)
    assert "Authorization" in told["detail"]
    problem(client.delete(f"{API}/silences/1", headers=by_proxy), 403)
    elsewhere = BEARER | {"Origin": "https://evil.example.com"}
    problem(client.post(f"{API}/silences", json=SILENCE | {"author": "ann"}, headers=elsewhere), 403)
    assert pager.store.silences() == before
    mine = client.post(f"{API}/silences", json=SILENCE, headers=by_proxy | BEARER)
    assert mine.status_code == 201


def test_the_document_says_whether_one_has_to_log_in(pager: Pager) -> None:
    assert client_of(pager).get(f"{API}/openapi.json").json["security"] == []  # type: ignore[index]
    guarded: Any = client_of(pager, settings=GUARDED).get(f"{API}/openapi.json", headers=BEARER).json
    assert guarded["security"] == [{"token": []}, {"password": []}]
    assert "401" in guarded["paths"][f"{API}/status"]["get"]["responses"]
