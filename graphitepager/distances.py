"""How far a value is from the thresholds of its entry, in numbers and in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from graphitepager.rules import Level
from graphitepager.thresholds import format_value

if TYPE_CHECKING:
    from graphitepager.model import Reading
    from graphitepager.rules import Entry
    from graphitepager.thresholds import Threshold


class Distance(NamedTuple):
    """How far it is, in the series' own unit, to the threshold of a level; or past it, where that is breached."""

    amount: float
    level: Level
    is_past: bool


def distance(reading: Reading) -> Distance | None:
    """To the nearest threshold that is not breached, or past the last one; None where there is no number to say."""
    if reading.value is None or not math.isfinite(reading.value) or not reading.key.is_series:
        return None
    thresholds = {level: one for level in (Level.WARNING, Level.CRITICAL) if (one := reading.entry.threshold(level))}
    ahead = {level: one for level, one in thresholds.items() if not one.is_breached_by(reading.value)}
    if reading.level is Level.CRITICAL:
        ahead = {}  # whatever warning says
    chosen = ahead or {level: one for level, one in thresholds.items() if level is reading.level}
    amounts = [(_amount(reading.value, one), level) for level, one in chosen.items()]
    if not amounts:
        return None
    amount, level = min(amounts, key=lambda one: one[0])
    return Distance(amount, level, is_past=not ahead)


def in_words(found: Distance, entry: Entry) -> str:
    """`15 to Critical`, `820ms past Warning`, `at Critical`."""
    amount = format_value(found.amount, entry.threshold(found.level))
    if found.amount == 0:
        return f"at {found.level.label}"
    return f"{amount} {'past' if found.is_past else 'to'} {found.level.label}"


def _amount(value: float, threshold: Threshold) -> float:
    return min(abs(value - bound) for bound in threshold.bounds)
