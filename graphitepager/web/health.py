"""Whether the pages are alive, and whether a pager polls in time: for those who watch, without a login or a secret."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from graphitepager import polling
from graphitepager.deadlines import run_within
from graphitepager.durations import format_duration
from graphitepager.errors import StoreError
from graphitepager.telemetry import log
from graphitepager.web import access
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from graphitepager.records import PollSummary
    from graphitepager.web.site import Site

pages = Blueprint("health", __name__)

# Whoever asks gives up soon after.
_PATIENCE_S = 3.0
_ASKING = threading.Lock()


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
        last = _last_poll(site)
    except TimeoutError:
        return _told(f"the database has not answered within {_PATIENCE_S:g} s", 503)
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


def _last_poll(site: Site) -> PollSummary | None:
    """Ask the database, which may hang; TimeoutError then. However often anybody asks, one thread waits for it."""
    if not _ASKING.acquire(timeout=_PATIENCE_S):
        raise TimeoutError

    def ask() -> PollSummary | None:
        try:
            return site.store().last_poll()
        finally:
            _ASKING.release()

    return run_within(_PATIENCE_S, ask)


def _told(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")
