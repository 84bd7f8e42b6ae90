"""The status page in a real browser: on a phone, in the dark, by keyboard, for people who do not see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration import web_scene
from tests.integration.browser_support import EVERYWHERE, PHONE, complaints_of_axe
from tests.integration.web_support import Pager
from tests.support import eventually

if TYPE_CHECKING:
    from graphitepager.store import Store
    from tests.integration.browser_support import Pages


def series(page: Any) -> list[str]:
    """The rows that can be seen."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('.row .series')].filter(e => e.offsetParent).map(e => e.innerText)"
    )
    return found


PATHS = ("/", "/silences", "/silences/new?alert=MongoDB+lock&series=db1", "/nowhere", "/?q=nothing+like+it")


@EVERYWHERE
def test_no_page_has_anything_that_axe_finds_wrong(pages: Pages, size: dict[str, int], scheme: str) -> None:
    for make, paths in ((web_scene.bad_night, PATHS), (web_scene.nothing_fires, ("/",))):
        address = pages.serve(make(pages.store()))
        for path in paths:
            page = pages.open(address + path, size, scheme, expected="404")
            assert not (found := complaints_of_axe(page)), f"{path}: {found}"


@EVERYWHERE
def test_every_page_fits_the_window_and_every_text_can_be_read(pages: Pages, size: dict[str, int], scheme: str) -> None:
    address = pages.serve(web_scene.bad_night(pages.store()))
    for path in PATHS:
        page = pages.open(address + path, size, scheme, expected="404")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        sizes = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.innerText && e.offsetParent)"
            ".map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert min(sizes) >= 12


def test_in_the_dark_it_is_dark(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.nothing_fires(pages.store())), scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"


def test_on_a_phone_what_is_broken_is_on_the_first_screen(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.bad_night(pages.store())), PHONE)
    runbook = page.locator(".runbook").first.bounding_box()
    assert runbook["y"] + runbook["height"] < PHONE["height"]
    assert runbook["height"] >= 40  # a thumb's width


def test_it_filters_as_one_types_and_keeps_that_in_the_address(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.bad_night(pages.store())))
    assert len(series(page)) == 10
    page.locator("#filter").press_sequentially("graph")  # which each row has a link to, and none is called
    assert series(page) == []
    page.locator("#filter").fill("")
    page.locator("#filter").press_sequentially("mongo db2")
    assert series(page) == ["db2"]
    page.wait_for_url("**/?q=mongo+db2")
    page.wait_for_selector(".found")
    assert page.locator("#filter").evaluate("e => e === document.activeElement")
    page.locator("#filter").fill("")
    assert eventually(lambda: len(series(page)) == 10)
    page.locator("#level").select_option("no_data")
    assert eventually(lambda: sorted(series(page)) == ["rack-2", "rack-3"])


def test_without_a_script_the_filter_is_a_form(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.bad_night(pages.store())), java_script_enabled=False)
    page.locator("#filter").fill("team=dba")
    page.locator("#level").select_option("critical")
    page.get_by_role("button", name="Filter").click()
    assert page.locator(".row .series").all_inner_texts() == ["db1", "invoices"]
    page.get_by_role("link", name="Show all").click()
    assert page.locator(".row").count() == 10


@pytest.mark.parametrize("with_script", [True, False])
def test_a_row_is_silenced_after_a_look_at_what_that_holds_back(pages: Pages, *, with_script: bool) -> None:
    pager = web_scene.bad_night(pages.store())
    page = pages.open(pages.serve(pager), PHONE, java_script_enabled=with_script)
    page.get_by_role("link", name="Silence db1").click()
    assert page.locator("#matchers").input_value() == "alert=MongoDB lock\nseries=db1"
    assert "MongoDB lock: db1 is Critical" in page.locator(".preview").inner_text()
    page.locator("#matchers").fill("alert=MongoDB lock\nseries=db*")
    page.get_by_role("button", name="Preview").click()
    preview = page.locator(".preview").inner_text()
    assert "db2 is Warning" in preview
    assert "db3" in preview
    page.locator("#comment").fill("new disks")
    page.locator("#author").fill("Jo")
    page.get_by_role("button", name="Silence", exact=True).click()
    page.wait_for_url("**/silences?told=2")
    assert "new disks" in page.locator(".card.told").inner_text()
    (one,) = [each for each in pager.store.silences() if each.id == 2]
    assert (one.author, one.comment, (one.ends_at - one.begins_at).total_seconds()) == ("Jo", "new disks", 7200)
    page.goto(page.url.rpartition("/")[0] + "/silences/new")
    assert page.locator("#author").input_value() == "Jo"
    page.goto(page.url.rpartition("/silences")[0] + "/silences")
    page.get_by_role("button", name="End now silence 2").click()
    page.wait_for_url("**/silences?told=2")
    assert page.locator(".cards:not(.over) .card").count() == 1


def test_the_keyboard_alone_will_do(pages: Pages) -> None:
    page = pages.open(pages.serve(web_scene.five_hundred_fire(pages.store())))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
        style = page.evaluate(
            "(s => [s.outlineStyle, parseFloat(s.outlineWidth)])(getComputedStyle(document.activeElement))"
        )
        assert style[0] == "solid"
        assert style[1] >= 2
        if seen[-1].startswith("and "):
            break
    assert seen[-1] == "and 376 more"
    page.keyboard.press("Enter")
    assert page.locator("details.more").first.get_attribute("open") is not None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "web0004"


def test_it_renews_itself_and_keeps_what_was_opened_and_where_one_was(pages: Pages) -> None:
    pager = web_scene.five_hundred_fire(pages.store())
    at = [pager.now]
    page = pages.open(pages.serve(pager, clock=lambda: at[0]))
    page.locator("details.more summary").first.click()
    page.locator(".runbook").first.focus()
    pager.poll()
    at[0] = pager.now
    moment = page.locator("#live").get_attribute("data-at")
    page.get_by_role("button", name="Pause").click()
    page.locator(".runbook").first.focus()
    page.get_by_role("button", name="Go on").evaluate("e => e.click()")
    assert eventually(lambda: page.locator("#live").get_attribute("data-at") != moment)
    assert page.locator("details.more").first.get_attribute("open") is not None
    assert "Runbook" in page.evaluate("document.activeElement.innerText")


def is_red(page: Any) -> bool:
    return bool(
        page.evaluate("getComputedStyle(document.querySelector('.vitals')).borderTopColor") == "rgb(179, 32, 27)"
    )


@pytest.mark.parametrize("with_script", [True, False])
def test_a_page_that_nobody_renews_turns_red_by_itself(pages: Pages, *, with_script: bool) -> None:
    page = pages.open(
        pages.serve(web_scene.nothing_fires(pages.store())),
        java_script_enabled=with_script,
        expected="Failed to load resource",
    )
    told = page.get_by_text("This page is out of date.")
    assert not is_red(page)
    assert not told.is_visible()
    # What three minutes do, without waiting for them.
    page.evaluate("document.getAnimations().forEach(one => { one.currentTime = 179_000; })")
    assert not is_red(page)
    page.evaluate("document.getAnimations().forEach(one => { one.currentTime = 180_100; })")
    assert is_red(page)
    assert told.is_visible()


def test_when_the_server_is_gone_the_page_says_so(pages: Pages) -> None:
    pager = web_scene.nothing_fires(pages.store())
    fails: list[bool] = []

    def store() -> Store:
        if fails:
            raise RuntimeError("gone")
        return pager.store

    page = pages.open(pages.serve(pager, store=store), expected="Failed to load resource")
    page.clock.install()
    page.reload()
    fails.append(True)
    page.clock.run_for(250_000)
    assert eventually(lambda: page.locator("#live.out-of-date").count() == 1)
    assert page.get_by_text("This page is out of date.").is_visible()
    fails.clear()
    # Again and again: the next renewal is planned only when the last one has failed.
    assert eventually(lambda: page.clock.run_for(61_000) or page.locator("#live.out-of-date").count() == 0)


def test_names_that_attack_run_nothing(pages: Pages) -> None:
    text = "alerts: [{name: '<script>alert(1)</script>', target: load, warning: 5, critical: 10}]"
    names = ["<img src=x onerror=alert(1)>", "\u202eabc", "x" * 2000, "{{7*7}}", "javascript:alert(1)"]
    pager = Pager(pages.store(), text, lambda *_: dict.fromkeys(names, 20.0))
    pager.poll(2)
    page = pages.open(pages.serve(pager), PHONE)
    page.on("dialog", lambda _: pytest.fail("a name has run"))
    page.locator("#filter").fill("<img")
    assert eventually(lambda: series(page) == ["<img src=x onerror=alert(1)>"])
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("link", name="Silence <img").click()
    assert "series=<img src=x onerror=alert(1)>" in page.locator("#matchers").input_value()
