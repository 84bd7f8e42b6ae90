"""`graphite-pager check` as people use it: one alert of many, its last hour, and looking on."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import time
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING

import pytest

from tests.integration.pager_process import run, running

if TYPE_CHECKING:
    from pathlib import Path
    from signal import Signals

    from tests.graphite_server.client import Graphite

DEPTHS = {"mail": [10.0, 20.0, 40.0, 55.0], "web": [80.0, 70.0, 75.0, 82.4], "db": [5.0] * 4}

TABLE = """\
Alert  Series  Value  Warning  Critical            Distance  Last hour  Level
Depth  db          5       50        70       45 to Warning  ▁▁▁▁       Nominal
Depth  mail       55       50        70      15 to Critical  ▁▃▆█       Warning
Depth  web      82.4       50        70  12.4 past Critical  ▇▁▄█       Critical
"""


@pytest.fixture
def place(graphite: Graphite, tmp_path: Path) -> Path:
    """A folder with two alerts, for one of which Graphite has a datapoint of each quarter of the last hour."""
    time.sleep(max(0, time.time() % 900 - 890))  # the next quarter is not to begin before the test has ended
    now = int(time.time()) // 900 * 900
    prefix = tmp_path.name.replace(".", "_")
    points = {
        name: list(zip(range(now - 2700, now + 900, 900), values, strict=True)) for name, values in DEPTHS.items()
    }
    graphite.write({f"{prefix}.{name}.depth": written for name, written in points.items()}, archives=((900, 100),))
    (tmp_path / "alerts.yml").write_text(
        "alerts:\n"
        f"  - {{name: Depth, target: 'aliasByNode({prefix}.*.depth, 1)', warning: 50, critical: 70, from: -31min}}\n"
        "  - {name: Nothing, target: 'no.such.thing', warning: 50, critical: 70}\n"
    )
    return tmp_path


def environment(graphite: Graphite) -> dict[str, str]:
    return {"GRAPHITE_URL": graphite.url, "STDOUT_ENABLED": "yes", "PYTHONIOENCODING": "utf-8"}


def test_one_alert_with_its_last_hour(graphite: Graphite, place: Path) -> None:
    done = run("check", "--alert", "Depth", "--sparkline", environment=environment(graphite), folder=place)
    assert (done.returncode, done.stderr) == (2, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == TABLE.splitlines()


def test_a_pipe_gets_no_colours_and_graphite_is_asked_once(graphite: Graphite, place: Path) -> None:
    done = run("check", "--alert", "Depth", environment=environment(graphite), folder=place)
    assert "Last hour" not in done.stdout
    assert "\x1b" not in done.stdout


def test_a_terminal_gets_colours_and_the_last_hour(graphite: Graphite, place: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "graphitepager", "check", "--alert", "Depth"]
    with subprocess.Popen(
        command, cwd=place, env={**environment(graphite), "TERM": "xterm-256color", "COLUMNS": "120"}, stdout=theirs
    ):
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says at the end of a terminal
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    lines = shown.decode().splitlines()
    assert "Last hour" in lines[0]
    assert any("▇▁▄█" in line and "\x1b[1;31mCritical" in line for line in lines)


def test_an_alert_that_is_none_gets_the_name_that_may_be_meant(graphite: Graphite, place: Path) -> None:
    done = run("check", "--alert", "depht", environment=environment(graphite), folder=place)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "graphite-pager: no alert is called 'depht' (did you mean Depth?)\n"


def test_json_says_the_distance(graphite: Graphite, place: Path) -> None:
    done = run("check", "--alert", "Depth", "--json", environment=environment(graphite), folder=place)
    distances = {one["series"]: one["distance"] for one in json.loads(done.stdout)["series"]}
    assert distances["db"] == {"to": "warning", "is_past": False, "amount": 45.0}
    assert distances["web"]["is_past"] is True


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_watching_goes_on_line_by_line_until_it_is_ended(graphite: Graphite, place: Path, number: Signals) -> None:
    arguments = ("check", "--alert", "Depth", "--watch", "--every", "1s")
    with running(environment(graphite), place, *arguments) as watching:
        watching.wait_for("Depth  web", times=2)
        code, took = watching.end(number)
    assert (code, "Traceback" in watching.output, "\x1b" in watching.output) == (0, False, False)
    assert took < 2
    assert watching.output.count(" UTC") >= 2


def test_watching_outlives_a_graphite_that_is_gone(place: Path) -> None:
    arguments = ("check", "--alert", "Depth", "--watch", "--every", "1s")
    nowhere = {"GRAPHITE_URL": "http://127.0.0.1:1", "STDOUT_ENABLED": "yes"}
    with running(nowhere, place, *arguments) as watching:
        watching.wait_for("nothing listens at 127.0.0.1:1", times=2)
        assert watching.end()[0] == 0


@pytest.mark.parametrize("length", ["often", "0s"])
def test_a_length_that_is_none_is_refused(place: Path, length: str) -> None:
    assert run("check", "--watch", "--every", length, folder=place).returncode == 3
