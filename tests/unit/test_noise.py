"""The noise report: what is loud, what never fired, what watches nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from graphitepager.chronicle import Noise, Week
from graphitepager.noise import report
from graphitepager.reports.weekbars import week_bars
from tests.unit.config_support import ENVIRON, load

if TYPE_CHECKING:
    from graphitepager.rules import Config

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
ALERTS = """\
docs_url: https://wiki
alerts:
  - {name: Load, target: load, warning: 5, critical: 10}
  - {name: Load, target: load15, warning: 5, critical: 10}
  - {name: Disk, target: disk, warning: 5, critical: 10}
"""


def config_of() -> Config:
    loaded = load(ALERTS, ENVIRON, source="alerts.yml")
    assert loaded.config is not None
    return loaded.config


def weeks(*pages: int, near_misses: int = 0) -> tuple[Week, ...]:
    return tuple(Week(MONDAY + timedelta(weeks=number), one, one, near_misses) for number, one in enumerate(pages))


def test_the_loudest_come_first_and_the_removed_are_marked() -> None:
    noise = Noise({"Load": weeks(1, 2), "Gone": weeks(4, 0), "Disk": weeks(0, 0)}, {"Load": MONDAY, "Gone": MONDAY}, {})
    found = report(config_of(), noise)
    assert [(one.alert, one.pages, one.is_gone) for one in found.loud] == [("Gone", 4, True), ("Load", 3, False)]
    assert found.never == ["Disk"]


def test_near_misses_alone_are_worth_telling() -> None:
    found = report(config_of(), Noise({"Disk": weeks(0, 0, near_misses=3)}, {}, {}))
    assert [(one.alert, one.near_misses) for one in found.loud] == [("Disk", 6)]


def test_a_target_without_a_series_watches_nothing() -> None:
    found = report(config_of(), Noise({}, {}, {"Load": {"load": 12, "load15": 0}, "Disk": {"disk": 1}}))
    assert [(one.alert, one.target, one.line) for one in found.unmatched] == [("Load", "load15", 4)]


def test_the_bars_of_weeks_say_their_numbers() -> None:
    svg = week_bars(weeks(0, 4, 2))
    assert 'aria-label="pages per week: 0, 4, 2"' in svg
    assert svg.count("<rect") == 3
    assert 'height="40"' in svg
    assert 'height="20"' in svg
