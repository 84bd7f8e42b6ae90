"""A series as SVG: a sparkline to stand in a page, and the chart of a longer time as a file of its own."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from graphitepager.curves import bands, finite
from graphitepager.reports.chartlayout import laid_out
from graphitepager.reports.scales import Scale, fitting_unit, path, runs
from graphitepager.rules import Level
from graphitepager.thresholds import format_value

if TYPE_CHECKING:
    from graphitepager.curves import Curve
    from graphitepager.reports.chartlayout import Picture
    from graphitepager.rules import Entry

# The size of a sparkline, and into how many parts its time is cut: hundreds of them stand in one page.
_WIDTH, _HEIGHT, _PARTS = 120, 24, 30
_EDGE = 2.0


def sparkline_svg(curve: Curve, entry: Entry | None) -> Markup:
    """A small picture of the whole curve with the threshold that it is nearest to; the page's style colours it.

    It is 120 by 24. In each part of the time the value that is worse by that threshold is drawn.
    """
    parts = _worst(curve, entry)
    drawn = finite(parts)
    nearest = _nearest(entry, drawn)
    scale = Scale.around([*drawn, *((nearest[1],) if nearest else ())])
    height = _HEIGHT - 2 * _EDGE

    def y_of(value: float) -> float:
        return round(_HEIGHT - _EDGE - scale.share(value) * height, 1)

    x_of = [round(place * _WIDTH / (_PARTS - 1)) for place in range(_PARTS)]
    line = "".join(
        path((x_of[place], y_of(parts[place])) for place in run) + ("h2" if len(run) == 1 else "")
        for run in runs(parts)
    ).replace("L", " ")
    bound = f'<path class="{nearest[0].value}" d="M0 {y_of(nearest[1]):g}h{_WIDTH}"/>' if nearest else ""
    levels = (entry.warning, entry.critical) if entry else ()
    shown_in = fitting_unit(drawn, [one for one in levels if one])
    words = (
        f"{format_value(min(drawn), shown_in)} to {format_value(max(drawn), shown_in)}" if drawn else "no datapoints"
    )
    # Every attribute here is made of numbers and of our own words.
    return Markup(  # noqa: S704
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{words}">'
        f'{bound}<path d="{line}"/></svg>'
    )


def chart_svg(picture: Picture) -> str:
    """The picture as a file that needs nothing besides; its style is its own, for dark and for light."""
    return _template().render(chart=laid_out(picture), path=path)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(resources.files(__package__).joinpath("chart.svg").read_text("utf-8"))


def _worst(curve: Curve, entry: Entry | None) -> list[float]:
    """One value for each part of the time, NaN where there is none; the last known one where parts are shorter."""
    span = curve.step * len(curve.values)
    if len(curve.values) <= _PARTS:
        return [
            curve.values[place * len(curve.values) // _PARTS] if curve.values else math.nan for place in range(_PARTS)
        ]
    low, high = bands(curve, curve.begin, curve.begin + span, _PARTS)
    threshold = entry and (entry.critical or entry.warning)
    return list(low if threshold and threshold.operator.sign < 0 else high)


def _nearest(entry: Entry | None, drawn: list[float]) -> tuple[Level, float] | None:
    """The bound that the newest value is nearest to, with its level."""
    levels = (Level.CRITICAL, Level.WARNING) if entry else ()
    found = [(lv, bound) for lv in levels if entry and (one := entry.threshold(lv)) for bound in finite(one.bounds)]
    newest = drawn[-1] if drawn else 0.0
    return min(found, key=lambda one: abs(one[1] / 2 - newest / 2), default=None)
