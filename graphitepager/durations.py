"""Lengths of time in words: durations and Graphite's relative offsets in, `1h30min` out."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))

# Graphite looks only at how a unit begins: graphite-web, render/attime.py, getUnitString.
_OFFSET_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mon": timedelta(days=30),
    "y": timedelta(days=365),
}
_RELATIVE = re.compile(r"(?:now)?(?P<sign>[+-])(?P<parts>.*)")
_UNSIGNED = re.compile(r"(?P<parts>(?:[0-9]+(?:s|min|h|d|w|mon|y)[a-z]*)+)")
# More than any timedelta holds, fewer than int() refuses.
_MOST_DIGITS = 15
_PART = re.compile(r"([0-9]+)([a-z]*)")

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
# Unlike in Graphite's offsets, `m` is safe to read as minutes: nobody lets a breach last for months.
_UNIT = "s(?:ecs?|econds?)?|m(?:ins?|inutes?)?|h(?:rs?|ours?)?|d(?:ays?)?|w(?:eeks?)?"
DURATION_PATTERN = rf"(?:[0-9]+|(?:[0-9]+\s*(?:{_UNIT})\s*)+)"
_DURATION = re.compile(DURATION_PATTERN)
_DURATION_PART = re.compile(r"([0-9]+)\s*([a-z]?)[a-z]*")
_LONGEST_S = 3_650 * 86_400


def format_duration(duration: timedelta) -> str:
    """The two largest units that count, as people say it: `45s`, `3min`, `1h30min`, `2d4h`; the rest is cut off."""
    if duration < timedelta(0):
        return f"-{format_duration(-duration)}"
    seconds = duration.total_seconds()
    if seconds < 60:  # noqa: PLR2004 - only below a minute do fractions tell anybody anything
        return f"{int(seconds * 10) / 10:g}s"
    rest = int(seconds)
    counts = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        counts.append((unit, count))
    first = next(place for place, (_, count) in enumerate(counts) if count)
    return "".join(f"{count}{unit}" for unit, count in counts[first : first + 2] if count)


def parse_duration(text: str) -> timedelta:
    """Read what people write: `90s`, `5min`, `1h30min`, `2 days`, and plain seconds. At most ten years.

    ValueError, whose text can be shown to the user, where it is none.
    """
    words = text.strip()
    if not _DURATION.fullmatch(words):
        raise ValueError(f"expected a duration such as 90s, 5min or 1h30min, got {text!r}")
    seconds = 0
    for count, unit in _DURATION_PART.findall(words):
        # With its first digits only, such a number is still too large.
        seconds += int(count.lstrip("0")[:_MOST_DIGITS] or 0) * _SECONDS[unit or "s"]
    if seconds > _LONGEST_S:
        raise ValueError(f"expected a duration of at most ten years, got {text!r}")
    return timedelta(seconds=seconds)


def parse_offset(text: str) -> timedelta | None:
    """Read a relative Graphite time: `-1min`, `-1d2h`, `now-5min`, `now`.

    Absolute times (`1700000000`, `noon_yesterday`, `20240131`) give None. A relative one that Graphite would refuse
    raises ValueError, whose text can be shown to the user.
    """
    # What Graphite strips before it reads.
    words = text.lower().translate({ord(character): None for character in "_, \t"})
    if words == "now":
        return timedelta(0)
    if _UNSIGNED.fullmatch(words):
        raise ValueError(f"a Graphite offset needs a sign: write -{words}")
    relative = _RELATIVE.fullmatch(words)
    if relative is None:
        return None
    try:
        offset = _sum_of_parts(relative["sign"], relative["parts"])
    except OverflowError:
        raise ValueError("the offset is longer than Graphite can look back") from None
    return -offset if relative["sign"] == "-" else offset


def _sum_of_parts(sign: str, parts: str) -> timedelta:
    total = timedelta(0)
    end = 0
    while part := _PART.match(parts, end):
        count, unit = part.groups()
        if len(count) > _MOST_DIGITS:
            raise OverflowError
        total += int(count) * _length_of_unit(sign, count, unit)
        end = part.end()
    if not parts or end != len(parts):
        raise ValueError(
            "Graphite cannot read this offset: after the sign come numbers and units, as in -10min or -1d12h"
        )
    return total


def _length_of_unit(sign: str, count: str, unit: str) -> timedelta:
    for name, length in _OFFSET_UNITS.items():
        if unit.startswith(name):
            return length
    amount = sign + count
    if not unit:
        raise ValueError(f"a Graphite offset needs a unit: write {amount}s for seconds or {amount}min for minutes")
    if unit.startswith("m"):
        raise ValueError(f"Graphite has no unit {unit!r}: write {amount}min for minutes or {amount}mon for months")
    raise ValueError(f"Graphite has no unit {unit!r}: it knows s, min, h, d, w, mon and y")
