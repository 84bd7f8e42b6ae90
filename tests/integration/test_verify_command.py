"""`graphite-pager verify` beyond the file: with Graphite's help, for programs and for GitHub."""

from __future__ import annotations

import http.server
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
import yaml

from tests.fakes.loopback import serving
from tests.integration.pager_process import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.graphite_server.client import Graphite

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
KEY = "0123456789abcdef0123456789abcdef"
WEEK_S, QUARTER_S = 7 * 86400, 900


class Wiki(http.server.BaseHTTPRequestHandler):
    """A wiki that knows no HEAD, has one page, and keeps another behind a login."""

    statuses: ClassVar = {"/wiki/Load": 200, "/wiki/Secret": 403}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(self.statuses.get(self.path, 404))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


@pytest.fixture
def wiki() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wiki) as server, serving(server) as url:
        yield url


@pytest.fixture
def place(graphite: Graphite, tmp_path: Path, wiki: str) -> Path:
    """A folder whose alerts.yml has a bit of everything, and a Graphite that knows a week of it."""
    prefix = tmp_path.name.replace(".", "_")
    now = int(time.time())
    quarters = range(now - WEEK_S, now, QUARTER_S)
    fine = {f"{prefix}.web{number}.load": [(at, 0.5 + at // QUARTER_S % 2) for at in quarters] for number in (1, 2)}
    graphite.write(fine, archives=((QUARTER_S, 700),))
    graphite.write({f"{prefix}.ghost.load": [(now - 3 * 3600, 1.0)]}, archives=((QUARTER_S, 700),))
    (tmp_path / "alerts.yml").write_text(f"""\
docs_url: {wiki}/wiki
alerts:
  - name: Load
    target: aliasByNode({prefix}.*.load, 1)
    warning: 800
    critical: 1200
    from: -1h
  - name: Secret
    target: aliasByNode({prefix}.web1.load, 2)
    warning: 0.1
    critical: 100
    from: -1min
  - name: Typo
    target: {prefix}.*.laod
    warning: 8
    critical: 12
""")
    return tmp_path


def verify(folder: Path, *arguments: str, url: str = "http://127.0.0.1:1") -> subprocess.CompletedProcess[str]:
    return run("verify", *arguments, environment={"GRAPHITE_URL": url, "PAGERDUTY_KEY": KEY}, folder=folder)


GOLDEN = """\
alerts.yml:4:13: warning: alert 'Load', target: 1 of 3 series without a datapoint in the window: ghost (NO DATA pages)
  4 |     target: aliasByNode(PREFIX.*.load, 1)
    |             ^
alerts.yml:5:14: warning: alert 'Load', warning: nothing came near it in the last week: the nearest was web2 with 1.5 \
(warning is at 800: is that the unit of the series?)
  5 |     warning: 800
    |              ^
alerts.yml:10:14: warning: alert 'Secret', warning: load never left this side of it in the last week (it fires all \
the time: move the threshold, or exclude it)
  10 |     warning: 0.1
     |              ^
alerts.yml:12:11: warning: alert 'Secret', from: its window is 1min, and a datapoint comes every 15min only (most \
polls would find none: write from: -30min)
  12 |     from: -1min
     |           ^
alerts.yml:13:5: warning: alert 'Typo': the runbook WIKI/wiki/Typo cannot be read: it answers 404
  13 |   - name: Typo
     |     ^
alerts.yml:14:13: alert 'Typo', target: matches nothing (look for a typo, or write allow_no_data: yes)
  14 |     target: PREFIX.*.laod
     |             ^
alerts.yml: 3 alerts in 3 entries, 1 error, 5 warnings
"""


def test_live_says_what_graphite_knows_better(graphite: Graphite, place: Path, wiki: str) -> None:
    done = verify(place, "--live", url=graphite.url)
    said = done.stderr.replace(place.name.replace(".", "_"), "PREFIX").replace(wiki, "WIKI")
    assert (done.returncode, done.stdout, said) == (1, "", GOLDEN)


def test_a_page_behind_a_login_is_there(graphite: Graphite, place: Path) -> None:
    Wiki.asked.clear()
    verify(place, "--live", url=graphite.url)
    assert sorted(Wiki.asked) == ["/wiki/Load", "/wiki/Secret", "/wiki/Typo"]


def test_without_live_nobody_is_asked(place: Path) -> None:
    Wiki.asked.clear()
    done = verify(place)
    assert (done.returncode, done.stdout, done.stderr) == (0, "alerts.yml: 3 alerts in 3 entries\n", "")
    assert Wiki.asked == []


def test_live_against_a_graphite_that_is_down_ends_with_1(place: Path) -> None:
    done = verify(place, "--live")
    assert done.returncode == 1
    assert done.stderr.count("Graphite gives no usable answer: nothing listens at 127.0.0.1:1") == 3


def test_live_without_a_graphite_is_an_error(place: Path) -> None:
    done = run("verify", "--live", folder=place)
    assert (done.returncode, "environment: GRAPHITE_URL is not set" in done.stderr) == (1, True)


def test_json_has_every_problem_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text((DATA / "broken.yml").read_text())
    done = verify(tmp_path, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, done.stderr, said["file"], said["alerts"]) == (1, "", "alerts.yml", None)
    assert len(said["problems"]) == 14
    assert said["problems"][2] == {
        "severity": "error",
        "file": "alerts.yml",
        "line": 9,
        "column": 14,
        "message": "alert 'Load', warning: expected a number, got 'ten'",
        "hint": None,
        "excerpt": "    warning: ten",
    }


def test_one_form_is_asked_for(tmp_path: Path) -> None:
    done = run("verify", "--json", "--format", "github", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "choose one of --json and --format github" in done.stderr


def test_json_of_a_good_file_counts_it() -> None:
    done = verify(DATA, "-c", "readme_example.yml", "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["alerts"] > 0) == (0, True)


def test_github_gets_annotations(tmp_path: Path) -> None:
    text = "alerts:\n  - {name: '50%: a', target: a.b, warning: ten, critical: 12, oops: 1}\n"
    (tmp_path / "alerts.yml").write_text(text)
    done = verify(tmp_path, "--format", "github")
    assert done.stdout == (
        "::error title=graphite-pager,file=alerts.yml,line=2,col=44::"
        "alert '50%25: a', warning: expected a number, got 'ten'\n"
        "::warning title=graphite-pager,file=alerts.yml,line=2,col=63::unknown key 'oops'\n"
    )
    assert done.returncode == 1


def test_github_is_told_of_a_variable_without_a_file(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: a.b, warning: 8, critical: 12}]\n")
    done = run("verify", "--format", "github", environment={"HEARTBEAT_SECONDS": "often"}, folder=tmp_path)
    assert "::error title=graphite-pager::environment: HEARTBEAT_SECONDS: expected a number" in done.stdout


def test_the_hook_for_pre_commit_is_a_command_that_there_is(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    program, *arguments = hook["entry"].split()
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: a.b, warning: 8, critical: 12}]\n")
    assert (program, run(*arguments, folder=tmp_path).returncode) == ("graphite-pager", 0)
