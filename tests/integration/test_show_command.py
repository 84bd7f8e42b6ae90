"""`show` and `library` as their users call them, and alerts in several files as every command reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import graphitepager.library
from tests.integration.pager_process import run

LIBRARY = Path(graphitepager.library.__file__).parent
DOCS = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
KEY = "0123456789abcdef0123456789abcdef"
ALERTS = f"""\
include: alerts.d/*.yml
alerts:
  - {{name: Queue, target: a.b, warning: 50, critical: 70, pagerduty_key: {KEY}}}
"""
LOADS = f"""\
defaults:
  pagerduty_key: {KEY}
alerts:
  - use: host/load
    name: Load in {{env}}
    for_each: [{{env: prod, threshold: 30}}, {{env: staging, threshold: 90}}]
    with: {{hosts: "{{env}}-*"}}
    warning: 20
    critical: "{{threshold}}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    (tmp_path / "alerts.d").mkdir()
    (tmp_path / "alerts.d" / "load.yml").write_text(LOADS)
    return tmp_path


def documented(command: str) -> str:
    """What the documentation says that the command prints."""
    [output] = re.findall(rf"^\$ {re.escape(command)}\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    assert isinstance(output, str)
    return output


def test_show_prints_what_the_documentation_says(folder: Path) -> None:
    done = run("show", "Load in prod", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == documented('graphite-pager show "Load in prod"')


def test_show_prints_every_alert_without_a_secret(folder: Path) -> None:
    done = run("show", folder=folder)
    assert KEY not in done.stdout
    assert [entry["name"] for entry in yaml.safe_load(done.stdout)["alerts"]] == [
        "Queue", "Load in prod", "Load in staging",
    ]  # fmt: skip


def test_what_show_prints_can_stand_in_place_of_what_it_comes_from(folder: Path) -> None:
    first = run("show", "--json", folder=folder).stdout
    printed = run("show", folder=folder).stdout
    (folder / "alerts.yml").write_text(printed.replace("'****'", KEY))
    again = run("show", "--json", folder=folder).stdout
    assert [one["entry"] for one in json.loads(again)] == [one["entry"] for one in json.loads(first)]


def test_show_says_in_json_where_each_comes_from(folder: Path) -> None:
    [one] = json.loads(run("show", "--json", "Load in staging", folder=folder).stdout)
    assert one.pop("entry")["critical"] == "90"
    assert one == {
        "file": "alerts.d/load.yml", "line": 4, "for_each": {"env": "staging", "threshold": "90"}, "use": "host/load",
    }  # fmt: skip


def test_show_guesses_at_a_name_that_no_alert_has(folder: Path) -> None:
    done = run("show", "Load in prd", folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "graphite-pager: no alert is called 'Load in prd' (did you mean Load in prod?)\n"


def test_show_says_what_is_wrong_with_the_configuration(folder: Path) -> None:
    (folder / "alerts.d" / "load.yml").write_text(LOADS.replace("host/load", "host/laod"))
    done = run("show", folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert "alerts.d/load.yml:4:10: alert 'Load in prod', use: no ready-made check is called" in done.stderr


def test_library_prints_what_the_documentation_says(tmp_path: Path) -> None:
    done = run("library", "host/load", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == documented("graphite-pager library host/load")


def test_library_lists_every_check_in_a_line(tmp_path: Path) -> None:
    lines = run("library", folder=tmp_path).stdout.splitlines()
    assert len(lines) == len(list(LIBRARY.glob("*/*.yml")))
    assert "host/load                The load average of a host over one minute." in lines


def test_library_guesses_at_a_name_that_no_check_has(tmp_path: Path) -> None:
    done = run("library", "host/laod", folder=tmp_path)
    assert (done.returncode, done.stderr) == (
        1, "graphite-pager: no ready-made check is called 'host/laod' (did you mean host/load?)\n",
    )  # fmt: skip


def test_verify_reads_the_included_files_seen_from_their_own_folder(folder: Path) -> None:
    (folder / "alerts.d" / "load.yml").write_text(LOADS.replace("20", "many"))
    done = run("verify", "-c", f"{folder.name}/alerts.yml", folder=folder.parent)
    assert done.returncode == 1
    place = f"{folder.name}/alerts.d/load.yml:8:14"
    assert f"{place}: alert 'Load in prod', warning: expected a number, got 'many'" in done.stderr
    assert "  8 |     warning: many" in done.stderr


def test_verify_counts_what_comes_out(folder: Path) -> None:
    done = run("verify", folder=folder, environment={"GRAPHITE_URL": "http://127.0.0.1:1", "PAGERDUTY_KEY": KEY})
    assert (done.stdout, done.stderr) == ("alerts.yml: 3 alerts in 3 entries\n", "")


def test_an_included_file_that_cannot_be_read_is_an_error_at_its_include(folder: Path) -> None:
    (folder / "alerts.d" / "odd.yml").write_bytes(b"\xff\xff")
    done = run("verify", folder=folder)
    assert done.returncode == 1
    assert "alerts.yml:1:10: include: alerts.d/odd.yml: not UTF-8 text (byte 0)" in done.stderr


def test_a_file_does_not_include_itself(folder: Path) -> None:
    (folder / "alerts.yml").write_text(ALERTS.replace("alerts.d/*.yml", '"**/*.yml"'))
    assert run("verify", folder=folder).stdout.startswith("alerts.yml: 3 alerts in 3 entries")
