"""What `ratio` and `compare` make of the real Graphite's answers, beside what Graphite itself computes."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from graphitepager import checks, config, joining, rawdata
from tests import sample_data
from tests.integration.pager_process import run
from tests.integration.test_graphite_expressions import CHECK, LOCK, NOW, TIMES, points, render

if TYPE_CHECKING:
    from pathlib import Path

    from graphitepager.model import Reading
    from graphitepager.rawdata import RawAnswer
    from graphitepager.rules import Query
    from tests.graphite_server.client import Graphite
    from tests.integration.conftest import StartGraphite

THRESHOLDS = "warning: 50, critical: 70"
LOCK_RATIO = """ratio: {
    of: servers.*.MongoDBCollector.globalLock.lockTime,
    to: servers.*.MongoDBCollector.globalLock.totalTime,
    by: 1, scale: 100, rate: yes}"""
CHECK_RATIO = """ratio: {
    of: 'groupByNode(servers.*.haproxy.*.*.check_duration, 3, "sumSeries")',
    to: 'groupByNode(isNonNull(servers.*.haproxy.*.*.check_duration), 3, "sumSeries")',
    by: 0}, from: -100s, value: median"""


def readings(graphite: Graphite, keys: str) -> dict[str, Reading]:
    """Judge an alert with these keys as the clock stood at NOW."""
    text = f"alerts: [{{name: a, {THRESHOLDS}, {keys}}}]"
    environ = {"GRAPHITE_URL": graphite.url, "STDOUT_ENABLED": "yes"}
    loaded = config.load(text, environ, source="alerts.yml", strict=True)
    assert loaded.config is not None, loaded.problems
    [alert] = loaded.config.alerts
    answers = {query: answer(graphite, query) for query in checks.queries_of([alert])}
    return dict(checks.evaluate(alert, answers, datetime.fromtimestamp(NOW, UTC)).readings)


def answer(graphite: Graphite, query: Query) -> RawAnswer:
    until = {} if query.until is None else {"until": query.until}
    return rawdata.parse(render(graphite, query.target, **{"from": query.from_, **until}).content)


def values(graphite: Graphite, keys: str) -> dict[str, float | str | None]:
    """What is judged of each series, or why there is nothing."""
    found = readings(graphite, keys)
    return {name: one.detail if one.value is None else one.value for name, one in found.items()}


@pytest.fixture(scope="module")
def company(start_graphite: StartGraphite) -> Graphite:
    graphite = start_graphite()
    graphite.write(sample_data.everything(TIMES), now=NOW)
    return graphite


# Ratios


def test_the_lock_percentage_is_the_same_whoever_computes_it(company: Graphite) -> None:
    by_graphite = values(company, f"target: '{LOCK['target']}', from: -5min")
    assert by_graphite == values(company, LOCK_RATIO) == dict(sample_data.LOCK_PERCENT)


def test_the_check_duration_is_the_same_whoever_computes_it(company: Graphite) -> None:
    by_graphite = values(company, f"target: '{CHECK['target']}'")
    assert by_graphite == values(company, CHECK_RATIO) == dict(sample_data.CHECK_DURATION_MS)


def test_a_restart_gaps_and_other_steps_do_not_harm_a_lock_percentage(start_graphite: StartGraphite) -> None:
    graphite = start_graphite()
    counters: dict[str, tuple[list[float | None], list[float | None]]] = {
        # Locked for 1 of 10 s, always: what is missing is bridged.
        "gaps": ([0, None, 2, 3, None], [0, 10, None, 30, None]),
        # Set back by a restart, then 4 of 10 s.
        "restarted": ([40, 41, 42, 4, 8], [1000, 1010, 1020, 10, 20]),
        "stopped": ([1, 2, 3, 0], [10, 20, 30, 0]),
        "idle": ([1, 1], [10, 10]),
        "single": ([1], [10]),
    }
    for host, (lock, total) in counters.items():
        for name, row in (("lockTime", lock), ("totalTime", total)):
            pairs = [(time, float(value)) for time, value in zip(TIMES[-5:], row, strict=False) if value is not None]
            graphite.write({f"servers.{host}.MongoDBCollector.globalLock.{name}": pairs}, now=NOW)
    graphite.write({"servers.alone.MongoDBCollector.globalLock.lockTime": [(TIMES[-1], 1.0)]}, now=NOW)
    coarse = [(time, 10.0 * index) for index, time in enumerate(TIMES[-31:]) if time % 60 == 0]
    fine = [(time, 3.0 * index) for index, time in enumerate(TIMES[-31:])]
    minutes = "servers.minutes.MongoDBCollector.globalLock"
    graphite.write({f"{minutes}.totalTime": coarse}, archives=((60, 60),), now=NOW)
    graphite.write({f"{minutes}.lockTime": fine}, now=NOW)
    assert values(graphite, LOCK_RATIO) == {
        "alone": "no partner in servers.*.MongoDBCollector.globalLock.totalTime",
        "gaps": 10.0,
        "idle": "division by zero: the divisor has not grown",
        "minutes": 30.0,
        "restarted": 40.0,
        "single": "fewer than two datapoints that both have, and a rate needs two",
        "stopped": 10.0,
    }


@pytest.mark.parametrize(
    "target",
    [
        "nodes.*.x",
        "perSecond(nodes.*.x)",
        "scale(movingMedian(nodes.*.x, 3), 2)",
        "sumSeries(nodes.{db1,db2}.x, nodes.db1.x)",
        "asPercent(nodes.db1.x, nodes.db2.x)",
        "alias(nodes.db1.x, 'a.b,c')",
        "alias(nodes.db1.x, 'a.b;host=c.d')",
        "aliasSub(nodes.db1.x, '^nodes', 'f(nodes')",
        "timeShift(nodes.db1.x, '10s')",
        'summarize(nodes.db1.x, "10s", "sum")',
    ],
)
@pytest.mark.parametrize("node", [0, 1, -1, -2])
def test_nodes_are_those_that_alias_by_node_sees(company: Graphite, target: str, node: int) -> None:
    company.write({f"nodes.{host}.x": [(time, 1.0) for time in TIMES] for host in ("db1", "db2")}, now=NOW)
    found = sorted(joining.key_of(name, [node]) for name in points(company, target))
    by_graphite = sorted(
        series.name for series in rawdata.parse(render(company, f"aliasByNode({target}, {node})").content).series
    )
    assert found == by_graphite


def test_check_shows_the_ratios_and_says_why_there_is_none(start_graphite: StartGraphite, tmp_path: Path) -> None:
    graphite = start_graphite()
    times = sample_data.intervals(time.time())
    graphite.write(sample_data.mongodb(times))
    graphite.write({"servers.alone.MongoDBCollector.globalLock.lockTime": [(times[-1], 1.0)]})
    (tmp_path / "alerts.yml").write_text(f"alerts: [{{name: Lock, {THRESHOLDS}, {LOCK_RATIO}}}]")
    environment = {"GRAPHITE_URL": graphite.url, "STDOUT_ENABLED": "yes"}
    done = run("check", environment=environment, folder=tmp_path)
    assert [line.split() for line in done.stdout.splitlines()[1:]] == [
        ["Lock", "alone", "-", "50", "70", "-", "NO", "DATA"],
        ["Lock", "db1", "5", "50", "70", "45", "to", "Warning", "Nominal"],
        ["Lock", "db2", "12.5", "50", "70", "37.5", "to", "Warning", "Nominal"],
        ["Lock", "db3", "40", "50", "70", "10", "to", "Warning", "Nominal"],
    ]
    reason = "no partner in servers.*.MongoDBCollector.globalLock.totalTime"
    assert done.stderr == f"graphite-pager: Lock: alone: {reason}\n"
    found = json.loads(run("check", "--json", environment=environment, folder=tmp_path).stdout)["series"]
    assert {one["series"]: one["detail"] for one in found} == {"alone": reason, "db1": None, "db2": None, "db3": None}


# Comparisons


def history(graphite: Graphite, **levels: tuple[float, float]) -> None:
    """Metrics that stood at one value until ten minutes ago, and at another since; after an hour, kept in minutes."""
    times = sample_data.intervals(NOW, 720)
    graphite.write(
        {
            f"hits.{name}": [(time, before if time < NOW - 600 else after) for time in times]
            for name, (before, after) in levels.items()
        },
        archives=((10, 360), (60, 1440)),
        now=NOW,
    )


@pytest.fixture(scope="module")
def shop(start_graphite: StartGraphite) -> Graphite:
    graphite = start_graphite()
    history(graphite, grown=(100.0, 150.0), fallen=(100.0, 25.0), awake=(0.0, 5.0))
    graphite.write({"hits.new": [(time, 1.0) for time in TIMES[-12:]]}, archives=((10, 360), (60, 1440)), now=NOW)
    return graphite


@pytest.mark.parametrize("ago", ["15min", "30min", "100min"])  # in steps of 10 s, and in minutes
@pytest.mark.parametrize("value", ["last", "average", "max", "median"])
def test_each_series_is_held_against_what_it_was(shop: Graphite, ago: str, value: str) -> None:
    shown = ago.replace("100min", "1h40min")
    found = values(shop, f"target: 'aliasByNode(hits.*, 1)', compare: {{with: {ago}}}, value: {value}")
    assert found == {
        "grown": 50.0,
        "fallen": -75.0,
        "awake": f"division by zero: it was 0 {shown} earlier",
        "new": f"no datapoint {shown} earlier",
    }


def test_it_is_what_graphites_own_time_shift_gives(shop: Graphite) -> None:
    shifted = points(shop, 'diffSeries(hits.grown, timeShift(hits.grown, "30min"))')
    assert set(next(iter(shifted.values())).split(",")) == {"50.0"}
    keys = "target: hits.grown, compare: {with: 30min, as: difference}"
    assert values(shop, keys) == {"hits.grown": 50.0}


def test_a_breach_of_a_comparison_lasts_as_long_as_it_is_seen(shop: Graphite) -> None:
    reading = readings(shop, "target: hits.grown, compare: {with: 30min, as: difference}, for: 15min")["hits.grown"]
    assert reading.warning_run is not None
    assert reading.warning_run.since == datetime.fromtimestamp(NOW - NOW % 10 - 590, UTC)


def test_a_lock_percentage_is_compared_with_what_it_was(company: Graphite) -> None:
    keys = f"{LOCK_RATIO}, compare: {{with: 2min, as: ratio}}"
    assert values(company, keys) == dict.fromkeys(sample_data.LOCK_PERCENT, 1.0)
