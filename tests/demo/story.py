"""What happens in the demo: a quiet fleet, and one host whose MongoDB lock climbs and comes back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STEP_S = 1
HISTORY_S = 120
ARCHIVES = ((STEP_S, 3600),)

BREACH_AT_S = 6
RECOVERY_AT_S = 24

_USUAL_LOCK_PERCENT = {"db1": 12.0, "db2": 9.0, "db3": 14.0}
_BREACH_LOCK_PERCENT = 82.4


def lock_percent(host: str, elapsed_s: float) -> float:
    """The share of the second before `elapsed_s` that the host spent holding its global lock."""
    if host == "db1" and BREACH_AT_S <= elapsed_s < RECOVERY_AT_S:
        return _BREACH_LOCK_PERCENT + math.sin(elapsed_s)
    return _USUAL_LOCK_PERCENT[host] + 2 * math.sin(elapsed_s / 7)


class Fleet:
    """Everything that the hosts send, second by second. `began` is the moment of the story's second 0."""

    def __init__(self, began: int) -> None:
        self._began = began
        self._locked_us = dict.fromkeys(_USUAL_LOCK_PERCENT, 0.0)

    def metrics(self, seconds: Iterable[int]) -> dict[str, list[tuple[float, float]]]:
        """The points of each metric at these seconds of the story, which must follow on those asked for before."""
        points: dict[str, list[tuple[float, float]]] = {}
        for elapsed_s in seconds:
            for name, value in self._values(elapsed_s).items():
                points.setdefault(name, []).append((self._began + elapsed_s, value))
        return points

    def _values(self, elapsed_s: int) -> dict[str, float]:
        values = {}
        for host in self._locked_us:
            self._locked_us[host] += lock_percent(host, elapsed_s) / 100 * 1e6
            prefix = f"servers.{host}.MongoDBCollector.globalLock"
            values[f"{prefix}.lockTime"] = self._locked_us[host]
            values[f"{prefix}.totalTime"] = (elapsed_s + HISTORY_S + 1) * 1e6
        for balancer in ("lb1", "lb2"):
            for backend, usual in (("api", 12.0), ("www", 30.0)):
                name = f"servers.{balancer}.haproxy.{backend}.web1-http.check_duration"
                values[name] = usual + math.sin(elapsed_s / 5)
        for number in range(1, 51):
            values[f"servers.web{number}.loadavg.01"] = 1 + number / 25 + math.sin((elapsed_s + number) / 9)
        for number in (1, 2):
            values[f"servers.worker-{number}.loadavg.01"] = 14 + number + math.sin(elapsed_s / 11)
        return values
