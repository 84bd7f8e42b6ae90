"""`graphite-pager plan` between a database that a pager has left behind and a Graphite that has gone on."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pager_process import run
from tests.integration.polled_place import ALERTS, KEY, OTHER_KEY, PolledPlace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path


class Place(NamedTuple):
    """A place in which a pager has polled once, and what `plan` says there."""

    polled: PolledPlace

    def plan(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.polled.folder / "new.yml").write_text(text)
        return self.polled.ask("plan", "new.yml", *arguments)

    def lines(self, text: str) -> list[str]:
        *lines, _ = self.plan(text).stdout.splitlines()
        return lines


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        polled = PolledPlace(tmp_path, graphite, pagerduty)
        polled.measure("loads", web1=13.0, web2=9.0, web3=1.0)
        polled.measure("disks", db1=95.0)
        polled.poll()
        yield Place(polled)


def test_the_same_file_changes_nothing(place: Place) -> None:
    done = place.plan(ALERTS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "new.yml: 0 to begin, 0 to end, 0 to move, 0 pending, of 3 open now; the last poll was"
    )


def test_a_lower_threshold_begins_incidents(place: Place) -> None:
    assert place.lines(ALERTS.replace("warning: 8", "warning: 1")) == ["+ WARNING Load: web3 is 1 (warning at 1)"]


def test_a_higher_threshold_ends_them_or_lowers_their_level(place: Place) -> None:
    begins, *ends = place.lines(ALERTS.replace("warning: 8, critical: 12", "warning: 10, critical: 20"))
    assert begins == "+ WARNING Load: web1 is 13 (warning at 10)"
    assert [line.partition(", was")[0] for line in ends] == [
        "- RESOLVED Load: web1 is 13",
        "- RESOLVED Load: web2 is 9",
    ]


def test_an_alert_that_is_gone_ends_its_incidents_with_that_reason(place: Place) -> None:
    (line,) = place.lines("\n".join(ALERTS.splitlines()[:2]))
    assert line.startswith("- RESOLVED Disk: db1 is 95, was Critical for ")
    assert line.endswith("(removed from alerts.yml)")


def test_a_target_that_matches_nothing_is_pending(place: Place) -> None:
    text = ALERTS + "  - {name: Typo, target: lods, warning: 8, critical: 12}\n"
    assert place.lines(text) == ["? Typo: (all series): NO DATA begins in 3min if it goes on"]


def test_a_breach_that_has_to_last_is_pending(place: Place) -> None:
    (line,) = place.lines(ALERTS + "  - {name: New, target: disks, warning: 8, critical: 99, for: 10min}\n")
    assert line.startswith("? New: db1: Warning begins in ")


def test_another_routing_key_moves_what_is_open(place: Place) -> None:
    assert place.lines(ALERTS.replace("critical: 90", f"critical: 90, pagerduty_key: {OTHER_KEY}")) == [
        "~ Disk: db1 (Critical): it is told to pagerduty with another key, then resolved at pagerduty with the old key"
    ]


def test_what_would_happen_without_the_change_is_marked(place: Place) -> None:
    place.polled.measure("loads", web1=13.0, web2=9.0, web3=14.0)
    assert place.lines(ALERTS.replace("warning: 80", "warning: 70")) == [
        "+ CRITICAL Load: web3 is 14 (critical at 12)  [with the running alerts.yml, too]"
    ]


def test_what_a_silence_holds_back_and_what_nobody_hears_is_said(place: Place) -> None:
    place.polled.ask("silence", "add", "series=web3", "--for", "1h", "--why", "disks", "--by", "ann")
    (held,) = place.lines(ALERTS.replace("warning: 8,", "warning: 1,"))
    assert held.startswith("+ WARNING Load: web3 is 1 (warning at 1)  [held back by silence 1 by ann until ")
    quiet = ALERTS + "  - {name: Quiet, target: disks, warning: 1, critical: 99, page_on: [critical]}\n"
    assert place.lines(quiet) == [
        "+ WARNING Quiet: db1 is 95 (warning at 1)  [nobody is told: no notifier hears of this level]"
    ]


def test_the_next_poll_does_what_the_plan_has_said(place: Place) -> None:
    text = ALERTS.replace("warning: 8, critical: 12", "warning: 0.5, critical: 10").replace(
        "critical: 90", "critical: 99"
    )
    planned = {line[2:].partition(", was")[0] for line in place.lines(text)}
    before = len(place.polled.pagerduty.events())
    place.polled.poll(text)
    happened = place.polled.pagerduty.events()[before:]
    triggered = {event.payload["summary"] for event in happened if event.action == "trigger"}
    assert {one for one in planned if not one.startswith("RESOLVED")} == triggered
    assert sum(one.startswith("RESOLVED") for one in planned) == sum(event.action == "resolve" for event in happened)


def test_it_writes_and_sends_nothing(place: Place) -> None:
    database = place.polled.folder / "graphite-pager.db"
    before = hashlib.sha256(database.read_bytes()).hexdigest(), place.polled.pagerduty.request_count()
    place.plan(ALERTS.replace("warning: 8", "warning: 1"))
    assert (hashlib.sha256(database.read_bytes()).hexdigest(), place.polled.pagerduty.request_count()) == before


def test_json_says_the_same(place: Place) -> None:
    said = json.loads(place.plan(ALERTS.replace("warning: 8", "warning: 1"), "--json").stdout)
    assert said == {
        "changes": [
            {
                "kind": "begins",
                "alert": "Load",
                "series": "web3",
                "level": "warning",
                "sentence": "WARNING Load: web3 is 1 (warning at 1)",
                "notes": [],
            }
        ],
        "failures": [],
    }


def test_a_target_that_fails_is_told_and_ends_with_1(place: Place) -> None:
    place.polled.graphite.answers["lods"] = respond(b"Invalid parameters\n", status="400 Bad Request")
    done = place.plan(ALERTS.replace("target: loads", "target: lods"))
    assert done.returncode == 1
    assert done.stderr == "graphite-pager: lods: 400 Bad Request: Invalid parameters\n"


def test_without_a_new_file_it_says_which_one_is_meant(tmp_path: Path) -> None:
    done = run("plan", "nosuch.yml", folder=tmp_path)
    message = "graphite-pager: nosuch.yml: no such file; name the file that is to take the place of alerts.yml\n"
    assert (done.returncode, done.stderr) == (1, message)


def test_without_a_database_it_says_so_and_makes_none(tmp_path: Path) -> None:
    (tmp_path / "new.yml").write_text(ALERTS)
    environment = {"GRAPHITE_URL": "http://127.0.0.1:1", "PAGERDUTY_KEY": KEY}
    done = run("plan", "new.yml", environment=environment, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no such file; no graphite-pager has run there yet" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["new.yml"]


def test_a_new_file_with_a_mistake_is_told_like_any(place: Place) -> None:
    done = place.plan(ALERTS.replace("12", "twelve"))
    assert (done.returncode, "expected a number, got 'twelve'" in done.stderr) == (1, True)
