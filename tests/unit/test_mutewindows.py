"""Mute windows open and close at the right second, also on the days on which the clocks change."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphitepager.mutewindows import ends_at, open_window, openings
from graphitepager.rules import Level, MuteWindow

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MIDNIGHT = time(0)
EVERY_DAY = frozenset(range(7))
PAGED = frozenset({Level.WARNING, Level.CRITICAL, Level.NO_DATA})

# The zone and the local date on which its clocks change.
CHANGES = (
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("America/Asuncion", date(2024, 3, 24)),
    ("America/St_Johns", date(2010, 11, 7)),
)


def window(
    begins: time,
    ends: time,
    zone: str = "UTC",
    *,
    days: frozenset[int] = EVERY_DAY,
    levels: frozenset[Level] = PAGED,
    text: str = "nights",
) -> MuteWindow:
    return MuteWindow(text=text, days=days, begins=begins, ends=ends, zone=ZoneInfo(zone), levels=levels)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> time:
    return time.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "day", "written", "begin", "end"),
    [
        # At 02:00 the clocks of Berlin go to 03:00.
        ("Europe/Berlin", "2026-03-28", "22:00-06:00", "2026-03-28 21:00", "2026-03-29 04:00"),
        ("Europe/Berlin", "2026-03-29", "02:30-05:00", "2026-03-29 01:00", "2026-03-29 03:00"),
        ("Europe/Berlin", "2026-03-29", "02:00-03:30", "2026-03-29 01:00", "2026-03-29 01:30"),
        ("Europe/Berlin", "2026-03-29", "01:00-02:30", "2026-03-29 00:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29", "03:00-02:59", "2026-03-29 01:00", "2026-03-30 00:59"),
        ("Europe/Berlin", "2026-03-29", "00:00-00:00", "2026-03-28 23:00", "2026-03-29 22:00"),
        # At 03:00 they go back to 02:00.
        ("Europe/Berlin", "2026-10-24", "22:00-06:00", "2026-10-24 20:00", "2026-10-25 05:00"),
        ("Europe/Berlin", "2026-10-25", "02:30-05:00", "2026-10-25 00:30", "2026-10-25 04:00"),
        ("Europe/Berlin", "2026-10-25", "01:00-02:30", "2026-10-24 23:00", "2026-10-25 01:30"),
        ("Europe/Berlin", "2026-10-25", "01:00-02:00", "2026-10-24 23:00", "2026-10-25 01:00"),
        ("Europe/Berlin", "2026-10-25", "02:15-02:45", "2026-10-25 00:15", "2026-10-25 01:45"),
        ("Europe/Berlin", "2026-10-25", "03:00-04:00", "2026-10-25 02:00", "2026-10-25 03:00"),
        ("Europe/Berlin", "2026-10-25", "00:00-00:00", "2026-10-24 22:00", "2026-10-25 23:00"),
        # At 02:00 those of New York go to 03:00.
        ("America/New_York", "2026-03-07", "22:00-06:00", "2026-03-08 03:00", "2026-03-08 10:00"),
        ("America/New_York", "2026-03-08", "02:30-05:00", "2026-03-08 07:00", "2026-03-08 09:00"),
        ("America/New_York", "2026-03-07", "23:00-02:30", "2026-03-08 04:00", "2026-03-08 07:00"),
        # At 02:00 they go back to 01:00.
        ("America/New_York", "2026-10-31", "22:00-06:00", "2026-11-01 02:00", "2026-11-01 11:00"),
        ("America/New_York", "2026-11-01", "01:30-05:00", "2026-11-01 05:30", "2026-11-01 10:00"),
        ("America/New_York", "2026-10-31", "23:00-01:30", "2026-11-01 03:00", "2026-11-01 06:30"),
        # At 02:00 those of Lord Howe go to 02:30.
        ("Australia/Lord_Howe", "2026-10-03", "22:00-06:00", "2026-10-03 11:30", "2026-10-03 19:00"),
        ("Australia/Lord_Howe", "2026-10-04", "02:10-05:00", "2026-10-03 15:30", "2026-10-03 18:00"),
        ("Australia/Lord_Howe", "2026-10-04", "01:00-02:10", "2026-10-03 14:30", "2026-10-03 15:30"),
        # At 02:00 they go back to 01:30.
        ("Australia/Lord_Howe", "2026-04-04", "22:00-06:00", "2026-04-04 11:00", "2026-04-04 19:30"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45-05:00", "2026-04-04 14:45", "2026-04-04 18:30"),
        ("Australia/Lord_Howe", "2026-04-05", "01:00-01:45", "2026-04-04 14:00", "2026-04-04 15:15"),
        # At midnight those of Beirut go to 01:00.
        ("Asia/Beirut", "2026-03-28", "00:00-00:00", "2026-03-27 22:00", "2026-03-28 22:00"),
        ("Asia/Beirut", "2026-03-29", "00:00-00:00", "2026-03-28 22:00", "2026-03-29 21:00"),
        ("Asia/Beirut", "2026-03-28", "22:00-00:30", "2026-03-28 20:00", "2026-03-28 22:00"),
        # At midnight those of Asuncion went to 01:00, and back to 23:00.
        ("America/Asuncion", "2023-10-01", "00:00-00:00", "2023-10-01 04:00", "2023-10-02 03:00"),
        ("America/Asuncion", "2024-03-23", "00:00-00:00", "2024-03-23 03:00", "2024-03-24 04:00"),
        # At 00:01 those of St. John's went back to 23:01 of the day before.
        ("America/St_Johns", "2010-11-06", "00:00-00:00", "2010-11-06 02:30", "2010-11-07 03:30"),
        ("America/St_Johns", "2010-11-07", "00:00-00:00", "2010-11-07 02:30", "2010-11-08 03:30"),
        ("America/St_Johns", "2010-11-05", "23:59-23:30", "2010-11-06 02:29", "2010-11-07 03:00"),
        # Those of Apia left out the 30th.
        ("Pacific/Apia", "2011-12-29", "22:00-06:00", "2011-12-30 08:00", "2011-12-30 10:00"),
    ],
)
def test_a_window_is_open_from_the_instant_of_its_begin_to_that_of_its_end(
    zone: str, day: str, written: str, begin: str, end: str
) -> None:
    begins, ends = map(local, written.split("-"))
    once = window(begins, ends, zone, days=frozenset({date.fromisoformat(day).weekday()}))
    assert ends_at(once, utc(begin) - SECOND) is None
    assert ends_at(once, utc(begin)) == utc(end)
    assert ends_at(once, utc(begin) + (utc(end) - utc(begin)) / 2) == utc(end)
    assert ends_at(once, utc(end) - SECOND) == utc(end)
    assert ends_at(once, utc(end)) is None


def test_a_window_that_the_jump_skips_whole_is_never_open() -> None:
    skipped = window(local("02:00"), local("02:45"), "Europe/Berlin", days=frozenset({6}))
    jump = utc("2026-03-29 01:00")
    assert all(ends_at(skipped, jump + minutes * MINUTE) is None for minutes in range(-120, 120))


def test_the_end_is_in_utc_whatever_zone_asks() -> None:
    asked = utc("2026-07-01 23:00").astimezone(ZoneInfo("Asia/Tokyo"))
    end = ends_at(window(local("22:00"), local("06:00"), "Europe/Berlin"), asked)
    assert end == utc("2026-07-02 04:00")
    assert end.tzinfo is UTC


def test_days_are_those_on_which_the_window_begins() -> None:
    fridays = window(local("22:00"), local("06:00"), days=frozenset({4}))
    assert ends_at(fridays, utc("2026-07-04 05:59")) == utc("2026-07-04 06:00")
    assert ends_at(fridays, utc("2026-07-03 05:59")) is None


class TestOpenWindow:
    """Of many windows, the one that counts."""

    NOW = utc("2026-07-01 23:30")

    def test_the_one_that_is_open_longest_is_named(self) -> None:
        short = window(local("23:00"), MIDNIGHT, text="backup")
        long = window(local("22:00"), local("06:00"), text="nights")
        assert open_window([short, long], Level.WARNING, self.NOW) is long
        assert open_window([long, short], Level.WARNING, self.NOW) is long

    def test_a_window_of_other_levels_does_not_count(self) -> None:
        warnings = window(local("22:00"), local("06:00"), levels=frozenset({Level.WARNING}))
        assert open_window([warnings], Level.WARNING, self.NOW) is warnings
        assert open_window([warnings], Level.CRITICAL, self.NOW) is None

    def test_without_an_open_one_nothing_is_muted(self) -> None:
        assert open_window([], Level.WARNING, self.NOW) is None
        assert open_window([window(local("12:00"), local("13:00"))], Level.WARNING, self.NOW) is None


TIMES = st.times().map(lambda any_time: any_time.replace(second=0, microsecond=0)) | st.sampled_from(
    [time(hour, minute) for hour in (0, 1, 2, 3, 23) for minute in (0, 1, 30, 59)]
)


@functools.cache
def clocks(zone: str, change: date) -> list[tuple[datetime, datetime]]:
    """Every minute of the week around a change: the instant, and what the clocks show."""
    begin = datetime.combine(change, MIDNIGHT, UTC) - 3 * DAY
    instants = [begin + minutes * MINUTE for minutes in range(7 * 24 * 60)]
    return [(instant, instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)) for instant in instants]


def interval(one: MuteWindow, day: date, shown: list[tuple[datetime, datetime]]) -> tuple[datetime, datetime]:
    """The window of one day, found by looking at the clocks minute by minute."""
    begin = datetime.combine(day, one.begins)
    end = datetime.combine(day + DAY if one.ends <= one.begins else day, one.ends)
    first = next(instant for instant, clock in shown if clock >= begin)
    last, clock = next(each for each in reversed(shown) if each[1] <= end)
    return first, last if clock == end else last + MINUTE


@given(st.sampled_from(CHANGES), TIMES, TIMES, st.frozensets(st.integers(0, 6)), st.integers(-900, 1800))
def test_now_is_muted_just_when_it_lies_in_the_interval_of_some_day(
    change: tuple[str, date], begins: time, ends: time, days: frozenset[int], minutes: int
) -> None:
    zone, changed_on = change
    one = window(begins, ends, zone, days=days)
    now = datetime.combine(changed_on, MIDNIGHT, ZoneInfo(zone)).astimezone(UTC) + minutes * MINUTE
    shown = clocks(zone, changed_on)
    around = (changed_on + count * DAY for count in (-2, -1, 0, 1, 2))
    intervals = [interval(one, day, shown) for day in around if day.weekday() in days]
    expected = max((end for begin, end in intervals if begin <= now < end), default=None)
    assert ends_at(one, now) == expected


@settings(max_examples=10)  # each looks at 4320 minutes
@given(
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.dates(date(2026, 6, 8), date(2026, 8, 20)),
    TIMES,
    TIMES,
)
def test_on_ordinary_days_it_mutes_for_as_long_as_is_written(zone: str, day: date, begins: time, ends: time) -> None:
    once = window(begins, ends, zone, days=frozenset({day.weekday()}))
    start = datetime.combine(day, begins, ZoneInfo(zone)).astimezone(UTC)
    written = datetime.combine(day, ends) - datetime.combine(day, begins)
    length = written if written > timedelta(0) else written + DAY
    muted = sum(ends_at(once, start + minutes * MINUTE) is not None for minutes in range(-1440, 2 * 1440))
    assert muted * MINUTE == length


def test_the_openings_between_two_moments_are_found_in_order() -> None:
    backups = window(time(22), time(2))
    begin = datetime(2026, 1, 10, 12, tzinfo=UTC)
    assert openings(backups, begin, begin + 2 * DAY) == [
        (datetime(2026, 1, 10, 22, tzinfo=UTC), datetime(2026, 1, 11, 2, tzinfo=UTC)),
        (datetime(2026, 1, 11, 22, tzinfo=UTC), datetime(2026, 1, 12, 2, tzinfo=UTC)),
    ]


def test_what_opened_before_and_is_still_open_counts_too() -> None:
    night = datetime(2026, 1, 11, 1, tzinfo=UTC)
    found = openings(window(time(22), time(2)), night, night + SECOND)
    assert found == [(datetime(2026, 1, 10, 22, tzinfo=UTC), datetime(2026, 1, 11, 2, tzinfo=UTC))]
