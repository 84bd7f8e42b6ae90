"""Pages per week as a small picture, a bar for each week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphitepager.chronicle import Week

_BAR, _GAP, _HEIGHT = 16, 4, 40
_LEAST = 2.0


def week_bars(weeks: Sequence[Week], most: int | None = None) -> Markup:
    """The picture; `most` is the count of the tallest bar that there is room for. The page's style colours it."""
    tallest = max(most or 0, *(one.pages for one in weeks), 1)
    bars = Markup().join(
        Markup('<rect x="{}" y="{:g}" width="{}" height="{:g}"{}><title>{}</title></rect>').format(
            number * (_BAR + _GAP),
            round(_HEIGHT - _height(one.pages, tallest), 1),
            _BAR,
            round(_height(one.pages, tallest), 1),
            "" if one.pages else Markup(' class="none"'),
            f"week of {one.begins_at:%d %b}: {one.pages} pages",
        )
        for number, one in enumerate(weeks)
    )
    words = "pages per week: " + ", ".join(str(one.pages) for one in weeks)
    return Markup('<svg class="weeks" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        len(weeks) * (_BAR + _GAP) - _GAP, _HEIGHT, words, bars
    )


def _height(pages: int, tallest: int) -> float:
    return max(pages / tallest * _HEIGHT, _LEAST)
