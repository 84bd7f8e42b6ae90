"""Requests on a kept connection within TLS, direct and through a proxy's tunnel."""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from graphitepager.graphite.render import Connection
from graphitepager.rules import Query, Settings
from tests.fakes.graphite import SERIES
from tests.fakes.loopback import serving
from tests.support import certificate_for_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Graphite(BaseHTTPRequestHandler):
    """Answers every request with the same series, and notes who asked."""

    protocol_version = "HTTP/1.1"
    timeout = 5
    asked: list[tuple[str, str | None]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((f"{self.headers['Host']}{self.path}", self.headers["Proxy-Authorization"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(SERIES)))
        self.end_headers()
        self.wfile.write(SERIES)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


class _Tunnel(socketserver.StreamRequestHandler):
    timeout = 5
    """A proxy that opens tunnels, and notes to where."""

    opened: list[bytes]

    def handle(self) -> None:
        self.opened.append(self.rfile.readline().split()[1])
        while self.rfile.readline().strip():
            pass
        host, _, port = self.opened[-1].decode().partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ends = {self.connection: there, there: self.connection}
            while True:
                for end in select.select(list(ends), [], [], 5)[0]:
                    if not (piece := end.recv(65536)):
                        return
                    ends[end].sendall(piece)


@pytest.fixture
def asked() -> list[tuple[str, str | None]]:
    return []


@pytest.fixture
def url(tmp_path: Path, asked: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Graphite that speaks TLS, with a certificate that this process trusts."""
    certificate, key = certificate_for_loopback(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HTTPServer(("127.0.0.1", 0), type("Graphite", (_Graphite,), {"asked": asked})) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with serving(server) as plain:
            yield plain.replace("http:", "https:")


def names(connection: Connection) -> list[str]:
    return connection.ask(Query("x", "-1min", None), lambda: 5.0).roll.texts()


def test_requests_within_tls_share_a_connection(url: str, asked: list[tuple[str, str | None]]) -> None:
    # The server takes one connection at a time: a second one would have to wait for the end of the first.
    with closing(Connection(Settings(graphite_url=url, graphite_read_timeout_s=2.0))) as connection:
        assert [names(connection) for _ in range(3)] == [["web1"]] * 3
    assert asked == [(f"{url.partition('//')[2]}/render", None)] * 3


def test_requests_through_a_tunnel_share_it_and_do_not_tell_the_proxys_password(
    url: str, asked: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bytes] = []
    handler = type("Tunnel", (_Tunnel,), {"opened": opened})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as proxy, serving(proxy) as proxy_url:
        monkeypatch.setenv("https_proxy", proxy_url.replace("//", "//me:secret@"))
        with closing(Connection(Settings(graphite_url=url, graphite_read_timeout_s=2.0))) as connection:
            assert [names(connection) for _ in range(3)] == [["web1"]] * 3
    assert opened == [url.partition("//")[2].encode()]
    assert asked == [(f"{url.partition('//')[2]}/render", None)] * 3
