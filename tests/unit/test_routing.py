"""Whose key wins, and which levels page."""

from __future__ import annotations

import pytest

from graphitepager.model import Entry, Event, EventKind, Level, Route, Settings
from graphitepager.routing import routes_for
from tests.examples import KEY, NOON, entry, settings

OWN, PER_LEVEL, GLOBAL = "1" * 32, "2" * 32, "3" * 32


def trigger(level: Level, one: Entry) -> Event:
    return Event(kind=EventKind.TRIGGERED, key=KEY, level=level, at=NOON, since=NOON, value=1.0, entry=one)


def keys(level: Level, one: Entry, given: Settings) -> list[str]:
    return [route.address for route in routes_for(trigger(level, one), given) if route.notifier == "pagerduty"]


@pytest.mark.parametrize("level", [Level.WARNING, Level.CRITICAL, Level.NO_DATA])
def test_every_level_but_nominal_pages_by_default(level: Level) -> None:
    assert keys(level, entry(), settings(pagerduty_key=GLOBAL)) == [GLOBAL]


def test_page_on_keeps_the_other_levels_from_paging() -> None:
    only_critical = entry(page_on=frozenset({Level.CRITICAL}))
    given = settings(pagerduty_key=GLOBAL)
    assert keys(Level.CRITICAL, only_critical, given) == [GLOBAL]
    assert keys(Level.WARNING, only_critical, given) == []
    assert keys(Level.NO_DATA, only_critical, given) == []


def test_the_alerts_own_key_wins_then_the_levels_then_the_global_one() -> None:
    given = settings(pagerduty_key=GLOBAL, pagerduty_keys={Level.CRITICAL: PER_LEVEL})
    assert keys(Level.CRITICAL, entry(pagerduty_key=OWN), given) == [OWN]
    assert keys(Level.CRITICAL, entry(), given) == [PER_LEVEL]
    assert keys(Level.WARNING, entry(), given) == [GLOBAL]


def test_without_a_key_nobody_is_paged() -> None:
    assert routes_for(trigger(Level.CRITICAL, entry()), settings()) == ()


def test_stdout_hears_every_level_when_it_is_enabled() -> None:
    given = settings(stdout_enabled=True)
    only_critical = entry(page_on=frozenset({Level.CRITICAL}))
    assert routes_for(trigger(Level.WARNING, only_critical), given) == (Route("stdout", ""),)


def test_a_route_does_not_show_its_key_when_printed() -> None:
    assert GLOBAL not in repr(routes_for(trigger(Level.CRITICAL, entry()), settings(pagerduty_key=GLOBAL)))
