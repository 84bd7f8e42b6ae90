"""A small picture that says how bad it is, for a dashboard or a wiki."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from graphitepager import polling
from graphitepager.rules import Level
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from graphitepager.glance import Glance
    from graphitepager.rules import Config

pages = Blueprint("badge", __name__)

# Dark enough for white letters upon them.
_GREEN, _RED, _ORANGE, _GREY = "#1a7f37", "#b3261e", "#8a5300", "#57606a"
_COLOURS = {Level.CRITICAL: _RED, Level.NO_DATA: _ORANGE, Level.WARNING: _ORANGE}
_HEIGHT, _MARGIN, _LETTER = 20, 7, 6.6
_LONGEST = 40


@pages.get("/badge.svg")
def picture() -> Response:
    """The worst open level and how many incidents there are; of one alert where the address says `?alert=`."""
    site = this_site()
    alert = request.args.get("alert")
    config = site.configuration()
    text, colour = _told(config, site.store().glance(site.clock()), alert)
    title = (alert or "graphite-pager")[:_LONGEST]
    left, right = (round(len(one) * _LETTER) + 2 * _MARGIN for one in (title, text))
    svg = render_template(
        "badge.svg", title=title, text=text, colour=colour, left=left, right=right, height=_HEIGHT, full=alert or title
    )
    return Response(svg, mimetype="image/svg+xml")


def _told(config: Config, glance: Glance, alert: str | None) -> tuple[str, str]:
    if alert is not None and all(one.name != alert for one in config.alerts):
        return "no such alert", _GREY
    poll = glance.poll
    if poll is None or glance.at - poll.started_at > polling.late_after(config.settings):
        return "not polling", _GREY
    counts = Counter(one.level for one in glance.incidents if alert in {None, one.key.alert})
    words = [f"{counts[level]} {level.label.lower()}" for level in _COLOURS if counts[level]]
    worst = next((level for level in _COLOURS if counts[level]), None)
    return (", ".join(words), _COLOURS[worst]) if worst else ("nothing fires", _GREEN)
