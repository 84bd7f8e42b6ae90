"""What the pages are made of, and where a view finds it: the database, the configuration, the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from graphitepager.config import Loaded
    from graphitepager.pastcurves import PastCurves
    from graphitepager.rules import Config
    from graphitepager.store import Store
    from graphitepager.trends import Trends
    from graphitepager.websettings import Address, WebSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that a page may ask.

    `store` opens the pager's database, or raises StoreError, which becomes a page. `configuration` is the alerts.yml
    that is good now, `loaded` is how it is written, `version` names it, and `trouble` says what is wrong with the file
    where it is not that one. `settings` are those of the start: a reload lets nobody in. `secret` signs forms and
    links. `trends` knows the last hour of what is looked at, `past` any other time of a series; both ask Graphite in
    threads of their own. `incident_url` is where PagerDuty shows the incident with a dedup key, as far as that is
    known; it never waits.
    """

    store: Callable[[], Store]
    configuration: Callable[[], Config]
    loaded: Callable[[], Loaded]
    trouble: Callable[[], str | None]
    version: Callable[[], str | None]
    clock: Callable[[], datetime]
    settings: WebSettings
    address: Address
    secret: Callable[[], str]
    trends: Trends
    past: PastCurves
    incident_url: Callable[[str], str | None] = lambda _: None


def this_site() -> Site:
    """The site whose page is being made."""
    site: Site = current_app.extensions["site"]
    return site
