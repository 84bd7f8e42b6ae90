"""The history: incidents, deliveries and the noise report, filtered and page by page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import URL

from graphitepager.store import Store
from tests.integration import web_scene
from tests.integration.test_web_front import text_of
from tests.integration.web_support import Pager, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ALERTS = """\
docs_url: https://wiki
alerts:
  - {name: Load, target: load, warning: 5, critical: 10}
  - {name: Slow, target: slow, warning: "> 5", for: 10min}
  - {name: Watches nothing, target: nothing.*, critical: "> 1", no_data: ok}
"""


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(URL.create("sqlite", database=str(tmp_path_factory.mktemp("web") / "state.db"))) as store:
        yield store


@pytest.fixture
def night(store: Store) -> Pager:
    return web_scene.bad_night(store)


@pytest.fixture
def weeks(store: Store) -> Pager:
    """One alert fires every other minute, one nearly does, one watches nothing."""

    def at(target: str, minute: int) -> dict[str, float]:
        if target == "load":
            return {"web1": 20.0 if minute % 2 else 1.0, "web2": 7.0 if minute in {5, 6} else 1.0}
        return {"job": 7.0 if minute % 4 == 0 else 1.0} if target == "slow" else {}

    pager = Pager(store, ALERTS, at)
    pager.poll(8)
    return pager


def test_incidents_are_listed_the_newest_first(night: Pager) -> None:
    page = client_of(night).get("/history").text
    numbers = [int(number) for number in re.findall(r'id="incident-(\d+)"', page)]
    assert numbers == sorted(numbers, reverse=True)
    assert "◆ Warning MongoDB lock : db2" in text_of(page)
    assert "nobody: silence 1 by Mara" in text_of(page)


def test_incidents_are_filtered_by_alert_level_and_day(night: Pager) -> None:
    client = client_of(night)

    def shown(query: str) -> int:
        return client.get(f"/history?{query}").text.count('id="incident-')

    assert shown("alert=MongoDB lock") == 2
    assert shown("alert=MongoDB lock&level=critical") == 1
    assert shown("from=2026-03-03&until=2026-03-03") == shown("")
    assert shown("from=2026-03-04&level=warning") == 1  # still open
    assert shown("until=2026-03-02") == 0
    assert shown("level=rubbish") == shown("")


@pytest.mark.parametrize("query", ["from=yesterday", "until=2026-13-01", "from=0001-01-01"])
def test_a_day_that_is_none_is_said(night: Pager, query: str) -> None:
    answer = client_of(night).get(f"/history?{query}")
    assert answer.status_code == 200
    assert "write a day as 2026-03-01" in answer.text


@pytest.mark.parametrize("query", ["before=x", "before=99999999999999999999999", "before=٣", "alert=%00", "page=-1"])
def test_an_address_that_makes_no_sense_harms_nothing(night: Pager, query: str) -> None:
    for path in ("/history", "/history/deliveries", "/history/noise"):
        assert client_of(night).get(f"{path}?{query}").status_code == 200


def test_long_lists_come_page_by_page(store: Store) -> None:
    pager = Pager(store, ALERTS, lambda _, minute: {f"web{i}": 20.0 if minute else 1.0 for i in range(120)})
    pager.poll(2)
    client, path = client_of(pager), "/history/deliveries?level=critical"
    seen: list[str] = []
    for _ in range(10):
        page = client.get(path).text
        seen += re.findall(r"name=(web\d+)", page)
        older = re.search(r'rel="next" href="([^"]*)"', page)
        if older is None:
            break
        path = older[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen))
    assert len(client.get("/history").text) < 80_000


def test_deliveries_tell_attempts_answers_and_how_long_it_took(night: Pager) -> None:
    night.refusing.add("pagerduty")
    night.metrics.minute += 300  # the silence is over
    night.poll(2)
    text = text_of(client_of(night).get("/history/deliveries").text)
    assert "accepted 202" in text
    assert "waits , next in" in text
    assert "503 Service Unavailable" in text
    waiting = text_of(client_of(night).get("/history/deliveries?status=pending").text)
    assert "accepted 202" not in waiting


def test_the_noise_report_names_the_loud_the_near_and_the_blind(weeks: Pager) -> None:
    text = text_of(client_of(weeks).get("/history/noise").text)
    assert re.search(r"5 pages 5 5 0 \d+ s ago Slow", text)
    assert re.search(r"0 pages 0 0 2 ", text)
    assert "Targets that match nothing 1" in text
    assert "Watches nothing nothing.*" in text
    assert re.search(r"Never fired 2 .* Slow Watches nothing", text)


def test_the_history_of_nothing_says_so(store: Store) -> None:
    pager = Pager(store, ALERTS, lambda *_: {"web1": 1.0})
    client = client_of(pager)
    assert "No incident is remembered" in text_of(client.get("/history").text)
    assert "No delivery is remembered" in text_of(client.get("/history/deliveries").text)
    assert "Nothing fired, and nothing nearly did" in client.get("/history/noise").text
