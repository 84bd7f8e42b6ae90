"""Charts in messages: addresses that the poller signs, and that the pages answer to whoever has one."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy.engine import URL

from graphitepager.config import load
from graphitepager.model import SeriesKey
from graphitepager.pastcurves import PastCurves
from graphitepager.retracing import Traced
from graphitepager.store import Store
from graphitepager.websettings import WebSettings
from tests.integration.web_support import MINUTE, Pager, client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.model import Message
    from tests.graphite_server.client import Graphite

ALERTS = "alerts: [{name: Load, target: load, warning: 5, critical: 10}]"
PUBLIC_URL = "https://ops.example.com/pager"
GUARDED = WebSettings(token="t" * 32, public_url=PUBLIC_URL)
THERE = {"base_url": "https://ops.example.com/"}


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(URL.create("sqlite", database=str(tmp_path_factory.mktemp("web") / "state.db"))) as store:
        yield store


def fire(store: Store, **environ: str) -> tuple[Pager, Message]:
    """A pager whose only series fires, and what it tells of that."""
    pager = Pager(store, ALERTS, lambda _, minute: {"web1": 20.0 if minute > 3 else 1.0}, **environ)
    pager.poll(4)
    pager.refusing.add("pagerduty")  # so that it can be looked at
    pager.poll()
    (delivery,) = store.claim(pager.now + MINUTE, worker="test", lease=MINUTE, limit=5)
    return pager, delivery.message


def test_a_page_bears_the_chart_of_its_series(store: Store) -> None:
    pager, message = fire(store, PUBLIC_URL=PUBLIC_URL)
    assert message.image is not None
    assert message.image.text == "Load: web1"
    path = message.image.src.removeprefix("https://ops.example.com")
    assert path.startswith("/pager/charts/")
    client = client_of(pager, secret=store.secret, settings=GUARDED)
    answer = client.get(path, **THERE)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["Cache-Control"]
    with Image.open(io.BytesIO(answer.data)) as image:
        assert (image.format, image.size) == ("PNG", (1520, 600))
    svg = client.get(path.replace(".png", ".svg"), **THERE)
    assert "critical 10" in svg.text
    assert "last 20." in svg.text
    assert client.get("/pager/", **THERE).status_code == 401


def test_it_stays_what_it_was_when_it_paged(store: Store) -> None:
    pager, message = fire(store, PUBLIC_URL=PUBLIC_URL, WEB_SECRET="s" * 32)
    assert message.image is not None
    path = message.image.src.removeprefix(PUBLIC_URL).replace(".png", ".svg")
    first = client_of(pager).get(path).text
    pager.metrics.minute += 600
    assert client_of(pager).get(path).text == first
    pager.metrics.minute += 31 * 24 * 60
    assert client_of(pager).get(path).status_code == 404


def test_without_a_public_url_no_message_changes(store: Store) -> None:
    _, message = fire(store)
    assert message.image is None


def test_where_graphite_says_nothing_the_picture_says_so(store: Store) -> None:
    pager, message = fire(store, PUBLIC_URL=PUBLIC_URL, WEB_SECRET="s" * 32)
    assert message.image is not None
    pager.metrics.is_down = True
    path = message.image.src.removeprefix(PUBLIC_URL)
    answer = client_of(pager).get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert "connection refused" in client_of(pager).get(path.replace(".png", ".svg")).text


def test_other_addresses_are_not_answered_nor_too_many(store: Store) -> None:
    pager, message = fire(store, PUBLIC_URL=PUBLIC_URL, WEB_SECRET="s" * 32)
    client = client_of(pager)
    for token in ("x", "x" * 5000, message.dedup_key.replace("/", ".")):
        assert client.get(f"/charts/{token}.svg").status_code == 404
    statuses = [client.get("/charts/x.png").status_code for _ in range(40)]
    assert statuses[-1] == 429


def test_the_past_of_a_series_is_what_the_real_graphite_has(graphite: Graphite) -> None:
    now = int(time.time()) // 60 * 60
    times = range(now - 1800, now, 60)
    prefix = "charts.a-b"
    graphite.write(
        {
            f"{prefix}.db1.load": [(at, float(number)) for number, at in enumerate(times)],
            f"{prefix}.db2.load": [(at, 5.0) for at in times],
        },
        archives=[(60, 120)],
    )
    for target, name in (
        (f"{prefix}.*.load", f"{prefix}.db1.load"),
        (f"aliasByNode({prefix}.*.load,2)", "db1"),
        (f"alias({prefix}.db1.load,'odd \"name\" (1)')", 'odd "name" (1)'),
    ):
        text = f"alerts: [{{name: Load, target: {target!r}, warning: 50, critical: 100}}]".replace("\\'", "''")
        loaded = load(text, {"GRAPHITE_URL": graphite.url, "STDOUT_ENABLED": "yes"}, source="alerts.yml")
        assert loaded.config is not None, loaded.problems
        config = loaded.config
        past = PastCurves(lambda config=config: config, lambda: datetime.now(UTC))  # type: ignore[misc]
        end = datetime.fromtimestamp(now, UTC)
        found = past.of(SeriesKey("Load", name), end - timedelta(minutes=30), end, 20.0)
        assert isinstance(found, Traced), found
        curve = found.curve.between(now - 1800, now)
        assert list(curve.values)[1:] == [float(number) for number in range(1, 30)]
