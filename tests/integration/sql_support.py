"""Runs sql-to-graphite as its users do, and has databases of each kind for it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from graphitepager.sql.urls import parse
from tests.integration.store_support import empty_database
from tests.support import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = ("sqlite", "postgresql", "mysql")
_MYSQL_URL = os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306/test")
PROGRAM = [sys.executable, "-m", "graphitepager.sql.cli"]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """That of a process of its own: nothing of ours but what Python needs."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "PYTHONPATH", "HOME", "TMPDIR"}}
    return {**kept, **extra}


def run(
    *arguments: str, queries: str = "", dsn: str | None = None, folder: Path | None = None, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with `queries` on standard input."""
    variables = extra if dsn is None else {"S2G_DSN": dsn, **extra}
    return subprocess.run(
        [*PROGRAM, *arguments],
        input=queries,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=folder,
        env=environment(variables),
    )


def start(*arguments: str, queries: str = "", dsn: str, **extra: str) -> subprocess.Popen[str]:
    """Start it, and give it its standard input."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({"S2G_DSN": dsn, **extra}),
    )
    assert process.stdin is not None
    process.stdin.write(queries)
    process.stdin.close()
    process.stdin = None  # or communicate() would use it
    return process


def on_a_terminal(queries: str, dsn: str, *arguments: str) -> bytes:
    """What a dry run writes on a terminal, without the terminal's own commands."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "--dry-run", *arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=there,
        env=environment({"S2G_DSN": dsn}),
    )  # fmt: skip
    os.close(there)
    assert process.stdin is not None
    process.stdin.write(queries.encode())
    process.stdin.close()
    shown = b""
    while True:
        try:
            shown += os.read(here, 4096)
        except OSError:  # the other end is closed
            break
    os.close(here)
    assert process.wait(20) == 0
    return shown.replace(b"\x1b[K", b"")


def wait_until_it_asks(process: subprocess.Popen[str]) -> None:
    """Wait until it has sent a query: the watch over each is a thread."""
    end = time.monotonic() + 15
    while len(list(Path(f"/proc/{process.pid}/task").iterdir())) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it does not ask"
        time.sleep(0.02)


@contextmanager
def database(kind: str, directory: Path, *statements: str) -> Iterator[str]:
    """The DSN of a database of this kind, in which the statements have been run; it goes afterwards."""
    with _empty(kind, directory) as dsn:
        engine = create_engine(parse(dsn, "S2G_DSN", on_heroku=False))
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()
        yield dsn


@contextmanager
def _empty(kind: str, directory: Path) -> Iterator[str]:
    if kind == "mysql":
        with _empty_mysql() as dsn:
            yield dsn
        return
    with empty_database(kind, directory) as url:
        yield url.render_as_string(hide_password=False)


@contextmanager
def _empty_mysql() -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    server = create_engine(parse(_MYSQL_URL, "TEST_MYSQL_URL", on_heroku=False), isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            try:
                yield urlsplit(_MYSQL_URL)._replace(path=f"/{name}").geturl()
            finally:
                connection.exec_driver_sql(f"DROP DATABASE {name}")
    except OperationalError as error:
        missing(f"no MariaDB at TEST_MYSQL_URL: {error}")
    finally:
        server.dispose()


def metrics(lines: str) -> dict[str, float]:
    """The values by their names, of lines as they are sent; without what a run says of itself."""
    fields = [line.split() for line in lines.splitlines()]
    return {name: float(value) for name, value, _ in fields if ".sql_to_graphite." not in name}
