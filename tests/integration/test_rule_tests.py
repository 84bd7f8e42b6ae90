"""`test`, `capture` and `suggest` as their users call them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.receivers import unused_port
from tests.integration.pager_process import run
from tests.past import ALERTS, DAY, keep_the_day, line

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent.parent / "data" / "ruletests"
BACKTEST = Path(__file__).parents[2] / "docs" / "how-to" / "backtest.md"


@pytest.fixture
def graphite() -> Iterator[FakeGraphite]:
    with FakeGraphite().serve() as running:
        yield running
    assert running.objections == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    return tmp_path


def test_a_failure_shows_the_series_the_timeline_and_the_rule(folder: Path) -> None:
    (folder / "tests.yml").write_text((GOLDEN / "failing.yml").read_text())
    done = run("test", folder=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (GOLDEN / "failing.txt").read_text()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "tests.yml: there is nothing in this file (for example tests: ["),
        ("tests: []\n", "tests.yml:1:8: expected at least one test"),
        ("- a\n", "tests.yml:1:1: expected the key 'tests' at the top, got a list (for example tests: ["),
        ("tests: [{name: a, alert: Load, series: {w: 1 2}}]\n", "tests.yml:1:9: nothing is expected (write expect"),
        ("tests: [{name: a, alert: Load, pages: 0}]\n", "tests.yml:1:9: expected series or targets"),
        ("tests: [{alert: Load, series: {w: 1}, pages: 0}]\n", "tests.yml:1:9: name is missing"),
        (
            "tests: [{name: a, alert: Load, series: {w: 1 2y}, pages: 0}]\n",
            "tests.yml:1:44: expected numbers and null, such as 1 1 9x5 null, got '2y'",
        ),
        (
            "tests: [{name: a, alert: Load, series: {w: 1x9999999}, pages: 0}]\n",
            "tests.yml:1:44: more than 1,000,000 datapoints",
        ),
        (
            "tests: [{name: a, alert: Load, serie: {w: 1}, series: {w: 1}, pages: 0}]\n",
            "tests.yml:1:32: unknown key 'serie' (did you mean series?)",
        ),
        (
            "tests: [{name: a, alert: Load, series: {w: 1}, expect: [{at: 1min, levle: ok}]}]\n",
            "tests.yml:1:68: unknown key 'levle' (did you mean level?)",
        ),
        (
            "tests: [{name: a, alert: Load, series: {w: 1}, expect: [{at: 1min, level: bad}]}]\n",
            "tests.yml:1:75: expected ",
        ),
        ("tests: [{name: a, alert: Load, start: noon, series: {w: 1}, pages: 0}]\n", "tests.yml:1:39: expected a time"),
    ],
)
def test_a_mistake_in_a_test_is_told_with_its_place(folder: Path, text: str, problem: str) -> None:
    (folder / "tests.yml").write_text(text)
    done = run("test", folder=folder)
    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{name: a, alert: Laod, series: {w: 1}, pages: 0}", "no alert is called 'Laod' (did you mean Load?)"),
        ("{name: a, alert: Load, series: {w: 1}, pages: 1}", "expected 1 page, there were 0"),
        (
            "{name: a, alert: Load, series: {w: 1}, expect: [{at: 3650d, level: ok}]}",
            "5,256,001 polls are too many for a test: at most 200,000",
        ),
        ("{name: a, alert: Load, targets: {b: {w: 1}}, pages: 0}", "the alert 'Load' has no target 'b'"),
    ],
)
def test_a_test_that_does_not_fit_the_alerts_fails(folder: Path, test: str, message: str) -> None:
    (folder / "tests.yml").write_text(f"tests:\n  - {test}\n")
    done = run("test", folder=folder)
    assert done.returncode == 1
    assert f"tests.yml:2:5: {message}" in done.stdout


def test_a_series_that_no_test_has_is_not_taken_for_a_good_one(folder: Path) -> None:
    expected = "expect: [{at: 1min, series: wbe1, level: ok}]"
    (folder / "tests.yml").write_text(f"tests:\n  - {{name: a, alert: Load, series: {{web1: 1x9}}, {expected}}}\n")
    done = run("test", folder=folder)
    assert (done.returncode, done.stderr) == (1, "")
    assert "no series of the test is called 'wbe1'" in done.stdout


def test_an_excluded_series_and_the_alert_as_a_whole_can_be_expected_to_be_good(folder: Path) -> None:
    (folder / "alerts.yml").write_text(ALERTS + "    exclude: web9\n")
    expected = "expect: [{at: 1min, series: web9, level: ok}, {at: 2min, series: (all series), level: ok}]"
    (folder / "tests.yml").write_text(f"tests:\n  - {{name: a, alert: Load, series: {{web9: 99x9}}, {expected}}}\n")
    assert run("test", folder=folder).stdout.endswith("1 passed\n")


def test_the_alert_as_a_whole_is_called_as_in_a_page(folder: Path) -> None:
    expected = "{at: 3min, series: (all series), event: trigger, level: no_data}"
    (folder / "tests.yml").write_text(f"tests:\n  - {{name: a, alert: Load, series: {{}}, expect: [{expected}]}}\n")
    done = run("test", folder=folder)
    assert done.stdout.endswith("1 passed\n"), done.stdout


def test_a_file_of_tests_that_is_not_there_is_not_taken_for_alerts(folder: Path) -> None:
    done = run("test", folder=folder)
    hint = "name yours behind the command, or write one: graphite-pager capture prints a test"
    assert (done.returncode, done.stderr) == (1, f"graphite-pager: tests.yml: no such file; {hint}\n")


def test_what_is_captured_passes_as_a_test(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    done = run(
        "capture", "MongoDB lock", "db1", "--at", "2026-01-15T17:05Z", "--before", "10min", "--after", "2h",
        environment=environment, folder=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / "captured.yml").read_text()
    (tmp_path / "tests.yml").write_text(done.stdout)
    assert run("test", folder=tmp_path).stdout.endswith("1 passed\n")


def test_what_is_still_to_come_is_not_captured_as_a_gap(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    start = int(datetime.now(UTC).timestamp()) // 60 * 60 - 3600
    points = ",".join(["1.5"] * 61)
    graphite.answers["servers.*.load"] = respond(f"web1,{start},{start + 61 * 60},60|{points}\n".encode())
    done = run("capture", "Load", "web1", "--at", "-5min", environment=environment, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "null" not in done.stdout
    assert "pages: 0" in done.stdout


def test_a_ratio_is_captured_with_both_of_its_targets(graphite: FakeGraphite, tmp_path: Path) -> None:
    alerts = """\
alerts:
  - name: Full
    ratio: {of: disks.*.used, to: disks.*.total, by: 1, scale: 100}
    warning: 80
    critical: 90
    from: -5min
"""
    environment = keep_the_day(graphite, tmp_path, alerts)
    for target, value in (("disks.*.used", 95.0), ("disks.*.total", 100.0)):
        name = target.replace("*", "web1")
        other = line(name.replace("web1", "web2"), [1.0] * 1500)
        graphite.answers[target] = respond(line(name, [value] * 1500) + other)
    done = run("capture", "Full", "web1", "--at", "2026-01-15T17:05Z", environment=environment, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "disks.web1.used: 95x61" in done.stdout
    assert "web2" not in done.stdout
    (tmp_path / "tests.yml").write_text(done.stdout)
    assert run("test", folder=tmp_path).stdout.endswith("1 passed\n")


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["Load", "wep1", "--at", "2026-01-15T17:05Z"], "had no series 'wep1' then (did you mean web1?)", 1),
        (["Laod", "web1", "--at", "2026-01-15T17:05Z"], "no alert is called 'Laod' (did you mean Load?)", 1),
        (["Load", "web1", "--at", "then"], "expected a time such as -7d, now or 2026-03-01T22:00Z, got 'then'", 2),
        (["Load", "web1"], "Missing option '--at'", 2),
        (["Load", "web1", "--at", "-1h", "--before", "0s", "--after", "0s"], "nothing between --before and --after", 2),
        (["Load", "web1", "--at", "+1h"], "+1h is still to come", 2),
    ],
)
def test_what_cannot_be_captured_is_told_in_a_line(
    graphite: FakeGraphite, tmp_path: Path, arguments: list[str], message: str, code: int
) -> None:
    done = run("capture", *arguments, environment=keep_the_day(graphite, tmp_path), folder=tmp_path)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("arguments", [["capture", "Load", "web1", "--at", "-1h"], ["suggest", "servers.*.load"]])
def test_a_graphite_that_is_down_is_all_that_is_told(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: servers.*.load, warning: 5, critical: 10}]")
    environment = {"GRAPHITE_URL": f"http://127.0.0.1:{unused_port()}"}
    done = run(*arguments, environment=environment, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"graphite-pager: servers\.\*\.load: .*[Cc]onnection refused.*\n", done.stderr), done.stderr


def test_thresholds_are_suggested_with_their_pages(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    done = run("suggest", "servers.*.lock", *DAY, "--pages-per-week", "7", environment=environment, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / "suggested.txt").read_text()
    shown = [text.rstrip() for text in done.stdout.splitlines()]
    assert "\n".join(shown) in BACKTEST.read_text()


def test_a_suggested_entry_pages_as_often_as_was_said(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    done = run("suggest", "servers.*.lock", *DAY, "--pages-per-week", "7", environment=environment, folder=tmp_path)
    entry = done.stdout[done.stdout.index("alerts:") :]
    (tmp_path / "alerts.yml").write_text(entry + "    no_data: ok\n")
    done = run("backtest", *DAY, environment=environment, folder=tmp_path)
    assert "1 page in 1d, 7 a week" in done.stdout


def test_nan_is_no_number_of_pages(tmp_path: Path) -> None:
    done = run("suggest", "servers.*.lock", "--pages-per-week", "nan", folder=tmp_path)
    assert (done.returncode, "nan is no number of pages" in done.stderr) == (2, True)


def test_nothing_is_suggested_for_a_target_without_data(graphite: FakeGraphite, tmp_path: Path) -> None:
    environment = keep_the_day(graphite, tmp_path)
    graphite.answers["nothing.*"] = respond(b"")
    done = run("suggest", "nothing.*", *DAY, environment=environment, folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "graphite-pager: nothing.*: no datapoint in that time\n")
