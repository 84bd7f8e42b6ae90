"""The tutorial, from its first command to its last: docs/tutorial.md is followed with a real Graphite."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.documented import COMMANDS, DOCS, ROOT, Block, all_blocks, commands_of
from tests.graphite_server.client import graphite_python
from tests.integration.doc_shell import Shell, is_like
from tests.integration.pager_process import Pager
from tests.support import eventually, missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = DOCS / "tutorial.md"
GRAPHITE = "https://graphite.example.com"
# What the reader does elsewhere: in the checkout, in another terminal. Tests of their own do the same.
ELSEWHERE = [
    "git clone https://github.com/your-company/graphite-pager",
    "cd graphite-pager",
    "make demo",
    "python3 -m venv ~/pager",
    "~/pager/bin/pip install .",
    "export PATH=~/pager/bin:$PATH",
    "mkdir ~/alerts",
    "cd ~/alerts",
    f"export GRAPHITE_URL={GRAPHITE}",
    "make playground",
]
_EDIT = re.compile(r"(?:[Ss]et|Write|[Cc]orrect it to) `(war?n?ing: \d+)`")


@contextlib.contextmanager
def playground(shown: list[str]) -> Iterator[dict[str, str]]:
    """The second terminal: what it gives to the first, and at its end what it has shown."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.demo.playground"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    environment: dict[str, str] = {}
    while len(environment) < 2:
        line = process.stdout.readline()
        assert line, "the playground has ended"
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            environment[name] = value
    try:
        yield environment
    finally:
        process.send_signal(signal.SIGINT)
        shown += process.communicate(timeout=20)[0].splitlines()
    assert process.returncode == 0


def test_the_tutorial_leads_from_nothing_to_a_first_page(tmp_path: Path) -> None:
    if graphite_python() is None:
        missing("there is no Graphite environment: run `make setup`")
    shown: list[str] = []
    with playground(shown) as environment:
        _follow(tmp_path, environment)
    assert [line.partition("INCIDENT ")[2].split(" after")[0] for line in shown if "INCIDENT" in line] == [
        "OPENED  WARNING Load: worker-2 is 17.5 (warning at 15)", "RESOLVED",
    ]  # fmt: skip


def _follow(folder: Path, environment: dict[str, str]) -> None:
    lines = PAGE.read_text().splitlines()
    elsewhere: list[str] = []
    above = 0
    with Shell(folder, environment) as shell:
        reader = Reader(shell, folder, environment)
        for block in all_blocks(PAGE):
            reader.follow("\n".join(lines[above : block.line - 1]))
            above = block.line + block.text.count("\n")
            if block.kind == COMMANDS:
                elsewhere += block.text.splitlines()
            elif block.kind == "yaml":
                reader.file.write_text(block.text)
            else:
                reader.do(block)
        reader.follow("\n".join(lines[above:]))
        reader.wait_for("event=sent notifier=pagerduty action=resolve")
        reader.stop()
    assert elsewhere == ELSEWHERE
    assert reader.edits == ["warning: 15", "waring: 15", "warning: 15", "warning: 20", "warning: 15", "warning: 20"]


class Reader:
    """Somebody who does what the page says, in one terminal."""

    def __init__(self, shell: Shell, folder: Path, environment: dict[str, str]) -> None:
        self.file = folder / "alerts.yml"
        self.edits: list[str] = []
        self._shell, self._folder = shell, folder
        self._graphite_url = environment["GRAPHITE_URL"]
        self._environment = dict(environment)
        self._pager: Pager | None = None
        self._seen = 0

    def follow(self, prose: str) -> None:
        """Do what the text between two blocks asks for."""
        if "Stop it with Ctrl-C" in prose:
            self.stop()
        for change in _EDIT.findall(prose):
            self.edits.append("".join(change))
            text, count = re.subn(r"war?n?ing: \d+", self.edits[-1], self.file.read_text())
            assert count == 1
            self.file.write_text(text)

    def do(self, block: Block) -> None:
        """Type what stands behind `$`, and see what the page says."""
        for command in commands_of(block):
            assert command.printed is not None
            variable = re.fullmatch(r"(export|unset) (\w+)(?:=(\S*))?", command.text)
            if variable and variable[1] == "export":
                self._environment[variable[2]] = variable[3]
            elif variable:
                del self._environment[variable[2]]
            if command.text == "graphite-pager run":
                assert self._pager is None
                self._pager = Pager(self._environment, self._folder, "run")
                self._seen = 0
                self._see(command.printed)
                continue
            done = self._shell.run(command.text)
            assert is_like(done.printed, command.printed), f"{command.place}: $ {command.text}\n{done.printed}"
        if not block.text.startswith("$ "):
            self._see(block.text)

    def wait_for(self, text: str) -> None:
        assert self._pager is not None
        self._pager.wait_for(text)

    def stop(self) -> None:
        """Press Ctrl-C."""
        assert self._pager is not None
        code, _ = self._pager.end(signal.SIGINT)
        assert code == 0, self._pager.output
        self._pager = None

    def _see(self, text: str) -> None:
        """Wait until the pager has printed these lines, in this order, among others."""
        pager, expected = self._pager, text.splitlines()
        assert pager is not None

        def found() -> bool:
            printed = pager.output.replace(self._graphite_url, GRAPHITE).splitlines()[self._seen :]
            numbers = iter(range(len(printed)))
            return all(any(is_like(printed[number], line) for number in numbers) for line in expected)

        assert eventually(found, 30), f"the page says\n{text}\nand it printed\n{pager.output}"
        self._seen = len(pager.output.splitlines())
