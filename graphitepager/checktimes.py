"""When an alert is to be checked again, and for how long nobody has seen its data."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from graphitepager.rules import Alert, Level


class Check(NamedTuple):
    """The last time that all of an alert's queries were answered: as it was then, and what was wrong in words."""

    at: datetime
    alert: Alert
    details: Mapping[tuple[str, Level], str]


def is_due(alert: Alert, last: Check | None, heartbeat: timedelta, now: datetime) -> bool:
    """Whether it is time: never checked, edited since, or so long ago that the next heartbeat would be too late.

    Half a heartbeat is given away: polls do not come to the millisecond.
    """
    if not alert.interval or last is None or now < last.at:
        return True
    return now - last.at >= alert.interval - heartbeat / 2 or alert != last.alert


def unobserved(alert: Alert, last_seen: datetime | None, heartbeat: timedelta, now: datetime) -> timedelta:
    """For how long nobody saw whether this alert had data: Graphite did not answer, or no pager ran."""
    usual = max(heartbeat, alert.interval)
    gap = now - (last_seen or now)
    return gap - usual if gap > usual + heartbeat else timedelta(0)
