"""Requests on a connection that is kept, over a real loopback socket to a Graphite that may misbehave."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from graphitepager.errors import FetchError
from graphitepager.graphite.render import Connection
from graphitepager.rules import Query, Settings
from tests.fakes.graphite import FOREVER, Answer, FakeGraphite, chunk, head, respond
from tests.support import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMED_OUT = head("408 Request Timeout", "Connection: close", "Content-Length: 0")


@pytest.fixture
def connection(graphite: FakeGraphite) -> Iterator[Connection]:
    settings = Settings(
        graphite_url=graphite.url,
        graphite_user="pager",
        graphite_pass="hunter2",
        graphite_connect_timeout_s=0.1,
        graphite_read_timeout_s=0.2,
    )
    with closing(Connection(settings)) as connection:
        yield connection


def names(connection: Connection, target: str = "x") -> list[str]:
    """Ask once; return the names of the series."""
    return connection.ask(Query(target, "-1min", None), lambda: 5.0).roll.texts()


def test_every_request_says_the_same(graphite: FakeGraphite, connection: Connection) -> None:
    for _ in range(3):
        assert names(connection) == ["web1"]
    first, *others = graphite.requests
    for other in others:
        assert (other.path, other.form) == (first.path, first.form)
        assert dict(other.headers) == dict(first.headers)
    assert graphite.connections == 1


def test_an_answer_in_chunks_leaves_the_connection_for_the_next(graphite: FakeGraphite, connection: Connection) -> None:
    chunked = head("200 OK", "Content-Type: text/plain", "Transfer-Encoding: chunked")
    graphite.default = Answer((chunked, chunk(b"a,0,10,10|1.0\nb,0,1"), chunk(b"0,10|2.0\n"), chunk(b"")), keeps=True)
    assert [names(connection) for _ in range(3)] == [["a", "b"]] * 3
    assert graphite.connections == 1


@pytest.mark.parametrize("kept", [False, True], ids=["on a new connection", "on a kept connection"])
def test_the_rest_of_an_answer_that_was_refused_is_not_taken_for_the_next(
    graphite: FakeGraphite, connection: Connection, kept: bool
) -> None:
    for _ in range(kept):
        names(connection)
    page = head("200 OK", "Content-Type: text/html", f"Content-Length: {len(TIMED_OUT)}")
    graphite.once = [Answer((page, 0.02, TIMED_OUT), keeps=True)]
    with pytest.raises(FetchError, match="answered HTML"):
        names(connection)
    assert names(connection) == ["web1"]
    assert graphite.connections == 2


def test_a_connection_that_the_server_will_close_is_not_used_again(
    graphite: FakeGraphite, connection: Connection
) -> None:
    graphite.once = [respond(), respond(headers=("Connection: close",))]
    assert [names(connection) for _ in range(4)] == [["web1"]] * 4
    assert graphite.connections == 2


def test_what_came_on_an_idle_connection_is_no_answer(graphite: FakeGraphite, connection: Connection) -> None:
    graphite.once = [Answer((*respond().steps, 0.02, TIMED_OUT), keeps=True)]
    assert names(connection) == ["web1"]
    assert eventually(lambda: graphite.is_idle)
    assert names(connection) == ["web1"]


def test_a_kept_connection_on_which_nothing_comes_is_given_up_in_time(
    graphite: FakeGraphite, connection: Connection
) -> None:
    graphite.once = [respond(), Answer((FOREVER,))]
    names(connection)
    with pytest.raises(FetchError, match=r"no answer within 0\.2 s"):
        names(connection, "hangs")
    assert graphite.targets == ["x", "hangs"]
    assert names(connection) == ["web1"]


def test_a_kept_connection_waits_no_longer_than_the_answer_is_wanted(graphite: FakeGraphite) -> None:
    graphite.once = [respond(), Answer((FOREVER,))]
    with closing(Connection(Settings(graphite_url=graphite.url, graphite_read_timeout_s=FOREVER))) as connection:
        names(connection)
        begun = time.monotonic()
        with pytest.raises(FetchError, match="no answer"):
            connection.ask(Query("hangs", "-1min", None), lambda: 0.0)
        assert time.monotonic() - begun < 2


def test_a_kept_connection_is_closed_in_the_end(graphite: FakeGraphite, connection: Connection) -> None:
    for _ in range(2):
        names(connection)
    connection.close()
    assert eventually(lambda: graphite.is_alone)


def test_a_proxy_that_forwards_is_told_where_to_and_by_whom(
    graphite: FakeGraphite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", graphite.url.replace("//", "//me:secret@"))
    with closing(Connection(Settings(graphite_url="http://graphite.example.com/g"))) as connection:
        assert [names(connection) for _ in range(2)] == [["web1"]] * 2
    for request in graphite.requests:
        assert request.path == "http://graphite.example.com/g/render"
        assert request.headers["Host"] == "graphite.example.com"
        assert request.headers["Proxy-Authorization"] == "Basic bWU6c2VjcmV0"
    assert graphite.connections == 1
