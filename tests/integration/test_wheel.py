"""What is installed is whole: a wheel holds the files that are not Python, too."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support import missing

ROOT = Path(__file__).parents[2]


def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        missing("there is no hatchling: run `make setup`")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    package = (path for path in (ROOT / "graphitepager").rglob("*") if path.suffix in {".py", ".yml"})
    files = {path.relative_to(ROOT).as_posix() for path in package}
    assert {"graphitepager/library/host/load.yml", "graphitepager/store/migrations/env.py"} <= files
    assert files <= held
