"""Every block of code in the documentation is of a known kind, and holds what it should; what runs is run elsewhere.

tests/integration/test_doc_sessions.py runs the command lines, and compares what they print.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest
import yaml

from graphitepager.cli import COMMANDS, graphite_pager
from graphitepager.sql.cli import command as collector
from tests import not_run
from tests.documented import DOCS, FENCE, PAGES, ROOT, Block, Command, all_blocks, commands_of, kind_of_yaml, name_of

if TYPE_CHECKING:
    from pathlib import Path

# What each kind of block is for, and what becomes of it.
KINDS = {
    "sh": "command lines, which are run",
    "console": "a session, `$ command` and what it prints, which is run and compared",
    "yaml": "alerts.yml, queries.yml, tests.yml, or a file of another program",
    "json": "a document",
    "sql": "statements, which tests/integration/test_sql_docs.py runs",
    "python": "a file of Python",
    "toml": "a part of pyproject.toml",
    "nginx": "a part of a web server's configuration",
    "ini": "a unit of systemd",
    "dockerfile": "a Dockerfile",
    "markdown": "a part of a page of the reader's own",
    "text": "what a program prints, or a file that is none of these: a crontab, a Procfile",
}
DIRECTIVES = {"{toctree}", "{literalinclude}", "{image}", "{figure}", "{note}", "{warning}", "{tip}"}
BLOCKS = [block for page in PAGES for block in all_blocks(page)]
COMMAND_LINES = [command for block in BLOCKS for command in commands_of(block)]
# Those that a test sets a stage for; everything else is named in not_run.py.
RUNNABLE = {
    "[", "cat", "cd", "cp", "echo", "export", "graphite-pager", "grep", "heroku", "ls", "mkdir", "mv", "openssl",
    "pkill", "python3", "sed", "sql-to-graphite", "sqlite3", "unset",
}  # fmt: skip
_ASSIGNMENT = re.compile(r"(?:[A-Z_]+=(?:\$\([^)]*\)|\S*)\s+(?:\\\n\s*)?)*")
_INLINE = re.compile(r"`([^`\n]+)`")
# Where a command begins: on a line of its own, behind a prompt, an operator, a process's name, a path.
_MENTION = re.compile(r"(?:^|[$:|&;*=\"'(] ?|/)(graphite-pager|sql-to-graphite) +([^|;&<>\n\0]*)", re.MULTILINE)
_LOG_LINE = re.compile(r"\bevent=(\w+)")


def of_kind(kind: str) -> list[Block]:
    return [block for block in BLOCKS if block.kind == kind]


def places(blocks: list[Block]) -> list[str]:
    return [block.place for block in blocks]


@pytest.mark.parametrize("block", BLOCKS, ids=places(BLOCKS))
def test_every_block_is_of_a_known_kind(block: Block) -> None:
    kind = block.kind.split()[0] if block.kind else "none"
    explained = "\n".join(f"  {name}: {what}" for name, what in KINDS.items())
    assert kind in KINDS or kind in DIRECTIVES, (
        f"{block.place}: say behind the fence which of these it is:\n{explained}"
    )


@pytest.mark.parametrize("block", of_kind("json"), ids=places(of_kind("json")))
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


def test_the_example_of_a_webhook_keeps_its_schema() -> None:
    [example] = [json.loads(block.text) for block in of_kind("json") if block.page == "docs/notifiers/webhook.md"]
    jsonschema.validate(example, json.loads((DOCS / "webhook.schema.json").read_text()))


@pytest.mark.parametrize("block", of_kind("python"), ids=places(of_kind("python")))
def test_python_can_be_imported(block: Block) -> None:
    module: dict[str, object] = {"__name__": "documented"}
    exec(compile(block.text, block.place, "exec"), module)  # noqa: S102 - it is our own documentation
    assert "KIND" in module


def test_toml_is_toml() -> None:
    for block in of_kind("toml"):
        tomllib.loads(block.text)


def test_a_unit_has_sections_and_keys() -> None:
    for block in of_kind("ini"):
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.read_string(block.text, source=block.place)
        assert unit.sections(), f"{block.place}: no [Section]"


@pytest.mark.parametrize(
    "block",
    [block for block in of_kind("yaml") if kind_of_yaml(block.text) == "other"],
    ids=places([block for block in of_kind("yaml") if kind_of_yaml(block.text) == "other"]),
)
def test_a_file_of_another_program_is_yaml(block: Block) -> None:
    yaml.safe_load(block.text)


@pytest.mark.parametrize("command", COMMAND_LINES, ids=lambda command: command.place)
def test_every_command_line_is_run_by_a_test_or_named_with_the_reason(command: Command) -> None:
    line = _ASSIGNMENT.sub("", command.text, count=1).strip()
    if not_run.reason(command.page, line or command.text) is not None:
        return
    word = not_run.program(line) if line else "export"
    assert word in RUNNABLE, (
        f"{command.place}: no test knows how to run `{word}`: write a command that can be run here "
        "(and add it to RUNNABLE), or name it in tests/not_run.py with the reason"
    )


def test_what_is_named_as_not_run_is_there() -> None:
    lines = {(command.page, command.text) for command in COMMAND_LINES}
    gone = [key for key in not_run.LINES if not any(page == key[0] and text.startswith(key[1]) for page, text in lines)]
    assert gone == [], "take them out of LINES in tests/not_run.py"
    for page, test in not_run.PAGES.items():
        assert page.rpartition("/")[2] in (ROOT / test).read_text(), f"{test} does not read {page}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_command_or_option_is_made_up(page: Path) -> None:
    text = page.read_text()
    prose = FENCE.sub("", text)
    code = [block.text.replace("\\\n", " ") for block in all_blocks(page)] + _INLINE.findall(prose)
    wrong = [f"{words.strip()}: {why}" for part in code for words, why in _made_up(part)]
    assert wrong == [], f"{name_of(page)} speaks of what does not exist"


def _made_up(text: str) -> list[tuple[str, str]]:
    found = []
    for program, rest in _MENTION.findall(text):
        try:
            words = shlex.split(rest.split("…")[0], comments=True)
        except ValueError:  # a quotation that goes on behind a semicolon or a line's end
            words = rest.split()
        command: click.Command = graphite_pager if program == "graphite-pager" else collector
        known = _options(command)
        for word in words:
            if isinstance(command, click.Group) and re.fullmatch(r"[a-z]+", word):
                part = command.get_command(click.Context(command), word)
                if part is None and command is graphite_pager:
                    found.append((f"{program} {rest}", f"there is no command {word} (there are {', '.join(COMMANDS)})"))
                    break
                if part is not None:
                    command, known = part, known | _options(part)
            option = re.match(r"\[?(--[a-z][a-z-]*)", word)
            if option and option[1] not in known:
                found.append((f"{program} {rest}", f"there is no option {option[1]}"))
    return found


def _options(command: click.Command) -> set[str]:
    return {option for one in command.get_params(click.Context(command)) for option in one.opts}


def test_log_lines_on_pages_are_of_events_that_there_are() -> None:
    reference = "".join((DOCS / "reference" / f"{name}.md").read_text() for name in ("commands", "sql-to-graphite"))
    events = set(re.findall(r"^\| `(\w+)` \|", reference, re.MULTILINE))
    unknown = [f"{name_of(page)}: {event}" for page in PAGES for event in _LOG_LINE.findall(page.read_text())
               if event not in events]  # fmt: skip
    assert unknown == [], "write the event's name as the log has it"


SYNOPSES = [
    block for block in of_kind("text")
    if block.page == "docs/reference/commands.md" and block.text.startswith("graphite-pager ")
]  # fmt: skip


@pytest.mark.parametrize("block", SYNOPSES, ids=lambda block: block.section)
def test_a_synopsis_has_every_option_of_its_command(block: Block) -> None:
    command: click.Command = graphite_pager
    for word in block.section.strip("`").split():
        assert isinstance(command, click.Group)
        part = command.get_command(click.Context(command), word)
        assert part is not None
        command = part
    if isinstance(command, click.Group):
        return
    params = command.get_params(click.Context(command))
    options = [param for param in params if isinstance(param, click.Option) and "--help" not in param.opts]
    missing = [
        one.opts[0] for one in options if not any(re.search(rf"{re.escape(opt)}\b", block.text) for opt in one.opts)
    ]
    assert missing == [], f"{block.place}: add them to the synopsis"


def test_every_command_with_options_has_a_synopsis() -> None:
    described = {block.section.strip("`") for block in SYNOPSES}
    assert set(COMMANDS) - {"schema"} <= described
