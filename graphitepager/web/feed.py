"""The newest incidents as an Atom feed (RFC 4287)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, request, url_for

from graphitepager.listed import WantedIncidents
from graphitepager.store import listings
from graphitepager.web.shown import alert_link, series_link, words
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from graphitepager.listed import ListedIncident

pages = Blueprint("feed", __name__)

_ATOM = "http://www.w3.org/2005/Atom"
_MOST = 100
# Any: every feed and incident gets a number of its own below it, the same for ever.
_NAMESPACE = uuid.UUID("6f1c2d1e-55a0-4f0e-9d1f-0d6c7f4b8f10")
_EPOCH = datetime.fromtimestamp(0, UTC)


@pages.get("/feed.atom")
def newest() -> Response:
    """Each incident is an entry, which is updated when it ends."""
    site = this_site()
    incidents = site.store().ask(listings.list_incidents, WantedIncidents(), limit=_MOST)
    feed = ET.Element("feed", xmlns=_ATOM)
    page = _absolute(url_for("front.page"))
    _text(feed, "id", _urn(page))
    _text(feed, "title", "Incidents of graphite-pager")
    _text(feed, "updated", _time(max((_updated(one) for one in incidents), default=_EPOCH)))
    ET.SubElement(ET.SubElement(feed, "author"), "name").text = "graphite-pager"
    ET.SubElement(feed, "link", href=_absolute(url_for("feed.newest")), rel="self", type="application/atom+xml")
    ET.SubElement(feed, "link", href=page, rel="alternate", type="text/html")
    for one in incidents:
        feed.append(_entry(one))
    body = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return Response(body, mimetype="application/atom+xml")


def _entry(one: ListedIncident) -> ET.Element:
    alert, series = map(words, one.key.words)
    entry = ET.Element("entry")
    ended = "" if one.closed_at is None else "Ended: "
    _text(entry, "id", _urn(f"{one.dedup_key} {one.id} {one.opened_at.isoformat()}"))
    _text(entry, "title", f"{ended}{one.level.label} {alert}: {series}")
    _text(entry, "published", _time(one.opened_at))
    _text(entry, "updated", _time(_updated(one)))
    page = _absolute(series_link(*one.key.words) if one.key.is_series else alert_link(one.key.words[0]))
    ET.SubElement(entry, "link", href=page, rel="alternate", type="text/html")
    ET.SubElement(entry, "category", term=one.level.value)
    _text(entry, "summary", _summary(one))
    return entry


def _summary(one: ListedIncident) -> str:
    parts = [f"Opened at {one.opened_at:%Y-%m-%d %H:%M:%S} UTC"]
    if one.value is not None:
        parts.append(f"at a value of {one.value:g}")
    if one.closed_at is not None:
        parts.append(f"ended at {one.closed_at:%Y-%m-%d %H:%M:%S} UTC: {words(one.close_reason or 'no reason given')}")
    if one.held_by is not None:
        parts.append(f"nobody was told: {words(one.held_by)}")
    return ", ".join(parts) + "."


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text


def _updated(one: ListedIncident) -> datetime:
    return one.closed_at or one.opened_at


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _urn(name: str) -> str:
    return uuid.uuid5(_NAMESPACE, name.encode("utf-8", "backslashreplace").decode()).urn


def _absolute(path: str) -> str:
    """A link that works outside of the browser, too."""
    public = urlsplit(this_site().settings.public_url or "")
    root = f"{public.scheme}://{public.netloc}" if public.netloc else request.host_url.rstrip("/")
    return root + path
