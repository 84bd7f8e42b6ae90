"""The units of docs/deploy/systemd: systemd understands them, and they lock in what they start."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import missing

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "docs" / "deploy" / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
PAGE = ROOT / "docs" / "how-to" / "systemd.md"
INSTALLED = "/opt/graphite-pager/bin"
HARDENING = re.compile(r"^# Nothing of the machine but.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)


def analyze(*arguments: str | Path) -> str:
    """What systemd-analyze says, which is nothing where all is well."""
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("there is no systemd-analyze: apt install systemd")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_systemd_finds_no_fault_with_them(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace(INSTALLED, str(Path(sys.executable).parent))
        (tmp_path / unit.name).write_text(text)
    assert analyze("verify", *sorted(tmp_path.iterdir())) == ""


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_what_is_left_open_is_as_little_as_the_page_says(unit: Path) -> None:
    report = analyze("security", "--offline=yes", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+) (\w+)", report)
    assert exposure is not None, report
    assert f"**{exposure[1]}**" in PAGE.read_text(), f"docs/how-to/systemd.md must say {exposure[1]}"
    assert float(exposure[1]) < 2


def test_all_are_locked_in_alike() -> None:
    (common,) = {tuple(each.strip() for each in HARDENING.findall(unit.read_text())) for unit in SERVICES}
    assert len(common) == 1


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_command_exists_with_all_of_its_options(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    program, *arguments = shlex.split(line)
    ours = Path(sys.executable).parent / Path(program).relative_to(INSTALLED)
    done = subprocess.run(
        [ours, *arguments, "--help"], capture_output=True, text=True, timeout=30, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    for option in (argument for argument in arguments if argument.startswith("--")):
        assert option in done.stdout
