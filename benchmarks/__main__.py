"""Times whole polls of the daemon beside a plain loop over the same answers, and prints the ratio of the two.

The plain loop is the ceiling: a kept connection, the last value from the right, one comparison, a dict. The daemon does
that and everything else: checks, state, the transaction. Both in one run, in turn, because machines are noisy; the
figures are medians.
"""

from __future__ import annotations

import http.client
import statistics
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from rich.console import Console
from rich.table import Table

from benchmarks.stub import answer, serving
from graphitepager.graphite import Fetcher
from graphitepager.poller import Poller
from graphitepager.rules import Alert, Config, Entry, Query, Settings
from graphitepager.store import Store, database_url
from graphitepager.telemetry import configure
from graphitepager.thresholds import Operator, Threshold

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = ((10, 100, 6), (100, 100, 6), (1000, 10, 6), (100, 1000, 6), (10, 10_000, 60))
RUNS = 5
_CRITICAL = 90.0


def main() -> None:
    table = Table("alerts × series × points", box=None, pad_edge=False)
    for heading in ("ceiling, series/s", "daemon, series/s", "of the ceiling"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        configure(stream=log)
        for shape in SHAPES:
            ceiling, daemon = _measure(shape, Path(folder))
            table.add_row(" × ".join(map(str, shape)), f"{ceiling:,.0f}", f"{daemon:,.0f}", f"{daemon / ceiling:.2f}")
    Console().print(table)


def _measure(shape: tuple[int, int, int], folder: Path) -> tuple[float, float]:
    """Series per second of the plain loop and of the daemon, medians over RUNS polls each, after one that warms up."""
    alerts, series, points = shape
    with serving(answer(series, points)) as url:
        path = folder / f"{alerts}-{series}-{points}.db"
        with Store.open(database_url(f"sqlite:///{path}", beside="", on_heroku=False)) as store:
            config = _config(url, alerts)
            fetcher = Fetcher(config.settings)
            poller = Poller(store, lambda: datetime.now(UTC))
            host = http.client.HTTPConnection(urlsplit(url).netloc)
            levels: dict[tuple[str, bytes], bool] = {}

            def plain() -> None:
                for alert in config.alerts:
                    _plain_poll(host, alert, levels)

            def daemon() -> None:
                tick = poller.tick(config, fetcher, threading.Event())
                assert tick is not None
                assert (tick.record.series, tick.failures) == (alerts * series, ())

            times: dict[Callable[[], None], list[float]] = {plain: [], daemon: []}
            for _ in range(RUNS + 1):
                for poll, seconds in times.items():
                    began = time.perf_counter()
                    poll()
                    seconds.append(time.perf_counter() - began)
            fetcher.close()
            host.close()
    ceiling, ours = (alerts * series / statistics.median(seconds[1:]) for seconds in times.values())
    return ceiling, ours


def _plain_poll(host: http.client.HTTPConnection, alert: Alert, levels: dict[tuple[str, bytes], bool]) -> None:
    query = alert.entries[0].query
    form = urlencode({"target": query.target, "from": query.from_, "format": "raw", "noCache": "1"})
    host.request("POST", "/render", form, {"Content-Type": "application/x-www-form-urlencoded"})
    for line in host.getresponse().read().splitlines():
        head, _, points = line.rpartition(b"|")
        values = points.rsplit(b",", 2)
        last = values[-1] if values[-1] != b"None" else values[-2]
        levels[alert.name, head.rsplit(b",", 3)[0]] = float(last) >= _CRITICAL


def _config(url: str, alerts: int) -> Config:
    def threshold(bound: float) -> Threshold:
        return Threshold(operator=Operator.AT_LEAST, bound=bound)

    entries = (
        Entry(
            query=Query(f"servers.*.cpu.user{number}", "-1min", None),
            warning=threshold(80.0),
            critical=threshold(_CRITICAL),
            line=1,
        )
        for number in range(alerts)
    )
    return Config(
        settings=Settings(graphite_url=url),
        alerts=tuple(Alert(name=f"CPU {number}", entries=(entry,)) for number, entry in enumerate(entries)),
    )


if __name__ == "__main__":
    main()
