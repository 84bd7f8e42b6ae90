"""The metrics of a small company's hosts, as Diamond sends them: pure functions, values that can be checked by hand.

Every function takes the times of its points (`intervals`) and returns the points of each metric by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEP_S = 10
ARCHIVES = ((STEP_S, 360),)

Metrics: TypeAlias = "dict[str, list[tuple[int, float]]]"

LOCK_PERCENT: Mapping[str, float] = {"db1": 5.0, "db2": 12.5, "db3": 40.0}
CHECK_DURATION_MS: Mapping[str, float] = {"api": 12.0, "www": 30.0}
CHECK_OUTLIER_MS = 2000.0
WEB_LOADS: Mapping[str, float] = {f"web{number}": number / 10 for number in range(1, 51)}
WORKER_LOADS: Mapping[str, float] = {"worker-1": 14.0, "worker-2": 17.5}


def intervals(now: float, count: int = 60) -> range:
    """Return the starts of the `count` last intervals; the newest is the one that `now` is in."""
    newest = int(now) // STEP_S * STEP_S
    return range(newest - (count - 1) * STEP_S, newest + STEP_S, STEP_S)


def mongodb(times: Sequence[int], lock_percent: Mapping[str, float] = LOCK_PERCENT) -> Metrics:
    """Counters in microseconds: totalTime grows by the time that passes, lockTime by the host's share of it."""
    metrics: Metrics = {}
    for host, percent in lock_percent.items():
        prefix = f"servers.{host}.MongoDBCollector.globalLock"
        passed = [(time, (time - times[0]) * 1e6) for time in times]
        metrics[f"{prefix}.totalTime"] = passed
        metrics[f"{prefix}.lockTime"] = [(time, total * percent / 100) for time, total in passed]
    return metrics


def haproxy(times: Sequence[int], duration_ms: Mapping[str, float] = CHECK_DURATION_MS) -> Metrics:
    """Health checks of two servers a backend by two balancers, whose average is the backend's `duration_ms`.

    The second server takes 2 ms longer than the first. Every tenth check of all of them is an outlier.
    """
    metrics: Metrics = {}
    for balancer in ("lb1", "lb2"):
        for backend, usual in duration_ms.items():
            for server, difference in (("web1-http", -1.0), ("web2-http", 1.0)):
                metrics[f"servers.{balancer}.haproxy.{backend}.{server}.check_duration"] = [
                    (time, CHECK_OUTLIER_MS if time // STEP_S % 10 == 0 else usual + difference) for time in times
                ]
    return metrics


def loads(times: Sequence[int], load_by_host: Mapping[str, float]) -> Metrics:
    """Load averages that stay where they are."""
    return {f"servers.{host}.loadavg.01": [(time, load) for time in times] for host, load in load_by_host.items()}


def everything(times: Sequence[int]) -> Metrics:
    """All of it, with every host well below the thresholds of the shipped alerts.yml."""
    return mongodb(times) | haproxy(times) | loads(times, WEB_LOADS) | loads(times, WORKER_LOADS)
