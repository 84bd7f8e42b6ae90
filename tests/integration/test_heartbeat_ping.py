"""The dead man's switch of a real process: called while all is well, silent when it is not."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, update

from graphitepager.store.tables import deliveries
from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.loopback import serving
from tests.fakes.pagerduty import FakePagerDuty, Fault, assert_no_secret
from tests.integration.pager_place import HIGH, Place
from tests.integration.pager_process import run
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "8d8a9f0e-s3cret"
QUIET_S = 1.2  # three heartbeats


class Watcher:
    """Counts the calls."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.url = ""

    @contextmanager
    def serve(self) -> Iterator[Watcher]:
        paths = self.paths

        class Door(BaseHTTPRequestHandler):
            """Takes a GET."""

            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its own name
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server, serving(server) as url:
            self.url = f"{url}/{SECRET}"
            yield self

    def is_called(self) -> bool:
        before = len(self.paths)
        return eventually(lambda: len(self.paths) > before + 1, 5)

    def is_silent(self) -> bool:
        time.sleep(0.5)  # one that was under way
        before = len(self.paths)
        time.sleep(QUIET_S)
        return len(self.paths) == before


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    with Watcher().serve() as watcher:
        yield watcher


@pytest.fixture
def place(tmp_path: Path, watcher: Watcher) -> Iterator[Place]:
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        place = Place(graphite, pagerduty, tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
        place.environment["HEARTBEAT_PING_URL"] = watcher.url
        yield place


def test_it_is_called_while_all_is_well_and_not_while_graphite_is_down(place: Place, watcher: Watcher) -> None:
    with place.pager() as pager:
        assert watcher.is_called()
        assert set(watcher.paths) == {f"/{SECRET}"}
        healthy, place.graphite.default = place.graphite.default, respond(b"", status="500 Oops")
        pager.wait_for("event=fetch_failed")
        assert watcher.is_silent()
        place.graphite.default = healthy
        assert watcher.is_called()
        assert "event=backlog" not in pager.output


def test_a_single_poll_calls_too(place: Place, watcher: Watcher) -> None:
    done = run("run", "--once", environment=place.environment, folder=place.folder)
    assert (done.returncode, len(watcher.paths)) == (0, 1)


def test_a_broken_alerts_yml_pages_by_itself_and_the_calls_go_on(place: Place, watcher: Watcher) -> None:
    with place.pager() as pager:
        assert watcher.is_called()
        place.configure("alerts: 1")
        pager.wait_for("event=config_kept")
        assert watcher.is_called()


def test_it_falls_silent_when_a_page_is_stuck(place: Place, watcher: Watcher) -> None:
    place.pagerduty.fault = Fault.REFUSED
    place.measure(82.4)
    with place.pager() as pager:
        pager.wait_for("event=send_failed")
        pager.wait_for("event=backlog unsent=1 dead=0 oldest_page_s=")
        assert watcher.is_called()
        engine = create_engine(place.environment["DATABASE_URL"])
        with engine.begin() as db:
            db.execute(update(deliveries).values(created_at=datetime.now(UTC) - timedelta(minutes=3)))
        engine.dispose()
        assert watcher.is_silent()
        place.pagerduty.fault = None
        place.wait_for_open(HIGH)
        assert watcher.is_called()


def test_only_who_leads_calls(place: Place, watcher: Watcher) -> None:
    with place.pager() as leader:
        assert watcher.is_called()
        with place.pager() as other:
            other.wait_for("event=standby")
            leader.end()
            other.wait_for("event=leading")
            assert watcher.is_called()


def test_a_watcher_that_cannot_be_reached_is_a_warning_that_hides_its_address(place: Place) -> None:
    place.environment["HEARTBEAT_PING_URL"] = f"http://127.0.0.1:1/{SECRET}"
    with place.pager() as pager:
        pager.wait_for("event=ping_failed host=127.0.0.1 reason=ConnectionError", times=2)
        assert_no_secret(pager.output, [SECRET])
