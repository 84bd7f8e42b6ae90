"""sql-to-graphite with all its checks, beside the original's loop, which has none.

All read the same million rows of a SQLite file and send them to a process that throws them away. sql-to-graphite 0.0.6
took its rows from SQLAlchemy, and printed and sent each as it came, over one connection. The bare loop is what is left
of that without SQLAlchemy and without the printing: one `sendall` a row, no check of anything. Ours runs as its users
run it, as a process, from the start to the exit code; what it takes of memory is what the kernel says.
"""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection

ROWS = 1_000_000
RUNS = 5
_SQL = "SELECT name, value FROM metrics"
_QUERIES = f"queries:\n  all:\n    sql: {_SQL}\n"


_BARE = "the original's loop, bare"


class _Measured(NamedTuple):
    """What one run took; `cpu_s` is user and system time."""

    seconds: float
    cpu_s: float
    resident_mib: float = 0.0


def main() -> None:
    """Measure all in turn, again and again, because machines are noisy, and print the medians."""
    here, there = get_context("spawn").Pipe()
    sink = get_context("spawn").Process(target=_swallow, args=(there,), daemon=True)
    sink.start()
    port = here.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "metrics.db"
        _fill(path)
        (folder / "queries.yml").write_text(_QUERIES)
        ways: dict[str, Callable[[], _Measured]] = {
            _BARE: lambda: _in_this_process(lambda: _bare(path, port)),
            "the original's loop, as it was": lambda: _in_this_process(lambda: _original(path, port)),
            "ours, standard input": lambda: _ours(folder, port, ["--quiet"]),
            "ours, standard input, printed": lambda: _ours(folder, port, []),
            "ours, queries.yml": lambda: _ours(folder, port, ["--quiet", "--queries", str(folder / "queries.yml")]),
        }
        rounds = [{what: measure() for what, measure in ways.items()} for _ in range(RUNS)]
    sink.terminate()
    _print(rounds)


def _print(rounds: list[dict[str, _Measured]]) -> None:
    """Each against the bare loop of its own round, for the machine is not the same in the next."""
    table = Table(f"{ROWS:,} rows from SQLite", box=None, pad_edge=False)
    for heading in ("rows/s", "of the bare loop", "CPU s", "of its CPU", "MiB resident"):
        table.add_column(heading, justify="right")
    for what in rounds[0]:
        runs = [one[what] for one in rounds]
        table.add_row(
            what,
            f"{ROWS / statistics.median(run.seconds for run in runs):,.0f}",
            f"{statistics.median(one[_BARE].seconds / one[what].seconds for one in rounds):.2f}",
            f"{statistics.median(run.cpu_s for run in runs):.2f}",
            f"{statistics.median(one[_BARE].cpu_s / one[what].cpu_s for one in rounds):.2f}",
            f"{max(run.resident_mib for run in runs):.1f}" if runs[0].resident_mib else "",
        )
    Console().print(table)


def _fill(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metrics (name TEXT, value REAL)")
        rows = ((f"shop.country{n % 100}.customer{n}.revenue", n * 1.37) for n in range(ROWS))
        database.executemany("INSERT INTO metrics VALUES (?, ?)", rows)
    database.close()


def _in_this_process(loop: Callable[[], None]) -> _Measured:
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    loop()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return _Measured(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _bare(path: Path, port: int) -> None:
    now = int(time.time())
    database = sqlite3.connect(path)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for row in database.execute(_SQL):
            connection.sendall(f"db.{row[0]} {row[1]} {now}\n".encode())
    database.close()


def _original(path: Path, port: int) -> None:
    """What sql-to-graphite 0.0.6 did with each row, without the start of its process."""
    engine = create_engine(f"sqlite:///{path}", isolation_level="READ UNCOMMITTED")
    now = time.time()
    with (
        engine.connect() as database,
        socket.create_connection(("127.0.0.1", port)) as connection,
        open(os.devnull, "w") as output,  # noqa: PTH123 - a device, not a file
    ):
        rows: Iterable[Any] = database.exec_driver_sql(_SQL)
        for row in rows:
            name, value = row[:2]
            line = f"db.{name} {value} {now}\n"
            print(line, end="", file=output)
            connection.sendall(line.encode())
    engine.dispose()


def _ours(folder: Path, port: int, arguments: list[str]) -> _Measured:
    command = [
        sys.executable,
        "-m",
        "graphitepager.sql.cli",
        "--graphite-host",
        "127.0.0.1",
        "--graphite-port",
        str(port),
    ]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "S2G_DSN": f"sqlite:///{folder}/metrics.db"},
    )
    assert process.stdin is not None
    began = time.perf_counter()
    process.stdin.write(_SQL.encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return _Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _swallow(parent: Connection) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    parent.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(1 << 20):
                pass


if __name__ == "__main__":
    main()
