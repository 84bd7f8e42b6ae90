"""Takes the pictures of the status page that stand in the documentation: `python -m tests.pictures`.

They show real pages of a made-up night; nothing in them is drawn. It needs chromium and playwright.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from playwright.sync_api import sync_playwright
from sqlalchemy.engine import URL

from graphitepager.store import Store
from graphitepager.web import create_app
from tests.integration import web_scene
from tests.integration.web_support import served, site_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphitepager.web.site import Site
    from tests.integration.web_support import Pager

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
ERRORS_ONLY = 40


class Picture(NamedTuple):
    """What to look at, how wide and high the window is, and in which light."""

    name: str
    scene: Callable[[Store], Pager]
    path: str
    size: tuple[int, int]
    scheme: str = "light"


PICTURES = (
    Picture("status-page", web_scene.bad_night, "/", (1180, 900)),
    Picture("status-page-phone", web_scene.bad_night, "/", (360, 780), "dark"),
    Picture("status-page-calm", web_scene.nothing_fires, "/", (1180, 330)),
    Picture("status-page-many", web_scene.five_hundred_fire, "/", (1180, 760), "dark"),
    Picture("alert", web_scene.whole_day, "/alerts/MongoDB%20lock", (1100, 900)),
    Picture("alert-series", web_scene.whole_day, "/alerts/MongoDB%20lock/series?name=db1", (1100, 760), "dark"),
    Picture("alert-phone", web_scene.whole_day, "/alerts/MongoDB%20lock", (360, 780), "dark"),
    Picture("history-noise", web_scene.whole_day, "/history/noise", (1100, 700)),
    Picture("silence", web_scene.bad_night, "/silences/new?alert=MongoDB+lock&series=db1", (760, 720)),
)


def main() -> int:
    """Take them all."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("there is no chromium: apt install chromium", file=sys.stderr)  # noqa: T201 - for people
        return 1
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(ERRORS_ONLY))
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, picture)
        browser.close()
    return 0


def take(browser: Any, picture: Picture) -> None:
    """Take one."""
    with tempfile.TemporaryDirectory() as folder:
        url = URL.create("sqlite", database=str(Path(folder) / "state.db"))
        with Store.open(url) as store, _served(picture.scene(store)) as (address, site):
            width, height = picture.size
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=picture.scheme)
            page.goto(address + picture.path)
            site.trends.refresh()  # of what the first look has asked for
            page.reload()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=str(IMAGES / f"{picture.name}.png"), animations="allow")
            page.close()


@contextmanager
def _served(pager: Pager) -> Iterator[tuple[str, Site]]:
    site = site_of(pager)
    with served(create_app(site)) as address:
        yield address, site


if __name__ == "__main__":
    sys.exit(main())
