"""Receivers that fail, and other ways than plain TCP: nothing counts as sent that was not read to its end."""

from __future__ import annotations

import contextlib
import http.server
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes.receiver import answers, answers_briefly, receiving, resets_always, resets_first
from tests.integration.sql_support import database, metrics, run
from tests.support import certificate_for_loopback

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.fakes.receiver import Receiver

KEY = "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
MANY = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 50000) SELECT 'n' || n, n FROM r"


@pytest.fixture
def dsn(tmp_path: Path) -> Iterator[str]:
    with database("sqlite", tmp_path) as dsn:
        yield dsn


def to(receiver: Receiver) -> list[str]:
    return ["--graphite-host", "127.0.0.1", "--graphite-port", str(receiver.port), "--graphite-timeout", "2s"]


def test_a_connection_that_is_reset_is_tried_again_from_the_beginning(dsn: str) -> None:
    with receiving(resets_first) as receiver:
        done = run(*to(receiver), queries=MANY, dsn=dsn)
        receiver.wait_for(2)
    assert done.returncode == 0, done.stderr
    assert "closed the connection before it had read everything" in done.stderr
    assert receiver.received[1].decode() == done.stdout
    assert len(metrics(done.stdout)) == 50_000


def test_a_receiver_that_always_resets_ends_with_exit_5(dsn: str) -> None:
    with receiving(resets_always) as receiver:
        done = run(*to(receiver), queries=MANY, dsn=dsn)
    assert done.returncode == 5
    assert done.stderr.count("event=send_failed") == 2
    assert done.stdout == ""


def test_a_port_where_nobody_listens_ends_with_exit_5(dsn: str) -> None:
    done = run("--graphite-host", "127.0.0.1", "--graphite-port", "1", queries="SELECT 'a', 1", dsn=dsn)
    assert done.returncode == 5
    assert "nothing listens at 127.0.0.1:1 (connection refused)" in done.stderr


def test_a_host_that_does_not_exist_ends_with_exit_5(dsn: str) -> None:
    done = run("--graphite-host", "nowhere.invalid", queries="SELECT 'a', 1", dsn=dsn)
    assert done.returncode == 5
    assert "nowhere.invalid:2003" in done.stderr


@pytest.mark.parametrize("conduct", [answers, answers_briefly])
def test_what_answers_is_no_carbon(dsn: str, conduct: Callable[[socket.socket, int], bytes]) -> None:
    with receiving(conduct) as receiver:
        done = run(*to(receiver), queries="SELECT 'a', 1", dsn=dsn)
    assert done.returncode == 5
    assert "answers, which Carbon does not: is this the right port?" in done.stderr
    assert "event=send_failed" not in done.stderr


@pytest.mark.parametrize("host", ["a..b", "a" * 70])
def test_a_host_name_that_is_none_ends_with_exit_5(dsn: str, host: str) -> None:
    done = run("--graphite-host", host, queries="SELECT 'a', 1", dsn=dsn)
    assert done.returncode == 5
    assert f"the host name of {host}:2003 cannot be resolved" in done.stderr


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key beside it."""
    return certificate_for_loopback(tmp_path_factory.mktemp("tls"))[0]


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_lines_travel_over_tls(dsn: str, certificate: Path, server_tls: ssl.SSLContext) -> None:
    with receiving(tls=server_tls) as receiver:
        done = run(*to(receiver), "--tls", "--ca", str(certificate), queries=MANY, dsn=dsn)
        assert done.returncode == 0, done.stderr
        receiver.wait_for(1)
    assert receiver.received[0].decode() == done.stdout


def test_a_certificate_that_is_not_trusted_ends_with_exit_5_at_once(dsn: str, server_tls: ssl.SSLContext) -> None:
    with receiving(tls=server_tls) as receiver:
        done = run(*to(receiver), "--tls", queries="SELECT 'a', 1", dsn=dsn)
    assert done.returncode == 5
    assert "TLS with 127.0.0.1" in done.stderr
    assert "self-signed certificate" in done.stderr
    assert "send_failed" not in done.stderr
    assert receiver.received == []


def test_tls_to_a_port_that_speaks_none_ends_with_exit_5(dsn: str) -> None:
    with receiving(answers) as receiver:
        done = run(*to(receiver), "--tls", queries="SELECT 'a', 1", dsn=dsn)
    assert done.returncode == 5


def test_an_api_key_stands_before_each_name_and_is_never_shown(dsn: str) -> None:
    with receiving() as receiver:
        done = run(*to(receiver), "--key-env", "HOSTEDGRAPHITE_APIKEY", queries="SELECT 'a', 1", dsn=dsn,
                   HOSTEDGRAPHITE_APIKEY=KEY)  # fmt: skip
        receiver.wait_for(1)
    lines = receiver.received[0].decode().splitlines()
    assert all(line.startswith(f"{KEY}.db.") for line in lines)
    assert done.stdout.splitlines() == [line.replace(KEY, "***") for line in lines]
    assert KEY not in done.stderr


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (["--graphite-host", "127.0.0.1"], "two words"),
        (["--graphite-host", "127.0.0.1"], f"{KEY}/x"),
        (["--graphite-url", "http://127.0.0.1:1/"], f"{KEY}\n"),
        (["--graphite-url", "http://127.0.0.1:1/"], "ключ"),
    ],
)
def test_a_key_that_nobody_would_take_is_a_mistake(dsn: str, place: list[str], key: str) -> None:
    done = run(*place, "--key-env", "KEY", queries="SELECT 'a', 1", dsn=dsn, KEY=key)
    assert (done.returncode, done.stdout) == (1, "")
    assert "KEY does not hold an API key" in done.stderr
    assert key.strip() not in done.stderr


def test_a_key_in_the_prefix_is_masked_as_well(dsn: str) -> None:
    with receiving() as receiver:
        done = run(*to(receiver), "--graphite-prefix", f"{KEY}.shop", queries="SELECT 'a', 1", dsn=dsn)
        receiver.wait_for(1)
    assert receiver.received[0].startswith(f"{KEY}.shop.a 1 ".encode())
    assert done.stdout.startswith("***.shop.a 1 ")


class Sink:
    """An HTTP server that answers with the statuses in turn, the last one from then on."""

    def __init__(self, statuses: list[int]) -> None:
        self.bodies: list[bytes] = []
        self.users: set[str | None] = set()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                sink.users.add(self.headers.get("Authorization"))
                self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v1/sink"


@contextlib.contextmanager
def sink(*statuses: int) -> Iterator[Sink]:
    sink = Sink(list(statuses))
    threading.Thread(target=sink.server.serve_forever, daemon=True).start()
    try:
        yield sink
    finally:
        sink.server.shutdown()
        sink.server.server_close()


def test_lines_are_posted_in_whole_lines_of_64_kib(dsn: str) -> None:
    with sink(202) as http_sink:
        done = run("--graphite-url", http_sink.url, "--key-env", "KEY", queries=MANY, dsn=dsn, KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert b"".join(http_sink.bodies).decode() == done.stdout
    assert all(len(body) <= 65536 and body.endswith(b"\n") for body in http_sink.bodies)
    assert min(len(body) for body in http_sink.bodies[:-1]) > 60_000
    assert KEY not in done.stdout + done.stderr
    assert len(http_sink.users) == 1
    assert None not in http_sink.users


@pytest.mark.parametrize(
    ("statuses", "code", "attempts"),
    [((503, 202), 0, 2), ((500,), 5, 3), ((429, 202), 0, 2), ((400,), 5, 1), ((401,), 5, 1), ((304,), 5, 1)],
)
def test_an_answer_that_may_change_is_asked_for_again(
    dsn: str, statuses: tuple[int, ...], code: int, attempts: int
) -> None:
    with sink(*statuses) as http_sink:
        done = run("--graphite-url", http_sink.url, queries="SELECT 'a', 1", dsn=dsn)
    assert (done.returncode, len(http_sink.bodies)) == (code, attempts)
    assert code == 0 or f"answered {statuses[-1]}" in done.stderr


def trickles(connection: socket.socket, _number: int) -> bytes:
    """Begins an answer that never ends, a byte at a time: no single wait is long."""
    connection.settimeout(0.1)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 202 OK\r\nX-Slow: ")
        for _ in range(300):
            connection.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                connection.recv(65536)
    return b""


def test_an_answer_over_http_that_never_ends_is_not_waited_for(dsn: str) -> None:
    with receiving(trickles) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/"
        began = time.monotonic()
        done = run("--graphite-url", url, "--graphite-timeout", "1s", queries="SELECT 'a', 1", dsn=dsn)
    assert time.monotonic() - began < 20
    assert done.returncode == 5
    assert "did not answer within 1 s" in done.stderr


def test_a_key_in_the_prefix_is_taken_off_before_the_last_point_is_read_back(dsn: str) -> None:
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with receiving() as receiver, http.server.HTTPServer(("127.0.0.1", 0), Handler) as graphite:
        threading.Thread(target=graphite.serve_forever, daemon=True).start()
        verify = ["--verify-url", f"http://127.0.0.1:{graphite.server_port}", "--verify-timeout", "2s"]
        done = run(*to(receiver), "--graphite-prefix", f"{KEY}.shop", *verify, queries="SELECT 'a', 1", dsn=dsn)
        graphite.shutdown()
    assert done.returncode == 5
    assert asked
    assert all("target=shop.sql_to_graphite.finished" in body for body in asked)
    assert "shop.sql_to_graphite.finished could not be read back" in done.stderr
