"""What is released installs on every Python that is here, is whole, and runs without the checkout."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import graphitepager
from tests.support import missing

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "graphitepager"
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

ALERTS = """
alerts:
  - name: Queue
    target: a.b
    warning: 50
    critical: 70
  - use: host/load
    with: {prefix: servers}
    warning: 8
    critical: 12
"""
QUERIES = "queries: {orders: {sql: SELECT count(*) AS n FROM orders}}\n"


class Release(NamedTuple):
    """The files to be released, and the wheel that others would build from the sdist."""

    wheel: Path
    sdist: Path
    rebuilt: Path


def run(
    *command: str | Path, folder: Path, environment: Mapping[str, str] | None = None, timeout_s: float = 110
) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def interpreter(version: str) -> str | None:
    """A Python of this version that can make environments, if there is one."""
    found = sys.executable if version == HERE else shutil.which(f"python{version}")
    if found is None:
        return None
    works = subprocess.run([found, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0
    return found if works else None


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    if importlib.util.find_spec("hatchling") is None:
        missing("there is no hatchling: run `make setup`")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, folder=ROOT)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    again = folder / "again"
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", again, folder=unpacked)
    (rebuilt,) = again.glob("*.whl")
    return Release(wheel, sdist, rebuilt)


def test_a_wheel_holds_every_file_of_the_package_and_so_does_one_from_the_sdist(release: Release) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert {".py", ".yml", ".html", ".css", ".js", ".typed"} <= {Path(name).suffix or name[-6:] for name in files}
    for wheel in (release.wheel, release.rebuilt):
        with zipfile.ZipFile(wheel) as archive:
            assert {name for name in archive.namelist() if ".dist-info/" not in name} == files


def test_an_sdist_holds_what_its_tests_read(release: Release) -> None:
    with tarfile.open(release.sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    beside = {"Dockerfile", ".dockerignore", "Procfile", "app.json", "alerts.yml", "Makefile", "README.md", "LICENSE"}
    assert beside | {"tests/integration/test_wheel.py", "docs/deploy/compose.yaml", "docs/index.md"} <= held


@pytest.mark.parametrize("version", SUPPORTED)
def test_it_installs_and_runs_outside_the_checkout(release: Release, version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    # The one that is here shows that the sdist is as good.
    wheel = release.rebuilt if version == HERE else release.wheel
    run(python, "-m", "venv", "--without-pip", tmp_path / "venv", folder=tmp_path)
    programs = tmp_path / "venv" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python")
    run(*pip, "install", "--quiet", "--no-compile", "--only-binary", ":all:", wheel, folder=tmp_path)

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "alerts.yml").write_text(ALERTS)
    (elsewhere / "queries.yml").write_text(QUERIES)
    with sqlite3.connect(elsewhere / "shop.db") as shop:
        shop.execute("CREATE TABLE orders (id)")
    shop.close()
    environment = {
        "PATH": os.defpath,
        "GRAPHITE_URL": "http://127.0.0.1:1",
        "STDOUT_ENABLED": "yes",
        "S2G_DSN": "sqlite:///shop.db",
    }

    def ours(program: str, *arguments: str) -> str:
        return run(programs / program, *arguments, folder=elsewhere, environment=environment, timeout_s=30)

    assert ours("graphite-pager", "--version") == f"graphite-pager, version {graphitepager.__version__}\n"
    assert ours("graphite-pager", "verify", "--strict") == "alerts.yml: 2 alerts in 2 entries\n"
    assert "--sparkline" in ours("graphite-pager", "check", "--help")
    assert "its tables are made" in ours("graphite-pager", "migrate", "--strict")
    assert "db.orders 0 " in ours("sql-to-graphite", "--queries", "queries.yml", "--dry-run", "--quiet")
    page = "from importlib.resources import files; print(files('graphitepager.web') / 'templates' / 'base.html')"
    installed = Path(run(programs / "python", "-c", page, folder=elsewhere).strip())
    assert installed.is_relative_to(tmp_path / "venv")
    assert installed.is_file()
