"""The Dockerfile, as far as that goes without an engine: what it installs is started as it says, in a folder."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty
from tests.integration.pager_place import HIGH, Place
from tests.integration.pager_process import Pager

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docs" / "deploy" / "compose.yaml"


def instructions() -> list[list[tuple[str, str]]]:
    """Each stage's instructions, in order: name and what follows it."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    every = [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in text.splitlines() if line)]
    begins = [index for index, (name, _) in enumerate(every) if name == "FROM"] + [len(every)]
    return [every[begin:end] for begin, end in itertools.pairwise(begins)]


BUILD, IMAGE = instructions()
SAID = dict(IMAGE)


def included() -> list[str]:
    """What .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    copied = [word for name, rest in BUILD if name == "COPY" for word in rest.split()[:-1]]
    assert sorted(copied) == sorted(included())
    assert all((ROOT / each).exists() for each in copied)


def test_it_runs_as_nobody_in_particular_on_a_base_that_is_pinned() -> None:
    assert re.fullmatch(r"\d{4,}:\d{4,}", SAID["USER"])
    assert BUILD[0][1].removesuffix(" AS build") == IMAGE[0][1] == "python:${PYTHON}"
    assert re.search(r"^ARG PYTHON=3\.\d+\.\d+-slim-\w+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


class Image:
    """What the Dockerfile makes, in a folder in place of /."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        variables = (pair.split("=", 1) for pair in SAID["ENV"].split())
        self.environment = {name: self.moved(value).replace("$PATH", "/usr/bin:/bin") for name, value in variables}

    def moved(self, text: str) -> str:
        for place in ("/opt/graphite-pager", "/data"):
            text = text.replace(place, f"{self.folder}{place}")
        return text

    def build(self) -> None:
        source = self.folder / "source"
        source.mkdir()
        for each in included():
            copy = shutil.copytree if (ROOT / each).is_dir() else shutil.copy
            copy(ROOT / each, source / each)
        (self.folder / "opt").mkdir()
        (self.folder / "data").mkdir()
        path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}"
        for command in (rest for name, rest in BUILD if name == "RUN"):
            done = subprocess.run(
                ["/bin/sh", "-c", self.moved(command)],
                cwd=source,
                env=os.environ | {"PATH": path},
                capture_output=True,
                text=True,
                timeout=110,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        shutil.rmtree(source)  # nothing of it is in the final stage

    def start(self, place: Place, *command: str, wrapper: tuple[str, ...] = ()) -> Pager:
        """Start it with this command, in the folder of alerts.yml."""
        variables = {name: value for name, value in place.environment.items() if name != "DATABASE_URL"}
        program = (*wrapper, "env", *json.loads(SAID["ENTRYPOINT"]))
        return Pager(variables, place.folder, *command, program=program, base=self.environment)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("image"))
    image.build()
    return image


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        yield Place(graphite, pagerduty, tmp_path, "")


def check_health(image: Image, place: Place) -> tuple[int, str]:
    words = json.loads(SAID["HEALTHCHECK"].partition(" CMD ")[2])
    assert words[:1] == json.loads(SAID["ENTRYPOINT"])
    check = image.start(place, *words[1:])
    return check.wait(20), check.output


def test_what_it_installs_pages_is_healthy_and_keeps_its_state_in_data(image: Image, place: Place) -> None:
    assert check_health(image, place)[0] == 1
    place.measure(82.4)
    pager = image.start(place, *json.loads(SAID["CMD"]))
    try:
        place.wait_for_open(HIGH)
        assert check_health(image, place)[0] == 0
    finally:
        assert pager.end()[0] == 0, pager.output
    assert (image.folder / "data" / "graphite-pager.db").exists()
    assert sorted(each.name for each in place.folder.iterdir()) == ["alerts.yml"], "a read-only folder would do"


def test_nothing_in_it_can_be_changed_by_others(image: Image) -> None:
    loose = [
        path for path in (image.folder / "opt").rglob("*") if not path.is_symlink() and path.stat().st_mode & 0o002
    ]
    assert loose == []


def test_as_the_first_process_it_still_hears_its_signals(image: Image, place: Place) -> None:
    """The kernel keeps from process 1 what it has no handler for."""
    alone = ("unshare", "--pid", "--fork", "--kill-child")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives nobody a process table of his own")
    pager = image.start(place, "run", wrapper=(*alone, "sh", "-c", 'echo "process $$"; exec "$@"', "sh"))
    pager.wait_for("process 1")
    pager.wait_for("event=poll")
    assert pager.end_all(signal.SIGTERM) == 0, pager.output
    assert "event=stopped" in pager.output


def test_compose_starts_commands_and_names_files_that_there_are() -> None:
    compose: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    services = compose["services"]
    assert services.keys() == {"pager", "web", "db"}
    for name in ("pager", "web"):
        assert services[name]["volumes"] == [f"./alerts:{SAID['WORKDIR']}:ro"]
        assert services[name]["environment"]["DATABASE_URL"].startswith("postgres://pager:")
    assert services["web"]["command"] == ["web"]
    assert services["db"]["image"] != "postgres:latest"
