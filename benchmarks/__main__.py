"""Measures the daemon beside a ceiling and a floor, and what else was promised; prints tables, writes a JSON file."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table

from benchmarks import plot

if TYPE_CHECKING:
    from collections.abc import Sequence

SHAPES = ((10, 100, 6), (100, 100, 6), (1000, 10, 6), (100, 1000, 6), (10, 10_000, 60), (100, 10_000, 6))
GROWTH = ((1, 1000, 6), (10, 1000, 6), (100, 1000, 6), (1000, 1000, 6))
HERE = Path(__file__).parent
_STARTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, default=HERE / "latest.json", help="where the figures go")
    parser.add_argument("--quick", action="store_true", help="leave out what takes long: a million series, growth")
    arguments = parser.parse_args()
    shapes = SHAPES[:-1] if arguments.quick else SHAPES
    console = Console(width=110)  # in a log, too
    figures: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "speed": _speed(console, shapes),
        "storm": [_storm(console, changing) for changing in (1, 10)],
        "slow": _slow(console),
        "start": _starts(console),
    }
    if not arguments.quick:
        figures["growth"] = _growth(console)
    arguments.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"\n{arguments.json}")


def _speed(console: Console, shapes: Sequence[tuple[int, int, int]]) -> list[dict[str, object]]:
    table = Table(Column("alerts × series × points", no_wrap=True), box=None, pad_edge=False)
    headings = ("ceiling /s", "daemon /s", "floor /s", "CPU s", "MB", "of ceiling", "by CPU", "× floor", "of at most")
    for heading in headings:
        table.add_column(heading, justify="right")
    rows = []
    for shape in shapes:
        one = {**_scenario("speed", *shape), **_scenario("memory", *shape)}
        rows.append({"shape": shape, **one})
        table.add_row(
            _named(shape),
            *(f"{one[f'{kind}_series_per_s']:,.0f}" for kind in ("ceiling", "daemon", "floor")),
            f"{one['daemon_cpu_s']:.3f}",
            f"{one['peak_mb']:.0f}",
            f"{one['of_the_ceiling']:.2f}",
            f"{one['of_the_ceiling_by_cpu']:.2f}",
            f"{one['times_the_floor']:.1f}",
            f"{one['ceiling_times_the_floor']:.1f}",
        )
    console.print(table)
    return rows


def _storm(console: Console, changing: int) -> dict[str, float]:
    one = _scenario("storm", 100, 100, changing)
    console.print(
        f"\nstorm: {one['transitions']:.0f} transitions a poll take {one['beyond_quiet_s']:.3f} s beyond a quiet one",
        f"({one['quiet_s']:.3f} s)",
    )
    return one


def _slow(console: Console) -> dict[str, float]:
    one = _scenario("slow", 100)
    console.print(
        f"slow Graphite, 0.2 s an answer: 100 targets take {one['poll_s']:.2f} s,",
        f"{one['of_the_least']:.2f} of the least that this can take",
    )
    return one


def _starts(console: Console) -> dict[str, float]:
    """Seconds until `--version` is printed, and until a thousand alerts are verified; medians."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts.yml"
        entry = "  - {{name: CPU {0}, target: servers.*.cpu.user{0}, warning: 80, critical: 90}}\n"
        path.write_text("alerts:\n" + "".join(entry.format(number) for number in range(1000)), encoding="utf-8")
        one = {
            "version_s": statistics.median(_run("--version") for _ in range(_STARTS)),
            "verify_s": statistics.median(_run("verify", "--config", str(path)) for _ in range(_STARTS)),
        }
    console.print(
        f"--version: {one['version_s'] * 1000:.0f} ms; verify of 1,000 alerts: {one['verify_s'] * 1000:.0f} ms"
    )
    return one


def _growth(console: Console) -> list[dict[str, object]]:
    table = Table("series", box=None, pad_edge=False)
    for heading in ("µs a series", "first poll, s", "poll, s", "peak MB", "bytes a series"):
        table.add_column(heading, justify="right")
    rows: list[dict[str, object]] = []
    points = []
    for shape in GROWTH:
        one = _scenario("memory", *shape)
        series = shape[0] * shape[1]
        rows.append({"series": series, **one})
        points.append((series, one["poll_s"] / series * 1e6))
        table.add_row(
            f"{series:,}",
            f"{points[-1][1]:.2f}",
            f"{one['first_poll_s']:.2f}",
            f"{one['poll_s']:.3f}",
            f"{one['peak_mb']:.0f}",
            f"{one['bytes_per_series']:.0f}",
        )
    console.print(table)
    (HERE / "growth.svg").write_text(plot.growth(points), encoding="utf-8")
    return rows


def _scenario(name: str, *arguments: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scenarios", name, *map(str, arguments)]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
    return figures


def _run(*arguments: str) -> float:
    command = [sys.executable, "-m", "graphitepager", *arguments]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - began


def _named(shape: tuple[int, int, int]) -> str:
    return " × ".join(f"{size:,}" for size in shape)


if __name__ == "__main__":
    main()
