"""Thresholds that are worth trying: bounds between what is usual for a target and what it never reached."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CANDIDATES = 12
# Of each series and window: its least, its greatest, and what lies between, closer together towards the ends.
_SHARES = (0.0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0)
_BEYOND = 0.1
# So much of the samples is usual: a threshold there would page all the time.
_USUAL = 0.8
_MOST_DIGITS = 15


def sample(values: Iterable[float]) -> list[float]:
    """A few of the values that stand for all of them: those at _SHARES of their order."""
    ranked = sorted(value for value in values if math.isfinite(value))
    return [ranked[round(share * (len(ranked) - 1))] for share in _SHARES] if ranked else []


def candidates(samples: Sequence[float], *, is_low_bad: bool) -> list[float]:
    """Bounds to try, the mildest first: from what is usual to a little beyond what ever was; none without samples."""
    ranked = sorted(samples, reverse=is_low_bad)
    if not ranked:
        return []
    usual, extreme = ranked[int((len(ranked) - 1) * _USUAL)], ranked[-1]
    reach = (extreme - usual) or math.copysign(abs(extreme) or 1.0, -1.0 if is_low_bad else 1.0)
    ladder = [usual + reach * step / (_CANDIDATES - 2) for step in range(1, _CANDIDATES - 1)]
    bounds = (_plain(bound, reach) for bound in (*ladder, extreme + reach * _BEYOND))
    return list(dict.fromkeys(bounds))


def _plain(bound: float, reach: float) -> float:
    """As a person would write it: three digits that count, and more where the ladder's rungs would be the same."""
    rung = abs(reach) / _CANDIDATES
    digits = math.floor(math.log10(abs(bound) / rung)) + 2 if bound and rung else 0
    return float(f"{bound:.{min(max(digits, 3), _MOST_DIGITS)}g}")
