"""Charts for messages: whoever has such an address sees a series as it was when it paged, and nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app
from werkzeug.exceptions import NotFound, TooManyRequests

from graphitepager.chartlinks import charted
from graphitepager.curves import Curve
from graphitepager.errors import FetchError
from graphitepager.reports.chartlayout import Picture
from graphitepager.reports.chartpng import chart_png
from graphitepager.reports.charts import chart_svg
from graphitepager.web.access import client, public
from graphitepager.web.pace import Pace
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from flask import Flask

    from graphitepager.chartlinks import Charted

pages = Blueprint("charts", __name__)

# Chats give up after some three seconds.
_PATIENCE_S = 2.0
_FROM_ONE, _IN_ALL = 30, 120
_LONGEST_TOKEN = 2_000
_A_DAY = "private, max-age=86400, immutable"
# Those who show it are elsewhere.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@pages.record_once
def _install(state: object) -> None:
    app: Flask = state.app  # type: ignore[attr-defined]  # Flask's BlueprintSetupState
    app.extensions["chart_pace"] = Pace(_FROM_ONE, _IN_ALL)


@pages.get("/charts/<token>.png")
@public
def png(token: str) -> Response:
    """For chats and mails."""
    picture, headers = _picture(_wanted(token))
    return Response(chart_png(picture), content_type="image/png", headers=headers)


@pages.get("/charts/<token>.svg")
@public
def svg(token: str) -> Response:
    """The same for browsers, which make it light or dark."""
    picture, headers = _picture(_wanted(token))
    return Response(chart_svg(picture), content_type="image/svg+xml; charset=utf-8", headers=headers)


def _wanted(token: str) -> Charted:
    site = this_site()
    pace: Pace = current_app.extensions["chart_pace"]
    if wait_s := pace.wait_s(client(), time.monotonic()):
        raise TooManyRequests("Too many charts in a minute. Wait a little.", retry_after=int(wait_s) + 1)
    found = charted(token, site.secret(), site.clock()) if len(token) <= _LONGEST_TOKEN else None
    if found is None:
        raise NotFound("This address is not one of ours, or too old.")
    return found


def _picture(wanted: Charted) -> tuple[Picture, dict[str, str]]:
    """What there is to draw. Where Graphite says nothing the picture says why: a page must not fail for its chart."""
    outcome = this_site().past.of(wanted.key, wanted.begin, wanted.end, _PATIENCE_S)
    is_there = not isinstance(outcome, FetchError)
    alert, series = wanted.key.words
    picture = Picture(
        name=f"{alert}: {series}",
        heading=f"{alert}: {series}",
        curve=Curve(int(wanted.begin.timestamp()), 60, ()) if isinstance(outcome, FetchError) else outcome.curve,
        entry=None if isinstance(outcome, FetchError) else outcome.entry,
        begin=wanted.begin,
        end=wanted.end,
        note=outcome.reason if isinstance(outcome, FetchError) else "",
        height=300,
    )
    return picture, _HEADERS | {"Cache-Control": _A_DAY if is_there else "no-store"}
