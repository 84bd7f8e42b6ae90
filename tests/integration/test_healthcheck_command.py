"""`graphite-pager healthcheck`: what a container's engine is told of the pager."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, update

from graphitepager.store import Store, database_url
from graphitepager.store.tables import polls
from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pager_place import Place
from tests.integration.pager_process import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        place = Place(graphite, pagerduty, tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
        place.environment["HEARTBEAT_SECONDS"] = "20"
        yield place


def healthcheck(place: Place) -> tuple[int, str]:
    done = run("healthcheck", environment=place.environment, folder=place.folder)
    return done.returncode, (done.stdout + done.stderr).strip()


def test_a_pager_that_polls_is_healthy_even_while_graphite_fails(place: Place) -> None:
    with place.pager() as pager:
        pager.wait_for("event=poll")
        code, words = healthcheck(place)
        assert (code, words.startswith("last poll ")) == (0, True), words
        place.graphite.default = respond(b"", status="503 Service Unavailable")
        pager.end()
    with place.pager() as pager:
        pager.wait_for("event=poll series=0 failed=1")
        assert healthcheck(place)[0] == 0


@pytest.mark.parametrize(("ago_s", "code"), [(50, 0), (70, 1)])
def test_three_heartbeats_without_a_poll_are_too_many(place: Place, ago_s: int, code: int) -> None:
    """Whether the process is dead, hangs or stands by for nobody."""
    polled_at(place, datetime.now(UTC) - timedelta(seconds=ago_s))
    got, words = healthcheck(place)
    assert got == code
    assert ("more than 1min: is a pager running?" in words) is bool(code), words


def polled_at(place: Place, moment: datetime) -> None:
    url = database_url(place.environment["DATABASE_URL"], beside="", on_heroku=False)
    Store.open(url).close()
    engine = create_engine(url)
    with engine.begin() as db:
        db.execute(update(polls).values(started_at=moment, finished_at=moment))
    engine.dispose()


def test_without_a_first_poll_or_a_database_it_is_unhealthy_and_says_why(place: Place) -> None:
    code, words = healthcheck(place)
    assert (code, "state.db: there is no such file; no graphite-pager has run there yet" in words) == (1, True), words
    Store.open(database_url(place.environment["DATABASE_URL"], beside="", on_heroku=False)).close()
    assert healthcheck(place) == (1, "no poll yet")


def test_a_bad_alerts_yml_is_the_pagers_own_affair(place: Place) -> None:
    """It goes on by the last good one, and pages for the file."""
    assert run("run", "--once", environment=place.environment, folder=place.folder).returncode == 0
    place.configure("alerts: [")
    code, words = healthcheck(place)
    assert code == 0, words
    assert "the last good one counts" in words


def test_a_database_that_hangs_is_told_before_the_container_s_engine_gives_up(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        place.environment["DATABASE_URL"] = f"postgres://app@127.0.0.1:{port}/state?connect_timeout=60"
        began = time.monotonic()
        code, words = healthcheck(place)
    assert (code, words) == (1, f"graphite-pager: database state at 127.0.0.1:{port}: no answer within 8 s")
    assert time.monotonic() - began < 20
