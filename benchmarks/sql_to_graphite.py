"""sql-to-graphite with all its checks, beside the original's loop, which has none.

Both read the same million rows of a SQLite file and send them to a process that throws them away. The original sent
each row as it came: one `sendall`, no check of anything. Ours runs as its users run it, as a process, from the start to
the exit code; what it takes of memory is what the kernel says.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ROWS = 1_000_000
RUNS = 3
_SQL = "SELECT name, value FROM metrics"
_QUERIES = f"queries:\n  all:\n    sql: {_SQL}\n"


class _Measured(NamedTuple):
    seconds: float
    resident_mib: float


def main() -> None:
    """Measure in turn, because machines are noisy, and print the medians."""
    here, there = get_context("spawn").Pipe()
    sink = get_context("spawn").Process(target=_swallow, args=(there,), daemon=True)
    sink.start()
    port = here.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _fill(folder / "metrics.db")
        (folder / "queries.yml").write_text(_QUERIES)
        original, lines, file = [], [], []
        for _ in range(RUNS):
            original.append(_original(folder / "metrics.db", port))
            lines.append(_ours(folder, port, []))
            file.append(_ours(folder, port, ["--queries", str(folder / "queries.yml")]))
    sink.terminate()
    table = Table(f"{ROWS:,} rows from SQLite", box=None, pad_edge=False)
    for heading in ("rows/s", "of the original", "MiB resident"):
        table.add_column(heading, justify="right")
    base = statistics.median(original)
    table.add_row("the original's loop, unchecked", f"{ROWS / base:,.0f}", "1.00", "")
    for what, runs in (("ours, standard input", lines), ("ours, queries.yml", file)):
        seconds = statistics.median(run.seconds for run in runs)
        resident = max(run.resident_mib for run in runs)
        table.add_row(what, f"{ROWS / seconds:,.0f}", f"{base / seconds:.2f}", f"{resident:.1f}")
    Console().print(table)


def _fill(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metrics (name TEXT, value REAL)")
        rows = ((f"shop.country{n % 100}.customer{n}.revenue", n * 1.37) for n in range(ROWS))
        database.executemany("INSERT INTO metrics VALUES (?, ?)", rows)
    database.close()


def _original(path: Path, port: int) -> float:
    """Seconds for what sql-to-graphite 0.0.6 did with each row, without its echo."""
    began = time.perf_counter()
    now = int(time.time())
    database = sqlite3.connect(path)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for row in database.execute(_SQL):
            connection.sendall(f"db.{row[0]} {row[1]} {now}\n".encode())
    database.close()
    return time.perf_counter() - began


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
        [*command, "--quiet", *arguments],
        stdin=subprocess.PIPE,
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
    return _Measured(seconds, usage.ru_maxrss / 1024)


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
