"""The ready-made checks before a real Graphite, with metrics as Diamond sends them: names and values by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from graphitepager import checks, rawdata
from graphitepager.checks import queries_of
from graphitepager.config import load
from graphitepager.library import Library
from tests import sample_data
from tests.integration.test_graphite_expressions import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.graphite_server.client import Graphite
    from tests.integration.conftest import StartGraphite

NOW = 1_700_000_005
TIMES = sample_data.intervals(NOW)
LIBRARY = Library()


def steady(values: Mapping[str, float]) -> sample_data.Metrics:
    return {name: [(at, value) for at in TIMES] for name, value in values.items()}


def growing(per_second: Mapping[str, float]) -> sample_data.Metrics:
    return {name: [(at, (at - TIMES[0]) * rate) for at in TIMES] for name, rate in per_second.items()}


# A prefix of two parts: a check must not count its nodes from the left.
METRICS = {
    "mongodb/lock_percentage": growing({
        # Locked for half a second of each second, and for a quarter.
        "eu.x.db1.MongoDBCollector.globalLock.lockTime": 500_000,
        "eu.x.db1.MongoDBCollector.globalLock.totalTime": 1_000_000,
        "eu.x.db2.MongoDBCollector.globalLock.lockTime": 250_000,
        "eu.x.db2.MongoDBCollector.globalLock.totalTime": 1_000_000,
    }),
    "haproxy/check_duration": steady({
        "eu.x.lb1.haproxy.api.web1.check_duration": 10, "eu.x.lb2.haproxy.api.web1.check_duration": 14,
        "eu.x.lb1.haproxy.www.web1.check_duration": 30,
    }),
    "haproxy/servers_down": growing({
        # Of api, two of three servers are down. The row of the backend does not count.
        "eu.x.lb1.haproxy.api.web1.downtime": 1, "eu.x.lb1.haproxy.api.web2.downtime": 1,
        "eu.x.lb1.haproxy.api.web3.downtime": 0, "eu.x.lb1.haproxy.api.BACKEND.downtime": 1,
        "eu.x.lb1.haproxy.www.web1.downtime": 0, "eu.x.lb1.haproxy.www.backend.downtime": 1,
    }),
    "host/load": steady({"eu.x.web1.loadavg.01": 2.5}),
    "host/disk_free": steady({
        "eu.x.web1.diskspace.root.byte_percentfree": 40, "eu.x.web1.diskspace.var.byte_percentfree": 5,
    }),
    "host/memory": steady({
        # (1 + 2 + 3) of 24.
        "eu.x.web1.memory.MemFree": 1, "eu.x.web1.memory.Buffers": 2, "eu.x.web1.memory.Cached": 3,
        "eu.x.web1.memory.MemTotal": 24, "eu.x.web1.memory.Dirty": 9,
    }),
    "redis/memory": steady({"eu.x.c1.redis.6379.memory.internal_view": 2**29}),
    "rabbitmq/queue_depth": steady({
        # Both brokers of a cluster report the same queue.
        "eu.x.mq1.rabbitmq.queues.mail.messages": 12, "eu.x.mq2.rabbitmq.queues.mail.messages": 11,
    }),
    "postgres/connections": steady({
        "eu.x.pg1.postgres.database.shop.numbackends": 30, "eu.x.pg1.postgres.database.blog.numbackends": 12,
    }),
    "graphite_pager/polling": {"eu.x.last_poll_timestamp_seconds": [(TIMES[-13], 1.0)]},
    "sql_to_graphite/stale": {"eu.x.sql_to_graphite.finished": [(TIMES[-13], 1.0)]},
}  # fmt: skip
VALUES: dict[str, dict[str, float]] = {
    "mongodb/lock_percentage": {"db1": 50, "db2": 25},
    "haproxy/check_duration": {"api": 12, "www": 30},
    "haproxy/servers_down": {"lb1.api": 2, "lb1.www": 0},
    "host/load": {"web1": 2.5},
    "host/disk_free": {"web1.root": 40, "web1.var": 5},
    "host/memory": {"web1": 25},
    "redis/memory": {"c1.6379": 50},
    "rabbitmq/queue_depth": {"mail": 12},
    "postgres/connections": {"pg1": 42},
    # The newest datapoint lies twelve intervals before that of NOW, which began 5 s ago; it ended 10 s after its time.
    "graphite_pager/polling": {"eu.x": 12 * 10 + 5 - 10},
    "sql_to_graphite/stale": {"x": 12 * 10 + 5 - 10},
}


@pytest.fixture(scope="module")
def company(start_graphite: StartGraphite) -> Graphite:
    graphite = start_graphite()
    graphite.write({name: points for metrics in METRICS.values() for name, points in metrics.items()}, now=NOW)
    return graphite


@pytest.mark.parametrize("name", LIBRARY)
def test_a_check_gives_its_series_the_right_names_and_values(company: Graphite, name: str) -> None:
    given = "prefix: eu.x" + (", limit: 1073741824" if name == "redis/memory" else "")
    text = f"alerts: [{{use: {name}, with: {{{given}}}}}]"
    config = load(text, {"GRAPHITE_URL": company.url}, source="alerts.yml", library=LIBRARY).config
    assert config is not None
    [query] = queries_of(config.alerts)
    answer = render(company, query.target, **{"from": query.from_})
    assert answer.status_code == 200, answer.text
    answers = {query: rawdata.parse(answer.content)}
    readings = checks.evaluate(config.alerts[0], answers, datetime.fromtimestamp(NOW, UTC)).readings
    assert {series: reading.value for series, reading in readings.items()} == VALUES[name]
