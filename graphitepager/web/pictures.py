"""The chart of a series as a file of its own: asked for by pages, which do not wait for Graphite."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from graphitepager.curves import Curve
from graphitepager.errors import FetchError
from graphitepager.listed import WantedIncidents
from graphitepager.model import SeriesKey
from graphitepager.reports.chartlayout import Picture
from graphitepager.reports.charts import chart_svg
from graphitepager.reports.chartspans import of_incidents, of_mutes
from graphitepager.store.listings import list_incidents
from graphitepager.web.named import alert_named
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from datetime import datetime

    from graphitepager.reports.chartlayout import Span
    from graphitepager.rules import Entry

pages = Blueprint("pictures", __name__)

_PATIENCE_S = 6.0
_MOST_INCIDENTS = 200
_LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_NARROW, _WIDE = (360, 220), (760, 260)
# Its style is in it, and nothing else is to be done with it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@pages.get("/alerts/<path:name>/chart.svg")
def chart(name: str) -> Response:
    """Draw the last day of `series`; `time` may be hour or week, and `narrow` is for a phone."""
    site = this_site()
    named = alert_named(name, site.configuration())
    key = SeriesKey(named.name, request.args.get("series", ""))
    end = site.clock()
    begin = end - _LENGTHS.get(request.args.get("time", "day"), _LENGTHS["day"])
    outcome = site.past.of(key, begin, end, _PATIENCE_S)
    entry = None if isinstance(outcome, FetchError) else outcome.entry
    width, height = _NARROW if "narrow" in request.args else _WIDE
    picture = Picture(
        name=", ".join(key.words),
        curve=Curve(int(begin.timestamp()), 60, ()) if isinstance(outcome, FetchError) else outcome.curve,
        entry=entry,
        begin=begin,
        end=end,
        spans=_spans(key, entry, begin, end),
        note=outcome.reason if isinstance(outcome, FetchError) else "",
        width=width,
        height=height,
    )
    return as_svg(picture)


def as_svg(picture: Picture) -> Response:
    """The picture, which may do nothing where it is opened by itself."""
    headers = {"Content-Security-Policy": _POLICY}
    return Response(chart_svg(picture), content_type="image/svg+xml; charset=utf-8", headers=headers)


def _spans(key: SeriesKey, entry: Entry | None, begin: datetime, end: datetime) -> list[Span]:
    store = this_site().store()
    wanted = WantedIncidents(alerts=(key.alert,), series=key.series, since=begin, until=end)
    found = store.ask(list_incidents, wanted, limit=_MOST_INCIDENTS)
    return [*of_mutes(key, entry, store.silences(), begin, end), *of_incidents(reversed(found))]
