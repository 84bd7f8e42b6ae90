"""Which notifier hears of an event, and at which address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.model import OWN, Event, EventKind
from graphitepager.rules import Entry, Level, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphitepager.rules import Config, Settings


def routes_for(event: Event, config: Config) -> tuple[Route, ...]:
    """Say where a trigger goes; nowhere, while something holds it back.

    What follows a trigger has no routes of its own: it goes wherever that went, which the store knows.
    """
    if event.kind is not EventKind.TRIGGERED or event.entry is None or event.held_by is not None:
        return ()
    entries = (event.entry, *event.others)
    return tuple(
        dict.fromkeys(route for one in entries for route in _routes(event.key.alert, one, event.level, config))
    )


def pagerduty_key(entry: Entry, level: Level, settings: Settings) -> str | None:
    """Choose the routing key: the entry's own wins, then the level's, then the one for everything."""
    return entry.pagerduty_key or settings.pagerduty_keys.get(level) or settings.pagerduty_key


def _routes(alert: str, entry: Entry, level: Level, config: Config) -> Iterator[Route]:
    if level in entry.notify:  # instead of the default, with nothing besides
        names = entry.notify[level] if level in entry.page_on else ()
        yield from dict.fromkeys(config.settings.notifiers[name] for name in names)
        return
    key = pagerduty_key(entry, level, config.settings)
    if level in entry.page_on:
        if key:
            yield Route("pagerduty", key)
        elif alert == OWN:
            yield from _everybody(config)
    if config.settings.stdout_enabled:
        yield Route("stdout", "")


def _everybody(config: Config) -> list[Route]:
    """All of the file: where there is no key for everything, everyone is told that the pager itself is in trouble."""
    keys = [*config.settings.pagerduty_keys.values()]
    keys += [key for alert in config.alerts for entry in alert.entries if (key := entry.pagerduty_key)]
    routes = [*(Route("pagerduty", key) for key in keys), *config.settings.notifiers.values()]
    has_stdout = config.settings.stdout_enabled  # which is told anyway
    return [route for route in dict.fromkeys(routes) if not (has_stdout and route.notifier == "stdout")]
