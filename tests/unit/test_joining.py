"""Which series of two targets belong together: names taken apart as aliasByNode does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graphitepager.joining import MissingNodeError, joined, key_of, path_of
from graphitepager.model import Series

if TYPE_CHECKING:
    from collections.abc import Sequence


def series(name: str, points: bytes = b"1.0") -> Series:
    return Series(name, 0, 10, 10, points)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("servers.db1.x", "servers.db1.x"),
        ("perSecond(servers.db1.x)", "servers.db1.x"),
        ("scale(perSecond(servers.db1.x),100)", "servers.db1.x"),
        ("movingMedian(sumSeries(servers.{db1,db2}.x,other.y), 10)", "servers.{db1,db2}.x"),
        ("perSecond(disk.used;host=db1;rack=a)", "disk.used;host=db1;rack=a"),
        ("servers.a,b.x", "servers.a,b.x"),
        ("not a path, at all", "not a path, at all"),
        ("odd)", "odd"),
        ("()", "()"),
        ("", ""),
        ("f(((", "f((("),
    ],
)
def test_the_path_is_what_the_innermost_function_was_given_first(name: str, path: str) -> None:
    assert path_of(name) == path


@pytest.mark.parametrize(
    ("name", "by", "key"),
    [
        ("servers.db1.shard2.x", [1], "db1"),
        ("servers.db1.shard2.x", [1, 2], "db1.shard2"),
        ("servers.db1.shard2.x", [-2, 1], "shard2.db1"),
        ("servers.db1.shard2.x", None, "servers.db1.shard2"),
        ("scale(servers.db1.x,100)", [1], "db1"),
        ("scale(servers.db1.x,100)", None, "servers.db1"),
        ("servers.a,b.x", [1], "a,b"),
        ("disk.used;host=db1.example.com;rack=a", [1], "used"),
        ("disk.used;host=db1.example.com;rack=a", ["host", 0], "db1.example.com.disk"),
        ("perSecond(disk.used;host=db1)", ["host"], "db1"),
        ("an alias", [0], "an alias"),
    ],
)
def test_a_key_is_made_of_nodes_and_tags(name: str, by: Sequence[int | str] | None, key: str) -> None:
    assert key_of(name, by) == key


@pytest.mark.parametrize(
    ("name", "by", "missing"),
    [
        ("servers.db1.x", [1, 3], "no node 3"),
        ("servers.db1.x", [-4], "no node -4"),
        ("servers..x", [1], "no node 1"),
        ("servers.db1.x", ["host"], "no tag host"),
        ("x;host=", ["host"], "no tag host"),
        ("db1", None, "one node only"),
        ("", [0], "no node 0"),
    ],
)
def test_a_name_that_lacks_a_node_is_told_apart(name: str, by: Sequence[int | str] | None, missing: str) -> None:
    with pytest.raises(MissingNodeError, match=missing):
        key_of(name, by)


def test_series_are_grouped_by_their_keys_and_a_twin_counts_once() -> None:
    a, b, lacking = series("servers.db1.x"), series("servers.db1.y"), series("servers")
    result = joined([a, b, series("servers.db1.x"), lacking], [1])
    assert result.by_key == {"db1": [a, b]}
    assert result.lacking == [(lacking, "no node 1")]


@pytest.mark.timeout(10)
def test_names_made_to_be_slow_are_not() -> None:
    for name in ("f(" * 50_000 + ")", "a" * 100_000 + ")", "{" * 50_000 + ")", "f({" * 30_000 + ")"):
        path_of(name)
