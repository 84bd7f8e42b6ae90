"""What happened: incidents, deliveries, and how loud the alerts are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from flask import Blueprint, render_template, request

from graphitepager import noise
from graphitepager.listed import WantedDeliveries, WantedIncidents
from graphitepager.records import DeliveryStatus
from graphitepager.reports.weekbars import week_bars
from graphitepager.rules import Level
from graphitepager.store.chronicles import noise as loudness_of
from graphitepager.store.chronicles import told_incidents
from graphitepager.store.listings import list_deliveries
from graphitepager.web.alerts import weeks_before
from graphitepager.web.named import alert_named
from graphitepager.web.shown import show_at
from graphitepager.web.site import this_site

if TYPE_CHECKING:
    from collections.abc import Sequence

pages = Blueprint("history", __name__)

_ON_A_PAGE = 50
_WEEKS = 8
_LONGEST_TEXT = 10_000
_LARGEST_ID = 2**63 - 1
_LEVELS = (Level.CRITICAL, Level.WARNING, Level.NO_DATA)
_DAY = timedelta(days=1)
_MOST_DIGITS = 30


class _Asked(NamedTuple):
    """What the address asks for, and what of it makes no sense."""

    alerts: tuple[str, ...]
    level: Level | None
    since: datetime | None
    until: datetime | None
    before: int | None
    faults: Sequence[str]


@pages.get("/history")
def page() -> str:
    """Show incidents, the newest first: of an `alert`, a `level`, `from` a day `until` another."""
    show_at(this_site().clock())
    asked = _asked()
    wanted = WantedIncidents(alerts=asked.alerts, level=asked.level, since=asked.since, until=asked.until)
    found = this_site().store().ask(told_incidents, wanted, limit=_ON_A_PAGE + 1, before=asked.before)
    ids = [one.incident.id for one in found]
    return render_template("incidents.html", incidents=found[:_ON_A_PAGE], **_around(asked, ids))


@pages.get("/history/deliveries")
def deliveries() -> str:
    """Show what was sent, or was to be, the newest first; `status` chooses, too."""
    show_at(this_site().clock())
    asked = _asked()
    status = next((one for one in DeliveryStatus if one.value == request.args.get("status")), None)
    wanted = WantedDeliveries(
        alerts=asked.alerts, level=asked.level, since=asked.since, until=asked.until, status=status
    )
    found = this_site().store().ask(list_deliveries, wanted, limit=_ON_A_PAGE + 1, before=asked.before)
    ids = [one.id for one in found]
    return render_template(
        "deliveries.html", deliveries=found[:_ON_A_PAGE], statuses=DeliveryStatus, **_around(asked, ids)
    )


@pages.get("/history/noise")
def loudness() -> str:
    """Show what costs sleep, and what watches nothing."""
    site = this_site()
    now = show_at(site.clock())
    weeks = weeks_before(now, _WEEKS)
    report = noise.report(site.configuration(), site.store().ask(loudness_of, weeks))
    loudest = max((week.pages for one in report.loud for week in one.weeks), default=0)
    return render_template("noise.html", report=report, weeks=weeks, week_bars=week_bars, loudest=loudest)


def _around(asked: _Asked, ids: Sequence[int]) -> dict[str, object]:
    """What stands around the list: the filter, and where older ones are."""
    return {
        "alerts": [alert.name for alert in this_site().configuration().alerts],
        "levels": _LEVELS,
        "faults": asked.faults,
        "wanted": {name: request.args.get(name, "") for name in ("alert", "level", "from", "until", "status")},
        "is_first": asked.before is None,
        "next_before": ids[_ON_A_PAGE - 1] if len(ids) > _ON_A_PAGE else None,
    }


def _asked() -> _Asked:
    faults: list[str] = []
    days = {name: _day(name, faults) for name in ("from", "until")}
    before = request.args.get("before", "")
    alert = request.args.get("alert", "")[:_LONGEST_TEXT]
    until = days["until"]
    return _Asked(
        alerts=(alert_named(alert, this_site().configuration()).name,) if alert else (),
        level=next((one for one in _LEVELS if one.value == request.args.get("level")), None),
        since=days["from"],
        until=until + _DAY if until else None,
        before=min(int(before[:_MOST_DIGITS]), _LARGEST_ID) if before.isascii() and before.isdecimal() else None,
        faults=faults,
    )


def _day(name: str, faults: list[str]) -> datetime | None:
    """A day of the address, from its midnight in UTC."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year <= 9000:  # noqa: PLR2004 - beyond, databases disagree
        faults.append(f"{name}: write a day as 2026-03-01")
        return None
    return day
