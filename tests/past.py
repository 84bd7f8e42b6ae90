"""A made-up day of two databases, for the commands that replay the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.examples import NOON
from tests.fakes.graphite import respond

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.graphite import FakeGraphite

STEP_S = 60
BEGIN = int(NOON.timestamp())
DAY = ("--from", "2026-01-15T12:00Z", "--until", "2026-01-16T12:00Z")

ALERTS = """\
alerts:
  - name: MongoDB lock
    target: servers.*.lock
    warning: 50
    critical: 70
    for: 5min
  - name: Load
    target: servers.*.load
    warning: 8
    critical: 12
"""


def minutes(*runs: tuple[float | None, int]) -> list[float | None]:
    """Each value for so many minutes."""
    return [value for value, times in runs for _ in range(times)]


LOCK = {
    "db1": minutes((10.0, 300), (90.0, 90), (10.0, 600), (60.0, 3), (10.0, 507)),
    "db2": minutes((20.0, 700), (60.0, 45), (20.0, 200), (None, 30), (20.0, 525)),
}
LOAD = {"web1": minutes((1.5, 1500))}


def line(name: str, values: list[float | None], step_s: int = STEP_S) -> bytes:
    """One series from an hour before BEGIN, as Graphite writes it."""
    start = BEGIN - 3600
    texts = ",".join(map(repr, [values[0]] * (3600 // step_s) + values))
    return f"{name},{start},{start + step_s * (texts.count(',') + 1)},{step_s}|{texts}\n".encode()


def keep_the_day(graphite: FakeGraphite, folder: Path, alerts: str = ALERTS) -> dict[str, str]:
    """Have a Graphite keep that day, and alerts.yml in the folder; the environment to replay it in."""
    for target, series in (("servers.*.lock", LOCK), ("servers.*.load", LOAD)):
        graphite.answers[target] = respond(b"".join(line(name, values) for name, values in series.items()))
    (folder / "alerts.yml").write_text(alerts)
    return {"GRAPHITE_URL": graphite.url}
