"""alerts.yml edited under a real process: loaded without a signal; a broken one is told, and costs nothing else."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty, assert_no_secret
from tests.integration.pager_place import ALERTS, HIGH, Place
from tests.integration.pager_process import run
from tests.integration.store_support import KINDS, empty_database
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROKEN = ALERTS.replace("70", "seventy")
TROUBLE = "alerts.yml:2:"


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with (
        FakeGraphite().serve() as graphite,
        FakePagerDuty() as pagerduty,
        empty_database(request.param, tmp_path) as url,
    ):
        yield Place(graphite, pagerduty, tmp_path, url.render_as_string(hide_password=False))
        assert pagerduty.rejected() == ()


only_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


@only_sqlite
def test_an_edit_is_loaded_without_a_signal(place: Place) -> None:
    place.measure(82.4)
    place.configure(ALERTS.replace("50", "500").replace("70", "700"))
    with place.pager() as pager:
        pager.wait_for("event=poll")
        place.configure(ALERTS)
        place.wait_for_open(HIGH)
        assert pager.output.count("event=config_loaded") == 1


@only_sqlite
def test_a_changed_key_moves_what_is_open_without_a_gap(place: Place) -> None:
    old, new = "a" * 32, "b" * 32
    place.measure(82.4)
    place.configure(ALERTS.replace("critical", f"pagerduty_key: {old}, critical"))
    with place.pager() as pager:
        assert [one.routing_key for one in place.wait_for_open(HIGH)] == [old]
        place.configure(ALERTS.replace("critical", f"pagerduty_key: {new}, critical"))
        assert eventually(lambda: [one.routing_key for one in place.pagerduty.open_incidents()] == [new])
        pager.wait_for("event=sent", times=3)
    moves = [(event.action, event.routing_key) for event in place.pagerduty.events()]
    assert moves == [("trigger", old), ("trigger", new), ("resolve", old)]


@only_sqlite
def test_a_file_that_is_still_being_written_is_left_alone(place: Place) -> None:
    with place.pager() as pager:
        pager.wait_for("event=poll")
        until = time.monotonic() + 2
        while time.monotonic() < until:
            place.configure(f"alerts: []  # {time.monotonic()}")
            time.sleep(0.1)
        place.configure(f"# as before\n{ALERTS}")
        pager.wait_for("event=config_loaded")
        assert "event=config_rejected" not in pager.output


@only_sqlite
def test_a_broken_file_is_an_incident_until_it_is_mended(place: Place) -> None:
    with place.pager() as pager:
        pager.wait_for("event=poll")
        place.configure(BROKEN)
        (incident,) = place.wait_for_open(TROUBLE)
        assert incident.severity == "warning"
        polls = pager.output.count("event=poll ")
        pager.wait_for("event=poll ", times=polls + 3)
        assert pager.output.count("event=config_rejected") == 1
        place.configure(ALERTS)
        place.wait_for_open()
    assert len(place.pagerduty.incidents()) == 1


def test_a_start_with_a_broken_file_runs_the_last_good_one_and_says_so(place: Place) -> None:
    place.measure(82.4)
    with place.pager() as pager:
        place.wait_for_open(HIGH)
        pager.wait_for("event=poll", times=2)
        pager.end()
    place.configure(BROKEN)
    with place.pager() as pager:
        place.wait_for_open(HIGH, TROUBLE)
        place.measure(10)
        place.wait_for_open(TROUBLE)
        assert "runs instead" in pager.output
        place.configure(ALERTS)
        place.wait_for_open()


@only_sqlite
def test_a_start_finds_the_database_beside_the_file_but_makes_none(place: Place) -> None:
    del place.environment["DATABASE_URL"]
    database = place.folder / "graphite-pager.db"
    place.configure(BROKEN)
    done = run(environment=place.environment, folder=place.folder)
    assert (done.returncode, database.exists()) == (1, False)
    assert TROUBLE in done.stderr

    place.configure(ALERTS)
    with place.pager() as pager:
        pager.wait_for("event=poll", times=2)
        pager.end()
    (place.folder / "alerts.yml").unlink()
    with place.pager():
        place.wait_for_open("alerts.yml: no such file")


@only_sqlite
def test_an_edit_of_an_included_file_is_loaded_and_a_broken_one_told(place: Place) -> None:
    place.measure(82.4)
    place.configure("include: alerts.d/*.yml\nalerts: [{name: Other, target: a.b, warning: 500, critical: 700}]\n")
    included = place.folder / "alerts.d" / "queue.yml"
    included.parent.mkdir()
    with place.pager() as pager:
        pager.wait_for("event=poll")
        included.write_text(ALERTS)
        place.wait_for_open(HIGH)
        included.write_text(BROKEN)
        place.wait_for_open(HIGH, "alerts.d/queue.yml:2:")
        included.unlink()
        place.wait_for_open()


@only_sqlite
def test_the_last_good_configuration_has_the_included_files(place: Place) -> None:
    place.measure(82.4)
    place.configure("include: queue.yml\n")
    included = place.folder / "queue.yml"
    included.write_text(ALERTS)
    with place.pager() as pager:
        place.wait_for_open(HIGH)
        pager.wait_for("event=poll", times=2)
        pager.end()
    included.unlink()
    place.configure("include: [\n")
    with place.pager() as pager:
        place.wait_for_open(HIGH, "alerts.yml:")
        pager.wait_for("runs instead")


@only_sqlite
def test_a_wrong_environment_ends_a_start_whatever_is_kept(place: Place) -> None:
    with place.pager() as pager:
        pager.wait_for("event=poll", times=2)
        pager.end()
    done = run(environment=place.environment | {"HEARTBEAT_SECONDS": "often"}, folder=place.folder)
    assert done.returncode == 1
    assert "HEARTBEAT_SECONDS" in done.stderr


@only_sqlite
def test_a_database_file_that_is_deleted_ends_it_with_the_reason(place: Place) -> None:
    place.environment = {name: value for name, value in place.environment.items() if name != "DATABASE_URL"}
    with place.pager() as pager:
        pager.wait_for("event=poll")
        (place.folder / "graphite-pager.db").unlink()
        assert pager.process.wait(10) == 1
        pager.wait_for("its file was deleted or replaced while in use: start again")


def test_a_file_of_another_name_is_not_replaced_by_the_kept_one(place: Place) -> None:
    with place.pager() as pager:
        pager.wait_for("event=poll", times=2)
        pager.end()
    done = run("-c", "alert.yml", environment=place.environment, folder=place.folder)
    assert done.returncode == 1
    assert "alert.yml: no such file" in done.stderr


@only_sqlite
def test_a_broken_file_gives_away_no_key(place: Place) -> None:
    key = "fedcba9876543210fedcba9876543210"
    with place.pager() as pager:
        pager.wait_for("event=poll")
        place.configure(ALERTS.replace("critical", f"pagerduty_key: {key}{key}, critical"))
        place.wait_for_open(TROUBLE)
        assert eventually(lambda: "event=sent" in pager.output)
        assert_no_secret(pager.output, [key])
        assert_no_secret(json.dumps([event.body for event in place.pagerduty.events()]), [key])
