"""What the status page is made of, whichever process serves it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphitepager.cli import configuration
from graphitepager.pastcurves import PastCurves
from graphitepager.store.glances import version_of
from graphitepager.trends import Trends
from graphitepager.web import create_app
from graphitepager.web.incidentlinks import IncidentLinks
from graphitepager.web.opening import LateStore
from graphitepager.web.site import Site

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from graphitepager.alertsfile import AlertsFile
    from graphitepager.config import Loaded
    from graphitepager.records import KeptConfig
    from graphitepager.rules import Config
    from graphitepager.websettings import Address

# Of the few threads that serve pages, how many may wait for Graphite at the same time.
_WAITING_FOR_CHARTS = 1


def make_pages(file: AlertsFile, address: Address, url: Any) -> WSGIApplication:
    """The pages of this alerts.yml and the database at this URL."""
    return create_app(_site(file, address, url)).wsgi_app


def _site(file: AlertsFile, address: Address, url: Any) -> Site:
    settings = file.config.settings.web
    store = LateStore(url)

    def current() -> Config:
        return file.config

    return Site(
        store=store,
        configuration=current,
        loaded=lambda: _loaded(file.kept),
        trouble=lambda: file.trouble,
        version=lambda: version_of(file.kept.text),
        clock=_now,
        settings=settings,
        address=address,
        secret=lambda: settings.secret or store().secret(),
        trends=Trends(current, _now),
        incident_url=IncidentLinks(lambda: file.config.settings),
        past=PastCurves(current, _now, waiting=_WAITING_FOR_CHARTS),
    )


@lru_cache(maxsize=1)
def _loaded(kept: KeptConfig) -> Loaded:
    """How the alerts.yml that is good now is written."""
    return configuration.load(kept.text, kept.source, needs_graphite=False)


def _now() -> datetime:
    return datetime.now(UTC)
