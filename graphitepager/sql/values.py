"""Values and times as Carbon stores them: Python's objects in, their text out, or the reason why not.

NaN, None, True, `1,5` and dates are ignored by Carbon without a word, and infinity is stored as one.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from graphitepager.problems import quote
from graphitepager.sql.names import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Whole numbers below this need no second look: they are exact, and far from infinity.
_PLAIN = 10**15
_LONGEST_TEXT = 400
# Seconds of the year 5138, milliseconds of 1973.
_MILLISECONDS = 100_000_000_000
# Clocks differ; more than that ahead, whisper drops the point.
_AHEAD_S = 60


def value_text(value: object) -> str:
    """The text of a value; Refused where it is no finite number."""
    kind = type(value)
    if kind is int and -_PLAIN < value < _PLAIN:  # type: ignore[operator]
        return str(value)
    if kind is float and math.isfinite(value):  # type: ignore[arg-type]
        return repr(value)
    return repr(_number(value, "the value"))


def plain_numbers(values: Sequence[object]) -> Sequence[float] | None:
    """Numbers that are sent as their repr is, one for each value; None where one of them may be something else.

    It looks at all of them at once, which is quick.
    """
    kinds = set(map(type, values))
    numbers: Any = values
    if kinds == {Decimal}:
        try:
            numbers, kinds = list(map(float, numbers)), {float}
        except ValueError:  # a signaling NaN
            return None
    if not kinds <= {int, float} or (int in kinds and not -_PLAIN < min(numbers) <= max(numbers) < _PLAIN):
        return None
    # One NaN or infinity makes the sum one, too.
    return numbers if math.isfinite(sum(numbers)) else None


def timestamp(value: object, now: int, max_age_s: float) -> int:
    """Whole seconds since 1970; Refused where Carbon would make a file and lose the point."""
    seconds = _number(value, "the timestamp")
    if seconds >= _MILLISECONDS:
        raise Refused(f"the timestamp {seconds:.0f} is too large: are these milliseconds? Divide them by 1000")
    if seconds > now + _AHEAD_S:
        raise Refused(f"the timestamp {seconds:.0f} lies {seconds - now:.0f} s in the future")
    if seconds < max(1, now - max_age_s):
        raise Refused(f"the timestamp {seconds:.0f} is older than max_age")
    return int(seconds)


def plain_timestamps(values: Sequence[object], now: int, max_age_s: float) -> Sequence[int] | None:
    """The same of many; None where one of them is anything but a whole number that is accepted."""
    times: Any = values
    if set(map(type, values)) != {int} or min(times) < max(1, now - max_age_s) or max(times) > now + _AHEAD_S:
        return None
    return times  # type: ignore[no-any-return]


def _number(value: object, what: str) -> float:
    """A finite number, as an int where it was one."""
    try:
        number = _converted(value, what)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Refused(f"{what} is not finite: {_shown(value)}")
    return number


def _converted(value: object, what: str) -> float:
    match value:
        case bool():
            return int(value)
        case int() | float():
            return float(value)
        case Decimal():
            return math.nan if value.is_snan() else float(value)
        case timedelta():
            return value.total_seconds()
        case datetime() if value.tzinfo is not None:
            return value.timestamp()
        case str() if len(value) <= _LONGEST_TEXT and _NUMBER.fullmatch(value.strip(" ")):
            return float(value)
        case _:
            raise Refused(f"{what} {_described(value)}")


def _described(value: object) -> str:
    """What is wrong with it, and what to do."""
    match value:
        case None:
            return "is NULL"
        case str():
            return f"is no number: {_shown(value)}"
        case datetime():
            return f"is a time without a zone: {value}; have the database make epoch seconds of it"
        case date() | time():
            return f"is a {type(value).__name__}: {value}; have the database make a number of it"
        case _:
            return f"is of a kind that has no number: {type(value).__name__}"


def _shown(value: object) -> str:
    """The value, cut before it is printed: an int of a million digits takes long, and Python refuses."""
    if isinstance(value, int):
        return f"a number of {value.bit_length()} bits"
    return quote(value) if isinstance(value, str) else str(value)[:_LONGEST_TEXT]
