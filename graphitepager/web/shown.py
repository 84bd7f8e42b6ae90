"""How names, moments and lengths of time are shown on every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from graphitepager.printable import encodable, printable
from graphitepager.telemetry import scrub
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from flask import Flask

_LONGEST_NAME = 120
_DAY = timedelta(days=1)


def install(app: Flask) -> None:
    """Give the templates these as filters."""
    app.jinja_env.filters.update(name=name, ago=ago, since=since, moment=moment, words=words)


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
    return Markup('<bdi title="{}">{}…{}</bdi>').format(text[:2000], text[:half], text[-half:])


def moment(at: datetime) -> Markup:
    """A time of day, and the day where it is not today's."""
    now = this_site().clock()
    text = (
        f"{at:%H:%M}" if at.date() == now.date() else f"{at:%d %b %H:%M}" if now - at < 300 * _DAY else f"{at:%Y-%m-%d}"
    )
    return _time(at, text)


def ago(at: datetime) -> Markup:
    """`3 min ago`, or `in 5 min`."""
    length = this_site().clock() - at
    return _time(at, f"{span(length)} ago" if length >= timedelta(0) else f"in {span(-length)}")


def since(at: datetime) -> Markup:
    """For how long: `3 min`."""
    return _time(at, span(this_site().clock() - at))


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `45 s`, `12 min`, `3 h 20 min`, `5 d 2 h`."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not hours:
        return f"{minutes} min"
    if not days:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def _time(at: datetime, text: str) -> Markup:
    at = at.astimezone(UTC)
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), exact, escape(text)
    )
