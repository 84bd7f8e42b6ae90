"""How names, moments and lengths of time are shown on every page."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import g, request, url_for
from markupsafe import Markup

from graphitepager.model import SeriesKey
from graphitepager.printable import encodable, printable
from graphitepager.reports.charts import sparkline_svg
from graphitepager.silences import format_matcher
from graphitepager.telemetry import scrub
from graphitepager.thresholds import format_value
from graphitepager.vitals import NOTIFIER_NAMES
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from flask import Flask

    from graphitepager.overview import Row
    from graphitepager.rules import Entry

_LONGEST_NAME = 120
_WORTH_NO_FRACTION = timedelta(seconds=10)
# How far back among its datapoints a value may be called the newest.
_NEWEST = 3
_LONGEST_TITLE = 2500
_MOST_OF_A_YEAR = timedelta(days=300)


def install(app: Flask) -> None:
    """Give the templates these as filters."""
    app.jinja_env.filters.update(
        matcher=format_matcher,
        notifier=notifier,
        name=name,
        ago=ago,
        since=since,
        until=until,
        moment=moment,
        words=words,
        plural=plural,
        span=span,
        latency=latency,
        own=own,
        clock=clock,
    )
    app.jinja_env.globals.update(
        now=now,
        alert_link=alert_link,
        silence_link=silence_link,
        incident_link=incident_link,
        sparkline=sparkline,
        trend=trend,
        latest=latest,
        moved=moved,
        series_link=series_link,
    )


def now() -> datetime:
    """The moment of which this page tells."""
    if "now" not in g:
        g.now = this_site().clock()
    moment: datetime = g.now
    return moment


def show_at(at: datetime) -> datetime:
    """Have the page tell of this moment, and return it."""
    g.now = at
    return at


def words(text: str) -> str:
    """Any text on one line, without control characters and secrets."""
    return printable(encodable(scrub(text)))


def name(text: str, longest: int = _LONGEST_NAME) -> Markup:
    """A name that somebody else has chosen: on one line, kept apart from the direction of the text around it.

    What is too long is cut in the middle, with the whole in its title.
    """
    text = words(text)
    if len(text) <= longest:
        return Markup("<bdi>{}</bdi>").format(text)
    half = longest // 2
    return Markup('<bdi title="{}">{}…{}</bdi>').format(text[:_LONGEST_TITLE], text[:half], text[-half:])


def plural(count: int, one: str, many: str = "") -> str:
    """`1 query`, `2 queries`; without another word for many, the same one."""
    return f"{count} {one if count == 1 or not many else many}"


def moment(at: datetime) -> Markup:
    """A time of day in UTC, and the day where it is not today's."""
    length = abs(now() - at)
    day = "" if at.date() == now().date() else f"{at:%d %b} " if length < _MOST_OF_A_YEAR else f"{at:%Y-%m-%d} "
    return _time(at, f"{day}{at:%H:%M} UTC")


def ago(at: datetime) -> Markup:
    """`3 min ago`."""
    return _time(at, f"{span(now() - at)} ago", "ago")


def since(at: datetime) -> Markup:
    """For how long: `3 min`."""
    return _time(at, span(now() - at), "since")


def until(at: datetime) -> Markup:
    """How long it still takes: `in 3 min`, or `now`."""
    length = at - now()
    return _time(at, f"in {span(length)}" if length > timedelta(0) else "any moment now", "until")


def clock(at: datetime) -> str:
    """For what is so often on a page that it has to be short: `18 min`."""
    return span(now() - at)


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `45 s`, `12 min`, `3 h 20 min`, `5 d 2 h`."""
    minutes, seconds = divmod(max(int(length.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def latency(length: timedelta) -> str:
    """How long something took: `0.42 s`, and from ten seconds on as any other time."""
    return span(length) if length >= _WORTH_NO_FRACTION else f"{max(length.total_seconds(), 0):.2g} s"


def own(alert: str) -> str:
    """The name of an alert as people know it."""
    return SeriesKey(alert, "").words[0]


def alert_link(alert: str) -> str:
    """Where the page of an alert is."""
    return url_for("alerts.page", name=encodable(alert))


def latest(key: SeriesKey, entry: Entry) -> str:
    """The newest value of its last hour, as far as that is known."""
    curve = this_site().trends.of(key)
    values = [] if curve is None else [value for value in curve.values[-_NEWEST:] if not math.isnan(value)]
    return format_value(values[-1], entry.critical or entry.warning) if values else ""


def moved(**changed: str | int | None) -> str:
    """The address of this page with other parameters; None takes one away."""
    # Not by url_for, to which `endpoint` or `_scheme` in somebody's address would mean something.
    asked = {**request.args.to_dict(), **changed}
    given = urlencode({name: value for name, value in asked.items() if value is not None}, errors="replace")
    path = url_for(request.endpoint or "front.page", **(request.view_args or {}))
    return f"{path}?{given}" if given else path


def series_link(alert: str, series: str) -> str:
    """Where the page of a series is."""
    return url_for("alerts.series", alert=encodable(alert), name=encodable(series))


def silence_link(alert: str, series: str | None = None) -> str:
    """Where a silence of an alert, or of one of its series, is begun."""
    return url_for("silencing.begin", alert=alert, series=series)


def incident_link(row: Row) -> str | None:
    """Where PagerDuty shows the incident of a row, as far as that is known."""
    return this_site().incident_url(row.incident.dedup_key) if row.incident else None


def sparkline(row: Row) -> Markup:
    """The last hour of a row, with its threshold, as far as that is known."""
    return trend(row.key, row.entry)


def trend(key: SeriesKey, entry: Entry | None) -> Markup:
    """The last hour of a series; nothing until Graphite has been asked for it."""
    curve = this_site().trends.of(key)
    return Markup() if curve is None else sparkline_svg(curve, entry)


def notifier(name: str) -> str:
    """The name of a notifier as people write it."""
    return NOTIFIER_NAMES.get(name, name)


def _time(at: datetime, text: str, kind: str = "") -> Markup:
    """`kind` lets the script renew the text while the page stands."""
    at = at.astimezone(UTC)
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    renewed = Markup(' data-is="{}"').format(kind) if kind else ""
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", exact, renewed, text)
