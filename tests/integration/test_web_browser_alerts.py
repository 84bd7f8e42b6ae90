"""The pages of alerts and of what happened in a real browser: on a phone, in the dark, and as axe sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration import web_scene
from tests.integration.browser_support import EVERYWHERE, PHONE, complaints_of_axe
from tests.support import eventually

if TYPE_CHECKING:
    from tests.integration.browser_support import Pages

PATHS = (
    "/alerts/MongoDB%20lock",
    "/alerts/MongoDB%20lock/series?name=db1",
    "/alerts/Disk%20used",
    "/history",
    "/history/deliveries?status=pending",
    "/history/deliveries",
    "/history/noise",
)


@EVERYWHERE
def test_axe_finds_nothing_wrong_and_all_of_it_fits(pages: Pages, size: dict[str, int], scheme: str) -> None:
    address = pages.serve(web_scene.bad_night(pages.store()))
    for path in PATHS:
        page = pages.open(address + path, size, scheme)
        assert not (found := complaints_of_axe(page)), f"{path}: {found}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def test_from_the_front_page_to_the_reason(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.bad_night(pages.store())))
    page.get_by_role("link", name="MongoDB lock", exact=True).first.click()
    page.wait_for_url("**/alerts/MongoDB%20lock")
    chart = page.locator("figure.chart img")
    assert eventually(lambda: chart.evaluate("e => e.complete && e.naturalWidth") == 760)
    assert "db1" in chart.get_attribute("alt")
    page.get_by_role("link", name="Nominal 1").click()
    assert page.locator(".list tbody tr").first.inner_text().startswith("db3")
    page.get_by_role("link", name="All 3").click()
    page.locator(".list").first.get_by_role("link", name="db1").click()
    page.wait_for_url("**/series?name=db1")
    assert "It paged: pagerduty accepted the Critical page" in page.locator(".why-now").inner_text()


def test_a_phone_gets_a_chart_of_its_own_and_cards(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.bad_night(pages.store())) + "/alerts/MongoDB%20lock", PHONE)
    chart = page.locator("figure.chart img")
    assert eventually(lambda: chart.evaluate("e => e.complete && e.naturalWidth") == 360)
    cards = page.locator(".list").first.locator("tbody tr")
    assert cards.count() == 3
    assert cards.first.evaluate("e => getComputedStyle(e).display") == "flex"


def test_the_history_is_filtered_by_a_form(pages: Pages) -> None:
    address = pages.serve(web_scene.bad_night(pages.store()))
    page = pages.open(address + "/history", java_script_enabled=False)
    page.get_by_label("Alert").select_option("MongoDB lock")
    page.get_by_label("Level").select_option("critical")
    page.get_by_role("button", name="Filter").click()
    assert page.locator(".list tbody tr").count() == 1
    page.get_by_role("link", name="Noise").click()
    assert page.get_by_role("heading", name="Pages per week").is_visible()
