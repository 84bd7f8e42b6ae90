"""What is measured, each in a process of its own so that its peak of memory is its own, too.

`python -m benchmarks.scenarios speed 100 1000 6` prints one line of JSON; `python -m benchmarks` runs them all.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import loops
from benchmarks.stub import answer, serving
from graphitepager.telemetry import configure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROUNDS, _FLOOR_ROUNDS = 5, 3
# What takes milliseconds is disturbed by all that the machine does: it is done more often.
_MOST_ROUNDS, _SERIES_OF_ALL_ROUNDS = 51, 200_000
# The floor is asked for no more series than these, or it would take most of the time.
_ENOUGH = 10_000
# What the slow Graphite takes, and how many are asked of it at once: the default of GRAPHITE_CONCURRENCY.
DELAY_S, CONCURRENCY = 0.2, 4


class Took(NamedTuple):
    """What one run of something took, in seconds of the clock and of this process' cores."""

    wall_s: float
    cpu_s: float


def timed(run: Callable[[], object]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def speed(alerts: int, series: int, points: int) -> Mapping[str, float]:
    """Series per second of the ceiling, the daemon and the floor, in turn; medians, after a round that warms up.

    What the daemon reaches of the ceiling is the median of what it reaches in each turn: both are disturbed alike.
    """
    rounds = max(ROUNDS, min(_MOST_ROUNDS, _SERIES_OF_ALL_ROUNDS // (alerts * series)))
    few = min(alerts, max(1, _ENOUGH // series))
    with tempfile.TemporaryDirectory() as name, serving([answer(series, points)]) as stub:
        folder = Path(name)
        with (
            loops.plain(stub.url, alerts) as plain,
            loops.daemon(stub.url, alerts, folder) as daemon,
            loops.naive(stub.url, few, folder) as naive,
        ):
            polls: dict[str, Callable[[], object]] = {"ceiling": plain, "daemon": daemon, "floor": naive}
            took: dict[str, list[Took]] = {kind: [] for kind in polls}
            for turn in range(rounds + 1):
                for kind, poll in polls.items():
                    if kind != "floor" or turn < _FLOOR_ROUNDS:
                        took[kind].append(timed(poll))
    counts = {"ceiling": alerts * series, "daemon": alerts * series, "floor": few * series}
    speeds = {kind: counts[kind] / statistics.median(one.wall_s for one in each[1:]) for kind, each in took.items()}
    cpus = {kind: statistics.median(one.cpu_s for one in each[1:]) for kind, each in took.items()}
    turns = list(zip(took["ceiling"][1:], took["daemon"][1:], strict=True))
    return {
        **{f"{kind}_series_per_s": each for kind, each in speeds.items()},
        **{f"{kind}_cpu_s": each for kind, each in cpus.items()},
        "of_the_ceiling": statistics.median(ceiling.wall_s / daemon.wall_s for ceiling, daemon in turns),
        "of_the_ceiling_by_cpu": statistics.median(ceiling.cpu_s / daemon.cpu_s for ceiling, daemon in turns),
        "ceiling_times_the_floor": speeds["ceiling"] / speeds["floor"],
        "times_the_floor": speeds["daemon"] / speeds["floor"],
    }


def memory(alerts: int, series: int, points: int) -> Mapping[str, float]:
    """What the daemon's first poll, which knows no series yet, and later ones take, and its peak of memory."""
    with (
        tempfile.TemporaryDirectory() as name,
        serving([answer(series, points)]) as stub,
        loops.daemon(stub.url, alerts, Path(name)) as poll,
    ):
        before = _resident_bytes()
        first = timed(poll)
        later = [timed(poll) for _ in range(3)]
        gc.collect()
        grown = _resident_bytes() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "first_poll_s": first.wall_s,
        "poll_s": statistics.median(one.wall_s for one in later),
        "peak_mb": peak / 1e6,
        "bytes_per_series": grown / (alerts * series),
    }


def storm(alerts: int, series: int, changing: int) -> Mapping[str, float]:
    """What a poll takes in which, of each alert, `changing` series begin or end to fire, beyond a quiet one."""
    bodies = [answer(series, 6), answer(series, 6, breaching=changing)]
    with (
        tempfile.TemporaryDirectory() as name,
        serving(bodies) as stub,
        loops.daemon(stub.url, alerts, Path(name)) as poll,
    ):
        poll()
        quiet = [timed(poll).wall_s for _ in range(ROUNDS)]
        stormy: list[float] = []
        for turn in range(2 * ROUNDS):
            stub.which.value = 1 - turn % 2
            began = time.perf_counter()
            record = poll()
            stormy.append(time.perf_counter() - began)
            assert len(record.states) >= alerts * changing
    return {
        "transitions": alerts * changing,
        "quiet_s": statistics.median(quiet),
        "beyond_quiet_s": statistics.median(stormy) - statistics.median(quiet),
    }


def slow(targets: int) -> Mapping[str, float]:
    """A poll of a Graphite that takes DELAY_S for each answer, beside the least that this can take."""
    with (
        tempfile.TemporaryDirectory() as name,
        serving([answer(10, 6)], DELAY_S) as stub,
        loops.daemon(stub.url, targets, Path(name)) as poll,
    ):
        poll()
        took = statistics.median(timed(poll).wall_s for _ in range(3))
    return {"poll_s": took, "of_the_least": took / (targets / CONCURRENCY * DELAY_S)}


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


SCENARIOS: Mapping[str, Callable[..., Mapping[str, float]]] = {
    "speed": speed,
    "memory": memory,
    "storm": storm,
    "slow": slow,
}

if __name__ == "__main__":
    with tempfile.TemporaryFile("w") as log:
        configure(stream=log)
        print(json.dumps(SCENARIOS[sys.argv[1]](*map(int, sys.argv[2:]))))  # noqa: T201 - read by the parent
