"""One request to a Graphite that misbehaves, over a real loopback socket."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from graphitepager import __version__, rawdata
from graphitepager.errors import FetchError
from graphitepager.graphite.render import Connection
from graphitepager.model import Series
from graphitepager.rules import Query, Settings
from tests.fakes.graphite import FOREVER, SERIES, Answer, FakeGraphite, chunk, compressed, gzipped, head, respond

if TYPE_CHECKING:
    from pathlib import Path

    from graphitepager.rawdata import RawAnswer

QUERY = Query("x", "-1min", None)
WEB1 = rawdata.holding([Series("web1", 1_700_000_000, 1_700_000_060, 10, b"1.0,2.0,None")])
RAW = head("200 OK", "Content-Type: text/plain")
CHUNKED = head("200 OK", "Content-Type: text/plain", "Transfer-Encoding: chunked")
PAGE = b"<html><head><title>502 Bad Gateway</title></head></html>"
TRACEBACK = (
    b"<body><p>Sorry</p><pre>\nTraceback (most recent call last):\n  File &quot;a.py&quot;\nTypeError: &#x27;x&#x27;\n"
)
NO_ROOT = "is GRAPHITE_URL the root of graphite-web?"


@pytest.fixture
def settings(graphite: FakeGraphite) -> Settings:
    return Settings(
        graphite_url=graphite.url,
        graphite_user="pager",
        graphite_pass="hunter2",
        graphite_connect_timeout_s=0.1,
        graphite_read_timeout_s=0.2,
    )


def ask(settings: Settings, query: Query = QUERY) -> RawAnswer:
    with contextlib.closing(Connection(settings)) as connection:
        return connection.ask(query, lambda: 5.0)


def refusal(settings: Settings) -> str:
    """Why there is no answer, in words without secrets."""
    with pytest.raises(FetchError) as caught:
        ask(settings)
    assert caught.value.target == "x"
    for secret in ("pager:", "hunter2", "cGFnZXI6aHVudGVyMg", "0x"):
        assert secret not in str(caught.value)
    assert caught.value.reason.isprintable()
    return caught.value.reason


def host(settings: Settings) -> str:
    return settings.graphite_url.partition("//")[2]


def test_a_query_is_asked_as_graphite_wants_it(graphite: FakeGraphite, settings: Settings) -> None:
    asked = Query('alias(a.*,"ü & +")', "-10min", "-1min")
    assert ask(settings, asked) == WEB1
    [request] = graphite.requests
    assert request.path == "/render"
    assert request.form == {
        "target": ['alias(a.*,"ü & +")'],
        "from": ["-10min"],
        "until": ["-1min"],
        "format": ["raw"],
        "noCache": ["1"],
    }
    assert request.headers["User-Agent"] == f"graphite-pager/{__version__}"
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.headers["Authorization"] == "Basic cGFnZXI6aHVudGVyMg=="


def test_no_until_is_not_sent(graphite: FakeGraphite, settings: Settings) -> None:
    ask(settings)
    assert "until" not in graphite.requests[0].form


def test_graphite_may_live_below_a_path(graphite: FakeGraphite, settings: Settings) -> None:
    settings = replace(settings, graphite_url=f"{graphite.url}/graphite/")
    assert ask(settings) == WEB1
    assert graphite.requests[0].path == "/graphite/render"


def test_credentials_of_the_netrc_file_are_never_sent(
    graphite: FakeGraphite, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    settings = replace(settings, graphite_user=None, graphite_pass=None)
    assert ask(settings) == WEB1
    assert "Authorization" not in graphite.requests[0].headers


def test_a_kept_connection_may_have_been_closed_meanwhile(graphite: FakeGraphite, settings: Settings) -> None:
    with contextlib.closing(Connection(settings)) as connection:
        connection.ask(QUERY, lambda: 5.0)
        graphite.hang_up()
        assert connection.ask(QUERY, lambda: 5.0) == WEB1


def test_a_connection_may_be_closed_in_the_moment_of_its_next_use(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.once = [respond(), Answer(())]
    with contextlib.closing(Connection(settings)) as connection:
        assert [connection.ask(QUERY, lambda: 5.0) for _ in range(2)] == [WEB1, WEB1]
    assert graphite.connections == 2


# Good answers


def test_gzip_is_undone(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = gzipped(compressed(SERIES * 50_000))
    assert len(ask(settings).series) == 50_000


@pytest.mark.parametrize(
    "answer",
    [
        respond(kind="text/plain; charset=utf-8"),
        respond(kind="Text/Plain"),
        Answer((RAW, SERIES)),
        Answer((CHUNKED, chunk(SERIES[:9]), chunk(SERIES[9:]), chunk(b""))),
    ],
    ids=["charset", "capitals", "no length", "chunks"],
)
def test_raw_data_is_data_however_it_is_sent(graphite: FakeGraphite, settings: Settings, answer: Answer) -> None:
    graphite.default = answer
    assert ask(settings) == WEB1


def test_nothing_at_all_is_an_answer_without_series(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = respond(b"")
    assert ask(settings) == rawdata.holding([])


def test_a_bad_line_is_handed_on_beside_the_good_ones(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = respond(b"half a\n" + SERIES)
    assert ask(settings) == WEB1._replace(bad_lines=["half a"])


# Answers that are none

PAGE = b"<html><head><title>502 Bad Gateway</title></head></html>"
TRACEBACK = (
    b"<body><p>Sorry</p><pre>\nTraceback (most recent call last):\n  File &quot;a.py&quot;\nTypeError: &#x27;x&#x27;\n"
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            respond(b"\nInvalid parameters (no\x1b[31m \xe2\x80\xaesuch)\nmore", status="400 Bad", kind="text/html"),
            "400 Bad Request: Invalid parameters (no [31m such)",
        ),
        (respond(TRACEBACK, status="500 Oops", kind="text/html"), "500 Internal Server Error: TypeError: 'x'"),
        (
            respond(TRACEBACK + b"</pre><p>x", status="500 ", kind="text/html"),
            "500 Internal Server Error: TypeError: 'x'",
        ),
        (respond(PAGE, status="502 Bad Gateway", kind="text/html"), "502 Bad Gateway"),
        (respond(b"\x89PNG", status="503 Busy", kind="image/png"), "503 Service Unavailable"),
        (respond(PAGE, status="401 No"), "401 Unauthorized: check GRAPHITE_USER and GRAPHITE_PASS"),
        (respond(PAGE, status="403 No"), "403 Forbidden: check GRAPHITE_USER and GRAPHITE_PASS"),
        (
            respond(
                b"", status="302 Found", headers=("Location: https://pager:hunter2@sso.example.com/login?t=hunter2",)
            ),
            "302 Found: redirected to https://sso.example.com, but GRAPHITE_URL must answer by itself",
        ),
        (
            respond(PAGE, kind="text/html; charset=utf-8"),
            f"answered HTML instead of raw data: {NO_ROOT}",
        ),
        (
            respond(b"\x89PNG", kind="image/png"),
            f"answered image/png instead of raw data: {NO_ROOT}",
        ),
        (respond(b"hello\nworld"), "answered something else than raw data, beginning with: hello"),
        (Answer((RAW, SERIES, SERIES[:30])), "the answer breaks off in the middle of a line"),
        (Answer((respond(SERIES * 2).steps[0], SERIES)), "the answer breaks off"),
        (Answer((CHUNKED, chunk(SERIES))), "the answer breaks off"),
        (gzipped(compressed()[:-1]), "the answer's gzip data breaks off"),
        (gzipped(compressed()[:20] + b"\0" * 30), "the answer's gzip data is corrupt"),
        (gzipped(SERIES), "the answer's gzip data is corrupt"),
        (respond(headers=("Content-Encoding: br",)), "answered in the encoding br, which was not asked for"),
        (Answer((FOREVER,)), "no answer within 0.2 s"),
        (Answer((RAW, SERIES, FOREVER)), "no answer within 0.2 s"),
    ],
)
def test_anything_but_raw_data_is_an_error_in_plain_words(
    graphite: FakeGraphite, settings: Settings, answer: Answer, expected: str
) -> None:
    graphite.default = answer
    assert refusal(settings) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer((b"220 carbon, hello\r\n",)), "{host} does not speak HTTP: is GRAPHITE_URL right?"),
        (Answer(()), "{host} closed the connection without a whole answer"),
    ],
)
def test_another_server_is_named(graphite: FakeGraphite, settings: Settings, answer: Answer, expected: str) -> None:
    graphite.default = answer
    assert refusal(settings) == expected.format(host=host(settings))


def test_a_message_of_a_megabyte_becomes_a_line(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = respond(b"Invalid parameters " + b"x" * 2**20, status="400 Bad Request", kind="text/html")
    assert refusal(settings).startswith("400 Bad Request: Invalid parameters xxx")
    assert len(refusal(settings)) < 250


def test_an_answer_beyond_the_limit_is_not_held_in_memory(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = gzipped(compressed(SERIES * 100_000))
    connection = Connection(settings, max_answer_bytes=2**20)
    with contextlib.closing(connection), pytest.raises(FetchError, match="the answer is larger than 1 MiB"):
        connection.ask(QUERY, lambda: 5.0)


def test_an_answer_that_nobody_wants_any_more_is_given_up(graphite: FakeGraphite, settings: Settings) -> None:
    graphite.default = Answer((RAW, SERIES, 0.05, SERIES, 0.05, SERIES, FOREVER))
    remaining_s = iter([5.0, 5.0, 0.0])
    with contextlib.closing(Connection(settings)) as connection, pytest.raises(FetchError, match="too slowly"):
        connection.ask(QUERY, lambda: next(remaining_s))


def test_a_port_where_nothing_listens_is_named(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings = replace(settings, graphite_url=f"http://127.0.0.1:{port}")
    assert refusal(settings) == f"nothing listens at 127.0.0.1:{port} (connection refused)"


def test_a_host_that_does_not_take_connections_is_named(settings: Settings) -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(2):  # a backlog of 0 still takes one
            caller = stack.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(full.getsockname())
        settings = replace(settings, graphite_url=f"http://127.0.0.1:{full.getsockname()[1]}")
        assert refusal(settings) == f"no connection to {host(settings)} within 0.1 s"


def test_a_host_name_that_does_not_resolve_is_named(settings: Settings) -> None:
    # A zone that this machine does not have: getaddrinfo() refuses it without asking the network.
    settings = replace(settings, graphite_url="http://[fe80::1%25nowhere]:80")
    assert refusal(settings) == "the host name of [fe80::1%25nowhere]:80 cannot be resolved"


def test_a_server_without_tls_is_named(graphite: FakeGraphite, settings: Settings) -> None:
    settings = replace(settings, graphite_url=graphite.url.replace("http:", "https:"))
    assert refusal(settings).startswith(f"TLS with {host(settings)} failed: ")


def test_a_host_name_that_cannot_be_one_is_an_error_too(settings: Settings) -> None:
    settings = replace(settings, graphite_url=f"http://{'a' * 64}.example.com")
    assert refusal(settings) == "GRAPHITE_URL holds a host name that cannot be one"
