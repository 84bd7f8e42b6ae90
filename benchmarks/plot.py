"""Draws the cost of a series against how many there are, as an SVG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 280, 56, 40, 28


def growth(points: Sequence[tuple[int, float]]) -> str:
    """Microseconds a series over the number of series, which is drawn in powers of ten."""
    most = max(cost for _, cost in points) * 1.25
    first, last = (math.log10(points[place][0]) for place in (0, -1))

    def across(series: int) -> float:
        return _LEFT + (math.log10(series) - first) / (last - first) * (_WIDTH - _LEFT - 40)

    def down(cost: float) -> float:
        return _HEIGHT - _BOTTOM - cost / most * (_HEIGHT - _BOTTOM - _TOP)

    path = " ".join(f"{across(series):.1f},{down(cost):.1f}" for series, cost in points)
    marks = "".join(
        f'<circle cx="{across(series):.1f}" cy="{down(cost):.1f}" r="4" fill="#2563eb"/>'
        f'<text x="{across(series):.1f}" y="{down(cost) - 10:.1f}">{cost:.2f}</text>'
        f'<text x="{across(series):.1f}" y="{_HEIGHT - 14}">{series:,}</text>'
        for series, cost in points
    )
    base = down(0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12" text-anchor="middle" fill="#374151">'
        "<title>Microseconds a series, by the number of series</title>"
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
        f'<text x="{_LEFT - 36}" y="16" text-anchor="start">µs a series, a poll in which all is well</text>'
        f'<path d="M{_LEFT - 24} {base} H{_WIDTH - 16}" stroke="#9ca3af"/>'
        f'<polyline points="{path}" fill="none" stroke="#2563eb" stroke-width="2"/>{marks}</svg>\n'
    )
