"""What programs beside the browser read of the status page: health, metrics, a badge, a feed."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import feedparser  # type: ignore[import-untyped]
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from sqlalchemy.engine import URL

from graphitepager.errors import StoreError
from graphitepager.ownmetrics import METRICS, PREFIX
from graphitepager.store import Store
from graphitepager.websettings import WebSettings
from tests.integration.store_support import record, resolved, triggered
from tests.integration.web_support import Pager, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "0123456789abcdef0123"
GUARDED = WebSettings(token=TOKEN, public_url="https://ops.example.com/pager")
BEARER = {"Authorization": f"Bearer {TOKEN}"}
AT_HOME = {"base_url": "https://ops.example.com", "headers": BEARER}
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def pager(night: Pager) -> Pager:
    """All tests share it: none of them minds the silences of the others."""
    return night


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Pager]:
    """A pager that has polled once, and nothing fires."""
    with Store.open(URL.create("sqlite", database=str(tmp_path / "state.db"))) as store:
        pager = Pager(store, "alerts: [{name: Load, target: a, warning: 1, critical: 2}]", lambda *_: {"web1": 0.5})
        pager.poll()
        yield pager


def no_store() -> Store:
    raise StoreError("database pager at db.internal:5432: connection refused")


def test_it_is_alive_whatever_has_become_of_the_database(own: Pager) -> None:
    answer = client_of(own, settings=GUARDED, store=no_store).get("/healthz", base_url="http://10.0.0.7:5000")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")


def test_it_is_ready_while_a_pager_polls_in_time(own: Pager) -> None:
    answer = client_of(own, settings=GUARDED, seconds=170).get("/readyz", base_url="http://10.0.0.7:5000")
    assert (answer.status_code, answer.text) == (200, "last poll 2min50s ago\n")


def test_it_is_not_ready_when_the_polls_have_stopped(own: Pager) -> None:
    answer = client_of(own, seconds=400).get("/readyz")
    assert (answer.status_code, answer.text) == (503, "last poll 6min40s ago, which is more than 3min\n")


def test_it_is_not_ready_before_the_first_poll(tmp_path: Path) -> None:
    with Store.open(URL.create("sqlite", database=str(tmp_path / "state.db"))) as store:
        pager = Pager(store, "alerts: [{name: Load, target: a, warning: 1, critical: 2}]", lambda *_: {})
        answer = client_of(pager).get("/readyz")
    assert (answer.status_code, answer.text) == (503, "no poll yet\n")


def test_it_is_not_ready_without_the_database_and_says_nothing_of_where_that_is(own: Pager) -> None:
    answer = client_of(own, settings=GUARDED, store=no_store).get("/readyz")
    assert answer.status_code == 503
    assert answer.text == "the database cannot be read; the log of this process says why\n"


def test_a_database_that_hangs_keeps_nobody_waiting(own: Pager) -> None:
    goes_on = threading.Event()

    def hanging() -> Store:
        goes_on.wait(60)
        return own.store

    client = client_of(own, store=hanging)
    began = time.monotonic()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "the database has not answered within 3 s\n")
    assert time.monotonic() - began < 10
    goes_on.set()
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/badge.svg", "/feed.atom"])
def test_the_rest_is_for_those_who_log_in(pager: Pager, path: str) -> None:
    client = client_of(pager, settings=WebSettings(token=TOKEN))
    assert client.get(path).status_code == 401
    assert client.get(path, headers=BEARER).status_code == 200
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_prometheus_reads_every_metric(pager: Pager) -> None:
    answer = client_of(pager).get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = {family.name: family for family in prometheus(answer.text)}
    assert families.keys() == {f"{PREFIX}_{one.name}".removesuffix("_total") for one in METRICS}
    [polls] = families[f"{PREFIX}_polls"].samples
    assert polls.value == pager.store.glance(pager.now).tallies.polls
    [sent] = [one for one in families[f"{PREFIX}_deliveries"].samples if one.labels["kind"] == "trigger"]
    assert (sent.labels["notifier"], sent.labels["result"]) == ("pagerduty", "sent")
    assert sent.value > 5
    critical = {one.labels["level"]: one.value for one in families[f"{PREFIX}_open_incidents"].samples}
    assert critical["critical"] >= 5


def test_a_scraper_that_asks_for_openmetrics_gets_that(pager: Pager) -> None:
    wanted = {"Accept": "application/openmetrics-text; version=1.0.0; charset=utf-8, text/plain;q=0.5"}
    answer = client_of(pager).get("/metrics", headers=wanted)
    assert answer.mimetype == "application/openmetrics-text"
    families = openmetrics(answer.text)  # type: ignore[no-untyped-call]
    assert {family.name for family in families} > {f"{PREFIX}_lag_seconds"}


def badge(pager: Pager, **query: str) -> str:
    answer = client_of(pager).get("/badge.svg", query_string=query)
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert "style=" not in answer.text
    return ET.fromstring(answer.text).attrib["aria-label"]  # noqa: S314 - our own


def test_a_badge_says_in_words_how_bad_it_is(pager: Pager, own: Pager) -> None:
    assert badge(own) == "graphite-pager: nothing fires"
    assert badge(pager, alert="MongoDB lock") == "MongoDB lock: 1 critical, 1 warning"
    assert badge(pager, alert="<x>") == "<x>: no such alert"


def test_a_badge_of_polls_that_have_stopped_is_not_green(own: Pager) -> None:
    answer = client_of(own, seconds=400).get("/badge.svg")
    assert "graphite-pager: not polling" in answer.text


def test_a_feed_reader_finds_the_newest_incidents(pager: Pager) -> None:
    answer = client_of(pager, settings=GUARDED).get("/pager/feed.atom", **AT_HOME)
    assert answer.mimetype == "application/atom+xml"
    feed: Any = feedparser.parse(answer.data)
    assert not feed.bozo
    assert feed.feed.title == "Incidents of graphite-pager"
    assert {link.rel: link.href for link in feed.feed.links} == {
        "self": "https://ops.example.com/pager/feed.atom",
        "alternate": "https://ops.example.com/pager/",
    }
    titles = [entry.title for entry in feed.entries]
    assert "Critical Checkout p95: eu-west" in titles
    assert any(title.startswith("Ended: Critical Login failures") for title in titles)
    newest = feed.entries[0]
    assert newest.link == "https://ops.example.com/pager/alerts/Sensor%20temperature/series?name=rack-2"
    assert newest.summary.startswith("Opened at 2026-03-03 0")


def test_every_page_says_where_the_feed_is(own: Pager) -> None:
    link = '<link rel="alternate" href="/feed.atom" type="application/atom+xml" title="Incidents">'
    assert link in client_of(own).get("/").text


def test_an_entry_keeps_its_id_when_its_incident_ends(own: Pager) -> None:
    def entries() -> list[dict[str, str | None]]:
        root = ET.fromstring(client_of(own).get("/feed.atom").text)  # noqa: S314 - our own
        names = ("id", "title", "published", "updated")
        return [{name: one.findtext(ATOM + name) for name in names} for one in root.iter(f"{ATOM}entry")]

    record(own.store, triggered("a"), triggered("b"))
    before = entries()
    record(own.store, resolved("a", at=own.now + timedelta(hours=1)))
    after = entries()
    assert [one["id"] for one in after] == [one["id"] for one in before]
    assert len({one["id"] for one in after}) == 2
    assert all((one["id"] or "").startswith("urn:uuid:") for one in after)
    assert after[1]["title"] == "Ended: Warning Load: a"
    assert (after[1]["updated"] or "") > (before[1]["updated"] or "")


def test_any_name_of_a_series_makes_a_feed_that_can_be_read(own: Pager) -> None:
    names = ["<script>alert(1)</script>", "a\x00b\x1b[31m\x0c", "\u202edetset", "\ud800", "\ufffe", "x" * 2000]
    record(own.store, *(triggered(name) for name in names))
    feed: Any = feedparser.parse(client_of(own).get("/feed.atom").data)
    assert not feed.bozo
    assert len(feed.entries) == len(names)
