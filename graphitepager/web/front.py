"""The front page: whether the pager is well, and what is not fine."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from flask import Blueprint, render_template, request

from graphitepager import overview
from graphitepager.overview import Section, Wanted
from graphitepager.rules import Level
from graphitepager.vitals import GRAPHITE, POLLING, Condition, stale_after, vitals
from graphitepager.web.shown import show_at
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphitepager.overview import Group, Row
    from graphitepager.rules import Config

pages = Blueprint("front", __name__)

# A group of more rows shows the first of them in full, and the rest a line each where one asks for it.
_MOST_IN_FULL, _FIRST_IN_FULL = 8, 5
# In all. Nobody reads more; who filters sees the others.
_MOST_ROWS = 1500
_MOST_LABELS = 40
_LONGEST_TEXT = 200
_LEVELS = (Level.CRITICAL, Level.NO_DATA, Level.WARNING)

_CALM = "Nothing fires"
# The signs without which nothing else on the page is known.
_EYES = frozenset({POLLING, GRAPHITE})

# A page that was not renewed for so many seconds turns red: the style has a class for each of these.
_LASTING_S = (20, 30, 60, 90, 120, 180, 300, 600, 900, 1800, 3600, 10_800, 86_400, 300_000)
_REFRESH_S = (5.0, 60.0)

_TITLES = {
    Section.FIRING: "Firing",
    Section.UNHEARD: "Firing, and nobody is told",
    Section.NO_DATA: "No data",
    Section.PENDING: "About to fire",
    Section.RECOVERING: "Recovering",
    Section.STALE: "No new data",
}
_BROKEN = frozenset({Section.FIRING, Section.UNHEARD, Section.NO_DATA})
_BESIDES = {
    Section.UNHEARD: "nobody is told of {}",
    Section.PENDING: "{} about to fire",
    Section.RECOVERING: "{} recovering",
    Section.STALE: "{} without new data",
}


class _Part(NamedTuple):
    """One section of the page: its rows by alert, and how many there are."""

    section: Section
    title: str
    groups: Sequence[Group]
    size: int


@pages.get("/")
def page() -> str:
    """Show all that is not fine, or what the address asks for: `q`, `level`, `label`, `alert`."""
    site = this_site()
    config = site.configuration()
    store = site.store()
    glance = store.glance(show_at(site.clock()))
    several = [alert.name for alert in config.alerts if len(alert.entries) > 1 and alert.name in glance.states]
    rows = overview.rows(config, glance, store.known_series(several) if several else {})
    wanted = _wanted()
    found = [row for row in rows if wanted.fits(row)] if wanted else rows
    signs = vitals(config, glance, site.trouble(), site.version())
    headline = _headline(rows, is_sure=all(sign.condition is Condition.GOOD for sign in signs if sign.name in _EYES))
    return render_template(
        "front.html",
        glance=glance,
        signs=sorted(signs, key=lambda one: one.condition is Condition.GOOD),
        condition=_worst(one.condition for one in signs),
        headline=headline,
        is_calm=headline == _CALM,
        besides=_besides(rows),
        parts=_parts(found[:_MOST_ROWS]),
        found=len(found),
        left_out=max(len(found) - _MOST_ROWS, 0),
        total=len(rows),
        wanted=wanted,
        levels=_LEVELS,
        labels=_labels(rows),
        most_in_full=_MOST_IN_FULL if len(found) > _MOST_IN_FULL else _MOST_ROWS,
        first_in_full=_FIRST_IN_FULL,
        refresh_s=_refresh_s(config),
        lasting_s=_lasting_s(config),
        alerts=len(config.alerts),
        series=sum(glance.known.values()),
    )


def _wanted() -> Wanted:
    """What the address asks for; what it cannot ask for, it does not."""
    words = {name: request.args.get(name, "")[:_LONGEST_TEXT] for name in ("q", "level", "label")}
    level = next((one for one in _LEVELS if one.value == words["level"]), None)
    return Wanted(
        text=words["q"].strip(), level=level, label=words["label"], alert=request.args.get("alert", "")[:10_000]
    )


def _parts(found: Sequence[Row]) -> list[_Part]:
    return [
        _Part(section, _TITLES[section], groups, sum(group.size for group in groups))
        for section, groups in overview.grouped(found).items()
    ]


def _headline(rows: Sequence[Row], *, is_sure: bool) -> str:
    """`3 critical, 1 no data`: what is broken, whoever was told. A storm counts as its series.

    Nobody is to be calm for the only reason that nobody looks.
    """
    counts = Counter(row.level for row in rows if row.section in _BROKEN and not row.storm_size)
    listed = [f"{counts[level]} {level.label.lower()}" for level in _LEVELS if counts[level]]
    return ", ".join(listed) or (_CALM if is_sure else "Nothing is known to fire")


def _besides(rows: Sequence[Row]) -> list[tuple[Section, str]]:
    """What else there is, in words, and where on the page."""
    counts = Counter(row.section for row in rows)
    return [(section, words.format(counts[section])) for section, words in _BESIDES.items() if counts[section]]


def _labels(rows: Sequence[Row]) -> list[str]:
    """Those that most rows have: a label that names its series is no choice for anybody."""
    counts = Counter(f"{name}={value}" for row in rows for name, value in row.labels.items())
    return sorted(label for label, _ in counts.most_common(_MOST_LABELS))


def _worst(conditions: Iterable[Condition]) -> Condition:
    found = set(conditions)
    return next((one for one in (Condition.BAD, Condition.DOUBTFUL) if one in found), Condition.GOOD)


def _refresh_s(config: Config) -> int:
    least, most = _REFRESH_S
    return round(min(max(config.settings.heartbeat_s, least), most))


def _lasting_s(config: Config) -> int:
    """For how long this page may be believed where nothing renews it."""
    seconds = stale_after(config).total_seconds()
    return next((one for one in _LASTING_S if one >= seconds), _LASTING_S[-1])
