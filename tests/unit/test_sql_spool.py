"""A run's lines on disk: each name and time once, whatever was repeated, taken back or is too much for the memory."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from graphitepager.sql import hashes
from graphitepager.sql.lines import Lines
from graphitepager.sql.spool import BATCH_BYTES, Spool
from tests.unit.sql_support import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool(prefix="db", now=NOW) as spool:
        yield spool


def add(spool: Spool, query: str, *names: str) -> None:
    mark = spool.mark()
    spool.add(Lines("".join(f"db.{name} 1 {NOW}\n" for name in names), list(names)))
    spool.keep(query, mark)


def kept(spool: Spool) -> list[str]:
    text = b"".join(spool.batches()).decode()
    assert spool.count == text.count("\n")
    return [line.removeprefix("db.").partition(" ")[0] for line in text.splitlines()]


def test_what_comes_once_stays(spool: Spool) -> None:
    add(spool, "q", "a", "b")
    add(spool, "r", "c")
    assert list(spool.drop_repeated()) == []
    assert kept(spool) == ["a", "b", "c"]


def test_the_first_of_each_name_stays_and_the_query_of_every_further_one_is_told(spool: Spool) -> None:
    add(spool, "q", "a", "b", "a")
    add(spool, "r", "c", "b", "a")
    assert list(spool.drop_repeated()) == [("q", "a"), ("r", "b"), ("r", "a")]
    assert kept(spool) == ["a", "b", "c"]


def test_what_was_taken_back_is_no_earlier_one(spool: Spool) -> None:
    mark = spool.mark()
    spool.add(Lines(f"db.a 1 {NOW}\n", ["a"]))
    spool.take_back(mark)
    add(spool, "r", "a")
    assert list(spool.drop_repeated()) == []
    assert kept(spool) == ["a"]


def test_names_are_found_again_that_are_not_in_memory_any_more(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_MOST_HELD", 300)
    for start in range(0, 1000, 50):
        add(spool, "q", *(f"n{number}" for number in range(start, start + 50)))
    add(spool, "r", "n0", "n999", "new")
    assert sorted(spool.drop_repeated()) == [("r", "n0"), ("r", "n999")]
    assert kept(spool) == [*(f"n{number}" for number in range(1000)), "new"]


def test_more_repeated_names_than_memory_should_hold_are_dropped_too(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "_MOST_AT_ONCE", 10)
    names = [f"n{number}" for number in range(100)]
    add(spool, "q", *names)
    add(spool, "r", *names)
    assert sorted(spool.drop_repeated()) == sorted(("r", name) for name in names)
    assert kept(spool) == names


def test_names_that_look_alike_are_two(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "hash", lambda _key: 7, raising=False)
    monkeypatch.setattr("graphitepager.sql.spool.hash", lambda _key: 7, raising=False)
    add(spool, "q", "a", "b", "a")
    assert list(spool.drop_repeated()) == [("q", "a")]
    assert kept(spool) == ["a", "b"]


def test_a_batch_ends_with_a_line(spool: Spool) -> None:
    names = [f"shop.customer{number}" for number in range(20_000)]
    add(spool, "q", *names)
    batches = list(spool.batches())
    assert len(batches) > 1
    assert all(batch.endswith(b"\n") and len(batch) <= BATCH_BYTES for batch in batches)
    assert kept(spool) == names
