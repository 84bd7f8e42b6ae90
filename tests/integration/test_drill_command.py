"""`graphite-pager drill`: a made-up breach from the real Graphite to a strict PagerDuty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import FakePagerDuty, Fault, assert_no_secret
from tests.integration.pager_process import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.graphite_server.client import Graphite

KEY, TEST_KEY, OWN_KEY = "0123456789abcdef0123456789abcdef", "dr1ll" * 6 + "xy", "a" * 32

DRILL = """\
graphite-pager drill: drill of TIME UTC
   N s  a database of its own is made
page:
   N s  Graphite answers: 100
   N s  judged and stored: CRITICAL graphite-pager drill: drill of TIME UTC is 100 (critical at 90)
   N s  taken from the queue and marked
   N s  PagerDuty accepts it: 202 Event processed
end:
   N s  Graphite answers: 0
   N s  judged and stored: RESOLVED graphite-pager drill: drill of TIME UTC is 0, was Critical for N s (back to Nominal)
   N s  taken from the queue and marked
   N s  PagerDuty accepts it: 202 Event processed
the page took N s, its end N s; a breach waits for its poll for up to 60 s
"""


@pytest.fixture
def pagerduty() -> Iterator[FakePagerDuty]:
    with FakePagerDuty() as running:
        yield running
        assert running.rejected() == ()


def drill(
    url: str, pagerduty: FakePagerDuty, folder: Path, *arguments: str, key: str | None = TEST_KEY
) -> subprocess.CompletedProcess[str]:
    keys = f"warning: 8, critical: 12, pagerduty_key: {OWN_KEY}"
    (folder / "alerts.yml").write_text(f"alerts: [{{name: Load, target: a.b, {keys}}}]\n")
    environment = {"GRAPHITE_URL": url, "PAGERDUTY_KEY": KEY, "PAGERDUTY_EVENTS_URL": pagerduty.url}
    environment |= {"DRILL_PAGERDUTY_KEY": key} if key else {}
    done = run("drill", *arguments, environment=environment, folder=folder)
    assert_no_secret(done.stdout + done.stderr, [KEY, TEST_KEY, OWN_KEY])
    assert "Traceback" not in done.stdout + done.stderr
    return done


def timeless(text: str) -> str:
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    text = re.sub(r"^ *\d+\.\d{3} s", "   N s", text, flags=re.MULTILINE)
    return re.sub(r"\b\d+\.\d+ ?s\b", "N s", text).replace("Critical for 0s", "Critical for N s")


def test_a_breach_goes_all_the_way_and_ends(graphite: Graphite, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    done = drill(graphite.url, pagerduty, tmp_path)
    assert (done.returncode, done.stderr, timeless(done.stdout)) == (0, "", DRILL)
    assert [(event.action, event.routing_key) for event in pagerduty.events()] == [
        ("trigger", TEST_KEY),
        ("resolve", TEST_KEY),
    ]
    assert pagerduty.open_incidents() == ()


def test_it_leaves_nothing_behind(graphite: Graphite, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    drill(graphite.url, pagerduty, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["alerts.yml"]


@pytest.mark.parametrize("key", [KEY, OWN_KEY, KEY.upper()])
def test_a_key_that_people_are_paged_by_is_refused(pagerduty: FakePagerDuty, tmp_path: Path, key: str) -> None:
    done = drill("http://127.0.0.1:1", pagerduty, tmp_path, key=key)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "graphite-pager: the key of the drill is one that people are paged by: make a service"
    )
    assert pagerduty.request_count() == 0


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--key", "short"), 1)])
def test_without_a_good_key_nothing_begins(
    pagerduty: FakePagerDuty, tmp_path: Path, arguments: tuple[str, ...], code: int
) -> None:
    done = drill("http://127.0.0.1:1", pagerduty, tmp_path, *arguments, key=None)
    assert (done.returncode, done.stdout, pagerduty.request_count()) == (code, "", 0)


def test_a_pagerduty_that_is_down_fails_its_stage(graphite: Graphite, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    pagerduty.fault = Fault.UNAVAILABLE
    done = drill(graphite.url, pagerduty, tmp_path)
    assert done.returncode == 1
    assert "PagerDuty accepts it: FAILED: PagerDuty answered 503" in done.stdout
    assert re.search(r"the drill failed; if the test service has 'drill of .*' open, resolve it by hand", done.stderr)


def test_a_page_whose_answer_was_lost_is_ended(graphite: Graphite, pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    pagerduty.fail_next(Fault.RESET_AFTER_INGEST)
    done = drill(graphite.url, pagerduty, tmp_path)
    assert (done.returncode, done.stderr) == (1, "graphite-pager: the drill failed\n")
    assert (len(pagerduty.incidents()), pagerduty.open_incidents()) == (1, ())


def test_a_graphite_that_is_down_fails_its_stage(pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    done = drill("http://127.0.0.1:1", pagerduty, tmp_path)
    assert (done.returncode, done.stderr) == (1, "graphite-pager: the drill failed\n")
    assert "Graphite answers: FAILED: nothing listens at 127.0.0.1:1 (connection refused)" in timeless(done.stdout)
    assert pagerduty.request_count() == 0


def test_a_graphite_without_constant_lines_fails_the_judging(pagerduty: FakePagerDuty, tmp_path: Path) -> None:
    with FakeGraphite().serve() as graphite:
        graphite.default = respond(b"")
        done = drill(graphite.url, pagerduty, tmp_path)
    assert done.returncode == 1
    assert "judged and stored: FAILED: Graphite's constantLine(100) made no trigger" in done.stdout
