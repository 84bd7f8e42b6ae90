"""The documentation as its tests read it: pages, their blocks of code, the commands in those."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *(page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts),
]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What an indented block is: command lines, without what they print.
COMMANDS = "sh"

_OPENING = re.compile(r"^(?P<indent> *)(?P<fence>```+|:::+)(?P<kind>[^`\n]*)$")
_INDENTED = re.compile(r"^ {4,}\S")
_HEADING = re.compile(r"^## (.+)$")
# What may be left out is in brackets: nobody can type that.
_SYNOPSIS = re.compile(r"(?:graphite-pager|sql-to-graphite)\b.* \[")


# What the examples have from the environment.
ENVIRON = {
    "GRAPHITE_URL": "https://graphite.example.com",
    "PAGERDUTY_KEY": "0123456789abcdef" * 2,
    "SLACK_OPS": "https://hooks.slack.com/services/T000/B000/secret",
    "MAIL_PASSWORD": "p%40ssword",
}


class Block(NamedTuple):
    """A block of code. `line` is that of its first line of text; `section` the heading ## above it, or ""."""

    page: str
    line: int
    kind: str
    text: str
    section: str

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


class Command(NamedTuple):
    """A command line, and what the page says that it prints; None where it says nothing of that."""

    page: str
    line: int
    text: str
    printed: str | None

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


class Example(NamedTuple):
    """A block of YAML on a page, and what a message calls it."""

    place: str
    text: str


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def all_blocks(page: Path) -> list[Block]:
    """Every block of a page, in order, those that are indented among them."""
    lines = page.read_text().splitlines()
    found, number, section = [], 0, ""
    while number < len(lines):
        if heading := _HEADING.match(lines[number]):
            section = heading[1]
        if fence := _OPENING.match(lines[number]):
            closing = re.compile(rf" *{fence['fence']}$")
            end = next(after for after in range(number + 1, len(lines)) if closing.match(lines[after]))
            text = textwrap.dedent("\n".join(lines[number + 1 : end]))
            found.append(Block(name_of(page), number + 2, fence["kind"].strip(), text + "\n", section))
            number = end
        elif _INDENTED.match(lines[number]) and not (number and lines[number - 1].strip()):
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            text = textwrap.dedent("\n".join(lines[number:end])).rstrip()
            kind = "text" if _SYNOPSIS.match(text) else COMMANDS
            found.append(Block(name_of(page), number + 1, kind, text + "\n", section))
            number = end - 1
        number += 1
    return found


def commands_of(block: Block) -> Iterator[Command]:
    """The command lines of a block that has any: each line of `sh`, each behind a `$` of `console`."""
    if block.kind == COMMANDS and not block.text.startswith("#!"):  # else it is a script: a file
        number = block.line
        for line in block.text.replace("\\\n", "\0").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield Command(block.page, number, line.replace("\0", "\\\n"), None)
            number += 1 + line.count("\0")
    elif block.kind == "console":
        parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
        number = block.line + parts[0].count("\n")
        for text, printed in zip(parts[1::2], parts[2::2], strict=True):
            yield Command(block.page, number, text, printed)
            number += 1 + printed.count("\n")


def kind_of_yaml(text: str) -> str:
    """Which file a block of YAML is: `alerts`, or a part of it; `queries`; `tests`; `other`, of another program."""
    keys = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
    for key in ("queries", "tests"):
        if key in keys:
            return key
    is_other = keys & {"jobs", "steps", "repos", "services"} or re.match(r"- (?:run|uses|name):", text.lstrip())
    return "other" if is_other else "alerts"


def blocks() -> Iterator[Example]:
    """Every block of YAML that is of an alerts.yml, or could be."""
    for page in PAGES:
        for block in all_blocks(page):
            if block.kind in {"yaml", "yml"} and kind_of_yaml(block.text) == "alerts":
                yield Example(block.place, block.text)


def examples() -> Iterator[Example]:
    """Those that are a whole alerts.yml."""
    return (one for one in blocks() if re.search(r"^alerts:", one.text, re.MULTILINE))
