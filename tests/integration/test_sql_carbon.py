"""sql-to-graphite before a real carbon-cache: what was sent is in whisper's files, and nothing else is."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from graphitepager import checks, rawdata
from graphitepager.checks import queries_of
from graphitepager.config import load
from graphitepager.library import Library
from tests.graphite_server.carbon_cache import Carbon
from tests.graphite_server.client import Graphite, graphite_python
from tests.integration.sql_support import database, metrics, run, start
from tests.support import missing

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

NAMES_LOST_BY_CARBON = [
    "with space", "tab\tbed", "new\nline", "db.x 1 1700000000\nforged.metric", "c/slash", "a..b", ".leading",
    "trailing.", "nul\0byte", "n" * 300, "tag;host", "tag;h=",
]  # fmt: skip
VALUES_LOST_BY_CARBON = ["NULL", "'None'", "'True'", "'1,5'", "'2026-01-01 00:00:00'", "'nan'", "9e999", "'1e400'"]
TIMES_LOST_BY_CARBON = ["0", "1700000000000", "strftime('%s') + 86400", "strftime('%s') - 999999999", "'nan'", "9e999"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("carbon")


@pytest.fixture(scope="module")
def carbon(root: Path) -> Iterator[Carbon]:
    if graphite_python() is None:
        missing("there is no Graphite environment: run `make setup`, or set GRAPHITE_PYTHON")
    with Carbon(root) as carbon:
        yield carbon


@pytest.fixture(scope="module")
def graphite(carbon: Carbon, root: Path) -> Iterator[Graphite]:
    """The render API of the same storage."""
    with Graphite(root) as graphite:
        yield graphite


@pytest.fixture
def dsn(tmp_path: Path) -> Iterator[str]:
    with database("sqlite", tmp_path) as dsn:
        yield dsn


def answered(graphite: Graphite, target: str, since: str) -> rawdata.RawAnswer:
    """What the render API has of a target until now."""
    form = {"target": target, "from": since, "format": "raw", "noCache": "1"}
    response = requests.post(f"{graphite.url}/render", data=form, timeout=10)
    assert response.status_code == 200, response.text
    return rawdata.parse(response.content)


def to(carbon: Carbon, prefix: str) -> list[str]:
    return ["--graphite-host", "127.0.0.1", "--graphite-port", str(carbon.port), "--graphite-prefix", prefix]


def test_the_originals_command_line_stores_what_it_echoes(carbon: Carbon, dsn: str) -> None:
    queries = "SELECT 'orders.open', 3, 'ignored', 4\nSELECT 'orders.total', 12.5;\n"
    done = run(*to(carbon, "old"), queries=queries, dsn=dsn)
    assert done.returncode == 0, done.stderr
    name, value, at = done.stdout.splitlines()[0].split()
    assert (name, value) == ("old.orders.open", "3")
    assert abs(int(at) - time.time()) < 60
    assert done.stdout.splitlines()[-1] == f"old.sql_to_graphite.finished {at} {at}"
    carbon.wait_for(*(line.split()[0] for line in done.stdout.splitlines()))
    for line in done.stdout.splitlines():
        assert carbon.value(line.split()[0], int(at)) == float(line.split()[1])


def test_the_port_and_the_prefix_default_to_the_originals(dsn: str) -> None:
    try:
        listener = socket.create_server(("127.0.0.1", 2003))
    except OSError as error:
        missing(f"port 2003 is taken: {error}")
    with listener:
        listener.settimeout(20)
        assert (
            run("--graphite-host", "127.0.0.1", "--graphite-timeout", "1s", queries="SELECT 'a', 1", dsn=dsn).stdout
            == ""
        )
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(100).startswith(b"db.a 1 ")


def test_what_carbon_would_lose_is_not_sent_and_the_rest_is_stored(carbon: Carbon, dsn: str) -> None:
    """Each row of the table of what Carbon ignores, drops, forges or misplaces, around a good one."""
    quoted = ["'" + name.replace("\0", "' || char(0) || '") + "'" for name in NAMES_LOST_BY_CARBON]
    rows = [(name, "1", "strftime('%s')") for name in quoted]
    rows += [(f"'value{n}'", value, "strftime('%s')") for n, value in enumerate(VALUES_LOST_BY_CARBON)]
    rows += [(f"'time{n}'", "1", at) for n, at in enumerate(TIMES_LOST_BY_CARBON)]
    rows.insert(len(rows) // 2, ("'good'", "42", "strftime('%s')"))
    rows.append(("'twice'", "1", "strftime('%s')"))
    rows.append(("'twice'", "2", "strftime('%s')"))
    sql = " UNION ALL ".join(f"SELECT {', '.join(row)}" for row in rows)
    folder = carbon.root / "queries"
    folder.mkdir()
    (folder / "all.sql").write_text(sql)
    (folder / "queries.yml").write_text(
        "queries: {all: {sql_file: all.sql, 'null': error, timestamp: at}}".replace(", timestamp: at", "")
    )
    before = carbon.metrics()
    done = run(*to(carbon, "facts"), "--queries", str(folder / "queries.yml"), dsn=dsn)
    assert done.returncode == 0, done.stderr
    assert f"rejected={len(rows) - 2} " in done.stderr
    own = {f"facts.sql_to_graphite.all.{one}" for one in ("ok", "rows", "rejected", "seconds")}
    wanted = {"facts.good", "facts.twice", "facts.sql_to_graphite.finished", *own}
    carbon.wait_for(*wanted)
    assert carbon.metrics() - before == wanted
    assert "invalid line" not in carbon.log


@pytest.mark.parametrize("name", ["a-b.c_d", "cpu:0.50%", "x=y", "mail@example", "a+b#c$d&e", "a~b^c!d<e>f", "n" * 250])
def test_a_name_that_is_sent_can_be_asked_for(carbon: Carbon, graphite: Graphite, dsn: str, name: str) -> None:
    done = run(*to(carbon, "asked"), queries=f"SELECT '{name}', 5", dsn=dsn)
    at = int(done.stdout.split()[2])
    carbon.wait_for(f"asked.{name}")
    [series] = answered(graphite, f"asked.{name}", str(at - 60)).series
    point = rawdata.last_point(series)
    assert point is not None
    assert point.value == 5


def test_tags_are_stored_as_tags(carbon: Carbon, dsn: str) -> None:
    before = carbon.metrics()
    run(*to(carbon, "tagged"), queries="SELECT 'n;b=1;a=2', 5", dsn=dsn)
    carbon.wait_for("tagged.sql_to_graphite.finished")
    [name] = [name for name in carbon.metrics() - before if name.startswith("_tagged.")]
    assert hashlib.sha256(b"tagged.n;a=2;b=1").hexdigest() in name


def test_the_same_run_sent_twice_stores_the_same_points(carbon: Carbon, dsn: str) -> None:
    done = run(*to(carbon, "again"), queries="SELECT 'n', 7", dsn=dsn)
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", carbon.port), timeout=5) as connection:
            connection.sendall(done.stdout.encode())
    carbon.wait_for("again.n", "again.sql_to_graphite.finished")
    assert carbon.value("again.n", int(done.stdout.split()[2])) == 7


def test_the_last_point_is_read_back(carbon: Carbon, graphite: Graphite, dsn: str) -> None:
    verify = ["--verify-url", graphite.url, "--verify-timeout", "20s"]
    done = run(*to(carbon, "verified"), *verify, queries="SELECT 'n', 7", dsn=dsn)
    assert done.returncode == 0, done.stderr
    assert "event=verified" in done.stderr


def test_a_point_that_does_not_come_back_is_told(carbon: Carbon, graphite: Graphite, dsn: str) -> None:
    """A receiver that takes everything and keeps nothing, as a relay that has lost its Carbon."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])

        def swallow() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(4096):
                    pass

        threading.Thread(target=swallow, daemon=True).start()
        done = run(
            "--graphite-host", "127.0.0.1", "--graphite-port", port, "--graphite-prefix", "swallowed",
            "--verify-url", graphite.url, "--verify-timeout", "2s", queries="SELECT 'n', 7", dsn=dsn,
        )  # fmt: skip
    assert done.returncode == 5
    assert (
        "swallowed.sql_to_graphite.finished could not be read back within 2 s: it has no such metric yet" in done.stderr
    )


def test_the_shipped_check_sees_a_run_and_that_none_has_come_since(
    carbon: Carbon, graphite: Graphite, dsn: str
) -> None:
    done = run(*to(carbon, "eu.shop"), "--verify-url", graphite.url, queries="SELECT 'n', 7", dsn=dsn)
    assert done.returncode == 0, done.stderr
    text = "alerts: [{use: sql_to_graphite/stale, with: {prefix: eu.shop}}]"
    config = load(text, {"GRAPHITE_URL": graphite.url}, source="alerts.yml", library=Library()).config
    assert config is not None
    [query] = queries_of(config.alerts)
    answer = answered(graphite, query.target, query.from_)
    now = datetime.now(UTC)
    levels = []
    for later in (timedelta(0), timedelta(minutes=20), timedelta(hours=2)):
        found = checks.evaluate(config.alerts[0], {query: answer}, now + later)
        [reading] = found.readings.values()
        assert reading.key.series == "shop"
        levels.append(reading.level.label)
    assert levels == ["Nominal", "Warning", "Critical"]


def test_a_carbon_that_is_frozen_ends_with_exit_5(dsn: str, tmp_path: Path) -> None:
    with Carbon(tmp_path / "frozen") as carbon:
        carbon.freeze()
        done = run(*to(carbon, "x"), "--graphite-timeout", "1s", queries="SELECT 'n', 7", dsn=dsn)
    assert done.returncode == 5
    assert f"127.0.0.1:{carbon.port} did not go on for 1 s" in done.stderr
    assert done.stderr.count("event=send_failed") == 2
    assert done.stdout == "", "nothing is echoed that was not sent"


def test_a_carbon_that_is_killed_in_the_middle_of_a_send_ends_with_exit_5(dsn: str, tmp_path: Path) -> None:
    many = "WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n+1 FROM r WHERE n < 400000) SELECT 'n'||n, n FROM r"
    with Carbon(tmp_path / "killed") as carbon:
        carbon.freeze()  # so that the sender fills every buffer, and stands there in the middle
        process = start(*to(carbon, "x"), queries=many, dsn=dsn)
        wait_until_it_sends(process)
        carbon.stop()
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 5, errors
    assert "closed the connection before it had read everything" in errors
    assert "(connection refused)" in errors.splitlines()[-1]
    assert output == ""


def wait_until_it_sends(process: subprocess.Popen[str]) -> None:
    """Wait until what it knows of the query is logged, which it does before it sends, and a moment longer."""
    assert process.stderr is not None
    assert "event=query " in process.stderr.readline()
    time.sleep(1)


def test_numbers_are_what_the_database_said(carbon: Carbon, dsn: str) -> None:
    done = run(*to(carbon, "exact"), queries="SELECT 'a', 0.1 UNION ALL SELECT 'b', 9007199254740993", dsn=dsn)
    assert metrics(done.stdout) == {"exact.a": 0.1, "exact.b": float(2**53 + 1)}
    carbon.wait_for("exact.a", "exact.b")
    at = int(done.stdout.split()[2])
    assert (carbon.value("exact.a", at), carbon.value("exact.b", at)) == (0.1, float(2**53 + 1))
