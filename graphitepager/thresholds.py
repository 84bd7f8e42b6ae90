"""Thresholds: what people write in, which values they call bad, and how value and bound are shown."""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

# Between these a number is shown without decimals: below, four digits do; above, nobody wants to read them all.
_MANY, _TOO_MANY = 1e4, 1e15

# So large that no unit makes it infinite.
_LARGEST = 1e250


class Operator(enum.Enum):
    """Which values are bad, held against a bound or, for the last two, a range."""

    AT_LEAST = ">="
    AT_MOST = "<="
    ABOVE = ">"
    BELOW = "<"
    EQUAL = "=="
    UNEQUAL = "!="
    OUTSIDE = "outside"
    INSIDE = "inside"

    @property
    def sign(self) -> int:
        """1 where higher is worse, -1 where lower is, 0 where neither can be said."""
        return _SIGNS.get(self, 0)


_SIGNS = {Operator.AT_LEAST: 1, Operator.ABOVE: 1, Operator.AT_MOST: -1, Operator.BELOW: -1}


class Unit(NamedTuple):
    """A unit of one kind of quantity; `size` is how many of that kind's base unit it is."""

    name: str
    kind: str
    size: Decimal


def _units() -> dict[str, Unit]:
    found = [Unit("%", "a percentage", Decimal(1))]
    times = {"ns": "1e-9", "us": "1e-6", "µs": "1e-6", "ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"}
    found += [Unit(name, "a time", Decimal(size)) for name, size in times.items()]
    found += [Unit(name, "a count", Decimal(1000) ** power) for power, name in enumerate("kMGT", start=1)]
    for base, kind in (("B", "bytes"), ("bit", "bits")):
        found.append(Unit(base, kind, Decimal(1)))
        found += [Unit(name + base, kind, Decimal(1000) ** power) for power, name in enumerate("kMGTP", start=1)]
        binary = enumerate(("Ki", "Mi", "Gi", "Ti", "Pi"), start=1)
        found += [Unit(name + base, kind, Decimal(1024) ** power) for power, name in binary]
    return {unit.name: unit for unit in found}


UNITS = _units()

NUMBER_PATTERN = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"
QUANTITY_PATTERN = rf"{NUMBER_PATTERN}\s*({'|'.join(sorted(UNITS, key=len, reverse=True))})?"
CONDITION_PATTERN = (
    rf"(((>=?|<=?|==|!=)\s*)?{QUANTITY_PATTERN}|(outside|inside)\s+{QUANTITY_PATTERN}\s*\.\.\s*{QUANTITY_PATTERN})"
)
_QUANTITY = re.compile(rf"(?P<number>{NUMBER_PATTERN})\s*(?P<unit>[^\s\d.].*)?", re.DOTALL)
_COMPARISON = re.compile(r"(?P<operator>[<>=!]+)(?P<rest>.*)", re.DOTALL)
_RANGE = re.compile(r"(?P<operator>outside|inside)\s+(?P<low>.*?)\.\.(?P<high>.*)", re.DOTALL)


class Quantity(NamedTuple):
    """A number as somebody wrote it, with its unit, if it has one."""

    number: str
    unit: Unit | None = None

    def in_unit(self, unit: Unit | None) -> float:
        """How many of the series' own unit it is (None: of the base unit); a number alone is taken as it is."""
        if self.unit is None:
            return float(self.number)
        # Decimals, lest 0.3ms become 0.00030000000000000003.
        return float(Decimal(self.number) * self.unit.size / (unit.size if unit else 1))


@dataclass(frozen=True, slots=True)
class Condition:
    """A threshold as it was written: a quantity alone (no operator), one behind an operator, or a range."""

    operator: Operator | None
    bound: Quantity
    upper: Quantity | None = None

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        return (self.bound,) if self.upper is None else (self.bound, self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """Which values are bad: on one side of `bound`, or from `bound` to `upper` or outside of that.

    `clear` is where a value counts as good again, if not at the bound; only a threshold with a bad side has one.
    All of them are in the series' own unit. People see them in `unit`, one of which is `scale` of those.
    """

    operator: Operator
    bound: float
    upper: float | None = None
    clear: float | None = None
    unit: str = ""
    scale: float = 1.0

    def is_breached_by(self, value: float) -> bool:  # noqa: PLR0911 - one for each operator
        match self.operator:
            case Operator.AT_LEAST:
                return value >= self.bound
            case Operator.AT_MOST:
                return value <= self.bound
            case Operator.ABOVE:
                return value > self.bound
            case Operator.BELOW:
                return value < self.bound
            case Operator.EQUAL:
                return value == self.bound
            case Operator.UNEQUAL:
                return value != self.bound
            case Operator.INSIDE:
                return self.bound <= value <= self._upper
            case Operator.OUTSIDE:
                return not self.bound <= value <= self._upper

    @property
    def good_range(self) -> tuple[float, float]:  # noqa: PLR0911 - one for each operator
        """From where to where, both included, no value breaches it. Beyond, others may be good as well."""
        if not math.isfinite(self.bound):
            return math.inf, -math.inf  # which nothing is in
        match self.operator:
            case Operator.AT_LEAST:
                return -math.inf, math.nextafter(self.bound, -math.inf)
            case Operator.ABOVE:
                return -math.inf, self.bound
            case Operator.AT_MOST | Operator.EQUAL:
                return math.nextafter(self.bound, math.inf), math.inf
            case Operator.BELOW:
                return self.bound, math.inf
            case Operator.UNEQUAL:
                return self.bound, self.bound
            case Operator.INSIDE:
                return math.nextafter(self._upper, math.inf), math.inf
            case Operator.OUTSIDE:
                return self.bound, self._upper

    def is_held_by(self, value: float) -> bool:
        """Whether an incident at this threshold goes on: the value has not come back as far as `clear`."""
        if self.clear is None:
            return self.is_breached_by(value)
        return value > self.clear if self.operator.sign > 0 else value < self.clear

    def is_within(self, other: Threshold) -> bool:
        """Whether each value that breaches this one breaches the other, too."""
        return all(
            any(begin <= first and last <= end for begin, end in other._stretches) for first, last in self._stretches
        )

    @property
    def bounds(self) -> tuple[float, ...]:
        """Where it is drawn in a picture."""
        return (self.bound,) if self.upper is None else (self.bound, self.upper)

    @property
    def _upper(self) -> float:
        return self.bound if self.upper is None else self.upper

    @property
    def _stretches(self) -> tuple[tuple[tuple[float, int], tuple[float, int]], ...]:
        """The bad values from least to most; 1 and -1 say that it begins just above, ends just below that number."""
        least, most = (-math.inf, 0), (math.inf, 0)
        at, upper = (self.bound, 0), (self._upper, 0)
        below, above, above_upper = (self.bound, -1), (self.bound, 1), (self._upper, 1)
        return {
            Operator.AT_LEAST: ((at, most),),
            Operator.ABOVE: ((above, most),),
            Operator.AT_MOST: ((least, at),),
            Operator.BELOW: ((least, below),),
            Operator.EQUAL: ((at, at),),
            Operator.UNEQUAL: ((least, below), (above, most)),
            Operator.INSIDE: ((at, upper),),
            Operator.OUTSIDE: ((least, below), (above_upper, most)),
        }[self.operator]


def parse_unit(text: str) -> Unit:
    """Look a unit up; ValueError, whose text can be shown to the user, where there is no such."""
    unit = UNITS.get(text.strip())
    if unit is None:
        raise ValueError(f"unknown unit {text.strip()!r}: expected {', '.join(list(UNITS)[:-1])} or {list(UNITS)[-1]}")
    return unit


def parse_quantity(text: str) -> Quantity:
    """Read `90`, `80%`, `500ms` or `2GiB`; ValueError, whose text can be shown to the user, where it is none."""
    words = text.strip()
    try:
        if math.isfinite(float(words)):
            return Quantity(words)
    except ValueError:
        written = _QUANTITY.fullmatch(words)
        if written is not None and written["unit"] and abs(float(written["number"])) <= _LARGEST:
            return Quantity(written["number"], parse_unit(written["unit"]))
    raise ValueError(f"expected a number, got {text!r}")


def parse(text: str) -> Condition:
    """Read what `warning` and `critical` may be: `90`, `> 90`, `== 0`, `outside 10..20`. ValueError as above."""
    words = text.strip()
    if written := _RANGE.fullmatch(words):
        low, high = parse_quantity(written["low"]), parse_quantity(written["high"])
        low = low if low.unit else Quantity(low.number, high.unit)  # in `10..20ms` both are milliseconds
        if low.unit and high.unit and low.unit.kind != high.unit.kind:
            raise ValueError(f"a range from {low.unit.kind} to {high.unit.kind} is none, got {text!r}")
        if low.in_unit(None) > high.in_unit(None):
            raise ValueError(f"the range is empty: write the smaller number first, got {text!r}")
        return Condition(Operator(written["operator"]), low, high)
    if written := _COMPARISON.fullmatch(words):
        operator = next((one for one in Operator if one.value == written["operator"]), None)
        if operator is None:
            raise ValueError(f"expected one of the operators >, >=, <, <=, == and !=, got {text!r}")
        return Condition(operator, parse_quantity(written["rest"]))
    return Condition(None, parse_quantity(text))


def threshold_of(
    condition: Condition, operator: Operator, unit: Unit | None, clear: Quantity | None = None
) -> Threshold:
    """What a condition means for series in this unit; `operator` is the condition's own, or what it takes over."""
    shown = condition.bound.unit or unit
    bound = condition.bound.in_unit(unit)
    good = None if clear is None else clear.in_unit(unit)
    return Threshold(
        operator=operator,
        bound=bound,
        upper=condition.upper and condition.upper.in_unit(unit),
        # A value at the bound breaches it or is not past it: there it makes no difference.
        clear=None if good == bound else good,
        unit=shown.name if shown else "",
        scale=Quantity("1", shown).in_unit(unit),
    )


def format_number(value: float) -> str:
    """Four significant digits, and no exponent where people would not write one: a phone's screen is small."""
    if _MANY <= abs(value) < _TOO_MANY:
        return f"{value:.0f}"
    return f"{value:.4g}"


def format_value(value: float, threshold: Threshold | None) -> str:
    """A value in the unit in which its threshold was written."""
    return format_number(value) if threshold is None else f"{format_number(value / threshold.scale)}{threshold.unit}"


def format_bound(bound: float, threshold: Threshold) -> str:
    """A bound of that threshold in its unit: all of it, because people wrote it themselves."""
    return (
        f"{bound:.15g}{threshold.unit}" if threshold.scale == 1 else f"{bound / threshold.scale:.12g}{threshold.unit}"
    )


def format_bounds(threshold: Threshold) -> str:
    """`90`, or `10ms..20ms` of a range."""
    return "..".join(format_bound(bound, threshold) for bound in threshold.bounds)


def describe(threshold: Threshold) -> str:
    """`70`, `5 or less`, and else as it is written."""
    bound = format_bound(threshold.bound, threshold)
    return {Operator.AT_LEAST: bound, Operator.AT_MOST: f"{bound} or less"}.get(threshold.operator, written(threshold))


def written(threshold: Threshold) -> str:
    """A threshold as `parse` reads it, its operator included."""
    return f"{threshold.operator.value} {format_bounds(threshold)}"


def phrase(threshold: Threshold) -> str:
    """A threshold in a sentence: `at 70`, `above 90`, `outside 10..20`."""
    bound = format_bound(threshold.bound, threshold)
    words = {
        Operator.ABOVE: f"above {bound}",
        Operator.BELOW: f"below {bound}",
        Operator.EQUAL: f"at exactly {bound}",
        Operator.UNEQUAL: f"at anything but {bound}",
        Operator.INSIDE: written(threshold),
        Operator.OUTSIDE: written(threshold),
    }
    return words.get(threshold.operator, f"at {describe(threshold)}")
