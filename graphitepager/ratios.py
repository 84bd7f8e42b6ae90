"""Series divided by those whose names have the same nodes.

Computed here, and not by Graphite, because only here both counters are seen at the same two times: how far apart these
are cancels out, whatever the step, the gaps and the age of that Graphite.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from graphitepager import joining
from graphitepager.derived import NoValueError, Results, Sourced, datapoints, quoted, quotient, written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphitepager.model import Series
    from graphitepager.rules import Ratio

# Steps whose common multiple is longer have no times in common that anybody waits for. A year, in seconds.
_LONGEST_STEP_S = 366 * 86_400

RESET = "a counter was set back, and has not grown since"
NO_GROWTH = "division by zero: the divisor has not grown"
ZERO = "division by zero: the divisor is 0"
NEEDS_TWO = "fewer than two datapoints that both have, and a rate needs two"
NEVER_BOTH = "no time at which both have a datapoint"


def divided(dividends: list[Series], divisors: list[Series], target: str, ratio: Ratio) -> Sourced:
    """One series for each key of the dividends; nothing is guessed where a key stands for several."""
    ours, theirs = joining.joined(dividends, ratio.by), joining.joined(divisors, ratio.by)
    lacking = f" ({theirs.lacking[0][0].name} there has {theirs.lacking[0][1]})" if theirs.lacking else ""
    no_partner = f"no partner in {quoted(ratio.to.target)}{lacking}"
    results = Results()
    for key, group in ours.by_key.items():
        partners = theirs.by_key.get(key, ())
        try:
            dividend = _only(group, target, no_partner)
            divisor = _only(partners, ratio.to.target, no_partner)
            results.add(_quotients(key, dividend, divisor, ratio, target))
        except NoValueError as reason:
            results.add_none(key, group[0], str(reason))
        except ValueError:
            results.add_unreadable(key, group[0])
    for series, missing in ours.lacking:
        results.add_none(series.name, series, f"cannot be joined: its name has {missing}")
    return results.sourced()


def _only(group: Sequence[Series], target: str, none: str) -> Series:
    """The one series of a key; where there is none, `none` says so."""
    if not group:
        raise NoValueError(none)
    if len(group) > 1:
        first, second, *_ = (series.name for series in group)
        raise NoValueError(
            f"cannot be joined: {len(group)} series of {quoted(target)} have these nodes, such as {first} and {second}"
        )
    return group[0]


def _quotients(name: str, dividend: Series, divisor: Series, ratio: Ratio, target: str) -> Series:
    """Divide what both have at the same times, on the coarser of their steps (or the least that both steps divide)."""
    step = math.lcm(dividend.step, divisor.step)
    if step > _LONGEST_STEP_S:
        raise NoValueError(NEVER_BOTH)
    sample = _samples if ratio.is_rate else _averages
    tops, bottoms = sample(dividend, step), sample(divisor, step)
    for values, asked in ((tops, target), (bottoms, ratio.to.target)):
        if not values:
            raise NoValueError(f"no datapoint in {quoted(asked)}")
    times = sorted(tops.keys() & bottoms.keys())
    if ratio.is_rate:
        quotients = _rates(times, tops, bottoms, ratio.scale)
    else:
        quotients = _levels(times, tops, bottoms, ratio.scale)
    first = dividend.start // step
    last = (dividend.start + dividend.points.count(b",") * dividend.step) // step
    start = dividend.start if dividend.step == step else first * step
    return written(name, start, step, [quotients.get(time) for time in range(first, last + 1)])


def _samples(series: Series, step: int) -> dict[int, float]:
    """A counter at each multiple of the step, where it has a datapoint then; a counter cannot be infinite."""
    return {
        time // step: value for time, value in datapoints(series) if time % step < series.step and math.isfinite(value)
    }


def _averages(series: Series, step: int) -> dict[int, float]:
    """The average within each step, as Graphite's own divideSeries has it."""
    if series.step == step:
        return {time // step: value for time, value in datapoints(series)}
    values: dict[int, list[float]] = {}
    for time, value in datapoints(series):
        values.setdefault(time // step, []).append(value)
    return {time: sum(each) / len(each) for time, each in values.items()}


def _rates(
    times: Sequence[int], tops: Mapping[int, float], bottoms: Mapping[int, float], scale: float
) -> dict[int, float]:
    """Divide the growth from each time to the next. Where a counter falls it was set back: nobody knows its growth."""
    quotients: dict[int, float] = {}
    reason = NEEDS_TWO
    for earlier, later in pairwise(times):
        top, bottom = tops[later] - tops[earlier], bottoms[later] - bottoms[earlier]
        if top < 0 or bottom < 0:
            reason = RESET
        elif not bottom:
            reason = NO_GROWTH
        elif not math.isnan(result := quotient(top, bottom, scale)):
            quotients[later] = result
    return _or_why_not(quotients, reason)


def _levels(
    times: Sequence[int], tops: Mapping[int, float], bottoms: Mapping[int, float], scale: float
) -> dict[int, float]:
    quotients: dict[int, float] = {}
    reason = NEVER_BOTH
    for time in times:
        if not bottoms[time]:
            reason = ZERO
        elif not math.isnan(result := quotient(tops[time], bottoms[time], scale)):
            quotients[time] = result
    return _or_why_not(quotients, reason)


def _or_why_not(quotients: dict[int, float], reason: str) -> dict[int, float]:
    if not quotients:
        raise NoValueError(reason)
    return quotients
