"""Whether the pages are alive, and whether a pager polls in time: for those who watch, without a login or a secret."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response

from graphitepager import polling
from graphitepager.durations import format_duration
from graphitepager.errors import StoreError
from graphitepager.telemetry import log
from graphitepager.web import access
from graphitepager.web.site import this_site

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@access.public
def alive() -> Response:
    """Answer, and touch nothing: whoever restarts this process for a database that is down helps nobody."""
    return _told("ok", 200)


@pages.get("/readyz")
@access.public
def ready() -> Response:
    """Whether the last poll was in time, as the database tells it; by the rule of `graphite-pager healthcheck`."""
    site = this_site()
    try:
        last = site.store().last_poll()
    except StoreError as error:
        log.warning("page_without_database", path="/readyz", reason=str(error))
        return _told("the database cannot be read; the log of this process says why", 503)
    if last is None:
        return _told("no poll yet", 503)
    allowed = polling.late_after(site.configuration().settings)
    ago = max(site.clock() - last.started_at, timedelta(0))
    words = f"last poll {format_duration(timedelta(seconds=round(ago.total_seconds())))} ago"
    if ago > allowed:
        return _told(f"{words}, which is more than {format_duration(allowed)}", 503)
    return _told(words, 200)


def _told(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
