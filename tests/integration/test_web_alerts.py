"""The page of an alert says all that is known of it; the page of a series says why it paged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.integration.test_web_front import text_of
from tests.integration.web_support import Pager, app_of, client_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphitepager.store import Store
    from tests.integration.web_support import Values

ONE = "docs_url: https://wiki\nalerts: [{name: Load, target: load, warning: 5, critical: 10}]"
HOSTILE = '<script>alert("1")</script>\u202e.&?#/%' + "x" * 2000


def test_every_series_is_listed_the_worst_first(night: Pager) -> None:
    page = client_of(night).get("/alerts/MongoDB lock").text
    names = re.findall(r'<td class="main"><a href="[^"]*"><bdi>([^<]*)</bdi>', page.partition('id="incidents"')[0])
    assert names == ["db1", "db2", "db3"]
    text = text_of(page)
    assert "Series 3" in text
    assert "db1 ▲ Critical 84.92%" in text
    assert "db3 ✓ Nominal" in text


def test_what_graphite_said_of_the_last_hour_is_shown_once_it_has(night: Pager) -> None:
    app = app_of(night)
    client = app.test_client()
    assert '<svg class="spark"' not in client.get("/alerts/MongoDB lock").text
    app.extensions["site"].trends.refresh()
    page = client.get("/alerts/MongoDB lock").text
    assert page.count('<svg class="spark"') == 3
    assert re.search(r"db3 ✓ Nominal \d+(\.\d+)?% ", text_of(page))


def test_pages_of_alerts_say_that_nobody_polls_any_more(night: Pager) -> None:
    for path in ("/alerts/MongoDB lock", "/alerts/MongoDB lock/series?name=db1"):
        assert "Nobody watches" not in client_of(night).get(path).text
        later = text_of(client_of(night, seconds=1200).get(path).text)
        assert "Nobody watches: stopped: last poll 20 min ago. What is here is of then." in later


def test_what_does_not_renew_itself_says_of_when_it_is(night: Pager) -> None:
    for path in ("/alerts/MongoDB lock", "/history", "/silences"):
        assert "As of 02:58 UTC. This page does not renew itself." in text_of(client_of(night).get(path).text)
    assert "does not renew itself" not in client_of(night).get("/").text


def test_an_alert_may_be_called_as_the_pages_of_others_end(store_of: Callable[[], Store]) -> None:
    alerts = "docs_url: https://wiki\nalerts: [{name: api/series, target: load, warning: 5, critical: 10}]"
    pager = Pager(store_of(), alerts, lambda *_: {"web1": 20.0})
    pager.poll()
    client = client_of(pager)
    page = client.get("/alerts/api/series")
    assert "<h1><bdi>api/series</bdi></h1>" in page.text
    assert "web1" in client.get("/alerts/api/series/series?name=web1").text
    assert client.get("/alerts/nothing/series").status_code == 404


def test_no_parameter_of_an_address_says_where_the_links_of_a_page_lead(night: Pager) -> None:
    client = client_of(night)
    asked = "endpoint=x&_method=x&_external=1&_scheme=ftp&_anchor=x"
    for path in ("/alerts/MongoDB lock", "/alerts/MongoDB lock/series?name=db1", "/history?before=1"):
        page = client.get(f"{path}{'&' if '?' in path else '?'}{asked}")
        assert page.status_code == 200, path
        assert "localhost" not in page.text, path


def test_the_configuration_is_what_show_prints(night: Pager) -> None:
    page = client_of(night).get("/alerts/MongoDB lock").text
    assert "# alerts.yml:7\n  - name: MongoDB lock\n    target: aliasByNode(servers.*.mongodb.lock_percent, 1)" in page
    assert "https://graphite.example.com/render?target=aliasByNode" in page


def test_incidents_and_pages_of_the_alert_are_there(night: Pager) -> None:
    text = text_of(client_of(night).get("/alerts/MongoDB lock").text)
    assert "2 pages this week, 2 in 12 weeks" in text
    assert "▲ Critical db1 01:56 UTC" in text or re.search(
        r"▲ Critical db1 \d\d:\d\d UTC 1\d min, open PagerDuty", text
    )


def test_an_alert_that_never_fired_says_so(night: Pager) -> None:
    assert "It never fired, as far as the database remembers" in client_of(night).get("/alerts/Disk used").text


@pytest.mark.parametrize("path", ["/alerts/Nobody", "/alerts/Nobody/", "/alerts/"])
def test_what_nobody_knows_is_not_found(night: Pager, path: str) -> None:
    assert client_of(night).get(path).status_code == 404


def test_the_pager_itself_has_a_page(night: Pager) -> None:
    answer = client_of(night).get("/alerts/graphite-pager")
    assert answer.status_code == 200
    assert "By this the pager watches itself" in answer.text


def test_an_alert_that_is_gone_from_the_file_still_has_its_past(store_of: Callable[[], Store]) -> None:
    pager = Pager(store_of(), ONE, lambda *_: {"web1": 20.0})
    pager.poll(2)
    other = Pager(pager.store, ONE.replace("name: Load", "name: Other"), lambda *_: {"web1": 1.0})
    other.metrics.minute = 5
    other.poll(2)
    page = client_of(other).get("/alerts/Load").text
    assert "alerts.yml holds no alert of this name any more" in page
    assert "web1" in page


def test_a_series_says_why_it_paged(night: Pager) -> None:
    text = text_of(client_of(night).get("/alerts/MongoDB lock/series?name=db1").text)
    assert "It paged: pagerduty accepted the Critical page at" in text
    assert "entry alerts.yml:7" in text
    assert "judged" in text
    assert "Critical incident opens at 79.65" in text


def test_a_series_that_is_silenced_says_by_whom(night: Pager) -> None:
    text = text_of(client_of(night).get("/alerts/Queue depth/series?name=invoices").text)
    assert "It did not page" in text
    assert "by Mara" in text


def test_a_name_that_nobody_knows_says_what_is_like_it(night: Pager) -> None:
    page = client_of(night).get("/alerts/MongoDB lock/series?name=db11").text
    assert "did you mean db1" in text_of(page)


def test_while_graphite_is_down_the_page_of_a_series_says_so_at_once(store_of: Callable[[], Store]) -> None:
    pager = Pager(store_of(), ONE, lambda *_: {"web1": 1.0})
    pager.poll(3)
    pager.metrics.is_down = True
    text = text_of(client_of(pager).get("/alerts/Load/series?name=web1").text)
    assert "Graphite gives no usable answer (connection refused)" in text


class TestChart:
    """The picture of a series."""

    def test_it_shows_values_thresholds_and_incidents(self, night: Pager) -> None:
        answer = client_of(night).get("/alerts/MongoDB lock/chart.svg?series=db1&time=hour")
        assert answer.status_code == 200
        assert answer.content_type == "image/svg+xml; charset=utf-8"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        ET.fromstring(answer.text)  # noqa: S314 - our own
        assert "critical 70%" in answer.text
        assert "Critical from 03 Mar" in answer.text
        assert 'class="stroke"' in answer.text

    def test_silences_and_mute_windows_are_hatched(self, night: Pager) -> None:
        silenced = client_of(night).get("/alerts/Queue depth/chart.svg?series=invoices&time=hour").text
        assert "silenced by Mara until 03 Mar 05:24: consumer redeploy" in silenced
        muted = client_of(night).get("/alerts/Nightly export/chart.svg?series=export-orders").text
        assert "mute window backups until" in muted

    def test_it_says_what_is_wrong_where_there_is_nothing_to_draw(self, night: Pager) -> None:
        answer = client_of(night).get("/alerts/MongoDB lock/chart.svg?series=gone")
        assert "Graphite returns no series of this name" in answer.text
        assert "alerts.yml holds no alert" in client_of(night).get("/alerts/Nobody/chart.svg?series=x").text


def many(_: str, minute: int) -> Values:
    return {f"web{number:05}": 20.0 if number < 3 and minute else 1.0 for number in range(10_000)}


def test_ten_thousand_series_are_filtered_and_come_page_by_page(store_of: Callable[[], Store]) -> None:
    pager = Pager(store_of(), ONE, many)
    pager.poll(2)
    client = client_of(pager)
    first = client.get("/alerts/Load")
    assert len(first.data) < 60_000
    assert "page 1 of 200" in text_of(first.text)
    assert first.text.index("web00002") < first.text.index("web00003")
    last = text_of(client.get("/alerts/Load?page=200").text)
    assert "web09999" in last
    assert "web09949" not in last
    found = client.get("/alerts/Load?q=web0123&state=ok").text
    assert "10 of 10000" in text_of(found)
    assert client.get("/alerts/Load?page=99999999999999999999").status_code == 200
    assert "No series fits this filter" in client.get("/alerts/Load?q=nothing").text


@pytest.mark.parametrize("name", [HOSTILE, "a/b//c", "..", "ü\u200fö", "\ud800"])
def test_hostile_names_are_text_and_nothing_else(store_of: Callable[[], Store], name: str) -> None:
    pager = Pager(store_of(), ONE, lambda _, minute: {name: 20.0 if minute else 1.0})
    pager.poll(2)
    client = client_of(pager)
    page = client.get("/alerts/Load").text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    link = re.search(r'<td class="main"><a href="([^"]*)"', page)
    assert link is not None
    of_series = client.get(link[1].replace("&amp;", "&"))
    assert of_series.status_code == 200
    assert "It paged" in of_series.text or name == "\ud800"
    picture = re.search(r'<img src="([^"]*)"', page)
    assert picture is not None
    ET.fromstring(client.get(picture[1].replace("&amp;", "&")).text)  # noqa: S314 - our own


def test_no_secret_is_shown(store_of: Callable[[], Store]) -> None:
    alerts = ONE.replace("critical: 10", "critical: 10, pagerduty_key: 0123456789abcdef0123456789abcdef")
    pager = Pager(store_of(), alerts, lambda *_: {"web1": 20.0})
    pager.poll(2)
    for path in ("/alerts/Load", "/alerts/Load/series?name=web1"):
        assert "0123456789abcdef" not in client_of(pager).get(path).text
