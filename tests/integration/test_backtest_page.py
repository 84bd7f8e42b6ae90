"""The page of a backtest in a real browser: on a phone, on a desk, in the light and in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.graphite import FakeGraphite
from tests.integration.browser_support import DESK, PHONE
from tests.integration.pager_process import run
from tests.past import DAY, keep_the_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("page")
    with FakeGraphite().serve() as graphite:
        environment = keep_the_day(graphite, folder)
        done = run("backtest", *DAY, "--html", "report.html", environment=environment, folder=folder)
    assert done.returncode == 0, done.stderr
    return (folder / "report.html").as_uri()


@pytest.fixture
def shown(browser: Any, page_url: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page in a window of this size and colour scheme; it must ask nobody else, and run nothing."""
    size, scheme = request.param
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("console", lambda one: complaints.append(one.text))
    page.goto(page_url)
    yield page
    assert asked == [page_url]
    assert complaints == []
    context.close()


EVERYWHERE = pytest.mark.parametrize(
    "shown", [(PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")], indirect=True
)


@EVERYWHERE
def test_it_fits_the_window_and_every_text_can_be_read(shown: Any) -> None:
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sizes = shown.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.innerText && e.offsetParent)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 12


@EVERYWHERE
def test_it_draws_the_series_that_fired_with_thresholds_and_incidents(shown: Any) -> None:
    assert shown.inner_text("h1") == "3 pages in 1d, 21 a week"
    assert shown.locator("section h3 span").all_inner_texts() == ["db2", "db1"]
    db1 = shown.locator(".plot").nth(1)
    assert db1.locator("b").all_inner_texts() == ["warning 50", "critical 70"]
    drawn, around = db1.locator("path").bounding_box(), db1.bounding_box()
    assert drawn["height"] > 0.6 * around["height"]
    # It fired from 17:05 to 18:30, of a day that begins at 12:00.
    fired = db1.locator("i.critical").bounding_box()
    assert (fired["x"] - around["x"]) / around["width"] == pytest.approx(305 / 1440, abs=0.01)
    assert fired["width"] / around["width"] == pytest.approx(85 / 1440, abs=0.01)


@EVERYWHERE
def test_text_stands_out_from_its_ground(shown: Any) -> None:
    contrast = """() => {
      const light = text => {
        const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3)
          .map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b;
      };
      const of = (e, ground) => {
        const [a, b] = [light(getComputedStyle(e).color), light(ground)].sort((x, y) => y - x);
        return (a + .05) / (b + .05);
      };
      const card = getComputedStyle(document.querySelector('section')).backgroundColor;
      return [...document.querySelectorAll('h2, dd, dt, .incidents p, .ticks span, .plot em')].map(e => of(e, card));
    }"""
    assert min(shown.evaluate(contrast)) >= 4.5


@pytest.mark.parametrize("shown", [(DESK, "dark")], indirect=True)
def test_the_dark_page_is_dark(shown: Any) -> None:
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 22, 28)"
