"""The API: what the pages show, for programs, and silences. Everything is below /api/v1."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, jsonify

from graphitepager import __version__, silencing, vitals
from graphitepager.health import own_alert
from graphitepager.listed import WantedDeliveries, WantedIncidents
from graphitepager.rules import Level
from graphitepager.silences import format_matcher, parse_matcher
from graphitepager.store import listings
from graphitepager.telemetry import log
from graphitepager.web import access
from graphitepager.web.api import models, openapi, shapes
from graphitepager.web.api.operations import Operations
from graphitepager.web.api.problems import Refusal
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from graphitepager.model import Matcher, Silence

T = TypeVar("T")

pages = Blueprint("api", __name__, url_prefix="/api/v1")
operations = Operations(pages)

_NO_SUCH_SILENCE = {404: "There is no silence with this id, or it is over."}


@pages.get("/openapi.json")
def describe() -> Response:
    """The whole API as an OpenAPI document."""
    return jsonify(openapi.document(operations.all, is_guarded=this_site().settings.is_guarded))


@operations.add("GET", "/status", answer=models.Status)
def status() -> models.Status:
    """The pager at one glance."""
    site = this_site()
    glance = site.store().glance(site.clock())
    signs = vitals.vitals(site.configuration(), glance, site.trouble(), site.version())
    return shapes.status(glance, signs, __version__)


@operations.add("GET", "/alerts", query=models.AlertQuery, answer=models.AlertPage)
def alerts(query: models.AlertQuery) -> models.AlertPage:
    """The alerts of alerts.yml by name, and that of the pager itself, each with how its series are."""
    site = this_site()
    config = site.configuration()
    found = [
        one
        for one in shapes.alerts((own_alert(config.settings), *config.alerts), site.store().glance(site.clock()))
        if query.name in {None, one.name} and query.level in {None, one.level.value}
    ]
    begin, end = query.cursor, query.cursor + query.limit
    return models.AlertPage(items=found[begin:end], next=str(end) if end < len(found) else None)


@operations.add("GET", "/incidents", query=models.IncidentQuery, answer=models.IncidentPage)
def incidents(query: models.IncidentQuery) -> models.IncidentPage:
    """Incidents, the newest first, as far as the history goes."""
    wanted = WantedIncidents(
        alerts=shapes.own_names(query.alert),
        series=query.series,
        level=None if query.level is None else Level(query.level),
        is_open=None if query.state is None else query.state == "open",
        since=query.since,
        until=query.until,
    )
    store = this_site().store()
    found = store.ask(listings.list_incidents, wanted, limit=query.limit + 1, before=query.cursor or None)
    items, following = _page(found, query.limit)
    return models.IncidentPage(items=[shapes.incident(one) for one in items], next=following and str(following.id))


@operations.add("GET", "/deliveries", query=models.DeliveryQuery, answer=models.DeliveryPage)
def deliveries(query: models.DeliveryQuery) -> models.DeliveryPage:
    """What was sent, waits, or was given up, the newest first, as far as the history goes."""
    wanted = WantedDeliveries(
        incident_id=query.incident,
        alerts=shapes.own_names(query.alert),
        notifier=query.notifier,
        kind=query.kind,
        status=query.status,
        since=query.since,
        until=query.until,
    )
    store = this_site().store()
    found = store.ask(listings.list_deliveries, wanted, limit=query.limit + 1, before=query.cursor or None)
    items, following = _page(found, query.limit)
    return models.DeliveryPage(items=[shapes.delivery(one) for one in items], next=following and str(following.id))


@operations.add("GET", "/silences", query=models.SilenceQuery, answer=models.SilencePage)
def silences(query: models.SilenceQuery) -> models.SilencePage:
    """Silences, the newest first, as far as the history goes."""
    site = this_site()
    now = site.clock()
    is_over = None if query.state is None else query.state == "ended"
    found = site.store().ask(
        listings.list_silences, now, is_over=is_over, limit=query.limit + 1, before=query.cursor or None
    )
    items, following = _page(found, query.limit)
    return models.SilencePage(items=[shapes.silence(one, now) for one in items], next=following and str(following.id))


@operations.add(
    "GET", "/silences/<int:silence_id>", answer=models.Silence, faults={404: "There is no silence with this id."}
)
def silence(silence_id: int) -> models.Silence:
    """One silence."""
    site = this_site()
    found = site.store().ask(listings.silence, silence_id) if silence_id <= models.LARGEST_ID else None
    if found is None:
        raise Refusal(404, f"There is no silence {silence_id}.")
    return shapes.silence(found, site.clock())


@operations.add(
    "POST",
    "/silences",
    body=models.NewSilence,
    answer=models.AddedSilence,
    status=201,
    faults={422: "The body is JSON, but says no silence: a matcher, a length or a time is wrong."},
)
def add_silence(body: models.NewSilence) -> models.AddedSilence:
    """Silence what all matchers fit, and say what that is."""
    site = this_site()
    now = site.clock().replace(microsecond=0)
    matchers = _matchers(body.matchers)
    begins_at, ends_at = _times(body, now)
    author = body.author or access.named_user()
    if author is None:
        raise _wrong("author", "the login has no name: say who you are")
    added = site.store().add_silence(
        matchers=matchers,
        author=" ".join(author.split()),
        comment=" ".join(body.comment.split()),
        begins_at=begins_at,
        ends_at=ends_at,
    )
    words = " ".join(map(format_matcher, matchers))
    log.info("silence_added", id=added.id, matchers=words, author=author, login=access.user(), address=access.client())
    return _with_preview(added, now)


@operations.add("DELETE", "/silences/<int:silence_id>", status=204, faults=_NO_SUCH_SILENCE)
def end_silence(silence_id: int) -> None:
    """End a silence now; what still fires is told by the next poll."""
    site = this_site()
    ended = site.store().end_silence(silence_id, site.clock()) if silence_id <= models.LARGEST_ID else None
    if ended is None:
        raise Refusal(404, f"There is no silence {silence_id} that could be ended.")
    log.info("silence_ended", id=silence_id, login=access.user(), address=access.client())


def _page(found: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """The items of a page, and the last of them where there are more behind it."""
    return (found[:limit], found[limit - 1]) if len(found) > limit else (found, None)


def _matchers(written: Sequence[str]) -> tuple[Matcher, ...]:
    matchers, faults = [], []
    for number, one in enumerate(written):
        try:
            matchers.append(parse_matcher(one))
        except ValueError as error:
            faults.append(models.Fault(name=f"matchers.{number}", detail=shapes.text(str(error))))
    if faults:
        raise Refusal(422, "There is a matcher that nobody can read.", faults)
    return tuple(matchers)


def _times(body: models.NewSilence, now: datetime) -> tuple[datetime, datetime]:
    begins_at = body.begins_at or now
    if (body.length is None) == (body.ends_at is None):
        raise _wrong("length", "say for how long, or until when: exactly one of length and ends_at")
    if body.length is not None:
        try:
            length = silencing.parse_length(body.length)
            ends_at = begins_at + length
        except (ValueError, OverflowError) as error:
            raise _wrong("length", shapes.text(str(error))) from None
    else:
        assert body.ends_at is not None  # noqa: S101 - for mypy: it is one of the two
        ends_at = body.ends_at
    if not timedelta(0) < ends_at - begins_at <= silencing.LONGEST or ends_at <= now:
        raise _wrong("ends_at", f"it has to end after now, after its begin, and within {silencing.LONGEST.days} days")
    if begins_at > now + silencing.LONGEST:
        raise _wrong("begins_at", f"it begins in more than {silencing.LONGEST.days} days")
    return begins_at, ends_at


def _wrong(name: str, detail: str) -> Refusal:
    return Refusal(422, "There is something wrong with the body.", [models.Fault(name=name, detail=detail)])


def _with_preview(added: Silence, now: datetime) -> models.AddedSilence:
    fits = silencing.preview(added, this_site().store().load())
    shown = shapes.silence(added, now)
    return models.AddedSilence(**shown.model_dump(), known_series=len(fits.known), not_fine=len(fits.not_fine))
