"""Which notifier hears of an event, and at which address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphitepager.model import Entry, Event, EventKind, Level, Route, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


def routes_for(event: Event, settings: Settings) -> tuple[Route, ...]:
    """Say where a trigger goes.

    A resolve has no routes of its own: it goes wherever its trigger went, which the store knows.
    """
    if event.kind is not EventKind.TRIGGERED or event.entry is None:
        return ()
    return tuple(_routes(event.entry, event.level, settings))


def pagerduty_key(entry: Entry, level: Level, settings: Settings) -> str | None:
    """Choose the routing key: the entry's own wins, then the level's, then the one for everything."""
    return entry.pagerduty_key or settings.pagerduty_keys.get(level) or settings.pagerduty_key


def _routes(entry: Entry, level: Level, settings: Settings) -> Iterator[Route]:
    key = pagerduty_key(entry, level, settings)
    if key and level in entry.page_on:
        yield Route("pagerduty", key)
    if settings.stdout_enabled:
        yield Route("stdout", "")
