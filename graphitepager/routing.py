"""Which notifier hears of an event, and at which address."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from graphitepager import globs, mutewindows
from graphitepager.model import OWN, Event, EventKind
from graphitepager.rules import Entry, Level, Route
from graphitepager.wording import words_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from graphitepager.rules import Config, Rule, Settings


def routes_for(event: Event, config: Config, told_at: datetime | None = None) -> tuple[Route, ...]:
    """Say where a trigger goes; nowhere, while something holds it back.

    `told_at` is when it was told, where that is past: rules that depend on the time go by that.

    What follows a trigger has no routes of its own: it goes wherever that went, which the store knows.
    """
    if event.kind is not EventKind.TRIGGERED or event.entry is None or event.held_by is not None:
        return ()
    events = [replace(event, at=told_at or event.at, entry=entry) for entry in (event.entry, *event.others)]
    return tuple(dict.fromkeys(route for one in events if one.entry for route in _routes(one, one.entry, config)))


def passed_on(routes: Iterable[Route], settings: Settings) -> frozenset[Route]:
    """These routes, and all that what they are told may be passed on to."""
    reached = set(routes)
    new = set(reached)
    while new:
        known = [settings.handling[route] for route in new if route in settings.handling]
        new = {to for one in known for to in (one.fallback, one.escalate_to) if to is not None} - reached
        reached |= new
    return frozenset(reached)


def digests(routes: Iterable[Route], level: Level, settings: Settings) -> dict[Route, timedelta]:
    """For how long what is told at this level is collected, of the routes where it is: only warnings can wait."""
    if level is not Level.WARNING:
        return {}
    known = ((route, settings.handling[route].digest) for route in routes if route in settings.handling)
    return {route: digest for route, digest in known if digest is not None}


def pagerduty_key(entry: Entry, level: Level, settings: Settings) -> str | None:
    """Choose the routing key: the entry's own wins, then the level's, then the one for everything."""
    return entry.pagerduty_key or settings.pagerduty_keys.get(level) or settings.pagerduty_key


def slack_url(entry: Entry, level: Level, settings: Settings) -> str | None:
    """Choose the webhook in the same way. Slack hears every level: `page_on` is about paging."""
    return entry.slack_url or settings.slack_urls.get(level) or settings.slack_url


def _routes(event: Event, entry: Entry, config: Config) -> Iterator[Route]:
    alert, level = event.key.alert, event.level
    notified = entry.notify.get(level) or _ruled(event, entry, config.settings)
    if notified:  # instead of the default, with nothing besides
        names = notified if level in entry.page_on else ()
        yield from dict.fromkeys(config.settings.notifiers[name] for name in names)
        return
    key, url = pagerduty_key(entry, level, config.settings), slack_url(entry, level, config.settings)
    if key and level in entry.page_on:
        yield Route("pagerduty", key)
    if url:
        yield Route("slack", url)
    if alert == OWN and not key:
        yield from (route for route in _everybody(config) if route != Route("slack", url or ""))
    if config.settings.stdout_enabled:
        yield Route("stdout", "")


def _ruled(event: Event, entry: Entry, settings: Settings) -> tuple[str, ...]:
    """Whom the first rule names that fits; nobody for an entry with a place of its own."""
    if not settings.rules or entry.pagerduty_key or entry.slack_url:
        return ()
    labels = words_for(event).labels
    return next((rule.notify for rule in settings.rules if _fits(rule, event, labels)), ())


def _fits(rule: Rule, event: Event, labels: Mapping[str, str]) -> bool:
    return (
        event.level in rule.levels
        and (not rule.windows or mutewindows.open_window(rule.windows, event.level, event.at) is not None)
        and all(
            name in labels and globs.compiled(pattern).fullmatch(labels[name]) for name, pattern in rule.labels.items()
        )
    )


def _everybody(config: Config) -> list[Route]:
    """All of the file: where there is no key for everything, everyone is told that the pager itself is in trouble."""
    keys = [*config.settings.pagerduty_keys.values()]
    keys += [key for alert in config.alerts for entry in alert.entries if (key := entry.pagerduty_key)]
    urls = [*config.settings.slack_urls.values()]
    urls += [url for alert in config.alerts for entry in alert.entries if (url := entry.slack_url)]
    routes = [*(Route("pagerduty", key) for key in keys), *(Route("slack", url) for url in urls)]
    routes += config.settings.notifiers.values()
    has_stdout = config.settings.stdout_enabled  # which is told anyway
    return [route for route in dict.fromkeys(routes) if not (has_stdout and route.notifier == "stdout")]
