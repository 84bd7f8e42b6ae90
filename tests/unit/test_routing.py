"""Whose key wins, and which levels page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graphitepager import health
from graphitepager.model import Event, EventKind
from graphitepager.routing import routes_for
from graphitepager.rules import Config, Entry, Level, Route, Settings
from tests.examples import KEY, NOON, alert, entry, settings

OWN, PER_LEVEL, GLOBAL = "1" * 32, "2" * 32, "3" * 32


def trigger(level: Level, one: Entry) -> Event:
    return Event(kind=EventKind.TRIGGERED, key=KEY, level=level, at=NOON, since=NOON, value=1.0, entry=one)


def config(given: Settings, *entries: Entry) -> Config:
    return Config(settings=given, alerts=(alert(*entries),))


def keys(level: Level, one: Entry, given: Settings) -> list[str]:
    routes = routes_for(trigger(level, one), config(given))
    return [route.address for route in routes if route.notifier == "pagerduty"]


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
    assert routes_for(trigger(Level.CRITICAL, entry()), config(settings())) == ()


def test_stdout_hears_every_level_when_it_is_enabled() -> None:
    given = settings(stdout_enabled=True)
    only_critical = entry(page_on=frozenset({Level.CRITICAL}))
    assert routes_for(trigger(Level.WARNING, only_critical), config(given)) == (Route("stdout", ""),)


def test_a_route_does_not_show_its_key_when_printed() -> None:
    assert GLOBAL not in repr(routes_for(trigger(Level.CRITICAL, entry()), config(settings(pagerduty_key=GLOBAL))))


@pytest.mark.parametrize(
    "event",
    [
        replace(trigger(Level.CRITICAL, entry()), held_by="silence 3"),
        replace(trigger(Level.CRITICAL, entry()), kind=EventKind.REPEATED),
        replace(trigger(Level.CRITICAL, entry()), kind=EventKind.RESOLVED),
    ],
)
def test_what_is_held_back_or_follows_a_trigger_has_no_route_of_its_own(event: Event) -> None:
    assert routes_for(event, config(settings(pagerduty_key=GLOBAL))) == ()


class TestNotify:
    """Named notifiers are told instead of the default."""

    given = settings(
        pagerduty_key=GLOBAL,
        stdout_enabled=True,
        notifiers={"dba": Route("pagerduty", OWN), "again": Route("pagerduty", OWN), "console": Route("stdout", "")},
    )

    def routes(self, level: Level, **says: Any) -> tuple[Route, ...]:
        return routes_for(trigger(level, entry(**says)), config(self.given))

    def test_they_are_told_and_nobody_else(self) -> None:
        assert self.routes(Level.CRITICAL, notify={Level.CRITICAL: ("dba",)}) == (Route("pagerduty", OWN),)
        both = {Level.CRITICAL: ("dba", "console", "again")}
        assert self.routes(Level.CRITICAL, notify=both) == (Route("pagerduty", OWN), Route("stdout", ""))

    def test_a_level_without_names_has_the_default(self) -> None:
        default = (Route("pagerduty", GLOBAL), Route("stdout", ""))
        assert self.routes(Level.WARNING, notify={Level.CRITICAL: ("dba",)}) == default

    def test_page_on_still_applies(self) -> None:
        both = {Level.WARNING: ("dba", "console")}
        assert self.routes(Level.WARNING, notify=both, page_on=frozenset({Level.CRITICAL})) == ()


class TestOwnTrouble:
    """That the pager itself is in trouble concerns everybody."""

    def routes(self, given: Settings, *entries: Entry) -> list[str]:
        own = health.own_alert(given).entries[0]
        event = replace(trigger(Level.NO_DATA, own), key=health.GRAPHITE)
        return [route.address for route in routes_for(event, config(given, *entries))]

    def test_it_goes_where_everything_goes(self) -> None:
        assert self.routes(settings(pagerduty_key=GLOBAL), entry(pagerduty_key=OWN)) == [GLOBAL]

    def test_where_only_alerts_have_keys_it_goes_to_each_of_them_once(self) -> None:
        mine, theirs = entry(pagerduty_key=OWN), entry("b", pagerduty_key=PER_LEVEL)
        assert self.routes(settings(), mine, theirs, entry("c", pagerduty_key=OWN)) == [OWN, PER_LEVEL]

    def test_those_who_have_a_name_are_among_them(self) -> None:
        named = {"dba": Route("pagerduty", PER_LEVEL), "again": Route("pagerduty", OWN), "out": Route("stdout", "")}
        own = health.own_alert(settings()).entries[0]
        event = replace(trigger(Level.NO_DATA, own), key=health.GRAPHITE)
        everybody = (Route("pagerduty", OWN), Route("pagerduty", PER_LEVEL), Route("stdout", ""))
        given = settings(notifiers=named)
        assert routes_for(event, config(given, entry(pagerduty_key=OWN))) == everybody
        given = settings(notifiers=named, stdout_enabled=True)
        assert routes_for(event, config(given, entry(pagerduty_key=OWN))) == everybody

    def test_page_on_of_the_alerts_does_not_keep_it_back(self) -> None:
        quiet = entry(page_on=frozenset({Level.CRITICAL}))
        assert self.routes(settings(pagerduty_key=GLOBAL), quiet) == [GLOBAL]
