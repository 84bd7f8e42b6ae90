"""Both ways to serve the status page, as real processes: they refuse what is open to all, and end at once."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest

from tests.fakes.graphite import FakeGraphite, respond
from tests.integration.pager_process import run, running
from tests.support import eventually, missing

if TYPE_CHECKING:
    from tests.integration.pager_process import Pager

NOWHERE = {"GRAPHITE_URL": "http://127.0.0.1:1"}
ALERTS = "alerts: [{name: Load, target: load, warning: 5, critical: 10}]\nheartbeat_seconds: 0.5\nstdout_enabled: yes\n"
TOKEN = "a-token-of-24-characters"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "alerts.yml").write_text(ALERTS)
    return tmp_path


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def get(port: int, path: str = "/", **headers: str) -> tuple[int, str]:
    """The status and the text of a page; 0 where nobody answers."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0, ""


def test_the_pages_wait_for_a_pager_and_then_show_what_it_found(folder: Path, port: int) -> None:
    with FakeGraphite().serve() as graphite:
        graphite.answers["load"] = respond(b"web1,0,60,60|20.0\n")
        environment = {"GRAPHITE_URL": graphite.url, "WEB_BIND": f"127.0.0.1:{port}"}
        with running(environment, folder, "web") as web:
            web.wait_for(f"the status page: http://127.0.0.1:{port}/")
            assert eventually(lambda: get(port)[0] == 503)
            assert "no graphite-pager has run there yet" in get(port)[1]
            assert not (folder / "graphite-pager.db").exists()
            with running(environment, folder, "run") as pager:
                pager.wait_for("event=poll")
                assert eventually(lambda: get(port)[0] == 200)
                pager.end()
            code, seconds = web.end()
    assert (code, seconds < 1.5) == (0, True), (seconds, web.output)
    assert "Traceback" not in web.output


def test_one_process_polls_and_serves_and_ends_within_a_second(folder: Path, port: int) -> None:
    with (
        FakeGraphite().serve() as graphite,
        running({"GRAPHITE_URL": graphite.url}, folder, "run", "--web", f"127.0.0.1:{port}") as pager,
    ):
        pager.wait_for("event=poll", times=2)
        assert eventually(lambda: get(port)[0] == 200)
        assert "The pager is well" in get(port)[1]
        hanging = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        for one in hanging:
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert get(port)[0] == 200  # nobody holds up the others
        code, seconds = pager.end()
        for one in hanging:
            one.close()
    assert (code, seconds < 1) == (0, True), (seconds, pager.output)


def test_a_port_that_is_taken_costs_no_poll(folder: Path, port: int) -> None:
    with (
        closing(socket.create_server(("127.0.0.1", port))),
        FakeGraphite().serve() as graphite,
        running({"GRAPHITE_URL": graphite.url}, folder, "run", "--web", f"127.0.0.1:{port}") as pager,
    ):
        pager.wait_for("event=web_not_served")
        pager.wait_for("event=poll", times=3)
        assert pager.end()[0] == 0
    assert "address already in use" in pager.output.lower()


def test_its_log_is_the_pagers_from_the_first_line_on(folder: Path, port: int) -> None:
    environment = {"GRAPHITE_URL": "http://127.0.0.1:1", "WEB_BIND": f"127.0.0.1:{port}", "STDOUT_ENABLED": "yes"}
    with FakeGraphite().serve() as graphite:
        run("run", "--once", environment=environment | {"GRAPHITE_URL": graphite.url}, folder=folder)
    (folder / "alerts.yml").write_text("alerts: [")
    with running(environment, folder, "web") as web:
        web.wait_for("the status page:")
        web.wait_for("event=config_kept")
        before, _, _ = web.output.partition("the status page:")
    assert "level=error event=config_rejected" in before, web.output


@pytest.mark.parametrize(
    ("environment", "arguments", "what"),
    [
        ({"WEB_BIND": "0.0.0.0:8000"}, ["web"], "0.0.0.0:8000 can be reached from other machines: set WEB_USER"),
        ({}, ["run", "--web", "0.0.0.0:8000"], "0.0.0.0:8000 can be reached from other machines: set WEB_USER"),
        ({"WEB_USER": "oncall"}, ["web"], "WEB_USER is set, and WEB_PASSWORD is not"),
        ({"DYNO": "web.1", "PORT": "5000", "ALLOW_EPHEMERAL_STATE": "1"}, ["web"], "0.0.0.0:5000 can be reached"),
        ({"WEB_BIND": "8000"}, ["web"], "WEB_BIND: expected HOST:PORT"),
        ({"WEB_CONCURRENCY": "many"}, ["web"], "WEB_CONCURRENCY: expected a whole number from 1 to 16"),
    ],
)
def test_what_must_not_be_served_is_refused_in_one_line(
    folder: Path, environment: dict[str, str], arguments: list[str], what: str
) -> None:
    done = run(*arguments, environment=NOWHERE | environment, folder=folder)
    assert done.returncode == 1
    assert what in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_port_that_is_taken_is_told_in_one_line(folder: Path, port: int) -> None:
    with closing(socket.create_server(("127.0.0.1", port))):
        done = run("web", environment=NOWHERE | {"WEB_BIND": f"127.0.0.1:{port}"}, folder=folder)
    assert done.returncode == 1
    assert done.stderr == (
        f"graphite-pager: the status page cannot be served at 127.0.0.1:{port}: address already in use\n"
    )


def test_several_workers_share_what_forms_are_signed_with(folder: Path, port: int) -> None:
    with FakeGraphite().serve() as graphite:
        environment = {
            "GRAPHITE_URL": graphite.url,
            "WEB_BIND": f"127.0.0.1:{port}",
            "WEB_CONCURRENCY": "2",
            "WEB_TOKEN": TOKEN,
        }
        with running(environment, folder, "run") as pager:
            pager.wait_for("event=poll")
            pager.end()
        with running(environment, folder, "web") as web:
            login = {"Authorization": f"Bearer {TOKEN}"}
            assert eventually(lambda: get(port, **login)[0] == 200)
            assert get(port)[0] == 401
            for number in range(6):
                assert silence(port, login, f"try {number}") == 200
            assert web.end()[0] == 0
    assert TOKEN not in web.output


def silence(port: int, login: dict[str, str], comment: str) -> int:
    """Fill in the form as a browser does; each request may meet another worker."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/silences/new", headers=login)
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        token = re.search(r'name="form_token" value="([^"]+)"', answer.read().decode())
    assert token
    fields = {"form_token": token[1], "matchers": "alert=Load", "length": "1h", "comment": comment, "author": "Jo"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/silences", urllib.parse.urlencode(fields).encode(), login | {"Cookie": cookie}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        status: int = answer.status
        return status


def workers(web: Pager) -> list[int]:
    children = Path(f"/proc/{web.process.pid}/task/{web.process.pid}/children")
    if not children.exists():
        missing("this system has no /proc with children")
    return [int(one) for one in children.read_text().split()]


def test_a_worker_that_dies_is_replaced(folder: Path, port: int) -> None:
    with running(NOWHERE | {"WEB_BIND": f"127.0.0.1:{port}"}, folder, "web") as web:
        assert eventually(lambda: get(port)[0] == 503)
        (before,) = workers(web)
        os.kill(before, SIGKILL)
        assert eventually(lambda: before not in workers(web) and workers(web))
        assert eventually(lambda: get(port)[0] == 503)
        assert web.end()[0] == 0


@pytest.mark.parametrize("arguments", [["--version"], ["verify"], ["run", "--help"]])
def test_commands_that_serve_nothing_do_not_load_flask(folder: Path, arguments: list[str]) -> None:
    text = f"import sys; from graphitepager.cli import main\ntry: main({arguments!r})\nexcept SystemExit: pass\n"
    text += "print([name for name in ('flask', 'werkzeug', 'gunicorn', 'waitress') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, env=NOWHERE, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
