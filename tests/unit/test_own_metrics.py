"""What the pager says of itself in numbers: every metric, by the names that dashboards use."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graphitepager.glance import Glance, LastPoll, LoadedConfig, StandingIncident
from graphitepager.health import ALERTS_FILE
from graphitepager.model import EventKind, Incident, Matcher, SeriesKey, SeriesState, Silence
from graphitepager.ownmetrics import METRICS, PREFIX, Kind, Metric, carbon_lines, samples
from graphitepager.records import Backlog
from graphitepager.rules import Level
from graphitepager.tallies import DeliveryKey, DeliveryTally, Result, Tallies, Transition, TransitionKey
from tests.documented import DOCS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAGE = DOCS / "reference" / "metrics.md"
DASHBOARD = DOCS / "grafana-dashboard.json"
PROMETHEUS_DASHBOARD = DOCS / "grafana-dashboard-prometheus.json"

NEW = Glance(
    at=NOON,
    poll=None,
    backlog=Backlog(pending=0, dead=0),
    incidents=(),
    states={},
    known={},
    silences=(),
    accepted={},
    tallies=Tallies(),
    config=None,
)


def incident(number: int, level: Level, held_by: str | None = None) -> StandingIncident:
    key = SeriesKey("Load", f"web{number}")
    return StandingIncident(
        id=number, dedup_key=f"{number}", key=key, level=level, value=1.0, opened_at=NOON, held_by=held_by
    )


def silence(begins: int, ends: int) -> Silence:
    matchers = (Matcher("alert", "*", is_negated=False),)
    begins_at, ends_at = NOON + begins * MINUTE, NOON + ends * MINUTE
    return Silence(id=1, matchers=matchers, author="ann", comment="", begins_at=begins_at, ends_at=ends_at)


BUSY = Glance(
    at=NOON,
    poll=LastPoll(NOON - 3 * MINUTE, NOON - 3 * MINUTE + timedelta(seconds=2.5), NOON - 5 * MINUTE, 1200, 3),
    backlog=Backlog(pending=4, dead=2, unheard=1, oldest_page=NOON - 2 * MINUTE),
    incidents=(incident(1, Level.CRITICAL), incident(2, Level.CRITICAL, "silence 1"), incident(3, Level.NO_DATA)),
    states={
        "Load": {"web1": SeriesState(key=SeriesKey("Load", "web1"), is_flapping=True)},
        ALERTS_FILE.alert: {
            ALERTS_FILE.series: SeriesState(key=ALERTS_FILE, incident=Incident(level=Level.WARNING, since=NOON))
        },
    },
    known={"Load": 1000, "Disk": 200},
    silences=(silence(-1, 1), silence(1, 2)),
    accepted={},
    tallies=Tallies(
        polls=7,
        series=8400,
        failed=5,
        seconds=17.5,
        transitions={TransitionKey(Transition.TRIGGERED, Level.CRITICAL): 9},
        deliveries={
            DeliveryKey("pagerduty", EventKind.TRIGGERED, Result.SENT): DeliveryTally(8, NOON),
            DeliveryKey("team chat", EventKind.RESOLVED, Result.FAILED): DeliveryTally(2, None),
        },
    ),
    config=LoadedConfig("alerts.yml", "0123456789ab", NOON - MINUTE),
)


def values(glance: Glance) -> dict[str, float]:
    taken = samples(glance, heartbeat_s=60.0, version="1.0")
    return {" ".join((one.metric.name, *one.labels)): one.value for one in taken}


def test_a_busy_pager_says_all_of_this() -> None:
    assert values(BUSY) == {
        "polls_total": 7,
        "poll_seconds_total": 17.5,
        "polled_series_total": 8400,
        "fetch_errors_total": 5,
        "transitions_total trigger critical": 9,
        "deliveries_total pagerduty trigger sent": 8,
        "delivery_retries_total team chat resolve failed": 2,
        "last_poll_timestamp_seconds": (NOON - 3 * MINUTE).timestamp(),
        "last_poll_duration_seconds": 2.5,
        "last_poll_series": 1200,
        "last_poll_fetch_errors": 3,
        "last_answer_timestamp_seconds": (NOON - 5 * MINUTE).timestamp(),
        "lag_seconds": 120,
        "heartbeat_seconds": 60,
        "outbox_pending": 4,
        "outbox_oldest_page_age_seconds": 120,
        "outbox_dead": 2,
        "outbox_unheard": 1,
        "open_incidents warning": 0,
        "open_incidents critical": 2,
        "open_incidents no_data": 1,
        "held_incidents warning": 0,
        "held_incidents critical": 1,
        "held_incidents no_data": 0,
        "flapping_series": 1,
        "known_series": 1200,
        "active_silences": 1,
        "config_loaded_timestamp_seconds": (NOON - MINUTE).timestamp(),
        "config_ok": 0,
        "config_info 0123456789ab": 1,
        "build_info 1.0": 1,
    }


def test_every_metric_has_a_sample_and_its_own_labels() -> None:
    taken = samples(BUSY, heartbeat_s=60.0, version="1.0")
    assert {one.metric for one in taken} == set(METRICS)
    assert all(len(one.labels) == len(one.metric.labels) for one in taken)
    assert len({(one.metric, one.labels) for one in taken}) == len(taken)


def test_before_the_first_poll_there_is_nothing_to_say_of_one() -> None:
    said = values(NEW)
    assert said["polls_total"] == 0
    assert said["config_ok"] == 1
    assert not [name for name in said if name.startswith(("last_", "lag", "config_loaded", "transitions"))]


def test_a_poll_in_time_is_no_lag_and_a_clock_set_back_no_negative_length() -> None:
    poll = LastPoll(NOON + MINUTE, NOON, None, 0, 0)
    said = values(replace(NEW, poll=poll, backlog=Backlog(pending=1, dead=0, oldest_page=NOON + MINUTE)))
    assert (said["lag_seconds"], said["last_poll_duration_seconds"], said["outbox_oldest_page_age_seconds"]) == (
        0,
        0,
        0,
    )


def test_carbon_gets_the_labels_as_nodes_and_nothing_that_only_says_a_version() -> None:
    lines = carbon_lines(samples(BUSY, heartbeat_s=60.0, version="1.0"), prefix="ops.pager", at=NOON).decode()
    at = int(NOON.timestamp())
    assert f"ops.pager.deliveries_total.pagerduty.trigger.sent 8 {at}\n" in lines
    assert f"ops.pager.delivery_retries_total.team_chat.resolve.failed 2 {at}\n" in lines
    assert f"ops.pager.last_poll_duration_seconds 2.5 {at}\n" in lines
    assert "_info" not in lines
    assert re.fullmatch(rf"(ops\.pager(\.[A-Za-z0-9_-]+)+ [0-9.e+]+ {at}\n)+", lines)


def test_notifiers_whose_names_carbon_cannot_tell_apart_are_added_up() -> None:
    names = ("a.b", "a_b", "ä.b")
    deliveries = {DeliveryKey(name, EventKind.TRIGGERED, Result.SENT): DeliveryTally(2, NOON) for name in names}
    glance = replace(NEW, tallies=Tallies(deliveries=deliveries))
    lines = carbon_lines(samples(glance, heartbeat_s=60.0, version="1.0"), prefix="p", at=NOON).decode()
    assert re.findall(r"deliveries_total.* ", lines) == ["deliveries_total.a_b.trigger.sent 6 "]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_are_as_prometheus_wants_them(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_info") is (metric.kind is Kind.INFO)
    assert metric.about.endswith(".")


def test_every_metric_has_its_row_in_the_documentation() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    wanted = {
        (one.name, one.kind.value, ", ".join(f"`{label}`" for label in one.labels) or "none", one.about)
        for one in METRICS
    }
    assert set(rows) == wanted
    assert len(rows) == len(METRICS)


def test_every_value_of_a_label_is_documented() -> None:
    text = PAGE.read_text()
    for word in (*Transition, *Result):
        assert f"`{word.value}`" in text


def test_the_dashboard_asks_only_for_metrics_that_there_are() -> None:
    board = json.loads(DASHBOARD.read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"\$prefix\.([a-z_]+)", target["target"])
    }
    known = {one.name: one for one in METRICS}
    assert asked <= known.keys()
    assert {"polls_total", "deliveries_total", "transitions_total", "outbox_oldest_page_age_seconds"} <= asked
    assert {"lag_seconds", "last_poll_duration_seconds", "open_incidents", "last_poll_series"} <= asked


def test_the_dashboard_writes_as_many_nodes_as_the_metrics_have_labels() -> None:
    known = {one.name: one for one in METRICS}
    paths = re.findall(r"\$prefix\.([a-z_]+)((?:\.[A-Za-z_*{},]+)*)", DASHBOARD.read_text())
    assert paths
    for name, nodes in paths:
        assert nodes.count(".") == len(known[name].labels), name


def test_the_dashboard_for_prometheus_asks_only_for_metrics_and_labels_that_there_are() -> None:
    board = json.loads(PROMETHEUS_DASHBOARD.read_text())
    known = {one.name: one for one in METRICS}
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert [panel["title"] for panel in board["panels"]] == [
        panel["title"] for panel in json.loads(DASHBOARD.read_text())["panels"]
    ]
    for expression in expressions:
        asked = re.findall(rf"{PREFIX}_([a-z_]+)\{{([^}}]*)\}}", expression)
        assert asked, expression
        for name, selected in asked:
            by = re.findall(r"by \(([a-z, ]+)\)", expression)
            used = {*re.findall(r"(\w+)=", selected), *(one for words in by for one in words.split(", "))}
            assert used - {"instance"} <= set(known[name].labels), expression


def test_the_prefix_is_the_default_of_the_dashboard() -> None:
    [variable] = [one for one in json.loads(DASHBOARD.read_text())["templating"]["list"] if one["name"] == "prefix"]
    assert variable["query"] == PREFIX
