"""Browsers that look at pages: what the tests in a real browser share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import URL

from graphitepager.store import Store
from tests.integration.web_support import app_of, served
from tests.support import missing

if TYPE_CHECKING:
    from tests.integration.web_support import Pager

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
EVERYWHERE = pytest.mark.parametrize(
    ("size", "scheme"), [(PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")]
)


def complaints_of_axe(page: Any) -> str:
    """What axe-core finds wrong with a page for people who do not see it, or hardly; empty where nothing is."""
    try:
        from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415
    except ImportError:
        missing("there is no axe: run `make setup`")
    found = Axe().run(page)
    return str(found.generate_report()) if found.violations_count else ""


class Pages:
    """Pagers of one test, their pages, and browsers that look at them: nothing may be complained about there."""

    def __init__(self, browser: Any, folder: Any, stack: Any) -> None:
        self._browser = browser
        self._folder = folder
        self._stack = stack

    def store(self) -> Store:
        url = URL.create("sqlite", database=str(self._folder.mktemp("web") / "state.db"))
        return self._stack.enter_context(Store.open(url))  # type: ignore[no-any-return]

    def serve(self, pager: Pager, **other: Any) -> str:
        return self._stack.enter_context(served(app_of(pager, **other)))  # type: ignore[no-any-return]

    def open(
        self, address: str, size: dict[str, int] = DESK, scheme: str = "light", *, expected: str = "", **other: Any
    ) -> Any:
        context = self._browser.new_context(viewport=size, color_scheme=scheme, **other)
        context.set_default_timeout(10_000)
        page = context.new_page()
        complaints: list[str] = []
        root = "/".join(address.split("/")[:3])
        page.on("console", lambda one: complaints.append(one.text))
        page.on("pageerror", lambda one: complaints.append(str(one)))
        page.on("request", lambda one: None if one.url.startswith(root) else complaints.append(one.url))

        def end() -> None:
            context.close()
            assert [one for one in complaints if not expected or expected not in one] == []

        self._stack.callback(end)
        page.goto(address)
        return page
