"""The pager's own metrics in a real Carbon, read back through Graphite; and what happens where there is none."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.documented import DOCS
from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty
from tests.graphite_server.carbon_cache import Carbon
from tests.graphite_server.client import Graphite, graphite_python
from tests.integration.pager_place import HIGH, Place
from tests.support import eventually, missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "pager"
    folder.mkdir()
    with FakeGraphite().serve() as graphite, FakePagerDuty() as pagerduty:
        yield Place(graphite, pagerduty, folder, f"sqlite:////{folder}/state.db")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where a real Graphite keeps its metrics."""
    if graphite_python() is None:
        missing("there is no Graphite environment: run `make setup`, or set GRAPHITE_PYTHON")
    (tmp_path / "graphite").mkdir()
    return tmp_path / "graphite"


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a Carbon that never reads: its machine takes connections, and nobody is there."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        yield int(listener.getsockname()[1])


def dashboard_targets() -> list[str]:
    panels = json.loads((DOCS / "grafana-dashboard.json").read_text())["panels"]
    return [target["target"] for panel in panels for target in panel["targets"]]


def send_to(place: Place, port: int, **more: str) -> None:
    place.environment |= {"CARBON_HOST": "127.0.0.1", "CARBON_PORT": str(port)} | more


def test_what_the_pager_counts_can_be_asked_of_graphite(place: Place, root: Path) -> None:
    with Carbon(root) as carbon, Graphite(root) as graphite:
        send_to(place, carbon.port, CARBON_PREFIX="ops.pager")
        place.measure(82.4)

        def render(target: str) -> list[dict[str, Any]]:
            query = {"target": target, "from": "-5min", "format": "json"}
            answer = requests.get(f"{graphite.url}/render", params=query, timeout=20)
            assert answer.status_code == 200, f"{target}: {answer.text}"
            series: list[dict[str, Any]] = answer.json()
            return series

        def last(name: str) -> float | None:
            points = [value for one in render(f"ops.pager.{name}") for value, _ in one["datapoints"]]
            values = [value for value in points if value is not None]
            return values[-1] if values else None

        with place.pager("run") as pager:
            place.wait_for_open(HIGH)
            pager.wait_for("event=metrics_sent")
            assert eventually(lambda: (last("deliveries_total.pagerduty.trigger.sent") or 0) == 1, 30), carbon.log
            assert last("transitions_total.trigger.critical") == 1
            assert last("open_incidents.critical") == 1
            assert last("open_incidents.warning") == 0
            assert (last("polls_total") or 0) >= 1
            assert last("last_poll_series") == 1
            assert last("heartbeat_seconds") == 0.4
            assert abs((last("last_poll_timestamp_seconds") or 0) - time.time()) < 60
            pager.end()
        without = {target for target in dashboard_targets() if not render(target.replace("$prefix", "ops.pager"))}
        assert {target for target in without if "retries" not in target} == set()
        assert "event=metrics_not_sent" not in pager.output
        assert "invalid line" not in carbon.log


def test_where_no_carbon_listens_that_is_said_once_and_paging_goes_on(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    send_to(place, port)
    place.measure(82.4)
    with place.pager("run") as pager:
        place.wait_for_open(HIGH)
        pager.wait_for("event=metrics_not_sent")
        place.measure(10)
        place.wait_for_open()
        code, _ = pager.end()
    assert code == 0
    [said] = [line for line in pager.output.splitlines() if "metrics_not_sent" in line]
    assert f"to=127.0.0.1:{port}" in said
    assert "connection refused" in said


def test_a_carbon_that_does_not_read_delays_neither_a_page_nor_the_end(place: Place, silent: int) -> None:
    send_to(place, silent)
    place.measure(82.4)
    with place.pager("run") as pager:
        place.wait_for_open(HIGH)
        before = len(place.graphite.requests)
        assert eventually(lambda: len(place.graphite.requests) > before + 2)
        code, took = pager.end()
    assert code == 0
    assert took < 1.5


def test_a_single_poll_sends_them_too(place: Place, root: Path) -> None:
    with Carbon(root) as carbon:
        send_to(place, carbon.port)
        with place.pager("run", "--once") as pager:
            assert pager.process.wait(30) == 0
        carbon.wait_for("graphite_pager.polls_total", "graphite_pager.outbox_pending")
