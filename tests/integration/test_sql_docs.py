"""Every example in the documentation of sql-to-graphite can be run, and gives what is printed there."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from graphitepager.sql.urls import parse
from tests.fakes.receiver import receiving
from tests.integration.sql_support import database, run
from tests.unit.sql_support import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = DOCS / "how-to" / "sql-to-graphite.md"
REFERENCE = DOCS / "reference" / "sql-to-graphite.md"
PAGES = [HOW_TO, REFERENCE]
KEY = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> Iterator[str]:
    """Every command line, as it stands behind a prompt, in a crontab, a unit, a Procfile or a form of Heroku's."""
    before = r"(?:^    |^ExecStart=\S*/|^\*/5 \* \* \* \* |^numbers: |\| )"
    for page in PAGES:
        yield from re.findall(rf"{before}(sql-to-graphite (?!--graphite-host HOST).*)", page.read_text(), re.MULTILINE)


SHOP = blocks(HOW_TO, "sql")[0]
QUERIES = blocks(HOW_TO, "yaml")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "queries.yml").write_text(QUERIES)
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.executescript(SHOP)
    shop.close()
    return tmp_path


def steady(lines: str) -> list[str]:
    """The lines without what is different each time."""
    return re.sub(r"(seconds) \S+", r"\1 0", re.sub(r"\b1[0-9]{9}\b", "NOW", lines)).splitlines()


def test_the_first_numbers_are_those_that_are_printed(folder: Path) -> None:
    [session] = blocks(HOW_TO, "console")
    prompt, _, printed = session.partition("\n")
    done = run(*shlex.split(prompt)[2:], dsn="sqlite:///shop.db", folder=folder)
    assert done.returncode == 0, done.stderr
    assert steady(done.stdout) == steady(printed)


def test_the_original_prints_what_it_sends(folder: Path) -> None:
    [session] = blocks(REFERENCE, "console")
    prompt, _, printed = session.partition("\n")
    query = shlex.split(prompt)[2]
    with receiving() as receiver:
        done = run("--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port), queries=query,
                   dsn="sqlite:///shop.db", folder=folder)  # fmt: skip
    assert steady(done.stdout) == steady(printed)


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_line_is_accepted(folder: Path, command: str) -> None:
    words = [str(folder / "queries.yml") if word.endswith("queries.yml") else word for word in shlex.split(command)[1:]]
    done = run(*words, "--check", queries="SELECT 1", dsn="sqlite:///shop.db", folder=folder, HOSTEDGRAPHITE_APIKEY=KEY)
    assert done.returncode == 0, done.stderr


def test_there_are_as_many_command_lines_as_one_sees() -> None:
    assert len(list(commands())) == 7


@pytest.mark.parametrize(
    "text",
    [text for page in PAGES for text in blocks(page, "yaml") if re.search("^queries:", text, re.MULTILINE)],
)
def test_every_queries_yml_is_accepted(text: str) -> None:
    assert [problem.render() for problem in loaded(text).problems] == []


def test_the_queries_sql_is_accepted_and_is_sql(folder: Path) -> None:
    [text] = blocks(REFERENCE, "sql")
    assert loaded(text, "queries.sql").problems == ()
    with sqlite3.connect(folder / "shop.db") as shop:
        shop.executescript(f"CREATE TABLE users (a INT); {text}")
    shop.close()


@pytest.mark.parametrize(
    ("kind", "number", "takes_back"),
    [
        ("postgresql", 1, ["REASSIGN OWNED BY s2g TO CURRENT_USER", "DROP OWNED BY s2g", "DROP ROLE s2g"]),
        ("mysql", 2, ["DROP USER 's2g'@'%%'"]),
    ],
)
def test_a_role_that_can_only_read_reads_and_does_not_write(
    kind: str, number: int, takes_back: list[str], tmp_path: Path
) -> None:
    with database(kind, tmp_path, "CREATE TABLE orders (total INT)", "INSERT INTO orders VALUES (7)") as dsn:
        url = parse(dsn, "S2G_DSN", on_heroku=False)
        schema = re.search(r"search_path=(\w+)", str(url.query.get("options"))) if kind == "postgresql" else None
        place = schema[1] if schema else str(url.database)
        text = blocks(HOW_TO, "sql")[number]
        text = text.replace("SCHEMA public", f"SCHEMA {place}").replace("shop.orders", f"{place}.orders")
        own_name = f"s2g_{place[-8:]}"  # roles are the server's: another run may have its own at the same time
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as admin:
            try:
                for statement in filter(str.strip, text.replace("s2g", own_name).split(";")):
                    admin.exec_driver_sql(statement, execution_options={"no_parameters": True})
                role = url.set(username=own_name, password="change-me").render_as_string(hide_password=False)
                assert run("--dry-run", queries="SELECT 'n', total FROM orders", dsn=role).stdout.startswith("db.n 7 ")
                for statement in ("INSERT INTO orders VALUES (8)", "DROP TABLE orders"):
                    done = run("--dry-run", "--allow-write", queries=statement, dsn=role)
                    assert done.returncode == 3, done.stderr
                    assert re.search("denied|read-only|must be owner", done.stderr)
            finally:
                for statement in takes_back:
                    admin.exec_driver_sql(statement.replace("s2g", own_name).replace("%%", "%"),
                                          execution_options={"no_parameters": True})  # fmt: skip
        engine.dispose()
