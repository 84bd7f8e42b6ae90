"""Every series of an alert with its state, sorted, filtered and counted."""

from __future__ import annotations

from datetime import UTC, datetime

from graphitepager.model import SeriesKey
from graphitepager.overview import Row, Section
from graphitepager.roster import counted, fitting, members
from graphitepager.rules import Level

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


def row(series: str, section: Section, level: Level = Level.CRITICAL) -> Row:
    return Row(section=section, key=SeriesKey("Load", series), level=level, since=NOON, entry=None)


ROWS = [
    row("web2", Section.PENDING),
    row("web1", Section.STALE),
    row("web1", Section.FIRING),
    row("db", Section.NO_DATA),
]
EVERYONE = members("Load", ["web1", "web2", "web4", "web3"], ROWS)


def test_the_worst_come_first_and_then_those_that_are_fine_by_name() -> None:
    assert [one.key.series for one in EVERYONE] == ["web1", "db", "web2", "web3", "web4"]
    assert [one.state for one in EVERYONE] == ["firing", "no-data", "pending", "ok", "ok"]


def test_a_filter_wants_every_word_and_the_state() -> None:
    assert [one.key.series for one in fitting(EVERYONE, "WEB 4", "")] == ["web4"]
    assert [one.key.series for one in fitting(EVERYONE, "web", "ok")] == ["web3", "web4"]
    assert [one.key.series for one in fitting(EVERYONE, "", "not-ok")] == ["web1", "db", "web2"]
    assert fitting(EVERYONE, "", "rubbish") == []


def test_states_are_counted_the_worst_first() -> None:
    assert list(counted(EVERYONE).items()) == [("firing", 1), ("no-data", 1), ("pending", 1), ("ok", 2)]
