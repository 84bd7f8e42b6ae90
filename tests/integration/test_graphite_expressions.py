"""What the real Graphite answers: to the targets of the shipped alerts.yml, and where its raw format has its quirks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import yaml

from graphitepager import config, folding, rawdata
from graphitepager.model import Series
from graphitepager.rules import Judged, Query
from tests import sample_data

if TYPE_CHECKING:
    from tests.graphite_server.client import Graphite
    from tests.integration.conftest import StartGraphite

NOW = 1_700_000_005
TIMES = sample_data.intervals(NOW)
ALERTS = yaml.safe_load((Path(__file__).parents[2] / "alerts.yml").read_text())["alerts"]
[LOCK] = [alert for alert in ALERTS if alert["name"] == "MongoDB lock"]
[CHECK] = [alert for alert in ALERTS if alert["name"] == "HAProxy check duration"]
[WORKER_LOAD, LOAD] = [alert for alert in ALERTS if alert["name"] == "Load"]


def render(graphite: Graphite, target: str, **parameters: str | int) -> requests.Response:
    """Ask for a target as the clock stood at NOW."""
    form = {"target": target, "from": "-1min", "format": "raw", "noCache": "1", "now": NOW} | parameters
    return requests.post(f"{graphite.url}/render", data=form, timeout=30)


def points(graphite: Graphite, target: str, **parameters: str | int) -> dict[str, str]:
    """Return the points of each series as they came, by the series' name."""
    answer = rawdata.parse(render(graphite, target, **parameters).content)
    assert answer.bad_lines == []
    return {series.name: series.points.decode() for series in answer.series}


def last_values(graphite: Graphite, target: str) -> dict[str, float | None]:
    answer = rawdata.parse(render(graphite, target).content)
    lasts = {series.name: rawdata.last_point(series) for series in answer.series}
    return {name: last and last.value for name, last in lasts.items()}


# The shipped alerts.yml


@pytest.fixture(scope="module")
def company(start_graphite: StartGraphite) -> Graphite:
    """The hosts of the sample data, on a Graphite of their own: the targets' globs are to match nothing else."""
    graphite = start_graphite()
    graphite.write(sample_data.everything(TIMES), now=NOW)
    return graphite


def test_the_lock_percentage_is_each_hosts_lock_time_by_its_total_time(company: Graphite) -> None:
    # db2 spends 12.5 % of its time locked: in 10 s, totalTime grows by 10,000,000 µs and lockTime by 1,250,000 µs.
    # 100 * 1,250,000 / 10,000,000 = 12.5. The first point of a derivative has none before it.
    assert points(company, LOCK["target"]) == {
        "db1": "None,5.0,5.0,5.0,5.0,5.0",
        "db2": "None,12.5,12.5,12.5,12.5,12.5",
        "db3": "None,40.0,40.0,40.0,40.0,40.0",
    }


def test_the_lock_percentage_follows_its_host_from_interval_to_interval(start_graphite: StartGraphite) -> None:
    graphite = start_graphite()
    counters = {
        # Between two points: locked for 1, 2, 5 and 0 s of 10 s: 10, 20, 50, 0 %.
        "rising.MongoDBCollector.globalLock.lockTime": [0, 1, 3, 8, 8],
        "rising.MongoDBCollector.globalLock.totalTime": [0, 10, 20, 30, 40],
        # This host counts other lengths of time: 5 of 5 s, 0 of 5, 2 of 8, 6 of 8: 100, 0, 25, 75 %.
        "jumping.MongoDBCollector.globalLock.lockTime": [7, 12, 12, 14, 20],
        "jumping.MongoDBCollector.globalLock.totalTime": [70, 75, 80, 88, 96],
    }
    times = TIMES[-5:]
    graphite.write(
        {f"servers.{name}": list(zip(times, map(float, values), strict=True)) for name, values in counters.items()},
        now=NOW,
    )
    assert points(graphite, LOCK["target"]) == {
        "rising": "None,None,10.0,20.0,50.0,0.0",
        "jumping": "None,None,100.0,0.0,25.0,75.0",
    }


def test_the_check_duration_is_a_median_that_one_slow_check_does_not_move(company: Graphite) -> None:
    # api: lb1 and lb2 both see web1-http take 11 ms and web2-http 13 ms: (11 + 13 + 11 + 13) / 4 = 12.
    # Every tenth interval is at 2000 ms, so of any ten points nine are at 12: their median is 12. www: 29 and 31.
    averages = points(company, 'groupByNode(servers.*.haproxy.*.*.check_duration, 3, "averageSeries")')
    assert averages["api"] == "12.0,12.0,12.0,12.0,12.0,2000.0"
    assert points(company, CHECK["target"]) == {
        "api": "12.0,12.0,12.0,12.0,12.0,12.0",
        "www": "30.0,30.0,30.0,30.0,30.0,30.0",
    }


def test_the_workers_are_in_both_targets_of_load_under_the_same_names(company: Graphite) -> None:
    workers = {"worker-1": 14.0, "worker-2": 17.5}
    assert last_values(company, WORKER_LOAD["target"]) == workers
    hosts = last_values(company, LOAD["target"])
    assert workers.items() <= hosts.items()
    assert hosts.keys() - workers.keys() == {f"web{number}" for number in range(1, 51)}
    assert (hosts["web1"], hosts["web50"]) == (0.1, 5.0)


def test_the_workers_would_page_by_the_thresholds_of_the_other_hosts() -> None:
    for load in sample_data.WORKER_LOADS.values():
        assert LOAD["critical"] <= load < WORKER_LOAD["warning"]


# Facts about the raw format that the code relies on


def test_a_minute_is_six_points_and_a_missing_one_is_none(graphite: Graphite) -> None:
    graphite.write({"facts.gap": [(TIMES[-5], 1.0), (TIMES[-4], 1e-05), (TIMES[-2], float("nan"))]}, now=NOW)
    assert render(graphite, "facts.gap").text == "facts.gap,1699999950,1700000010,10|None,1.0,1e-05,None,nan,None\n"


@pytest.fixture
def one(graphite: Graphite) -> str:
    """The name of a metric whose value is always 1."""
    graphite.write({"facts.one": [(time, 1.0) for time in TIMES]}, now=NOW)
    return "facts.one"


ONES = "1.0,1.0,1.0,1.0,1.0,1.0"


@pytest.mark.parametrize("name", ["a,b", "a|b", "it's", "{ö}", "a b;c=d", "5,6,7,10|1.0"])
def test_names_come_as_they_are_and_are_read_as_they_are(graphite: Graphite, one: str, name: str) -> None:
    assert points(graphite, f'alias({one},"{name}")') == {name: ONES}


def test_a_node_out_of_range_gives_an_empty_name(graphite: Graphite, one: str) -> None:
    assert points(graphite, f"aliasByNode({one},7)") == {"": ONES}


def test_nothing_found_is_an_empty_answer(graphite: Graphite) -> None:
    answer = render(graphite, "facts.nothing.here")
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "text/plain", b"")


def test_a_target_that_cannot_be_parsed_to_its_end_is_an_empty_answer_too(graphite: Graphite, one: str) -> None:
    answer = render(graphite, f"scale({one},2")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_constant_line_has_three_points_whatever_its_step(graphite: Graphite) -> None:
    assert points(graphite, "constantLine(7)") == {"7.0": "7.0,7.0,7.0"}


def test_an_unknown_function_is_a_400_in_plain_words_that_are_called_html(graphite: Graphite) -> None:
    answer = render(graphite, "nosuch(a.b)")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert answer.text == 'Invalid parameters (Received request for unknown function: nosuch); targets: "nosuch(a.b)"'


def test_a_minute_is_not_called_m(graphite: Graphite) -> None:
    answer = render(graphite, "facts.one", **{"from": "-1m"})
    assert (answer.status_code, answer.text) == (400, "Invalid parameters (Invalid offset unit 'm')")


def test_a_missing_argument_is_a_500_whose_page_ends_its_traceback_with_the_exception(
    graphite: Graphite, one: str
) -> None:
    answer = render(graphite, f"scale({one})")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert answer.text.startswith("<body")
    _, _, traceback = answer.text.partition("<pre>\nTraceback ")
    assert "\nTypeError: scale() missing 1 required positional argument: &#x27;factor&#x27;\n" in traceback


def test_an_unknown_format_is_a_picture(graphite: Graphite) -> None:
    answer = render(graphite, "facts.one", format="nosuch")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")


def test_gzip_is_spoken_from_200_bytes_on(graphite: Graphite, one: str) -> None:
    short, long = render(graphite, one), render(graphite, one, **{"from": "-10min"})
    assert (len(short.content) < 200, "Content-Encoding" in short.headers) == (True, False)
    assert (len(long.content) > 200, long.headers["Content-Encoding"]) == (True, "gzip")


# What `delay` relies on


def newest(graphite: Graphite, query: Query) -> tuple[int, int, str]:
    """Begin and end of the answer, counted from NOW, and its points."""
    until = {} if query.until is None else {"until": query.until}
    answer = rawdata.parse(render(graphite, query.target, **{"from": query.from_}, **until).content)
    [series] = answer.series
    return series.start - NOW, series.end - NOW, series.points.decode()


def query_of(keys: str) -> Query:
    text = f"alerts: [{{name: a, target: facts.growing, warning: 1, critical: 2, {keys}}}]"
    loaded = config.load(text, {"GRAPHITE_URL": "http://graphite", "STDOUT_ENABLED": "yes"}, source="alerts.yml").config
    assert loaded is not None
    return loaded.alerts[0].entries[0].query


def test_a_delay_leaves_out_the_newest_intervals_and_keeps_the_length(graphite: Graphite) -> None:
    # The newest interval begins at NOW - 5, and each older one is one less.
    graphite.write({"facts.growing": [(time, float(1000 - (NOW - time) // 10)) for time in TIMES]}, now=NOW)
    assert newest(graphite, query_of("from: -1min")) == (-55, 5, "995.0,996.0,997.0,998.0,999.0,1000.0")
    assert newest(graphite, query_of("delay: 60s")) == (-115, -55, "989.0,990.0,991.0,992.0,993.0,994.0")
    assert newest(graphite, query_of("delay: 20s, from: -30s"))[2] == "996.0,997.0,998.0"
    assert newest(graphite, query_of("delay: 60s, for: 1min"))[:2] == (-175, -55)


@pytest.mark.parametrize(
    ("value", "folded"), [("max", 994), ("average", 991.5), ("count", 6), ("change", 5), ("age", 55)]
)
def test_what_is_folded_is_the_shifted_window(graphite: Graphite, value: str, folded: float) -> None:
    graphite.write({"facts.growing": [(time, float(1000 - (NOW - time) // 10)) for time in TIMES]}, now=NOW)
    start, end, points = newest(graphite, query_of(f"delay: 60s, value: {value}"))
    series = Series("facts.growing", NOW + start, NOW + end, 10, points.encode())
    assert folding.fold(Judged(value), series, datetime.fromtimestamp(NOW, UTC)) == folded
