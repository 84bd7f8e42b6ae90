"""Two real processes on one database: one polls, the other waits, and nobody is paged twice."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty, Status
from tests.integration.pager_place import HIGH, Place
from tests.integration.store_support import KINDS, empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.pager_process import Pager

HEARTBEAT_S = 2


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with (
        FakeGraphite().serve() as graphite,
        FakePagerDuty() as pagerduty,
        empty_database(request.param, tmp_path) as url,
    ):
        place = Place(graphite, pagerduty, tmp_path, url.render_as_string(hide_password=False))
        place.environment["HEARTBEAT_SECONDS"] = str(HEARTBEAT_S)
        yield place
        assert pagerduty.rejected() == ()


only_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@contextmanager
def two_pagers(place: Place) -> Iterator[tuple[Pager, Pager]]:
    """The first one leads, the second stands by."""
    with place.pager() as first:
        first.wait_for("event=leading")
        with place.pager() as second:
            second.wait_for("event=standby")
            yield first, second


def assert_paged_once(place: Place) -> None:
    (incident,) = place.pagerduty.incidents()
    assert (incident.status, incident.notifications) == (Status.RESOLVED, 1)
    assert [event.action for event in place.pagerduty.events()] == ["trigger", "resolve"]


def test_the_second_takes_over_within_two_heartbeats_of_a_kill_and_resolves_what_the_first_opened(
    place: Place,
) -> None:
    place.measure(82.4)
    with two_pagers(place) as (first, second):
        place.wait_for_open(HIGH)
        assert "event=poll" not in second.output
        killed = time.monotonic()
        first.end(signal.SIGKILL)
        second.wait_for("event=leading")
        took = time.monotonic() - killed
        place.measure(10)
        place.wait_for_open()
    assert took < 2 * HEARTBEAT_S
    assert_paged_once(place)


def test_the_second_takes_over_at_once_when_the_first_is_told_to_stop(place: Place) -> None:
    place.measure(82.4)
    with two_pagers(place) as (first, second):
        place.wait_for_open(HIGH)
        place.measure(10)
        told = time.monotonic()
        first.process.send_signal(signal.SIGTERM)
        second.wait_for("event=leading")
        took = time.monotonic() - told
        assert first.process.wait(10) == 0
        place.wait_for_open()
    assert took < 1.5
    assert_paged_once(place)


@only_sqlite
def test_one_that_stands_by_reloads_and_ends_within_a_second(place: Place) -> None:
    place.environment["HEARTBEAT_SECONDS"] = "0.4"
    with two_pagers(place) as (first, second):
        second.process.send_signal(signal.SIGHUP)
        second.wait_for("event=config_loaded")
        code, took = second.end()
        assert (code, took < 1) == (0, True), second.output
        polls = first.output.count("event=poll")
        first.wait_for("event=poll", times=polls + 1)


def test_one_that_was_frozen_finds_itself_replaced_and_stands_by(place: Place) -> None:
    place.environment["HEARTBEAT_SECONDS"] = "0.4"
    with two_pagers(place) as (first, second):
        first.process.send_signal(signal.SIGSTOP)
        place.measure(82.4)
        second.wait_for("event=leading")
        place.wait_for_open(HIGH)
        polls = first.output.count("event=poll")
        first.process.send_signal(signal.SIGCONT)
        first.wait_for("event=standby")
        place.measure(10)
        place.wait_for_open()
        assert first.output.count("event=poll ") == polls
    assert_paged_once(place)


@only_sqlite
def test_once_waits_for_its_turn_and_says_why_it_gives_up(place: Place) -> None:
    place.environment["HEARTBEAT_SECONDS"] = "0.4"
    with place.pager() as first:
        first.wait_for("event=leading")
        with place.pager("run", "--once") as once:
            assert once.process.wait(15) == 1
            once.wait_for("graphite-pager: another graphite-pager polls on this database")
            assert "event=poll" not in once.output


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_restart_of_the_database_makes_it_stand_by_and_lead_again(place: Place) -> None:
    url = place.environment["DATABASE_URL"].replace("+psycopg", "")
    with place.pager() as pager, psycopg.connect(url.partition("?")[0], autocommit=True) as server:
        pager.wait_for("event=leading")
        place.measure(82.4)
        place.wait_for_open(HIGH)
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'graphite-pager' "
            "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = "
            "(SELECT hashtext(%s)::bigint & 4294967295))",
            (url.partition("search_path%3D")[2],),
        )
        pager.wait_for("event=lease_lost")
        pager.wait_for("event=leading", times=2)
        place.measure(10)
        place.wait_for_open()
        assert pager.process.poll() is None
        assert pager.end()[0] == 0
        assert "Traceback" not in pager.output
        assert "Warning" not in pager.output
    assert_paged_once(place)
