"""Signed addresses of charts: who has one sees that series at that time, for a while, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graphitepager.chartlinks import LASTS, charted, image_of
from graphitepager.model import OWN, WHOLE_ALERT, Event, EventKind, SeriesKey
from graphitepager.rules import Entry, Level, Query

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
ENTRY = Entry(query=Query("a", "-1min", None), warning=None, critical=None, line=1)
EVENT = Event(
    kind=EventKind.TRIGGERED, key=SeriesKey("Lock", "db1"), level=Level.CRITICAL, at=NOON, since=NOON, entry=ENTRY
)
SECRET = "s" * 32
ROOT = "https://ops.example.com/pager/"


def token_of(event: Event = EVENT) -> str:
    image = image_of(event, ROOT, SECRET)
    assert image is not None
    return image.src.removeprefix("https://ops.example.com/pager/charts/").removesuffix(".png")


def test_the_address_says_which_series_when() -> None:
    found = charted(token_of(), SECRET, NOON)
    assert found is not None
    assert found.key == SeriesKey("Lock", "db1")
    assert (found.begin, found.end) == (NOON - timedelta(hours=3), NOON)


@pytest.mark.parametrize("name", ["<script>", "ü\u202e", "a/b?c#d", ""])
def test_any_name_comes_back_as_it_was(name: str) -> None:
    found = charted(token_of(replace(EVENT, key=SeriesKey("Lock", name))), SECRET, NOON)
    assert found is not None
    assert found.key.series == name


def test_it_is_good_for_a_month() -> None:
    assert charted(token_of(), SECRET, NOON + LASTS) is not None
    assert charted(token_of(), SECRET, NOON + LASTS + timedelta(seconds=1)) is None


def test_nobody_else_can_make_one() -> None:
    token = token_of()
    assert charted(token, "t" * 32, NOON) is None
    assert charted(token[:-1] + ("A" if token[-1] != "A" else "B"), SECRET, NOON) is None
    for rubbish in ("", ".", "x.y", token.rpartition(".")[0], "\ud800", "é"):
        assert charted(rubbish, SECRET, NOON) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, kind=EventKind.RESOLVED),
        replace(EVENT, key=SeriesKey("Lock", WHOLE_ALERT)),
        replace(EVENT, key=SeriesKey(OWN, "Graphite")),
        replace(EVENT, size=30),
        replace(EVENT, entry=None),
    ],
)
def test_what_is_not_of_one_series_has_no_picture(other: Event) -> None:
    assert image_of(other, ROOT, SECRET) is None


def test_an_address_that_nobody_could_ask_for_is_not_made() -> None:
    name = "".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(50))
    for each in (name, "\ud800"):
        assert image_of(replace(EVENT, key=SeriesKey("Lock", each)), ROOT, SECRET) is None
