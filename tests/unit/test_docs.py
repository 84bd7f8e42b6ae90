"""The documentation says everything that the code has, and nothing that it has not."""

from __future__ import annotations

import ast
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import click
import pytest

from graphitepager import config, telemetry
from graphitepager.cli import COMMANDS, graphite_pager
from graphitepager.cli.ending import INTERRUPTED
from graphitepager.config.notifying import NotifierKeys, RuleKeys
from graphitepager.config.schema import (
    AlertEntry,
    AlertsFile,
    CompareKeys,
    PagerdutyKeys,
    RatioKeys,
    Variables,
    json_schema,
    key_names,
    unused_keys,
)
from graphitepager.library import Library
from graphitepager.notifiers import NOTIFIERS, SECTIONS
from graphitepager.sql import exitcodes
from graphitepager.sql.cli import command as collector
from graphitepager.sql.schema import QueriesFile, QueryKeys
from tests.documented import DOCS, ENVIRON, FENCE, PAGES, ROOT, blocks, examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graphitepager.config.sections import Section

PACKAGE = ROOT / "graphitepager"
ALERTS_YML = DOCS / "reference" / "alerts-yml.md"
ENVIRONMENT = DOCS / "reference" / "environment.md"
COLLECTOR_PAGE = DOCS / "reference" / "sql-to-graphite.md"
COMMANDS_PAGE = DOCS / "reference" / "commands.md"
ARCHITECTURE = DOCS / "architecture.md"
_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]+)(?:#[^)\s]*)?\)")
_OWN_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_READ_VARIABLE = re.compile(r"""environ\.get\("([A-Z_]+)"|"([A-Z_]+)" in (?:os\.)?environ""")


def section(page: Path, title: str, level: str = "##") -> str:
    """The text under a heading, up to the next one of its level."""
    parts = re.split(rf"^{level} (.+)$", page.read_text(), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert title in sections, f"{page.relative_to(ROOT)} has no heading '{level} {title}'"
    return sections[title]


def compare(what: str, page: Path, documented: set[str], existing: set[str]) -> None:
    place = page.relative_to(ROOT)
    assert not existing - documented, f"add to {place}, {what}: {sorted(existing - documented)}"
    assert not documented - existing, f"take out of {place}, {what}, for the code has no such: {documented - existing}"


@pytest.mark.parametrize(
    ("title", "existing"),
    [
        ("At the top of the file", key_names(AlertsFile) - key_names(Variables)),
        ("In an alert", key_names(AlertEntry)),
        ("In `ratio`", key_names(RatioKeys)),
        ("In `compare`", key_names(CompareKeys)),
        ("In `pagerduty`", key_names(PagerdutyKeys)),
        ("In a notifier", key_names(NotifierKeys)),
        ("In a route", key_names(RuleKeys)),
    ],
)
def test_every_key_of_alerts_yml_has_its_heading(title: str, existing: frozenset[str]) -> None:
    headings = re.findall(r"^### `(\w+)`$", section(ALERTS_YML, title), re.MULTILINE)
    compare(f"'{title}', a heading ### `key`", ALERTS_YML, set(headings), set(existing))


@pytest.mark.parametrize("name", NOTIFIERS)
def test_every_key_of_a_notifier_has_its_row(name: str) -> None:
    page = DOCS / "notifiers" / f"{name}.md"
    existing = key_names(SECTIONS[name]) - key_names(NotifierKeys)
    compare(
        "a row | `key` |", page, set(re.findall(r"^\| `([a-z]+)` \|", page.read_text(), re.MULTILINE)), set(existing)
    )


def test_every_variable_has_its_row() -> None:
    read_by_commands = {
        name
        for path in (PACKAGE / "cli").glob("*.py")
        for names in _READ_VARIABLE.findall(path.read_text())
        for name in names
        if name
    }
    assert "DYNO" in read_by_commands
    existing = {name.upper() for name in key_names(Variables)} | read_by_commands
    compare("a row | `NAME` |", ENVIRONMENT, set(_OWN_ROW.findall(ENVIRONMENT.read_text())), existing)


def test_every_variables_default_is_the_documented_one() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`([^`]+)`|required|none) \|", ENVIRONMENT.read_text(), re.MULTILINE)
    documented = {name: default for name, default in rows if default}
    actual = {
        name.upper(): _as_written(field.default)
        for name, field in Variables.model_fields.items()
        if field.default is not None
    }
    assert documented == actual, f"the defaults in {ENVIRONMENT.relative_to(ROOT)} are not those of config/schema.py"


def test_a_key_without_effect_is_said_to_have_none() -> None:
    documented = set(_OWN_ROW.findall(section(ENVIRONMENT, "Accepted without effect")))
    compare("'Accepted without effect'", ENVIRONMENT, documented, {name.upper() for name in unused_keys(Variables)})
    for title, unused in (
        ("At the top of the file", unused_keys(AlertsFile).keys() - unused_keys(Variables).keys()),
        ("In an alert", unused_keys(AlertEntry).keys()),
    ):
        for key in unused:
            text = section(ALERTS_YML, title).partition(f"### `{key}`\n")[2].partition("###")[0]
            assert "No effect" in text, f"docs/reference/alerts-yml.md must say of {key} that it has no effect"


def test_every_command_and_option_is_described() -> None:
    titles = re.findall(r"^## `(\w+)`$", COMMANDS_PAGE.read_text(), re.MULTILINE)
    compare("a heading ## `command`", COMMANDS_PAGE, set(titles), set(COMMANDS))
    context = click.Context(graphite_pager)
    _compare_options(graphite_pager, COMMANDS_PAGE.read_text().partition("\n## ")[0])
    for name in COMMANDS:
        command = graphite_pager.get_command(context, name)
        assert command is not None
        _compare_options(command, section(COMMANDS_PAGE, f"`{name}`"))
        for part in _parts(command):
            _compare_options(part, section(COMMANDS_PAGE, f"`{name} {part.name}`"))


def test_every_ready_made_check_has_its_row() -> None:
    page = DOCS / "how-to" / "library.md"
    rows = re.findall(r"^\| `([\w/]+)` \|", page.read_text(), re.MULTILINE)
    compare("a row | `group/name` |", page, set(rows), set(Library()))


@pytest.mark.parametrize("page", [COMMANDS_PAGE, COLLECTOR_PAGE], ids=lambda page: page.stem)
def test_every_log_event_has_its_row(page: Path) -> None:
    paths = [path for path in PACKAGE.rglob("*.py") if path.is_relative_to(PACKAGE / "sql") is (page == COLLECTOR_PAGE)]
    logged = {event for path in paths for event in _logged_events(path)}
    logged |= {telemetry.LINES_DROPPED} if page == COMMANDS_PAGE else set()
    assert {"sent", "send_failed"} <= logged
    documented = set(_OWN_ROW.findall(section(page, "Log events")))
    compare("'Log events', a row | `event` |", page, documented, logged)


@pytest.mark.parametrize(("title", "existing"), [("queries.yml", QueriesFile), ("In a query", QueryKeys)])
def test_every_key_of_queries_yml_has_its_heading(title: str, existing: type[Section]) -> None:
    headings = re.findall(r"^### `(\w+)`$", section(COLLECTOR_PAGE, title), re.MULTILINE)
    compare(f"'{title}', a heading ### `key`", COLLECTOR_PAGE, set(headings), set(key_names(existing)))


def test_every_option_of_the_collector_is_described() -> None:
    context = click.Context(collector)
    existing = {option for one in collector.get_params(context) for option in one.opts}
    rows = re.findall(r"^\| `(--[a-z-]+)", section(COLLECTOR_PAGE, "Options"), re.MULTILINE)
    compare("a row of 'Options'", COLLECTOR_PAGE, set(rows), existing)


def test_every_exit_code_of_the_collector_has_its_row() -> None:
    existing = {
        exitcodes.OK, exitcodes.CONFIGURATION, exitcodes.USAGE, exitcodes.SOME_FAILED, exitcodes.UNREACHABLE,
        exitcodes.NOT_SENT, exitcodes.BUG, exitcodes.LOCKED, INTERRUPTED,
    }  # fmt: skip
    rows = re.findall(r"^\| (\d+) \|", section(COLLECTOR_PAGE, "Exit codes"), re.MULTILINE)
    compare("a row of 'Exit codes'", COLLECTOR_PAGE, set(rows), {str(code) for code in existing})


def test_the_published_schema_is_that_of_the_program() -> None:
    published = json.loads((DOCS / "alerts.schema.json").read_text())
    assert published == json_schema(SECTIONS), "run: graphite-pager schema > docs/alerts.schema.json"


# What a part of a file leaves to the rest.
REST = "alerts: [{name: Load, target: a.b, warning: 1, critical: 2}]\n"
FILES = {**{one.place: one.text + REST for one in blocks()}, **{one.place: one.text for one in examples()}}
WITHOUT_FILES = ("include: no file fits",)


@pytest.mark.parametrize("place", FILES)
def test_every_example_can_be_used(place: str) -> None:
    loaded = config.load(FILES[place], ENVIRON, source=place, strict=True, library=Library(), notifiers=SECTIONS)
    problems = [one for one in loaded.problems if not one.message.startswith(WITHOUT_FILES)]
    assert problems == [], "mend the example: " + "\n".join(problem.render() for problem in problems)


def test_every_module_has_its_place_in_the_architecture() -> None:
    existing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "versions" not in path.parts  # the migrations
    }
    documented = set(re.findall(r"^\| `([\w/]+\.py)` \|", ARCHITECTURE.read_text(), re.MULTILINE))
    compare("'Where things are', a row | `module.py` |", ARCHITECTURE, documented, existing)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text())
    dead = [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    assert dead == [], f"{page.relative_to(ROOT)} links to files that do not exist: mend the links"


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"^([\w/-]+)$", "\n".join(text for _, text in FENCE.findall(_index())), re.MULTILINE))
    existing = {page.relative_to(DOCS).with_suffix("").as_posix() for page in PAGES if DOCS in page.parents}
    compare("a toctree", DOCS / "index.md", listed, existing - {"index"})


def _index() -> str:
    # Sphinx' own fences have their options below the first line.
    return (DOCS / "index.md").read_text().replace("```{toctree}", "```toctree")


def _as_written(default: object) -> str:
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, timedelta):
        return f"{default.days}d"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _parts(command: click.Command) -> Iterator[click.Command]:
    """The commands of a group; none of a plain command."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            part = command.get_command(context, name)
            assert part is not None
            yield part


def _compare_options(command: click.Command, text: str) -> None:
    context = click.Context(command)
    existing = {
        option
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `-"))
    documented = set(re.findall(r"`(--?[a-z][a-z-]*)", rows))
    if documented or existing != {"--help"}:
        compare(f"the options of {command.name}", COMMANDS_PAGE, documented, existing)


def _logged_events(path: Path) -> Iterator[str]:
    """The first argument of each log.info(…) and its like."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "log"
        ):
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value
