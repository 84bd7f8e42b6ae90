"""`graphite-pager explain` between a real database, a Graphite and a PagerDuty, on either kind of database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import FakePagerDuty, Fault
from tests.integration.polled_place import ALERTS, PolledPlace
from tests.integration.store_support import KINDS, empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELD = """\
alerts:
  - {name: Load, target: loads, warning: 8, critical: 12, exclude: [web9]}
  - {name: Load, target: more, warning: 1, critical: 2}
"""

STORY = """\
Load: web1 at TIME UTC

  entry       alerts.yml:2
  target      loads
  thresholds  warning 8, critical 12
  judged      13: Critical, 1 past Critical (data until CLOCK)
  last hour   ▁▁▁▁▁▁
  newest      CLOCK 13, CLOCK 13, CLOCK 13, CLOCK 13, CLOCK 13, CLOCK 13
  graph       GRAPH

  the day before, in UTC:
  TIME  Critical incident opens at 13
  TIME  pagerduty: page sent: 202 Event processed

It paged: pagerduty accepted the Critical page at CLOCK (202 Event processed).
"""


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PolledPlace]:
    with (
        FakeGraphite().serve() as graphite,
        FakePagerDuty() as pagerduty,
        empty_database(request.param, tmp_path) as url,
    ):
        place = PolledPlace(tmp_path, graphite, pagerduty)
        place.environment["DATABASE_URL"] = url.render_as_string(hide_password=False)
        place.measure("loads", web1=13.0, web2=1.0)
        yield place


def explain(place: PolledPlace, *arguments: str) -> str:
    """The whole story with the times and the graph's address taken out; exit code 0 expected."""
    done = place.ask("explain", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    timeless = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", done.stdout)
    timeless = re.sub(r"(?<![:\d])\d\d:\d\d:\d\d", "CLOCK", timeless)
    return re.sub(r"http://\S+", "GRAPH", timeless)


def sentence(place: PolledPlace, *arguments: str) -> str:
    return explain(place, *arguments).splitlines()[-1]


def test_the_whole_story_of_a_page(place: PolledPlace) -> None:
    place.poll()
    assert explain(place, "Load", "web1") == STORY


def test_a_page_that_waits_has_pagerdutys_answer(place: PolledPlace) -> None:
    place.pagerduty.fault = Fault.UNAVAILABLE
    place.poll_without_waiting()
    said = sentence(place, "Load", "web1")
    assert said.startswith("It has not paged yet: pagerduty has not accepted its Critical page in ")
    assert "PagerDuty answered 503" in said


def test_a_silence_is_named_with_its_author_and_reason(place: PolledPlace) -> None:
    place.ask("silence", "add", "series=web1", "--for", "1h", "--why", "new disks", "--by", "ann")
    place.poll()
    assert re.search(
        r"It did not page: it is Critical since CLOCK, and held back by silence 1 by ann until .* UTC: new disks\.",
        sentence(place, "Load", "web1"),
    )


def test_a_good_series_an_excluded_one_and_one_with_a_later_entry(place: PolledPlace) -> None:
    place.measure("loads", web1=13.0, web2=1.5, web9=99.0)
    place.measure("more", web2=1.5, web3=0.5)
    place.poll(HELD)
    assert sentence(place, "Load", "web3") == "It does not page: 0.5 breaches no threshold (0.5 to Warning)."
    assert sentence(place, "Load", "web9") == "It does not page: exclude leaves it out."
    assert sentence(place, "Load", "web2") == (
        "It does not page: 1.5 breaches no threshold of the entry that owns it (6.5 to Warning); the entry in line 3,"
        " by which it would be Warning, comes later and never sees it."
    )


def test_an_incident_that_is_over_is_in_the_story_and_can_be_asked_for(place: PolledPlace) -> None:
    place.poll()
    then = datetime.now(UTC) - timedelta(milliseconds=1)
    place.measure("loads", web1=3.0, web2=1.0)
    place.poll()
    said = explain(place, "Load", "web1")
    assert "TIME  Critical incident ends: back to Nominal" in said
    assert said.endswith("Its last incident paged: Critical from CLOCK to CLOCK (back to Nominal).\n")
    assert sentence(place, "Load", "web1", "--at", then.isoformat()).startswith("It paged: ")
    asked = place.graphite.requests[-1].form
    assert {asked["until"][0], *asked["from"]}.isdisjoint({"-1min", "now"})


def test_a_series_that_nobody_knows_ends_with_1_and_names_like_it(place: PolledPlace) -> None:
    place.poll()
    done = place.ask("explain", "Load", "web11")
    assert done.returncode == 1
    assert done.stdout.endswith("Graphite returns no series of this name for the alert (did you mean web1, web2?).\n")


def test_an_alert_that_nobody_knows_is_one_clear_line(place: PolledPlace) -> None:
    place.poll()
    done = place.ask("explain", "laod", "web1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "graphite-pager: no alert is called 'laod' (did you mean Load?)\n"


def test_an_alert_that_was_removed_still_has_its_story(place: PolledPlace) -> None:
    place.poll()
    place.folder.joinpath("alerts.yml").write_text(ALERTS.replace("name: Load", "name: Other"))
    done = place.ask("explain", "Load", "web1")
    assert "Critical incident opens at 13" in done.stdout
    assert "It paged: " in done.stdout
    assert done.stderr == (
        "graphite-pager: warning: alerts.yml is not what the pager runs; this is by the file as it is\n"
    )
    place.poll()
    assert sentence(place, "Load", "web1") == (
        "It does not page: alerts.yml holds no alert of this name any more. Its last incident paged: Critical from"
        " CLOCK to CLOCK (removed from alerts.yml)."
    )


def test_while_graphite_is_down_the_story_is_told_without_it(place: PolledPlace) -> None:
    place.poll()
    place.graphite.answers["loads"] = respond(b"oh no", status="500 Internal Server Error")
    assert "It paged: " in sentence(place, "Load", "web1")
    assert sentence(place, "Load", "web2").startswith("Nothing is known: Graphite gives no usable answer (500 ")


def test_an_alert_without_any_series_is_explained_as_a_whole(place: PolledPlace) -> None:
    place.poll()
    said = explain(place, "Disk", "(all series)")
    assert "timer       has no data since CLOCK" in said
    assert sentence(place, "Disk", "(all series)").startswith("It has not paged yet: no series has come since ")


@pytest.mark.parametrize(("at", "words"), [("yesterday", "expected a time such as -7d"), ("+1h", "is still to come")])
def test_a_time_that_is_none_is_refused(place: PolledPlace, at: str, words: str) -> None:
    done = place.ask("explain", "Load", "web1", "--at", at)
    assert (done.returncode, words in done.stderr) == (2, True)


def test_without_a_pager_there_is_nothing_to_explain(place: PolledPlace) -> None:
    done = place.ask("explain", "Load", "web1")
    assert done.returncode == 1
    assert "graphite-pager" in done.stderr
