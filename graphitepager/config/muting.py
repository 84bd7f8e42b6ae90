"""Mute windows: `{days: mon-fri, from: "22:00", until: "06:00"}` in, the domain's `MuteWindow` out."""

from __future__ import annotations

import functools
import re
from datetime import time
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, WithJsonSchema, WrapValidator, model_validator

from graphitepager.config.fields import OneOrMore, PagingLevels, Text, did_you_mean, refuse
from graphitepager.config.sections import Section
from graphitepager.config.yamlsource import describe
from graphitepager.rules import Level, MuteWindow

if TYPE_CHECKING:
    from collections.abc import Iterable

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS = {name: number for names in (_DAYS, _LONG_DAYS) for number, name in enumerate(names)}
_EVERY_DAY = frozenset(range(len(_DAYS)))
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_END_OF_DAY = "24:00"
_MIDNIGHT = time(0)


def _list(value: object) -> object:
    return [value] if isinstance(value, (str, dict)) else value


def _some_days(value: object) -> frozenset[int]:
    """`sat`, or a range that may run over the end of the week: `fri-mon`."""
    words = [word.strip().lower() for word in value.split("-")] if isinstance(value, str) else []
    numbers = [_NUMBERS.get(word) for word in words]
    match numbers:
        case [int(only)]:
            return frozenset({only})
        case [int(first), int(last)]:
            return frozenset((first + step) % len(_DAYS) for step in range((last - first) % len(_DAYS) + 1))
    raise refuse(f"expected days such as sat, mon-fri or fri-mon, got {describe(value)}", "a list is [tue, sat-sun]")


def _clock(value: object) -> time:
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise refuse(f"expected a time of day from 00:00 to 23:59, got {describe(value)}")
    return time(int(found[1]), int(found[2]))


def _end(value: object) -> time:
    """24:00 is the next midnight, as a window that ends no later than it begins ends on the next day."""
    return _MIDNIGHT if isinstance(value, str) and value.strip() == _END_OF_DAY else _clock(value)


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(value.strip() if isinstance(value, str) else "")
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder, or a file that is no zone
        hint = did_you_mean(value, _zone_names()) if isinstance(value, str) else None
        raise refuse(f"expected a time zone such as Europe/Berlin or UTC, got {describe(value)}", hint) from None


@functools.cache
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


_DAYS_PATTERN = "|".join(f"[{day[0]}{day[0].upper()}]{day[1:]}" for day in _DAYS)
Zone = Annotated[ZoneInfo, BeforeValidator(_zone), WithJsonSchema({"type": "string"})]
_Days = Annotated[
    frozenset[int],
    BeforeValidator(_some_days),
    WithJsonSchema(
        {"type": "string", "pattern": rf"^\s*(?:{_DAYS_PATTERN})[a-z]*(?:\s*-\s*(?:{_DAYS_PATTERN})[a-z]*)?\s*$"}
    ),
]
_Begin = Annotated[
    time, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": rf"^\s*{_CLOCK.pattern}\s*$"})
]
_End = Annotated[
    time,
    BeforeValidator(_end),
    WithJsonSchema({"type": "string", "pattern": rf"^\s*(?:{_CLOCK.pattern}|{_END_OF_DAY})\s*$"}),
]


class MuteKeys(Section):
    """A recurring time in which an alert pages nobody."""

    days: Annotated[list[_Days], BeforeValidator(_list), OneOrMore()] = Field(
        default=["mon-sun"],
        validate_default=True,
        min_length=1,
        description="The days on which it begins: mon to sun, ranges of them, or a list.",
        examples=["mon-fri", ["sat", "sun"]],
    )
    from_: _Begin = Field(
        "00:00", validate_default=True, alias="from", description="When it begins, as HH:MM.", examples=["22:00"]
    )
    until: _End = Field(
        _END_OF_DAY,
        validate_default=True,
        description="When it ends, as HH:MM; on the next day, unless that is later than from.",
        examples=["06:00", _END_OF_DAY],
    )
    timezone: Zone | None = Field(
        None, description="Whose clocks these are; replaces the file's timezone.", examples=["Europe/Berlin"]
    )
    levels: PagingLevels = Field(
        default=["warning", "critical", "no_data"],
        min_length=1,
        description="The levels that it mutes.",
        examples=[["warning"]],
    )

    @model_validator(mode="after")
    def _end_some_time(self) -> MuteKeys:
        if self.from_ == self.until and _all_of(self.days) == _EVERY_DAY:
            hint = "say days, from or until; a level that never pages is left out of page_on"
            raise refuse("this mutes at every time of every day", hint)
        return self


def _named_or_in_place(value: object, _handler: object) -> object:
    """A text is the name of a window. A union would add the name of its branch to the path of an error."""
    return value if isinstance(value, str) else MuteKeys.model_validate(value)


Mutes = Annotated[
    list[Annotated[Text | MuteKeys, WrapValidator(_named_or_in_place)]], BeforeValidator(_list), OneOrMore()
]


def mute_window(keys: MuteKeys, timezone: ZoneInfo, name: str | None = None) -> MuteWindow:
    """The window that these keys describe, in a file with this time zone; without a name its parts are its name."""
    zone = keys.timezone or timezone
    return MuteWindow(
        text=name or _in_words(keys, zone),
        days=_all_of(keys.days),
        begins=keys.from_,
        ends=keys.until,
        zone=zone,
        levels=frozenset(Level(level) for level in keys.levels),
    )


def _all_of(parts: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset().union(*parts)


def _in_words(keys: MuteKeys, zone: ZoneInfo) -> str:
    """`sat-sun 22:00-06:00 Europe/Berlin`, without the parts that say nothing."""
    days = _all_of(keys.days)
    parts = [] if days == _EVERY_DAY else [_days_in_words(days)]
    if keys.from_ != _MIDNIGHT or keys.until != _MIDNIGHT:
        parts.append(f"{keys.from_:%H:%M}-{_END_OF_DAY if keys.until == _MIDNIGHT else f'{keys.until:%H:%M}'}")
    return " ".join([*parts, zone.key])


def _days_in_words(days: frozenset[int]) -> str:
    """`mon-wed,sat`: the runs of days, one of which may run over the end of the week."""
    runs = []
    for first in sorted(day for day in days if (day - 1) % len(_DAYS) not in days):
        length = next(step for step in range(1, len(_DAYS)) if (first + step) % len(_DAYS) not in days)
        last = (first + length - 1) % len(_DAYS)
        runs.append(_DAYS[first] if length == 1 else f"{_DAYS[first]}-{_DAYS[last]}")
    return ",".join(runs)
