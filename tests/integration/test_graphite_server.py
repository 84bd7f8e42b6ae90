"""The test server itself: it must not outlive the tests."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from tests.graphite_server.client import HERE, Graphite, graphite_python
from tests.support import missing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def python() -> Path:
    return graphite_python() or missing("there is no Graphite environment: run `make setup`, or set GRAPHITE_PYTHON")


def serve(python: Path, root: Path, *options: str) -> subprocess.Popen[str]:
    command = [str(python), "-W", "ignore", str(HERE / "serve.py"), str(root), *options]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_it_ends_when_the_one_who_started_it_is_gone(python: Path, tmp_path: Path) -> None:
    with serve(python, tmp_path) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stdout.readline().startswith("READY ")
        server.stdin.close()  # as the system does when a process dies
        assert server.wait(timeout=5) == 0


def test_it_ends_after_its_time(python: Path, tmp_path: Path) -> None:
    with serve(python, tmp_path, "--max-seconds", "0.2") as server:
        assert server.wait(timeout=10) == 1


def test_a_write_that_fails_says_why(python: Path, tmp_path: Path) -> None:
    with Graphite(tmp_path) as graphite:
        with pytest.raises(RuntimeError, match="InvalidConfiguration"):
            graphite.write({"a.b": [(0, 1.0)]}, archives=[])
        assert requests.get(f"{graphite.url}/version", timeout=5).text == "1.1.10\n"
