"""`warning`, `critical`, `clear` and `unit`: what may stand there, what it means, and where it contradicts itself."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import yaml
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from graphitepager import thresholds
from graphitepager.config.fields import did_you_mean, number_or_text, refuse
from graphitepager.config.yamlsource import describe
from graphitepager.rules import Judged
from graphitepager.thresholds import (
    CONDITION_PATTERN,
    NUMBER_PATTERN,
    QUANTITY_PATTERN,
    UNITS,
    Condition,
    Quantity,
    Threshold,
    Unit,
    format_bound,
    phrase,
    threshold_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphitepager.config.entry import AlertEntry
    from graphitepager.config.yamlsource import Path
    from graphitepager.thresholds import Operator

# Stands for a threshold that must not be missing.
_MISSING = object()

_LEVELS = ("warning", "critical")

# Numbers that only YAML 1.1 knows, which graphitepager 0.2 read.
_OLD_NUMBER = re.compile(
    r"[-+]?(0b_*[01][01_]{0,99}|0x_*[0-9a-f][0-9a-f_]{0,99}|0[0-7_]{1,99}|[0-9][0-9_]{0,20}(:[0-5]?[0-9]){1,5}(\.[0-9_]{0,20})?"
    r"|\.inf)|\.nan",
    re.IGNORECASE,
)
_ENDLESS = "leave it out, and give the other threshold an operator, as in '>= 90'"

Complaint = tuple["Path", str, str | None]


class Bounds(NamedTuple):
    """The thresholds of an entry."""

    warning: Threshold | None
    critical: Threshold | None


def with_missing_thresholds(data: Any) -> Any:
    """Note which threshold is missing: one may be, when the other says by an operator which side of it is bad."""
    if not isinstance(data, dict):
        return data
    given = {level: data.get(level) for level in _LEVELS}
    absent = [level for level, value in given.items() if value is None or value == ""]
    if not absent or any(_has_operator(value) for value in given.values()):
        return data
    return {**data, **dict.fromkeys(absent, _MISSING)}


def bounds_of(entry: AlertEntry) -> Bounds:
    """What the thresholds of an entry mean that nothing is wrong with."""
    conditions = (entry.warning, entry.critical)
    operators = _operators(entry)
    return Bounds(
        *(
            None if condition is None else threshold_of(condition, operators[level], entry.unit, clear)
            for level, condition, clear in zip(
                _LEVELS, conditions, (entry.clear.warning, entry.clear.critical), strict=True
            )
        )
    )


def wrong_bounds(entry: AlertEntry) -> Iterator[Complaint]:
    """What the thresholds say that cannot be, each with its place in the entry."""
    if entry.unit is not None and entry.value in {Judged.COUNT, Judged.AGE}:
        judged = "a number of datapoints" if entry.value is Judged.COUNT else "seconds"
        yield ("unit",), f"value: {entry.value.value} judges {judged}, whatever the series' own unit", None
    elif complaints := [*_of_other_kinds(entry)] or [*_without_direction(entry)]:
        yield from complaints
    else:
        bounds = bounds_of(entry)
        if complaint := _too_mild(bounds):
            yield ("critical",), complaint, "or give them names of their own, as two alerts"
        else:
            yield from _without_a_way_back(entry, bounds)


def _has_operator(value: object) -> bool:
    try:
        return isinstance(value, str) and thresholds.parse(value).operator is not None
    except ValueError:
        return isinstance(value, str) and value.strip()[:1] in tuple("<>=!oi")  # what is wrong with it is told


def _operators(entry: AlertEntry) -> dict[str, Operator]:
    """The operator of each threshold; that of a plain number follows from the other one."""
    warning, critical = entry.warning, entry.critical
    if warning and critical and warning.operator is None and critical.operator is None:
        values = (warning.bound.in_unit(entry.unit), critical.bound.in_unit(entry.unit))
        plain = thresholds.Operator.AT_MOST if values[0] > values[1] else thresholds.Operator.AT_LEAST
    else:
        signs = {one.operator.sign for one in (warning, critical) if one and one.operator}
        plain = thresholds.Operator.AT_MOST if -1 in signs else thresholds.Operator.AT_LEAST
    return {
        level: condition.operator or plain
        for level, condition in zip(_LEVELS, (warning, critical), strict=True)
        if condition
    }


def _of_other_kinds(entry: AlertEntry) -> Iterator[Complaint]:
    """Yield the quantities that cannot be compared with the others, or with what the series are in."""
    places: list[tuple[Path, Quantity]] = []
    for level, condition in (("warning", entry.warning), ("critical", entry.critical)):
        places += [((level,), one) for one in (condition.quantities if condition else ())]
    for level, clear in (("warning", entry.clear.warning), ("critical", entry.clear.critical)):
        places += [(("clear", level), clear)] if clear else []
    known = entry.unit
    for path, quantity in places:
        unit = quantity.unit
        if unit is not None and known is not None and unit.kind != known.kind:
            yield path, f"{quantity.number}{unit.name} is {unit.kind}, and {known.name} {known.kind}", None
        known = known or unit


def _without_direction(entry: AlertEntry) -> Iterator[Complaint]:
    conditions = {"warning": entry.warning, "critical": entry.critical}
    for (level, condition), other in zip(conditions.items(), reversed(conditions.values()), strict=True):
        if condition and condition.operator is None and other and other.operator and not other.operator.sign:
            word = other.operator.value
            hint = f"write an operator, as in '>= {condition.bound.number}'"
            yield (level,), f"beside '{word}' a number alone does not say which side of it is bad", hint
    for level, clear in (("warning", entry.clear.warning), ("critical", entry.clear.critical)):
        one = conditions[level]
        if clear and one is None:
            yield ("clear", level), f"there is no {level} that it could clear", None
        elif clear and one and one.operator and not one.operator.sign:
            message = (
                f"only a {level} of >, >=, < or <= has a good side on which to clear, and this is {one.operator.value}"
            )
            yield ("clear", level), message, None


def _too_mild(bounds: Bounds) -> str | None:
    """Why there are values that are critical without being a warning, if there are."""
    warning, critical = bounds
    if warning is None or critical is None or critical.is_within(warning):
        return None
    if warning.operator.sign * critical.operator.sign < 0:
        return f"{phrase(critical)} and a warning {phrase(warning)} are opposite directions"
    if warning.is_within(critical):
        return f"{phrase(critical)} is milder than a warning {phrase(warning)}, so no warning could be left"
    return f"{phrase(critical)} it is not always a warning, too, which begins {phrase(warning)}"


def _without_a_way_back(entry: AlertEntry, bounds: Bounds) -> Iterator[Complaint]:
    """Say which `clear` lies where its incident cannot end, or where it ought to have ended before."""
    for level, threshold, written in zip(_LEVELS, bounds, (entry.clear.warning, entry.clear.critical), strict=True):
        if threshold is not None and written is not None:
            sign, clear = threshold.operator.sign, written.in_unit(entry.unit)
            if sign * clear > sign * threshold.bound:
                expected = f"{_shown(threshold.bound, threshold)} or {'more' if sign < 0 else 'less'}"
                message = f"at {_shown(clear, threshold)} it is still {level}: expected {expected}"
                yield ("clear", level), message, None
    warning, critical = bounds
    if warning is None or critical is None or entry.clear.critical is None:
        return
    # Equal thresholds are one, and know no warning.
    is_one = warning.operator is critical.operator and warning.bound == critical.bound
    if entry.clear.warning is None and (is_one or not warning.operator.sign):
        return
    sign, clear = critical.operator.sign, entry.clear.critical.in_unit(entry.unit)
    end = warning.bound if entry.clear.warning is None else entry.clear.warning.in_unit(entry.unit)
    if sign * clear < sign * end:
        direction = "less" if sign < 0 else "more"
        message = f"at {_shown(end, critical)} not even a warning is left: expected that or {direction}"
        yield ("clear", "critical"), message, f"or clear a warning at {_shown(clear, critical)}, too"


def _shown(value: float, threshold: Threshold) -> str:
    return format_bound(float(f"{value:.12g}"), threshold)


def _in_decimals(text: str) -> str:
    """What was a number only to YAML 1.1, and so to graphitepager 0.2, as the number that it was; else the text."""
    word = text.strip()
    number = yaml.safe_load(word) if _OLD_NUMBER.fullmatch(word) else None
    if not isinstance(number, (int, float)):
        return text
    if not math.isfinite(number):
        raise refuse(f"expected a number, got {describe(text)}", _ENDLESS)
    if word.lstrip("-+").isdecimal() and number != int(word):
        message = f"{describe(text)} was {number} to graphitepager 0.2, and looks like {int(word)}"
        raise refuse(message, "write the one that is meant")
    return repr(number)


def _read_by(parse: Callable[[str], Any]) -> Callable[[object], Any]:
    def check(value: object) -> Any:
        if value is None or isinstance(value, (Condition, Quantity, Unit)):
            return value
        if value is _MISSING:
            raise PydanticKnownError("missing")
        if not isinstance(value, str):
            raise refuse(f"expected a number, got {describe(value)}")
        text = _in_decimals(value)
        try:
            return parse(text)
        except ValueError as error:
            raise refuse(str(error).replace(repr(value), describe(value)), _hint(value)) from None

    return check


def _hint(text: str) -> str | None:
    """The nearest unit, where only the unit is wrong."""
    word = text.strip().lstrip("<>=!+-0123456789. ")
    return did_you_mean(word, UNITS) if word and word != text.strip() else None


_CONDITION_SCHEMA = number_or_text("number", CONDITION_PATTERN)
_QUANTITY_SCHEMA = number_or_text("number", QUANTITY_PATTERN)

ConditionText = Annotated[
    Condition | None, PlainValidator(_read_by(thresholds.parse)), WithJsonSchema(_CONDITION_SCHEMA)
]
QuantityText = Annotated[
    Quantity | None, PlainValidator(_read_by(thresholds.parse_quantity)), WithJsonSchema(_QUANTITY_SCHEMA)
]
UnitWord = Annotated[
    Unit | None, PlainValidator(_read_by(thresholds.parse_unit)), WithJsonSchema({"enum": list(UNITS)})
]

# That one of both thresholds may be missing, for editors.
_BEGINS_WITH_OPERATOR = {"type": "string", "not": {"pattern": rf"^\s*{NUMBER_PATTERN}"}}
EITHER_THRESHOLD: dict[str, Any] = {
    "anyOf": [
        {"required": list(_LEVELS)},
        *({"required": [level], "properties": {level: _BEGINS_WITH_OPERATOR}} for level in _LEVELS),
    ]
}
