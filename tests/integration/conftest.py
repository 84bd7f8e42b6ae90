"""The real Graphite and the real databases; without them tests are skipped, or failed where REQUIRE_ALL=1."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import structlog
from sqlalchemy.engine import URL

from graphitepager.store import Store
from tests.fakes.pagerduty import FakePagerDuty
from tests.graphite_server.client import Graphite, graphite_python
from tests.integration import web_scene
from tests.integration.browser_support import Pages
from tests.integration.outbox_support import Clock
from tests.integration.store_support import KINDS, empty_database
from tests.support import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.integration.web_support import Pager


class StartGraphite(Protocol):
    """Starts a Graphite of one's own, with an empty storage; it is ended with the tests."""

    def __call__(self, *, credentials: str | None = None) -> Graphite: ...


@pytest.fixture(scope="session")
def start_graphite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartGraphite]:
    if graphite_python() is None:
        missing("there is no Graphite environment: run `make setup`, or set GRAPHITE_PYTHON")
    with contextlib.ExitStack() as stack:

        def start(*, credentials: str | None = None) -> Graphite:
            root = tmp_path_factory.mktemp("graphite")
            return stack.enter_context(Graphite(root, credentials=credentials))

        yield start


@pytest.fixture(scope="session")
def graphite(start_graphite: StartGraphite) -> Graphite:
    """The Graphite that all tests share: write below a prefix of your own."""
    return start_graphite()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """An empty database of each kind."""
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def store(url: URL) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> Iterator[FakePagerDuty]:
    """A fake that lives by the test's clock, and that nothing of ours may be refused by."""
    with FakePagerDuty(clock=lambda: clock.now) as running:
        yield running
        assert running.rejected() == ()


@pytest.fixture
def logged() -> Iterator[Sequence[Mapping[str, Any]]]:
    with structlog.testing.capture_logs() as entries:
        yield entries


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        missing("there is no chromium: apt install chromium")
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError:
        missing("there is no playwright: run `make setup`")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def pages(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with contextlib.ExitStack() as stack:
        yield Pages(browser, tmp_path_factory, stack)


@pytest.fixture(scope="module")
def store_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Store]]:
    """A new store each time, of SQLite."""
    with contextlib.ExitStack() as stack:

        def make() -> Store:
            path = tmp_path_factory.mktemp("web") / "state.db"
            return stack.enter_context(Store.open(URL.create("sqlite", database=str(path))))

        yield make


@pytest.fixture(scope="module")
def night(store_of: Callable[[], Store]) -> Pager:
    """A pager at the end of a bad night."""
    return web_scene.bad_night(store_of())
