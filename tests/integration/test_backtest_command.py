"""`backtest` as its users call it: tables, JSON, Markdown, and what a change would have done."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.integration.pager_process import run
from tests.past import ALERTS, DAY, keep_the_day, line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "backtest.md"
GOLDEN = Path(__file__).parent.parent / "data" / "backtest"
STRICTER = ALERTS.replace("for: 5min", "for: 1min").replace("warning: 50", "warning: 55")


@pytest.fixture
def graphite() -> Iterator[FakeGraphite]:
    with FakeGraphite().serve() as running:
        yield running
    assert running.objections == []


def backtest(graphite: FakeGraphite, folder: Path, *arguments: str, alerts: str = ALERTS) -> CompletedProcess[str]:
    environment = keep_the_day(graphite, folder, alerts)
    return run("backtest", *DAY, *arguments, environment=environment, folder=folder)


def golden(name: str) -> str:
    return (GOLDEN / name).read_text()


def test_it_says_what_a_day_would_have_paged(graphite: FakeGraphite, tmp_path: Path) -> None:
    done = backtest(graphite, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == golden("day.txt")
    shown = [text.rstrip() for text in done.stdout.splitlines()]
    assert "\n".join(shown) in HOW_TO.read_text()


def test_it_says_what_a_change_would_have_paged(graphite: FakeGraphite, tmp_path: Path) -> None:
    (tmp_path / "old.yml").write_text(ALERTS)
    done = backtest(graphite, tmp_path, "--against", "old.yml", alerts=STRICTER)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == golden("against.txt")


def test_a_change_as_markdown(graphite: FakeGraphite, tmp_path: Path) -> None:
    (tmp_path / "old.yml").write_text(ALERTS)
    done = backtest(graphite, tmp_path, "--against", "old.yml", "--markdown", alerts=STRICTER)
    assert done.stdout == golden("against.md")


def test_a_git_revision_is_compared_with_its_included_files(graphite: FakeGraphite, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(
            ["git", *identity, *arguments],  # noqa: S607 - the git that there is
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "lock.yml").write_text(ALERTS)
    (tmp_path / "alerts.yml").write_text("include: more/*.yml\nalerts: []\n")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "before")
    done = backtest(graphite, tmp_path, "--against", "HEAD", "--json", alerts=STRICTER)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert (document["against"]["pages"], document["pages"]) == (3, 4)
    assert [one["series"] for one in document["difference"]["gained"]] == ["db1"]


def test_json_has_every_incident(graphite: FakeGraphite, tmp_path: Path) -> None:
    document = json.loads(backtest(graphite, tmp_path, "--json", "--alert", "MongoDB lock").stdout)
    [alert] = document["alerts"]
    assert (alert["pages"], alert["near_misses"], alert["noisiest_series"]) == (3, 1, {"series": "db2", "pages": 2})
    first = alert["incidents"][0]
    assert (first["series"], first["level"], first["begins_at"], first["ends_at"], first["value"]) == (
        "db1", "critical", "2026-01-15T17:05:00+00:00", "2026-01-15T18:30:00+00:00", 90.0,
    )  # fmt: skip
    assert first["summary"] == "CRITICAL MongoDB lock: db1 is 90 (critical at 70)"


def test_ci_can_refuse_too_many_pages(graphite: FakeGraphite, tmp_path: Path) -> None:
    assert backtest(graphite, tmp_path, "--fail-if-pages-over", "3").returncode == 0
    done = backtest(graphite, tmp_path, "--fail-if-pages-over", "2")
    assert (done.returncode, done.stderr) == (1, "graphite-pager: 3 pages would have been sent, at most 2 may be\n")


def test_a_past_that_is_coarser_than_the_present_is_said_to_be(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    graphite.answers["servers.*.load"] = respond(line("web1", [1.5] * 600, step_s=300))
    present = respond(line("web1", [1.5] * 3000))
    graphite.once = [present, present]
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: servers.*.load, warning: 8, critical: 12}]\n")
    graphite.once = [present]
    done = run("backtest", *DAY, environment=environment, folder=tmp_path)
    assert done.returncode == 0
    assert "servers.*.load: Graphite keeps this past in steps of 5min, and the present in 1min" in done.stderr


def test_a_graphite_that_fails_on_the_way_ends_it_with_one_line(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    graphite.once = [graphite.answers.pop("servers.*.lock"), graphite.answers.pop("servers.*.load")]
    graphite.default = respond(b"out of memory", status="500 Internal Server Error")
    done = run("backtest", *DAY, environment=environment, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    # They are asked at the same time.
    targets = ("servers.*.lock", "servers.*.load")
    assert done.stderr in [f"graphite-pager: {one}: 500 Internal Server Error: out of memory\n" for one in targets]


def test_an_alert_that_cannot_be_fetched_is_left_out_and_said_to_be(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    graphite.answers["servers.*.load"] = respond(b"Invalid parameters\n", status="400 Bad Request")
    done = run("backtest", *DAY, "--json", "--html", "page.html", environment=environment, folder=tmp_path)
    assert done.returncode == 1
    assert "MongoDB lock" in (tmp_path / "page.html").read_text()
    assert "graphite-pager: Load is left out: servers.*.load: 400 Bad Request" in done.stderr
    assert [one["alert"] for one in json.loads(done.stdout)["alerts"]] == ["MongoDB lock"]


@pytest.mark.parametrize(
    ("arguments", "line_of_error", "code"),
    [
        (["--from", "-7x"], "expected a time such as -7d, now or 2026-03-01T22:00Z, got '-7x'", 2),
        (["--from", "-1h", "--until", "-2h"], "the period is empty: --from must lie before --until", 2),
        (["--from", "now", "--until", "now"], "the period is ", 2),
        (["--step", "10d"], "the period is shorter than the 1w3d from poll to poll", 2),
        (["--step", "0"], "the time from poll to poll is at least a second", 2),
        (["--from", "-30y", "--step", "1s"], "polls are too many: choose a shorter period or a longer --step", 2),
        (["--json", "--markdown"], "choose one of --json and --markdown", 2),
        (["--alert", "Laod"], "graphite-pager: no alert is called 'Laod' (did you mean Load?)", 1),
        (["--against", "nowhere"], "nowhere: no such file, and no git revision of ", 1),
        (["--against", ""], "--against is empty: name a file or a git revision", 2),
        (["--against=-x"], "-x: neither a file nor a git revision", 1),
        (["--html", "-"], "--html takes the name of a file: what is printed are the tables", 2),
        (["--html", "no/such/folder.html"], "no/such/folder.html: no such file or directory", 1),
    ],
)
def test_bad_input_gets_one_clear_line(
    graphite: FakeGraphite, tmp_path: Path, arguments: list[str], line_of_error: str, code: int
) -> None:
    done = backtest(graphite, tmp_path, *arguments)
    assert line_of_error in done.stderr
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_there_is_told_before_graphite_is_asked(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    nobody = {"GRAPHITE_URL": "http://127.0.0.1:9"}
    done = run("backtest", *DAY, "--html", "no/such/folder.html", environment=nobody, folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "graphite-pager: no/such/folder.html: no such file or directory\n")


def test_a_page_that_cannot_be_written_costs_no_answer(graphite: FakeGraphite, tmp_path: Path) -> None:
    done = backtest(graphite, tmp_path, "--html", "/dev/full")
    assert (done.returncode, done.stderr) == (1, "graphite-pager: /dev/full: no space left on device\n")
    assert done.stdout == golden("day.txt")


def test_a_fixed_time_in_from_cannot_be_replayed(graphite: FakeGraphite, tmp_path: Path) -> None:
    alerts = "alerts: [{name: Load, target: servers.*.load, warning: 8, critical: 12, from: '20260101'}]\n"
    done = backtest(graphite, tmp_path, alerts=alerts)
    assert "20260101 is a fixed time: such a window does not move with the polls" in done.stderr
    assert done.returncode == 1
