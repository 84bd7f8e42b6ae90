"""What becomes of the output where nobody takes it, or where it cannot hold a name."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.pager_process import run

if TYPE_CHECKING:
    from pathlib import Path


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run it with `pager` for the program; the exit code is that of the first command of a pipe."""
    text = f'pager() {{ "{sys.executable}" -m graphitepager "$@"; }}; {command}'
    return subprocess.run(["/bin/bash", "-c", text], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("command", ["schema", "--help", "silence --help"])
def test_a_reader_that_leaves_early_is_no_failure(command: str) -> None:
    ended = shell(f"pager {command} | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_full_disk_is_told_in_one_line() -> None:
    ended = shell("pager schema > /dev/full")
    assert (ended.returncode, ended.stderr) == (3, "graphite-pager: standard output: no space left on device\n")


def test_a_name_that_the_output_cannot_hold_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text("alerts: [{name: 日本, target: a.b, warning: 1, critical: 2}]\n")
    environment = {"GRAPHITE_URL": "http://127.0.0.1:1", "PYTHONIOENCODING": "ascii"}
    arguments = ("silence", "add", "alert=日*", "--for", "2h", "--why", "größer", "--by", "ann")
    added = run(*arguments, environment=environment, folder=tmp_path)
    assert added.returncode == 0
    listed = run("silence", "list", environment=environment, folder=tmp_path)
    assert (listed.returncode, r"gr\xf6\xdfer" in listed.stdout) == (0, True)


def test_silences_can_be_made_while_alerts_yml_is_missing(tmp_path: Path) -> None:
    """The pager goes on with the last good one, and so does whoever works beside it."""
    (tmp_path / "alerts.yml").write_text("alerts: [{name: Load, target: a.b, warning: 1, critical: 2}]\n")
    environment = {"GRAPHITE_URL": "http://127.0.0.1:1"}
    run("run", "--once", environment=environment, folder=tmp_path)  # keeps it, although Graphite is away
    (tmp_path / "alerts.yml").unlink()
    ended = run(
        "silence",
        "add",
        "alert=*",
        "--for",
        "2h",
        "--why",
        "move",
        "--by",
        "a",
        environment=environment,
        folder=tmp_path,
    )
    assert ended.returncode == 0
    assert "the last good one counts" in ended.stderr
