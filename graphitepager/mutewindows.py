"""When a mute window is open, on every day of the year.

Windows are written in local time, which may come twice or not at all on a day on which the clocks change: a window
begins the first time its begin comes, and ends the last time its end does; a time that is skipped is the moment of the
jump. So no second between the two is left out, and a whole day is one whatever happens to its midnight.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from graphitepager.rules import Level, MuteWindow

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def open_window(windows: Iterable[MuteWindow], level: Level, now: datetime) -> MuteWindow | None:
    """Return the window that mutes `level` now; of several, the one that does so longest."""
    ends = [(end, window) for window in windows if level in window.levels and (end := ends_at(window, now))]
    return max(ends, key=lambda one: one[0])[1] if ends else None


def ends_at(window: MuteWindow, now: datetime) -> datetime | None:
    """When the window that is open at `now` ends, in UTC; None when it is not open.

    Where one ends as the next one begins, as whole days do, this is the end of the first.
    """
    return max((end for begin, end in _around(window, now) if begin <= now < end), default=None)


def openings(window: MuteWindow, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When the window is open between two moments, which are not far apart: begin and end, in UTC and in order."""
    days = range((end - begin) // _DAY + 2)
    found = {times for count in days for times in _around(window, begin + count * _DAY)}
    return sorted((first, last) for first, last in found if first < end and last > begin)


def _around(window: MuteWindow, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end, in UTC, of each time at which the window could be open."""
    today = now.astimezone(window.zone).date()
    # One day more at both ends: where clocks go back over midnight, a date comes, goes, and comes again.
    for day in (today + count * _DAY for count in (-2, -1, 0, 1)):
        if day.weekday() in window.days:
            last_day = day + _DAY if window.ends <= window.begins else day
            yield (
                _instant(datetime.combine(day, window.begins), window.zone, fold=0),
                _instant(datetime.combine(last_day, window.ends), window.zone, fold=1),
            )


def _instant(local: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    """When the clocks of `zone` show `local`: the first time, or with fold=1 the last; else when they skip it."""
    instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if _shown(instant, zone) == local:
        return instant
    return _jump_over(local, zone)


def _jump_over(local: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks of `zone` are put forward past `local`."""
    # In a gap, each fold reckons with the offset of one of its sides: https://peps.python.org/pep-0495/
    before, after = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        before, after = (before, middle) if _shown(middle, zone) > local else (middle, after)
    return after


def _shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of `zone` show, without the zone: aware datetimes of one zone do not compare by the instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
