"""What the status page is made of, whichever process serves it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from graphitepager.store.glances import version_of
from graphitepager.web import create_app
from graphitepager.web.opening import LateStore
from graphitepager.web.site import Site

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from graphitepager.alertsfile import AlertsFile
    from graphitepager.websettings import Address


def make_pages(file: AlertsFile, address: Address, url: Any) -> WSGIApplication:
    """The pages of this alerts.yml and the database at this URL."""
    return create_app(_site(file, address, url)).wsgi_app


def _site(file: AlertsFile, address: Address, url: Any) -> Site:
    settings = file.config.settings.web
    store = LateStore(url)
    return Site(
        store=store,
        configuration=lambda: file.config,
        trouble=lambda: file.trouble,
        version=lambda: version_of(file.kept.text),
        clock=lambda: datetime.now(UTC),
        settings=settings,
        address=address,
        secret=lambda: settings.secret or store().secret(),
    )
