"""The main job with real processes: a real Graphite, the strict fake PagerDuty, both databases."""

from __future__ import annotations

import signal
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from graphitepager.incidents import dedup_key
from graphitepager.model import SeriesKey
from graphitepager.rules import Level
from tests.fakes.pagerduty import FakePagerDuty, Fault, Status, assert_no_secret
from tests.integration.pager_process import Pager, run, running
from tests.integration.store_support import KINDS, empty_database
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.pagerduty import Incident
    from tests.graphite_server.client import Graphite

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
ALERTS = """
docs_url: https://wiki.example.com/runbooks
alerts:
  - name: Queue depth
    target: aliasByNode({prefix}.*.depth, 1)
    warning: 50
    critical: 70
"""


class Place:
    """A folder with an alerts.yml, metrics of its own in Graphite, a PagerDuty, a database."""

    def __init__(self, graphite: Graphite, pagerduty: FakePagerDuty, folder: Path, database_url: str) -> None:
        self.graphite = graphite
        self.pagerduty = pagerduty
        self.folder = folder
        self.prefix = folder.name.replace(".", "_")
        self.environment = {
            "GRAPHITE_URL": graphite.url,
            "PAGERDUTY_KEY": ROUTING_KEY,
            "PAGERDUTY_EVENTS_URL": pagerduty.url,
            "HEARTBEAT_SECONDS": "0.5",
            "DATABASE_URL": database_url,
        }
        self.configure(ALERTS)

    def configure(self, text: str) -> None:
        (self.folder / "alerts.yml").write_text(text.format(prefix=self.prefix))

    def measure(self, **depths: float) -> None:
        """Have each queue report a depth, now."""
        now = int(time.time()) // 10 * 10
        self.graphite.write(
            {f"{self.prefix}.{name}.depth": [(now - 10, depth), (now, depth)] for name, depth in depths.items()}
        )

    def pager(self) -> Pager:
        return Pager(self.environment, self.folder)

    def wait_for_open(self, *titles: str) -> tuple[Incident, ...]:
        def as_wanted() -> bool:
            return sorted(one.title for one in self.pagerduty.open_incidents()) == sorted(titles)

        assert self.pagerduty.wait_until(as_wanted, 15), [one.title for one in self.pagerduty.open_incidents()]
        return self.pagerduty.open_incidents()

    def wait_for_one_with(self, words: str) -> tuple[Incident, ...]:
        def as_wanted() -> bool:
            return [words in one.title for one in self.pagerduty.open_incidents()] == [True]

        assert self.pagerduty.wait_until(as_wanted, 15), [one.title for one in self.pagerduty.open_incidents()]
        return self.pagerduty.open_incidents()


@contextmanager
def locked(database_url: str) -> Iterator[None]:
    """Hold the lock that a poll needs, from outside."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(make_url(database_url).database or "", isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield
        return
    engine = create_engine(database_url)
    with engine.begin() as server:
        server.execute(text("LOCK TABLE graphite_pager_polls"))
        yield
    engine.dispose()


@pytest.fixture
def pagerduty() -> Iterator[FakePagerDuty]:
    with FakePagerDuty() as fake:
        yield fake
        assert fake.rejected() == ()


@pytest.fixture(params=KINDS)
def place(
    request: pytest.FixtureRequest, graphite: Graphite, pagerduty: FakePagerDuty, tmp_path: Path
) -> Iterator[Place]:
    with empty_database(request.param, tmp_path) as url:
        yield Place(graphite, pagerduty, tmp_path, url.render_as_string(hide_password=False))


HIGH = "CRITICAL Queue depth: mail is 82.4 (critical at 70)"


def test_a_breach_opens_an_incident_and_recovery_resolves_it(place: Place) -> None:
    place.measure(mail=10, web=20)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=poll")
        assert place.pagerduty.events() == ()

        place.measure(mail=82.4, web=20)
        (incident,) = place.wait_for_open(HIGH)
        assert incident.routing_key == ROUTING_KEY
        assert incident.dedup_key == dedup_key(SeriesKey("Queue depth", "mail"), Level.CRITICAL)
        assert incident.severity == "critical"
        (trigger,) = incident.log
        assert trigger.payload["source"] == "mail"
        assert trigger.payload["class"] == "Queue depth"
        assert trigger.payload["custom_details"]["value"] == 82.4
        assert trigger.payload["custom_details"]["target"] == f"aliasByNode({place.prefix}.*.depth, 1)"
        runbook, graph = trigger.body["links"]
        assert runbook == {"href": "https://wiki.example.com/runbooks/Queue%20depth#mail", "text": "Runbook"}
        assert graph["href"].startswith(f"{place.graphite.url}/render?")
        assert parse_qs(urlsplit(graph["href"]).query)["target"][0] == f"aliasByNode({place.prefix}.*.depth, 1)"

        place.measure(mail=10, web=20)
        place.wait_for_open()
        code, took = pager.end()
    assert code == 0
    assert took < 1
    assert [event.action for event in place.pagerduty.events()] == ["trigger", "resolve"]
    assert "Traceback" not in pager.output
    assert_no_secret(pager.output, [ROUTING_KEY])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_in_between_loses_nothing_and_repeats_nothing(place: Place, how: signal.Signals) -> None:
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        place.wait_for_open(HIGH)
        pager.end(how)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=poll", times=2)
        assert len(place.pagerduty.events()) == 1
        pager.end(how)
    place.measure(mail=10)
    with running(place.environment, place.folder):
        place.wait_for_open()
    (incident,) = place.pagerduty.incidents()
    assert (incident.status, incident.notifications) == (Status.RESOLVED, 1)


def test_a_page_outlives_pagerdutys_outage_and_ours(place: Place) -> None:
    place.pagerduty.fault = Fault.REFUSED
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=send_failed")
        pager.end(signal.SIGKILL)
    place.pagerduty.fault = None
    with running(place.environment, place.folder):
        place.wait_for_open(HIGH)


def test_an_escalation_opens_critical_before_it_ends_the_warning(place: Place) -> None:
    place.measure(mail=55)
    with running(place.environment, place.folder):
        place.wait_for_open("WARNING Queue depth: mail is 55 (warning at 50)")
        place.measure(mail=82.4)
        place.wait_for_open(HIGH)
    assert [(event.action, event.effect.value) for event in place.pagerduty.events()] == [
        ("trigger", "opened"),
        ("trigger", "opened"),
        ("resolve", "resolved"),
    ]
    assert [event.payload.get("severity") for event in place.pagerduty.events()] == ["warning", "critical", None]


def test_two_alerts_of_one_name_split_their_series_by_order(place: Place) -> None:
    place.configure(
        """
        alerts:
          - {{name: Load, target: "aliasByNode({prefix}.worker-*.depth, 1)", warning: 100, critical: 200}}
          - {{name: Load, target: "aliasByNode({prefix}.*.depth, 1)", warning: 50, critical: 70, exclude: [idle]}}
        """
    )
    place.measure(**{"worker-1": 90, "worker-2": 120, "web": 90, "idle": 90})
    with running(place.environment, place.folder) as pager:
        place.wait_for_open(
            "WARNING Load: worker-2 is 120 (warning at 100)",
            "CRITICAL Load: web is 90 (critical at 70)",
        )
        pager.wait_for("event=poll", times=2)
    assert len(place.pagerduty.events()) == 2


def test_one_bad_target_is_logged_and_harms_no_other(place: Place) -> None:
    place.configure(ALERTS + "  - {{name: Broken, target: noSuchFunction(a.b), warning: 1, critical: 2}}\n")
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        place.wait_for_open(HIGH)
        pager.wait_for("event=fetch_failed")
    assert "unknown function: noSuchFunction" in pager.output


def test_a_removed_alert_ends_its_incident_on_sighup_with_the_reason(place: Place) -> None:
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        place.wait_for_open(HIGH)
        place.configure(ALERTS.replace("Queue depth", "Other name"))
        pager.process.send_signal(signal.SIGHUP)
        place.wait_for_open(HIGH.replace("Queue depth", "Other name"))
    assert 'reason="removed from alerts.yml"' in pager.output


def test_a_broken_edit_changes_nothing_but_that_it_is_told(place: Place) -> None:
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        place.wait_for_open(HIGH)
        place.configure(ALERTS.replace("70", "seventy"))
        pager.process.send_signal(signal.SIGHUP)
        pager.wait_for("event=config_kept")
        assert "alerts.yml:7:15: " in pager.output
        place.measure(mail=10)
        (incident,) = place.wait_for_one_with("alerts.yml:7:15: ")
        assert incident.severity == "warning"


def test_run_once_polls_sends_and_ends(place: Place) -> None:
    place.measure(mail=82.4)
    done = run("run", "--once", environment=place.environment, folder=place.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    place.wait_for_open(HIGH)


def test_sigterm_ends_it_within_a_second_while_graphite_and_pagerduty_hang(place: Place) -> None:
    place.pagerduty.fault = Fault.HANG
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        assert eventually(lambda: place.pagerduty.request_count() >= 1)
        code, took = pager.end()
    assert (code, took < 1) == (0, True), pager.output
    place.pagerduty.fault = None
    with running(place.environment, place.folder):
        place.wait_for_open(HIGH)


def test_stdout_tells_of_incidents_where_there_is_no_pagerduty(place: Place) -> None:
    del place.environment["PAGERDUTY_KEY"]
    place.environment["STDOUT_ENABLED"] = "true"
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("CRITICAL Queue depth: mail is 82.4 (critical at 70) runbook=https://wiki.example.com/")
        place.measure(mail=10)
        pager.wait_for("RESOLVED Queue depth: mail is 10, was Critical for ")
    assert place.pagerduty.events() == ()


def test_a_file_that_is_gone_changes_nothing_but_that_it_is_told(place: Place) -> None:
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        place.wait_for_open(HIGH)
        (place.folder / "alerts.yml").unlink()
        pager.process.send_signal(signal.SIGHUP)
        pager.wait_for("event=config_kept")
        place.measure(mail=10)
        place.wait_for_one_with("alerts.yml: no such file")


def test_run_once_fails_when_pagerduty_refuses_the_page(place: Place) -> None:
    place.pagerduty.fault = Fault.UNKNOWN_KEY
    place.measure(mail=82.4)
    done = run("run", "--once", environment=place.environment, folder=place.folder)
    assert done.returncode == 1
    assert "event=not_delivered" in done.stdout


def test_a_page_that_a_wrong_key_lost_goes_out_when_the_key_is_corrected(place: Place) -> None:
    place.pagerduty.fault = Fault.UNKNOWN_KEY
    place.measure(mail=82.4)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=not_delivered")
    place.pagerduty.fault = None
    place.environment["PAGERDUTY_KEY"] = "f" * 32
    with running(place.environment, place.folder):
        (incident,) = place.wait_for_open(HIGH)
        assert incident.routing_key == "f" * 32


def test_sigterm_ends_it_within_a_second_while_the_database_is_locked(place: Place) -> None:
    place.measure(mail=10)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=poll")
        with locked(place.environment["DATABASE_URL"]):
            time.sleep(1)  # the next poll is waiting for the lock by then
            code, took = pager.end()
    assert (code, took < 1) == (0, True), (took, pager.output)


def test_an_outage_of_graphite_ends_no_pager_whose_alerts_were_renamed(place: Place) -> None:
    place.measure(mail=10)
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=poll")
        pager.end()
    place.configure(ALERTS.replace("Queue depth", "Depth").replace("*.depth", "*.deepness"))
    place.environment["GRAPHITE_URL"] = "http://127.0.0.1:1"
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=poll", times=2)
        assert pager.process.poll() is None


def test_a_first_start_goes_on_when_graphite_answers_one_target_and_refuses_another(place: Place) -> None:
    place.configure(ALERTS + "  - {{name: Broken, target: noSuchFunction(a.b), warning: 1, critical: 2}}\n")
    with running(place.environment, place.folder) as pager:
        pager.wait_for("event=poll", times=2)
        assert "event=fetch_failed" in pager.output
        assert pager.process.poll() is None
