"""Heroku: every process of the Procfile as a dyno runs it, and what a deploy does to a running pager."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fakes.graphite import FakeGraphite
from tests.fakes.pagerduty import FakePagerDuty, assert_no_secret
from tests.integration.pager_place import HIGH, Place
from tests.integration.pager_process import Pager
from tests.integration.store_support import empty_database
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
WEB_TOKEN = "0123456789abcdef0123456789abcdef"
IS_WAITING = """
SELECT 1 FROM pg_locks JOIN pg_class ON relation = pg_class.oid
WHERE NOT granted AND relnamespace = current_schema()::regnamespace
"""
# Heroku kills what is left half a minute after its SIGTERM, and a web process that has no port after a minute.
KILLED_AFTER_S, PORT_WITHIN_S = 30, 60


class App:
    """An app on Heroku: dynos with a shell, a clean environment and no terminal, and a PostgreSQL."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.config = place.environment | {"WEB_TOKEN": WEB_TOKEN}
        self.port = _free_port()

    @contextlib.contextmanager
    def dyno(self, kind: str, command: str, number: int = 1) -> Iterator[Pager]:
        """One that is killed at the end of the block, if it still runs; its processes are a group of their own."""
        environment = {
            "DYNO": f"{kind}.{number}",
            "HOME": str(self.place.folder),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PORT": str(self.port),
        }
        dyno = Pager(self.config, self.place.folder, program=("sh", "-c", f"exec {command}"), base=environment)
        try:
            yield dyno
        finally:
            if dyno.process.poll() is None:
                dyno.end_all(signal.SIGKILL)

    def run(self, command: str, kind: str = "run") -> tuple[int, str]:
        """What `heroku run` does, and the release phase: the exit code, and what was printed."""
        with self.dyno(kind, command, 4711) as dyno:
            return dyno.wait(KILLED_AFTER_S), dyno.output


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Its release phase has not run yet."""
    with (
        FakeGraphite().serve() as graphite,
        FakePagerDuty() as pagerduty,
        empty_database("postgresql", tmp_path) as url,
    ):
        as_heroku_says_it = url.set(drivername="postgres").render_as_string(hide_password=False)
        yield App(Place(graphite, pagerduty, tmp_path, as_heroku_says_it))
        assert pagerduty.rejected() == ()


@contextlib.contextmanager
def connected(app: App) -> Iterator[psycopg.Connection]:
    url = app.place.environment["DATABASE_URL"].replace("+", "%20")
    with psycopg.connect(url, autocommit=True) as server:
        yield server


def test_the_procfile_begins_with_the_line_that_it_always_had() -> None:
    assert (ROOT / "Procfile").read_text().startswith("worker: graphite-pager\n")
    assert PROCFILE.keys() <= {"worker", "web", "release"}, "a process that no test here runs"


def test_release_makes_the_tables_and_the_worker_pages_and_ends_when_the_dyno_does(app: App) -> None:
    code, output = app.run(PROCFILE["release"], "release")
    assert (code, output.count("its tables are made")) == (0, 1), output
    app.place.measure(82.4)
    with app.dyno("worker", PROCFILE["worker"]) as worker:
        app.place.wait_for_open(HIGH)
        worker.wait_for("event=sent")
        assert worker.end_all() == 0
    assert "event=stopping signal=SIGTERM" in worker.output
    assert "at=" not in worker.output.replace("told_at=", ""), "Heroku stamps the lines itself"
    code, output = app.run(PROCFILE["release"], "release")
    assert (code, output.count("already")) == (0, 1), output


def test_web_answers_on_its_port_and_ends_when_the_dyno_does(app: App) -> None:
    assert app.run(PROCFILE["release"], "release")[0] == 0
    with app.dyno("web", PROCFILE["web"]) as web:
        assert eventually(lambda: _status(app.port) is not None, PORT_WITHIN_S), web.output
        assert _status(app.port) in {200, 302, 401, 403}, web.output
        assert web.end_all(timeout_s=KILLED_AFTER_S) == 0, web.output


def test_web_does_not_start_for_everybody_to_see(app: App) -> None:
    del app.config["WEB_TOKEN"]
    code, output = app.run(PROCFILE["web"], "web")
    assert code != 0
    assert "WEB_TOKEN" in output


def test_a_deploy_hands_over_to_the_new_worker_and_pages_once(app: App) -> None:
    """Heroku starts the new dynos when the old ones get their SIGTERM."""
    app.place.measure(82.4)
    with app.dyno("worker", PROCFILE["worker"]) as old:
        app.place.wait_for_open(HIGH)
        assert app.run(PROCFILE["release"], "release")[0] == 0
        with app.dyno("worker", PROCFILE["worker"]) as new:
            new.wait_for("event=standby")
            assert old.end_all() == 0
            new.wait_for("event=leading")
            app.place.measure(10)
            app.place.wait_for_open()
    (incident,) = app.place.pagerduty.incidents()
    assert incident.notifications == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"DATABASE_URL": ""}, "run heroku addons:create heroku-postgresql", id="no database"),
        pytest.param({"GRAPHITE_URL": ""}, "GRAPHITE_URL is not set", id="no Graphite"),
        pytest.param(
            {"DATABASE_URL": "postgres://u:s3cretword@127.0.0.1:1/x"}, "database x at 127.0.0.1:1: ", id="unreachable"
        ),
    ],
)
def test_release_refuses_what_could_not_run(app: App, change: dict[str, str], words: str) -> None:
    app.config |= change
    code, output = app.run(PROCFILE["release"], "release")
    assert code == 1
    assert words in output
    assert_no_secret(output, ["s3cretword"])


def test_release_says_everything_at_once(app: App) -> None:
    app.config |= {"DATABASE_URL": "", "GRAPHITE_URL": ""}
    _, output = app.run(PROCFILE["release"], "release")
    assert "GRAPHITE_URL is not set" in output
    assert "SQLite does not last on Heroku" in output
    assert "2 errors" in output


def test_release_lets_pass_what_the_program_of_old_took(app: App) -> None:
    app.place.configure("alerts:\n  - {name: Queue, target: a.b, warning: 50, critical: 70, owner: ops}\n")
    code, output = app.run(PROCFILE["release"], "release")
    assert (code, "warning: unknown key 'owner'" in output) == (0, True), output


@pytest.mark.parametrize("slip", ["critical: 7O", "from: -5m"])
def test_release_refuses_a_bad_alerts_yml_and_leaves_the_database_alone(app: App, slip: str) -> None:
    app.place.configure("alerts:\n  - {name: Queue, target: a.b, warning: '> 50', " + slip + "}\n")
    code, output = app.run(PROCFILE["release"], "release")
    assert code == 1
    assert "alerts.yml:2:" in output
    with connected(app) as server:
        schema, tables = server.execute(
            "SELECT current_schema(), (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema())"
        ).fetchone() or (None, None)
    assert (bool(schema), tables) == (True, 0)


def test_a_worker_goes_on_while_and_after_a_later_release_migrates(app: App) -> None:
    """Of which this program knows only that it adds: its tables are locked meanwhile, and have more columns then."""
    with app.dyno("worker", PROCFILE["worker"]) as old, connected(app) as server, connected(app) as watcher:
        old.wait_for("event=poll")
        with server.transaction():
            for name in ("series_states", "incidents", "deliveries", "polls"):
                server.execute(f"ALTER TABLE graphite_pager_{name} ADD COLUMN later integer NOT NULL DEFAULT 1")
            server.execute("UPDATE graphite_pager_version SET version_num = '9001'")
            app.place.measure(82.4)
            assert eventually(lambda: watcher.execute(IS_WAITING).fetchone()), old.output
        app.place.wait_for_open(HIGH)
        app.place.measure(10)
        app.place.wait_for_open()
        code, output = app.run(PROCFILE["release"], "release")
    assert (code, "a newer graphite-pager has used it" in output) == (1, True), "a rollback"


def test_one_off_dynos_work_beside_the_worker(app: App) -> None:
    with app.dyno("worker", PROCFILE["worker"]) as worker:
        worker.wait_for("event=poll")
        code, output = app.run("graphite-pager check")
        assert (code, "Nominal" in output) == (0, True), output
        code, output = app.run("graphite-pager silence add 'alert=Queue' --for 2h --why 'disk swap'")
        assert code == 0, output
        app.place.measure(82.4)
        worker.wait_for("event=held")
    assert app.place.pagerduty.events() == ()


def _status(port: int) -> int | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
