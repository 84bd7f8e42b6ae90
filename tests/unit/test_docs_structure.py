"""The pages hold together: their links, their anchors, their picture; and the map of the code is that of the code."""

from __future__ import annotations

import ast
import collections
import importlib.util
import re
import tomllib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
import pytest

from graphitepager import watchdog
from graphitepager.cli import COMMANDS, _Codes
from graphitepager.cli.ending import INTERRUPTED
from tests.documented import DOCS, FENCE, PAGES, ROOT, name_of
from tests.unit.test_docs import ARCHITECTURE, COLLECTOR_PAGE, COMMANDS_PAGE, PACKAGE, compare, section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)#([^)\s]+)\)")
_OUTSIDE = re.compile(r"https?://[^\s)`\"'<>|\]]+")
# Who is linked to. `make links` asks them all, with the network that a test must not need.
HOSTS = {
    "api.slack.com",
    "appriseit.com",
    "diamond.readthedocs.io",
    "jinja.palletsprojects.com",
    "keepachangelog.com",
    "oauth2-proxy.github.io",
    "pre-commit.com",
    "semver.org",
    "www.hostedgraphite.com",
    "www.standardwebhooks.com",
}
# Addresses that are values, not links: of services that a reader sets up, and the reader's own.
NO_LINKS = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|org|net)|pagerduty\.com|hc-ping\.com|slack\.com|azure\.com)|127\.0\.0\.1|localhost"
    r"|github\.com"
)


def anchors(page: Path) -> set[str]:
    """What a heading of the page is called in a link, as GitHub and MyST make it."""
    text = re.sub(r"^(```+|:::+).*?^\1$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    slugs: collections.Counter[str] = collections.Counter()
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
        words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
        slugs[slug] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_anchor_is_a_heading(page: Path) -> None:
    links = _LINK.findall(FENCE.sub("", page.read_text()))
    targets = [(page.parent / link if link else page, anchor, link) for link, anchor in links]
    dead = [f"{link}#{anchor}" for target, anchor, link in targets
            if target.suffix == ".md" and target.exists() and anchor not in anchors(target)]  # fmt: skip
    assert dead == [], f"{name_of(page)} links to headings that do not exist: mend the links"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_outside_leads_to_somebody_known(page: Path) -> None:
    hosts = {urlsplit(url).hostname or "" for url in _OUTSIDE.findall(FENCE.sub("", page.read_text()))}
    unknown = {host for host in hosts if host not in HOSTS and not NO_LINKS.fullmatch(host)}
    assert not unknown, (
        f"{name_of(page)} links to {sorted(unknown)}: try the links in a browser or with `make links`, "
        "then add the hosts to HOSTS in tests/unit/test_docs_structure.py"
    )


def test_every_page_is_in_a_table_of_the_index() -> None:
    index = (DOCS / "index.md").read_text().partition("```{toctree}")[0]
    linked = set(re.findall(r"\]\(([\w/-]+\.md)(?:#[\w-]+)?\)", index))
    existing = {page.relative_to(DOCS).as_posix() for page in PAGES if DOCS in page.parents} - {"index.md"}
    assert sorted(existing - linked) == [], "add a row to a table of docs/index.md, so that people find them"


def test_the_picture_of_the_life_cycle_is_that_of_its_source() -> None:
    spec = importlib.util.spec_from_file_location("lifecycle_picture", DOCS / "lifecycle_picture.py")
    assert spec is not None
    assert spec.loader is not None
    picture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(picture)
    assert (DOCS / "lifecycle.svg").read_text() == picture.draw(), "run: python docs/lifecycle_picture.py"
    states = {state.name for state in picture.STATES}
    rows = re.findall(r"^\| ([^|]+) \|", section(DOCS / "lifecycle.md", "From one poll to the next"), re.MULTILINE)
    assert states <= {word.strip() for row in rows for word in row.split(",")}


def test_every_module_is_named_once_in_the_architecture() -> None:
    rows = re.findall(r"^\| `([\w/]+\.py)` \|", ARCHITECTURE.read_text(), re.MULTILINE)
    assert [name for name, count in collections.Counter(rows).items() if count > 1] == []


def test_what_the_map_calls_the_core_is_what_is_held_to_be_pure() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [pure] = [set(one["source_modules"]) for one in contracts if one["type"] == "forbidden"]
    text = section(ARCHITECTURE, "Where things are")
    core = text.partition("### Adapters")[0]
    named = {_as_module(row) for row in re.findall(r"^\| `([\w/]+)\.py` \|", core, re.MULTILINE)}
    named |= {module.rpartition(".")[0] for module in named if module.rpartition(".")[0] in pure}
    others = {module for module in named if not any(module == one or module.startswith(f"{one}.") for one in pure)}
    assert not others, f"{sorted(others)}: add them to source_modules in pyproject.toml, or move their rows"
    elsewhere = {_as_module(row) for row in re.findall(r"^\| `([\w/]+)\.py` \|", text[len(core) :], re.MULTILINE)}
    assert not pure & elsewhere, f"{sorted(pure & elsewhere)}: their rows belong under Core in {name_of(ARCHITECTURE)}"


def _as_module(path: str) -> str:
    return ".".join(["graphitepager", *path.removesuffix("/__init__").split("/")])


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = _Codes()
    usage = codes.usage(click.UsageError("an unknown option"))
    failure = codes.failure(click.ClickException(""))  # type: ignore[arg-type]
    existing = {0, failure, usage, codes.unknown, INTERRUPTED, watchdog.HUNG}
    rows = re.findall(r"^\| (\d+) \|", section(COMMANDS_PAGE, "Exit codes"), re.MULTILINE)
    compare("'Exit codes', a row", COMMANDS_PAGE, set(rows), set(map(str, existing)))
    for name in COMMANDS:
        returned = set(_returned((PACKAGE / "cli" / f"{name}.py").read_text()))
        assert returned <= existing, f"cli/{name}.py returns {returned - existing}: say so under 'Exit codes'"


def _returned(code: str) -> Iterator[int]:
    """The numbers in what a module's functions return that return a number."""
    for function in ast.walk(ast.parse(code)):
        if (
            isinstance(function, ast.FunctionDef)
            and isinstance(function.returns, ast.Name)
            and function.returns.id == "int"
        ):
            for node in ast.walk(function):
                for part in ast.walk(node) if isinstance(node, ast.Return) else ():
                    if isinstance(part, ast.Constant) and type(part.value) is int:
                        yield part.value


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"schema"}))
def test_every_command_says_what_its_exit_codes_mean(name: str) -> None:
    rows = re.findall(r"^\| (\d+) \|", section(COMMANDS_PAGE, f"`{name}`"), re.MULTILINE)
    expected = ["0", "1", "2", "3", *(["70"] if name == "run" else [])]
    assert sorted(rows) == expected, f"{name_of(COMMANDS_PAGE)}, `{name}`: a table | exit code | when | with these rows"


def test_the_collectors_variables_are_on_its_page() -> None:
    code = "".join(path.read_text() for path in (PACKAGE / "sql").rglob("*.py"))
    read = set(re.findall(r"""environ(?:\.get\(|\[)"([A-Z0-9_]+)\"""", code))
    read |= set(re.findall(r'"([A-Z0-9_]+)" (?:not )?in os\.environ', code))
    assert "GRAPHITE_PASS" in read
    text = COLLECTOR_PAGE.read_text()
    assert [name for name in sorted(read | {"S2G_DSN"}) if name not in text] == [], f"say in {name_of(COLLECTOR_PAGE)}"
