"""The page of an alert: its series, its last day, what alerts.yml says of it, and how often it paged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request

from graphitepager import explaining, findings, overview, roster
from graphitepager.config.plainyaml import written_out
from graphitepager.findings import Asked, Question
from graphitepager.listed import WantedIncidents
from graphitepager.messages import graph_link
from graphitepager.reports import story
from graphitepager.reports.weekbars import week_bars
from graphitepager.store import lastpoll
from graphitepager.store.chronicles import noise, told_incidents
from graphitepager.telemetry import scrub
from graphitepager.vitals import Condition, polling
from graphitepager.web.named import alert_named, is_own
from graphitepager.web.shown import show_at
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphitepager.config import Loaded
    from graphitepager.model import SeriesKey
    from graphitepager.roster import Member
    from graphitepager.rules import Alert
    from graphitepager.store import Store
    from graphitepager.vitals import Vital
    from graphitepager.web.named import Named

pages = Blueprint("alerts", __name__)

_ON_A_PAGE = 50
_INCIDENTS = 20
_WEEKS = 12
_LONGEST_TEXT = 200
_LARGEST_PAGE = 1_000_000
# How long the page of a series waits for Graphite, which is asked in another thread.
_PATIENCE_S = 2.0

STATES = {
    "firing": "Firing",
    "unheard": "Held back",
    "no-data": "No data",
    "pending": "About to fire",
    "recovering": "Recovering",
    "stale": "No new data",
    "ok": "Nominal",
}


class _Written(NamedTuple):
    """An entry as alerts.yml has it when all is written out, and where to see what it asks for."""

    place: str
    yaml: str
    target: str
    graph: str
    raw: str


@pages.get("/alerts/<path:name>")
def page(name: str) -> str:
    """Show an alert; `q`, `state` and `page` choose among its series, `series` the one of the chart."""
    site = this_site()
    config = site.configuration()
    named = alert_named(name, config)
    store = site.store()
    now = show_at(site.clock())
    weeks = weeks_before(now, _WEEKS)
    everyone = _members(named, store, now)
    told = store.ask(told_incidents, WantedIncidents(alerts=(named.name,)), limit=_INCIDENTS)
    if named.alert is None and not told and not everyone:
        abort(404, "There is no alert of this name, and nobody remembers one.")
    text, state = request.args.get("q", "")[:_LONGEST_TEXT], request.args.get("state", "")
    found = roster.fitting(everyone, text.strip(), state)
    number = _page_number()
    shown = found[(number - 1) * _ON_A_PAGE : number * _ON_A_PAGE]
    return render_template(
        "alert.html",
        name=name,
        stopped=_stopped(store, now),
        named=named,
        is_own=is_own(named),
        counts=roster.counted(everyone),
        states=STATES,
        everyone=len(everyone),
        found=len(found),
        members=shown,
        number=number,
        pages=-(-len(found) // _ON_A_PAGE),
        wanted={"q": text, "state": state},
        charted=None if is_own(named) or named.alert is None else _charted(everyone),
        entries=_written(named.alert, site.loaded()) if named.alert and not is_own(named) else [],
        incidents=told,
        weeks=store.ask(noise, weeks, named.name).weeks.get(named.name, ()),
        week_bars=week_bars,
    )


@pages.get("/alerts/<path:alert>/series")
def series(alert: str) -> str:
    """Show one series, `name` of the query, with all that led to its pages."""
    if "name" not in request.args:  # an alert whose own name ends so
        return page(f"{alert}/series")
    site = this_site()
    config = site.configuration()
    named = alert_named(alert, config)
    now = show_at(site.clock())
    store = site.store()
    asked = None
    if named.alert is not None and not is_own(named):
        asked = Asked(named.alert, site.past.answers(named.alert, _PATIENCE_S))
    question = Question(
        alert_name=named.name, series=request.args.get("name", ""), alert=named.alert, at=now, is_past=False
    )
    facts = findings.facts_of(question, asked, store.load(), store, config.settings)
    place = findings.place_of(site.loaded(), facts.alert, facts.entry)
    described = story.described(facts, place=place, points=(), url=config.settings.graphite_url)
    return render_template(
        "series.html",
        name=alert,
        stopped=_stopped(store, now),
        series=facts.key.words[1],
        key=facts.key,
        has_chart=asked is not None and facts.key.is_series,
        verdict=explaining.verdict(facts),
        described=[(title, text) for title, text in described if title != "graph"],
        graph=graph_link(config.settings.graphite_url, facts.entry) if facts.entry and asked else None,
        events=story.events(facts)[::-1],
        incidents=store.ask(
            told_incidents, WantedIncidents(alerts=(named.name,), series=facts.key.series), limit=_INCIDENTS
        ),
        state=facts.reading.level if facts.reading else None,
    )


def weeks_before(now: datetime, count: int) -> list[datetime]:
    """The Mondays on which the last weeks began, this one last."""
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    monday = today - timedelta(days=today.weekday())
    return [monday - timedelta(weeks=ago) for ago in range(count - 1, -1, -1)]


def _stopped(store: Store, now: datetime) -> Vital | None:
    """That nobody polls, where that is so: what is known is old then."""
    sign = polling(this_site().configuration(), store.ask(lastpoll.whole), now)
    return None if sign.condition is Condition.GOOD else sign


def _members(named: Named, store: Store, now: datetime) -> list[Member]:
    """Every series that is known of it, and what is not fine."""
    glance = store.glance(now)
    states = glance.states.get(named.name, {})
    known = store.known_series([named.name])
    config = this_site().configuration()
    own = replace(config, alerts=(named.alert,) if named.alert and not is_own(named) else ())
    rows = overview.rows(own, replace(glance, states={named.name: states} if states else {}), known)
    names = [name for of_target in known.get(named.name, {}).values() for name in of_target]
    return roster.members(named.name, names, rows)


def _charted(everyone: Sequence[Member]) -> SeriesKey | None:
    """The series of the chart: the one that is asked for, or the worst."""
    wanted = request.args.get("series")
    keys = [one.key for one in everyone if one.key.is_series]
    return next((key for key in keys if key.series == wanted), keys[0] if keys else None)


def _written(alert: Alert, loaded: Loaded) -> list[_Written]:
    """Its entries in their order."""
    url = this_site().configuration().settings.graphite_url
    found = []
    for entry, number in zip(alert.entries, loaded.pointer.numbers.get(alert.name, ()), strict=False):
        data, origin = loaded.entries[number]
        window = {"target": entry.query.target, "from": entry.query.from_, "format": "raw"}
        if entry.query.until:
            window["until"] = entry.query.until
        found.append(
            _Written(
                place=f"{origin.place.source}:{origin.place.line}",
                yaml=scrub(written_out(data, origin)) if isinstance(data, dict) else "",
                target=entry.query.target,
                graph=graph_link(url, entry),
                raw=f"{url.rstrip('/')}/render?{urlencode(window)}",
            )
        )
    return found


def _page_number() -> int:
    text = request.args.get("page", "1")
    return min(max(int(text), 1), _LARGEST_PAGE) if text.isdecimal() and len(text) < 9 else 1  # noqa: PLR2004 - digits
