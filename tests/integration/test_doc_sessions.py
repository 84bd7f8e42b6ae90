"""Every command line of the documentation is run, as a reader would run it, and prints what the page says."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests import not_run
from tests.documented import PAGES, ROOT, Block, Command, all_blocks, commands_of, kind_of_yaml
from tests.fakes.graphite import FakeGraphite, respond
from tests.fakes.pagerduty import FakePagerDuty
from tests.fakes.receivers import unused_port
from tests.integration.doc_shell import Shell, is_like
from tests.integration.doc_stages import BY_HEADING, DEFAULT, STAGES, Stage, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.graphite_server.client import Graphite
    from tests.integration.conftest import StartGraphite

KEY, DRILL_KEY = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
GRAPHITE = "https://graphite.example.com"


class Part(NamedTuple):
    """A page, or one heading's part of it, whose commands are run one after the other."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def commands(self) -> list[Command]:
        return [command for block in self.blocks for command in commands_of(block) if _is_run(command)]


def _is_run(command: Command) -> bool:
    return not_run.reason(command.page, command.text) is None


def parts() -> Iterator[Part]:
    for page in PAGES:
        blocks = all_blocks(page)
        if not blocks:
            continue
        name = blocks[0].page
        sections = {block.section for block in blocks} if name in BY_HEADING else {None}
        for section in sorted(sections, key=str):
            chosen = tuple(block for block in blocks if section in {None, block.section})
            part = Part(name if section is None else f"{name}#{section}", chosen)
            if part.commands:
                yield part


@pytest.fixture(scope="module")
def own_graphite(start_graphite: StartGraphite) -> Graphite:
    """One whose metrics can be taken away."""
    return start_graphite()


@pytest.fixture
def pagerduty() -> Iterator[FakePagerDuty]:
    with FakePagerDuty() as fake:
        yield fake
        assert fake.rejected() == ()


@pytest.mark.parametrize("part", list(parts()), ids=lambda part: part.name)
def test_the_commands_do_what_the_page_says(
    part: Part, own_graphite: Graphite, pagerduty: FakePagerDuty, tmp_path: Path
) -> None:
    stage = STAGES.get(part.name, Stage())
    folder = tmp_path / "here"
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        if stage.past is None:
            write(own_graphite, stage)
            graphite_url = own_graphite.url
        else:
            canned = FakeGraphite()
            canned.default = respond(b"")
            stage.past(canned)
            graphite_url = stack.enter_context(canned.serve()).url
        web_port = unused_port()
        addresses = {
            GRAPHITE: graphite_url,
            "https://events.eu.pagerduty.com": pagerduty.url,
            "https://api.eu.pagerduty.com": pagerduty.url,
            "PAGERDUTY_API_TOKEN=...": f"PAGERDUTY_API_TOKEN={pagerduty.api_token}",
            "127.0.0.1:8000": f"127.0.0.1:{web_port}",
            **stage.near(stack),
        }
        environment = {
            "GRAPHITE_URL": graphite_url,
            "PAGERDUTY_KEY": KEY,
            "PAGERDUTY_EVENTS_URL": pagerduty.url,
            "PAGERDUTY_API_URL": pagerduty.url,
            "PAGERDUTY_API_TOKEN": pagerduty.api_token,
            "DRILL_PAGERDUTY_KEY": DRILL_KEY,
            "WEB_BIND": f"127.0.0.1:{web_port}",
            **stage.environment,
        }
        _lay_out(folder, stage, addresses)
        shell = stack.enter_context(Shell(folder, environment))
        is_begun = False
        for block in part.blocks:
            _lay_down(folder, block, stage, addresses)
            for command in commands_of(block):
                if not _is_run(command):
                    continue
                if not is_begun:
                    for line in stage.before:
                        done = shell.run(line)
                        assert done.code == 0, f"before {part.name}: {line}\n{done.printed}"
                    stage.after(pagerduty)
                    is_begun = True
                _try(shell, command, stage, addresses)


def _try(shell: Shell, command: Command, stage: Stage, addresses: dict[str, str]) -> None:
    done = shell.run(_replaced(command.text, addresses))
    printed = _replaced(done.printed, {here: there for there, here in addresses.items()})
    place = f"{command.place}: $ {command.text}"
    assert "Traceback" not in printed, f"{place}\n{printed}"
    if command.printed is not None:
        assert is_like(printed, command.printed), (
            f"{place}\nprints (exit code {done.code})\n{printed}\n\nand the page says\n{command.printed}\n"
            "Set the stage in tests/integration/doc_stages.py, or mend the page."
        )
        return
    expected = next((code for text, code in stage.codes.items() if command.text.startswith(text)), 0)
    assert done.code == expected, (
        f"{place}\nends with exit code {done.code}, not {expected}:\n{printed}\n"
        "Set the stage in tests/integration/doc_stages.py, or name the line in tests/not_run.py with the reason."
    )


def _lay_out(folder: Path, stage: Stage, addresses: dict[str, str]) -> None:
    (folder / "alerts.yml").write_text(_replaced(stage.alerts or DEFAULT, addresses))
    for name, text in stage.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _lay_down(folder: Path, block: Block, stage: Stage, addresses: dict[str, str]) -> None:
    """A reader has the file that the page shows."""
    if block.kind != "yaml":
        return
    kind = kind_of_yaml(block.text)
    if kind == "alerts" and stage.alerts is None and "alerts:\n" in block.text:
        (folder / "alerts.yml").write_text(_replaced(block.text, addresses))
    elif kind in {"tests", "queries"}:
        (folder / f"{kind}.yml").write_text(block.text)


def _replaced(text: str, pairs: dict[str, str]) -> str:
    for one, other in pairs.items():
        text = text.replace(one, other)
    return text


def test_every_stage_is_that_of_a_page_with_commands() -> None:
    assert set(STAGES) <= {part.name for part in parts()}
    assert (ROOT / "README.md") in PAGES
