"""A series as one line of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"


def sparkline(values: Sequence[float | None], width: int = 72) -> str:
    """A bar for each value, or for the greatest of several where there are more than fit; a dot where there is none."""
    size = max(-(-len(values) // width), 1)
    parts = [
        max((one for one in values[place : place + size] if one is not None and math.isfinite(one)), default=None)
        for place in range(0, len(values), size)
    ]
    there = [one for one in parts if one is not None]
    least, most = min(there, default=0.0), max(there, default=0.0)
    # Halved, lest the difference of two large numbers be infinite.
    height = most / 2 - least / 2
    scale = (len(_BARS) - 1) / height if height > 0 else 0.0
    return "".join(_NOTHING if one is None else _BARS[round((one / 2 - least / 2) * scale)] for one in parts)
